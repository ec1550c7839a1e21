//! Parameters of a script: what it declares ([`Declared`]), the values that its command line gives them ([`Values`]), and
//! the script with the values in place ([`bind`]), checked with all of its branches and left without those that the values
//! switch off ([`check`]).

mod bind;
mod declare;
mod fold;
mod kind;
mod settle;
#[cfg(test)]
mod tests;
mod units;

pub use bind::bind;
pub use declare::{COMMON, Declared, Example, Parameter, Place, declared};
pub use kind::{Kind, NumberOf, Value};
pub use settle::check;
use std::collections::HashMap;

/// The values of parameters by name: of those that were given or have a default. One value each, any number for lists.
pub type Values = HashMap<String, Vec<Value>>;
