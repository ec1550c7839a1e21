//! Whatever the input: no panic, no overflow, spans within the text, at least a message when there is no tree.

use crate::{parse, printer};

/// A small generator of pseudo-random numbers (xorshift), so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

const SCRIPT: &str = "#!/bin/lt\nkprobe:vfs_read, k:x* /pid == 1 && comm != \"a\\n\"/ {\n  @x[tid, comm] = nsecs; // c\n  \
    if (@x[1, \"b\"] > 5ms) { printf(\"%d\\n\", (uint32)$1) } else if $a { $b++; } else { return }\n}\n\
    uprobe:/bin/a:f <delete(@x); @h = hist((nsecs - $s) / 1_000); $y = ((struct s *)arg0)->a.b[3] ?: 5 >\n\
    macro m($a, @b, x) { let $c = if (x) { 1 } else { (a=2, b={ 3 }).a }; $c }\nimport \"f.bt\";\n\
    fn g($a: typeof(uint8[2]*)): void { return $a; }\nlet @m = hash(5);\nstruct s { int a; };\n//! doc\n\
    param min -m --long-er: duration(ms)? = 0 in 0..1h repeated;\ntable t { a: ms.3 \"A\" width 5 left = 1.5; }\n\
    needs k:a || k:b?;\nfile f = \"/p\" { a: int key; ... }\nactor e = icmp(a = 1);\nexclusive(a, b);\n\
    i:s:{n} user { for ($k, $v : @m sort $v.a desc top 5) { emit t(a = $k, e.f(1)); show @m as t sort a; } _ = 1; }\n\
    n=x:y { m!(offsetof(struct s, a.b), sizeof(typeof(1)), ()) }\n\
    end { let $t: int8 = (1, 2).0; for ($i : 0..4) { } clear(@) }\n";

const WORDS: &[&str] = &[
    "begin",
    "end",
    "kprobe:f",
    "uprobe:/a:b",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "/",
    "[",
    "]",
    ";",
    ",",
    "=",
    "==",
    "$a",
    "@x",
    "@",
    "pid",
    "f(",
    "1",
    "5ms",
    "\"s\"",
    "'q'",
    "if",
    "else",
    "let",
    "return",
    "for",
    "while",
    "struct",
    "+",
    "-",
    "*",
    "&",
    "?",
    ":",
    ".",
    "->",
    "++",
    ">>",
    ">=",
    "..",
    "\n",
    "//",
    "/*",
    "*/",
    "#",
    "macro",
    "sizeof",
    "typeof",
    "(uint8)",
    "(a *)",
    "\"",
    "'",
    "\\",
    "§",
    "$1",
    "0x",
    "import",
    "||",
    "fn",
    "f!(",
    "= {",
    "= if",
    "(a=1",
    "comptime",
    "offsetof(",
    "typeinfo(",
    "param p: int",
    "table t {",
    "needs",
    "emit t(",
    "show @x",
    "user {",
    "for ($k, $v : @x",
    "sort",
    "desc",
    "top",
    "1.5",
    "{a}",
    "let @m = hash(",
    "row t",
];

fn survives(text: &str) {
    let (sources, ast, diagnostics) = parse(text);
    assert!(
        !ast.probes.is_empty() || !ast.imports.is_empty() || !diagnostics.is_empty(),
        "neither tree nor message: {text:?}"
    );
    for diagnostic in &diagnostics {
        for label in &diagnostic.labels {
            let range = label.span.start as usize..label.span.end as usize;
            assert!(text.get(range).is_some(), "{} points outside of {text:?}: {label:?}", diagnostic.code);
        }
        if let Some(edit) = &diagnostic.edit {
            assert!(text.get(edit.span.start as usize..edit.span.end as usize).is_some(), "{text:?}: {edit:?}");
        }
    }
    if diagnostics.is_empty() {
        let file = lt_lang::source::FileId::default();
        let once = lt_lang::fmt::format(&sources, file, true).unwrap_or_else(|why| panic!("{text:?}: {why:?}"));
        let (sources, formatted, _) = parse(&once);
        assert_eq!(printer::ast(&formatted), printer::ast(&ast), "{text:?}\n{once}");
        assert_eq!(lt_lang::fmt::format(&sources, file, true).ok(), Some(once.clone()), "{text:?}");
    }
    for probe in &ast.probes {
        assert!(!probe.attach_points.is_empty() && !sources.slice(probe.span).is_empty(), "{text:?}");
    }
}

#[test]
fn bytes() {
    let mut random = Random(0x5eed);
    for _ in 0..2000 {
        let length = random.below(120);
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        survives(&String::from_utf8_lossy(&bytes));
        survives(&bytes.iter().map(|byte| (b' ' + byte % 95) as char).collect::<String>());
    }
}

#[test]
fn words() {
    let mut random = Random(0xbeef);
    for _ in 0..1500 {
        let length = random.below(60);
        let soup: Vec<&str> = (0..length).map(|_| WORDS[random.below(WORDS.len())]).collect();
        survives(&soup.join(" "));
        survives(&format!("begin {{ {} }}", soup.concat()));
        survives(&format!("begin < {} >", soup.join(" ")));
    }
}

#[test]
fn truncated_and_mutated() {
    for (at, _) in SCRIPT.char_indices() {
        survives(&SCRIPT[..at]);
        survives(&SCRIPT[at..]);
    }
    let mut random = Random(0xcafe);
    for _ in 0..2000 {
        let mut text = SCRIPT.to_string();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            if text.is_char_boundary(at) {
                text.insert_str(at, WORDS[random.below(WORDS.len())]);
            }
            let from = random.below(text.len());
            let to = (from + random.below(6)).min(text.len());
            if text.is_char_boundary(from) && text.is_char_boundary(to) {
                text.replace_range(from..to, "");
            }
        }
        survives(&text);
    }
}

#[test]
fn large_inputs() {
    for piece in [
        "(",
        "{",
        "begin {",
        "begin < (",
        "begin<a>!",
        "begin<a>(",
        "kprobe:",
        "k:\"",
        "\"",
        "'",
        "\"\n\\\"\n",
        "/*",
        "/",
        "k:f /",
        "#a\n",
        "macro a{",
        "a ",
        "a,",
        "begin { if a {",
        "begin { (a *",
        "sizeof(",
        "begin { f(",
        "k:f { @ = } ",
        "= ",
        "]",
    ] {
        let text = piece.repeat((1 << 16) / piece.len());
        survives(&text);
        survives(&format!("begin {{ {text}"));
    }
}
