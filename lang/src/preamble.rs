//! Lines of the C preprocessor at the head of bpftrace scripts. Types come from the kernel's BTF here, so headers are not
//! needed: `#include` does nothing, and the branches that scripts keep for kernels without BTF are left out. What is
//! handled is blanked, byte for byte, so that spans stay right; every other such line is left to the parser to refuse.
//! A `#define` of a name as a number makes the name a constant.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::number;
use crate::source::{FileId, Span};
use std::borrow::Cow;
use std::collections::HashMap;

/// Names that stand for integer literals: their bits and whether they are unsigned.
pub(crate) type Constants = HashMap<String, (u64, bool)>;

/// What is left of a source.
pub(crate) struct Preamble<'t> {
    /// The text with all that was handled replaced by blanks.
    pub(crate) text: Cow<'t, str>,
    /// What `#define` lines say.
    pub(crate) constants: Constants,
}

/// Names that count as defined: bpftrace defines this one when types come from BTF.
const DEFINED: &[&str] = &["BPFTRACE_HAVE_BTF"];

/// An open `#ifdef` or `#ifndef`.
struct Branch {
    /// Its line, for the message when it is never closed.
    span: Span,
    /// Its lines count.
    active: bool,
}

/// What a line asks for.
enum Directive<'t> {
    Include,
    /// A name for a number.
    Define(&'t str, (u64, bool)),
    /// Opens a branch whose lines count or not.
    If(bool),
    Else,
    End,
}

/// Handles what it can of the preprocessor's lines.
pub(crate) fn read_preamble(text: &str, file: FileId) -> (Preamble<'_>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let mut constants = Constants::default();
    if !text.lines().any(|line| directive(line).is_some()) {
        return (Preamble { text: Cow::Borrowed(text), constants }, diagnostics);
    }
    let mut blanked = String::with_capacity(text.len());
    let mut open: Vec<Branch> = Vec::new();
    for line in text.split_inclusive('\n') {
        let span = Span::new(file, blanked.len(), blanked.len() + line.trim_end().len());
        let counts = open.iter().all(|branch| branch.active);
        let handled = match (directive(line), open.last_mut()) {
            (Some(Directive::If(active)), _) => {
                open.push(Branch { span, active });
                true
            }
            (Some(Directive::Else), Some(branch)) => {
                branch.active = !branch.active;
                true
            }
            (Some(Directive::End), Some(_)) => open.pop().is_some(),
            (Some(Directive::Define(name, value)), _) => {
                if counts {
                    constants.insert(name.to_string(), value);
                }
                true
            }
            (Some(Directive::Include), _) => true,
            (Some(Directive::Else | Directive::End) | None, _) => false,
        };
        if handled || !counts {
            blanked.extend(line.chars().flat_map(blank));
        } else {
            blanked.push_str(line);
        }
    }
    for branch in open {
        let message = "the `#endif` of this line is missing";
        diagnostics.push(Diagnostic::error(Code::UnexpectedEnd, message).at(branch.span, "opened here"));
    }
    (Preamble { text: Cow::Owned(blanked), constants }, diagnostics)
}

/// As many blanks as the character has bytes; line ends stay.
fn blank(c: char) -> impl Iterator<Item = char> {
    std::iter::repeat_n(if c == '\n' { c } else { ' ' }, c.len_utf8())
}

fn directive(line: &str) -> Option<Directive<'_>> {
    let rest = line.trim().strip_prefix('#')?.trim_start();
    let (word, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    let name = rest.split(|c: char| c.is_whitespace() || c == '/').find(|part| !part.is_empty()).unwrap_or_default();
    Some(match word {
        "include" => Directive::Include,
        "define" => return define(rest),
        "ifdef" => Directive::If(DEFINED.contains(&name)),
        "ifndef" => Directive::If(!DEFINED.contains(&name)),
        "else" => Directive::Else,
        "endif" => Directive::End,
        _ => return None,
    })
}

/// ` NAME 42`, ` NAME (0x10) /* why */`
fn define(rest: &str) -> Option<Directive<'_>> {
    let rest = rest.split("//").next().and_then(|rest| rest.split("/*").next()).unwrap_or(rest);
    let (name, value) = rest.trim().split_once(char::is_whitespace)?;
    let value = value.trim();
    let value = value.strip_prefix('(').and_then(|value| value.strip_suffix(')')).unwrap_or(value).trim();
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_number = value.starts_with(|c: char| c.is_ascii_digit());
    (is_name && is_number).then(|| number(value).ok())?.map(|value| Directive::Define(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let (preamble, diagnostics) = read_preamble(text, FileId(0));
        let blanked = preamble.text;
        assert_eq!(blanked.len(), text.len(), "spans stay right");
        assert!(diagnostics.is_empty());
        blanked.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(String::from).collect()
    }

    #[test]
    fn branches_without_btf_are_left_out() {
        let text = "#ifndef BPFTRACE_HAVE_BTF\n#include <linux/fs.h>\nstruct ä { int x; }\n#else\nwith\n#endif\nrest\n";
        assert_eq!(lines(text), ["with", "rest"]);
        assert_eq!(lines("#ifdef BPFTRACE_HAVE_BTF\na\n#ifdef OTHER\nb\n#else\nc\n#endif\n#endif\nd"), ["a", "c", "d"]);
    }

    #[test]
    fn other_lines_are_left_to_the_parser() {
        assert_eq!(lines("#define F(x) x\n  # include <x.h>\nbegin { }"), ["#define F(x) x", "begin { }"]);
    }

    #[test]
    fn numbers_get_names() {
        let text = "#define A 5\n#define B (0x10) /* why */\n#ifdef NO\n#define C 1\n#endif\n";
        let constants = read_preamble(text, FileId(0)).0.constants;
        assert_eq!(constants, HashMap::from([("A".into(), (5, false)), ("B".into(), (16, false))]));
    }

    #[test]
    fn an_open_branch_is_reported() {
        let (_, diagnostics) = read_preamble("begin { }\n#ifdef X\nend { }", FileId(0));
        assert!(diagnostics.has_errors());
    }
}
