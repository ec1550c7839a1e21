//! Which message a mistake gets, and where it points.

use crate::{parse, printer};

/// Asserts the codes of the messages and the source texts that they point at, in source order.
fn check(text: &str, expected: &[(&str, &str)]) {
    let (sources, _, diagnostics) = parse(text);
    let found: Vec<(String, &str)> = diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.code.to_string(), sources.slice(diagnostic.span().expect("a place"))))
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(code, place)| (code.as_str(), *place)).collect();
    assert_eq!(found, expected, "{text}\n{diagnostics:#?}");
}

/// Asserts the only message, its place and what its edit makes of the script; the mended script has no messages.
fn check_mended(text: &str, code: &str, message: &str, mended: &str) {
    let (_, _, diagnostics) = parse(text);
    let [diagnostic] = diagnostics.as_slice() else { panic!("{text}\n{diagnostics:#?}") };
    assert_eq!((diagnostic.code.to_string().as_str(), diagnostic.message.as_str()), (code, message), "{text}");
    let edit = diagnostic.edit.as_ref().unwrap_or_else(|| panic!("{text}: no edit"));
    let mut result = text.to_string();
    result.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
    assert_eq!(result, mended, "{text}");
    assert!(parse(mended).2.is_empty(), "{mended}");
}

#[test]
fn lexical() {
    check("begin { § }", &[("LT0001", "§")]);
    check("begin { §§ f() }", &[("LT0001", "§§")]);
    check("§ begin { }", &[("LT0001", "§")]);
    check("begin { # c\n }", &[("LT0001", "#")]);
    check("begin { printf(\"hi) }", &[("LT0002", "\"")]);
    check("begin { printf(\"hi);\n @x = = 1 }\nend { }", &[("LT0002", "\""), ("LT0101", "=")]);
    check("kprobe:f /comm == \"a/ {\n f() } end { @ = }", &[("LT0002", "\""), ("LT0101", "}")]);
    check("begin { } /* x", &[("LT0003", "/*")]);
    check("begin { f( /* x }", &[("LT0003", "/*")]);
    check("begin { print(\"a\\q\\n\") }", &[("LT0004", "\\q")]);
    check("begin { print(0x); print(08); print(5x) }", &[("LT0005", "0x"), ("LT0005", "08"), ("LT0005", "5x")]);
    check("begin { print(18446744073709551616) }", &[("LT0005", "18446744073709551616")]);
    check("begin { print($0) }", &[("LT0005", "$0")]);
    check(&" ".repeat((1 << 20) + 1), &[("LT0006", "")]);
    check("begin { \0 }", &[("LT0007", "\0")]);
    check("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{10} junk", &[("LT0007", "\u{10}")]);
}

#[test]
fn unexpected() {
    check("begin { @x = = 1 }", &[("LT0101", "=")]);
    check("begin { @x = ; $y = 4 + ; f(1 2); g() }", &[("LT0101", ";"), ("LT0101", ";"), ("LT0101", "2")]);
    check("begin { else { } f() }", &[("LT0101", "else")]);
    check("begin { if (1) f(); }", &[("LT0101", "f")]);
    check("begin { ) ; f() }", &[("LT0101", ")")]);
    check("begin { f() } }\nend { @ = }", &[("LT0101", "}"), ("LT0101", "}")]);
    check("begin { $x[1, 2] = 1 }", &[("LT0101", "$x[1, 2]")]);
    check("{ f() } end { }", &[("LT0101", "{")]);
    check("begin kprobe:f { }", &[("LT0101", "kprobe:f")]);
    check("kprobe:a,,kprobe:b { }", &[("LT0101", ",")]);
    check("begin < f() > ) end { }", &[("LT0101", ")")]);
    check("begin { print 2 }", &[("LT0101", "2")]);
}

#[test]
fn wording() {
    for (text, message, help) in [
        ("begin { @x = = 1 }", "expected an expression, found `=`", None),
        ("begin { f(1 2) }", "expected `)`, `,` or an operator, found `2`", None),
        ("begin { if (1) f() }", "expected `{`, found `f`", None),
        ("begin { let 5 }", "expected a variable, found `5`", None),
        ("begin { else }", "expected a statement, found `else`", None),
        ("begin < f(); @x = >", "expected an expression, found the `>` that closes the action", None),
        ("k:f /1 +/ { }", "expected an expression, found the `/` that closes the predicate", None),
        (
            "begin { print 2 }",
            "expected `}`, `;` or an operator, found `2`",
            Some("a function is called with parentheses: print(...)"),
        ),
        ("BEGIN", "the probe has no action", None),
        ("begin { } 5", "expected a probe, found `5`", None),
    ] {
        let (_, _, diagnostics) = parse(text);
        let [diagnostic] = diagnostics.as_slice() else { panic!("{text}\n{diagnostics:#?}") };
        assert_eq!(diagnostic.message, message, "{text}");
        assert_eq!(diagnostic.helps.first().map(String::as_str), help, "{text}");
    }
}

