//! What the sources may say, and where.

use super::Findings;
use super::rust::{self, Kind, Piece};
use super::sources::{self, Source};
use lt_lang::{aggregations, builtins};

/// Where `unsafe` may stand in what is given to users; harnesses under tests/ may use it too.
const UNSAFE: [&str; 3] = ["runtime/src/", "codegen/src/llvm.rs", "tests/"];

/// How many lines above an `unsafe` its reason may start.
const REASON_LINES: usize = 8;

/// Modules of std that reach outside of the process.
const IO: [&str; 5] = ["fs", "env", "net", "process", "io"];

/// Rooms that read the tables of names and so need know no name.
const NAMELESS: [&str; 7] = [
    "lang/src/check/",
    "lang/src/check.rs",
    "lang/src/lower/",
    "lang/src/lower.rs",
    "codegen/src/",
    "runtime/src/",
    "src/",
];

/// Words of unfinished work.
const UNFINISHED: [&str; 7] = ["todo!", "unimplemented!", "dbg!", "TODO", "FIXME", "XXX", "HACK"];

/// Folders of one machine.
const PLACES: [&str; 3] = ["/work/", "/home/", "/root/"];

/// How the names of package registries' hosts begin.
const HOSTS: [&str; 5] = ["deb.", "static.", "index.", "registry.", "files."];

/// lang reaches nothing outside of the process.
pub fn io_in_lang() -> Findings {
    search(sources::rust("lang/src/"), |line| IO.iter().any(|module| line.contains(&format!("std::{module}"))))
}

/// `unsafe` stands in the rooms that need it.
pub fn unsafe_places() -> Findings {
    let others = sources::rust("").filter(|source| !UNSAFE.iter().any(|place| source.path.starts_with(place)));
    search(others, has_unsafe)
}

/// Each `unsafe` block has a SAFETY line above it; declarations of foreign names have nothing to say.
pub fn unsafe_reasons() -> Findings {
    let mut findings = Findings::new();
    for source in sources::rust("") {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, _) in rust::code(&source.text)
            .lines()
            .enumerate()
            .filter(|(_, line)| has_unsafe(line) && !line.contains("unsafe extern"))
        {
            let above = &lines[at.saturating_sub(REASON_LINES)..=at];
            if !above.iter().any(|line| line.contains("SAFETY") || line.contains("# Safety")) {
                findings.push(format!("{}:{}: unsafe without a SAFETY line", source.path, at + 1));
            }
        }
    }
    findings
}

fn has_unsafe(line: &str) -> bool {
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|word| line.contains(word))
        || line.ends_with("unsafe")
}

/// No unfinished work, anywhere.
pub fn left_behind() -> Findings {
    find(|line| UNFINISHED.iter().any(|word| holds_word(line, word)), |_| true)
}

/// Whether `word` stands in the line by itself, not inside a longer one.
pub fn holds_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

/// No path of a machine and no host of a registry. Guests of tests/vm have their own folders.
pub fn machine_places() -> Findings {
    let mut findings = find(|line| HOSTS.iter().any(|host| line.contains(&format!("://{host}"))), |_| true);
    let in_guests = |source: &Source| source.path.starts_with("tests/vm/");
    findings.extend(find(|line| PLACES.iter().any(|place| line.contains(place)), |source| !in_guests(source)));
    findings
}

/// The lines that are `bad` in all files that are `wanted`, but for the rules themselves.
fn find(bad: impl Fn(&str) -> bool, wanted: impl Fn(&Source) -> bool) -> Findings {
    let files = sources::all().iter().filter(|source| !source.path.starts_with("tests/tidy/") && wanted(source));
    let lines = files.flat_map(|source| source.text.lines().enumerate().map(move |(at, line)| (source, at, line)));
    lines.filter(|(_, _, line)| bad(line)).map(|(source, at, line)| show(source, at, line)).collect()
}

/// The lines of code (no comments, no literals) that are `bad`.
fn search(files: impl Iterator<Item = &'static Source>, bad: impl Fn(&str) -> bool) -> Findings {
    let mut findings = Findings::new();
    for source in files {
        let code = rust::code(rust::product(&source.text));
        findings
            .extend(code.lines().enumerate().filter(|(_, line)| bad(line)).map(|(at, line)| show(source, at, line)));
    }
    findings
}

fn show(source: &Source, at: usize, line: &str) -> String {
    format!("{}:{}: {}", source.path, at + 1, line.trim())
}

/// Nobody compares with, or matches on, the name of a builtin or a map function: rows say what they are.
pub fn builtin_names() -> Findings {
    let names = builtins::all().map(|row| row.name).chain(aggregations::ALL.iter().map(|row| row.name));
    let names: Vec<&str> = names.collect();
    let rooms = sources::rust("").filter(|source| NAMELESS.iter().any(|room| source.path.starts_with(room)));
    let compared = rooms.flat_map(|source| {
        let lines = comparisons(rust::product(&source.text), &names);
        lines.into_iter().map(|(line, name)| format!("{}:{line}: compares with {name:?}", source.path))
    });
    compared.collect()
}

/// Whether there is any such place in a text.
pub fn compares(text: &str, names: &[&str]) -> bool {
    !comparisons(text, names).is_empty()
}

/// Where a text compares with one of `names`: line and name.
fn comparisons<'a>(text: &str, names: &[&'a str]) -> Vec<(usize, &'a str)> {
    let pieces = rust::pieces(text);
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Literal) {
        let name =
            names.iter().find(|name| piece.text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) == Some(name));
        found.extend(name.filter(|_| is_compared(&pieces, at)).map(|name| (piece.line, *name)));
    }
    found
}

/// Whether the literal at this place is an operand of a comparison or a pattern.
fn is_compared(pieces: &[Piece<'_>], at: usize) -> bool {
    let code = |at: Option<usize>| {
        at.and_then(|at| pieces.get(at)).filter(|piece| piece.kind == Kind::Code).map_or("", |piece| piece.text.trim())
    };
    let (before, after) = (code(at.checked_sub(1)), code(Some(at + 1)));
    let pattern_after =
        after.starts_with("=>") || (after.starts_with('|') && !after.starts_with("||")) || after.starts_with("if ");
    let pattern_before = before.ends_with('|') && !before.ends_with("||");
    let operand = ["==", "!="].iter().any(|sign| before.ends_with(sign) || after.starts_with(sign));
    pattern_after || pattern_before || operand
}
