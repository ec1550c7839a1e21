//! Blocks and `if` as values, macros and imports on this machine's own kernel, against what they must print.

use crate::support::{expect, lt, on_kernel, one_liner};
use libtest_mimic::Trial;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("macros::blocks_are_values", blocks),
        on_kernel("macros::blocks_in_events", events),
        on_kernel("macros::calls", calls),
        on_kernel("macros::types_as_arguments", types),
        on_kernel("macros::imports", imports),
    ]
}

/// Runs scripts that hold one `begin` and compares what they print.
fn all(rows: &[(&str, &str)]) -> Result<(), String> {
    rows.iter().try_for_each(|(script, wanted)| {
        let ran = one_liner(script);
        expect(ran.status == 0 && ran.stdout.trim() == *wanted, &format!("{script}\nshould print {wanted:?}"), &ran)
    })
}

fn blocks() -> Result<(), String> {
    all(&[
        ("begin { $x = { let $y = 5; $y + 1 }; print($x); print(if ($x > 3) { \"a\" } else { \"bcd\" }) }", "6\na"),
        ("begin { $x = { $u = 5; $u } + { $u = 6; $u }; print($x); print(1 ? { 2 } : { 3 }) }", "11\n2"),
        ("begin { $s = \"abc\"; $s = { $s = \"def\"; $s }; print($s) }", "def"),
        ("begin { $k = (1, \"a\"); $k = { $k = (2, \"b\"); ($k.0, \"c\") }; print($k) }", "(2, c)"),
        ("begin { for ($i : 0..3) { $z = { if ($i == 1) { continue } $i }; print($z) } }", "0\n2"),
        ("begin { for ($i : 0..200) { $z = { if ($i == 2) { break } $i }; print($z) } }", "0\n1"),
        ("begin { $i = 0; $n = 0; while ({ $i++; $i < 5 }) { $n += 10 } print($n) }", "40"),
        (
            "begin { $n = 3; $x = if ($n == 1) { \"one\" } else if ($n == 2) { \"two\" } else { \"many\" }; print($x) }",
            "many",
        ),
        ("begin { $a = 0; $b = $a && { $a = 7; 1 }; print(($a, $b)) }", "(0, false)"),
        ("begin { @c = { $z = 1; count() }; @m[{ 1 + 1 }] = { (uint8)5 } }", "@c: 1\n@m[2]: 5"),
        ("begin { if comptime (1 == 2) { print(1) } else { print(2) } _ = 1; return 5; print(3) }", "2"),
    ])
}

/// A block may leave the action or send events of its own while the fields of an event are computed.
fn events() -> Result<(), String> {
    all(&[
        ("begin { printf(\"%d %s\\n\", { @y = 3; @y }, if (@y) { \"x\" } else { \"yy\" }); clear(@y) }", "3 x"),
        ("begin { printf(\"%d\\n\", { printf(\"in\\n\"); 4 }) }", "in\n4"),
        ("begin { printf(\"%d\\n\", { if (1) { print(1); return } 5 }); print(2) }", "1"),
        ("begin { printf(\"%s\\n\", { exit(); \"a\" }); print(2) }", ""),
    ])
}

fn calls() -> Result<(), String> {
    all(&[
        (
            "macro one() { 1 } macro add(x) { x + 1 } macro two(x) { add(x) + 1 } macro se(x) { x; x; x }
             macro each($a, @b) { $a += 1; @b += 1; }
             begin { print(one()); print(one); $a = 10; print(add($a)); @b = 5; each!($a, @b); print($a + @b);
                     se({ printf(\"hi\") }); print(two(1)); clear(@b) }",
            "1\n1\n11\n17\nhihihi3",
        ),
        (
            "macro m() { 5 } macro m(x) { x } macro m($v) { $v * 100 } begin { $a = 2; print((m, m(7), m($a))) }",
            "(5, 7, 200)",
        ),
        ("macro m($a, b) { $a = b; let $c = 3; $a + $c } begin { $c = 10; print(m($c, 4)); print($c) }", "7\n4"),
        ("macro m(x) { let $x = x; $x } begin { $x = 1; print(m($x) + m(m($x + 1))) }", "3"),
        ("macro m(x) { x; x } begin { $a = 1; print(m({ $a++; $a })); print($a) }", "3\n3"),
        ("macro agg(@m, n) { @m[n] = count() } begin { agg(@z, 5); agg(@z, 5); agg(@w, \"a\") }", "@w[a]: 1\n@z[5]: 2"),
        ("macro pick(c) { if (c) { \"y\" } else { \"n\" } } begin { print((pick(1), pick(0))) }", "(y, n)"),
    ])
}

fn types() -> Result<(), String> {
    all(&[
        ("macro s(x) { sizeof(x) } begin { print((s((uint8)1), s(typeof(uint16)), s(typeof(int32 *)))) }", "(1, 2, 8)"),
        ("macro cast(a, b) { (a)b } begin { print(cast(typeof(uint8), 259)) }", "3"),
        ("macro cast(a, b) { (a*)b } begin { print((uint64)cast(typeof(uint8), 5)) }", "5"),
    ])
}

/// A script imports another and a folder; what both import is there once.
fn imports() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| error.to_string())
    };
    write("base.lt", "macro base(x) { x + 1 }")?;
    write("all/a.bt", "import \"../base.lt\"; macro a(x) { base(x) * 10 }")?;
    write("all/b.lt", "import \"a.bt\"; begin { print(\"b\") } macro b() { 7 }")?;
    write("all/notes.txt", "not a script")?;
    write("main.lt", "import \"base.lt\"; import \"all\"; begin { print((base(1), a(1), b)) }")?;
    let main = folder.path().join("main.lt");
    let ran = lt(["-q", &main.to_string_lossy()]);
    expect(ran.status == 0 && ran.stdout.trim() == "b\n(2, 20, 7)", "imports all", &ran)?;
    write("base.lt", "import \"main.lt\"; macro base(x) { x + 1 }")?;
    let ran = lt(["-q", &main.to_string_lossy()]);
    let circle = "main.lt > base.lt > main.lt";
    expect(ran.status == 1 && ran.stderr.contains(circle), "a circle is told", &ran)?;
    write("base.lt", "macro base(x) { x + nosuch }")?;
    let ran = lt(["-q", &main.to_string_lossy()]);
    let told = ran.stderr.contains("base.lt:1:21") && ran.stderr.contains("expanded from") && ran.status == 1;
    expect(told, "mistakes in what is imported are shown there", &ran)
}
