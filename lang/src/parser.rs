//! Source to tree. Nothing of LALRPOP leaves this module.
//!
//! Items come from the structure pass one by one. An item that does not parse is mended where it is broken, with a
//! message, and parsed again: each mistake gives one message, and the rest of the item is still looked at.

pub(crate) mod build;
mod mend;
mod message;

use crate::ast::{Ast, CDefinition, ConfigEntry, DocComment, Item as AstItem};
use crate::c::read_definitions;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::{Item, next_item, plausible_item};
use crate::preamble::{Constants, read_preamble};
use crate::source::{FileId, SourceMap, Span};
use build::Builder;
use mend::Mender;

#[allow(clippy::all, unused, missing_docs, unreachable_pub)]
mod grammar {
    lalrpop_util::lalrpop_mod!(lt);
    pub(super) use lt::ItemParser;
}

/// Largest source text, in bytes.
const MAX_SOURCE: usize = 1 << 20;

/// Mistakes mended in one item before it is given up.
const MAX_MENDS: usize = 20;

/// Messages after which the rest of the source is not looked at.
const MAX_MESSAGES: usize = 64;

/// Control characters that are taken for typing errors.
const MAX_CONTROL: usize = 8;

/// A `>` that was meant to compare is looked for in so many places of one action ...
const MAX_FORCED: usize = 4;

/// ... and so many times in one source.
const MAX_ATTEMPTS: usize = 32;

/// Parses a source text. The tree holds every probe whose header is sound; what could not be parsed within them is an
/// error node, and was reported. Takes time linear in the length of the text.
pub fn parse(sources: &SourceMap, file: FileId) -> (Ast, Diagnostics) {
    let (ast, mut diagnostics) = parse_import(sources, file, 0);
    let imports = !ast.imports.is_empty();
    if ast.probes.is_empty() && !imports && !diagnostics.has_errors() {
        diagnostics.push(no_probe(file));
    }
    (ast, diagnostics)
}

/// The message for a script without a probe.
pub fn no_probe(file: FileId) -> Diagnostic {
    Diagnostic::error(Code::EmptyProgram, "the script holds no probe")
        .at(Span::new(file, 0, 0), "")
        .help("for example: kprobe:vfs_read { @[comm] = count() }")
}

/// The same for a text that need not hold a probe; its nodes are numbered from `first`.
pub fn parse_import(sources: &SourceMap, file: FileId, first: u32) -> (Ast, Diagnostics) {
    let text = sources.get(file).map_or("", |source| source.text.as_str());
    let (preamble, diagnostics) = read_preamble(text, file);
    let (text, constants) = (preamble.text.as_ref(), &preamble.constants);
    let mut parser =
        Parser { text, file, constants, attempts: 0, ast: Ast { node_count: first, ..Ast::default() }, diagnostics };
    if text.len() > MAX_SOURCE {
        let message = format!("the source is larger than {MAX_SOURCE} bytes");
        parser.diagnostics.push(Diagnostic::error(Code::SourceTooLarge, message).at(Span::new(file, 0, 0), ""));
    } else if let Some(at) = no_text(text) {
        let diagnostic = Diagnostic::error(Code::NotText, "the source holds control characters: it is no text");
        parser.diagnostics.push(diagnostic.at(Span::new(file, at, at + 1), ""));
    } else {
        parser.parse_items();
        let written = std::mem::take(&mut parser.ast.c_definitions);
        parser.ast.definitions = read_definitions(text, file, &written, &preamble.macros, &mut parser.diagnostics);
        parser.ast.c_definitions = written;
    }
    (parser.ast, parser.diagnostics)
}

/// Where the text stops being one: at a NUL byte, or when control characters abound.
fn no_text(text: &str) -> Option<usize> {
    let control = |byte: &u8| (*byte < b'\t' || (0x0e..0x20).contains(byte) || *byte == 0x7f) && *byte != 0x1b;
    let abounding = text.bytes().enumerate().filter(|(_, byte)| control(byte)).nth(MAX_CONTROL).map(|(at, _)| at);
    text.find('\0').or(abounding)
}

/// The length of a first line `#!...`.
pub(crate) fn shebang_length(text: &str) -> usize {
    if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 }
}

fn covers(span: Span, offset: usize) -> bool {
    (span.start as usize..span.end as usize).contains(&offset)
}

struct Parser<'a> {
    text: &'a str,
    file: FileId,
    constants: &'a Constants,
    attempts: usize,
    ast: Ast,
    diagnostics: Diagnostics,
}

