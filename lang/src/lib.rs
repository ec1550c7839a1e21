//! The language of lt, from source to HIR and manifest. Pure: no I/O, no LLVM, no libbpf, no unsafe. What it needs of the kernel comes
//! in through the traits of [`kernel`].

#![deny(unsafe_code)]

pub mod aggregations;
pub mod ast;
pub mod builtins;
pub mod c;
mod check;
pub mod codes;
pub mod columns;
pub mod config;
pub mod diagnostic;
mod expand;
pub mod fmt;
pub mod format;
pub mod hir;
pub mod kernel;
mod lexer;
mod lower;
pub mod manifest;
pub mod params;
mod parser;
mod preamble;
pub mod probes;
pub mod prompt;
pub mod registers;
pub mod source;
pub mod stacks;
pub mod table;
pub mod token;
pub mod types;
pub mod user;

pub use check::{CheckedScript, KnownMaps, MissingProbes, SessionOptions, check, needs};
pub use expand::expand;
pub use lower::{Lowered, lower};
pub use parser::{no_probe, parse, parse_import};
