//! Lines of the C preprocessor at the head of bpftrace scripts. Types come from the kernel's BTF here, so headers are not
//! needed: `#include` does nothing, and the branches that scripts keep for kernels without BTF are left out. What is
//! handled is blanked, byte for byte, so that spans stay right; every other such line is left to the parser to refuse.
//! A `#define` of a name as a number or string makes the name a constant.

use crate::c::{Macro, Macros, evaluate, macro_of};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::string_literal;
use crate::source::{FileId, Span};
use std::borrow::Cow;
use std::collections::HashMap;

/// Names that stand for literals.
pub(crate) type Constants = HashMap<String, Constant>;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Constant {
    /// A number that an int64 or uint64 holds.
    Number(i128),
    Text(Vec<u8>),
}

/// What is left of a source.
pub(crate) struct Preamble<'t> {
    /// The text with all that was handled replaced by blanks.
    pub(crate) text: Cow<'t, str>,
    /// What `#define` lines say.
    pub(crate) constants: Constants,
    /// All of them, for definitions of types.
    pub(crate) macros: Macros,
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
    /// What stands behind the word.
    Define(&'t str),
    /// Opens a branch whose lines count or not.
    If(bool),
    Else,
    End,
}

/// Handles what it can of the preprocessor's lines.
pub(crate) fn read_preamble(text: &str, file: FileId) -> (Preamble<'_>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let (text, constants, macros) = read_lines(text, file, &mut diagnostics);
    (Preamble { text, constants, macros }, diagnostics)
}

fn read_lines<'t>(text: &'t str, file: FileId, diagnostics: &mut Diagnostics) -> (Cow<'t, str>, Constants, Macros) {
    let (mut constants, mut macros) = (Constants::default(), Macros::default());
    if !text.lines().any(|line| directive(line, &macros).is_some()) {
        return (Cow::Borrowed(text), constants, macros);
    }
    let mut blanked = String::with_capacity(text.len());
    let mut open: Vec<Branch> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(line_length(rest));
        rest = behind;
        let span = Span::new(file, blanked.len(), blanked.len() + line.trim_end().len());
        let counts = open.iter().all(|branch| branch.active);
        let handled = match (directive(line, &macros), open.last_mut()) {
            (Some(Directive::If(active)), _) => {
                open.push(Branch { span, active });
                true
            }
            (Some(Directive::Else), Some(branch)) => {
                branch.active = !branch.active;
                true
            }
            (Some(Directive::End), Some(_)) => open.pop().is_some(),
            (Some(Directive::Define(rest)), _) => !counts || define(rest, &mut constants, &mut macros),
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
    (Cow::Owned(blanked), constants, macros)
}

/// Bytes of the first line; a line of the preprocessor that ends in a backslash goes on with the next one.
fn line_length(text: &str) -> usize {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        length += line.len();
        if !(text.trim_start().starts_with('#') && line.trim_end().ends_with('\\')) {
            break;
        }
    }
    length
}

/// As many blanks as the character has bytes; line ends stay.
fn blank(c: char) -> impl Iterator<Item = char> {
    std::iter::repeat_n(if c == '\n' { c } else { ' ' }, c.len_utf8())
}

fn directive<'t>(line: &'t str, macros: &Macros) -> Option<Directive<'t>> {
    let rest = line.trim().strip_prefix('#')?.trim_start();
    let (word, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    let name = rest.split(|c: char| c.is_whitespace() || c == '/').find(|part| !part.is_empty()).unwrap_or_default();
    let defined = || DEFINED.contains(&name) || macros.contains_key(name);
    Some(match word {
        "include" => Directive::Include,
        "define" => Directive::Define(rest),
        "ifdef" => Directive::If(defined()),
        "ifndef" => Directive::If(!defined()),
        "else" => Directive::Else,
        "endif" => Directive::End,
        _ => return None,
    })
}

/// ` NAME 42`, ` NAME (0x10) /* why */`, ` NAME "text"`, ` NAME(x) ((x) * 2)`; false for what means something else.
fn define(rest: &str, constants: &mut Constants, macros: &mut Macros) -> bool {
    let Some((name, found)) = macro_of(&rest.replace("\\\n", " ")) else { return false };
    let is_constant = match (&found, text_of(&found.body)) {
        (Macro { params: Some(_), .. }, _) => true,
        (Macro { body, .. }, _) if body.is_empty() => true,
        (_, Some(text)) => {
            constants.insert(name.clone(), Constant::Text(text));
            true
        }
        (Macro { body, .. }, None) => match evaluate(body, macros, &|_| None).filter(|value| fits(*value)) {
            Some(value) => {
                constants.insert(name.clone(), Constant::Number(value));
                true
            }
            None => false,
        },
    };
    if is_constant {
        macros.insert(name, found);
    }
    is_constant
}

fn fits(value: i128) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value)
}

/// The bytes of a string literal.
fn text_of(body: &str) -> Option<Vec<u8>> {
    let inner = body.strip_prefix('"')?.strip_suffix('"')?;
    string_literal(inner)
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
        assert_eq!(lines("#define F x + y\n  # include <x.h>\nbegin { }"), ["#define F x + y", "begin { }"]);
    }

    #[test]
    fn numbers_get_names() {
        let text = "#define A 5\n#define B (0x10) /* why */\n#ifdef NO\n#define C 1\n#endif\n";
        let constants = read_preamble(text, FileId(0)).0.constants;
        let number = |value| Constant::Number(value);
        assert_eq!(constants, HashMap::from([("A".into(), number(5)), ("B".into(), number(16))]));
        let text =
            "#define A 5\n#define F(x) ((x) * A)\n#define B -F(2 + 1)\n#define T \"a\\n\"\n#define N\n#ifdef N\n";
        let (preamble, _) = read_preamble(text, FileId(0));
        assert_eq!(preamble.constants.get("B"), Some(&number(-15)));
        assert_eq!(preamble.constants.get("T"), Some(&Constant::Text(b"a\n".to_vec())));
    }

    #[test]
    fn an_open_branch_is_reported() {
        let (_, diagnostics) = read_preamble("begin { }\n#ifdef X\nend { }", FileId(0));
        assert!(diagnostics.has_errors());
    }
}
