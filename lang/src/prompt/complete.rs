//! What could stand at a place of a script: probes from the kernel's lists, fields from the types that the checker finds,
//! words from the tables.

use super::defined;
use super::target::complete_target;
use crate::builtins::{self, Form, ParamClass};
use crate::check::{COMPLETED, SessionOptions};
use crate::kernel::Kernel;
use crate::lexer::{Item, SpannedToken, next_item};
use crate::source::{FileId, SourceMap};
use crate::token::{KEYWORDS, Token};
use crate::types::StackMode;
use crate::{aggregations, config};
use std::collections::BTreeSet;

/// What could stand at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins that is completed: a byte of the text.
    pub start: usize,
    /// What it could become, sorted.
    pub words: Vec<String>,
}

impl Completion {
    /// Those of `words` that go on with what stands from `start` on.
    pub(super) fn of(before: &str, start: usize, words: impl IntoIterator<Item = impl Into<String>>) -> Completion {
        let prefix = before.get(start..).unwrap_or_default();
        let words: BTreeSet<String> =
            words.into_iter().map(Into::into).filter(|word| word.starts_with(prefix)).collect();
        Completion { start, words: words.into_iter().collect() }
    }
}

/// What could stand at byte `at` of a script, as far as what is before it tells.
pub fn complete(text: &str, at: usize, kernel: &dyn Kernel, options: &SessionOptions) -> Completion {
    let before = text.get(..at).unwrap_or(text);
    let items = items(before);
    let Some(item) = items.last().filter(|item| !in_text(item, before)) else {
        return if items.is_empty() { probe_at(before, word_start(before), kernel) } else { nothing(before) };
    };
    let real: Vec<&SpannedToken<'_>> = item.tokens.iter().filter(|(start, _, end)| start < end).collect();
    let start = word_start(before);
    let Some((from, last, to)) = real.last().copied() else {
        let settings = config::ALL.iter().map(|setting| setting.name);
        let inside = before.get(item.start..).is_some_and(|text| text.starts_with("config") && text.contains('{'));
        return if inside { Completion::of(before, start, settings) } else { nothing(before) };
    };
    match last {
        Token::Target(_) if *to == before.len() => probe_at(before, *from, kernel),
        Token::Target(_) => nothing(before),
        Token::Comma if !in_body(&real) => probe_at(before, start, kernel),
        Token::BraceClose | Token::AngleClose if is_whole(item) => probe_at(before, start, kernel),
        _ => in_action(before, &items, &real, kernel, options),
    }
}

/// The items of a text that ends somewhere.
fn items(before: &str) -> Vec<Item<'_>> {
    let (mut items, mut offset) = (Vec::new(), 0);
    while let Some(item) = next_item(before, FileId::default(), offset, &[]) {
        offset = item.end.max(offset + 1);
        items.push(item);
        if offset >= before.len() {
            break;
        }
    }
    items
}

/// Whether the end lies in a string or comment.
fn in_text(item: &Item<'_>, before: &str) -> bool {
    use crate::codes::Code::{UnterminatedComment, UnterminatedString};
    let behind = item.tokens.iter().map(|token| token.2).max().unwrap_or(item.start);
    let rest = before.get(behind..).unwrap_or_default();
    rest.rsplit('\n').next().is_some_and(|line| line.contains("//"))
        || item.diagnostics.iter().any(|message| matches!(message.code, UnterminatedComment | UnterminatedString))
}

