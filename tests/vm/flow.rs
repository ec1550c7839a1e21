//! Loops: callbacks of the kernel's helpers where it has them (5.17), what the verifier walks through elsewhere.

use super::cases::Case;
use super::jobs::Output;
use super::kernels;
use std::time::Duration;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("loops_add_up", SUMS, sums),
        Case::new("loops_variables_change_in_steps", CHANGES, changes),
        Case::new("loops_in_kprobes", KPROBE, kprobe),
        Case::new("loops_end_the_action", ENDINGS, endings),
        Case::new("loops_are_bounded", "\"$LT\" -e 'begin { while (1) { @n++ } @after = 1 }'", bound)
            .timeout(Duration::from_secs(120)),
        Case::new("loops_over_maps", MAPS, maps),
    ]
}

const SUMS: &str = "\"$LT\" -e 'begin { $s = 0; for ($i : 0..10) { $s += $i } print($s);
    $s = 0; for ($i : 0..2000) { $s += $i } print($s);
    $n = pid - pid; $s = 0; for ($i : $n..$n + 50) { $s += $i } print($s);
    unroll (3) { $s *= 2 } print($s) }' &&
    \"$LT\" -e 'begin { $n = 0; for ($i : 0..50) { for ($j : 0..50) { if ($j > $i) { break } $n++ } } print($n) }'";

fn sums(output: &Output) -> Result<(), String> {
    numbers(output, &["45", "1999000", "1225", "9800", "1275"])
}

/// Kernels that follow a callback only once must not believe that the variables stay what they are at first.
const CHANGES: &str = "\"$LT\" -e 'begin { $i = 0; while ($i < 5) { $i++ } print($i);
    $s = \"a\"; $i = 0; while ($s == \"a\") { $i++; if ($i == 20) { $s = \"bc\" } } print($i) }' &&
    \"$LT\" -e 'begin { $a = 1; $b = 1; while ($b < 1000) { $c = $a + $b; $a = $b; $b = $c } print($b);
    $i = 0; $odd = 0; while (1) { $i++; if ($i > 30) { break } if ($i % 2 == 0) { continue } $odd++ } print($odd) }'";

fn changes(output: &Output) -> Result<(), String> {
    numbers(output, &["5", "20", "1597", "15"])
}

const KPROBE: &str = "\"$LT\" -e 'kprobe:vfs_read /comm == \"dd\" && args.count == 300/ {
    $n = 0; for ($i : 0..args.count) { $n++ } @[comm, $n] = count(); if ($n == args.count) { @right++ } }' \
    -c 'dd if=/dev/zero of=/dev/null bs=300 count=200'";

fn kprobe(output: &Output) -> Result<(), String> {
    output.success()?;
    for line in ["@[dd, 300]: 200", "@right: 200"] {
        if !output.out().lines().any(|seen| seen == line) {
            return Err(format!("`{line}` is missing"));
        }
    }
    Ok(())
}

const ENDINGS: &str = "\"$LT\" -e 'begin { for ($i : 0..40) { $j = 0; while (1) { $j++;
    if ($j == 3) { print($i); exit(4); } if ($i > 20) { print(-1) } } } print(-2) }'";

fn endings(output: &Output) -> Result<(), String> {
    if output.status != 4 || output.out().trim() != "0" {
        return Err("exit(4) in the third step".into());
    }
    Ok(())
}

fn bound(output: &Output) -> Result<(), String> {
    output.success()?;
    if output.err().contains("LT0908") && output.out().contains("@after: 1\n") {
        return Ok(());
    }
    Err("the bound is not told".into())
}

const MAPS: &str = "\"$LT\" -e 'begin { @m[1] = 10; @m[2] = 20; $s = 0; for ($kv : @m) { $s += $kv.0 * $kv.1 } print($s);
    @t[3, \"abc\"] = \"value\"; for ($kv : @t) { printf(\"%d %s %s\\n\", $kv.0.0, $kv.0.1, $kv.1); $s = 7; break } print($s);
    clear(@m); clear(@t) }'";

fn maps(output: &Output) -> Result<(), String> {
    if kernels::version(&output.kernel) >= kernels::version("5.13") {
        return numbers(output, &["50", "3 abc value", "7"]);
    }
    let told = output.err();
    let ok = output.status == 3 && told.contains("LT0503") && told.contains("5.13");
    if ok { Ok(()) } else { Err("the kernel's lack is not told".into()) }
}

fn numbers(output: &Output, wanted: &[&str]) -> Result<(), String> {
    output.success()?;
    let text = output.out();
    let seen: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    if seen == wanted { Ok(()) } else { Err(format!("wanted {wanted:?}")) }
}
