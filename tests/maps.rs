//! Maps on this machine's kernel: aggregations as numbers, looks into maps, loops over them.

use crate::cost::{NUMBERS, writers_command};
use crate::support::{Ran, expect, lt, map_number, on_kernel, one_liner};
use libtest_mimic::Trial;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("maps::aggregations_are_numbers", numbers),
        on_kernel("maps::numbers_of_all_cpus", numbers_of_all_cpus),
        on_kernel("maps::loops_over_aggregations", loops),
        on_kernel("maps::find_len_has_key_delete", looks),
        on_kernel("maps::every_update_is_in_one_cut", cuts),
        on_kernel("maps::programs_that_still_run_are_waited_for", slow_programs),
        on_kernel("maps::cuts_by_probes", cuts_by_probes),
        on_kernel("maps::zero_keeps_keys", zero),
        on_kernel("maps::full_maps_are_counted_exactly", full_maps),
        on_kernel("maps::declared_kinds", declared_kinds),
        on_kernel("maps::records_of_aggregations", records),
        on_kernel("maps::records_as_rows", records_as_rows),
        on_kernel("maps::records_without_entries", records_without_entries),
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

/// Every CPU adds by a timer; what programs read adds up to what lt reads. At any moment each CPU may be between its two
/// updates: what is read first is at most so much ahead.
fn numbers_of_all_cpus() -> Result<(), String> {
    let cpus = online_cpus();
    let ran = one_liner(&format!(
        "profile:hz:199 {{ @c = count(); @by[cpu % 2] = sum(3); @hi = max(cpu) }} \
         interval:ms:10 {{ $c = @c; $by = @by[0] + @by[1]; $later = @c; \
           if ($c > 20 && @hi == {cpus} - 1) {{ print(($by >= 3 * ($c - {cpus}), $by <= 3 * $later)); exit() }} }}"
    ));
    let number = |map: &str| map_number(&ran.stdout, map).unwrap_or(0);
    let (all, parts) = (number("@c"), number("@by[0]") + number("@by[1]"));
    expect(ran.status == 0 && lines(&ran).first() == Some(&"(true, true)"), "sums of all CPUs", &ran)?;
    expect(all > 20 && parts == 3 * all, "the same at the end", &ran)
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

/// What the writers of the cuts are called.
pub const CUT_WRITERS: &str = "lt-cuts";
/// What those are called that are traced by slow programs.
pub const SLOW_WRITERS: &str = "lt-slow";

/// Two writers and a timer, on both CPUs, in maps of all shapes, that are shown and cleared all the time. The timer
/// interrupts programs that update the same values.
pub fn cuts_program(period: &str) -> String {
    let write = NUMBERS.0;
    format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{CUT_WRITERS}\" && args.id == {write}/ {{ \
           @n = count(); @by[comm, args.id] = count(); @pid[pid] = sum(2); @st[comm] = stats(3); \
           @h = hist(args.args[2]); @k[rand % 3000] = count(); @all[0] = sum(1); @avg = avg(5); \
           @io[comm].n = count(); @io[comm].b = sum(7); @io[comm].low = min(4); @both.n = count(); @both.b = sum(2) }} \
         profile:hz:499 {{ @tick[cpu] = count(); @all[1] = sum(1); @avg = avg(5); @both.n = count(); @both.b = sum(2) }} \
         interval:{period} {{ print(@n); clear(@n); print(@by); clear(@by); print(@pid); clear(@pid); print(@st); \
           clear(@st); print(@h); clear(@h); print(@k); clear(@k); print(@all); clear(@all); print(@io); clear(@io); print(@both); \
           clear(@both); clear(@avg) }}"
    )
}

/// Hits that the kernel missed and lt told of: kernels that preempt run no program for a CPU's tracepoints while a task
/// that was put aside there holds a map.
fn missed(stderr: &str) -> i64 {
    let number = |line: &str| line.split_once(" hit")?.0.rsplit_once(": ")?.1.parse::<i64>().ok();
    stderr.lines().filter(|line| line.contains("missed")).filter_map(number).sum()
}

