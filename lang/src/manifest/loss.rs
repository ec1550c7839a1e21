//! What can be lost: one table of causes, with what is said about each.

use crate::codes::Code;
use serde::{Deserialize, Serialize};

/// Why something that should have been recorded was not. Each program has one u64 counter for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossCause {
    /// The event ring was full.
    RingFull = 0,
    /// A map had no room for another key.
    MapFull = 1,
    /// The map of stacks had no room for another one.
    StacksFull = 2,
    /// Not lost, but worth a warning: a number was divided by 0, which gives 1.
    DivisionByZero = 3,
    /// Not an event, but what a loop did is incomplete: it was ended at its bound of steps.
    LoopBound = 4,
    /// Not lost, but worth a warning: an array was asked for an element that it does not have.
    OutOfBounds = 5,
    /// Memory could not be read; zeros stand for what it holds.
    ReadFault = 6,
    /// A string was longer than `max_strlen`, which nobody asked for to be its length.
    StringCut = 7,
    /// The probe was hit, but the kernel did not run the program. The kernel counts these, not the program.
    Missed = 8,
}

/// What is said about a cause.
pub struct LossRow {
    /// The cause.
    pub cause: LossCause,
    /// What machines read.
    pub name: &'static str,
    /// Data was lost, which `--strict` makes a failure.
    pub is_loss: bool,
    /// Of the warning.
    pub code: Code,
    /// Behind the number 1.
    pub one: &'static str,
    /// Behind other numbers.
    pub many: &'static str,
    /// The reason, behind both.
    pub why: &'static str,
    /// What can be done.
    pub help: &'static str,
}

/// All causes, in counter order.
pub const LOSSES: [LossRow; 9] = [
    LossRow {
        cause: LossCause::RingFull,
        name: "ring_full",
        is_loss: true,
        code: Code::LostEvents,
        one: "event was lost",
        many: "events were lost",
        why: ": the ring buffer was full",
        help: "print less: a narrower predicate, or a map instead of one line an event; or a larger ring: config = { perf_rb_pages = 4096 }",
    },
    LossRow {
        cause: LossCause::MapFull,
        name: "map_full",
        is_loss: true,
        code: Code::LostEvents,
        one: "map update was lost",
        many: "map updates were lost",
        why: ": a map had no room for another key",
        help: "use keys with fewer distinct values, delete those that are done, or make room: config = { max_map_keys = 100000 }",
    },
    LossRow {
        cause: LossCause::StacksFull,
        name: "stacks_full",
        is_loss: true,
        code: Code::LostEvents,
        one: "stack was lost",
        many: "stacks were lost",
        why: ": there was no room for another one",
        help: "narrow the predicate, so that fewer distinct stacks are seen",
    },
    LossRow {
        cause: LossCause::DivisionByZero,
        name: "division_by_zero",
        is_loss: false,
        code: Code::DividedByZero,
        one: "division by zero gave 1",
        many: "divisions by zero gave 1",
        why: "",
        help: "test the divisor before, in the predicate or with `if`",
    },
    LossRow {
        cause: LossCause::LoopBound,
        name: "loop_bound",
        is_loss: true,
        code: Code::LoopBound,
        one: "loop was ended at its bound",
        many: "loops were ended at their bound",
        why: " of steps",
        help: "let the condition end the loop earlier, or spread the work over several events",
    },
    LossRow {
        cause: LossCause::OutOfBounds,
        name: "out_of_bounds",
        is_loss: false,
        code: Code::OutOfBounds,
        one: "index was outside of its array",
        many: "indexes were outside of their arrays",
        why: "",
        help: "compare the index with the length of the array before",
    },
    LossRow {
        cause: LossCause::ReadFault,
        name: "read_fault",
        is_loss: true,
        code: Code::LostEvents,
        one: "read of memory failed",
        many: "reads of memory failed",
        why: ": nothing is at the address, or not in memory now; zeros stand for it",
        help: "test pointers before they are followed; what a process has not touched yet can be read when the system call returns",
    },
    LossRow {
        cause: LossCause::StringCut,
        name: "string_cut",
        is_loss: true,
        code: Code::LostEvents,
        one: "string was cut off",
        many: "strings were cut off",
        why: ": longer than max_strlen",
        help: "make max_strlen larger, up to 16384: config = { max_strlen = 4096 }",
    },
    LossRow {
        cause: LossCause::Missed,
        name: "missed",
        is_loss: true,
        code: Code::LostEvents,
        one: "hit was missed",
        many: "hits were missed",
        why: ": the kernel runs no program inside of another one",
        help: "trace fewer places that call each other, or do less at each hit",
    },
];

impl LossCause {
    /// Number of causes.
    pub const COUNT: usize = LOSSES.len();

    /// What is said about this cause.
    pub fn row(self) -> &'static LossRow {
        // the table is in the order of the numbers, which a test compares
        LOSSES.get(self as usize).unwrap_or(&LOSSES[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_counter_order() {
        for (at, row) in LOSSES.iter().enumerate() {
            assert_eq!(row.cause as usize, at);
            assert_eq!(row.cause.row().name, row.name);
        }
    }
}