/// Script, code, message, mended script.
const MENDED: &[(&str, &str, &str, &str)] = &[
    ("begin { $a = 1 $b = 2 }", "LT0101", "`;` is missing between two statements", "begin { $a = 1; $b = 2 }"),
    ("begin { f()\ng() }", "LT0101", "`;` is missing between two statements", "begin { f();\ng() }"),
    ("begin { f('a b') }", "LT0001", "strings are written in double quotes", "begin { f(\"a b\") }"),
    (
        "begin { if nsecs > 5 { f() } }",
        "LT0107",
        "the condition of `if` needs parentheses",
        "begin { if (nsecs > 5) { f() } }",
    ),
    (
        "begin < if $a > 5 { f() } >",
        "LT0107",
        "the condition of `if` needs parentheses",
        "begin < if ($a > 5) { f() } >",
    ),
    (
        "begin { if (1) > 2 { f() } }",
        "LT0107",
        "the condition of `if` needs parentheses",
        "begin { if ((1) > 2) { f() } }",
    ),
    (
        "begin { if (pid = 5) { f() } }",
        "LT0101",
        "`=` assigns; values are compared with `==`",
        "begin { if (pid == 5) { f() } }",
    ),
    ("k:f /pid = 5/ { f() }", "LT0101", "`=` assigns; values are compared with `==`", "k:f /pid == 5/ { f() }"),
    (
        "k:f pid == 5 { }",
        "LT0101",
        "expected `{`, `<` or a predicate after the probe, found `pid`",
        "k:f /pid == 5/ { }",
    ),
    ("k:f /pid == 5 { }", "LT0102", "`/` is missing before the action", "k:f /pid == 5/ { }"),
    ("k:f /(pid == 5/ { }", "LT0102", "`)` is missing before the end of the predicate", "k:f /(pid == 5)/ { }"),
    ("begin { f(1; }", "LT0102", "`)` is missing before `;`", "begin { f(1); }"),
    ("begin { f(@x[1); }", "LT0102", "`]` is missing before `)`", "begin { f(@x[1]); }"),
    ("begin { if (1 { } }", "LT0102", "`)` is missing before the block", "begin { if (1) { } }"),
    ("begin < f() }", "LT0101", "an action that is opened with `<` is closed with `>`", "begin < f() >"),
    ("kprobe: f { }", "LT0105", "`kprobe:` has no target", "kprobe:f { }"),
    (
        "begin < f(); $a = nsecs > 5; g() >",
        "LT0103",
        "this `>` closes the action, but seems meant to compare",
        "begin < f(); $a = (nsecs > 5); g() >",
    ),
    (
        "begin < $a = 1 + f(2) > pid && $b >\nend { }",
        "LT0103",
        "this `>` closes the action, but seems meant to compare",
        "begin < $a = (1 + f(2) > pid) && $b >\nend { }",
    ),
];

#[test]
fn mended() {
    for (text, code, message, mended) in MENDED {
        check_mended(text, code, message, mended);
    }
}

#[test]
fn missing_closers_point_at_their_openers() {
    let text = "kprobe:a { if (x) { f();\nkprobe:b { g() } end { }";
    let (sources, ast, diagnostics) = parse(text);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:#?}");
    let label = &diagnostics[0].labels[1];
    assert_eq!((label.span.start, sources.slice(label.span), label.text.as_str()), (18, "{", "opened here"));
    assert_eq!(printer::ast(&ast), "kprobe:a {(if x {(f!)})} kprobe:b {(g!)} end {}");
    check("begin { f(", &[("LT0102", "")]);
    check("begin < f()", &[("LT0102", "")]);
    check("begin", &[("LT0102", "")]);
    check("kprobe:f /pid", &[("LT0102", "")]);
}

#[test]
fn comparisons_in_angle_blocks() {
    check("begin < $a = nsecs > 5; $b = $a > pid; g() >", &[("LT0103", ">"), ("LT0103", ">")]);
    let (_, ast, diagnostics) = parse("k:f < @x = 1;\n $a = nsecs > 5; g() >");
    assert_eq!(diagnostics[0].helps, ["put the comparison in parentheses: $a = (nsecs > 5); g() >"]);
    assert_eq!(printer::ast(&ast), "k:f <(= @x 1) (= $a (> nsecs 5)) (g!)>");
}

