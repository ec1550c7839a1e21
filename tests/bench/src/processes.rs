//! Whole processes: from start to exit, as a user meets them.

use crate::Tracers;
use crate::measure::{self, Usage};
use crate::table::{Row, median};
use std::path::Path;
use std::process::Command;

/// Odd, so that the median is one of the runs.
const ROUNDS: usize = 15;

/// A script, how it is run, and the budgets: the largest ratio of each measure.
struct Case {
    name: &'static str,
    options: &'static [&'static str],
    script: &'static str,
    /// What its output must hold, so that a failing run is not taken for a fast one.
    shows: &'static str,
    /// For wall time. None where the script itself decides how long it takes.
    wall: Option<f64>,
    cpu: Option<f64>,
    rss: Option<f64>,
}

const CASES: [Case; 3] = [
    Case {
        name: "start: begin { printf(\"hi\\n\"); exit() }",
        options: &[],
        script: "begin { printf(\"hi\\n\"); exit() }",
        shows: "hi\n",
        wall: Some(0.05),
        cpu: Some(0.08),
        rss: Some(0.12),
    },
    Case {
        name: "200 ms: sys_enter { @[comm] = count() }",
        options: &[],
        script: "tracepoint:raw_syscalls:sys_enter { @[comm] = count() } interval:ms:200 { exit() }",
        shows: "@[",
        wall: None,
        cpu: Some(0.08),
        rss: Some(0.12),
    },
    // Compiles, loads and attaches without running.
    Case {
        name: "--dry-run: sys_enter { @[comm] = count() }",
        options: &["--dry-run"],
        script: "tracepoint:raw_syscalls:sys_enter { @[comm] = count() }",
        shows: "",
        wall: None,
        cpu: None,
        rss: None,
    },
];

/// Measures all cases.
pub fn rows(tracers: &Tracers) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for case in &CASES {
        // One round unmeasured: files get into the page cache.
        run(&tracers.lt, case)?;
        run(&tracers.peer, case)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(run(&tracers.lt, case)?);
            theirs.push(run(&tracers.peer, case)?);
        }
        let row = |measure, budget, pick: fn(&Usage) -> f64| Row {
            name: case.name,
            measure,
            ratio: median(ours.iter().map(pick)) / median(theirs.iter().map(pick)),
            budget,
        };
        rows.push(row("wall", case.wall, |usage| usage.wall));
        rows.push(row("CPU", case.cpu, |usage| usage.cpu));
        rows.push(row("peak RSS", case.rss, |usage| usage.rss));
    }
    Ok(rows)
}

fn run(tracer: &Path, case: &Case) -> Result<Usage, String> {
    let usage = measure::run(Command::new(tracer).args(case.options).args(["-e", case.script]))?;
    if usage.output.contains(case.shows) {
        return Ok(usage);
    }
    Err(format!("{} -e '{}' did not print {:?}, but\n{}", tracer.display(), case.script, case.shows, usage.output))
}
