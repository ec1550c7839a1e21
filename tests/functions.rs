//! Functions of times, strings and maps on this machine's own kernel: what they print is what C's functions and the
//! machine's other clocks say.

use crate::support::{Ran, expect, lt, on_kernel, one_liner};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("functions::time_of_day", time_of_day),
        on_kernel("functions::time_is_json", time_is_json),
        on_kernel("functions::zero_keeps_keys", zero_keeps_keys),
        on_kernel("functions::has_key", has_key),
        on_kernel("functions::strings", strings),
        on_kernel("functions::enumerators", enumerators),
        on_kernel("functions::conditions_on_the_kernel", conditions),
    ]
}

fn lines(ran: &Ran, wanted: &[&str]) -> Result<(), String> {
    let seen: Vec<_> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(ran.status == 0 && seen == wanted, &format!("these lines: {wanted:?}"), ran)
}

/// What a condition leaves out need not fit this kernel; which kernel it is, uname tells.
fn conditions() -> Result<(), String> {
    let uname = Command::new("uname").arg("-r").output().expect("uname runs");
    let release = String::from_utf8_lossy(&uname.stdout).into_owned();
    let version: Vec<&str> = release.split(['.', '-']).take(2).collect();
    let ran = one_liner(&format!(
        "begin {{ if (kernel == {}) {{ print(\"this one\") }} else {{ print(curtask.no_such_field) }} \
         print(kernel >= 4.1 ? \"new\" : curtask.no_such_field); \
         if (has_field(struct task_struct, no_such_field)) {{ print(curtask.no_such_field) }} else {{ print(\"lacks it\") }} \
         print((has_field(struct task_struct, se.exec_start), has_type(struct no_such), has_type(struct file))); \
         print((has_probe(\"interval:s:1\"), has_probe(\"tracepoint:no:such\"), \
           has_probe(\"tracepoint:raw_syscalls:sys_enter\"))) }} \
         tracepoint:raw_syscalls:sys_enter /has_field(args, id) && !has_field(args, no_such)/ {{ print(\"args\"); exit() }}",
        version.join(".")
    ));
    let wanted = ["this one", "new", "lacks it", "(true, false, true)", "(true, false, true)", "args"];
    let seen: Vec<_> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(ran.status == 0 && seen.starts_with(&wanted), &format!("these lines: {wanted:?}"), &ran)
}

/// What `date` says, in seconds since the epoch.
fn now() -> i64 {
    let date = Command::new("date").arg("+%s").output().expect("date runs");
    String::from_utf8_lossy(&date.stdout).trim().parse().expect("a number of seconds")
}

fn time_of_day() -> Result<(), String> {
    let before = now();
    let ran = one_liner(
        "begin { time(\"%s\\n\"); print(strftime(\"%s\", nsecs)); @t[1] = strftime(\"%s\", nsecs); \
         printf(\"%s\\n\", strftime(\"%S.%f\", 1500)); time(\"100%%\"); exit() }",
    );
    let after = now();
    let stamps: Vec<i64> = ran.stdout.lines().filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    let within = stamps.iter().all(|stamp| (before..=after).contains(stamp));
    expect(ran.status == 0 && stamps.len() == 3 && within, "three times between two of date's", &ran)?;
    let micros = ran.stdout.lines().nth(2).and_then(|line| line.split_once('.'));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    expect(micros.is_some_and(|(_, text)| text.len() == 6 && digits(text)), "six digits of microseconds", &ran)?;
    expect(ran.stdout.contains("100%\n"), "a format without conversions", &ran)
}

fn time_is_json() -> Result<(), String> {
    let program = "begin { time(\"day %j\\n\"); print(strftime(\"at %%\", 0)); @a = strftime(\"x\", 0); exit() }";
    let ran = lt(["-f", "json", "-e", program]);
    let seen: Vec<_> = ran.stdout.lines().skip(1).collect();
    expect(seen.len() == 3 && seen[0].starts_with("{\"type\": \"time\", \"data\": \"day "), "a time record", &ran)?;
    let rest = ["{\"type\": \"value\", \"data\": \"at %\"}", "{\"type\": \"map\", \"data\": {\"@a\": \"x\"}}"];
    expect(seen[1..] == rest, "times as strings", &ran)
}

fn zero_keeps_keys() -> Result<(), String> {
    let program = "begin { @a[1] = 7; @b = 7; @c[\"k\"] = count(); @d = count(); @e[2] = min(5); @f = \"text\"; \
                   zero(@a); zero(@b); zero(@c); zero(@d); zero(@e); zero(@f); exit() }";
    lines(&one_liner(program), &["@a[1]: 0", "@b: 0", "@c[k]: 0", "@d: 0", "@e[2]: 0", "@f: "])?;
    let counted = "begin { @n[1] = count(); zero(@n); print(@n) } interval:ms:50 { @n[1] = count(); exit() }";
    lines(&one_liner(counted), &["@n[1]: 0", "@n[1]: 1"])
}

fn has_key() -> Result<(), String> {
    let program = "begin { @x[1, \"a\"] = 0; @c[5] = count(); print(has_key(@x, (1, \"a\"))); print(has_key(@x, (1, \"b\"))); \
                   delete(@x, (1, \"a\")); print(has_key(@x[1, \"a\"])); print(has_key(@c, 5)); exit() }";
    lines(&one_liner(program), &["true", "false", "false", "true", "@c[5]: 1"])
}

fn strings() -> Result<(), String> {
    let program = "begin { $s = \"hello\"; @m = \"help\"; \
                   printf(\"%d%d%d%d%d%d\\n\", strncmp($s, @m, 3), strncmp($s, @m, 4), strncmp($s, \"hello you\", 5), \
                   strncmp($s, \"hello you\", 6), strncmp(\"\", @m, 0), strncmp(comm, \"ltxxxxxxxxxxxxxxxxx\", 19)); \
                   printf(\"%d %d %d %d %d\\n\", strlen($s), strlen(@m), strlen(comm), strlen(\"a\\0b\"), strlen(@none)); \
                   if (0) { @none = \"x\" } exit() }";
    lines(&one_liner(program), &["010101", "5 4 2 1 0", "@m: help"])
}

/// Numbers that are part of the kernel's interface to user space.
fn enumerators() -> Result<(), String> {
    let program = "begin { $x = -1; $less = $x < TCP_LISTEN; @x[TCP_CLOSE] = BPF_MAP_TYPE_RINGBUF + 1; \
                   printf(\"%d %d %d\\n\", TCP_LISTEN, BPF_PROG_TYPE_KPROBE, $less); exit() }";
    lines(&one_liner(program), &["10 2 1", "@x[7]: 28"])
}
