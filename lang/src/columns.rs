//! The table of the types of columns: what they are called, what stands behind the name, which values they show.

use crate::ast::{Argument, Expr};
use crate::manifest::{ColumnKind, ColumnRole, RowColumn};
use crate::source::Span;
use crate::types::{AddressSpace, EnumRef, IntType, NameKind, StackType, Type};

/// What stands behind the name of a type.
#[derive(Clone, Copy, Debug)]
pub enum Detail {
    /// Nothing.
    Nothing(fn() -> ColumnKind),
    /// A point and digits, or nothing, which means this many: `ms.3`.
    Digits(u32, fn(u32) -> ColumnKind),
    /// A format of strftime(3): `time("%F")`.
    Format(fn(Vec<u8>) -> ColumnKind),
    /// The name of an enumeration: `enum E`.
    Enumeration(fn(EnumRef) -> ColumnKind),
}

/// A row of the table.
#[derive(Debug)]
pub struct ColumnType {
    /// Its name.
    pub name: &'static str,
    /// What stands behind it, and what is made of both.
    pub detail: Detail,
    /// Least width unless the script says one.
    pub width: u32,
    /// Values stand at the left unless the script says where.
    pub left: bool,
    /// What it is to a system that collects figures, unless the script says it.
    pub role: ColumnRole,
    /// For the reference page.
    pub doc: &'static str,
    /// A script with such a column.
    pub example: &'static str,
}

impl ColumnType {
    /// As it is written: `ms[.DIGITS]`.
    pub fn form(&self) -> String {
        let behind = match self.detail {
            Detail::Nothing(_) => "",
            Detail::Digits(..) => "[.DIGITS]",
            Detail::Format(_) => "(format)",
            Detail::Enumeration(_) => " NAME",
        };
        format!("{}{behind}", self.name)
    }
}

/// Most digits behind a point.
pub const MOST_DIGITS: u32 = 9;
/// What stands before the width of a column.
pub const WIDTH: &str = "width";
/// Widest column that can be asked for.
pub const MOST_WIDTH: u32 = 4096;

const fn text(
    name: &'static str,
    make: fn() -> ColumnKind,
    width: u32,
    doc: &'static str,
    example: &'static str,
) -> ColumnType {
    ColumnType { name, detail: Detail::Nothing(make), width, left: true, role: ColumnRole::Label, doc, example }
}

const fn number(
    name: &'static str,
    detail: Detail,
    width: u32,
    doc: &'static str,
    example: &'static str,
) -> ColumnType {
    ColumnType { name, detail, width, left: false, role: ColumnRole::Gauge, doc, example }
}

const fn stack(name: &'static str, make: fn() -> ColumnKind, doc: &'static str, example: &'static str) -> ColumnType {
    let detail = Detail::Nothing(make);
    ColumnType { name, detail, width: 0, left: true, role: ColumnRole::None, doc, example }
}

const fn duration(
    name: &'static str,
    make: fn(u32) -> ColumnKind,
    doc: &'static str,
    example: &'static str,
) -> ColumnType {
    number(name, Detail::Digits(0, make), 8, doc, example)
}