fn in_body(tokens: &[&SpannedToken<'_>]) -> bool {
    tokens.iter().any(|(_, token, _)| matches!(token, Token::PredicateOpen | Token::BraceOpen | Token::AngleOpen))
}

/// Whether the source itself closes the action.
fn is_whole(item: &Item<'_>) -> bool {
    item.tokens.last().is_some_and(|(start, _, end)| start < end)
}

fn nothing(before: &str) -> Completion {
    Completion { start: before.len(), words: Vec::new() }
}

fn word_start(before: &str) -> usize {
    before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()
}

/// Beginnings of items that are no probes.
const ITEMS: [&str; 3] = ["config = {", "import ", "macro "];

fn probe_at(before: &str, start: usize, kernel: &dyn Kernel) -> Completion {
    let word = before.get(start..).unwrap_or_default();
    let mut target = complete_target(word, kernel);
    if !word.contains(':') {
        target.words.extend(ITEMS.iter().filter(|item| item.starts_with(word)).map(|item| item.to_string()));
    }
    Completion { start: start + target.start, words: target.words }
}

/// In a predicate or action.
fn in_action(
    before: &str,
    items: &[Item<'_>],
    real: &[&SpannedToken<'_>],
    kernel: &dyn Kernel,
    options: &SessionOptions,
) -> Completion {
    let start = word_start(before);
    let all = || items.iter().flat_map(|item| item.tokens.iter().filter(|token| token.2 < before.len()));
    if let Some(sign) = before.get(..start).and_then(|head| head.strip_suffix('$')) {
        let names = all().filter_map(|(_, token, _)| if let Token::Var(name) = token { Some(*name) } else { None });
        return Completion::of(before, sign.len(), names.map(|name| format!("${name}")));
    }
    if let Some(sign) = before.get(..start).and_then(|head| head.strip_suffix('@')) {
        let names = all().filter_map(|(_, token, _)| if let Token::Map(name) = token { Some(*name) } else { None });
        let names = names.chain(options.known_maps.names()).map(|name| format!("@{name}"));
        return Completion::of(before, sign.len(), names);
    }
    let head: Vec<&SpannedToken<'_>> = real.iter().copied().filter(|token| token.2 <= start).collect();
    match head.last() {
        Some((_, Token::Dot | Token::Arrow, _)) => {
            let fields = fields(before, &head, kernel, options).unwrap_or_default();
            Completion::of(before, start, fields)
        }
        _ if before.get(start..).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit())) => nothing(before),
        _ => {
            let macros = defined::parsed(before).macros.into_iter().map(|one| format!("{}(", one.name.text));
            Completion::of(before, start, words(&head).into_iter().chain(macros))
        }
    }
}

/// Words that can stand in an action.
fn words(head: &[&SpannedToken<'_>]) -> Vec<String> {
    let form = |row: &builtins::Builtin| match row.form {
        Form::Function => format!("{}(", row.name),
        Form::Value => row.name.to_string(),
    };
    let modes = called(head).and_then(builtins::lookup).is_some_and(|row| {
        let takes = |class| row.params.iter().any(|param| param.class == class);
        takes(ParamClass::StackOption)
    });
    let modes = StackMode::WORDS.iter().filter(|_| modes).map(|row| row.0.to_string());
    builtins::all()
        .map(form)
        .chain(aggregations::ALL.iter().map(|row| format!("{}(", row.name)))
        .chain(KEYWORDS.iter().map(|row| row.0.to_string()))
        .chain(modes)
        .collect()
}

/// The function in whose parentheses the end lies.
fn called<'a>(head: &[&SpannedToken<'a>]) -> Option<&'a str> {
    let mut depth = 0usize;
    for (at, (_, token, _)) in head.iter().enumerate().rev() {
        match token {
            Token::ParenClose => depth += 1,
            Token::ParenOpen | Token::CastOpen if depth > 0 => depth -= 1,
            Token::ParenOpen => {
                return match head.get(at.checked_sub(1)?) {
                    Some((_, Token::Name(name), _)) => Some(*name),
                    _ => None,
                };
            }
            Token::Semicolon | Token::BraceOpen | Token::AngleOpen => return None,
            _ => {}
        }
    }
    None
}

/// The fields of what stands before the dot that `head` ends with: the checker lists them in its message about one that
/// does not exist. What stands around the operand is left out; it may be incomplete.
fn fields(
    before: &str,
    head: &[&SpannedToken<'_>],
    kernel: &dyn Kernel,
    options: &SessionOptions,
) -> Option<Vec<String>> {
    let dot = head.len().checked_sub(1)?;
    let operand = head.get(operand_start(head, dot))?.0;
    let begins = |token: &Token<'_>| {
        matches!(
            token,
            Token::Semicolon | Token::BraceOpen | Token::BraceClose | Token::AngleOpen | Token::PredicateOpen
        )
    };
    let opener = head.iter().rev().skip(1).find(|(start, token, _)| *start < operand && begins(token))?;
    let chain = before.get(operand..head.get(dot)?.2)?;
    let end = if opener.1 == Token::PredicateOpen { "/ { }" } else { "" };
    let script = format!("{} {chain}{COMPLETED}{end}", before.get(..opener.2)?);
    let mut sources = SourceMap::default();
    let file = sources.add("", script);
    let (ast, _) = crate::expand(crate::parse(&sources, file).0, &mut sources);
    let (options, _) = config::configure(&ast.config, &[], options.clone());
    let (_, messages) = crate::check(&ast, kernel, &options);
    Some(messages.iter().flat_map(|message| message.candidates.iter().cloned()).collect())
}

