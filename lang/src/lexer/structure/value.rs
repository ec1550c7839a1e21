//! What `(`, `{`, `if` and `!` mean where a value is expected: casts, types, records, blocks and `if` as values.

use super::{OpenKind, RawResult, Reader};
use crate::builtins::is_value;
use crate::lexer::Raw;
use crate::token::{Token, keyword};
use logos::Lexer;

/// Words that put rows in order.
pub(super) const ORDER_WORDS: &[&str] = &["as", "sort", "desc", "asc", "top"];

impl Reader<'_, '_> {
    pub(super) fn read_paren(&mut self) {
        let ahead = self.lexer.clone();
        let last = self.item.tokens.last().map(|(_, token, _)| token);
        let block = matches!(last, Some(Token::Assign | Token::ParenOpen | Token::Comma | Token::Return));
        let operand = if block { Follow::OperandOrBlock } else { Follow::Operand };
        let (kind, token) = match last {
            Some(Token::SizeOf | Token::TypeOf | Token::TypeInfo)
                if type_follows(ahead.clone(), Raw::ParenClose, Follow::Anything) =>
            {
                (OpenKind::Paren, Token::TypeOpen)
            }
            Some(Token::OffsetOf) if type_follows(ahead.clone(), Raw::Comma, Follow::Anything) => {
                (OpenKind::Paren, Token::TypeOpen)
            }
            _ if !self.operand && type_follows(ahead.clone(), Raw::ParenClose, operand) => {
                (OpenKind::Cast, Token::CastOpen)
            }
            Some(Token::If | Token::ValueIf | Token::While | Token::Comptime) => (OpenKind::Paren, Token::ParenOpen),
            _ if !self.operand && self.record_follows(ahead) => (OpenKind::Paren, Token::RecordOpen),
            _ => (OpenKind::Paren, Token::ParenOpen),
        };
        self.open_context(kind, token);
    }

    /// `name =` in parentheses makes a record, except in a predicate, where it is meant to compare.
    fn record_follows(&self, mut ahead: Lexer<'_, Raw>) -> bool {
        let predicate = self.stack.first().is_some_and(|open| open.kind == OpenKind::Predicate);
        !predicate && ahead.next() == Some(Ok(Raw::Word)) && ahead.next() == Some(Ok(Raw::Assign))
    }

    /// Whether `(type)` follows the last token.
    pub(super) fn is_type_behind_paren(&self) -> bool {
        let mut ahead = self.lexer.clone();
        ahead.next() == Some(Ok(Raw::ParenOpen)) && type_follows(ahead, Raw::ParenClose, Follow::Anything)
    }

    /// Whether a statement can begin behind the last token.
    fn at_statement(&self) -> bool {
        matches!(
            self.item.tokens.last().map(|(_, token, _)| token),
            None | Some(
                Token::Semicolon
                    | Token::BraceOpen
                    | Token::BraceClose
                    | Token::ValueOpen
                    | Token::AngleOpen
                    | Token::PredicateClose
            )
        )
    }

    /// Whether the last token is the `else` of an `if` that is a value.
    fn at_branch_else(&self) -> bool {
        self.branch_end > 0
            && self.item.tokens.len() == self.branch_end + 1
            && matches!(self.item.tokens.last(), Some((_, Token::Else, _)))
    }

