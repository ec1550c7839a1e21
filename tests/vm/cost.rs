//! The cases of `tests/cost.rs` on other kernels: each pads names, counts and attaches in its own way.

use super::cases::Case;
use super::jobs::Output;
use crate::cost;

/// Fewer than on the host: virtual processors are slow without KVM.
const BLOCKS: i64 = 2_000;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    let writers = command(&cost::writers_program(), &cost::writers_command(cost::WRITERS, BLOCKS));
    let names = command(&cost::names_program(), cost::NAMES_COMMAND);
    let many_keys = command(&cost::many_keys_program(), &cost::writers_command(cost::KEY_WRITERS, BLOCKS));
    vec![
        Case::new("cost_writers_on_all_cpus", writers, |output| {
            output.success()?;
            cost::check_writers(&output.out(), BLOCKS)
        }),
        Case::new("cost_more_keys_than_slots", many_keys, |output| {
            output.success()?;
            cost::check_many_keys(&output.out(), BLOCKS)
        }),
        Case::new("cost_names_end_at_their_nul", names, |output: &Output| {
            output.success()?;
            cost::check_names(&output.out())
        }),
    ]
}

/// A line for the guest's shell; both parts hold single quotes or expansions that are meant for later.
pub fn command(program: &str, traced: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    format!("\"$LT\" -e {} -c {}", quoted(program), quoted(traced))
}