#[test]
fn empty_and_deep() {
    check("", &[("LT0104", "")]);
    check("// nothing\n/* at all */\n", &[("LT0104", "")]);
    check("kprobe: { }", &[("LT0105", "kprobe:")]);
    let nested = format!("begin {{ f({}1{}) }}", "(".repeat(500), ")".repeat(500));
    check(&nested, &[("LT0106", "(")]);
    let fits = format!("begin {{ f({}1{}) }}", "(".repeat(120), ")".repeat(120));
    check(&fits, &[]);
    for (one, end) in [("1 + ", "1"), ("!", "1"), ("(uint8)", "1"), ("1 ? 2 : ", "3")] {
        let (_, _, diagnostics) = parse(&format!("begin {{ $a = {}{end}; $b = = 1 }}", one.repeat(20_000)));
        let codes: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect();
        assert_eq!(codes, ["LT0106", "LT0101"], "{one}");
    }
    let (_, _, diagnostics) = parse(&format!("begin {{ if (1) {{ }} {} }}", "else if (1) { } ".repeat(10_000)));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].code.to_string(), "LT0106");
}

#[test]
fn what_scripts_say_of_themselves() {
    check("param p int;\nbegin { @ = }", &[("LT0101", "int"), ("LT0101", "}")]);
    check("param p: int = 1\nkprobe:f { @ = }", &[("LT0101", ""), ("LT0101", "}")]);
    check("param : int; begin { }", &[("LT0101", ":")]);
    check("table t { a: int b: int; } begin { }", &[("LT0101", ":")]);
    check("table t { a; } begin { }", &[("LT0101", ";")]);
    check("file f { a: int; } begin { }", &[("LT0101", "{")]);
    check("exclusive(1); begin { }", &[("LT0101", "1")]);
    check("begin user { emit t(1 2); show @x sort; f(1 2) }", &[("LT0101", "2"), ("LT0101", ";"), ("LT0101", "2")]);
    check("i:s:1 user { for ($k, : @x) { } }", &[("LT0101", ":")]);
}

#[test]
fn declarations() {
    check("let @m = hash(5)\nbegin { }", &[("LT0101", "")]);
    check("let @m = ; begin { }", &[("LT0101", ";")]);
    check("import \"a\" begin { }", &[("LT0101", "")]);
    check("macro f(1) { } begin { @ = }", &[("LT0101", "1"), ("LT0101", "}")]);
    check("macro f(a { 1 } begin { }", &[("LT0102", "")]);
    check("macro f(a); begin { }", &[("LT0101", ";")]);
    check("macro f(a) { a + ; 1 } begin { }", &[("LT0101", ";")]);
    check("macro f { ", &[("LT0102", "")]);
    check("fn f() { } begin { }", &[("LT0101", "{")]);
    check("fn f($a): void { } begin { }", &[("LT0101", ")")]);
    check("kprobe:a || { @x = }", &[("LT0101", "||"), ("LT0101", "}")]);
    check("struct s { int a;", &[("LT0102", "")]);
}

#[test]
fn values() {
    check("begin { $x = { $a = 1; $a } exit() }", &[("LT0101", "")]);
    check("begin { $x = { 1 + }; f(1 2) }", &[("LT0101", "}"), ("LT0101", "2")]);
    check("begin { $x = { $y = = 1; 2 }; }", &[("LT0101", "=")]);
    check("begin { f(if a { 1 +; 2 } else { 3 }) }", &[("LT0101", ";")]);
    check("begin { $x = if (1 { 2 } else { 3 } }", &[("LT0102", "")]);
    check("begin { $x = if ; f(1 2) }", &[("LT0101", ";"), ("LT0101", "2")]);
    check("begin { $x = (a=1, 5) }", &[("LT0101", "5")]);
    check("begin { $x = (a=1, a=2) }", &[("LT0101", "a")]);
    check("begin { f((,)) }", &[("LT0101", ",")]);
    check("begin { offsetof(struct s, a->b); f(1 2) }", &[("LT0101", "->"), ("LT0101", "2")]);
    check("begin { sizeof(struct) }", &[("LT0101", ")")]);
    check("begin { let $x: int8[] = { ; }", &[("LT0102", "")]);
}

#[test]
fn one_mistake_leaves_the_rest() {
    let (_, ast, diagnostics) =
        parse("begin { f(); @x = = 1; if (1) { $a = ; g() } h() } k:f /1 +/ { i() } end { j() }");
    assert_eq!(diagnostics.len(), 3, "{diagnostics:#?}");
    assert_eq!(printer::ast(&ast), "begin {(f!) (error) (if 1 {(error) (g!)}) (h!)} k:f /(error)/ {(i!)} end {(j!)}");
}

#[test]
fn examples_of_the_codes_provoke_them() {
    let mut count = 0;
    for row in lt_lang::codes::ALL.iter().filter(|row| row.number < 200) {
        if row.example.starts_with("lt ") || row.example.contains("...") {
            continue;
        }
        let (_, _, diagnostics) = parse(row.example);
        assert!(!diagnostics.is_empty() && diagnostics.iter().all(|found| found.code == row.code), "{}", row.example);
        count += 1;
    }
    assert!(count >= 9, "{count}");
}
