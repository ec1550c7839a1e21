//! The global variable `lt_state` (section .bss, an array of u64) through which programs and loader talk.

use super::{LossCause, ProgramId};

/// Name of the variable.
pub const SYMBOL: &str = "lt_state";
/// Word: non-zero once `exit()` was called or the loader stops the session; programs return at entry then
/// (driver actions run all the same).
pub const STOPPED: usize = 0;
/// Word: the argument of `exit()`.
pub const EXIT_CODE: usize = 1;
/// Word: non-zero when it was a program that called `exit()`.
pub const EXIT_CALLED: usize = 2;
/// Word: what the action of a test or benchmark returned.
pub const RESULT: usize = 3;
/// Word: 0 or 1, the page of the maps that have two into which programs aggregate.
pub const PAGE: usize = 4;
/// Word: process id of the command of `-c`.
pub const COMMAND_PID: usize = 5;
/// Word: nanoseconds from the clock of boot to that of atomic time.
pub const TAI_OFFSET: usize = 6;
/// First word of the loss counters.
pub const COUNTERS: usize = 7;

/// Index of a loss counter.
pub fn counter(program: ProgramId, cause: LossCause) -> usize {
    COUNTERS + program.0 as usize * LossCause::COUNT + cause as usize
}

/// Number of words for a script with so many programs.
pub fn words(programs: usize) -> usize {
    COUNTERS + programs * LossCause::COUNT
}
