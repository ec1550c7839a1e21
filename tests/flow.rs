//! Loops on this machine's own kernel, against arithmetic.

use crate::support::{Ran, expect, map_number, on_kernel, one_liner, stat};
use libtest_mimic::Trial;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("flow::ranges_add_up", ranges),
        on_kernel("flow::while_break_continue", while_loops),
        on_kernel("flow::unroll", unroll),
        on_kernel("flow::nested_loops", nested),
        on_kernel("flow::exit_and_return_end_the_action", endings),
        on_kernel("flow::variables_live_on_in_steps", variables),
        on_kernel("flow::entries_of_maps", map_loops),
        on_kernel("flow::a_list_of_the_kernel", parents),
        on_kernel("flow::the_bound_is_told", bound),
    ]
}

/// Runs a script in `begin` and compares what it prints.
fn prints(script: &str, wanted: &str) -> Result<(), String> {
    let ran = one_liner(&format!("begin {{ {script} }}"));
    expect(ran.status == 0 && ran.stdout.trim() == wanted, &format!("{script}\nshould print {wanted:?}"), &ran)
}

fn all(rows: &[(&str, &str)]) -> Result<(), String> {
    rows.iter().try_for_each(|(script, wanted)| prints(script, wanted))
}

fn ranges() -> Result<(), String> {
    all(&[
        ("$s = 0; for ($i : 0..10) { $s += $i } print($s)", "45"),
        ("$s = 0; for ($i : 0..10000) { $s += $i } print($s)", "49995000"),
        ("$s = 0; for ($i : 0..3000000) { $s += $i } print($s)", "4499998500000"),
        ("$s = 0; for ($i : -3..3) { $s += $i } print($s)", "-3"),
        ("for ($i : 5..2) { print(1) } for ($i : 2..2) { print(2) } print(3)", "3"),
        ("for ($i : 0..3) { $i = 7; print($i) }", "7\n7\n7"),
        // the ends are evaluated once
        ("$n = 3; for ($i : 0..$n) { $n = 10; print($i) }", "0\n1\n2"),
        ("$n = pid - pid; $s = 0; for ($i : $n..$n + 1000) { $s += $i } print($s)", "499500"),
    ])
}

fn while_loops() -> Result<(), String> {
    all(&[
        ("$i = 0; while ($i < 5) { $i++; if ($i == 3) { continue } print($i) }", "1\n2\n4\n5"),
        ("$i = 0; while (1) { $i++; if ($i == 100000) { break } } print($i)", "100000"),
        ("while (0) { print(1) } print(2)", "2"),
        ("$a = 1; $b = 1; while ($b < 1000) { $c = $a + $b; $a = $b; $b = $c } print($b)", "1597"),
    ])
}

fn unroll() -> Result<(), String> {
    all(&[
        ("$n = 1; unroll (10) { $n *= 2 } print($n)", "1024"),
        ("$n = 0; unroll (100) { $n++; if ($n == 7) { break } } print($n)", "7"),
    ])
}

fn nested() -> Result<(), String> {
    all(&[
        ("$n = 0; for ($i : 0..300) { for ($j : 0..300) { if ($j > $i) { break } $n++ } } print($n)", "45150"),
        ("$n = 0; for ($i : 0..9) { for ($j : 0..9) { if ($j == $i) { continue } $n += $i * $j } } print($n)", "1092"),
        ("$n = 0; for ($i : 0..20) { $j = 0; while ($j < 1000) { $j++; unroll (2) { $n++ } } } print($n)", "40000"),
    ])
}

fn endings() -> Result<(), String> {
    all(&[
        ("for ($i : 0..500) { if ($i == 2) { return } print($i) } print(-1)", "0\n1"),
        ("for ($i : 0..500) { for ($j : 0..500) { if ($j == 2) { return } print($j) } } print(-1)", "0\n1"),
        ("for ($i : 0..3) { for ($j : 0..3) { if ($j == 2) { return } print($j) } } print(-1)", "0\n1"),
    ])?;
    let ran = one_liner("begin { for ($i : 0..500) { while (1) { if ($i == 7) { exit(4) } break } @n = $i } @n = -1 }");
    expect(ran.status == 4 && map_number(&ran.stdout, "@n") == Some(6), "exit(4) at once", &ran)
}

fn variables() -> Result<(), String> {
    all(&[
        (
            "$s = \"a\"; $i = 0; while ($i < 1000) { $i++; if ($i == 500) { $s = \"bc\" } } print(($s, $i))",
            "(bc, 1000)",
        ),
        ("$t = (1, \"x\"); for ($i : 0..1000) { $t = ($t.0 + $i, \"yz\") } print($t)", "(499501, yz)"),
        ("$n = 0; while (1) { let $x; $x++; $n += $x; if ($n == 3) { break } } print($n)", "3"),
        (
            "$s = str(\"long\", 64); for ($i : 0..999) { if ($s == \"long\") { $n = $i; @n = $n } } print((int64)@n)",
            "998\n\n\n@n: 998",
        ),
    ])
}

fn map_loops() -> Result<(), String> {
    all(&[
        ("@m[1] = 10; @m[2] = 20; $s = 0; for ($kv : @m) { $s += $kv.0 * $kv.1 } print($s); clear(@m)", "50"),
        (
            "@m[3, \"abc\"] = \"value\"; for ($kv : @m) { printf(\"%d %s %s\\n\", $kv.0.0, $kv.0.1, $kv.1) } clear(@m)",
            "3 abc value",
        ),
        ("@m[1] = (1, \"a\"); for ($e : @m) { @copy[$e] = 2; delete(@m[$e.0]) }", "@copy[1, (1, a)]: 2"),
        (
            "for ($i : 0..50) { @m[$i] = 1 } $n = 0; for ($e : @m) { $n++; if ($n == 9) { break } } print($n); clear(@m)",
            "9",
        ),
        (
            "@m[4] = 3; $n = 0; for ($e : @m) { for ($i : 0..$e.0) { $n += $e.1 } for ($x : @m) { $n++ } } print($n); clear(@m)",
            "13",
        ),
        ("@m[1] = 1; for ($e : @m) { return } print(1)", "@m[1]: 1"),
    ])
}

/// Up to init through `real_parent` (the thread that forked; /proc shows its group). Processes are told by name and start
/// (in ticks, as proc(5) gives it), which are the same in every PID namespace.
fn parents() -> Result<(), String> {
    let script = "begin { $p = curtask; while ($p.pid > 1) { \
                  printf(\"%s %d\\n\", $p.comm, $p.start_boottime / 10000000); $p = $p.real_parent.group_leader } }";
    let ran = one_liner(script);
    let seen: Vec<&str> = ran.stdout.lines().take_while(|line| !line.is_empty()).skip(1).collect();
    let mut wanted = Vec::new();
    let mut pid = std::process::id();
    while pid > 1 {
        let (name, start, parent) = stat(&format!("/proc/{pid}/stat"))?;
        wanted.push(format!("{name} {start}"));
        pid = parent;
    }
    expect(seen.starts_with(&wanted.iter().map(String::as_str).collect::<Vec<_>>()), &format!("{wanted:?}"), &ran)
}

fn bound() -> Result<(), String> {
    let ran: Ran = one_liner("begin { while (1) { @n++ } @after = 1 }");
    expect(ran.status == 0 && ran.stderr.contains("LT0908"), "told", &ran)?;
    expect(map_number(&ran.stdout, "@after") == Some(1), "the action goes on", &ran)
}
