//! Decoded values: what programs send and what maps hold, free of any form of output.

use std::rc::Rc;

/// An integer as its 64 bits, extended by its signedness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int {
    /// Extended to 64 bits.
    pub raw: u64,
    /// Two's complement.
    pub signed: bool,
    /// Width of its type: 8, 16, 32 or 64.
    pub bits: u8,
}

impl Int {
    /// A 64-bit integer.
    pub fn wide(raw: u64, signed: bool) -> Int {
        Int { raw, signed, bits: 64 }
    }

    /// The number itself.
    pub fn number(self) -> i128 {
        if self.signed { i128::from(self.raw as i64) } else { i128::from(self.raw) }
    }

    /// Divides, rounding towards zero; a divisor of 0 leaves it as it is.
    #[must_use]
    pub fn divided(self, by: u64) -> Int {
        let raw = match (by, self.signed) {
            (0 | 1, _) => self.raw,
            (_, true) => ((self.raw as i64 as i128) / i128::from(by)) as i64 as u64,
            (_, false) => self.raw / by,
        };
        Int { raw, ..self }
    }
}

impl std::fmt::Display for Int {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.signed { (self.raw as i64).fmt(f) } else { self.raw.fmt(f) }
    }
}

/// A frame of a stack. An address stands for several where functions were inlined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where the function stood.
    pub address: u64,
    /// What is there.
    pub place: Place,
    /// In a process, not in the kernel.
    pub user: bool,
}

impl Frame {
    /// A bare address.
    pub fn unknown(address: u64) -> Frame {
        Frame { address, place: Place::Unknown, user: false }
    }
}

/// What lies at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody knows.
    Unknown,
    /// A function.
    Function(Symbol),
    /// A function whose code is part of another's.
    Inlined {
        /// The function.
        name: Rc<str>,
        /// `file:line`
        line: Option<Rc<str>>,
    },
    /// A place in a file, without a name.
    InFile {
        /// Of the file, in hexadecimal.
        build_id: Rc<str>,
        /// Bytes from its start.
        offset: u64,
    },
}

/// A named place in the kernel or in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The function or variable.
    pub name: Rc<str>,
    /// Bytes behind its start.
    pub offset: u64,
    /// The module or file it lies in; none for the kernel proper.
    pub module: Option<Rc<str>>,
    /// `file:line` of the source, where debug information tells it.
    pub line: Option<Rc<str>>,
}

/// A row of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Smallest value; `None`: no bound.
    pub low: Option<i128>,
    /// One above the largest value; `None`: no bound.
    pub high: Option<i128>,
    /// Values that fell into it.
    pub count: u64,
}

/// The buckets from the first to the last that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Lowest first.
    pub buckets: Vec<Bucket>,
    /// The shift of each bound's power of two, for `hist`; `None` for `lhist`.
    pub log2: Option<u8>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(Int),
    /// A number with a fraction.
    Float(f64),
    /// Bytes of a string, without the NUL.
    Str(&'a [u8]),
    /// Text that was made from a value.
    Text(Vec<u8>),
    /// An address.
    Pointer(u64),
    /// An address that is shown by name.
    Symbol(u64, Option<Symbol>),
    /// A stack, innermost frame first.
    Stack(StackStyle, Rc<[Frame]>),
    /// Several values.
    Tuple(Vec<Value<'a>>),
    /// Elements of one type.
    Array(Vec<Value<'a>>),
    /// Fields with their names.
    Record(Vec<(Rc<str>, Value<'a>)>),
    /// A number, and the name that an enumeration has for it.
    Enum(Int, Option<Rc<str>>),
    /// Any bytes.
    Buffer(&'a [u8]),
    /// Result of `stats()`.
    Stats {
        /// Number of values.
        count: u64,
        /// Their average.
        average: Int,
        /// Their sum.
        total: Int,
    },
    /// Several aggregations with their names.
    Figures(Vec<(Rc<str>, Value<'a>)>),
    /// Result of `hist()` and `lhist()`.
    Histogram(Histogram),
}

/// How a stack is shown.
pub use lt_lang::types::StackMode as StackStyle;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_towards_zero() {
        assert_eq!(Int::wide(-7i64 as u64, true).divided(2).to_string(), "-3");
        assert_eq!(Int::wide(u64::MAX, false).divided(2).to_string(), "9223372036854775807");
        assert_eq!(Int::wide(5, true).divided(0).to_string(), "5");
    }
}