/// The index of the first token of the operand that ends before `end`: names, calls, indexes and fields of each other.
fn operand_start(head: &[&SpannedToken<'_>], end: usize) -> usize {
    let token = |at: usize| head.get(at).map(|(_, token, _)| token);
    let mut at = end;
    loop {
        at = at.saturating_sub(1);
        while matches!(token(at), Some(Token::ParenClose | Token::BracketClose)) && at > 0 {
            at = opening(head, at);
            // the name of the function or the value that is indexed
            let behind = matches!(
                token(at.wrapping_sub(1)),
                Some(Token::Name(_) | Token::Map(_) | Token::Var(_) | Token::ParenClose | Token::BracketClose)
            );
            if !behind {
                break;
            }
            at -= 1;
        }
        match token(at.wrapping_sub(1)) {
            Some(Token::Dot | Token::Arrow) => at -= 1,
            _ => return at,
        }
    }
}

/// The index of what the closing token at `close` closes.
fn opening(head: &[&SpannedToken<'_>], close: usize) -> usize {
    let mut depth = 0usize;
    for at in (0..=close).rev() {
        match head.get(at).map(|(_, token, _)| token) {
            Some(Token::ParenClose | Token::BracketClose) => depth += 1,
            Some(Token::ParenOpen | Token::CastOpen | Token::BracketOpen) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::fake::FakeKernel;

    fn completed(text: &str) -> Completion {
        complete(text, text.len(), &FakeKernel::default(), &SessionOptions::default())
    }

    /// The words, of which the one given must be one.
    fn offers(text: &str, word: &str) {
        let found = completed(text);
        assert!(found.words.iter().any(|other| other == word), "{text}: {found:?}");
    }

    #[test]
    fn probes_by_the_kernels_lists() {
        assert_eq!(completed("kre").words, ["kretprobe:"]);
        assert_eq!(completed("kprobe:vfs_rea").words, ["vfs_read"]);
        offers("kprobe:vfs_read { } trace", "tracepoint:");
        offers("kprobe:vfs_read, t", "tracepoint:");
        offers("", "kprobe:");
        assert_eq!(completed("kprobe:vfs_read ").words, [""; 0]);
    }

    #[test]
    fn fields_by_their_types() {
        offers("tracepoint:syscalls:sys_enter_openat { printf(\"%s\", str(args.", "filename");
        assert_eq!(completed("tracepoint:syscalls:sys_enter_openat /args.filen").words, ["filename"]);
        offers("kprobe:vfs_read { @[args.file->f_", "f_mode");
        offers("kprobe:vfs_read { $f = args.file; if ($f.f_path.", "dentry");
        offers("kprobe:vfs_read { @x = ((struct dentry *)arg0)->d_", "d_parent");
        offers("kprobe:vfs_read { @f[tid] = args.file; print(@f[tid].", "f_pos");
        assert_eq!(completed("kprobe:vfs_read { print(pid.").words, [""; 0]);
    }

    #[test]
    fn names_of_the_line() {
        let found = completed("begin { $number = 1; @seen[1] = count(); print($nu");
        assert_eq!((found.start, found.words), (47, vec!["$number".to_string()]));
        assert_eq!(completed("begin { @seen[1] = count(); @sorted = 1; clear(@se").words, ["@seen"]);
        offers("begin { @seen = 1 } end { print(@", "@seen");
        offers("begin { @x = lh", "lhist(");
        offers("begin { com", "comm");
        offers("begin { whi", "while");
        offers("config = { max_m", "max_map_keys");
        offers("conf", "config = {");
        offers("macro doubled(x) { x + x } begin { dou", "doubled(");
        offers("kprobe:vfs_read { @[kstack(pe", "perf");
    }

    #[test]
    fn nothing_in_texts() {
        for text in ["begin { printf(\"co", "begin { // co", "begin { /* co", "begin { 12"] {
            assert_eq!(completed(text).words, [""; 0], "{text}");
        }
    }

    #[test]
    fn any_cut_of_a_script_is_survived() {
        let script = "config = { max_strlen = 9 } kprobe:vfs_read /args.file->f_mode > 1/ { @x[((struct file *)arg0)->f_pos] = \
                      hist(args.file.f_path.dentry->d_flags); if (pid == 1) { print((1, \"é\").0) } } kprobe:f < $x = @y[1]. >";
        for (at, _) in script.char_indices() {
            complete(script, at, &FakeKernel::default(), &SessionOptions::default());
            super::super::shape::shape(script.get(..at).unwrap_or_default(), &[]);
        }
    }
}
