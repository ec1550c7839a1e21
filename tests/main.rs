//! The one integration-test binary: it drives one release build of `lt` and links no LLVM itself.
//!
//! Trials are made by hand (libtest-mimic) because what cannot run on a machine must be *reported as skipped, with the
//! reason*, which the built-in harness cannot do at run time.

mod check;
mod codegen;
mod cost;
mod flow;
mod format;
mod functions;
mod generate;
mod host;
mod itself;
mod kill;
mod library;
mod losses;
mod macros;
mod maps;
mod markers;
mod params;
mod probes;
mod repl;
mod rows;
mod stacks;
mod support;
mod tables;
mod tidy;
mod tutorial;
mod types;
mod ui;
mod user;
mod vm;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let args = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(tidy::trials());
    trials.extend(ui::trials());
    trials.extend(codegen::trials());
    trials.extend(host::trials());
    trials.extend(maps::trials());
    trials.extend(cost::trials());
    trials.extend(check::trials());
    trials.extend(generate::trials());
    trials.extend(functions::trials());
    trials.extend(format::trials());
    trials.extend(params::trials());
    trials.extend(probes::trials());
    trials.extend(itself::trials());
    trials.extend(kill::trials());
    trials.extend(library::trials());
    trials.extend(losses::trials());
    trials.extend(markers::trials());
    trials.extend(stacks::trials());
    trials.extend(flow::trials());
    trials.extend(macros::trials());
    trials.extend(rows::trials());
    trials.extend(repl::trials());
    trials.extend(tables::trials());
    trials.extend(tutorial::trials());
    trials.extend(types::trials());
    trials.extend(user::trials());
    trials.extend(vm::trials());
    libtest_mimic::run(&args, trials).exit();
}
