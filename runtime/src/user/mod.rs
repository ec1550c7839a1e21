//! Actions in user space: evaluates the tree of the manifest ([`lt_lang::user`]) between two looks at the events.

mod functions;
mod machine;
mod number;
mod run;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use functions::Functions;
pub use run::{Counts, run};
pub use world::Script;