    /// The word as a token of its own, where its construct can stand.
    pub(super) fn context_word(&mut self, word: &str) -> Option<&'static str> {
        let begins = |next: Raw| self.at_statement() && self.peek() == Some(Ok(next));
        if word == "emit" && begins(Raw::Word) {
            return Some("emit");
        }
        if word == "show" && begins(Raw::Map) {
            self.words = ORDER_WORDS;
            return Some("show");
        }
        let last = self.item.tokens.last().map(|(_, token, _)| token);
        let behind = self.operand || matches!(last, Some(Token::Question | Token::Context("const" | "asc" | "desc")));
        let found = self.words.iter().find(|known| **known == word).filter(|_| behind)?;
        Some(found)
    }

    pub(super) fn read_brace(&mut self) {
        self.words = &[];
        if self.operand {
            let waiting = self.value_ifs.last().copied().filter(|depth| {
                self.stack.get(*depth..).is_some_and(|above| above.iter().all(|open| open.kind.is_inner()))
            });
            if let Some(depth) = waiting {
                self.value_ifs.pop();
                if depth < self.stack.len() {
                    self.report_unclosed(self.stack.len() - 1, "before the block");
                    self.close_down_to(depth);
                }
                return self.open_context(OpenKind::Branch, Token::ValueOpen);
            }
            self.close_inner("before the block");
            return self.open_context(OpenKind::Brace, Token::BraceOpen);
        }
        let last = self.item.tokens.last().map(|(_, token, _)| token);
        if self.at_branch_else() {
            self.open_context(OpenKind::Branch, Token::ValueOpen);
        } else if self.at_statement() || last == Some(&Token::Else) {
            self.open_context(OpenKind::Brace, Token::BraceOpen);
        } else {
            self.open_context(OpenKind::Value, Token::ValueOpen);
        }
    }

    /// The token of an `if`.
    pub(super) fn read_if(&mut self) -> Token<'static> {
        let depth = self.stack.len();
        if self.at_branch_else() {
            self.value_ifs.push(depth);
            return Token::If;
        }
        let last = self.item.tokens.last().map(|(_, token, _)| token);
        if self.operand || self.at_statement() || last == Some(&Token::Else) {
            return Token::If;
        }
        self.value_ifs.push(depth);
        Token::ValueIf
    }

    /// The token of an `else`; remembers whether it belongs to a value.
    pub(super) fn read_else(&mut self) -> Token<'static> {
        if self.branch_end != self.item.tokens.len() {
            self.branch_end = 0;
        }
        Token::Else
    }

    /// Whether the last token is the `!` of a call `f!(x)`.
    pub(super) fn is_call_bang(&self) -> bool {
        let start = self.lexer.span().start;
        matches!(self.item.tokens.last(), Some((_, Token::Name(_), end)) if *end == start)
            && self.lexer.remainder().starts_with('(')
    }
}

/// What has to stand behind a type in parentheses that could be an expression.
#[derive(Clone, Copy, PartialEq)]
enum Follow {
    Anything,
    /// The operand of a cast.
    Operand,
    /// The same; it may be a block.
    OperandOrBlock,
}

/// Whether a type, `end` and this follow.
fn type_follows(mut lexer: Lexer<'_, Raw>, end: Raw, follow: Follow) -> bool {
    if lexer.next() != Some(Ok(Raw::Word)) {
        return false;
    }
    let name = lexer.slice();
    let (mut sure, mut next) = match keyword(name) {
        Some(Token::Struct | Token::Union | Token::Enum) => return true,
        Some(Token::TypeOf) if skip_parentheses(&mut lexer) => (true, lexer.next()),
        Some(_) => return false,
        None => (false, lexer.next()),
    };
    while next == Some(Ok(Raw::Word)) {
        sure = true;
        next = lexer.next();
    }
    loop {
        match next {
            // `(name *)`: nothing but a type ends in a star
            Some(Ok(Raw::Star)) => sure = true,
            Some(Ok(Raw::BracketOpen)) => match lexer.next() {
                Some(Ok(Raw::BracketClose)) => sure = true,
                Some(Ok(Raw::Number)) if lexer.next() == Some(Ok(Raw::BracketClose)) => {}
                _ => return false,
            },
            _ => break,
        }
        next = lexer.next();
    }
    let fits = |next: Option<RawResult>| match follow {
        Follow::Anything => true,
        Follow::Operand => next.is_some_and(operand_begins),
        Follow::OperandOrBlock => next.is_some_and(|raw| operand_begins(raw) || raw == Ok(Raw::BraceOpen)),
    };
    next == Some(Ok(end)) && (sure || !is_value(name) && fits(lexer.next()))
}

/// Goes behind `( ... )`; false when there is no such thing.
fn skip_parentheses(lexer: &mut Lexer<'_, Raw>) -> bool {
    let mut depth = 0usize;
    loop {
        match lexer.next() {
            Some(Ok(Raw::ParenOpen)) => depth += 1,
            Some(Ok(Raw::ParenClose)) if depth > 0 => depth -= 1,
            None | Some(Ok(Raw::Semicolon | Raw::ParenClose)) => return false,
            Some(_) if depth == 0 => return false,
            Some(_) => {}
        }
        if depth == 0 {
            return true;
        }
    }
}

/// Whether a token can begin the operand of a cast.
fn operand_begins(raw: RawResult) -> bool {
    matches!(
        raw,
        Ok(Raw::Word
            | Raw::Number
            | Raw::Str
            | Raw::Var
            | Raw::Positional
            | Raw::Map
            | Raw::ParenOpen
            | Raw::Star
            | Raw::Amp
            | Raw::Minus
            | Raw::Tilde
            | Raw::Not)
    )
}
