//! Actions in user space on this machine's kernel: their arithmetic, their order, and their figures against dd's.

use crate::cost::{NUMBERS, writers_command};
use crate::support::{Ran, expect, lt, on_kernel, one_liner};
use libtest_mimic::Trial;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("user::arithmetic", arithmetic),
        on_kernel("user::fractions", fractions),
        on_kernel("user::strings_and_tuples", strings),
        on_kernel("user::maps_of_both_sides", maps),
        on_kernel("user::loops_in_order", order),
        on_kernel("user::drivers_in_source_order", drivers),
        on_kernel("user::sums_over_cuts_are_exact", cuts),
        on_kernel("user::dd_by_process", by_process),
        on_kernel("user::losses_are_counted", losses),
        on_kernel("user::functions_of_the_machine", functions),
        on_kernel("user::json", json),
        on_kernel("user::rows", rows),
        on_kernel("user::example", example),
    ]
}

/// Lines that are not empty, without blanks at their ends.
fn lines(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

fn prints(script: &str, wanted: &[&str]) -> Result<(), String> {
    let ran = one_liner(script);
    expect(ran.status == 0 && lines(&ran) == wanted, &format!("{script}\nwanted {wanted:?}"), &ran)
}

fn arithmetic() -> Result<(), String> {
    prints(
        "begin user { $a = 7; $b = -2; print($a / $b); print($a % $b); print($a << 2 | 1); print(-$a >> 1); \
         print(9223372036854775807 + $a - 7); print(~$a); print($a > $b && !($a == 7)); print($a > 5 ? \"big\" : \"small\"); \
         let $n = 0; while (true) { if ($n++ >= 3) { break } if ($n == 2) { continue } printf(\"%d,\", $n) } printf(\"\\n\"); \
         for ($i : -1..2) { printf(\"%d \", $i) } printf(\"\\n\"); unroll (3) { $n *= 2 } print($n); \
         print((uint8)300); print((int8)200); print((bool)5); print(0 ?: 4); print({ let $q = 3; $q * $q }); return; print(1) }",
        &[
            "-3",
            "1",
            "29",
            "-4",
            "9223372036854775807",
            "-8",
            "false",
            "big",
            "1,3,",
            "-1 0 1",
            "32",
            "44",
            "-56",
            "true",
            "4",
            "9",
        ],
    )
}

fn fractions() -> Result<(), String> {
    prints(
        "begin { @mean = avg(3); @mean = avg(4); @s = stats(1); @s = stats(2) } end user { \
         $miss = 1; $ref = 8; print($miss / $ref); print(100.0 * (1 - $miss / $ref)); $sum = 0; $sum += 0.5; print($sum); \
         printf(\"%.2f|%8.1f|%e|%d|%s\\n\", 2.0 / 3, 1.25, 12345, 2.9, 100.0); print((int64)-2.7); print(1.5 > 1); \
         print(@mean + 0); printf(\"%.1f %d\\n\", @mean, @mean); print((@s.count, @s.average, @s.total)); \
         $z = 0; print(1.0 / $z); clear(@mean); clear(@s) }",
        &["0", "87.5", "0.5", "0.67|     1.2|1.234500e+04|2|100.0", "-2", "true", "3.5", "3.5 3", "(2, 1.5, 3)", "inf"],
    )
}

fn strings() -> Result<(), String> {
    prints(
        "begin user { $t = (1, \"a\", (2, \"b\")); print($t.0 + $t.2.0); print($t.2.1); print($t == (1, \"a\", (2, \"b\"))); \
         $r = (x = 1, name = \"n\"); print($r.name); print($r); print(\"abc\" < \"abd\"); print(strlen(\"four\")); \
         print(strftime(\"%Y\", 0) > \"1970\"); $s = \"x\"; $s = \"longer than before\"; print($s); print(pid == tid); \
         print(probe); print(strerror(2)) }",
        &[
            "3",
            "b",
            "true",
            "n",
            "{ .x = 1, .name = n }",
            "true",
            "4",
            "true",
            "longer than before",
            "true",
            "begin",
            "No such file or directory",
        ],
    )
}

/// What one side writes the other reads.
fn maps() -> Result<(), String> {
    prints(
        "begin user { @flag = 5; @name[\"a\", 1] = \"text\"; @t[1] = (7, \"seven\"); @n[3] += 2; @n[3]++; @c = 2 } \
         begin { print(@flag + 0); print(@name[\"a\", 1]); print(@t[1].1); print(@n[3]); @n[4] = @n[3] * 2; @hits = count(); @hits = count() } \
         begin user { print(@n[4]); print(@n[99]); print(@hits + 0); print(has_key(@n, 4)); print(has_key(@n, 5)); print(delete(@n, 4)); \
           print(delete(@n, 4)); print(len(@n)); zero(@n); print(@n[3]); print(delete(@flag)); print(@flag + 0); print(@t[1].0); \
           for ($kv : @name) { print($kv) } print(@name); clear(@name); clear(@t); clear(@n); clear(@hits); clear(@c) }",
        &[
            "5",
            "text",
            "seven",
            "3",
            "6",
            "0",
            "2",
            "true",
            "false",
            "true",
            "false",
            "1",
            "0",
            "true",
            "0",
            "7",
            "((a, 1), text)",
            "@name[a, 1]: text",
        ],
    )
}

fn order() -> Result<(), String> {
    prints(
        "begin { @m[\"b\", 2] = 5; @m[\"a\", 9] = 5; @m[\"c\", 1] = 7; @m[\"d\", 0] = -3; @neg[-1] = 1; @neg[2] = 1; @neg[-5] = 1 } \
         end user { for ($k, $v : @m sort $v desc top 3) { printf(\"%s%d=%d \", $k.0, $k.1, $v) } printf(\"\\n\"); \
         for ($k, $v : @m sort $v) { printf(\"%s \", $k.0) } printf(\"\\n\"); for ($k, $v : @m sort $k.1) { printf(\"%s \", $k.0) } \
         printf(\"\\n\"); for ($k, $v : @m sort 1.0 * $v / ($k.1 + 1) desc) { printf(\"%s \", $k.0) } printf(\"\\n\"); \
         for ($k, $v : @neg) { printf(\"%d \", $k) } printf(\"\\n\"); for ($k, $v : @neg top 1) { print($k); } \
         $top = 2; for ($k, $v : @m sort $k.0 desc top $top) { if ($k.0 == \"c\") { break } print($k.0) } clear(@m); clear(@neg) }",
        &["c1=7 a9=5 b2=5", "d a b c", "d c b a", "c b a d", "-5 -1 2", "-5", "d"],
    )
}

/// Actions of both sides run in the order of the source, one at a time; `exit` ends the one it stands in.
fn drivers() -> Result<(), String> {
    prints(
        "begin user { printf(\"1\\n\") } begin { printf(\"2\\n\") } begin /1 == 2/ user { printf(\"no\\n\") } begin user { printf(\"3\\n\") } \
         begin { printf(\"4\\n\") } end user { printf(\"end\\n\") }",
        &["1", "2", "3", "4", "end"],
    )?;
    let ran = one_liner(
        "interval:ms:20 user { @ticks++; if (@ticks == 3) { exit(7); print(\"behind exit\") } } end user { print(\"end\") }",
    );
    let seen = lines(&ran) == ["end", "@ticks: 3"];
    expect(ran.status == 7 && seen, "three ticks, then the end, with status 7", &ran)?;
    let attached = ran.stderr.contains("Attached 2 probes");
    expect(attached, "actions in user space count as probes", &ran)?;
    let ran = lt(["-l", "interval:ms:20 user { print(1) } begin { }"]);
    expect(ran.status != 101, "no panic", &ran)
}

/// What each cut is called, so that the writers' traces of other tests are not counted.
const WRITERS: &str = "lt-usercuts";

/// Two writers and a map that is read and cleared all the time: what was read adds up to what was written.
fn cuts() -> Result<(), String> {
    let (write, blocks) = (NUMBERS.0, 100_000);
    let program = format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{WRITERS}\" && args.id == {write}/ \
           {{ @n = count(); @by[pid] = count(); @bytes[comm] = sum(args.args[2]); @st[comm] = stats(3) }} \
         interval:ms:20 user {{ @cuts++; @all += @n; $by = 0; for ($k, $v : @by sort $v desc) {{ $by += $v }} @each += $by; \
           $differ = @n != $by; if ($differ) {{ @torn++ }} for ($k, $v : @bytes) {{ @total += $v }} \
           for ($k, $v : @st) {{ @calls += $v.count; if ($v.total != 3 * $v.count) {{ @torn++ }} }} \
           clear(@n); clear(@by); clear(@bytes); clear(@st) }} \
         end user {{ for ($k, $v : @by) {{ @each += $v }} @all += @n; for ($k, $v : @bytes) {{ @total += $v }} \
           for ($k, $v : @st) {{ @calls += $v.count }} clear(@n); clear(@by); clear(@bytes); clear(@st); \
           printf(\"%d %d %d %d %d\\n\", @all, @each, @total / 512, @calls, @torn); exit() }}"
    );
    let ran = lt(["-q", "-e", &program, "-c", &writers_command(WRITERS, blocks)]);
    let sent = 2 * blocks;
    let wanted = format!("{sent} {sent} {sent} {sent} 0");
    let cuts = crate::support::map_number(&ran.stdout, "@cuts").unwrap_or(0);
    expect(lines(&ran).first() == Some(&wanted.as_str()) && cuts >= 3, &format!("{wanted}, in several cuts"), &ran)
}

