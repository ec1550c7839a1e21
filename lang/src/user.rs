//! The user-space half of a script: actions marked `user`, as a small tree that the manifest carries. The checker makes
//! it, the runtime evaluates it; neither tree nor HIR is needed for that.
//!
//! Values carry their types themselves. What the tree has to say is where a number becomes a fraction
//! ([`Expr::Convert`]) and how integers wrap ([`Arithmetic`]).

use crate::format::Format;
use crate::manifest::{Attach, MapId, TableId};
use crate::source::Span;
use crate::types::{IntType, NameKind};
use serde::{Deserialize, Serialize};

/// Most steps of all loops of one run of an action; reaching them ends the action.
pub const MOST_STEPS: u32 = 1 << 23;

/// An action that runs in user space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserAction {
    /// When it runs: a driver's way, see [`Attach::is_driver`].
    pub attach: Attach,
    /// The attach point as the user knows it: `interval:s:1`.
    pub probe: String,
    /// So many of the manifest's programs stand before it in the source.
    pub before: u32,
    /// Number of its variables.
    pub vars: u32,
    /// It runs when this holds.
    pub predicate: Option<Expr>,
    /// What it does.
    pub body: Vec<Stmt>,
    /// The attach point in the source.
    pub span: Span,
}

/// A scratch variable of an action, numbered below [`UserAction::vars`].
pub type Var = u32;

/// A statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stmt {
    /// Evaluates an expression for what it does.
    Do(Expr),
    /// Assigns to a variable.
    Set {
        /// The variable.
        var: Var,
        /// Its value.
        value: Expr,
    },
    /// Assigns to an entry of a map, or to one without a key; the value is converted to the map's type.
    SetEntry {
        /// The map; plain.
        map: MapId,
        /// As many as the map has, or one tuple of them.
        keys: Vec<Expr>,
        /// The value.
        value: Expr,
    },
    /// Two ways.
    If {
        /// The condition.
        condition: Expr,
        /// When it holds.
        then: Vec<Stmt>,
        /// When it does not.
        otherwise: Vec<Stmt>,
    },
    /// Steps while a condition holds.
    While {
        /// Asked before each step.
        condition: Expr,
        /// A step.
        body: Vec<Stmt>,
    },
    /// A step for each integer of a range.
    Range {
        /// Holds the integer.
        var: Var,
        /// The first.
        from: Expr,
        /// Behind the last.
        to: Expr,
        /// A step.
        body: Vec<Stmt>,
    },
    /// A step for each entry of a map.
    Entries(Box<EntryLoop>),
    /// Ends the innermost loop.
    Break,
    /// Goes on with the next step of the innermost loop.
    Continue,
    /// Ends the action.
    Return,
    /// Something that is shown or done.
    Request(Request),
}

/// A loop over the entries that a map has when it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryLoop {
    /// The map; keyed.
    pub map: MapId,
    /// Holds the key.
    pub key: Var,
    /// Holds the value; without, `key` holds the tuple of both.
    pub value: Option<Var>,
    /// Entries are ordered by this, those that are the same by their keys; without, all by their keys.
    pub by: Option<Expr>,
    /// The largest first.
    pub descending: bool,
    /// Only so many of them.
    pub top: Option<Expr>,
    /// A step.
    pub body: Vec<Stmt>,
}

/// What is shown or done, one behind the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Formats values.
    Printf {
        /// How.
        format: Format,
        /// One for each conversion.
        values: Vec<Expr>,
    },
    /// Formats values, and reports them as a message with its place in the script.
    Message {
        /// As an error; else as a warning.
        error: bool,
        /// How.
        format: Format,
        /// One for each conversion.
        values: Vec<Expr>,
        /// The call in the source.
        span: Span,
    },
    /// Shows a value.
    PrintValue(Expr),
    /// Shows a map.
    PrintMap {
        /// Which.
        map: MapId,
        /// Only the entries with the largest values.
        top: Option<u64>,
        /// Values are divided by this.
        div: Option<u64>,
    },
    /// Removes all entries.
    Clear(MapId),
    /// Sets the values of all entries to zero.
    Zero(MapId),
    /// Shows a row of a table.
    Row {
        /// Which.
        table: TableId,
        /// A value for each column, or none where the row has none.
        cells: Vec<Option<Expr>>,
    },
    /// Shows the time of day in this format.
    Time(Vec<u8>),
    /// Ends the action and the session with this status.
    Exit(Expr),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// An integer: its 64 bits.
    Int {
        /// The bits.
        bits: u64,
        /// Two's complement.
        signed: bool,
    },
    /// A number with a fraction.
    Float(f64),
    /// A string, without a NUL.
    Text(Vec<u8>),
    /// `true`, `false`
    Bool(bool),
    /// A variable.
    Var(Var),
    /// The value of an entry, or of a map without a key: zero or empty when there is none.
    Entry {
        /// The map.
        map: MapId,
        /// As many as the map has, or one tuple of them.
        keys: Vec<Expr>,
    },
    /// Whether a map has an entry.
    Has {
        /// The map; keyed.
        map: MapId,
        /// As many as the map has, or one tuple of them.
        keys: Vec<Expr>,
    },
    /// Removes an entry, or the value of a map without a key; whether it was there.
    Delete {
        /// The map.
        map: MapId,
        /// As many as the map has, or one tuple of them.
        keys: Vec<Expr>,
    },
    /// Number of entries of a map.
    Length(MapId),
    /// Changes a variable or entry; the value is the old or the new one.
    Change(Box<Change>),
    /// `-`
    Negate(Box<Expr>),
    /// `~`
    Complement(Box<Expr>),
    /// `!`
    Not(Box<Expr>),
    /// Arithmetic.
    Operation {
        /// Which.
        operator: Operator,
        /// On what numbers.
        arithmetic: Arithmetic,
        /// First.
        left: Box<Expr>,
        /// Second.
        right: Box<Expr>,
    },
    /// Which of two values comes first; a bool. Integers are compared as the numbers they are, whatever their signs.
    Compare {
        /// How.
        comparison: Comparison,
        /// First.
        left: Box<Expr>,
        /// Second.
        right: Box<Expr>,
    },
    /// `&&` and `||`; the right side is evaluated only when needed.
    Logical {
        /// `&&` when true.
        and: bool,
        /// First.
        left: Box<Expr>,
        /// Second.
        right: Box<Expr>,
    },
    /// `?:`; only one side is evaluated.
    Select {
        /// The condition.
        condition: Box<Expr>,
        /// When it holds.
        then: Box<Expr>,
        /// When it does not.
        otherwise: Box<Expr>,
    },
    /// Statements, then a value that may read what they assigned.
    Block {
        /// Carried out first.
        stmts: Vec<Stmt>,
        /// The value.
        value: Box<Expr>,
    },
    /// Several values.
    Tuple(Vec<Expr>),
    /// Several values with names.
    Record(Vec<(String, Expr)>),
    /// Part of a tuple, from 0.
    Part(Box<Expr>, u32),
    /// Part of a record.
    Field(Box<Expr>, String),
    /// Part of what `stats()` gives.
    Stats(Box<Expr>, StatsPart),
    /// A number as another.
    Convert(Box<Expr>, NumberType),
    /// What a function gives.
    Call {
        /// Which.
        function: UserFunction,
        /// What it takes.
        args: Vec<Expr>,
    },
}