/// What is wrong with the cuts in this output; each writer made so many writes.
pub fn check_cuts(stdout: &str, stderr: &str, blocks: i64) -> Result<(), String> {
    let sum = |prefix: &str| -> i64 {
        let lines = stdout.lines().filter(|line| line.starts_with(prefix));
        lines.filter_map(|line| line.rsplit_once(": ")?.1.parse::<i64>().ok()).sum()
    };
    let (mut count, mut total) = (0, 0);
    for line in stdout.lines().filter(|line| line.starts_with("@st[")) {
        let numbers: Vec<i64> = line.split(" = ").skip(1).filter_map(leading).collect();
        let [n, average, all] = numbers[..] else { return Err(format!("not stats: {line}")) };
        if average != 3 || all != 3 * n {
            return Err(format!("a torn value: {line}"));
        }
        (count, total) = (count + n, total + all);
    }
    let rows = stdout.lines().filter(|line| line.starts_with("[512, 1K)"));
    let histogram: i64 = rows.filter_map(|line| line.split_whitespace().nth(2)?.parse::<i64>().ok()).sum();
    let sent = 2 * blocks;
    let cuts = stdout.lines().filter(|line| line.starts_with("@n: ")).count();
    let seen = [sum("@n: "), sum("@by["), sum("@pid[") / 2, sum("@k["), sum("@all[0]"), count, total / 3, histogram];
    let ticks = sum("@tick[");
    // all maps saw the same; what is not there was told
    let sent = if (sent - missed(stderr)..sent).contains(&seen[0]) { seen[0] } else { sent };
    if seen != [sent; 8] || sum("@all[1]") != ticks || cuts < 3 {
        return Err(format!("sent {sent}, saw {seen:?}; {ticks} ticks, saw {}; {cuts} cuts", sum("@all[1]")));
    }
    let (io, both) = (figures(stdout, "@io["), figures(stdout, "@both: "));
    let torn = io.iter().any(|row| row[1] != 7 * row[0] || row[2] != 4) || both.iter().any(|row| row[1] != 2 * row[0]);
    let seen = [io, both].map(|rows| rows.iter().map(|row| row[0]).sum::<i64>());
    if torn || seen != [sent, sent + ticks] {
        return Err(format!("sent {sent}, {ticks} ticks, saw {seen:?} in records; torn: {torn}"));
    }
    Ok(())
}

/// The numbers of a record in each line of a map that has some.
fn figures(stdout: &str, map: &str) -> Vec<Vec<i64>> {
    let lines = stdout.lines().filter(|line| line.starts_with(map)).filter_map(|line| line.rsplit_once(": ("));
    let numbers = |text: &str| text.split([' ', ',', ')']).filter_map(|word| word.parse().ok()).collect();
    lines.map(|(_, text)| numbers(text)).collect()
}

/// What dd itself says, in all figures of one entry.
fn records() -> Result<(), String> {
    let script = "tracepoint:syscalls:sys_exit_read /comm == \"dd\" && args.ret == 3072/ { \
          @io[comm, 7].rd = count(); @io[comm, 7].bytes = sum(args.ret); @io[comm, 7].low = min(args.ret); \
          @io[comm, 7].high = max(-args.ret); @io[comm, 7].mean = avg(args.ret); @io[comm, 7].all = stats(args.ret); \
          @io[comm, 7].sizes = hist(args.ret); @one.n = count(); @one.b = sum(2) } \
        end { printf(\"%d %d\\n\", @io[\"dd\", 7].rd, @io[\"dd\", 7].mean); print(@io[\"sh\", 7].low); $v = @one; print($v.b); \
          if (find(@io, (\"dd\", 7), $x)) { print($x.high) } print((len(@io), has_key(@io, (\"dd\", 8)))); \
          for ($kv : @io) { print(($kv.0.1, $kv.1.bytes)) } clear(@one) }";
    let command = "dd if=/dev/zero of=/dev/null bs=3072 count=500";
    let ran = lt(["-e", script, "-c", command]);
    let wanted = [
        "500 3072",
        "0",
        "1000",
        "-3072",
        "(1, false)",
        "(7, 1536000)",
        "@io[dd, 7]: (rd 500, bytes 1536000, low 3072, high -3072, mean 3072, all { .count = 500, .average = 3072, .total = 1536000 })",
        "@io[dd, 7].sizes:",
        "[2K, 4K)             500 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|",
    ];
    expect(ran.status == 0 && lines(&ran) == wanted, "text", &ran)?;
    let ran = lt(["-f", "json", "-e", script, "-c", command]);
    let wanted = "{\"type\": \"map\", \"data\": {\"@io\": {\"dd,7\": {\"rd\": 500, \"bytes\": 1536000, \"low\": 3072, \
        \"high\": -3072, \"mean\": 3072, \"all\": {\"count\": 500, \"average\": 3072, \"total\": 1536000}, \
        \"sizes\": [{\"min\": 2048, \"max\": 4095, \"count\": 500}]}}}}";
    expect(lines(&ran).last() == Some(&wanted), wanted, &ran)
}

