//! The high-level intermediate representation: small, fully typed and explicit. Every cast, memory read, map operation
//! and event is a node; nothing is left for the code generator to decide about the language.
//!
//! Values are of two sorts. *Scalars* ([`Type::is_scalar`]) live in registers; a scalar is always its value extended to
//! 64 bits by the signedness of its type. Everything else (strings, arrays, tuples) is a *memory value*, which is
//! always evaluated into some place: a [`Slot`], an event's field or a map's value.

mod intrinsic;
mod operators;
pub mod print;

use crate::c::Definitions;
use crate::kernel::TracepointField;
use crate::manifest::{EventId, MapId, Part, ProgramId};
use crate::source::Span;
use crate::stacks::{ProcessNotice, TakenStack};
use crate::types::{AddressSpace, KernelTypeId, RecordRef, Type};
pub use intrinsic::{Intrinsic, Operation, Traced};
pub use operators::{BinaryOp, UnaryOp};

/// All programs of a script; `programs[i]` is the code of the manifest's program `i`.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// In the order of the manifest.
    pub probes: Vec<Probe>,
    /// The C types of the script, which field paths and sizes refer to.
    pub definitions: Definitions,
}

/// The code of one attach point.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Its entry in the manifest.
    pub program: ProgramId,
    /// The predicate is an `If` around the action.
    pub body: Vec<Stmt>,
    /// Scratch variables of all blocks.
    pub vars: Vec<Var>,
    /// Memory that the body needs.
    pub slots: Vec<Slot>,
    /// Has loops whose steps are functions that the kernel calls: what it keeps on its stack lies in one piece.
    pub framed: bool,
    /// Maps that it aggregates into.
    pub aggregates: Vec<MapId>,
    /// The probe in the source.
    pub span: Span,
}

/// Index into [`Probe::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VarId(pub u32);

/// Index into [`Probe::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(pub u32);

/// A scratch variable. Scalars are in registers or spilled; a memory value lives in `slot`.
#[derive(Clone, Debug, PartialEq)]
pub struct Var {
    /// With the sigil.
    pub name: String,
    /// In stored form.
    pub ty: Type,
    /// For memory values.
    pub slot: Option<SlotId>,
}

/// Memory of one program run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// In bytes.
    pub size: u32,
    /// 1, 2, 4 or 8.
    pub align: u32,
    /// Where it is.
    pub place: Place,
}

/// Where a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the program's stack of 512 bytes.
    Stack,
    /// In the program's element of the scratch map, at this offset (a multiple of 8).
    Scratch(u32),
}

/// A value evaluated into a slot, for what takes an address (map keys and values, comparisons). Unused bytes of the
/// slot (padding, the rest of a string behind its NUL) are zero when `zeroed`.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffered {
    /// Its place; as large as the value's type says.
    pub slot: SlotId,
    /// The value; scalars are stored with the width of their type.
    pub value: Box<Expr>,
    /// See above.
    pub zeroed: bool,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// The statement in the source: line information.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// Evaluates a scalar for what it does.
    Eval(Expr),
    /// Assigns to a variable.
    SetVar {
        /// The variable.
        var: VarId,
        /// Of the variable's type.
        value: Expr,
    },
    /// Assigns to a plain map; a full map counts as [`crate::manifest::LossCause::MapFull`].
    SetMap {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
        /// Of the map's value type.
        value: Buffered,
    },
    /// Updates an aggregation in place, atomically.
    Aggregate {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
        /// Which, and where in the value.
        part: Part,
        /// The value it takes (none for count); 64 bits.
        value: Option<Expr>,
    },
    /// Sends an event; a full ring counts as [`crate::manifest::LossCause::RingFull`].
    Emit {
        /// Which.
        event: EventId,
        /// One for each field, of its type.
        fields: Vec<Expr>,
        /// Where the record is put together; without, directly in the ring.
        buffer: Option<SlotId>,
    },
    /// A line in the kernel's trace.
    Trace {
        /// As `bpf_trace_printk` takes it, without the NUL.
        format: Vec<u8>,
        /// At most three.
        values: Vec<Traced>,
    },
    /// Ends the session and the action.
    Exit {
        /// The exit status.
        code: Expr,
    },
    /// Says what the action of a test or benchmark returns.
    SetResult {
        /// 64 bits.
        value: Expr,
    },
    /// Ends the action.
    Return,
    /// Steps until the condition fails.
    Loop(Loop),
    /// A step for each entry of a keyed map, plain or of aggregations that are numbers; needs [`crate::kernel::Feature::MapLoop`].
    MapLoop {
        /// The map.
        map: MapId,
        /// Holds key and value, as a tuple of stored types.
        var: VarId,
        /// A step.
        body: Vec<Stmt>,
    },
    /// Ends the innermost loop.
    Break,
    /// Goes on with the next step of the innermost loop.
    Continue,
    /// Two ways.
    If {
        /// A bool.
        condition: Expr,
        /// When true.
        then: Vec<Stmt>,
        /// When false.
        otherwise: Vec<Stmt>,
    },
}

