//! The formatter: tokens in, text out. Every comment is kept, and blank lines where one stands (one of several).
//!
//! Between items the source's own lines are kept: comments, and lines of the preprocessor. Definitions of C stay as they
//! are. Formatting what was formatted changes nothing.

mod gap;
mod layout;
mod space;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::{Item, SpannedToken, next_item, raw_tokens};
use crate::parser::{parse_import, shebang_length};
use crate::preamble::read_preamble;
use crate::source::{FileId, SourceMap, Span};
use crate::token::Token;
use gap::Gap;
use layout::Layout;

/// Formats a script, or says why it does not parse. Actions in angle brackets get braces, unless they shall keep theirs.
pub fn format(sources: &SourceMap, file: FileId, keep_angles: bool) -> Result<String, Diagnostics> {
    let text = sources.get(file).map_or("", |source| source.text.as_str());
    let (_, messages) = parse_import(sources, file, 0);
    if messages.has_errors() {
        return Err(messages);
    }
    let formatted = Formatter { text, file, keep_angles }.run();
    if words(text, file) == words(&formatted, file) {
        return Ok(formatted);
    }
    let mut messages = Diagnostics::default();
    let what = "formatting would change what the script means; it is left as it is";
    messages.push(Diagnostic::error(Code::Internal, what).at(Span::new(file, 0, 0), ""));
    Err(messages)
}

struct Formatter<'a> {
    text: &'a str,
    file: FileId,
    keep_angles: bool,
}

impl Formatter<'_> {
    fn run(&self) -> String {
        let preamble = read_preamble(self.text, self.file).0;
        let blanked = preamble.text.as_ref();
        let mut out = String::with_capacity(self.text.len() + 64);
        let (mut at, mut end) = (shebang_length(self.text), 0);
        while let Some(item) = next_item(blanked, self.file, at, &[]) {
            let between = self.text.get(end..item.start).unwrap_or_default();
            gap::between_items(&mut out, between, end > 0);
            at = item.end;
            end = self.item(&mut out, blanked, item);
        }
        gap::between_items(&mut out, self.text.get(end..).unwrap_or_default(), end > 0);
        let kept = out.trim_end().len();
        out.truncate(kept);
        out.push('\n');
        out
    }

    /// Prints an item; gives the offset of its end.
    fn item(&self, out: &mut String, blanked: &str, item: Item<'_>) -> usize {
        if let Some(definition) = &item.c_definition {
            let span = definition.span.start as usize..definition.span.end as usize;
            let text = self.text.get(span).unwrap_or_default();
            let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
            out.push_str(&lines.join("\n"));
            if !text.starts_with('#') {
                out.push(';');
            }
            return definition.span.end as usize;
        }
        let (start, end) = (item.start, item.end);
        let tokens = if item.tokens.is_empty() { raw_tokens(blanked, start..end) } else { item.tokens };
        Layout::new(self.text, &tokens, self.keep_angles).print(out);
        tokens.last().map_or(end, |token| token.2)
    }
}

/// What has to stay the same: the words and signs, without empty statements.
fn words(text: &str, file: FileId) -> Vec<String> {
    let preamble = read_preamble(text, file).0;
    let blanked = preamble.text.as_ref();
    let mut words = Vec::new();
    let mut at = shebang_length(text);
    while let Some(item) = next_item(blanked, file, at, &[]) {
        at = item.end;
        words.extend(item.c_definition.iter().map(|definition| definition.text.split_whitespace().collect()));
        let config = item.c_definition.is_none() && item.tokens.is_empty();
        let tokens = if config { raw_tokens(blanked, item.start..item.end) } else { item.tokens };
        for token in &tokens {
            let empty = words.last().is_some_and(|last: &String| last == ";" || last == "{");
            if token.1 != Token::Semicolon || !empty {
                words.push(word(blanked, token));
            }
        }
    }
    words
}

fn word(text: &str, (start, token, end): &SpannedToken<'_>) -> String {
    match token {
        Token::AngleOpen => "{".to_string(),
        Token::AngleClose => "}".to_string(),
        // what a sign was read as counts, too
        token if matches!(token, Token::CastOpen | Token::RecordOpen | Token::TypeOpen) => format!("{token:?}"),
        _ => text.get(*start..*end).unwrap_or_default().to_string(),
    }
}

/// The comments before a token.
fn gap_before<'t>(text: &'t str, tokens: &[SpannedToken<'_>], at: usize) -> Gap<'t> {
    let start = tokens.get(at).map_or(0, |token| token.0);
    let end = at.checked_sub(1).and_then(|at| tokens.get(at)).map_or(start, |token| token.2);
    Gap::read(text.get(end..start).unwrap_or_default())
}
