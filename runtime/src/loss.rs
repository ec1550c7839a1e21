//! What was lost: the programs' counters become warnings.

use crate::state::State;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{LossCause, Manifest, Program, ProgramId};

/// What a run lost.
#[derive(Debug, Default)]
pub struct Losses {
    /// Everything together.
    pub total: u64,
    /// Events that found the ring buffer full.
    pub events: u64,
    /// One warning for each program and cause.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the counters.
pub fn losses(manifest: &Manifest, state: &State) -> Losses {
    let mut losses = Losses::default();
    for (at, program) in manifest.programs.iter().enumerate() {
        for cause in LossCause::ALL {
            let count = state.lost(ProgramId(at as u32), cause);
            if count > 0 {
                losses.total = losses.total.saturating_add(count);
                losses.events += if cause == LossCause::RingFull { count } else { 0 };
                losses.warnings.push(warning(program, cause, count));
            }
        }
    }
    losses
}

fn warning(program: &Program, cause: LossCause, count: u64) -> Diagnostic {
    let (one, many, why, help) = match cause {
        LossCause::RingFull => (
            "event was",
            "events were",
            "the ring buffer was full",
            "print less: a narrower predicate, or a map instead of one line an event",
        ),
        LossCause::MapFull => (
            "map update was",
            "map updates were",
            "a map had no room for another key",
            "use keys with fewer distinct values, or delete those that are done",
        ),
        LossCause::StackCollision => (
            "stack was",
            "stacks were",
            "the stack table's place was taken",
            "narrow the predicate, so that fewer distinct stacks are seen",
        ),
    };
    let what = if count == 1 { one } else { many };
    let message = format!("{}: {count} {what} lost: {why}", program.probe);
    Diagnostic::warning(Code::LostEvents, message).at(program.span, "").help(help)
}
