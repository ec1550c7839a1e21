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
            if count == 0 {
                continue;
            }
            losses.total = losses.total.saturating_add(if cause.is_loss() { count } else { 0 });
            losses.events += if cause == LossCause::RingFull { count } else { 0 };
            losses.warnings.push(warning(program, cause, count));
        }
    }
    losses
}

fn warning(program: &Program, cause: LossCause, count: u64) -> Diagnostic {
    let (code, one, many, why, help) = match cause {
        LossCause::RingFull => (
            Code::LostEvents,
            "event was lost",
            "events were lost",
            ": the ring buffer was full",
            "print less: a narrower predicate, or a map instead of one line an event",
        ),
        LossCause::MapFull => (
            Code::LostEvents,
            "map update was lost",
            "map updates were lost",
            ": a map had no room for another key",
            "use keys with fewer distinct values, or delete those that are done",
        ),
        LossCause::StacksFull => (
            Code::LostEvents,
            "stack was lost",
            "stacks were lost",
            ": there was no room for another one",
            "narrow the predicate, so that fewer distinct stacks are seen",
        ),
        LossCause::LoopBound => (
            Code::LoopBound,
            "loop was ended at its bound",
            "loops were ended at their bound",
            " of steps",
            "let the condition end the loop earlier, or spread the work over several events",
        ),
        LossCause::DivisionByZero => (
            Code::DividedByZero,
            "division by zero gave 1",
            "divisions by zero gave 1",
            "",
            "test the divisor before, in the predicate or with `if`",
        ),
        LossCause::OutOfBounds => (
            Code::OutOfBounds,
            "index was outside of its array",
            "indexes were outside of their arrays",
            "",
            "compare the index with the length of the array before",
        ),
    };
    let what = if count == 1 { one } else { many };
    Diagnostic::warning(code, format!("{}: {count} {what}{why}", program.probe)).at(program.span, "").help(help)
}
