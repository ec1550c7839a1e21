//! Top-level constructs other than probes: recognised, reported, skipped to their end.

use super::body::unterminated_string;
use super::{RawResult, Reader, plausible_item, quote};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Raw, RawError};
use crate::source::Span;

/// The word that begins a construct, what must follow it, and what a message calls it.
const CONSTRUCTS: &[(&str, &[Raw], &str)] = &[
    ("macro", &[Raw::Word], "macros"),
    ("import", &[Raw::Str], "imports"),
    ("config", &[Raw::Assign], "the config block"),
    ("let", &[Raw::Map], "map declarations"),
    ("fn", &[Raw::Word], "functions"),
    ("struct", &[Raw::Word, Raw::BraceOpen], "struct definitions"),
    ("union", &[Raw::Word, Raw::BraceOpen], "union definitions"),
    ("enum", &[Raw::Word, Raw::BraceOpen], "enum definitions"),
    ("typedef", &[Raw::Word], "type definitions"),
    ("param", &[Raw::Word], "script parameters"),
    ("table", &[Raw::Word], "tables"),
    ("needs", &[Raw::Word], "`needs`"),
    ("file", &[Raw::Word], "files as tables"),
    ("actor", &[Raw::Word], "actors"),
    ("example", &[Raw::Str], "`example`"),
    ("test", &[Raw::Str], "script tests"),
    ("exclusive", &[Raw::ParenOpen], "`exclusive`"),
];

/// What the construct is called that begins with `word` and `next`, if it is one.
pub(super) fn construct(word: &str, next: Option<RawResult>) -> Option<&'static str> {
    let Some(Ok(next)) = next else { return None };
    let row = CONSTRUCTS.iter().find(|(name, follow, _)| *name == word && follow.contains(&next));
    row.map(|(_, _, what)| *what).or((next == Raw::Assign).then_some("named probes"))
}

/// The message for a construct that is not there yet.
pub(super) fn not_supported(what: &str, span: Span) -> Diagnostic {
    let verb = if what.starts_with('`') || what.starts_with("the ") { "is" } else { "are" };
    Diagnostic::error(Code::NotSupported, format!("{what} {verb} not supported yet")).at(span, "")
}

impl Reader<'_, '_> {
    /// Skips a construct up to its `;` or closing brace.
    pub(super) fn skip_construct(&mut self, what: &str) {
        self.item.usable = false;
        self.lexer.next();
        let start = self.here();
        self.lexer.next();
        let head = start.to(self.here());
        self.report(not_supported(what, head));
        let mut depth = usize::from(self.lexer.slice() == "{" || self.lexer.slice() == "(");
        loop {
            match self.lexer.next() {
                None if depth > 0 => return self.report_open_construct(head),
                None => return,
                Some(Ok(Raw::BraceOpen | Raw::ParenOpen | Raw::BracketOpen)) => depth += 1,
                Some(Ok(Raw::ParenClose | Raw::BracketClose)) => depth = depth.saturating_sub(1),
                Some(Ok(Raw::BraceClose)) if depth <= 1 => return self.skip_attributes(),
                Some(Ok(Raw::BraceClose)) => depth -= 1,
                Some(Ok(Raw::Semicolon)) if depth == 0 => return,
                Some(Err(RawError::Comment)) => return,
                Some(_) => {}
            }
        }
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

    /// Skips lines of the C preprocessor that follow each other; one message for all.
    pub(super) fn skip_directives(&mut self) {
        self.item.usable = false;
        self.lexer.next();
        let first = self.lexer.span().start;
        let length = directive_length(self.lexer.remainder());
        self.lexer.bump(length);
        let line = self.text.get(first..self.lexer.span().end).and_then(|text| text.lines().next());
        let span = self.span(first..first + line.map_or(1, str::len));
        self.report(not_supported("lines of the C preprocessor", span));
        while self.peek() == Some(Ok(Raw::Hash)) {
            self.lexer.next();
            let length = directive_length(self.lexer.remainder());
            self.lexer.bump(length);
        }
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
