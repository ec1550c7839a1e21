//! THE table of builtins: values and functions, what they take and give, where they may stand, how they are lowered.
//! Resolver, checker, completion, `lt doc` and tests read it; nothing else knows a builtin's name.

mod compile;
mod forms;
mod kernel;
mod map;
mod memory;
mod network;
mod output;
mod process;
mod side;
mod stack;
mod system;
mod task;
mod text;
mod time;
mod user;

use crate::hir::Intrinsic;
use crate::types::{AddressSpace, Type};
use crate::user::UserFunction;
pub use forms::{KernelQuestion, RequestForm, TypeTest, ValueForm};
pub use side::{Side, UserForm, UserRequest};

/// A row of the table.
#[derive(Debug)]
pub struct Builtin {
    /// As it is written.
    pub name: &'static str,
    /// Value, function, or both (`kstack`, `kstack(3)`).
    pub form: Form,
    /// What a call takes.
    pub params: &'static [Param],
    /// What it gives.
    pub returns: Returns,
    /// In which probes it can stand.
    pub allowed: Allowed,
    /// What it becomes.
    pub lowering: Lowering,
    /// For the reference page and completion.
    pub doc: &'static str,
    /// A script that uses it.
    pub example: &'static str,
}

impl Builtin {
    /// A bare word that can stand everywhere.
    const fn value(
        name: &'static str,
        returns: Type,
        lowering: Lowering,
        doc: &'static str,
        example: &'static str,
    ) -> Builtin {
        let (params, allowed) = (&[], Allowed::Anywhere);
        Builtin { name, form: Form::Value, params, returns: Returns::Fixed(returns), allowed, lowering, doc, example }
    }

    /// A function that can stand in some probes only.
    const fn limited(
        allowed: Allowed,
        name: &'static str,
        params: &'static [Param],
        returns: Returns,
        lowering: Lowering,
        texts: [&'static str; 2],
    ) -> Builtin {
        let [doc, example] = texts;
        Builtin { name, form: Form::Function, params, returns, allowed, lowering, doc, example }
    }

    /// A function of these parameters that can stand everywhere.
    const fn function(
        name: &'static str,
        params: &'static [Param],
        returns: Returns,
        lowering: Lowering,
        doc: &'static str,
        example: &'static str,
    ) -> Builtin {
        Builtin { name, form: Form::Function, params, returns, allowed: Allowed::Anywhere, lowering, doc, example }
    }
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A bare word; `word()` means the same.
    Value,
    /// A call.
    Function,
}

/// A parameter of a builtin or map function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, for messages.
    pub name: &'static str,
    /// What it accepts.
    pub class: ParamClass,
    /// May be left out.
    pub optional: bool,
}

impl Param {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, class: ParamClass) -> Param {
        Param { name, class, optional: false }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, class: ParamClass) -> Param {
        Param { name, class, optional: true }
    }
}

/// What a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamClass {
    /// Any integer (bools too).
    Integer,
    /// An integer literal in a range (ends included).
    LiteralInt {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A pointer or an integer taken as an address.
    Address,
    /// A string literal: the format for all the arguments that follow.
    Format,
    /// A string literal, taken as it is.
    Text,
    /// Any string.
    String,
    /// A map, named without a key.
    Map,
    /// A map without a key, or any value.
    MapOrValue,
    /// A map: with its key in brackets, or alone with the key as the next argument.
    MapWithKey,
    /// Any value: the key of the map before.
    Key,
    /// A scratch variable, which is assigned to.
    Variable,
    /// The name of a type: `struct file`.
    TypeName,
    /// A path of names: `a.b`.
    Path,
    /// A map, named without a key, or a stack.
    MapOrStack,
    /// Any value.
    Any,
    /// An integer or a number with a fraction; in user space.
    Number,
    /// A histogram; in user space.
    Histogram,
    /// What decides: a bool, number or pointer.
    Condition,
    /// One of these bare words.
    Word(&'static [&'static str]),
    /// A stack mode word (bpftrace, perf, raw, build_id) or an integer literal: the number of frames.
    StackOption,
}

