//! The structure pass: cuts the source into items and turns raw tokens into the tokens of the grammar.
//!
//! A stack of open contexts decides what `<`, `>`, `/`, `(` and words mean. The pass also closes what the source left
//! open, with a message, so that the grammar only ever sees balanced tokens with a well-formed header.

mod body;
mod config;
mod construct;
mod value;

use std::ops::Range;

use logos::{Lexer, Logos};

use super::target;
use super::{Raw, RawError};
use crate::ast::{AttachPoint, CDefinition, ConfigEntry, Ident};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use crate::probes::{stands_alone, takes_target};
use crate::source::{FileId, Span};
use crate::token::Token;
pub(crate) use config::raw_tokens;
use construct::{Construct, construct};

/// Deepest nesting of parentheses, brackets and blocks.
const MAX_NESTING: usize = 128;

/// An item with more errors than this is given up.
const MAX_ERRORS: usize = 20;

/// A token with its byte range.
pub(crate) type SpannedToken<'a> = (usize, Token<'a>, usize);

type RawResult = Result<Raw, RawError>;

/// One probe with its action, as tokens; or something else at the top level that was reported and skipped.
pub(crate) struct Item<'a> {
    /// Balanced: header, predicate, action.
    pub(crate) tokens: Vec<SpannedToken<'a>>,
    /// Offsets of errors that were reported; statements that hold one deserve no further message.
    pub(crate) marks: Vec<usize>,
    /// What was reported.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What a config block says.
    pub(crate) config: Vec<ConfigEntry>,
    /// A definition of C.
    pub(crate) c_definition: Option<CDefinition>,
    /// Whether the tokens are worth parsing.
    pub(crate) usable: bool,
    /// Where the `>` stands that closed the action.
    pub(crate) angle_close: Option<usize>,
    /// Where the first token begins.
    pub(crate) start: usize,
    /// Where the next item is to be looked for.
    pub(crate) end: usize,
}

/// What is open.
#[derive(Clone, Copy, PartialEq)]
enum OpenKind {
    Predicate,
    Angle,
    Brace,
    /// A block that is a value.
    Value,
    /// The block of an `if` or `else` that is a value.
    Branch,
    Paren,
    Cast,
    Bracket,
}

#[derive(Clone, Copy)]
struct Open {
    kind: OpenKind,
    start: usize,
}

struct Reader<'a, 'f> {
    text: &'a str,
    file: FileId,
    lexer: Lexer<'a, Raw>,
    /// Offsets of `>` that do not close an angle block.
    forced: &'f [usize],
    item: Item<'a>,
    stack: Vec<Open>,
    /// The token before ends an operand.
    operand: bool,
    /// The depths of the stack where an `if` that is a value waits for its block.
    value_ifs: Vec<usize>,
    /// The number of tokens behind which an `else` belongs to an `if` that is a value.
    branch_end: usize,
    /// Words that are tokens of their own in this item or statement.
    words: &'static [&'static str],
    /// A string or comment without an end has swallowed something: what is not closed afterwards is no news.
    cut_off: bool,
}

/// Reads the item at or behind `offset`; `None` when only blanks and comments follow. The `>` at the offsets of
/// `forced` are operators.
pub(crate) fn next_item<'a>(text: &'a str, file: FileId, offset: usize, forced: &[usize]) -> Option<Item<'a>> {
    let item = Item {
        tokens: Vec::new(),
        marks: Vec::new(),
        diagnostics: Vec::new(),
        usable: true,
        config: Vec::new(),
        c_definition: None,
        angle_close: None,
        start: offset,
        end: offset,
    };
    let lexer = lexer_at(text, offset);
    let mut reader = Reader {
        text,
        file,
        lexer,
        forced,
        item,
        stack: vec![],
        operand: false,
        value_ifs: vec![],
        branch_end: 0,
        words: &[],
        cut_off: false,
    };
    reader.read_item()?;
    reader.item.end = reader.lexer.span().end;
    Some(reader.item)
}

/// Whether what stands at `offset` looks like the beginning of an item, or is the end of the source.
pub(crate) fn plausible_item(text: &str, offset: usize) -> bool {
    let mut lexer = lexer_at(text, offset);
    match lexer.next() {
        None | Some(Ok(Raw::Hash)) => true,
        Some(Ok(Raw::Word)) => {
            let word = lexer.slice();
            let next = lexer.clone().next();
            has_target(lexer.remainder())
                || stands_alone(word)
                || next == Some(Ok(Raw::BraceOpen))
                || construct(word, next).is_some()
        }
        _ => false,
    }
}

/// Whether a word before `rest` is followed by `:` and a target.
fn has_target(rest: &str) -> bool {
    rest.strip_prefix(':').and_then(|rest| rest.chars().next()).is_some_and(|c| !c.is_whitespace())
}

fn lexer_at(text: &str, offset: usize) -> Lexer<'_, Raw> {
    let mut lexer = Raw::lexer(text);
    lexer.bump(offset);
    lexer
}

