//! The cases of `tests/maps.rs` on other kernels: each waits for programs, reads and deletes maps in its own way.

use super::cases::Case;
use super::cost::command;
use crate::cost::writers_command;
use crate::maps;
use std::time::Duration;

/// Fewer than on the host: virtual processors are slow without KVM.
const BLOCKS: i64 = 3_000;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    let cuts = command(&maps::cuts_program("ms:50"), &writers_command(maps::CUT_WRITERS, BLOCKS));
    let slow = command(&maps::slow_program(), &writers_command(maps::SLOW_WRITERS, BLOCKS));
    vec![
        Case::new("maps_every_update_is_in_one_cut", cuts, |output| {
            output.success()?;
            maps::check_cuts(&output.out(), &output.err(), BLOCKS)
        })
        .timeout(Duration::from_secs(120)),
        Case::new("maps_programs_that_still_run", slow, |output| {
            output.success()?;
            maps::check_slow(&output.out(), &output.err(), BLOCKS)
        })
        .since("5.17")
        .timeout(Duration::from_secs(120)),
    ]
}
