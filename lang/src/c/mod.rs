//! C in scripts: `struct`, `union`, `enum` and `typedef` definitions and `#define` lines at the head of a script, laid
//! out as the ABI of x86-64 wants it. Pure text to types; what a definition does not define itself is asked of the kernel.

mod bits;
mod constant;
mod declarator;
mod declare;
mod kernel;
mod layout;
mod scan;
#[cfg(test)]
mod tests;
mod token;

use crate::source::Span;
use crate::types::RecordKind;
pub(crate) use constant::evaluate;
pub use kernel::WithDefinitions;
pub(crate) use scan::read_definitions;
use std::collections::HashMap;
pub(crate) use token::{Macro, Macros, macro_of};

/// All definitions of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Structures and unions; the type of one is its index.
    pub(crate) records: Vec<Record>,
    /// `struct NAME` to its index; what is only declared is not here.
    pub(crate) tags: HashMap<(RecordKind, String), usize>,
    /// Names of types.
    pub(crate) typedefs: HashMap<String, CType>,
    /// Enumerations, named or not.
    pub(crate) enums: Vec<Enum>,
}

impl Definitions {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.typedefs.is_empty() && self.enums.is_empty()
    }

    /// The value of an enumerator, and its enumeration.
    pub(crate) fn enumerator(&self, name: &str) -> Option<(usize, i64)> {
        self.enums
            .iter()
            .enumerate()
            .find_map(|(at, found)| found.members.iter().find(|member| member.0 == name).map(|member| (at, member.1)))
    }
}

/// A structure or union as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    /// Empty without a tag.
    pub(crate) name: String,
    pub(crate) members: Vec<Declared>,
    pub(crate) packed: bool,
    /// `__attribute__((aligned(n)))`, in bytes.
    pub(crate) aligned: Option<u32>,
    pub(crate) span: Span,
}

/// A member as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Empty for anonymous records and unnamed bit-fields.
    pub(crate) name: String,
    pub(crate) ty: CType,
    /// Width of a bit-field.
    pub(crate) bits: Option<u32>,
    pub(crate) packed: bool,
    pub(crate) aligned: Option<u32>,
    pub(crate) span: Span,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enum {
    /// Empty without a tag.
    pub(crate) name: String,
    /// Names and values, in the order of the source.
    pub(crate) members: Vec<(String, i64)>,
}

/// A type of C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CType {
    Void,
    Int {
        bits: u8,
        signed: bool,
    },
    /// Plain `char`: in a row it is a string.
    Char,
    /// A floating-point number of so many bytes, which nothing can compute with.
    Float(u32),
    Pointer(Box<CType>),
    Array(Box<CType>, u32),
    /// A record of the script.
    Record(usize),
    /// A record of the kernel, or one that the script defines later.
    Tagged(RecordKind, String),
    /// An enumeration of the script.
    Enum(usize),
    /// `enum NAME` of the kernel.
    TaggedEnum(String),
    /// A name of a type that the script does not define.
    Named(String, Span),
    Function,
}