/// An item with what came of it.
struct ParsedItem {
    made: Option<AstItem>,
    config: Vec<ConfigEntry>,
    c_definition: Option<CDefinition>,
    diagnostics: Vec<Diagnostic>,
    next_node: u32,
    angle_close: Option<usize>,
    start: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn parse_items(&mut self) {
        let mut offset = shebang_length(self.text);
        while let Some(item) = next_item(self.text, self.file, offset, &[]) {
            self.read_docs(offset, item.start);
            let mut parsed = self.parse_item(item);
            if parsed.angle_close.is_some() && !plausible_item(self.text, parsed.end) {
                parsed = self.retry_comparison(parsed);
            }
            offset = parsed.end;
            self.ast.config.append(&mut parsed.config);
            self.ast.node_count = parsed.next_node;
            self.ast.c_definitions.extend(parsed.c_definition);
            match parsed.made {
                Some(AstItem::Probe(probe)) => self.ast.probes.push(probe),
                Some(AstItem::Import(import)) => self.ast.imports.push(import),
                Some(AstItem::Map(map)) => self.ast.maps.push(map),
                Some(AstItem::Macro(one)) => self.ast.macros.push(one),
                Some(AstItem::Function(function)) => self.ast.functions.push(function),
                Some(AstItem::Script(item, span)) => self.ast.script.push((item, span)),
                None => {}
            }
            parsed.diagnostics.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
            if self.diagnostics.iter().count() >= MAX_MESSAGES {
                return;
            }
        }
    }

    /// Keeps the comments that document between two items.
    fn read_docs(&mut self, from: usize, to: usize) {
        let mut at = from;
        for line in self.text.get(from..to).unwrap_or_default().split_inclusive('\n') {
            let start = at + line.len() - line.trim_start().len();
            let comment = line.trim();
            at += line.len();
            let (of_script, text) = match (comment.strip_prefix("//!"), comment.strip_prefix("///")) {
                (Some(text), _) => (true, text),
                (None, Some(text)) if !text.starts_with('/') => (false, text),
                _ => continue,
            };
            let text = text.strip_prefix(' ').unwrap_or(text).to_string();
            let span = Span::new(self.file, start, start + comment.len());
            self.ast.docs.push(DocComment { of_script, text, span });
        }
    }

    fn parse_item(&self, item: Item<'a>) -> ParsedItem {
        let mut parsed = ParsedItem {
            made: None,
            config: item.config,
            c_definition: item.c_definition,
            diagnostics: item.diagnostics,
            next_node: self.ast.node_count,
            angle_close: item.angle_close,
            start: item.start,
            end: item.end,
        };
        if !item.usable {
            return parsed;
        }
        let mut mender = Mender::new(self.text, self.file, item.tokens, item.marks);
        for _ in 0..=MAX_MENDS {
            let mut builder = Builder::new(self.text, self.file, self.ast.node_count, self.constants);
            let mut taken = 0;
            let tokens = mender.tokens.iter().cloned().inspect(|_| taken += 1);
            let result = grammar::ItemParser::new().parse(&mut builder, tokens);
            let (next_node, diagnostics) = builder.finish();
            match result {
                Ok(made) => {
                    parsed.diagnostics.extend(diagnostics);
                    parsed.next_node = next_node;
                    parsed.made = Some(made);
                    break;
                }
                Err(error) => {
                    if !mender.mend(taken.max(1) - 1, &message::expected(error)) {
                        break;
                    }
                }
            }
        }
        parsed.diagnostics.extend(mender.diagnostics);
        parsed
    }

    /// What follows the action cannot follow it, so perhaps the `>` that closed it was meant to compare: reads the
    /// item again with that `>` as an operator, and so on with the next one. Keeps `first` when that does not help.
    fn retry_comparison(&mut self, first: ParsedItem) -> ParsedItem {
        let mut forced: Vec<usize> = first.angle_close.into_iter().collect();
        while forced.len() <= MAX_FORCED && self.attempts < MAX_ATTEMPTS {
            self.attempts += 1;
            let Some(item) = next_item(self.text, self.file, first.start, &forced) else { break };
            let tokens: Vec<_> = item.tokens.iter().map(|(from, token, to)| (*from, token.clone(), *to)).collect();
            let mut again = self.parse_item(item);
            if again.diagnostics.len() <= first.diagnostics.len() && plausible_item(self.text, again.end) {
                // a condition without parentheses has its own message
                let told =
                    |at: &usize| again.diagnostics.iter().any(|other| other.labels.iter().any(|l| covers(l.span, *at)));
                forced.retain(|at| !told(at));
                let comparisons = message::comparisons(self.text, self.file, &tokens, &forced);
                again.diagnostics.extend(comparisons);
                return again;
            }
            match again.angle_close {
                Some(next) => forced.push(next),
                None => break,
            }
        }
        first
    }
}