/// A loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// A bool, asked before each step.
    pub condition: Expr,
    /// A step.
    pub body: Vec<Stmt>,
    /// Most steps; reaching it counts as [`crate::manifest::LossCause::LoopBound`].
    pub bound: u32,
    /// Each step is a call from the kernel's helper ([`crate::kernel::Feature::StepLoop`]); otherwise the verifier
    /// walks through all steps.
    pub called: bool,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// The expression in the source.
    pub span: Span,
}

/// The kinds of expressions. Scalars unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant: its 64 bits.
    Int(i64),
    /// A constant that the kernel decides; a literal for a just-in-time run, a relocation in a bundle.
    Const(LoadConst),
    /// Memory value: the bytes, then zeros up to the size of the type (at least one for strings).
    Bytes(Vec<u8>),
    /// A variable, scalar or memory value.
    Var(VarId),
    /// An operation on one scalar; the result is wrapped to the type of the expression.
    Unary(UnaryOp, Box<Expr>),
    /// An operation on two scalars of the same type; comparisons give a bool, everything else that type.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `&&` and `||` of bools; the right side is evaluated only when needed.
    Logical {
        /// `&&` when true.
        and: bool,
        /// First.
        left: Box<Expr>,
        /// Second.
        right: Box<Expr>,
    },
    /// To another scalar type: truncated, then extended by the sign of the target. To bool: compared with zero.
    Cast(Box<Expr>),
    /// Statements, then a value that may read what they assigned. Of the value's type.
    Block {
        /// Carried out first.
        stmts: Vec<Stmt>,
        /// The value.
        value: Box<Expr>,
    },
    /// `?:` on scalars or memory values; only one side is evaluated.
    Select {
        /// A bool.
        condition: Box<Expr>,
        /// Of the type of the expression.
        then: Box<Expr>,
        /// Of the type of the expression.
        otherwise: Box<Expr>,
    },
    /// Whether two strings are equal (`negate`: differ) up to their NULs; a bool.
    CompareStrings {
        /// Only so many bytes count, at least 1.
        limit: Option<u32>,
        /// `!=`
        negate: bool,
        /// First; never a constant unless both are.
        left: Buffered,
        /// Second.
        right: StringOperand,
    },
    /// Whether two memory values of one type are equal (`negate`: differ), byte by byte; a bool. Both are zeroed.
    CompareBytes {
        /// `!=`
        negate: bool,
        /// First.
        left: Buffered,
        /// Second.
        right: Buffered,
    },
    /// What lies at an address, scalar or memory value; 0 when it cannot be read.
    Load {
        /// The address.
        address: Box<Expr>,
        /// Of the memory.
        space: AddressSpace,
    },
    /// Reads a field of a record at an address: a scalar (bit-fields too), or a memory value (arrays, strings).
    LoadField {
        /// The record's address.
        base: Box<Expr>,
        /// Which field.
        path: FieldPath,
        /// Of the memory.
        space: AddressSpace,
    },
    /// An index (u64) of an array of `len` elements; one outside of it counts as
    /// [`crate::manifest::LossCause::OutOfBounds`] and stays what it is.
    Bounded {
        /// The index.
        index: Box<Expr>,
        /// Elements, above 0.
        len: u32,
    },
    /// The address of a variable's memory; u64.
    VarAddress(VarId),
    /// The address of the value under a key, 0 when there is none; u64.
    MapAddress {
        /// The map; plain.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
    },
    /// The address of a field.
    FieldAddress {
        /// The record's address.
        base: Box<Expr>,
        /// Which field.
        path: FieldPath,
    },
    /// Memory value: the NUL-terminated string at an address, cut to the size of the type; empty when it cannot be read.
    ReadString {
        /// The address.
        address: Box<Expr>,
        /// Most bytes to read, NUL included; the size of the type without.
        limit: Option<Box<Expr>>,
        /// Of the memory.
        space: AddressSpace,
    },
    /// Memory value, a buffer: the bytes at an address, as many as `length` says and the type has room for; none when
    /// they cannot be read.
    ReadBuffer {
        /// The address.
        address: Box<Expr>,
        /// In bytes; what the type has room for without.
        length: Option<Box<Expr>>,
        /// Of the memory.
        space: AddressSpace,
    },
    /// Memory value, a buffer: the first bytes of another memory value, likewise.
    BufferOf {
        /// The memory value.
        base: Buffered,
        /// In bytes; what the type has room for without.
        length: Option<Box<Expr>>,
    },
    /// A field of the tracepoint's record, scalar or memory value; `data_loc` fields are strings.
    TracepointField(TracepointField),
    /// The program's context, as an address.
    Context,
    /// The n-th argument of the traced function, from 0.
    Argument(u32),
    /// What the traced function returned.
    ReturnValue {
        /// Number of its parameters (trampolines keep the value behind them).
        params: u32,
    },
    /// A value computed by an intrinsic; scalar, or a memory value for [`Intrinsic::Comm`].
    Intrinsic(Intrinsic),
    /// The value under a key, scalar or memory value; zero or empty when there is none. Of a map that aggregates, the
    /// number that the values of all CPUs are together, or the record of those of its aggregations that are numbers.
    MapGet {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
    },
    /// The number that one of several aggregations under a key is; zero when there is none.
    MapFigure {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
        /// Which and where.
        part: Part,
    },
    /// Removes a key (or unsets a scalar map); a bool: whether it was there.
    MapDelete {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
    },
    /// Whether a map has a key; a bool.
    MapHas {
        /// The map.
        map: MapId,
        /// The key.
        key: Buffered,
    },
    /// Whether a map has a key; a bool. If so, the variable becomes the value as [`ExprKind::MapGet`] gives it.
    MapFind {
        /// The map.
        map: MapId,
        /// The key.
        key: Buffered,
        /// Of the type of the map's values, or of longer strings.
        var: VarId,
        /// The type of the map's values; of an integer, the variable's own.
        ty: Type,
    },
    /// Number of keys of a map; needs [`crate::kernel::Feature::MapLoop`]; i64.
    MapLength(MapId),
    /// Adds to an integer in a plain map, atomically; a missing key counts from 0. Its value is the old or the new one.
    MapAdd {
        /// The map.
        map: MapId,
        /// `None` for a scalar map.
        key: Option<Buffered>,
        /// 64 bits.
        delta: Box<Expr>,
        /// Gives the new value.
        new: bool,
    },
    /// Adds to an integer variable; its value is the old or the new one.
    VarAdd {
        /// The variable.
        var: VarId,
        /// 64 bits.
        delta: Box<Expr>,
        /// Gives the new value.
        new: bool,
    },
    /// The key of the current stack in the map of stacks, which has it then: u64, 0 when there is none.
    StackKey(TakenStack),
    /// The number of frames of a stack; 0 when there is none.
    StackLength {
        /// The map with role [`crate::manifest::MapRole::Stacks`].
        map: MapId,
        /// Its key.
        stack: Buffered,
    },
    /// The current process, u64; lt is told of it when it is new. The memory is [`crate::stacks::BUFFER`] bytes.
    NoticedProcess(ProcessNotice, SlotId),
    /// Bytes of a string before its NUL; u64.
    StringLength(Buffered),
    /// Where a string is found in another, from 0; i64, -1 when it is not.
    Search {
        /// Where.
        haystack: Buffered,
        /// What.
        needle: StringOperand,
    },
    /// Which of two values comes first in their first bytes; i64: 0, or the difference of the first bytes that differ.
    OrderBytes {
        /// First.
        left: Buffered,
        /// Second.
        right: Buffered,
        /// How many.
        count: u32,
    },
    /// Memory value: a string behind another.
    Concatenate(Buffered, Buffered),
    /// What a helper or an instruction makes of scalars.
    Operation(Operation, Vec<Expr>),
    /// Writes to user memory: i64, 0 or an error.
    WriteUser {
        /// Where.
        address: Box<Expr>,
        /// What.
        value: Buffered,
        /// How many bytes of it.
        length: Box<Expr>,
    },
    /// Memory value: a tuple, laid out as its type says; or the two numbers of a [`Type::Timestamp`].
    Tuple(Vec<Expr>),
    /// Memory value: a string of a smaller type, with zeros up to the size of this type.
    Padded(Box<Expr>),
    /// Memory value: a tuple of another layout, or a string or buffer of another size, part by part; parts with names go
    /// to those of the same name.
    Convert(Buffered),
    /// Memory value: the bytes of a scalar, as many as its type has.
    Scalar(Box<Expr>),
    /// A field of a record, scalar (bit-fields too) or memory value.
    Part {
        /// The record.
        base: Buffered,
        /// Which field.
        path: FieldPath,
    },
    /// An element of an array; zeros when there is none of this index, which then counts as
    /// [`crate::manifest::LossCause::OutOfBounds`].
    Indexed {
        /// The array.
        base: Buffered,
        /// A u64.
        index: Box<Expr>,
        /// Number of elements.
        len: u32,
    },
    /// Part of a memory value (an element of a tuple or array), scalar or memory value: what lies at this offset.
    Element {
        /// The whole.
        base: Buffered,
        /// In bytes.
        offset: u32,
    },
}