/// A column for each figure that is a number.
fn records_as_rows() -> Result<(), String> {
    let script = "table io { number: int \"N\" width 3; comm: string \"COMM\" width 5 left; rd: int \"RD\" width 5; \
          bytes: int \"BYTES\" width 8; } \
        tracepoint:syscalls:sys_exit_read /comm == \"dd\" && args.ret == 3072/ { @io[7, comm].rd = count(); \
          @io[7, comm].sizes = hist(args.ret); @io[7, comm].bytes = sum(args.ret); @io[8, comm].rd = count() } \
        end { show @io as io sort bytes desc top 1; clear(@io) }";
    let ran = lt(["-e", script, "-c", "dd if=/dev/zero of=/dev/null bs=3072 count=500"]);
    let wanted = ["  N COMM     RD    BYTES", "  7 dd      500  1536000"];
    expect(ran.status == 0 && lines(&ran) == wanted, "rows", &ran)
}

/// Entries of records go and become zero like any others.
fn records_without_entries() -> Result<(), String> {
    prints(
        "begin { @a[1].n = count(); @a[1].m = max(-5); @a[2].n = count(); print((delete(@a, 1), delete(@a[1]), @a[1].m)); \
         @b.n = sum(3); @b.h = hist(1); zero(@a); print(@a); print((delete(@b), delete(@b), @b.n)); \
         @c[5].m = min(2); clear(@c) }",
        &["(true, false, 0)", "@a[2]: (n 0, m 0)", "(true, false, 0)", "@a[2]: (n 0, m 0)"],
    )
}

/// The number at the front of a text.
fn leading(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn cuts() -> Result<(), String> {
    let blocks = 600_000;
    let ran = lt(["-e", &cuts_program("ms:30"), "-c", &writers_command(CUT_WRITERS, blocks)]);
    expect(ran.status == 0 && !ran.stderr.contains("LT0901"), "it failed", &ran)?;
    check_cuts(&ran.stdout, &ran.stderr, blocks).map_err(|what| format!("{what}\n{}", ran.stderr))
}

/// Programs that take their time between reading which page it is and updating it: without waiting for them, some updates
/// of each cut are lost.
pub fn slow_program() -> String {
    let write = NUMBERS.0;
    format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{SLOW_WRITERS}\" && args.id == {write}/ {{ \
           $x = 0; for ($i : 0..3000) {{ $x += $i }} @n = count(); @s = stats(3) }} \
         interval:us:500 {{ print(@n); clear(@n); print(@s); clear(@s) }}"
    )
}

/// What is wrong with them.
pub fn check_slow(stdout: &str, stderr: &str, blocks: i64) -> Result<(), String> {
    let cuts = stdout.lines().filter_map(|line| line.strip_prefix("@n: ")?.parse::<i64>().ok());
    let stats = stdout.lines().filter_map(|line| leading(line.strip_prefix("@s: { .count = ")?));
    let seen = (cuts.sum::<i64>(), stats.sum::<i64>());
    let sent = 2 * blocks - missed(stderr)..=2 * blocks;
    if seen.0 == seen.1 && sent.contains(&seen.0) { Ok(()) } else { Err(format!("sent {}, saw {seen:?}", 2 * blocks)) }
}

fn slow_programs() -> Result<(), String> {
    let blocks = 10_000;
    let ran = lt(["-e", &slow_program(), "-c", &writers_command(SLOW_WRITERS, blocks)]);
    expect(ran.status == 0, "it failed", &ran)?;
    check_slow(&ran.stdout, &ran.stderr, blocks).or_else(|what| expect(false, &what, &ran))
}