/// dd's own figures are the oracle.
fn by_process() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_exit_write /comm == \"dd\" && args.ret > 0/ { @n[comm, pid] = count(); @b[comm, pid] = sum(args.ret); \
           @size[comm] = hist(args.ret) } \
         end user { for ($k, $v : @n sort $v desc) { printf(\"%s %d %d %.1f %.1f\\n\", $k.0, $v, @b[$k], 1.0 * @b[$k] / $v, 1.0 * $v) } \
           printf(\"%.0f\\n\", percentile(@size[\"dd\"], 50)); clear(@n); clear(@b); clear(@size) }";
    let dd = |blocks: u32| format!("dd if=/dev/zero of=/dev/null bs=4096 count={blocks} status=none");
    let ran = lt(["-q", "-e", program, "-c", &format!("sh -c '{}; {}'", dd(700), dd(1300))]);
    let wanted = ["dd 1300 5324800 4096.0 1300.0", "dd 700 2867200 4096.0 700.0"];
    let seen = lines(&ran);
    let median = seen.get(2).and_then(|line| line.parse::<u32>().ok()).is_some_and(|at| (4096..8192).contains(&at));
    expect(ran.status == 0 && seen.get(..2) == Some(&wanted[..]) && median, &format!("{wanted:?}"), &ran)
}

