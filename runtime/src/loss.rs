//! What was lost: the counters of the programs and of the kernel, by program and cause.

use crate::missed::Missed;
use crate::state::State;
use crate::user::Counts;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{LOSSES, LossRow, Manifest, ProgramId};
use lt_lang::source::Span;

/// So many times a program, or an action in user space, lost something for one cause.
pub struct Loss<'m> {
    /// The attach point as the user knows it.
    pub probe: &'m str,
    /// The same in the source.
    pub span: Span,
    /// The cause.
    pub row: &'static LossRow,
    /// At least 1.
    pub count: u64,
}

/// Everything that was lost, in the order of programs and causes.
pub fn losses<'m>(manifest: &'m Manifest, state: &State, missed: &Missed<'_>, actions: &[Counts]) -> Vec<Loss<'m>> {
    let mut losses = Vec::new();
    for (at, program) in manifest.programs.iter().enumerate() {
        let id = ProgramId(at as u32);
        for row in &LOSSES {
            let count = state.lost(id, row.cause).saturating_add(missed.count(program, row.cause));
            if count > 0 {
                losses.push(Loss { probe: &program.probe, span: program.span, row, count });
            }
        }
    }
    for (action, counts) in manifest.user.iter().zip(actions) {
        let found = LOSSES.iter().zip(counts).filter(|(_, count)| **count > 0);
        losses.extend(found.map(|(row, count)| Loss { probe: &action.probe, span: action.span, row, count: *count }));
    }
    losses
}

/// How much data was lost, all together.
pub fn total(losses: &[Loss<'_>]) -> u64 {
    losses.iter().filter(|loss| loss.row.is_loss).fold(0, |sum, loss| sum.saturating_add(loss.count))
}

impl Loss<'_> {
    /// What people are told.
    pub fn warning(&self) -> Diagnostic {
        let Loss { probe, span, row, count } = self;
        let what = if *count == 1 { row.one } else { row.many };
        let message = format!("{probe}: {count} {what}{}", row.why);
        Diagnostic::warning(row.code, message).at(*span, "").help(row.help)
    }
}
