//! The reference page shows scripts that parse.

use crate::parse;

const REFERENCE: &str = include_str!("../../../grammar/README.md");

#[test]
fn examples_parse() {
    let mut count = 0;
    for block in REFERENCE.replace("```lt-later\n", "```lt\n").split("```lt\n").skip(1) {
        let script = block.split("```").next().unwrap_or_default();
        let (_, _, diagnostics) = parse(script);
        let messages: Vec<_> = diagnostics.iter().map(|diagnostic| &diagnostic.message).collect();
        assert!(messages.is_empty(), "{script}\n{messages:?}");
        count += 1;
    }
    assert!(count >= 10, "only {count} examples found");
}
