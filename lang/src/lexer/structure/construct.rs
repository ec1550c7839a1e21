//! Top-level constructs other than probes: recognized, and read as far as the grammar needs them.

use super::body::unterminated_string;
use super::{OpenKind, RawResult, Reader, has_target, plausible_item, quote};
use crate::ast::CDefinition;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::{Raw, RawError};
use crate::probes::takes_target;
use crate::source::Span;
use crate::token::Token;
use std::ops::Range;

/// How a construct at the top level is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Construct {
    /// A config block.
    Config,
    /// A definition of C, which is kept as text.
    C,
    /// From its word, which is this token, to a `;`.
    Declaration(Token<'static>),
    /// From its word, which is this token, to the end of a block.
    Definition(Token<'static>),
    /// `name = ` before a probe.
    ProbeName,
    /// `needs` before probes or conditions.
    Needs,
    /// `row` before the name of a table: a probe.
    Row,
}

/// The word that begins a construct, what must follow it, and how it is read.
const CONSTRUCTS: &[(&str, &[Raw], Construct)] = &[
    ("macro", &[Raw::Word], Construct::Definition(Token::Macro)),
    ("fn", &[Raw::Word], Construct::Definition(Token::Fn)),
    ("import", &[Raw::Str], Construct::Declaration(Token::Import)),
    ("let", &[Raw::Map], Construct::Declaration(Token::Let)),
    ("config", &[Raw::Assign], Construct::Config),
    ("struct", &[Raw::Word, Raw::BraceOpen], Construct::C),
    ("union", &[Raw::Word, Raw::BraceOpen], Construct::C),
    ("enum", &[Raw::Word, Raw::BraceOpen], Construct::C),
    ("typedef", &[Raw::Word], Construct::C),
    ("param", &[Raw::Word], Construct::Declaration(Token::Context("param"))),
    ("const", &[Raw::Word], Construct::Declaration(Token::Context("const"))),
    ("exclusive", &[Raw::ParenOpen], Construct::Declaration(Token::Context("exclusive"))),
    ("example", &[Raw::Str], Construct::Declaration(Token::Context("example"))),
    ("actor", &[Raw::Word], Construct::Declaration(Token::Context("actor"))),
    ("table", &[Raw::Word], Construct::Definition(Token::Context("table"))),
    ("file", &[Raw::Word], Construct::Definition(Token::Context("file"))),
    ("test", &[Raw::Str], Construct::Definition(Token::Context("test"))),
    ("needs", &[Raw::Word], Construct::Needs),
    ("row", &[Raw::Word], Construct::Row),
];

/// The construct that begins with `word` and `next`, if it is one.
pub(super) fn construct(word: &str, next: Option<RawResult>) -> Option<Construct> {
    let Some(Ok(next)) = next else { return None };
    let row = CONSTRUCTS.iter().find(|(name, follow, _)| *name == word && follow.contains(&next));
    row.map(|(_, _, construct)| construct.clone()).or((next == Raw::Assign).then_some(Construct::ProbeName))
}

/// Words of parameters.
const PARAM_WORDS: &[&str] = &["param", "in", "positional", "repeated"];

impl<'a> Reader<'a, '_> {
    /// `name =`
    pub(super) fn read_probe_name(&mut self) {
        self.lexer.next();
        self.push(Token::Name(self.lexer.slice()));
        self.lexer.next();
        self.push(Token::Assign);
    }

    /// `needs` before probes or conditions, up to the `;`.
    pub(super) fn read_needs(&mut self) {
        self.lexer.next();
        self.push(Token::Context("needs"));
        let mut ahead = self.lexer.clone();
        ahead.next();
        if has_target(ahead.remainder()) {
            self.read_attach_points();
        }
        self.read_to_semicolon(None);
    }

    /// `row` and the name of a table.
    pub(super) fn read_row(&mut self) {
        self.lexer.next();
        self.push(Token::Context("row"));
        self.lexer.next();
        self.push(Token::Name(self.lexer.slice()));
    }

    /// Reads up to the `;` that ends a declaration.
    pub(super) fn read_declaration(&mut self, token: Token<'a>) {
        self.lexer.next();
        let last = match token {
            Token::Import => Some(Raw::Str),
            Token::Let | Token::Context("exclusive" | "actor") => Some(Raw::ParenClose),
            _ => None,
        };
        if matches!(token, Token::Context("param" | "const")) {
            self.words = PARAM_WORDS;
        }
        self.push(token);
        self.read_to_semicolon(last);
    }

    /// Reads the rest of a declaration, which ends in this token and a `;`.
    fn read_to_semicolon(&mut self, last: Option<Raw>) {
        while self.item.usable {
            let before = self.lexer.clone();
            let raw = self.lexer.next();
            match raw {
                Some(Ok(Raw::Semicolon)) => {
                    self.read_token(Ok(Raw::Semicolon));
                    return;
                }
                None | Some(Ok(Raw::BraceOpen | Raw::BraceClose)) => {
                    self.lexer = before;
                    return self.end_declaration();
                }
                Some(Ok(Raw::Word)) if self.begins_probe() => {
                    self.lexer = before;
                    return self.end_declaration();
                }
                Some(raw) => self.read_token(raw),
            }
            let ended = last.is_some_and(|last| raw == Some(Ok(last))) && self.stack.is_empty();
            if ended && self.peek() != Some(Ok(Raw::Semicolon)) {
                return self.end_declaration();
            }
        }
        self.resync();
    }

    /// Whether the last word, within a declaration, can only be the beginning of a probe.
    fn begins_probe(&self) -> bool {
        let word = self.lexer.slice();
        let option = matches!(
            self.item.tokens.last(),
            Some((_, Token::Context(_) | Token::Minus | Token::MinusMinus | Token::Comma | Token::Name(_), _))
        );
        !option && self.stack.is_empty() && takes_target(word) && has_target(self.lexer.remainder())
    }

    /// Adds the `;` that is missing.
    fn end_declaration(&mut self) {
        let at = self.last_end();
        let place = self.span(at..at);
        let mut diagnostic = Diagnostic::error(Code::UnexpectedToken, "`;` is missing behind the declaration")
            .at(place, "expected `;` here");
        diagnostic.edit = Some(Edit { span: place, replacement: ";".to_string() });
        if self.item.diagnostics.is_empty() {
            self.report(diagnostic);
        }
        self.close_down_to(0);
        self.push_at(at, Token::Semicolon, at);
        self.resync();
    }

    /// Reads a header and its block.
    pub(super) fn read_definition(&mut self, token: Token<'a>) {
        self.lexer.next();
        let head = self.here();
        self.push(token);
        while self.item.usable {
            match self.lexer.next() {
                Some(Ok(Raw::BraceOpen)) => {
                    self.close_inner("before the block");
                    self.open_context(OpenKind::Brace, Token::BraceOpen);
                    return self.read_body();
                }
                None => {
                    self.close_down_to(0);
                    self.item.usable = false;
                    return self.report_open_construct(head);
                }
                Some(Ok(Raw::Semicolon | Raw::BraceClose)) => {
                    let message = format!("expected `{{`, found {}", quote(self.lexer.slice()));
                    let here = self.here();
                    self.report(Diagnostic::error(Code::UnexpectedToken, message).at(here, ""));
                    self.item.usable = false;
                }
                Some(raw) => self.read_token(raw),
            }
        }
        self.resync();
    }

    /// Keeps a definition of C, up to its `;` or closing brace.
    pub(super) fn read_c_definition(&mut self) {
        self.item.usable = false;
        self.lexer.next();
        let head = self.here();
        let to_semicolon = self.lexer.slice() == "typedef";
        self.lexer.next();
        let mut depth = usize::from(self.lexer.slice() == "{");
        let mut end = self.lexer.span().end;
        loop {
            match self.lexer.next() {
                None if depth > 0 => return self.report_open_construct(head),
                None => break,
                Some(Ok(Raw::Semicolon)) if depth == 0 => break,
                Some(Err(RawError::Comment)) => break,
                Some(Ok(Raw::BraceOpen)) => depth += 1,
                Some(Ok(Raw::BraceClose)) => depth = depth.saturating_sub(1),
                Some(_) => {}
            }
            if depth == 0 && !to_semicolon && self.lexer.slice() == "}" {
                self.skip_attributes();
                end = self.lexer.span().end;
                break;
            }
            end = self.lexer.span().end;
        }
        self.keep_c_definition(head.start as usize..end);
    }

    fn keep_c_definition(&mut self, range: Range<usize>) {
        let text = self.text.get(range.clone()).unwrap_or_default().to_string();
        self.item.c_definition = Some(CDefinition { text, span: self.span(range) });
    }

    /// Skips the attributes of C behind a definition.
    fn skip_attributes(&mut self) {
        let mut ahead = self.lexer.clone();
        while ahead.next() == Some(Ok(Raw::Word)) && ahead.slice() == "__attribute__" {
            let mut depth = 0usize;
            loop {
                match ahead.next() {
                    Some(Ok(Raw::ParenOpen)) => depth += 1,
                    Some(Ok(Raw::ParenClose)) if depth > 1 => depth -= 1,
                    Some(Ok(Raw::Word)) if depth > 0 => {}
                    Some(Ok(Raw::Number | Raw::Comma)) if depth > 0 => {}
                    _ => break,
                }
            }
            self.lexer = ahead.clone();
        }
    }

    fn report_open_construct(&mut self, head: Span) {
        let end = self.text.trim_end().len();
        let end = self.span(end..end);
        self.report(
            Diagnostic::error(Code::UnexpectedEnd, "the script ends before this is closed")
                .at(end, "")
                .at(head, "begins here"),
        );
    }

    /// Keeps a line of the C preprocessor, with those that a backslash joins to it.
    pub(super) fn read_directive(&mut self) {
        self.item.usable = false;
        self.lexer.next();
        let start = self.lexer.span().start;
        let length = directive_length(self.lexer.remainder());
        self.lexer.bump(length);
        let text = self.text.get(start..self.lexer.span().end).unwrap_or_default();
        self.keep_c_definition(start..start + text.trim_end().len());
    }

    /// Skips what begins no item; one message for all of it.
    pub(super) fn skip_stray(&mut self, first: RawResult) {
        self.item.usable = false;
        self.lexer.next();
        let span = self.here();
        let text = self.lexer.slice();
        let diagnostic = match first {
            Err(RawError::Character) => {
                Diagnostic::error(Code::BadCharacter, format!("unexpected character {}", character(text))).at(span, "")
            }
            Err(RawError::String) => unterminated_string(self.span(span.start as usize..span.start as usize + 1)),
            Err(RawError::Comment) => Diagnostic::error(Code::UnterminatedComment, "the comment is never closed")
                .at(self.span(span.start as usize..span.start as usize + 2), "opened here"),
            Ok(Raw::BraceClose | Raw::ParenClose | Raw::BracketClose) => {
                Diagnostic::error(Code::UnexpectedToken, format!("this {} closes nothing", quote(text))).at(span, "")
            }
            Ok(_) => Diagnostic::error(Code::UnexpectedToken, format!("expected a probe, found {}", quote(text)))
                .at(span, ""),
        };
        self.report(diagnostic);
        self.resync();
    }

    /// Goes to where an item seems to begin.
    pub(super) fn resync(&mut self) {
        while !plausible_item(self.text, self.lexer.span().end) {
            self.lexer.next();
        }
    }
}

/// A character for a message.
pub(super) fn character(text: &str) -> String {
    match text.chars().next() {
        Some(c) if c.is_control() => format!("U+{:04X}", c as u32),
        Some(c) => format!("`{c}`"),
        None => "at the end".to_string(),
    }
}

/// The length of the rest of a directive's line, with the lines that a backslash joins to it.
fn directive_length(rest: &str) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        length += line.len();
        if !line.trim_end_matches(['\r', '\n']).ends_with('\\') {
            break;
        }
    }
    length
}
