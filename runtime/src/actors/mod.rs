//! Things of the outside world that a session acts on.

mod command;
mod words;

pub use command::Command;
