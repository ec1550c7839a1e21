//! Predicates and actions: contexts, casts, literals.

use std::ops::Range;

use super::construct::character;
use super::value::ORDER_WORDS;
use super::{MAX_ERRORS, MAX_NESTING, Open, OpenKind, RawResult, Reader, has_target};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::{Raw, RawError, literal};
use crate::probes::{stands_alone, takes_target};
use crate::source::Span;
use crate::token::{Token, keyword};

impl OpenKind {
    fn closer(self) -> (&'static str, Token<'static>) {
        match self {
            OpenKind::Predicate => ("/", Token::PredicateClose),
            OpenKind::Angle => (">", Token::AngleClose),
            OpenKind::Brace => ("}", Token::BraceClose),
            OpenKind::Value | OpenKind::Branch => ("}", Token::ValueClose),
            OpenKind::Paren | OpenKind::Cast => (")", Token::ParenClose),
            OpenKind::Bracket => ("]", Token::BracketClose),
        }
    }

    /// Holds an expression, so that no statement can stand in it.
    pub(super) fn is_inner(self) -> bool {
        matches!(self, OpenKind::Paren | OpenKind::Cast | OpenKind::Bracket)
    }
}

impl<'a> Reader<'a, '_> {
    /// Opens a context at the last token.
    pub(super) fn open_context(&mut self, kind: OpenKind, token: Token<'a>) {
        let start = self.lexer.span().start;
        self.push(token);
        self.stack.push(Open { kind, start });
        if self.stack.len() > MAX_NESTING && self.item.usable {
            let message = format!("nested too deeply: more than {MAX_NESTING} levels");
            let here = self.here();
            self.report(Diagnostic::error(Code::TooDeep, message).at(here, ""));
            self.item.usable = false;
        }
    }

    fn top(&self) -> Option<OpenKind> {
        self.stack.last().map(|open| open.kind)
    }

    /// Reads up to where the outermost open context is closed.
    pub(super) fn read_body(&mut self) {
        while !self.stack.is_empty() && self.item.usable {
            let before = self.lexer.clone();
            let Some(raw) = self.lexer.next() else { return self.close_at_end() };
            if self.begins_item(raw) {
                self.lexer = before;
                if !self.cut_off {
                    self.report_unclosed(self.stack.len() - 1, "before the next probe");
                }
                self.close_down_to(0);
                return;
            }
            if raw == Ok(Raw::BraceOpen) && self.top() == Some(OpenKind::Predicate) {
                self.lexer = before;
                self.report_unclosed(0, "before the action");
                self.close_down_to(0);
                return;
            }
            self.read_token(raw);
        }
        self.skip_rest();
    }

    /// Finds the end of a body that was given up, by counting alone.
    fn skip_rest(&mut self) {
        let mut depth = self.stack.len();
        let outermost = self.stack.first().map(|open| open.kind);
        while depth > 0 {
            match self.lexer.next() {
                None => return,
                Some(Ok(Raw::ParenOpen | Raw::BracketOpen | Raw::BraceOpen)) => depth += 1,
                Some(Ok(Raw::BraceClose)) if depth == 2 && outermost == Some(OpenKind::Predicate) => return,
                Some(Ok(Raw::ParenClose | Raw::BracketClose | Raw::BraceClose)) => depth -= 1,
                Some(Ok(Raw::Greater)) if depth == 1 && outermost == Some(OpenKind::Angle) => return,
                Some(_) => {}
            }
        }
    }

    /// Whether the last token, at the beginning of a statement, can only be the beginning of the next item.
    fn begins_item(&self, raw: RawResult) -> bool {
        if raw != Ok(Raw::Word) || !matches!(self.top(), Some(OpenKind::Brace | OpenKind::Angle)) {
            return false;
        }
        let fresh = matches!(
            self.item.tokens.last(),
            Some((_, Token::Semicolon | Token::BraceOpen | Token::BraceClose | Token::AngleOpen, _))
        );
        let word = self.lexer.slice();
        fresh
            && (takes_target(word) && has_target(self.lexer.remainder())
                || stands_alone(word) && self.peek() == Some(Ok(Raw::BraceOpen)))
    }

    pub(super) fn read_token(&mut self, raw: RawResult) {
        match raw {
            Err(error) => self.read_error(error),
            Ok(Raw::Word) => self.read_word(),
            Ok(Raw::Number) => self.read_number(),
            Ok(Raw::Str) => self.read_string(),
            Ok(Raw::Quote) => self.read_single_quotes(),
            Ok(Raw::Var) => self.push(Token::Var(self.sigil_name())),
            Ok(Raw::Map) => self.push(Token::Map(self.sigil_name())),
            Ok(Raw::Positional) => self.read_positional(),
            Ok(Raw::Hash) => self.report_character(),
            Ok(Raw::ParenOpen) => self.read_paren(),
            Ok(Raw::BracketOpen) => self.open_context(OpenKind::Bracket, Token::BracketOpen),
            Ok(Raw::BraceOpen) => self.read_brace(),
            Ok(Raw::ParenClose | Raw::BracketClose | Raw::BraceClose) => self.read_closer(),
            Ok(Raw::Semicolon) => self.read_semicolon(),
            Ok(Raw::Slash) if self.closes_predicate() => {
                self.close_inner("before the end of the predicate");
                self.stack.clear();
                self.push(Token::PredicateClose);
            }
            Ok(Raw::Greater) if self.closes_angle() => {
                self.stack.clear();
                self.item.angle_close = Some(self.lexer.span().start);
                self.push(Token::AngleClose);
            }
            Ok(Raw::Not) if self.is_call_bang() => self.push(Token::CallBang),
            Ok(raw) => {
                if let Some(token) = punctuation(raw) {
                    self.push(token);
                }
            }
        }
    }

    /// A `/` closes the predicate when an action follows it.
    fn closes_predicate(&self) -> bool {
        let mut above = self.stack.iter().skip(1);
        self.stack.first().is_some_and(|open| open.kind == OpenKind::Predicate)
            && above.all(|open| open.kind.is_inner())
            && (matches!(self.peek(), Some(Ok(Raw::BraceOpen | Raw::Less))) || self.user_follows().is_some())
    }

    fn closes_angle(&self) -> bool {
        self.top() == Some(OpenKind::Angle) && !self.forced.contains(&self.lexer.span().start)
    }

    fn sigil_name(&self) -> &'a str {
        self.lexer.slice().get(1..).unwrap_or_default()
    }

    fn read_word(&mut self) {
        let word = self.lexer.slice();
        let member = matches!(self.item.tokens.last(), Some((_, Token::Dot | Token::Arrow, _)));
        let token = match keyword(word) {
            _ if member => Token::Name(word),
            Some(Token::SizeOf) if !self.is_type_behind_paren() => Token::Name(word),
            None if self.context_word(word).is_some() => Token::Context(self.context_word(word).unwrap_or_default()),
            Some(Token::For) => {
                self.words = ORDER_WORDS;
                Token::For
            }
            Some(Token::If) => self.read_if(),
            Some(Token::Else) => self.read_else(),
            Some(token) => token,
            None if word == "typeinfo" && self.peek() == Some(Ok(Raw::ParenOpen)) => Token::TypeInfo,
            None => Token::Name(word),
        };
        self.push(token);
    }

    fn read_number(&mut self) {
        if let Some(length) = self.fraction_length() {
            self.lexer.bump(length);
            return self.push(Token::Float(self.lexer.slice()));
        }
        let text = self.lexer.slice();
        let (bits, unsigned) = literal::number(text).unwrap_or_else(|why| {
            let here = self.here();
            self.report(Diagnostic::error(Code::BadNumber, format!("malformed number `{text}`")).at(here, why));
            (0, false)
        });
        self.push(Token::Int(bits, unsigned));
    }

    /// The length of a fraction behind the last number, which is no element of a tuple.
    fn fraction_length(&self) -> Option<usize> {
        let digits = self.lexer.remainder().strip_prefix('.')?;
        let length = digits.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').len();
        let member = matches!(self.item.tokens.last(), Some((_, Token::Dot | Token::Arrow, _)));
        let decimal = self.lexer.slice().bytes().all(|c| c.is_ascii_digit() || c == b'_');
        (!member && decimal && digits.starts_with(|c: char| c.is_ascii_digit())).then_some(length + 1)
    }

    fn read_positional(&mut self) {
        let name = self.sigil_name();
        let number = if name == "#" { Some(0) } else { name.parse().ok().filter(|number| *number > 0) };
        if number.is_none() {
            let here = self.here();
            let message = format!("there is no parameter `${name}`");
            self.report(Diagnostic::error(Code::BadNumber, message).at(here, "they are counted from $1"));
        }
        self.push(Token::Positional(number.unwrap_or(1)));
    }

    fn read_string(&mut self) {
        let span = self.lexer.span();
        let text = self.lexer.slice();
        let inside = text.get(1..text.len() - 1).unwrap_or_default();
        self.read_quoted(inside, span);
    }

    fn read_quoted(&mut self, inside: &str, span: Range<usize>) {
        let mut bad = Vec::new();
        let bytes = literal::unescape(inside, |from, to| bad.push((from, to)));
        for (from, to) in bad.into_iter().take(MAX_ERRORS) {
            let escape = inside.get(from..to).unwrap_or_default();
            let place = self.span(span.start + 1 + from..span.start + 1 + to);
            self.report(
                Diagnostic::error(Code::BadEscape, format!("unknown escape `{escape}`"))
                    .at(place, "")
                    .help("strings know \\n \\t \\r \\\\ \\\" \\0 to \\377 and \\xNN"),
            );
        }
        self.push_at(span.start, Token::Str(bytes), span.end);
    }

    /// Takes `'text'` for a string, with a message.
    fn read_single_quotes(&mut self) {
        let start = self.lexer.span().start;
        let rest = self.lexer.remainder();
        let line = rest.split('\n').next().unwrap_or_default();
        let Some(length) = line.find('\'') else { return self.report_character() };
        let inside = line.get(..length).unwrap_or_default();
        self.lexer.bump(length + 1);
        let here = self.here();
        let mut diagnostic = Diagnostic::error(Code::BadCharacter, "strings are written in double quotes").at(here, "");
        if !inside.contains(['"', '\\']) {
            diagnostic = diagnostic.help(format!("write \"{inside}\""));
            diagnostic.edit = Some(Edit { span: here, replacement: format!("\"{inside}\"") });
        }
        self.report(diagnostic);
        self.read_quoted(&inside.replace('\\', "/"), start..here.end as usize);
    }

    fn read_error(&mut self, error: RawError) {
        let start = self.lexer.span().start;
        match error {
            RawError::Character => return self.report_character(),
            RawError::Comment => {
                let opener = self.span(start..start + 2);
                self.report(
                    Diagnostic::error(Code::UnterminatedComment, "the comment is never closed")
                        .at(opener, "opened here, `*/` is missing"),
                );
            }
            RawError::String => {
                let opener = self.span(start..start + 1);
                self.report(unterminated_string(opener));
                self.push(Token::Str(Vec::new()));
                self.end_cut_statement();
            }
        }
        self.cut_off = true;
    }

    /// A string that swallowed the rest of its line has most likely swallowed the end of its statement.
    fn end_cut_statement(&mut self) {
        let inner = self.stack.iter().rev().take_while(|open| open.kind.is_inner()).count();
        self.close_down_to(self.stack.len() - inner);
        if self.top() == Some(OpenKind::Predicate) {
            self.item.usable = false;
        } else {
            self.push_at(self.last_end(), Token::Semicolon, self.last_end());
        }
    }

    /// One message for a run of characters that do not belong here.
    fn report_character(&mut self) {
        let start = self.lexer.span().start;
        let text = self.lexer.slice();
        let mut end = self.lexer.span().end;
        loop {
            let mut ahead = self.lexer.clone();
            if ahead.next() != Some(Err(RawError::Character)) || ahead.span().start != end {
                break;
            }
            end = ahead.span().end;
            self.lexer = ahead;
        }
        let place = self.span(start..end);
        let message = format!("unexpected character {}", character(text));
        let mut diagnostic = Diagnostic::error(Code::BadCharacter, message).at(place, "");
        if text == "#" {
            diagnostic = diagnostic.help("comments are written // ... or /* ... */");
        }
        self.report(diagnostic);
    }

    fn read_semicolon(&mut self) {
        if self.top() == Some(OpenKind::Predicate) {
            self.report_unclosed(0, "before the action");
            self.item.usable = false;
            return;
        }
        self.close_inner("before `;`");
        self.words = &[];
        self.value_ifs.retain(|depth| *depth < self.stack.len());
        self.push(Token::Semicolon);
    }

    fn read_closer(&mut self) {
        let text = self.lexer.slice();
        let wanted = |open: &Open| open.kind.closer().0 == text;
        let found = if text == "}" {
            self.stack.iter().rposition(wanted)
        } else {
            let inner = self.stack.iter().rev().take_while(|open| open.kind.is_inner());
            inner.clone().position(wanted).map(|above| self.stack.len() - 1 - above)
        };
        match found {
            None => self.report_stray_closer(text),
            Some(at) => {
                if at + 1 < self.stack.len() {
                    self.report_unclosed(self.stack.len() - 1, &format!("before `{text}`"));
                    self.close_down_to(at + 1);
                }
                if let Some(open) = self.stack.pop() {
                    self.push(open.kind.closer().1);
                    self.operand &= open.kind != OpenKind::Cast;
                    if open.kind == OpenKind::Branch {
                        self.branch_end = self.item.tokens.len();
                    }
                }
            }
        }
    }

    fn report_stray_closer(&mut self, text: &str) {
        let here = self.here();
        let angle = self.stack.first().copied().filter(|open| text == "}" && open.kind == OpenKind::Angle);
        if let Some(open) = angle {
            let mut diagnostic =
                Diagnostic::error(Code::UnexpectedToken, "an action that is opened with `<` is closed with `>`")
                    .at(here, "expected `>`")
                    .at(self.span(open.start..open.start + 1), "opened here");
            diagnostic.edit = Some(Edit { span: here, replacement: ">".to_string() });
            self.report(diagnostic);
            return self.close_down_to(0);
        }
        self.report(Diagnostic::error(Code::UnexpectedToken, format!("this `{text}` closes nothing")).at(here, ""));
    }

    /// Closes open parentheses and brackets, with a message.
    pub(super) fn close_inner(&mut self, place: &str) {
        let inner = self.stack.iter().rev().take_while(|open| open.kind.is_inner()).count();
        if inner > 0 {
            self.report_unclosed(self.stack.len() - 1, place);
            self.close_down_to(self.stack.len() - inner);
        }
    }

    /// Adds the closing tokens of all contexts from `depth` on.
    pub(super) fn close_down_to(&mut self, depth: usize) {
        let at = self.last_end();
        while self.stack.len() > depth {
            if let Some(open) = self.stack.pop() {
                self.push_at(at, open.kind.closer().1, at);
            }
        }
    }

    pub(super) fn report_unclosed(&mut self, index: usize, place: &str) {
        let Some(open) = self.stack.get(index).copied() else { return };
        let (closer, at) = (open.kind.closer().0, self.last_end());
        let message = format!("`{closer}` is missing {place}");
        let mut diagnostic = Diagnostic::error(Code::UnexpectedEnd, message)
            .at(self.span(at..at), format!("expected `{closer}` here"))
            .at(self.span(open.start..open.start + 1), "opened here");
        if open.kind == OpenKind::Predicate {
            diagnostic = diagnostic.help("a predicate is written between slashes: /pid == 5/");
        }
        diagnostic.edit = Some(Edit { span: self.span(at..at), replacement: closer.to_string() });
        self.report(diagnostic);
    }

    fn close_at_end(&mut self) {
        if !self.cut_off {
            self.report_unclosed(self.stack.len() - 1, "at the end of the script");
        }
        if self.stack.first().is_some_and(|open| open.kind == OpenKind::Predicate) {
            self.item.usable = false;
        }
        self.close_down_to(0);
    }
}