fn losses() -> Result<(), String> {
    let ran = one_liner("begin user { $z = 0; print(5 / $z); print(5 % $z); print(\"on\") }");
    let told = ran.stderr.contains("begin: 2 divisions by zero gave 1");
    expect(ran.status == 0 && lines(&ran) == ["1", "1", "on"] && told, "two divisions by zero", &ran)?;
    let ran =
        lt(["--strict", "-e", "begin user { while (1) { $n = 1 } print(\"behind\") } end user { print(\"end\") }"]);
    let told = ran.stderr.contains("begin: 1 loop was ended at its bound");
    expect(ran.status == 5 && lines(&ran) == ["end"] && told, "an endless loop is ended", &ran)?;
    let ran = one_liner("let @m = hash(2); begin user { for ($i : 0..5) { @m[$i] = 1 } print(len(@m)); clear(@m) }");
    let told = ran.stderr.contains("begin: 3 map updates were lost");
    expect(lines(&ran) == ["2"] && told, "a full map", &ran)?;
    let ran = one_liner("begin user { errorf(\"%.1f is too much\\n\", 2.5); print(\"on\") }");
    let told = ran.stderr.contains("2.5 is too much");
    expect(ran.status == 0 && lines(&ran) == ["on"] && told, "a message", &ran)
}

