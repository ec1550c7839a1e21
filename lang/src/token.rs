//! The tokens that the grammar sees, and the table of keywords.
//!
//! They are not the raw tokens of the source: the structure pass has already decided which `<` opens an action, which
//! `/` closes a predicate, which `(` begins a cast, and has read every probe target as one token.

use crate::ast::AttachPoint;

/// A token of the grammar. Names and sigils borrow from the source.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Token<'a> {
    /// A probe: kind and target.
    Target(AttachPoint),
    /// The `/` that opens a predicate.
    PredicateOpen,
    /// The `/` that closes it.
    PredicateClose,
    /// The `<` that opens an action.
    AngleOpen,
    /// The `>` that closes it.
    AngleClose,
    /// The `(` of a cast.
    CastOpen,
    /// The `(` of a record literal.
    RecordOpen,
    /// The `(` behind `sizeof`, `typeof`, `typeinfo` or `offsetof` that a type follows.
    TypeOpen,
    /// The `{` of a block that is a value.
    ValueOpen,
    /// The `}` that closes it.
    ValueClose,
    /// The `if` of a value.
    ValueIf,
    /// The `!` of a call `f!(x)`.
    CallBang,

    /// A bare word that is no keyword.
    Name(&'a str),
    /// `$x`, without the sigil.
    Var(&'a str),
    /// `@x`, without the sigil.
    Map(&'a str),
    /// `$1`; `$#` is 0.
    Positional(u32),
    /// An integer: its 64 bits, and whether it is unsigned.
    Int(u64, bool),
    /// A number with a fraction.
    Float(&'a str),
    /// A string, escapes resolved.
    Str(Vec<u8>),

    If,
    Else,
    Let,
    Return,
    While,
    For,
    Unroll,
    Break,
    Continue,
    True,
    False,
    Struct,
    Union,
    Enum,
    /// `sizeof` before a type in parentheses; before an expression it is a [`Token::Name`].
    SizeOf,
    OffsetOf,
    TypeOf,
    /// `typeinfo` before a parenthesis; elsewhere it is a [`Token::Name`].
    TypeInfo,
    Comptime,
    /// At the beginning of an item only.
    Import,
    /// At the beginning of an item only.
    Macro,
    /// At the beginning of an item only.
    Fn,
    /// A word where its construct can stand: `param`, `sort`, `user`, ...
    Context(&'static str),

    BraceOpen,
    BraceClose,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    Comma,
    Semicolon,
    Colon,
    Question,
    Dot,
    DotDot,
    Arrow,
    PlusPlus,
    MinusMinus,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Amp,
    Pipe,
    Caret,
    Tilde,
    Not,
    AndAnd,
    OrOr,
    EqualEqual,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
    /// `=`
    Assign,
    PlusAssign,
    MinusAssign,
    StarAssign,
    SlashAssign,
    PercentAssign,
    AmpAssign,
    PipeAssign,
    CaretAssign,
    ShiftLeftAssign,
    ShiftRightAssign,

    /// Stands for an expression that could not be parsed; a message was given.
    ErrorExpr,
    /// Stands for a statement (with its `;`) that could not be parsed; a message was given.
    ErrorStmt,
}

/// The words that are never names, except after `.` and `->`.
pub const KEYWORDS: &[(&str, Token<'static>)] = &[
    ("if", Token::If),
    ("else", Token::Else),
    ("let", Token::Let),
    ("return", Token::Return),
    ("while", Token::While),
    ("for", Token::For),
    ("unroll", Token::Unroll),
    ("break", Token::Break),
    ("continue", Token::Continue),
    ("true", Token::True),
    ("false", Token::False),
    ("struct", Token::Struct),
    ("union", Token::Union),
    ("enum", Token::Enum),
    ("sizeof", Token::SizeOf),
    ("offsetof", Token::OffsetOf),
    ("typeof", Token::TypeOf),
    ("comptime", Token::Comptime),
];

/// The keyword that a word is.
pub fn keyword(word: &str) -> Option<Token<'static>> {
    KEYWORDS.iter().find(|(text, _)| *text == word).map(|(_, token)| token.clone())
}

impl Token<'_> {
    /// Whether the token can end an operand, so that a `(` or an operator after it belongs to it.
    pub fn ends_operand(&self) -> bool {
        matches!(
            self,
            Token::Name(_)
                | Token::Var(_)
                | Token::Map(_)
                | Token::Positional(_)
                | Token::Int(..)
                | Token::Float(_)
                | Token::Str(_)
                | Token::True
                | Token::False
                | Token::SizeOf
                | Token::OffsetOf
                | Token::TypeOf
                | Token::TypeInfo
                | Token::CallBang
                | Token::ParenClose
                | Token::ValueClose
                | Token::BracketClose
                | Token::PlusPlus
                | Token::MinusMinus
                | Token::ErrorExpr
        )
    }

    /// Whether a statement may begin with the token, and hardly anything else can go on with it.
    pub fn begins_statement(&self) -> bool {
        matches!(
            self,
            Token::Name(_)
                | Token::Var(_)
                | Token::Map(_)
                | Token::If
                | Token::Let
                | Token::Return
                | Token::While
                | Token::For
                | Token::Unroll
                | Token::Break
                | Token::Continue
                | Token::ErrorStmt
        )
    }
}
