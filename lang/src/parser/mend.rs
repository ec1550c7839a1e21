//! Mends the tokens of an item where the grammar refused them, with a message in the user's terms.

use std::ops::Range;

use super::message::{Expected, begins_with_list};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::{SpannedToken, quote};
use crate::source::{FileId, Span};
use crate::token::Token;

/// Tokens of one item, under repair.
pub(super) struct Mender<'a> {
    text: &'a str,
    file: FileId,
    /// What to parse next.
    pub(super) tokens: Vec<SpannedToken<'a>>,
    marks: Vec<usize>,
    /// What was found wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Mender<'a> {
    /// `marks`: offsets where something was reported already.
    pub(super) fn new(text: &'a str, file: FileId, tokens: Vec<SpannedToken<'a>>, marks: Vec<usize>) -> Self {
        Mender { text, file, tokens, marks, diagnostics: Vec::new() }
    }

    /// Reports and mends the mistake at token `at`, where `expected` could have stood. False when the item is lost.
    pub(super) fn mend(&mut self, at: usize, expected: &Expected) -> bool {
        let predicate = self.tokens.iter().position(|(_, token, _)| *token == Token::PredicateOpen);
        let predicate_end = self.tokens.iter().position(|(_, token, _)| *token == Token::PredicateClose);
        if let (Some(open), Some(close)) = (predicate, predicate_end)
            && (open..=close).contains(&at)
        {
            if !self.mend_equals(at, true) {
                self.report_unexpected(at, expected, open + 1..close);
                self.replace(open + 1..close, Token::ErrorExpr);
            }
            return true;
        }
        let range = self.statement_around(at);
        if self.declares(at) {
            self.report_unexpected(at, expected, at..at + 1);
            return false;
        }
        if range.is_empty() && self.token(range.start.wrapping_sub(1)).is_none() {
            self.report_unexpected(at, expected, 0..at + 1);
            return false;
        }
        if !(self.mend_condition(at, range.start) || self.mend_equals(at, false) || self.mend_semicolon(at, expected)) {
            self.report_unexpected(at, expected, range.clone());
            self.replace(range, Token::ErrorStmt);
        }
        true
    }

    /// Whether the token stands in a declaration, outside of statements.
    fn declares(&self, at: usize) -> bool {
        let columns = match self.token(0) {
            Some(Token::Import | Token::Let | Token::Macro | Token::Fn) => false,
            Some(Token::Context(word)) if *word != "row" => matches!(*word, "table" | "file"),
            _ => return false,
        };
        columns || !self.tokens.iter().take(at).any(|(_, token, _)| *token == Token::BraceOpen)
    }

    fn token(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at).map(|(_, token, _)| token)
    }

    fn span_of(&self, at: usize) -> Span {
        let end = self.text.len();
        let (start, end) = self.tokens.get(at).map_or((end, end), |(start, _, end)| (*start, *end));
        Span::new(self.file, start, end)
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn replace(&mut self, range: Range<usize>, token: Token<'a>) {
        let start = self.span_of(range.start).start as usize;
        let end = if range.is_empty() { start } else { self.span_of(range.end - 1).end as usize };
        self.tokens.splice(range, [(start, token, end.max(start))]);
    }

    /// Whether something was reported within these tokens already.
    fn is_marked(&self, range: &Range<usize>) -> bool {
        let from = self.span_of(range.start).start as usize;
        let to = self.span_of(range.end.max(range.start + 1) - 1).end as usize;
        self.marks.iter().any(|mark| (from..=to).contains(mark))
    }

    fn report_unexpected(&mut self, at: usize, expected: &Expected, range: Range<usize>) {
        let span = self.span_of(at);
        // an empty token was added by the structure pass, which has said why
        if span.start == span.end && at < self.tokens.len() || self.is_marked(&range) {
            return;
        }
        let found = self.describe(at);
        let message = format!("expected {expected}, found {found}");
        let mut diagnostic = Diagnostic::error(Code::UnexpectedToken, message).at(span, "");
        let before = at.wrapping_sub(1);
        match (self.token(before), self.token(at)) {
            (Some(Token::Name(name)), Some(token)) if begins_with_list(token) => {
                diagnostic = diagnostic.help(format!("a function is called with parentheses: {name}(...)"));
            }
            _ => {}
        }
        self.diagnostics.push(diagnostic);
    }

    fn describe(&self, at: usize) -> String {
        match self.token(at) {
            None => "the end of the script".to_string(),
            Some(Token::AngleClose) => "the `>` that closes the action".to_string(),
            Some(Token::PredicateClose) => "the `/` that closes the predicate".to_string(),
            Some(_) => quote(self.slice(self.span_of(at))),
        }
    }

    /// `=` where values are compared.
    fn mend_equals(&mut self, at: usize, predicate: bool) -> bool {
        if self.token(at) != Some(&Token::Assign) || !(predicate || self.in_condition(at)) {
            return false;
        }
        let span = self.span_of(at);
        let mut diagnostic = Diagnostic::error(Code::UnexpectedToken, "`=` assigns; values are compared with `==`")
            .at(span, "")
            .help("write `==`");
        diagnostic.edit = Some(Edit { span, replacement: "==".to_string() });
        self.diagnostics.push(diagnostic);
        if let Some((_, token, _)) = self.tokens.get_mut(at) {
            *token = Token::EqualEqual;
        }
        true
    }

    /// Whether a token stands in the parentheses of `if` or `while`.
    fn in_condition(&self, at: usize) -> bool {
        let mut depth = 0usize;
        for (index, (_, token, _)) in self.tokens.iter().enumerate().take(at).rev() {
            match token {
                Token::ParenClose | Token::BracketClose => depth += 1,
                Token::ParenOpen | Token::BracketOpen | Token::CastOpen | Token::RecordOpen | Token::TypeOpen
                    if depth > 0 =>
                {
                    depth -= 1
                }
                Token::ParenOpen => {
                    let before = self.token(index.wrapping_sub(1));
                    if matches!(before, Some(Token::If | Token::While)) {
                        return true;
                    }
                }
                Token::Semicolon | Token::BraceOpen | Token::BraceClose | Token::AngleOpen => return false,
                _ => {}
            }
        }
        false
    }

    /// `if $a > 5 {`: adds the parentheses.
    fn mend_condition(&mut self, at: usize, start: usize) -> bool {
        let Some(first) = (start..=at).rev().find(|index| self.token(*index) == Some(&Token::If)) else { return false };
        let mut depth = 0usize;
        let opening = (first + 1..self.tokens.len()).find(|index| match self.token(*index) {
            Some(Token::BraceOpen) => depth == 0,
            Some(Token::ParenOpen | Token::BracketOpen | Token::CastOpen | Token::RecordOpen | Token::TypeOpen) => {
                depth += 1;
                false
            }
            Some(Token::ParenClose | Token::BracketClose) => {
                depth = depth.saturating_sub(1);
                false
            }
            Some(Token::Semicolon | Token::BraceClose | Token::AngleClose) => true,
            _ => false,
        });
        let Some(brace) = opening.filter(|index| self.token(*index) == Some(&Token::BraceOpen)) else { return false };
        if at > brace || brace == first + 1 || self.is_parenthesized(first + 1..brace) {
            return false;
        }
        let condition = self.span_of(first + 1).to(self.span_of(brace - 1));
        let mended = format!("({})", self.slice(condition));
        let mut diagnostic = Diagnostic::error(Code::ConditionParentheses, "the condition of `if` needs parentheses")
            .at(condition, "")
            .help(format!("write if {mended} {{"));
        diagnostic.edit = Some(Edit { span: condition, replacement: mended });
        if !self.is_marked(&(first..brace)) {
            self.diagnostics.push(diagnostic);
        }
        let (start, end) = (condition.start as usize, condition.end as usize);
        self.tokens.insert(brace, (end, Token::ParenClose, end));
        self.tokens.insert(first + 1, (start, Token::ParenOpen, start));
        // an error within the condition is a mistake of its own, but this statement has had its message
        self.marks.push(start);
        true
    }

    /// Whether the first token opens a parenthesis that the last one closes.
    fn is_parenthesized(&self, range: Range<usize>) -> bool {
        let mut depth = 0usize;
        if self.token(range.start) != Some(&Token::ParenOpen) {
            return false;
        }
        for index in range.clone() {
            match self.token(index) {
                Some(Token::ParenOpen | Token::CastOpen | Token::RecordOpen | Token::TypeOpen) => depth += 1,
                Some(Token::ParenClose) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return index + 1 == range.end;
            }
        }
        false
    }

    /// Two statements without `;` between them.
    fn mend_semicolon(&mut self, at: usize, expected: &Expected) -> bool {
        let before = at.wrapping_sub(1);
        let (Some(token), Some(last)) = (self.token(at), self.token(before)) else { return false };
        if !expected.semicolon || !token.begins_statement() {
            return false;
        }
        let (end, start) = (self.span_of(before).end, self.span_of(at).start);
        let same_line = !self.slice(Span { file: self.file, start: end, end: start }).contains('\n');
        if same_line && matches!(last, Token::Name(_)) {
            return false;
        }
        let place = Span { file: self.file, start: end, end };
        if !self.is_marked(&(before..at + 1)) {
            let mut diagnostic = Diagnostic::error(Code::UnexpectedToken, "`;` is missing between two statements")
                .at(place, "expected `;` here")
                .at(self.span_of(at), "the next statement");
            diagnostic.edit = Some(Edit { span: place, replacement: ";".to_string() });
            self.diagnostics.push(diagnostic);
        }
        self.tokens.insert(at, (end as usize, Token::Semicolon, end as usize));
        true
    }

    /// The tokens of the statement that holds token `at`, with its `;`.
    fn statement_around(&self, at: usize) -> Range<usize> {
        let start = self.statement_start(at);
        start..self.statement_end(at).max(start)
    }

    fn statement_start(&self, at: usize) -> usize {
        let mut depth = 0usize;
        let mut start = at.min(self.tokens.len());
        while start > 0 {
            match self.token(start - 1) {
                Some(Token::BraceClose) if depth == 0 && self.token(start) != Some(&Token::Else) => break,
                Some(Token::ParenClose | Token::BracketClose | Token::BraceClose | Token::ValueClose) => depth += 1,
                Some(Token::ParenOpen | Token::BracketOpen | Token::CastOpen | Token::RecordOpen | Token::TypeOpen) => {
                    depth = depth.saturating_sub(1)
                }
                Some(Token::BraceOpen | Token::ValueOpen) if depth == 0 => break,
                Some(Token::BraceOpen | Token::ValueOpen) => depth -= 1,
                Some(Token::Semicolon | Token::ErrorStmt) if depth == 0 => break,
                Some(Token::AngleOpen | Token::PredicateClose | Token::PredicateOpen) => break,
                _ => {}
            }
            start -= 1;
        }
        start
    }

    fn statement_end(&self, at: usize) -> usize {
        let mut depth = 0usize;
        let mut end = at;
        while let Some(token) = self.token(end) {
            match token {
                Token::BraceOpen | Token::ValueOpen => depth += 1,
                Token::ValueClose if depth == 0 => return end,
                Token::ValueClose => depth -= 1,
                Token::BraceClose if depth <= 1 => {
                    if depth == 0 {
                        return end;
                    }
                    depth = 0;
                    if self.token(end + 1) != Some(&Token::Else) {
                        return end + 1;
                    }
                }
                Token::BraceClose => depth -= 1,
                Token::Semicolon if depth == 0 => return end + 1,
                Token::AngleClose | Token::PredicateClose => return end,
                _ => {}
            }
            end += 1;
        }
        end
    }
}
