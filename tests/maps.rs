//! Maps on this machine's kernel: aggregations as numbers, looks into maps, loops over them.

use crate::support::{Ran, expect, on_kernel, one_liner};
use libtest_mimic::Trial;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("maps::aggregations_are_numbers", numbers),
        on_kernel("maps::numbers_of_all_cpus", numbers_of_all_cpus),
        on_kernel("maps::loops_over_aggregations", loops),
        on_kernel("maps::find_len_has_key_delete", looks),
    ]
}

/// Lines that are not empty.
fn lines(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().filter(|line| !line.is_empty()).collect()
}

fn prints(script: &str, wanted: &[&str]) -> Result<(), String> {
    let ran = one_liner(script);
    expect(ran.status == 0 && lines(&ran) == wanted, &format!("{script}\nwanted {wanted:?}"), &ran)
}

fn numbers() -> Result<(), String> {
    prints(
        "begin { @c = count(); @c = count(); @s = sum(-5); @s = sum(2); @a = avg(-7); @a = avg(2); @lo = min(-3); @hi = max(-3); \
         @u = sum((uint64)18446744073709551615); @e[1] = max(5); $x = @c; print(($x, @s, @a, @lo, @hi, @u, @e[2], @e[1])); \
         print((int64)@a); print(@c * 3 - 1); printf(\"%d %s\\n\", @s, @a < 0 ? \"neg\" : \"pos\"); \
         if (@u > 5) { print(\"large\") } print(@e[1]); @e[1] = max(9); print(@e[1]); @k[@c] = 1; print(@k[2]); \
         print((1, @c)); @copy = @c; print(@copy); clear(@c); clear(@s); clear(@a); clear(@lo); clear(@hi); clear(@u); \
         clear(@e); clear(@k); clear(@copy) }",
        &[
            "(2, -3, -2, -3, -3, 18446744073709551615, 0, 5)",
            "-2",
            "5",
            "-3 neg",
            "large",
            "5",
            "9",
            "1",
            "(1, 2)",
            "@copy: 2",
        ],
    )
}

/// Every CPU adds by a timer; what programs read adds up to what lt reads.
fn numbers_of_all_cpus() -> Result<(), String> {
    let ran = one_liner(
        "profile:hz:199 { @c = count(); @by[cpu % 2] = sum(3); @hi = max(cpu) } \
         interval:ms:300 { print((@c > 20, @by[0] + @by[1] >= 3 * @c - 9, @hi == ncpu - 1)); exit() }"
            .replace("ncpu", &online_cpus().to_string())
            .as_str(),
    );
    expect(ran.status == 0 && lines(&ran).first() == Some(&"(true, true, true)"), "sums of all CPUs", &ran)
}

fn online_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn loops() -> Result<(), String> {
    prints(
        "begin { @c[1, \"a\"] = count(); @c[1, \"a\"] = count(); for ($kv : @c) { print($kv); $n += $kv.1 } print($n); \
         @a[7] = avg(3); @a[7] = avg(5); for ($kv : @a) { print(($kv.0, $kv.1, @a[$kv.0])) } \
         @m[-1] = min(-4); for ($kv : @m) { print($kv) } clear(@c); clear(@a); clear(@m) }"
            .replacen("begin {", "begin { $n = 0;", 1)
            .as_str(),
        &["((1, a), 2)", "2", "(7, 4, 4)", "(-1, -4)"],
    )
}

fn looks() -> Result<(), String> {
    prints(
        "begin { @x[1] = 2; @x[5] = 6; @s[\"k\"] = \"text\"; @c[1] = avg(1); @c[1] = avg(4); let $v; \
         print((len(@x), len(@s), len(@c), find(@x, 5, $v), $v, find(@x, 4, $v), $v)); \
         $t = \"a longer text\"; print((find(@s, \"k\", $t), $t, find(@s, \"l\", $new), $new)); \
         print((find(@c, 1, $v), $v, has_key(@c, 1), has_key(@c, 2))); \
         print((delete(@c, 1), delete(@c, 1), delete(@x[1]), delete(@x[1]), len(@x))); \
         @n = count(); @h = hist(8); print((delete(@n), delete(@n), delete(@h), delete(@h), @n)); clear(@x); clear(@s); }",
        &[
            "(2, 1, 1, true, 6, false, 6)",
            "(true, text, false, )",
            "(true, 2, true, false)",
            "(true, false, true, false, 1)",
            "(true, false, true, false, 0)",
        ],
    )
}