/// The message for a string that its line does not close.
pub(super) fn unterminated_string(opener: Span) -> Diagnostic {
    Diagnostic::error(Code::UnterminatedString, "the string is not closed on its line").at(opener, "opened here")
}

fn punctuation(raw: Raw) -> Option<Token<'static>> {
    Some(match raw {
        Raw::Comma => Token::Comma,
        Raw::Colon => Token::Colon,
        Raw::Question => Token::Question,
        Raw::Dot => Token::Dot,
        Raw::DotDot => Token::DotDot,
        Raw::Arrow => Token::Arrow,
        Raw::PlusPlus => Token::PlusPlus,
        Raw::MinusMinus => Token::MinusMinus,
        Raw::Plus => Token::Plus,
        Raw::Minus => Token::Minus,
        Raw::Star => Token::Star,
        Raw::Slash => Token::Slash,
        Raw::Percent => Token::Percent,
        Raw::Amp => Token::Amp,
        Raw::Pipe => Token::Pipe,
        Raw::Caret => Token::Caret,
        Raw::Tilde => Token::Tilde,
        Raw::Not => Token::Not,
        Raw::AndAnd => Token::AndAnd,
        Raw::OrOr => Token::OrOr,
        Raw::EqualEqual => Token::EqualEqual,
        Raw::NotEqual => Token::NotEqual,
        Raw::Less => Token::Less,
        Raw::LessEqual => Token::LessEqual,
        Raw::Greater => Token::Greater,
        Raw::GreaterEqual => Token::GreaterEqual,
        Raw::ShiftLeft => Token::ShiftLeft,
        Raw::ShiftRight => Token::ShiftRight,
        Raw::Assign => Token::Assign,
        Raw::PlusAssign => Token::PlusAssign,
        Raw::MinusAssign => Token::MinusAssign,
        Raw::StarAssign => Token::StarAssign,
        Raw::SlashAssign => Token::SlashAssign,
        Raw::PercentAssign => Token::PercentAssign,
        Raw::AmpAssign => Token::AmpAssign,
        Raw::PipeAssign => Token::PipeAssign,
        Raw::CaretAssign => Token::CaretAssign,
        Raw::ShiftLeftAssign => Token::ShiftLeftAssign,
        Raw::ShiftRightAssign => Token::ShiftRightAssign,
        _ => return None,
    })
}
