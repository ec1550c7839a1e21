//! The untyped tree that the parser makes. It is never changed afterwards; types live beside it, keyed by [`NodeId`].

mod declare;
mod script;
pub(crate) mod visit;

use crate::c::Definitions;
use crate::source::Span;
pub use declare::{CDefinition, Function, Import, Item, Macro, MacroParam, MacroParamKind, MapDeclaration};
pub use script::{
    Actor, Argument, Column, ColumnAttribute, ColumnDetail, DocComment, Need, Order, Param, ParamPlace, ParamType,
    ScriptItem, Table, TextFile,
};

/// Number of an expression or block in its tree; keys the checker's side table. Unique within one [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A name or word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The text; a variable's or map's sigil is not part of it.
    pub text: String,
    /// With the sigil, where there is one.
    pub span: Span,
}

/// A whole script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ast {
    /// Of all config blocks, in source order.
    pub config: Vec<ConfigEntry>,
    /// Definitions of C as they are written, in source order.
    pub c_definitions: Vec<CDefinition>,
    /// The types that they define.
    pub definitions: Definitions,
    /// In source order.
    pub imports: Vec<Import>,
    /// Declarations of maps, in source order.
    pub maps: Vec<MapDeclaration>,
    /// In source order.
    pub macros: Vec<Macro>,
    /// Functions that the script defines, in source order.
    pub functions: Vec<Function>,
    /// What the script says about itself, in source order, with all of its place.
    pub script: Vec<(ScriptItem, Span)>,
    /// Comments between the items that document, in source order.
    pub docs: Vec<DocComment>,
    /// In source order.
    pub probes: Vec<Probe>,
    /// Nodes are numbered below this.
    pub node_count: u32,
}

impl Ast {
    /// Takes in what an imported script holds, in front of its own. The nodes of both are numbered apart.
    pub fn import(&mut self, mut other: Ast) {
        fn before<T>(own: &mut Vec<T>, others: &mut Vec<T>) {
            others.append(own);
            std::mem::swap(own, others);
        }
        before(&mut self.c_definitions, &mut other.c_definitions);
        before(&mut self.maps, &mut other.maps);
        before(&mut self.macros, &mut other.macros);
        before(&mut self.functions, &mut other.functions);
        before(&mut self.script, &mut other.script);
        before(&mut self.probes, &mut other.probes);
        self.node_count = self.node_count.max(other.node_count);
    }
}

/// `name = value` in a config block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// As written; see [`crate::config`].
    pub name: Ident,
    /// As written.
    pub value: ConfigValue,
    /// Where the value stands.
    pub value_span: Span,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigValue {
    /// A number literal.
    Int(u64),
    /// A bare word or a string.
    Word(String),
}

/// Attach points, predicate and action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `name = kprobe:f { }`
    pub name: Option<Ident>,
    /// At least one.
    pub attach_points: Vec<AttachPoint>,
    /// The word `user` before the action: it runs in user space.
    pub user: bool,
    /// Between slashes.
    pub predicate: Option<Expr>,
    /// What to do.
    pub action: Block,
    /// All of it.
    pub span: Span,
}

impl Probe {
    /// `row TABLE`: it is run for each row of a table.
    pub fn is_of_rows(&self) -> bool {
        self.attach_points.iter().any(|point| point.kind.text == ROW)
    }
}

/// What the grammar makes the kind of such a probe.
const ROW: &str = "row";

/// `kind:part:part`, as written: `parts` are not interpreted by the parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachPoint {
    /// `kprobe`, `k`, `tracepoint`, ...
    pub kind: Ident,
    /// What stands between the further colons.
    pub parts: Vec<Ident>,
    /// Parameters of the script that stand in the parts as `{name}`, without the braces.
    pub params: Vec<Ident>,
    /// What to attach to when this cannot be attached: `a || b || c` is `a` with two alternatives, which have none.
    pub alternatives: Vec<AttachPoint>,
    /// A `?` follows it: the script runs without it too.
    pub optional: bool,
    /// This one alone, without alternatives and `?`.
    pub span: Span,
}

