//! The cost that a script adds to an event: nanoseconds of a system call that is traced, less those of one that is not.

use crate::table::{Row, median, quantile};
use crate::{Tracers, measure};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 7;
const BATCHES: usize = 300;
const CALLS: u32 = 4000;

/// Actions on every system call, and the largest ratio of their costs.
const ACTIONS: [(&str, f64); 4] =
    [("@ = count()", 0.75), ("@[comm] = count()", 0.75), ("@[pid] = sum(1)", 0.75), ("@ = hist(args.id)", 0.75)];

/// The workload: calls the cheapest system call in a tight loop and writes to `file` the nanoseconds of a call, as the
/// tenth part of all batches that were fastest took them: what disturbed the others is not the script's cost.
pub fn spin(file: &Path) -> Result<(), String> {
    let batch = |_| {
        let started = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(std::os::unix::process::parent_id());
        }
        started.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    let nanoseconds = quantile((0..BATCHES).map(batch), 10);
    std::fs::write(file, nanoseconds.to_string()).map_err(|e| format!("{}: {e}", file.display()))
}

/// Measures all actions.
pub fn rows(tracers: &Tracers) -> Result<Vec<Row>, String> {
    let workload = Workload::new()?;
    ACTIONS.iter().map(|&(action, budget)| row(tracers, &workload, action, budget)).collect()
}

fn row(tracers: &Tracers, workload: &Workload, action: &'static str, budget: f64) -> Result<Row, String> {
    let script = format!("tracepoint:raw_syscalls:sys_enter {{ {action} }}");
    let (mut bare, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(workload.alone()?);
        ours.push(workload.under(&tracers.lt, &script)?);
        theirs.push(workload.under(&tracers.peer, &script)?);
    }
    let bare = median(bare);
    Ok(Row {
        name: action,
        measure: "ns/event",
        ratio: (median(ours) - bare) / (median(theirs) - bare),
        budget: Some(budget),
    })
}

/// This program as `spin`, pinned to one CPU, with the file that it answers in.
struct Workload {
    command: String,
    file: std::path::PathBuf,
}

impl Workload {
    fn new() -> Result<Workload, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let file = std::env::temp_dir().join(format!("lt-bench-{}", std::process::id()));
        // The last CPU: the first one gets most interrupts.
        let cpu = std::thread::available_parallelism().map_or(0, |n| n.get() - 1);
        let command = format!("taskset -c {cpu} {} spin {}", program.display(), file.display());
        Ok(Workload { command, file })
    }

    /// Nanoseconds of a call that nobody traces.
    fn alone(&self) -> Result<f64, String> {
        measure::run(Command::new("sh").arg("-c").arg(&self.command))?;
        self.answer()
    }

    /// Nanoseconds of a call under a script.
    fn under(&self, tracer: &Path, script: &str) -> Result<f64, String> {
        let usage = measure::run(Command::new(tracer).args(["-e", script, "-c", &self.command]))?;
        let calls = BATCHES as u64 * u64::from(CALLS);
        if !usage.output.split_whitespace().filter_map(|word| word.parse().ok()).any(|n: u64| n >= calls) {
            let (tracer, output) = (tracer.display(), usage.output);
            return Err(format!("{tracer} -e '{script}' did not count the workload's {calls} calls, but\n{output}"));
        }
        self.answer()
    }

    fn answer(&self) -> Result<f64, String> {
        let text = std::fs::read_to_string(&self.file).map_err(|e| format!("the workload did not answer: {e}"))?;
        // The next answer has to be a new one.
        std::fs::remove_file(&self.file).map_err(|e| e.to_string())?;
        text.parse().map_err(|e| format!("the workload answered {text:?}: {e}"))
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        // There is one only when a run failed between the workload's answer and its reading.
        let _ = std::fs::remove_file(&self.file);
    }
}