/// What a builtin gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing: only a statement.
    Void,
    /// A fixed type.
    Fixed(Type),
    /// A string of the session's max_strlen, or of the literal length given.
    SessionString,
    /// A pointer to `struct` of this name, or a bare address without BTF.
    RecordPointer(&'static str),
    /// An address of a `uint64` of the kernel.
    CpuPointer,
    /// A string of any length; in user space.
    Text,
    /// A number with a fraction; in user space.
    Float,
    /// The compile-time text of the attach point.
    AttachText,
    /// A stack of the kernel or of user space.
    Stack(AddressSpace),
    /// Says [`Lowering::Argument`], [`Lowering::ReturnValue`] or [`Lowering::ArgumentRecord`]: as the probe has it.
    FromProbe,
}

/// In which probes a builtin can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Everywhere.
    Anywhere,
    /// Where [`crate::probes::Arguments`] has parameters or fields.
    WithArguments,
    /// Where it has a return value.
    WithReturnValue,
    /// In probes on a kernel function.
    OnFunctions,
    /// In iterators.
    OnObjects,
    /// Where the program is handed the registers of what was interrupted.
    WithRegisters,
    /// Where a kernel function can be kept from running.
    OnKprobes,
}

/// What a builtin becomes in the HIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowering {
    /// [`crate::hir::ExprKind::Intrinsic`]
    Intrinsic(Intrinsic),
    /// `arg0`, `arg1`, ...: the number is part of the name.
    Argument,
    /// `args`: only its fields can be used.
    ArgumentRecord,
    /// `ctx`: the program's context, of which the fields can be used.
    Context,
    /// `retval`
    ReturnValue,
    /// The attach point's text; `probe` all of it.
    ProbeName,
    /// `func`: the name of the traced function.
    FunctionName,
    /// `sizeof(value)`
    SizeOf,
    /// `str(address[, length])`
    ReadString,
    /// `buf(address[, length])`
    ReadBuffer,
    /// `ksym(address)`
    KernelSymbol,
    /// `usym(address)`
    UserSymbol,
    /// `kstack([mode][, frames])`, `ustack(...)`
    Stack(AddressSpace),
    /// `printf(format, ...)`
    Printf,
    /// `print(value)`, `print(@map[, top[, div]])`
    Print,
    /// `clear(@map)`
    Clear,
    /// `delete(@map[key])`, `delete(@map, key)`
    Delete,
    /// `zero(@map)`
    Zero,
    /// `has_key(@map, key)`
    HasKey,
    /// `find(@map, key, $variable)`
    Find,
    /// `len(@map)`
    Length,
    /// `time([format])`
    Time,
    /// `strftime(format, nanoseconds)`
    FormatTime,
    /// `strncmp(left, right, length)`
    CompareText,
    /// `strlen(text)`
    TextLength,
    /// `exit([code])`
    Exit,
    /// A value that is computed as its form says.
    Value(ValueForm),
    /// Something to be done, as its form says.
    Request(RequestForm),
    /// What only user space can tell.
    User(UserFunction),
}

impl Lowering {
    /// Whether it changes what is traced, and so has to be allowed.
    pub fn changes_system(self) -> bool {
        matches!(self, Lowering::Request(form) if form.changes_system())
    }
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    let usual = [time::ROWS, process::ROWS, memory::ROWS, text::ROWS, stack::ROWS, map::ROWS, output::ROWS];
    let others = [task::ROWS, kernel::ROWS, network::ROWS, system::ROWS, compile::ROWS, user::ROWS];
    usual.into_iter().chain(others).flatten()
}

/// Finds a builtin by name; `arg7` finds the row of `argN`.
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    let wanted = if argument_number(name).is_some() { "argN" } else { name };
    all().find(|row| row.name == wanted)
}

/// The number of `arg0`, `arg1`, ...
pub fn argument_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("arg")?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Whether a bare word is a value, so that `(word) - 1` is no cast.
pub fn is_value(name: &str) -> bool {
    lookup(name).is_some_and(|row| row.form == Form::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        let mut names: Vec<_> = all().map(|row| row.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(all().all(|row| !row.doc.is_empty() && !row.example.is_empty()));
    }

    #[test]
    fn numbered_arguments() {
        assert_eq!(lookup("arg12").map(|row| row.name), Some("argN"));
        assert_eq!(argument_number("arg12"), Some(12));
        assert_eq!(argument_number("args"), None);
        assert!(is_value("pid") && !is_value("uint32"));
    }
}