fn functions() -> Result<(), String> {
    let own = std::fs::read_to_string("/proc/sys/kernel/osrelease").map_err(|error| error.to_string())?;
    let program = format!(
        "begin user {{ print(read_file(\"/proc/sys/kernel/osrelease\") == \"{}\"); print(path(pid) == \"{}\"); print(path({}, 0)); \
         print(user_name(0)); print(group_name(0)); print(protocol_name(17)); print(family_name(2)); print(read_file(\"/none\") == \"\"); \
         print(path(999999999) == \"\"); print(disk(0)); print(container(1) == container(1)); print(rate(10, 2s)); print(comm); \
         print(nsecs > 0 && nsecs(tai) > nsecs) }}",
        own.trim(),
        crate::support::lt_path(),
        std::process::id(),
    );
    let stdin = std::fs::read_link("/proc/self/fd/0").map_err(|error| error.to_string())?;
    let stdin = stdin.display().to_string();
    let wanted =
        ["true", "true", &stdin, "root", "root", "UDP", "AF_INET", "true", "true", "0:0", "true", "5.0", "lt", "true"];
    prints(&program, &wanted)
}

fn json() -> Result<(), String> {
    let script = "begin user { print(0.5); $z = 0; print(1.0 / $z); print((1, \"a\\\"b\")); printf(\"%.1f\", 2.0); @x[1] = 2; print(@x); clear(@x) }";
    let ran = lt(["-q", "-f", "json", "-e", script]);
    let wanted = [
        r#"{"type": "value", "data": 0.5}"#,
        r#"{"type": "value", "data": null}"#,
        r#"{"type": "value", "data": [1,"a\"b"]}"#,
        r#"{"type": "printf", "data": "2.0"}"#,
        r#"{"type": "map", "data": {"@x": {"1": 2}}}"#,
    ];
    let seen: Vec<&str> = lines(&ran).into_iter().filter(|line| !line.contains("attached_probes")).collect();
    expect(ran.status == 0 && seen == wanted, &format!("{wanted:#?}"), &ran)
}

/// Rows from user space, with fractions, in all forms.
fn rows() -> Result<(), String> {
    let script = "table t { name: string \"NAME\" width 6 left; n: int; share: percent.1; mean: float.2; who: string?; } \
         begin { @m[\"b\"] = 1; @m[\"a\"] = 3 } \
         end user { $all = 4; for ($k, $v : @m sort $v desc) { emit t($k, $v, share = 100 * $v / $all, mean = $v / 8.0, who = user_name(0)) } \
           emit t(\"odd\", n = 7 / 2, share = 7 / 2, mean = 7 / 2); clear(@m) }";
    let text = lt(["-q", "-e", script]);
    let words: Vec<Vec<&str>> = lines(&text).iter().map(|line| line.split_whitespace().collect()).collect();
    let wanted = [
        vec!["NAME", "N", "SHARE", "MEAN", "WHO"],
        vec!["a", "3", "75.0%", "0.38", "root"],
        vec!["b", "1", "25.0%", "0.12", "root"],
        vec!["odd", "3", "3.5%", "3.50", "-"],
    ];
    expect(text.status == 0 && words == wanted, &format!("{wanted:?}"), &text)?;
    let json = lt(["-q", "-f", "json", "-e", script]);
    expect(json.stdout.contains("\"share\": 75") && json.stdout.contains("\"mean\": 0.375"), "exact figures", &json)?;
    let wrong = one_liner("table t { n: int; } begin user { emit t(0.5); emit t(); emit u(1) }");
    let told = ["LT0301", "LT0302", "cannot show `float`"].iter().all(|what| wrong.stderr.contains(what));
    expect(wrong.status == 1 && told, "three mistakes", &wrong)
}

/// The reference script, with dd as its oracle: its rows are those of one cut.
fn example() -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib-scripts/examples/user-blocks.lt");
    let dd = "dd if=/dev/zero of=/dev/null bs=8192 count=2500 status=none";
    // other processes write, too
    let ran = lt(["-q", script, "-c", dd]);
    let row = lines(&ran).into_iter().find(|line| line.contains(" dd "));
    let fields: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
    let fine = matches!(fields[..], [_, "dd", "2500", "8192.0", share] if share.ends_with('%'));
    expect(ran.status == 0 && fine, "a row of dd with 2500 writes of 8192 bytes", &ran)
}
