//! Tests under other kernels than this machine's, in virtual machines. README.md says how it works and how to run one
//! case on one kernel; [`cases`] is where cases are written.

mod boot;
mod cases;
mod cost;
mod cpio;
mod first_light;
mod flow;
mod guest;
mod jobs;
mod kernels;
mod maps;
mod modules;
mod probes;
mod qemu;
mod server;
mod tables;
#[path = "init/src/wire.rs"]
mod wire;

pub use cases::{Case, Kernels};
pub use jobs::{Job, Output, VmError};
pub use server::run;

use kernels::Target;
use libtest_mimic::{Completion, Failed, Trial};

/// One trial per kernel and case, named `vm::6.12::case`. Machines are booted when the first of them runs.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for target in kernels::targets() {
        // first, because what it compiles meanwhile keeps no machine waiting
        trials.push(crate::generate::guest_trial(&target.name, target.required));
        for case in cases::cases() {
            let target = target.clone();
            let name = format!("vm::{}::{}", target.name, case.name);
            trials.push(Trial::ignorable_test(name, move || trial(&target, &case)));
        }
    }
    trials
}

fn trial(target: &Target, case: &Case) -> Result<Completion, Failed> {
    if let Kernels::Since(first) = case.kernels
        && kernels::version(&target.name).is_some_and(|v| Some(v) < kernels::version(first))
    {
        return Ok(Completion::ignored_with(format!("needs Linux {first}")));
    }
    match run(&target.name, Job::sh(case.command.clone()).timeout(case.timeout)) {
        Ok(output) => verdict(case, &output).map(|()| Completion::Completed),
        Err(VmError::Missing(what)) if !target.required => Ok(Completion::ignored_with(what)),
        Err(error) => Err(error.into()),
    }
}

fn verdict(case: &Case, output: &Output) -> Result<(), Failed> {
    let told = |problem: String| Failed::from(format!("{problem}\n$ {}\n{output}", case.command));
    if output.timed_out && !case.hangs {
        return Err(told(format!("not done within {} s", case.timeout.as_secs())));
    }
    (case.check)(output).map_err(told)
}