/// Statements in `{ }` or `< >`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// With the delimiters.
    pub span: Span,
    /// Written with angle brackets.
    pub angle: bool,
    /// The last statement is an expression that no `;` follows: the value of the block where one is wanted.
    pub has_value: bool,
}

impl Block {
    /// The value, and what stands before it.
    pub fn split_value(&self) -> (&[Stmt], Option<&Expr>) {
        match self.stmts.split_last() {
            Some((Stmt { kind: StmtKind::Expr(value), .. }, stmts)) if self.has_value => (stmts, Some(value)),
            _ => (&self.stmts, None),
        }
    }

    /// The value of the block.
    pub fn value(&self) -> Option<&Expr> {
        self.split_value().1
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StmtKind {
    /// An expression for what it does.
    Expr(Expr),
    /// `let $x = e`, `let $x` or `let $x: type = e`
    Let {
        /// The variable.
        name: Ident,
        /// Its type, when it is written.
        ty: Option<TypeName>,
        /// Its first value; zero without.
        value: Option<Expr>,
    },
    /// `place = e`, `place += e`, ... (`op` is what stands before the `=`)
    Assign {
        /// A variable or map, or anything else that the checker will refuse.
        place: Expr,
        /// The operator of a compound assignment.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// `if (c) { } else { }`; `else if` is an `if` alone in the else block.
    If {
        /// The condition.
        condition: Expr,
        /// When it holds.
        then: Block,
        /// When it does not.
        otherwise: Option<Block>,
    },
    /// `{ ... }` as a statement.
    Block(Block),
    /// `while (c) { }`
    While {
        /// Asked before each step.
        condition: Expr,
        /// A step.
        body: Block,
    },
    /// `unroll (n) { }`
    Unroll {
        /// How often; a literal.
        count: Expr,
        /// A step.
        body: Block,
    },
    /// `for ($x : from..to) { }`, or `for ($x : @map) { }` without `to`
    For {
        /// The variable, seen in the body only.
        name: Ident,
        /// The first value, or the map.
        from: Expr,
        /// Behind the last value.
        to: Option<Expr>,
        /// A step.
        body: Block,
    },
    /// `for ($k, $v : @m sort $v.x desc top 20) { }`
    MapLoop(Box<MapLoop>),
    /// `emit t(a, b = c)`
    Emit {
        /// The table.
        table: Ident,
        /// Its cells.
        args: Vec<Argument>,
    },
    /// `show @m as t sort x desc top 20`
    Show {
        /// The map.
        map: Expr,
        /// As this table.
        table: Option<Ident>,
        /// In this order.
        order: Order,
    },
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`, `return e`
    Return(Option<Expr>),
    /// `_ = e`: evaluates it and says that its value is not needed.
    Discard(Expr),
    /// Could not be parsed; a message was given.
    Error,
}

/// A loop over a map that names key and value or has an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapLoop {
    /// The key, or the whole entry when there is no second name.
    pub key: Ident,
    /// The value.
    pub value: Option<Ident>,
    /// The map.
    pub map: Expr,
    /// Which entries come first.
    pub order: Order,
    /// A step.
    pub body: Block,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Its number.
    pub id: NodeId,
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// An integer literal (durations are nanoseconds); `unsigned` when it needs or says so.
    Int {
        /// Its 64 bits.
        bits: u64,
        /// Has a `u` suffix or is above the largest int64.
        unsigned: bool,
    },
    /// A number with a fraction, as written without `_`: `0.5`, `6.10`.
    Float(String),
    /// A string literal, escapes resolved.
    Str(Vec<u8>),
    /// `true`, `false`
    Bool(bool),
    /// A bare word: builtin, parameter, stack mode, ...
    Name(String),
    /// `$x`
    Var(String),
    /// `$1`, and `$#` as 0
    Positional(u32),
    /// `@`, `@x`, `@x[k1, k2]`; the name of `@` is empty. A key list in parentheses is one key of type tuple.
    Map {
        /// Without the sigil.
        name: String,
        /// Keys, empty without brackets.
        keys: Vec<Expr>,
    },
    /// `f(a, b)`
    Call {
        /// The function.
        name: Ident,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `a.f(x, y = z)`
    Method {
        /// What acts.
        base: Box<Expr>,
        /// What it shall do.
        name: Ident,
        /// In its parentheses.
        args: Vec<Argument>,
    },
    /// `-x`, `!x`, `~x`, `*x`, `&x`
    Unary(UnaryOp, Box<Expr>),
    /// `++x`, `x++`, `--x`, `x--`
    Step {
        /// A variable or map, or what the checker will refuse.
        place: Box<Expr>,
        /// +1 or -1
        delta: i8,
        /// Written before: the value is the new one.
        prefix: bool,
    },
    /// `a + b`, ..., `a && b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `c ? a : b`; `c ?: b` has no `then`.
    Ternary {
        /// The condition.
        condition: Box<Expr>,
        /// When it holds.
        then: Option<Box<Expr>>,
        /// When it does not.
        otherwise: Box<Expr>,
    },
    /// `a.b`, `a->b`
    Field {
        /// Record, or pointer to one.
        base: Box<Expr>,
        /// The field.
        field: Ident,
    },
    /// `a.0`: an element of a tuple.
    TupleField {
        /// The tuple.
        base: Box<Expr>,
        /// From 0.
        index: u32,
    },
    /// `a[i]`
    Index {
        /// Array or pointer.
        base: Box<Expr>,
        /// From 0.
        index: Box<Expr>,
    },
    /// `(type)e`
    Cast {
        /// To this.
        ty: TypeName,
        /// From this.
        value: Box<Expr>,
    },
    /// `sizeof(type)`; of an expression it is a call.
    SizeOf(TypeName),
    /// `offsetof(type, a.b)`
    OffsetOf {
        /// The record.
        of: TypeOperand,
        /// The field, from the outermost name; at least one.
        path: Vec<Ident>,
    },
    /// `typeof(type)` where a value could stand: a type as an argument of a macro.
    TypeOf(TypeOperand),
    /// `typeinfo(type)`
    TypeInfo(TypeOperand),
    /// `()`, `(a,)`, `(a, b)`
    Tuple(Vec<Expr>),
    /// `(a = 1, b = 2)`
    Record(Vec<(Ident, Expr)>),
    /// `{ let $x = 1; $x }`; see [`Block::has_value`]
    Block(Block),
    /// `if c { a } else { b }` as a value; `else if` is an `if` alone in the else block.
    If {
        /// The condition.
        condition: Box<Expr>,
        /// When it holds.
        then: Block,
        /// When it does not.
        otherwise: Option<Block>,
    },
    /// `comptime e`: known when the script is compiled.
    Comptime(Box<Expr>),
    /// Could not be parsed; a message was given.
    Error,
}

/// A type, or an expression that has the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeOperand {
    /// `struct s`
    Type(TypeName),
    /// `$x.y`; not evaluated
    Value(Box<Expr>),
}

/// A type as written: `uint32`, `struct sock *`, `int8[16]`, `string[64]`, `int32*[4]*`, `typeof($x)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// What the suffixes are applied to.
    pub base: TypeBase,
    /// From left to right, innermost first: `int32*[4]` is an array of pointers.
    pub suffixes: Vec<TypeSuffix>,
    /// All of it.
    pub span: Span,
}

/// A type without suffixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeBase {
    /// `uint32`, `struct sock`
    Name {
        /// `struct`, `union`, `enum` or nothing before the name.
        tag: Option<TypeTag>,
        /// The name; of several words joined by one blank.
        name: Ident,
    },
    /// `typeof(...)`
    TypeOf(Box<TypeOperand>),
}

/// What stands behind a type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeSuffix {
    /// `*`
    Pointer,
    /// `[n]`; of `string`, `buffer` and `inet` it is the size
    Array(u32),
    /// `[]`: as long as the value is
    AnyArray,
}

/// The word before a type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeTag {
    /// `struct`
    Struct,
    /// `union`
    Union,
    /// `enum`
    Enum,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
    /// `~`
    Complement,
    /// `*`
    Deref,
    /// `&`
    AddressOf,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::ShiftLeft => "<<",
            BinaryOp::ShiftRight => ">>",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        }
    }
}
