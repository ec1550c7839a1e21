//! The rules of the house (ARCHITECTURE.md) as tests: who may use what, how large things get, what is never left behind.
//!
//! Each rule is a function that gives the places where it is broken; a trial fails with that list.

mod codes;
mod crates;
mod rust;
mod sizes;
mod sources;
mod text;

use libtest_mimic::{Failed, Trial};

/// Where a rule is broken, a line each; empty when it is kept.
type Findings = Vec<String>;

/// Looks for the places where it is broken.
type Rule = fn() -> Findings;

/// One trial for each rule.
pub fn trials() -> Vec<Trial> {
    let rules: [(&str, Rule); 15] = [
        ("the_rules_see", rules_see),
        ("crates_depend_in_one_direction", crates::edges),
        ("foreign_crates_have_one_user", crates::users),
        ("foreign_crates_are_named_in_their_file_only", crates::files),
        ("licenses_are_known", crates::licenses),
        ("lang_does_no_io", text::io_in_lang),
        ("unsafe_stands_where_it_may", text::unsafe_places),
        ("unsafe_says_why_it_is_sound", text::unsafe_reasons),
        ("nothing_is_left_behind", text::left_behind),
        ("no_place_of_one_machine", text::machine_places),
        ("no_builtin_is_known_by_name", text::builtin_names),
        ("files_are_short", sizes::files),
        ("functions_are_short", sizes::functions),
        ("every_code_has_a_case", codes::cases),
        ("every_case_has_its_message", codes::messages),
    ];
    rules.into_iter().map(|(name, rule)| Trial::test(format!("tidy::{name}"), move || verdict(rule()))).collect()
}

fn verdict(findings: Findings) -> Result<(), Failed> {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
}

/// The rules' own instruments, tried on samples: a rule that sees nothing would keep silent for ever.
fn rules_see() -> Findings {
    let sample = "fn a() { let c = '{'; let s = r#\"}\"\"#; } // }\nfn b<'x>(\n) {\n  \"\\\"}\"; /* } */\n}\nfn c();";
    let seen = [
        (rust::code(sample).contains("r#"), false),
        (rust::code(sample).contains("fn b<'x>("), true),
        (sizes::lengths(&rust::code(sample)) == [("a".into(), 1, 1), ("b".into(), 2, 4)], true),
        (text::compares("match name { \"printf\" => 1 }", &["printf"]), true),
        (text::compares("if name == \"printf\" {}", &["printf"]), true),
        (text::compares("call(\"printf\", 1)", &["printf"]), false),
        (text::holds_word("// FIXME: later", "FIXME"), true),
        (text::holds_word("lt-XXXXXX", "XXX"), false),
        (crates::allowed("(MIT OR GPL-3.0-only) AND Unicode-3.0"), true),
        (crates::allowed("MIT AND GPL-3.0-only"), false),
    ];
    let wrong = seen.iter().enumerate().filter(|(_, (is, should))| is != should);
    wrong.map(|(at, _)| format!("sample {at} is not seen as it should")).collect()
}
