//! As much of Rust's lexical structure as the rules need: what is code, what a comment, what a string.

/// A kind of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Code,
    Comment,
    /// With its quotes and prefix.
    Literal,
}

/// A piece of a file.
#[derive(Debug)]
pub struct Piece<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where it starts, from 1.
    pub line: usize,
}

/// Cuts a file into pieces, of which no two neighbors are code.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut code, mut at) = (Vec::new(), 0, 0);
    let mut push = |kind, from: usize, to: usize| {
        if from < to {
            pieces.push(Piece { kind, text: &text[from..to], line: 1 + text[..from].matches('\n').count() });
        }
    };
    while let Some(next) = text[at..].chars().next() {
        let Some((kind, length)) = special(&text[at..], text[..at].chars().next_back()) else {
            at += next.len_utf8();
            continue;
        };
        push(Kind::Code, code, at);
        push(kind, at, at + length);
        at += length;
        code = at;
    }
    push(Kind::Code, code, text.len());
    pieces
}

/// The text with comments and literals turned into blanks, line by line the same.
pub fn code(text: &str) -> String {
    let blank = |text: &str| text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
    pieces(text).iter().map(|p| if p.kind == Kind::Code { p.text.to_owned() } else { blank(p.text) }).collect()
}

/// The part of a file before its unit tests.
pub fn product(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// The comment or literal that `rest` starts with, and its length in bytes; `before` is the character before it.
fn special(rest: &str, before: Option<char>) -> Option<(Kind, usize)> {
    if rest.starts_with("//") {
        return Some((Kind::Comment, rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return Some((Kind::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)));
    }
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(rest.len());
    let (prefix, body) = rest.split_at(prefix);
    let length = match body.chars().next()? {
        '"' if !prefix.contains('r') => quoted(body, '"')?,
        '\'' if prefix.is_empty() || prefix == "b" => character(body)?,
        '"' | '#' if prefix.contains('r') => raw(body)?,
        _ => return None,
    };
    Some((Kind::Literal, prefix.len() + length))
}

/// The length of a literal that `body` starts with and that the next unescaped `quote` ends.
fn quoted(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The same of a character; none for a lifetime.
fn character(body: &str) -> Option<usize> {
    let mut inside = body.chars().skip(1);
    let lifetime = inside.next()? != '\\' && inside.next()? != '\'';
    if lifetime { None } else { quoted(body, '\'') }
}

/// The same of a raw string, from its number signs on.
fn raw(body: &str) -> Option<usize> {
    let signs = body.find('"').filter(|&at| body[..at].chars().all(|c| c == '#'))?;
    let end = format!("\"{}", &body[..signs]);
    body[signs + 1..].find(&end).map(|at| signs + 1 + at + end.len())
}