/// The right side of a comparison of strings.
#[derive(Clone, Debug, PartialEq)]
pub enum StringOperand {
    /// Known bytes, without the NUL.
    Literal(Vec<u8>),
    /// Another memory value.
    Value(Buffered),
}

/// A path from a record to a field: kept as names until code generation, which asks the kernel for the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The record it starts in.
    pub root: RecordRef,
    /// Member names; each but the last names a record inside the one before. Array elements by index.
    pub steps: Vec<FieldStep>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldStep {
    /// A member, looked through anonymous ones.
    Member {
        /// The record that has it.
        record: KernelTypeId,
        /// Its name.
        name: String,
    },
    /// An element of an array whose elements have this many bytes.
    Element {
        /// From 0.
        index: u32,
        /// Bytes of an element.
        size: u32,
    },
}

/// A constant that only the kernel compiled for knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadConst {
    /// Size in bytes of a record.
    RecordSize(RecordRef),
}

/// Bytes of variables and slots that a program's frame has room for ([`Probe::framed`]); the rest of the stack is for what
/// the functions spill.
pub const FRAME_ROOM: u32 = 304;

/// Name of the global variable (u64, section .bss) that holds the start of tracing in nanoseconds since boot.
pub const START_SYMBOL: &str = "lt_start";
