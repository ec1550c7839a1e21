//! What a script says about itself: its parameters, tables, files, actors, needs, examples and tests.

use super::{AttachPoint, Block, Expr, Ident};
use crate::source::Span;

/// A declaration of a script about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptItem {
    /// `needs tracepoint:x:y, kernel >= 6.1;`
    Needs(Vec<Need>),
    /// `param min -m: duration(ms) = 0 in 0..1h;`
    Param(Box<Param>),
    /// `exclusive(pid, comm);`: at most one of these parameters may be given.
    Exclusive(Vec<Ident>),
    /// `example "lt x -m 5" "what it shows";`
    Example {
        /// The command line.
        command: Vec<u8>,
        /// What it shows; may be left out.
        text: Option<Vec<u8>>,
    },
    /// `test "name" { ... }`
    Test {
        /// What is tested.
        name: Vec<u8>,
        /// How.
        body: Block,
    },
    /// `table t { ... }`
    Table(Table),
    /// `file f = "/proc/f" { ... }`
    File(TextFile),
    /// `actor a = kind(x = 1);`
    Actor(Actor),
}

/// Something without which the script cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A probe.
    Probe(AttachPoint),
    /// A condition on the kernel.
    Condition(Expr),
}

/// A parameter of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// `const param`: shapes code.
    pub constant: bool,
    /// What the script calls it.
    pub name: Ident,
    /// `-m`, without the minus.
    pub short: Option<Ident>,
    /// `--sort`, without the minuses; the name without it.
    pub long: Option<Ident>,
    /// Its type.
    pub ty: ParamType,
    /// A `?` behind the type: it can be left out and has no value then.
    pub optional: bool,
    /// `= value`
    pub default: Option<Expr>,
    /// `in low..high`
    pub range: Option<(Expr, Expr)>,
    /// How it is given.
    pub place: ParamPlace,
}

/// How a parameter is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParamPlace {
    /// As an option, once.
    #[default]
    Option,
    /// `positional`: by its place.
    Positional,
    /// `repeated`: as an option, any number of times.
    Repeated,
}

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// `int`, `duration(ms)`, `size(MiB)`
    Name {
        /// `duration`
        name: Ident,
        /// `ms`
        unit: Option<Ident>,
    },
    /// `enum(size, count)`
    Choice(Vec<Ident>),
    /// `[pid]`
    List(Box<ParamType>),
}

/// `table t { columns }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What `emit` and `show` call it.
    pub name: Ident,
    /// In order.
    pub columns: Vec<Column>,
}

/// `lat: ms.3 "LAT(ms)" width 9;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// `_` in a file: not looked at.
    pub name: Ident,
    /// `ms`, `time`, `kstack`
    pub ty: Ident,
    /// What stands behind the type's name.
    pub detail: ColumnDetail,
    /// A `?` behind the type: the cell may be empty.
    pub optional: bool,
    /// Titles, `width 9`, `left`, `key`, `counter`, ... in order.
    pub attributes: Vec<ColumnAttribute>,
    /// `= e`: computed from the other columns.
    pub value: Option<Expr>,
}

/// What stands behind the name of a column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnDetail {
    /// Nothing.
    None,
    /// `.3`: digits behind the point.
    Digits(u32),
    /// `("%F")`
    Arguments(Vec<Expr>),
    /// `enum E`
    Enum(Ident),
}

/// What a column says behind its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnAttribute {
    /// `"TITLE"`
    Title(Vec<u8>),
    /// `left`, `width 9`
    Word(Ident, Option<u32>),
}

/// `file f = "/proc/f" { columns }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// What the script calls it.
    pub name: Ident,
    /// Its path.
    pub path: Expr,
    /// Of a line.
    pub columns: Vec<Column>,
    /// `...` at the end: lines may have more columns.
    pub open: bool,
}

/// `actor a = kind(x = 1);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What the script calls it.
    pub name: Ident,
    /// What acts.
    pub kind: Ident,
    /// In its parentheses.
    pub args: Vec<Argument>,
}

/// `e` or `name = e`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Where it is written.
    pub name: Option<Ident>,
    /// Its value.
    pub value: Expr,
}

/// How rows are put in order: `sort $v.x desc top 20`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// `sort e`
    pub by: Option<Expr>,
    /// `desc`
    pub descending: bool,
    /// `top n`
    pub top: Option<Expr>,
}

/// A comment that documents: `//! ...` the script, `/// ...` the item behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocComment {
    /// Of the script, not of an item.
    pub of_script: bool,
    /// Behind the slashes, without the blank that follows them.
    pub text: String,
    /// With the slashes.
    pub span: Span,
}
