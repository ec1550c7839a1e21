//! Files and functions stay small enough to be read at once.

use super::{Findings, rust, sources};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 60;

/// Functions that may be longer: file, name, reason. Flat matches only.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];

/// Programs and grammars of at most 600 lines.
pub fn files() -> Findings {
    let programs = sources::all().iter().filter(|source| is_program(&source.path));
    programs
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(source, lines)| format!("{}: {lines} lines, more than {FILE_LINES}", source.path))
        .collect()
}

fn is_program(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".rs", ".lalrpop", ".lt"].iter().any(|end| name.ends_with(end)) || !name.contains('.')
}

/// Functions of at most 60 lines.
pub fn functions() -> Findings {
    let mut findings = Findings::new();
    let mut excused = Vec::new();
    for source in sources::rust("") {
        for (name, line, length) in lengths(&rust::code(&source.text)) {
            let excuse = LONG_FUNCTIONS.iter().find(|(file, long, _)| *file == source.path && *long == name);
            match excuse {
                _ if length <= FUNCTION_LINES => {}
                Some(excuse) => excused.push(excuse),
                None => findings.push(format!("{}:{line}: fn {name} has {length} lines", source.path)),
            }
        }
    }
    let stale = LONG_FUNCTIONS.iter().filter(|excuse| !excused.contains(excuse));
    findings.extend(stale.map(|(file, name, _)| format!("{file}: fn {name} needs no excuse any more")));
    findings
}

/// Name, first line and number of lines of each function with a body.
pub fn lengths(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let inside_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if inside_word || name.is_empty() {
            continue;
        }
        if let Some(end) = end_of_body(&code[at..]) {
            let line = 1 + code[..at].matches('\n').count();
            found.push((name, line, 1 + code[at..at + end].matches('\n').count()));
        }
    }
    found
}

/// Where the body ends of the function that `code` starts with; none for a declaration.
fn end_of_body(code: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