/// A change of a variable or entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub place: Place,
    /// How.
    pub operator: Operator,
    /// On what numbers.
    pub arithmetic: Arithmetic,
    /// The right side.
    pub value: Expr,
    /// The value is the old one.
    pub old: bool,
}

/// What can be changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Place {
    /// A variable.
    Var(Var),
    /// An entry of a plain map.
    Entry {
        /// The map.
        map: MapId,
        /// As many as the map has, or one tuple of them.
        keys: Vec<Expr>,
    },
}

/// What arithmetic is done on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arithmetic {
    /// Integers of 64 bits that wrap around, as in the kernel.
    Signed,
    /// The same without sign.
    Unsigned,
    /// Floating point of 64 bits.
    Float,
}

/// Operators of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Operator {
    Add,
    Sub,
    Mul,
    /// Of integers by 0: 1, which is counted, as in the kernel. Of fractions: infinite, or not a number.
    Div,
    /// The same.
    Rem,
    And,
    Or,
    Xor,
    /// The count is taken modulo 64.
    ShiftLeft,
    /// Arithmetic for signed numbers; the count is taken modulo 64.
    ShiftRight,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What can be asked of `stats()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatsPart {
    /// Number of values.
    Count,
    /// Their exact average.
    Average,
    /// Their sum.
    Total,
}

impl StatsPart {
    /// The words for them.
    pub const WORDS: &'static [(&'static str, StatsPart)] =
        &[("count", StatsPart::Count), ("average", StatsPart::Average), ("total", StatsPart::Total)];
}

/// Types of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NumberType {
    /// An integer: cut to its width. Of a fraction, the nearest towards zero that there is.
    Int(IntType),
    /// Floating point of 64 bits.
    Float,
    /// Whether it is not zero.
    Bool,
}

/// Clocks, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// Since boot.
    Boot,
    /// Since boot, without the time when the machine was suspended.
    Monotonic,
    /// Of atomic time.
    Tai,
}

/// What can be asked in user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserFunction {
    /// lt's process.
    Pid,
    /// lt's thread.
    Tid,
    /// lt's user.
    Uid,
    /// lt's group.
    Gid,
    /// lt's name.
    Comm,
    /// The CPU that lt runs on.
    Cpu,
    /// A clock.
    Clock(Clock),
    /// Nanoseconds since tracing began.
    Elapsed,
    /// A random number of 32 bits.
    Random,
    /// Nanoseconds since boot as local time, in the format that is the first argument.
    FormatTime,
    /// Bytes of a string.
    TextLength,
    /// Two strings in a row.
    Concatenate,
    /// Where a string is found in another, from 0, or -1; without `index`, whether.
    Search {
        /// The place.
        index: bool,
    },
    /// The name of a number; a string.
    Named(NameKind),
    /// The paths of a control group.
    GroupPath,
    /// The name of a group of users.
    GroupName,
    /// What a process (and a descriptor of it) has opened: its executable, or the descriptor's file.
    Path,
    /// The container that a process runs in: the first twelve digits of its number; empty without.
    Container,
    /// The name of the disk with a number as the kernel has it.
    Disk,
    /// The value below which so many percent of a histogram's values are.
    Percentile,
    /// So much in so many nanoseconds, for each second.
    Rate,
    /// The first 64 KiB of a file, without the newline at its end; empty when it cannot be read.
    ReadFile,
    /// The name of a protocol of the internet.
    Protocol,
    /// The name of a family of addresses.
    Family,
}