/// All types of columns.
pub const ALL: &[ColumnType] = &[
    number(
        "int",
        Detail::Nothing(|| ColumnKind::Int),
        8,
        "A whole number.",
        "table t { x: int; } begin { emit t(-5) }",
    ),
    number(
        "uint",
        Detail::Nothing(|| ColumnKind::Uint),
        8,
        "A whole number that is not negative.",
        "table t { x: uint; } begin { emit t(5) }",
    ),
    number(
        "hex",
        Detail::Nothing(|| ColumnKind::Hex),
        18,
        "A number in hexadecimal.",
        "table t { x: hex; } begin { emit t(nsecs) }",
    ),
    number(
        "float",
        Detail::Digits(2, |digits| ColumnKind::Float { digits }),
        8,
        "A number with digits behind the point.",
        "table t { x: float.3; } begin { emit t(5) }",
    ),
    text("bool", || ColumnKind::Bool, 5, "`true` or `false`.", "table t { x: bool; } begin { emit t(cpu == 0) }"),
    text(
        "string",
        || ColumnKind::String,
        16,
        "Text, or what is shown as text.",
        "table t { x: string; } begin { emit t(comm) }",
    ),
    text("path", || ColumnKind::Path, 32, "A path of a file.", "table t { x: path; } begin { emit t(\"/tmp\") }"),
    ColumnType {
        name: "clock",
        detail: Detail::Nothing(|| ColumnKind::Time(b"%H:%M:%S".to_vec())),
        width: 8,
        left: true,
        role: ColumnRole::None,
        doc: "A time (nanoseconds since boot) as time of day.",
        example: "table t { x: clock; } begin { emit t(nsecs) }",
    },
    ColumnType {
        name: "time",
        detail: Detail::Format(ColumnKind::Time),
        width: 8,
        left: true,
        role: ColumnRole::None,
        doc: "A time (nanoseconds since boot) in a format of strftime(3).",
        example: "table t { x: time(\"%F_%T\"); } begin { emit t(nsecs) }",
    },
    duration(
        "ns",
        |digits| ColumnKind::Duration { unit: 1, digits },
        "A duration in nanoseconds.",
        "table t { x: ns; } begin { emit t(1500) }",
    ),
    duration(
        "us",
        |digits| ColumnKind::Duration { unit: 1_000, digits },
        "A duration in nanoseconds, shown in microseconds.",
        "table t { x: us; } begin { emit t(1500) }",
    ),
    duration(
        "ms",
        |digits| ColumnKind::Duration { unit: 1_000_000, digits },
        "A duration in nanoseconds, shown in milliseconds.",
        "table t { x: ms.3; } begin { emit t(1500000) }",
    ),
    duration(
        "s",
        |digits| ColumnKind::Duration { unit: 1_000_000_000, digits },
        "A duration in nanoseconds, shown in seconds.",
        "table t { x: s.1; } begin { emit t(1500000000) }",
    ),
    number(
        "bytes",
        Detail::Digits(1, |digits| ColumnKind::Bytes { digits }),
        9,
        "Bytes, shown as 512B, 1.5KiB, 2.0GiB.",
        "table t { x: bytes; } begin { emit t(4096) }",
    ),
    number(
        "rate",
        Detail::Digits(1, |digits| ColumnKind::Rate { digits }),
        9,
        "So many a second, shown as 950.0/s, 1.2k/s.",
        "table t { x: rate; } begin { emit t(1200) }",
    ),
    number(
        "percent",
        Detail::Digits(0, |digits| ColumnKind::Percent { digits }),
        7,
        "A share of 100, shown with a `%`.",
        "table t { x: percent.2; } begin { emit t(50) }",
    ),
    text(
        "ip",
        || ColumnKind::Address,
        15,
        "An address of the network.",
        "table t { x: ip; } begin { emit t(ntop(0x0100007f)) }",
    ),
    number(
        "port",
        Detail::Nothing(|| ColumnKind::Port),
        5,
        "A port of the network.",
        "table t { x: port; } begin { emit t(443) }",
    ),
    text(
        "dev",
        || ColumnKind::Device,
        8,
        "A disk's number, shown by name.",
        "table t { x: dev; } begin { emit t(8 << 20) }",
    ),
    text(
        "syscall",
        || ColumnKind::SystemCall,
        16,
        "A system call's number, shown by name.",
        "table t { x: syscall; } begin { emit t(0) }",
    ),
    text(
        "errno",
        || ColumnKind::Error,
        12,
        "An error's number, with either sign, shown by name.",
        "table t { x: errno; } begin { emit t(-2) }",
    ),
    ColumnType {
        name: "enum",
        detail: Detail::Enumeration(ColumnKind::Enum),
        width: 12,
        left: true,
        role: ColumnRole::Label,
        doc: "A number, shown by the name that an enumeration has for it.",
        example: "enum color { RED = 1 }; table t { x: enum color; } begin { emit t(1) }",
    },
    stack(
        "kstack",
        || ColumnKind::KernelStack,
        "A stack of the kernel, below its row.",
        "table t { x: kstack?; } begin { emit t(kstack) }",
    ),
    stack(
        "ustack",
        || ColumnKind::UserStack,
        "A stack of a process, below its row.",
        "table t { x: ustack; } begin { emit t(ustack) }",
    ),
];

