//! What can be lost.

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
}

impl LossCause {
    /// All causes, in counter order.
    pub const ALL: [LossCause; 6] = [
        LossCause::RingFull,
        LossCause::MapFull,
        LossCause::StacksFull,
        LossCause::DivisionByZero,
        LossCause::LoopBound,
        LossCause::OutOfBounds,
    ];

    /// Whether data was lost (which `--strict` makes a failure).
    pub fn is_loss(self) -> bool {
        !matches!(self, LossCause::DivisionByZero | LossCause::OutOfBounds)
    }
}
