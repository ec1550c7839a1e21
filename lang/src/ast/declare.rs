//! Declarations at the top level: definitions of C, imports, maps, macros, functions.

use super::{Block, Expr, Ident, Probe, ScriptItem, TypeName};
use crate::source::Span;

/// An item at the top level that is made by the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `kprobe:f { }`
    Probe(Probe),
    /// `import "file";`
    Import(Import),
    /// `let @m = hash(100);`
    Map(MapDeclaration),
    /// `macro f($a, @m, e) { }`
    Macro(Macro),
    /// `fn f($a: uint8): void { }`
    Function(Function),
    /// `param p: int;`, ...
    Script(ScriptItem, Span),
}

/// A definition of C at the head of a script: `struct s { int a; };`, `enum`, `union`, `typedef`, a line of the
/// preprocessor. The parser does not look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CDefinition {
    /// All of it, without the `;` behind; lines that the preprocessor took are blank.
    pub text: String,
    /// Where the text stands.
    pub span: Span,
}

/// `import "file";`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// As written, escapes resolved.
    pub path: String,
    /// Where the path stands.
    pub path_span: Span,
    /// All of it.
    pub span: Span,
}

/// `let @m = hash(100);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDeclaration {
    /// The map.
    pub name: Ident,
    /// `hash`, `lruhash`, ...
    pub kind: Ident,
    /// In its parentheses.
    pub args: Vec<Expr>,
    /// All of it.
    pub span: Span,
}

/// `macro f($a, @m, e) { body }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// What it is called by.
    pub name: Ident,
    /// In order.
    pub params: Vec<MacroParam>,
    /// What a call stands for; its value, when it has one, is that of the call.
    pub body: Block,
    /// All of it.
    pub span: Span,
}

/// A parameter of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroParam {
    /// What may be given.
    pub kind: MacroParamKind,
    /// Without the sigil.
    pub name: Ident,
}

/// What a macro's parameter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MacroParamKind {
    /// `$a`: a scratch variable of the caller.
    Variable,
    /// `@m`: a map of the caller.
    Map,
    /// `e`: any expression, evaluated wherever the body names it; or a type in `typeof(...)`.
    Expr,
}

/// `fn f($a: uint8, ...): type { body }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// What it is called by.
    pub name: Ident,
    /// Names and types of the parameters.
    pub params: Vec<(Ident, TypeName)>,
    /// The type of its value.
    pub result: TypeName,
    /// What it does.
    pub body: Block,
    /// All of it.
    pub span: Span,
}
