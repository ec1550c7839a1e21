//! The long tail of builtins and functions, the parameters of scripts and the command line, on this machine's own kernel.

use crate::support::{Ran, expect, lt, lt_path, on_kernel, run};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("rows::options_behind_the_script", options_behind_the_script),
        on_kernel("rows::probes_of_a_script", probes_of_a_script),
        on_kernel("rows::attached_line", attached_line),
    ]
}

/// The lines of standard output that are not empty.
fn lines(ran: &Ran, wanted: &[&str]) -> Result<(), String> {
    let seen: Vec<_> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(ran.status == 0 && seen == wanted, &format!("these lines: {wanted:?}"), ran)
}

fn options_behind_the_script() -> Result<(), String> {
    let program = "begin { printf(\"%s %s %d\\n\", str($1), str($2), $#) }";
    lines(&lt(["-e", program, "a", "-q", "-B", "none", "--", "-c"]), &["a -c 2"])?;
    let quiet = lt(["-e", program, "-q"]);
    expect(quiet.status == 0 && quiet.stderr.is_empty(), "no messages", &quiet)
}

fn probes_of_a_script() -> Result<(), String> {
    let program = "begin { } tracepoint:sched:sched_process_ex* { @ = count() }";
    let wanted = ["begin", "tracepoint:sched:sched_process_exec", "tracepoint:sched:sched_process_exit"];
    lines(&lt(["-l", "-e", program]), &wanted)
}

fn attached_line() -> Result<(), String> {
    let ran = run(Command::new(lt_path())
        .args(["-e", "begin { printf(\"x\\n\") }"])
        .env("__BPFTRACE_NOTIFY_PROBES_ATTACHED", "1"));
    let line = ran.stdout.lines().filter(|line| *line == "__BPFTRACE_NOTIFY_PROBES_ATTACHED").count();
    expect(ran.status == 0 && line == 1, "the line of test suites, once", &ran)
}
