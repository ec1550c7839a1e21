//! A command line becomes words, as a shell splits it: blanks separate; '...' and "..." keep blanks, \ keeps the next
//! character. Nothing is expanded.

/// Splits `line`. `None`: a quote is not closed, or the line ends in `\`.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => quoted(&mut rest, word.get_or_insert_default())?,
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

fn quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            '\'' => return Some(()),
            other => word.push(other),
        }
    }
}

/// Here `\` keeps only what would be special: `"`, `\`, `$`, `` ` ``.
fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            '"' => return Some(()),
            '\\' => match rest.next()? {
                special @ ('"' | '\\' | '$' | '`') => word.push(special),
                other => word.extend(['\\', other]),
            },
            other => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(
                split(line).as_deref(),
                Some(expected.iter().map(|word| (*word).to_string()).collect::<Vec<_>>().as_slice()),
                "{line}"
            )
        };
        check("ls /", &["ls", "/"]);
        check("  a\t b  ", &["a", "b"]);
        check("sh -c 'exit 3'", &["sh", "-c", "exit 3"]);
        check(r#"a "b \"c\" \n" d\ e"#, &["a", r#"b "c" \n"#, "d e"]);
        check("a'b'\"c\"", &["abc"]);
        check("x '' \"\"", &["x", "", ""]);
        check("", &[]);
    }

    #[test]
    fn open_quotes_are_refused() {
        for line in ["'a", "\"a", "a\\"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