impl<'a> Reader<'a, '_> {
    fn read_item(&mut self) -> Option<()> {
        while self.peek() == Some(Ok(Raw::Semicolon)) {
            self.lexer.next();
        }
        let mut ahead = self.lexer.clone();
        let first = ahead.next()?;
        self.item.start = ahead.span().start;
        match first {
            Ok(Raw::Hash) => self.read_directive(),
            Ok(Raw::Word) => match construct(ahead.slice(), ahead.clone().next()) {
                Some(Construct::Config) => self.read_config(),
                Some(Construct::C) => self.read_c_definition(),
                Some(Construct::Declaration(token)) => self.read_declaration(token),
                Some(Construct::Definition(token)) => self.read_definition(token),
                Some(Construct::Needs) => self.read_needs(),
                Some(Construct::Row) => {
                    self.read_row();
                    self.read_header();
                }
                Some(Construct::ProbeName) => {
                    self.read_probe_name();
                    self.read_probe();
                }
                None => self.read_probe(),
            },
            _ => self.skip_stray(first),
        }
        Some(())
    }

    fn peek(&self) -> Option<RawResult> {
        self.lexer.clone().next()
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    /// The range of the last token, as a span.
    fn here(&self) -> Span {
        self.span(self.lexer.span())
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if let Some(span) = diagnostic.span() {
            self.item.marks.push(span.start as usize);
        }
        self.item.diagnostics.push(diagnostic);
        if self.item.diagnostics.len() >= MAX_ERRORS {
            self.item.usable = false;
        }
    }

    fn push(&mut self, token: Token<'a>) {
        let span = self.lexer.span();
        self.push_at(span.start, token, span.end);
    }

    fn push_at(&mut self, start: usize, token: Token<'a>, end: usize) {
        self.operand = token.ends_operand();
        if self.item.usable {
            self.item.tokens.push((start, token, end));
        }
    }

    /// Where the last token of the item ends.
    fn last_end(&self) -> usize {
        self.item.tokens.last().map_or(self.item.start, |token| token.2)
    }

    /// Attach points, predicate, action.
    fn read_probe(&mut self) {
        self.read_attach_points();
        self.read_header();
    }

    /// `user`, predicate, action.
    fn read_header(&mut self) {
        if self.peek() == Some(Ok(Raw::Slash)) {
            self.lexer.next();
            self.open_context(OpenKind::Predicate, Token::PredicateOpen);
            self.read_body();
            if !self.item.usable {
                return;
            }
        }
        self.read_user();
        self.read_action();
    }

    /// The word `user` before an action.
    fn read_user(&mut self) {
        if let Some(lexer) = self.user_follows() {
            self.lexer = lexer;
            self.push(Token::Context("user"));
        }
    }

    /// The lexer behind the word `user`, when it stands next, before an action.
    fn user_follows(&self) -> Option<Lexer<'a, Raw>> {
        let mut ahead = self.lexer.clone();
        let word = ahead.next() == Some(Ok(Raw::Word)) && ahead.slice() == "user";
        let action = matches!(ahead.clone().next(), Some(Ok(Raw::BraceOpen | Raw::Less)));
        (word && action).then_some(ahead)
    }

    fn read_attach_points(&mut self) {
        loop {
            self.lexer.next();
            self.read_attach_point();
            if self.peek() == Some(Ok(Raw::Question)) {
                self.lexer.next();
                self.push(Token::Question);
            }
            let separator = match self.peek() {
                Some(Ok(Raw::Comma)) => Token::Comma,
                Some(Ok(Raw::OrOr)) => Token::OrOr,
                _ => return,
            };
            self.lexer.next();
            match self.peek() {
                Some(Ok(Raw::Word)) => self.push(separator),
                Some(Ok(Raw::BraceOpen | Raw::Slash | Raw::Less)) if separator == Token::Comma => return,
                _ => {
                    let found = self.describe_next();
                    let here = self.here();
                    let what = if separator == Token::Comma { "the comma" } else { "`||`" };
                    let message = format!("expected a probe after {what}, found {found}");
                    self.report(Diagnostic::error(Code::UnexpectedToken, message).at(here, ""));
                    return;
                }
            }
        }
    }

    /// The word of the kind is the last token.
    fn read_attach_point(&mut self) {
        let kind = Ident { text: self.lexer.slice().to_string(), span: self.here() };
        let start = self.lexer.span().start;
        let (mut parts, mut params) = (Vec::new(), Vec::new());
        if self.lexer.remainder().starts_with(':') {
            self.lexer.bump(1);
            self.skip_blanks_before_target(&kind);
            let base = self.lexer.span().end;
            let target = target::scan(&kind.text, self.lexer.remainder());
            self.lexer.bump(target.length);
            let ident = |(from, to, text)| Ident { text, span: Span::new(self.file, base + from, base + to) };
            parts = target.parts.into_iter().map(ident).collect();
            params = target.params.into_iter().map(ident).collect();
        }
        let end = self.lexer.span().end;
        let span = self.span(start..end);
        let point = AttachPoint { kind, parts, params, alternatives: vec![], optional: false, span };
        self.push_at(start, Token::Target(point), end);
    }

    /// Reports a target that is missing or set off by blanks.
    fn skip_blanks_before_target(&mut self, kind: &Ident) {
        let rest = self.lexer.remainder();
        if target::scan(&kind.text, rest).length > 0 {
            return;
        }
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let target = rest.get(blanks..).map_or(0, |rest| target::scan(&kind.text, rest).length);
        let colon = self.lexer.span().end;
        let message = format!("`{}:` has no target", kind.text);
        let mut diagnostic = Diagnostic::error(Code::MissingProbeTarget, message);
        if blanks > 0 && target > 0 {
            let text = rest.get(blanks..blanks + target).unwrap_or_default();
            let span = self.span(colon..colon + blanks);
            diagnostic = diagnostic
                .at(kind.span.to(span), "")
                .help(format!("a probe is written without blanks: {}:{text}", kind.text));
            diagnostic.edit = Some(Edit { span, replacement: String::new() });
            self.lexer.bump(blanks);
        } else {
            let span = self.span(kind.span.start as usize..colon);
            diagnostic = diagnostic.at(span, "a target belongs behind the colon");
        }
        self.report(diagnostic);
    }

    fn read_action(&mut self) {
        match self.peek() {
            Some(Ok(Raw::BraceOpen)) => {
                self.lexer.next();
                self.open_context(OpenKind::Brace, Token::BraceOpen);
                self.read_body();
            }
            Some(Ok(Raw::Less)) => {
                self.lexer.next();
                self.open_context(OpenKind::Angle, Token::AngleOpen);
                self.read_body();
            }
            _ if self.item.diagnostics.is_empty() => self.report_no_action(),
            _ => {
                self.item.usable = false;
                self.resync();
            }
        }
    }

    /// Something other than a predicate or an action follows the header.
    fn report_no_action(&mut self) {
        let mut ahead = self.lexer.clone();
        if ahead.next().is_none() {
            let end = self.last_end();
            let header = self.span(self.item.start..end);
            self.report(
                Diagnostic::error(Code::UnexpectedEnd, "the probe has no action")
                    .at(self.span(end..end), "expected `{ ... }` or `< ... >` here")
                    .at(header, "the probe"),
            );
            self.item.usable = false;
            return;
        }
        let start = ahead.span().start;
        let found = self.describe_next();
        let message = format!("expected `{{`, `<` or a predicate after the probe, found {found}");
        let diagnostic = Diagnostic::error(Code::UnexpectedToken, message);
        self.skip_to_action();
        let junk = start..self.lexer.span().end.max(start);
        self.report(self.explain_junk(diagnostic, junk));
        if self.peek() == Some(Ok(Raw::BraceOpen)) { self.read_action() } else { self.item.usable = false }
    }

    /// Words between a probe and its `{` are most often a predicate without its slashes.
    fn explain_junk(&self, diagnostic: Diagnostic, junk: Range<usize>) -> Diagnostic {
        let span = self.span(junk.clone());
        let text = self.text.get(junk).unwrap_or_default();
        if self.peek() != Some(Ok(Raw::BraceOpen)) || text.contains('\n') || text.is_empty() {
            let first = self.text.get(span.start as usize..).and_then(|rest| rest.split_whitespace().next());
            let length = first.map_or(0, str::len);
            return diagnostic.at(self.span(span.start as usize..span.start as usize + length), "");
        }
        let mended = format!("/{}/", text.trim_matches('/').trim());
        let mut diagnostic =
            diagnostic.at(span, "").help(format!("a predicate is written between slashes: {mended} {{"));
        diagnostic.edit = Some(Edit { span, replacement: mended });
        diagnostic
    }

    /// Goes to the next `{`, unless an item seems to begin before.
    fn skip_to_action(&mut self) {
        loop {
            let mut ahead = self.lexer.clone();
            match ahead.next() {
                None | Some(Ok(Raw::BraceOpen | Raw::BraceClose | Raw::Semicolon)) => return,
                Some(Ok(Raw::Word)) if takes_target(ahead.slice()) && has_target(ahead.remainder()) => return,
                Some(Ok(Raw::Word)) if stands_alone(ahead.slice()) => return,
                _ => self.lexer = ahead,
            }
        }
    }

    /// A message's name for the token that comes next.
    fn describe_next(&self) -> String {
        let mut ahead = self.lexer.clone();
        match ahead.next() {
            None => "the end of the script".to_string(),
            Some(_) => quote(ahead.slice()),
        }
    }
}

/// A piece of source for a message, cut when it is long.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(24).filter(|c| !c.is_control()).collect();
    if text.chars().nth(24).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}
