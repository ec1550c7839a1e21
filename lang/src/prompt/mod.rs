//! What a prompt does with the texts that are entered one after the other: what an entry is ([`shape`]), the script that
//! is made of it ([`Book`]), and what could stand at a place in it ([`complete()`]). All of it asks the parser and the
//! checker; nothing here reads the language by itself.

mod book;
mod complete;
mod defined;
mod origin;
mod shape;
mod target;
mod types;

pub use book::{Book, Composed};
pub use complete::{Completion, complete};
pub use shape::{Shape, unfinished};
pub use target::complete_target;
pub use types::{type_of_expression, type_of_map};
