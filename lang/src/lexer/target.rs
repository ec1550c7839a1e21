//! Probe kinds and targets, which follow rules of their own: no blanks, parts between colons, wildcards, paths.

use super::closing_quote;
use crate::probes;

/// A target as it stands behind `kind:`.
pub(super) struct Target {
    /// Its length in bytes.
    pub(super) length: usize,
    /// Byte ranges of the parts with their text (without quotes).
    pub(super) parts: Vec<(usize, usize, String)>,
    /// Byte ranges of parameters `{name}` in the parts, with their names.
    pub(super) params: Vec<(usize, usize, String)>,
}

/// Reads the target that `rest` begins with. Quoted text may hold anything.
pub(super) fn scan(kind: &str, rest: &str) -> Target {
    let (path, symbol) = (probes::has_path(kind), probes::has_cpp_name(kind));
    let (mut parts, mut params) = (Vec::new(), Vec::new());
    let (mut start, mut text, mut at) = (0, String::new(), 0);
    while let Some(c) = rest.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '"' => {
                let inside = rest.get(at + 1..).unwrap_or_default();
                let Ok(length) = closing_quote(inside) else { break };
                text.push_str(&inside.get(..length).unwrap_or_default().replace("\\\"", "\""));
                at += length + 2;
                continue;
            }
            '{' if let Some(length) = parameter(rest.get(at + 1..).unwrap_or_default(), at == start) => {
                let name = rest.get(at + 1..at + 1 + length).unwrap_or_default();
                params.push((at + 1, at + 1 + length, name.to_string()));
                text.push_str(rest.get(at..at + length + 2).unwrap_or_default());
                at += length + 2;
                continue;
            }
            ':' => parts.push((start, at, std::mem::take(&mut text))),
            _ if ends(c, path, symbol) => break,
            '?' if at > 0 && ends_target(rest.get(at + 1..).unwrap_or_default()) => break,
            _ => text.push(c),
        }
        at += c.len_utf8();
        if c == ':' {
            start = at;
        }
    }
    if at > 0 {
        parts.push((start, at, text));
    }
    Target { length: at, parts, params }
}

/// The length of the name when `name}` is a parameter in a target, and not an action: it stands at the beginning of a
/// part, or the target or the header goes on behind it.
fn parameter(rest: &str, first: bool) -> Option<usize> {
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|length| *length > 0)?;
    let behind = rest.get(length..)?.strip_prefix('}')?;
    let goes_on =
        behind.starts_with(|c: char| c == ':' || c == '{' || c == '*' || c == '_' || c.is_ascii_alphanumeric());
    let header = behind.trim_start();
    let action = header.starts_with(['{', '<', ',', '/', '?', '|']) && !header.starts_with("//");
    (first || goes_on || action && !header.starts_with("/*")).then_some(length)
}

/// Whether a `?` before this makes a probe optional, and is no part of its target.
fn ends_target(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| ends(c, false, false) || c == '/')
}

fn ends(c: char, path: bool, symbol: bool) -> bool {
    match c {
        '/' => !path,
        '<' | '>' | '(' | ')' | '|' => !symbol,
        ',' | '{' | '}' | ';' | '\'' => true,
        _ => c.is_whitespace() || c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let cases: &[(&str, &str, usize, &[&str])] = &[
            ("kprobe", "ip_rcv < @", 6, &["ip_rcv"]),
            ("kprobe", "ip_rcv<@>", 6, &["ip_rcv"]),
            ("kprobe", "nf:vfs_*+0x10/pid/{", 13, &["nf", "vfs_*+0x10"]),
            ("uprobe", "/bin/bash:readline { }", 18, &["/bin/bash", "readline"]),
            ("uprobe", "./a:std::vector<int>::push <", 26, &["./a", "std", "", "vector<int>", "", "push"]),
            ("u", "\"/a b/c,d\":\"f(int, char)\"{", 25, &["/a b/c,d", "f(int, char)"]),
            ("iter", "task:/sys/fs/bpf/x<", 18, &["task", "/sys/fs/bpf/x"]),
            ("interval", "s:1,kprobe:f", 3, &["s", "1"]),
            ("kprobe", " f", 0, &[]),
            ("usdt", ":lib:probe {", 10, &["", "lib", "probe"]),
            ("uprobe", "\"open", 0, &[]),
            ("kprobe", "f? { }", 1, &["f"]),
            ("kprobe", "f?||kprobe:g", 1, &["f"]),
            ("uprobe", "/a:f?,u:b", 4, &["/a", "f"]),
            ("uprobe", "/a?b:f", 6, &["/a?b", "f"]),
        ];
        for (kind, rest, length, parts) in cases {
            let target = scan(kind, rest);
            let texts: Vec<&str> = target.parts.iter().map(|(_, _, text)| text.as_str()).collect();
            assert_eq!((target.length, texts.as_slice()), (*length, *parts), "{kind}:{rest}");
        }
    }

    #[test]
    fn parameters() {
        let names = |rest| scan("kprobe", rest).params.into_iter().map(|param| param.2).collect::<Vec<_>>();
        assert_eq!(names("{event}:{period} { }"), ["event", "period"]);
        assert_eq!(names("{a}malloc"), ["a"]);
        assert_eq!(names("x_{call} <f()>"), ["call"]);
        assert_eq!(names("x{exit}"), Vec::<String>::new());
        assert_eq!(names("x{exit} // c\nend { }"), Vec::<String>::new());
    }
}
