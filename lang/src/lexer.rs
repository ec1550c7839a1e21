//! Raw tokens of the source text (logos), and the structure pass that turns them into the tokens of the grammar.

mod literal;
mod structure;
mod target;

use logos::{FilterResult, Lexer, Logos};

pub(crate) use literal::number;

/// The bytes of a string literal's inside; `None` when an escape is unknown.
pub(crate) fn string_literal(inside: &str) -> Option<Vec<u8>> {
    let mut known = true;
    let bytes = literal::unescape(inside, |_, _| known = false);
    known.then_some(bytes)
}
pub(crate) use structure::{Item, SpannedToken, next_item, plausible_item, quote, raw_tokens};

/// Why there is no raw token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum RawError {
    /// A character that no token starts with.
    #[default]
    Character,
    /// A string without an end; it was read up to the end of its line.
    String,
    /// A comment without an end; it was read up to the end of the source.
    Comment,
}

/// A token as the characters alone tell; blanks and comments are skipped.
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(error = RawError)]
#[logos(skip r"[ \t\r\n\x0b\x0c]+")]
#[logos(skip(r"//[^\n]*", allow_greedy = true))]
pub(crate) enum Raw {
    #[token("/*", block_comment)]
    Comment,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[regex(r"[0-9][0-9A-Za-z_]*")]
    Number,
    #[token("\"", string)]
    Str,
    #[regex(r"\$[A-Za-z_][A-Za-z0-9_]*")]
    Var,
    #[regex(r"\$[0-9]+")]
    #[token("$#")]
    Positional,
    #[regex(r"@([A-Za-z_][A-Za-z0-9_]*)?")]
    Map,
    #[token("'")]
    Quote,
    #[token("#")]
    Hash,
    #[token("{")]
    BraceOpen,
    #[token("}")]
    BraceClose,
    #[token("(")]
    ParenOpen,
    #[token(")")]
    ParenClose,
    #[token("[")]
    BracketOpen,
    #[token("]")]
    BracketClose,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token(":")]
    Colon,
    #[token("?")]
    Question,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("->")]
    Arrow,
    #[token("++")]
    PlusPlus,
    #[token("--")]
    MinusMinus,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("&")]
    Amp,
    #[token("|")]
    Pipe,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("!")]
    Not,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("<<")]
    ShiftLeft,
    #[token(">>")]
    ShiftRight,
    #[token("=")]
    Assign,
    #[token("+=")]
    PlusAssign,
    #[token("-=")]
    MinusAssign,
    #[token("*=")]
    StarAssign,
    #[token("/=")]
    SlashAssign,
    #[token("%=")]
    PercentAssign,
    #[token("&=")]
    AmpAssign,
    #[token("|=")]
    PipeAssign,
    #[token("^=")]
    CaretAssign,
    #[token("<<=")]
    ShiftLeftAssign,
    #[token(">>=")]
    ShiftRightAssign,
}

/// Where the last token ends; comments are none.
pub(crate) fn last_token_end(text: &str) -> usize {
    Raw::lexer(text).spanned().map(|(_, span)| span.end).last().unwrap_or(0)
}

/// Skips a `/*` comment.
fn block_comment(lexer: &mut Lexer<Raw>) -> FilterResult<(), RawError> {
    match lexer.remainder().find("*/") {
        Some(length) => {
            lexer.bump(length + 2);
            FilterResult::Skip
        }
        None => {
            lexer.bump(lexer.remainder().len());
            FilterResult::Error(RawError::Comment)
        }
    }
}

/// Reads a string up to its closing quote, which stands on the same line.
fn string(lexer: &mut Lexer<Raw>) -> Result<(), RawError> {
    match closing_quote(lexer.remainder()) {
        Ok(length) => {
            lexer.bump(length + 1);
            Ok(())
        }
        Err(length) => {
            lexer.bump(length);
            Err(RawError::String)
        }
    }
}

/// Where the quote stands that closes a string whose inside begins with `text`; the end of the line when none does.
fn closing_quote(text: &str) -> Result<usize, usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => return Err(at),
            b'"' if !escaped => return Ok(at),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    Err(text.len())
}
