//! Tables of rows as the runtime sees them: what their columns are called, and how their values are shown.

use crate::source::Span;
use crate::types::EnumRef;
use serde::{Deserialize, Serialize};

/// Index into [`crate::manifest::Manifest::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableId(pub u32);

/// A table of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowTable {
    /// As the script calls it.
    pub name: String,
    /// In the order in which they are shown.
    pub columns: Vec<RowColumn>,
    /// Its declaration.
    pub span: Span,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowColumn {
    /// As the script and machines call it.
    pub name: String,
    /// As people see it.
    pub title: String,
    /// How its values are shown.
    pub kind: ColumnKind,
    /// A row may have no value for it.
    pub optional: bool,
    /// Least width, in places of a terminal.
    pub width: u32,
    /// Values stand at the left of their width; else at the right.
    pub left: bool,
    /// What it is to a system that collects figures.
    pub role: ColumnRole,
}

/// What a column is to a system that collects figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnRole {
    /// Tells series apart.
    Label,
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A value of a distribution.
    Histogram,
    /// Nothing that can be counted or told apart by.
    None,
}

/// How the values of a column are shown to people. Machines get the values themselves: numbers in the unit that is given
/// here, names as strings, times in UTC as RFC 3339 has them, stacks frame by frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// A value of any type, as `print` shows it.
    Any,
    /// A whole number.
    Int,
    /// A whole number that is not negative.
    Uint,
    /// A number in hexadecimal.
    Hex,
    /// A number with a fraction.
    Float {
        /// Behind the point.
        digits: u32,
    },
    /// `true` or `false`.
    Bool,
    /// Text, or a value that is shown by name.
    String,
    /// A path of a file.
    Path,
    /// Nanoseconds since boot, as strftime(3) shows that time with this format; `%f` is microseconds.
    Time(Vec<u8>),
    /// Nanoseconds, shown in a unit of time.
    Duration {
        /// Nanoseconds of the unit.
        unit: u64,
        /// Behind the point.
        digits: u32,
    },
    /// Bytes, shown in B, KiB, MiB, ...
    Bytes {
        /// Behind the point, for everything above bytes.
        digits: u32,
    },
    /// So many a second, shown with k, M, G.
    Rate {
        /// Behind the point.
        digits: u32,
    },
    /// A share of 100.
    Percent {
        /// Behind the point.
        digits: u32,
    },
    /// An address of the network.
    Address,
    /// A port of the network, in the machine's order of bytes.
    Port,
    /// A disk by its number (major << 20 | minor), shown by its name.
    Device,
    /// A system call by its number, shown by its name.
    SystemCall,
    /// An error by its number, with either sign, shown by its name (`ENOENT`).
    Error,
    /// A number that an enumeration has a name for.
    Enum(EnumRef),
    /// A stack of the kernel, shown below its row.
    KernelStack,
    /// A stack of a process, shown below its row.
    UserStack,
}

impl ColumnKind {
    /// Whether it stands below the row, not in it.
    pub fn is_below(&self) -> bool {
        matches!(self, ColumnKind::KernelStack | ColumnKind::UserStack)
    }
}

/// A part of an entry of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowPart {
    /// One of its keys.
    Key(u32),
    /// The value.
    Value,
    /// One of several values.
    Field(u32),
}

/// A map shown as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapView {
    /// In this form.
    pub table: TableId,
    /// For each column the part of an entry that stands there, if one does.
    pub parts: Vec<Option<RowPart>>,
    /// The column that rows are ordered by; else they come as `print` shows them, largest values first when only some are
    /// shown.
    pub by: Option<u32>,
    /// Largest first, or last in the alphabet.
    pub descending: bool,
    /// Only so many rows.
    pub top: Option<u64>,
}