/// A probe that prints and clears by itself, once in 50 hits on one of the CPUs: two that do it at once may both print before
/// either clears.
fn cuts_by_probes() -> Result<(), String> {
    let (write, blocks) = (NUMBERS.0, 4_000);
    let program = format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{CUT_WRITERS}\" && args.id == {write}/ {{ \
           @n = count(); @s = stats(3); if (cpu == 0 && rand % 50 == 0) {{ print(@n); clear(@n); print(@s); clear(@s) }} }}"
    );
    let ran = lt(["-e", &program, "-c", &writers_command(CUT_WRITERS, blocks)]);
    expect(ran.status == 0 && !ran.stderr.contains("LT0901"), "it failed", &ran)?;
    check_slow(&ran.stdout, &ran.stderr, blocks).or_else(|what| expect(false, &what, &ran))
}

fn zero() -> Result<(), String> {
    let ran = lt([
        "-e",
        "begin { @c[1] = count(); @a = avg(3); @m[2] = max(7); zero(@c); zero(@a); zero(@m); print(@c); print(@a); print(@m) } \
         tracepoint:raw_syscalls:sys_enter /comm == \"no such name\"/ { @c[1] = count(); @a = avg(3); @m[2] = max(5) }",
        "-c",
        "true",
    ]);
    let wanted = ["@c[1]: 0", "@a: 0", "@m[2]: 0", "@a: 0", "@c[1]: 0", "@m[2]: 0"];
    expect(ran.status == 0 && lines(&ran) == wanted, "zeros", &ran)
}

/// More keys than the maps have room for, from two writers: seen and lost together are what was sent, kind by kind.
fn full_maps() -> Result<(), String> {
    let (write, blocks) = (NUMBERS.0, 20_000);
    let probe = format!("tracepoint:raw_syscalls:sys_enter /comm == \"{CUT_WRITERS}\" && args.id == {write}/");
    let program = format!(
        "let @c = percpuhash(50); let @p = hash(50); let @s = percpuhash(1); let @r = percpuhash(50); \
         {probe} {{ @c[rand % 200] = count() }} {probe} {{ @p[rand % 200] += 1 }} {probe} {{ @s[rand % 3, comm] = sum(1) }} \
         {probe} {{ @r[rand % 200] = count(); if (@r[7] < 0) {{ print(1) }} }}"
    );
    let ran = lt(["-e", &program, "-c", &writers_command(CUT_WRITERS, blocks)]);
    expect(ran.status == 0, "it failed", &ran)?;
    let lost: Vec<i64> = ran.stderr.lines().filter_map(|line| leading(line.split_once("sys_enter: ")?.1)).collect();
    let maps = ["@c[", "@p[", "@s[", "@r["];
    if lost.len() != maps.len() {
        return expect(false, "four warnings of lost updates", &ran);
    }
    for (map, lost) in maps.into_iter().zip(lost) {
        let entries: Vec<i64> = ran
            .stdout
            .lines()
            .filter(|line| line.starts_with(map))
            .filter_map(|line| line.rsplit_once(": ")?.1.parse().ok())
            .collect();
        let seen: i64 = entries.iter().sum();
        let room = if map == "@s[" { 1 } else { 50 };
        if entries.len() != room || seen + lost != 2 * blocks {
            return expect(false, &format!("{map}: {} entries, seen {seen}, lost {lost}", entries.len()), &ran);
        }
    }
    Ok(())
}

fn declared_kinds() -> Result<(), String> {
    let ran = one_liner(
        "let @a = lruhash(1); let @b = percpulruhash(1); let @c = hash(1); let @d = percpuhash(1); let @e = hash(7); \
         begin { @a[1] = 1; @a[2] = 2; @b[1] = count(); @b[2] = count(); @c[1] = 1; @c[2] = 2; @d[1] = count(); \
         @d[2] = count(); @e = 5; print((len(@a), len(@b), len(@c), len(@d), @a[2], @b[2])) }",
    );
    let wanted = ["(1, 1, 1, 1, 2, 1)", "@a[2]: 2", "@b[2]: 1", "@c[1]: 1", "@d[1]: 1", "@e: 5"];
    let told = ran.stderr.contains("2 map updates were lost");
    expect(ran.status == 0 && lines(&ran) == wanted && told, "kinds", &ran)
}