/// What a column can be to a system that collects figures.
pub const ROLES: &[(&str, ColumnRole)] = &[
    ("label", ColumnRole::Label),
    ("counter", ColumnRole::Counter),
    ("gauge", ColumnRole::Gauge),
    ("histogram", ColumnRole::Histogram),
];

/// Where values can stand: whether at the left.
pub const SIDES: &[(&str, bool)] = &[("left", true), ("right", false)];

/// The row of this name.
pub fn lookup(name: &str) -> Option<&'static ColumnType> {
    ALL.iter().find(|row| row.name == name)
}

/// Whether a column shows values of this type.
pub fn shows(kind: &ColumnKind, ty: &Type) -> bool {
    let number = matches!(ty, Type::Int(_) | Type::Enum(_));
    match kind {
        ColumnKind::Any => true,
        ColumnKind::Int
        | ColumnKind::Uint
        | ColumnKind::Float { .. }
        | ColumnKind::Time(_)
        | ColumnKind::Duration { .. }
        | ColumnKind::Bytes { .. }
        | ColumnKind::Rate { .. }
        | ColumnKind::Percent { .. }
        | ColumnKind::Port => number,
        ColumnKind::Hex => number || matches!(ty, Type::Pointer { .. } | Type::KernelSymbol),
        ColumnKind::Bool => number || *ty == Type::Bool,
        ColumnKind::String => is_text(ty),
        ColumnKind::Path => matches!(ty, Type::String { .. } | Type::GroupPath),
        ColumnKind::Address => number || *ty == Type::Inet || is_address(ty),
        ColumnKind::Device => number || matches!(ty, Type::String { .. }),
        ColumnKind::SystemCall => number || *ty == Type::Named(NameKind::SystemCall),
        ColumnKind::Error => number || *ty == Type::Named(NameKind::Error),
        ColumnKind::Enum(of) => matches!(ty, Type::Int(_)) || matches!(ty, Type::Enum(other) if other.id == of.id),
        ColumnKind::KernelStack => {
            matches!(ty, Type::Stack(StackType { space, .. }) if *space == AddressSpace::Kernel)
        }
        ColumnKind::UserStack => matches!(ty, Type::Stack(StackType { space, .. }) if *space == AddressSpace::User),
    }
}

/// What is shown as text that a row can hold.
fn is_text(ty: &Type) -> bool {
    let symbol = matches!(ty, Type::KernelSymbol | Type::UserSymbol);
    let named = matches!(ty, Type::Named(_) | Type::Enum(_) | Type::Inet | Type::GroupPath | Type::Timestamp);
    symbol || named || matches!(ty, Type::String { .. } | Type::Buffer { .. })
}

/// The bytes of an address, as `pton` gives them.
fn is_address(ty: &Type) -> bool {
    let Type::Array { element, len: 4 | 16 } = ty else { return false };
    matches!(**element, Type::Int(IntType { bits: 8, .. }))
}

/// The cells of a row by column. `Err` holds arguments that have no column, or one that has a value already.
pub fn arrange<'a>(
    columns: &[RowColumn],
    args: &'a [Argument],
) -> Result<Vec<Option<&'a Expr>>, (&'a Argument, ArrangeError)> {
    let mut cells: Vec<Option<&Expr>> = vec![None; columns.len()];
    for (at, arg) in args.iter().enumerate() {
        let at = match &arg.name {
            None => Some(at),
            Some(name) => columns.iter().position(|column| column.name == name.text),
        };
        match at.and_then(|at| cells.get_mut(at)) {
            None => return Err((arg, ArrangeError::NoColumn)),
            Some(Some(_)) => return Err((arg, ArrangeError::Twice)),
            Some(cell) => *cell = Some(&arg.value),
        }
    }
    Ok(cells)
}

/// Why an argument is no cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrangeError {
    /// The table has no such column, or fewer of them.
    NoColumn,
    /// Its column has a value already.
    Twice,
}

/// The place of an argument: of its name when it has one.
pub fn place(arg: &Argument) -> Span {
    arg.name.as_ref().map_or(arg.value.span, |name| name.span)
}
