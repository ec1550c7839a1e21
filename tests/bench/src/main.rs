//! `lt-bench LT PEER [PART...]`: compares the tracer LT with the tracer PEER (bpftrace) and prints a table of ratios
//! with budgets and verdicts; tools/bench calls it where tracefs is mounted. Parts: `processes`, `events`; default both.
//!
//! Machines are noisy and differ: both tracers run in turn, many rounds, and only the ratio of their medians counts.
//! Exit status: 0 when every budget is kept, 1 when one is exceeded, 2 when something could not be measured.

mod events;
mod measure;
mod processes;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

/// What is compared.
struct Tracers {
    lt: PathBuf,
    peer: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // The workload of the second part: started by the tracers.
        ["spin", file] => events::spin(file.as_ref()).map(|()| true),
        [lt, peer, ref parts @ ..] => compare(&Tracers { lt: lt.into(), peer: peer.into() }, parts),
        _ => Err("usage: lt-bench LT PEER [processes|events]...".to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Runs the parts asked for; tells whether every budget was kept.
fn compare(tracers: &Tracers, parts: &[&str]) -> Result<bool, String> {
    let parts = if parts.is_empty() { &["processes", "events"] } else { parts };
    let mut kept = true;
    for part in parts {
        let rows = match *part {
            "processes" => processes::rows(tracers)?,
            "events" => events::rows(tracers)?,
            other => return Err(format!("{other}: neither processes nor events")),
        };
        table::print(&rows);
        kept &= rows.iter().all(table::Row::kept);
    }
    Ok(kept)
}
