//! `config = { name = value; ... }`, read from the raw tokens: it holds no expressions.

use super::{Reader, SpannedToken, lexer_at, quote};
use crate::ast::{ConfigEntry, ConfigValue, Ident};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Raw, number};
use crate::token::Token;

impl Reader<'_, '_> {
    /// Reads the block up to its closing brace.
    pub(super) fn read_config(&mut self) {
        self.item.usable = false;
        self.lexer.next();
        let head = self.here();
        self.lexer.next();
        if self.peek() != Some(Ok(Raw::BraceOpen)) {
            return self.expected_in_config("`{`");
        }
        self.lexer.next();
        loop {
            match self.lexer.next() {
                Some(Ok(Raw::BraceClose)) => return,
                Some(Ok(Raw::Semicolon | Raw::Comma)) => {}
                Some(Ok(Raw::Word)) => {
                    if self.read_setting().is_none() {
                        return self.skip_config();
                    }
                }
                None => {
                    let end = self.text.trim_end().len();
                    let end = self.span(end..end);
                    let missing = Diagnostic::error(Code::UnexpectedEnd, "`}` is missing at the end of the script");
                    return self.report(missing.at(end, "expected `}` here").at(head, "begins here"));
                }
                Some(_) => {
                    self.complain("a setting");
                    return self.skip_config();
                }
            }
        }
    }

    /// `name = value`, from behind the name.
    fn read_setting(&mut self) -> Option<()> {
        let name = Ident { text: self.lexer.slice().to_string(), span: self.here() };
        if self.lexer.next() != Some(Ok(Raw::Assign)) {
            return self.complain("`=`");
        }
        let value = match self.lexer.next() {
            Some(Ok(Raw::Number)) => number(self.lexer.slice()).ok().map(|(bits, _)| ConfigValue::Int(bits)),
            Some(Ok(Raw::Word)) => Some(ConfigValue::Word(self.lexer.slice().to_string())),
            Some(Ok(Raw::Str)) => Some(ConfigValue::Word(self.lexer.slice().trim_matches('"').to_string())),
            _ => None,
        };
        let Some(value) = value else { return self.complain("a value") };
        self.item.config.push(ConfigEntry { name, value, value_span: self.here() });
        Some(())
    }

    /// Reports the last token.
    fn complain(&mut self, expected: &str) -> Option<()> {
        let message = format!("expected {expected}, found {}", quote(self.lexer.slice()));
        self.report(Diagnostic::error(Code::UnexpectedToken, message).at(self.here(), ""));
        None
    }

    fn expected_in_config(&mut self, expected: &str) {
        self.lexer.next();
        self.complain(expected);
        self.resync();
    }

    /// Goes behind the closing brace, unless the token that was complained of is it.
    fn skip_config(&mut self) {
        if self.lexer.slice() == "}" {
            return;
        }
        while !matches!(self.lexer.next(), None | Some(Ok(Raw::BraceClose))) {}
    }
}

/// The tokens of a config block, for who wants to print it.
pub(crate) fn raw_tokens(text: &str, range: std::ops::Range<usize>) -> Vec<SpannedToken<'_>> {
    let mut lexer = lexer_at(text, range.start);
    let mut tokens = Vec::new();
    while let Some(raw) = lexer.next() {
        let span = lexer.span();
        if span.end > range.end {
            break;
        }
        let token = match raw {
            Ok(Raw::Assign) => Token::Assign,
            Ok(Raw::Semicolon) => Token::Semicolon,
            Ok(Raw::Comma) => Token::Comma,
            Ok(Raw::BraceOpen) => Token::BraceOpen,
            Ok(Raw::BraceClose) => Token::BraceClose,
            _ => Token::Name(lexer.slice()),
        };
        tokens.push((span.start, token, span.end));
    }
    tokens
}
