//! Words and signs of C, and macros.

use std::collections::HashMap;

/// A word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    Word(&'t str),
    Number(u64),
    /// One sign, or two for `<<` and the like.
    Sign(&'t str),
    /// A string or character literal, as written.
    Text(&'t str),
}

/// A token with the bytes it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed<'t> {
    pub(crate) token: Token<'t>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

const LONG_SIGNS: &[&str] = &["<<", ">>", "==", "!=", "<=", ">=", "&&", "||"];

/// The token at or behind `at`; comments and blanks are passed over. `None` at the end.
pub(crate) fn token_at(text: &str, at: usize) -> Option<Placed<'_>> {
    let start = at + blank_length(text.get(at..)?);
    let rest = text.get(start..)?;
    let first = rest.chars().next()?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = || rest.find(|c| !word(c)).unwrap_or(rest.len());
    let (token, length) = if first.is_ascii_digit() {
        let digits = rest.get(..run()).unwrap_or(rest);
        match crate::lexer::number(digits) {
            Ok((value, _)) => (Token::Number(value), digits.len()),
            Err(_) => (Token::Sign(digits), digits.len()),
        }
    } else if word(first) {
        (Token::Word(rest.get(..run())?), run())
    } else if first == '"' || first == '\'' {
        let length = quoted_length(rest, first);
        (Token::Text(rest.get(..length)?), length)
    } else {
        let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
        let length = long.map_or(first.len_utf8(), |sign| sign.len());
        (Token::Sign(rest.get(..length)?), length)
    };
    Some(Placed { token, start, end: start + length })
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of blanks and comments at the front.
pub(crate) fn blank_length(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        rest = if rest.starts_with("//") {
            rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or("")
        } else if rest.starts_with("/*") {
            rest.find("*/").and_then(|end| rest.get(end + 2..)).unwrap_or("")
        } else {
            return text.len() - rest.len();
        };
    }
}

/// What a `#define` gives a name to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Macro {
    /// Names of the parameters; `None` without parentheses.
    pub(crate) params: Option<Vec<String>>,
    pub(crate) body: String,
}

/// All of a script.
pub(crate) type Macros = HashMap<String, Macro>;

/// The macro of what stands behind `#define`.
pub(crate) fn macro_of(text: &str) -> Option<(String, Macro)> {
    let Placed { token: Token::Word(name), end, .. } = token_at(text, 0)? else { return None };
    let rest = text.get(end..)?;
    // Only a `(` that touches the name opens parameters.
    let Some(inside) = rest.strip_prefix('(') else {
        return Some((name.to_string(), Macro { params: None, body: without_comments(rest) }));
    };
    let (params, body) = inside.split_once(')')?;
    let params = params.split(',').map(|param| param.trim().to_string()).filter(|param| !param.is_empty());
    Some((name.to_string(), Macro { params: Some(params.collect()), body: without_comments(body) }))
}

fn without_comments(text: &str) -> String {
    let (mut at, mut words) = (0, Vec::new());
    while let Some(found) = token_at(text, at) {
        words.push(text.get(found.start..found.end).unwrap_or_default());
        at = found.end;
    }
    words.join(" ")
}
