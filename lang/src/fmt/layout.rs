//! Lines and indentation of one item.

use super::gap::{Comment, Gap};
use super::gap_before;
use super::space::{Place, blank_between, is_prefix};
use crate::lexer::SpannedToken;
use crate::token::Token;

/// Blanks of a level.
const INDENT: usize = 2;

/// Blanks more in a line that goes on with a statement.
const CONTINUED: usize = 4;

/// Longest line of a block that is written on one line.
const WIDTH: usize = 100;

/// What is open.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// A block on several lines.
    Block,
    /// A block on one line.
    Flat,
    Paren,
    /// Parentheses that begin with a type.
    Type,
    Cast,
    Predicate,
}

/// What stands before a token.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Nothing,
    Blank,
    /// A new statement, declaration or the end of a block.
    Line,
    /// The statement goes on in a new line.
    Continued,
}

#[derive(Clone)]
pub(super) struct Layout<'a> {
    text: &'a str,
    tokens: &'a [SpannedToken<'a>],
    keep_angles: bool,
    stack: Vec<Open>,
    place: Place,
    /// Behind `let $x:`, up to its value.
    let_type: bool,
    /// All blocks stay on the line.
    flat: bool,
}

impl<'a> Layout<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [SpannedToken<'a>], keep_angles: bool) -> Self {
        Layout { text, tokens, keep_angles, stack: Vec::new(), place: Place::default(), let_type: false, flat: false }
    }

    pub(super) fn print(mut self, out: &mut String) {
        self.range(out, 0, self.tokens.len());
    }

    fn range(&mut self, out: &mut String, from: usize, to: usize) {
        for at in from..to {
            if !self.is_empty_statement(at) {
                self.token(out, at);
            }
        }
    }

    fn at(&self, at: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(at).map(|(_, token, _)| token)
    }

    /// A `;` behind another or at the beginning of a block.
    fn is_empty_statement(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.at(before));
        self.at(at) == Some(&Token::Semicolon)
            && gap_before(self.text, self.tokens, at).comments.is_empty()
            && matches!(before, Some(Token::Semicolon | Token::BraceOpen | Token::ValueOpen | Token::AngleOpen))
    }

    fn indent(&self) -> usize {
        self.stack.iter().filter(|open| **open == Open::Block).count() * INDENT
    }

    fn token(&mut self, out: &mut String, at: usize) {
        let Some((start, token, end)) = self.tokens.get(at) else { return };
        let gap = gap_before(self.text, self.tokens, at);
        self.place.types = self.in_types();
        let of_let = at.checked_sub(2).and_then(|before| self.at(before)) == Some(&Token::Let);
        self.place.declaration = self.in_declaration() || of_let;
        self.place.header = self.stack.is_empty();
        let inside = self.indent();
        let separator = if at == 0 { Separator::Nothing } else { self.separator(at, token, &gap) };
        let cast = closes(token) && self.stack.pop() == Some(Open::Cast);
        self.space(out, at, &gap, separator, inside);
        let prefix = is_prefix(token, self.place);
        let opened = self.opens(out, at, token);
        let text = match token {
            Token::AngleOpen if !self.keep_angles => "{",
            Token::AngleClose if !self.keep_angles => "}",
            _ => self.text.get(*start..*end).unwrap_or_default(),
        };
        out.push_str(text);
        self.place.cast_closed = cast;
        self.follow(at, token, prefix);
        self.stack.extend(opened);
    }

    /// Remembers what the next token has to know.
    fn follow(&mut self, at: usize, token: &Token<'_>, prefix: bool) {
        let behind_let = |distance: usize| at.checked_sub(distance).and_then(|before| self.at(before));
        match token {
            Token::Colon if behind_let(2) == Some(&Token::Let) => self.let_type = true,
            Token::Assign | Token::Semicolon | Token::BraceClose | Token::ValueClose => self.let_type = false,
            _ => {}
        }
        self.place.prefix = prefix;
        self.place.operand = token.ends_operand() && !self.place.cast_closed;
    }

    /// What a token opens; decides whether a block stays on its line.
    fn opens(&mut self, out: &str, at: usize, token: &Token<'_>) -> Option<Open> {
        match token {
            Token::BraceOpen | Token::ValueOpen | Token::AngleOpen => {
                Some(if self.flat || self.fits(out, at) { Open::Flat } else { Open::Block })
            }
            Token::CastOpen => Some(Open::Cast),
            Token::TypeOpen => Some(Open::Type),
            Token::ParenOpen | Token::RecordOpen | Token::BracketOpen => Some(Open::Paren),
            Token::PredicateOpen => Some(Open::Predicate),
            _ => None,
        }
    }

    /// Whether the block that opens here is written on one line and fits on it.
    fn fits(&self, out: &str, at: usize) -> bool {
        let mut depth = 0usize;
        let close = (at..self.tokens.len()).find(|index| {
            match self.at(*index) {
                Some(Token::BraceOpen | Token::ValueOpen | Token::AngleOpen) => depth += 1,
                Some(Token::BraceClose | Token::ValueClose | Token::AngleClose) => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let Some(close) = close else { return false };
        if (at + 1..=close).any(|index| gap_before(self.text, self.tokens, index).has_newline()) {
            return false;
        }
        let column = out.len() - out.rfind('\n').map_or(0, |newline| newline + 1);
        let mut line = String::new();
        let mut inner = self.clone();
        inner.flat = true;
        inner.stack.push(Open::Flat);
        inner.place.prefix = false;
        inner.range(&mut line, at + 1, close + 1);
        column + 1 + line.chars().count() <= WIDTH
    }

    fn in_types(&self) -> bool {
        let function = matches!(self.at(0), Some(Token::Fn)) && !self.stack.contains(&Open::Block) && !self.in_flat();
        matches!(self.stack.last(), Some(Open::Type | Open::Cast)) || self.let_type || function
    }

    fn in_flat(&self) -> bool {
        self.stack.contains(&Open::Flat)
    }

    /// Whether colons and question marks belong to names and types here.
    fn in_declaration(&self) -> bool {
        match self.at(0) {
            Some(Token::Context("param" | "const" | "needs")) => self.stack.is_empty(),
            Some(Token::Context("table" | "file")) => self.stack.len() == 1,
            _ => false,
        }
    }

    fn separator(&self, at: usize, token: &Token<'_>, gap: &Gap<'_>) -> Separator {
        let Some(before) = at.checked_sub(1).and_then(|before| self.at(before)) else { return Separator::Nothing };
        let top = self.stack.last();
        let line = if top == Some(&Open::Block) { Separator::Line } else { Separator::Blank };
        let block_opened = matches!(before, Token::BraceOpen | Token::ValueOpen | Token::AngleOpen);
        if block_opened || matches!(token, Token::BraceClose | Token::ValueClose | Token::AngleClose) {
            return line;
        }
        if matches!(top, Some(Open::Block | Open::Flat)) {
            match (before, token) {
                (Token::Semicolon, _) => return line,
                (Token::BraceClose, Token::Semicolon) => return Separator::Nothing,
                (Token::BraceClose, Token::Else) => return Separator::Blank,
                (Token::BraceClose, _) => return line,
                _ => {}
            }
        }
        let blank = if self.in_option_names(at) { self.is_apart(at) } else { blank_between(before, token, self.place) };
        let inner = matches!(top, Some(Open::Paren | Open::Type | Open::Cast | Open::Predicate));
        let edge = inner && (opens_inner(before) || closes(token));
        if gap.has_newline() && (blank || edge) && self.may_break(before, token) {
            return Separator::Continued;
        }
        if blank { Separator::Blank } else { Separator::Nothing }
    }

    /// Whether a line may end between two tokens.
    fn may_break(&self, before: &Token<'_>, token: &Token<'_>) -> bool {
        if self.stack.is_empty() {
            return matches!(before, Token::Comma | Token::OrOr);
        }
        !matches!(
            token,
            Token::BraceOpen | Token::ValueOpen | Token::Else | Token::PredicateOpen | Token::PredicateClose
        ) && !matches!(before, Token::PredicateOpen)
    }

    /// Whether the token is among the names of a parameter, up to its type.
    fn in_option_names(&self, at: usize) -> bool {
        matches!(self.at(0), Some(Token::Context("param" | "const")))
            && self.at(at) != Some(&Token::Colon)
            && !self.tokens.iter().take(at).any(|(_, token, _)| *token == Token::Colon)
    }

    /// Whether the source has something between a token and the one before.
    fn is_apart(&self, at: usize) -> bool {
        let end = at.checked_sub(1).and_then(|before| self.tokens.get(before)).map(|token| token.2);
        self.tokens.get(at).is_some_and(|token| Some(token.0) != end)
    }

    /// Prints the comments and what separates the token from what is before. `inside` is the indentation of comments.
    fn space(&self, out: &mut String, at: usize, gap: &Gap<'_>, separator: Separator, inside: usize) {
        let opened = at.checked_sub(1).and_then(|before| self.at(before));
        let mut first = matches!(opened, Some(Token::BraceOpen | Token::ValueOpen | Token::AngleOpen));
        let mut ended = false;
        let continued = if self.stack.is_empty() && inside == 0 { 0 } else { CONTINUED };
        let comment_indent = if separator == Separator::Line { inside } else { inside + continued };
        for comment in &gap.comments {
            self.comment(out, comment, comment_indent, first || separator != Separator::Line, at == 0);
            ended = comment.ends_line;
            first = false;
        }
        let broken = ended || gap.comments.last().is_some() && gap.newlines > 0;
        match separator {
            _ if at == 0 => {}
            Separator::Line => {
                let closes = self.tokens.get(at).is_some_and(|(_, token, _)| closes(token));
                let blank = gap.newlines > 1 && !first && !closes;
                new_line(out, self.indent(), blank);
            }
            Separator::Continued => new_line(out, self.indent() + self.continued(at), false),
            _ if broken => new_line(out, self.indent() + self.continued(at), false),
            Separator::Blank => out.push(' '),
            Separator::Nothing if !gap.comments.is_empty() => out.push(' '),
            Separator::Nothing => {}
        }
    }

    /// Indentation beyond the block's of a line that goes on.
    fn continued(&self, at: usize) -> usize {
        let closes = self.at(at).is_some_and(|token| closes(token) || *token == Token::Else);
        let inner = self.stack.iter().any(|open| !matches!(open, Open::Block));
        if self.stack.is_empty() || closes && !inner { 0 } else { CONTINUED }
    }

    fn comment(&self, out: &mut String, comment: &Comment<'_>, indent: usize, no_blank: bool, at_start: bool) {
        if comment.flush {
            new_line(out, 0, false);
        } else if comment.newlines > 0 {
            new_line(out, indent, comment.newlines > 1 && !no_blank);
        } else if !at_start && !out.ends_with('\n') {
            out.push(' ');
        }
        let lines: Vec<&str> = comment.text.lines().map(str::trim_end).collect();
        out.push_str(&lines.join("\n"));
    }
}

fn new_line(out: &mut String, indent: usize, blank: bool) {
    out.push_str(if blank { "\n\n" } else { "\n" });
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Whether the token closes something.
fn closes(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::BraceClose
            | Token::ValueClose
            | Token::AngleClose
            | Token::ParenClose
            | Token::BracketClose
            | Token::PredicateClose
    )
}

fn opens_inner(token: &Token<'_>) -> bool {
    matches!(token, Token::ParenOpen | Token::CastOpen | Token::RecordOpen | Token::TypeOpen | Token::BracketOpen)
}
