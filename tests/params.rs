//! Parameters of scripts: the command lines that they take and refuse, what they leave of a script, their help.

use crate::support::{Ran, cannot_trace, expect, lt, lt_path, on_kernel, run};
use libtest_mimic::{Failed, Trial};
use std::path::PathBuf;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    let plain = |name: &str, test: fn() -> Result<(), String>| {
        Trial::test(format!("params::{name}"), move || test().map_err(Failed::from))
    };
    vec![
        plain("bad_command_lines", bad_command_lines),
        plain("help", help),
        plain("unused_ones_cost_nothing", unused_ones_cost_nothing),
        plain("scripts_without_any_stay_as_they_were", without_any),
        on_kernel("params::good_command_lines", good_command_lines),
        on_kernel("params::period_of_a_probe", period_of_a_probe),
        on_kernel("params::list_of_probes", list_of_probes),
        on_kernel("params::filter_by_process", filter_by_process),
        on_kernel("params::options_of_lt_behind_the_name", options_of_lt),
    ]
}

/// A parameter of each type.
const ALL: &str = r#"#!/usr/bin/env lt
//! Shows what its parameters are.
//! One of each type, for the tests.

/// Print only events that took at least this long
param min -m: duration(ms) = 5 in 0..1h;
/// Only this process
param pid -p: pid?;
/// Only these threads
param tids -t: [tid];
/// How to rank
param order --sort: enum(size, count) = size;
param big: size(KiB) = "1MiB";
param n -n: int = -3 in -10..10;
param u: uint?;
param on: bool;
param name: string = "none";
param file: path?;
param peer: ip = "127.0.0.1";
param port: port = 80;
param share: percent = 50;
param weight: float = 1.5 in 0..2;
param tag -T: string repeated;
/// Stop after this long; until Ctrl-C when left out
param run: duration(s)? positional;
exclusive(pid, tids);

example "lt all -m 5 30" "rows of at least 5 ms for half a minute";

begin {
  printf("min %d big %d n %d u %d on %d name %s file %s peer %s port %d share %d\n",
    min, big, n, u, on, name, file, ntop(peer), port, share);
  if (order == size) { printf("by size\n") } else { printf("by count\n") }
  if (param.pid) { printf("pid %d\n", param.pid) }
  if (u) { printf("u given\n") }
  if (tid == tids) { printf("my tid\n") }
  if (1 == tids) { printf("tid 1\n") }
  if ("b" == tag) { printf("tag b\n") }
  if (run) { printf("run %d\n", run) }
  exit()
}
"#;

/// A folder with a script in it.
fn script(name: &str, text: &str) -> Result<(tempfile::TempDir, PathBuf), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join(name);
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    Ok((folder, path))
}

/// Runs a script from its folder, so that messages name no path.
fn run_here(path: &std::path::Path, before: &[&str], behind: &[&str]) -> Ran {
    let name = path.file_name().unwrap_or_default();
    let mut command = Command::new(lt_path());
    command.args(before).arg(name).args(behind).current_dir(path.parent().unwrap_or(path));
    run(&mut command)
}

/// What is wrong with each, in words of its message.
const BAD: &[(&[&str], &str)] = &[
    (&["-m", "abc"], "-m, --min: 'abc' is not a duration in milliseconds"),
    (&["-m", ""], "-m, --min: '' is not a duration"),
    (&["-m"], "-m, --min has no value"),
    (&["--min"], "-m, --min has no value"),
    (&["--min="], "-m, --min: '' is not a duration"),
    (&["-m", "2h"], "'2h' is not between 0ms and 1h"),
    (&["-m", "-1"], "-m, --min: '-1' cannot be negative"),
    (&["-m", "5x"], "'5x' has an unknown unit: there are ns, us, ms, s, m, h, d"),
    (&["-m", "1.5ns"], "'1.5ns' is no whole number of the smallest unit"),
    (&["-m", "99999999999999999999"], "'99999999999999999999' is too large"),
    (&["-m", "1", "-m", "2"], "-m, --min is given twice"),
    (&["-m", "1", "--min=2"], "-m, --min is given twice"),
    (&["-p", "0"], "-p, --pid: '0' is below 1"),
    (&["-p", "1e3"], "-p, --pid: '1e3' is not the number of a process"),
    (&["-p", "99999999"], "-p, --pid: '99999999' is too large: the number of a process is at most 4194304"),
    (&["-p", "1,2"], "'1,2' is not the number of a process"),
    (&["-p1", "-t1"], "-p, --pid and -t, --tids exclude each other"),
    (&["-t", "1,x"], "-t, --tids: 'x' is not the number of a thread"),
    (&["-t", "1,"], "-t, --tids: '' is not the number of a thread"),
    (&["-t", "0"], "-t, --tids: '0' is below 1"),
    (&["--sort", "siz"], "'siz' is none of size, count; did you mean `size`?"),
    (&["--sort", "SIZE"], "'SIZE' is none of size, count"),
    (&["--sort"], "--sort has no value"),
    (&["--order", "size"], "has no option `--order`"),
    (&["--big", "1XB"], "--big: '1XB' has an unknown unit: there are B, KiB"),
    (&["--big", "1.0001B"], "'1.0001B' is no whole number"),
    (&["--big", "16777216TiB"], "--big: '16777216TiB' is too large"),
    (&["-n"], "-n, --n has no value"),
    (&["-n", "-11"], "-n, --n: '-11' is not between -10 and 10"),
    (&["-n", "3.5"], "-n, --n: '3.5' is not a whole number"),
    (
        &["-n", "9223372036854775808"],
        "'9223372036854775808' is too large: a whole number is at most 9223372036854775807",
    ),
    (&["--u", "-1"], "--u: '-1' cannot be negative"),
    (&["--u", "18446744073709551616"], "'18446744073709551616' is too large"),
    (&["-u", "1"], "has no option `-u`"),
    (&["--on=maybe"], "--on: 'maybe' is not true or false"),
    (&["--on", "--on"], "--on is given twice"),
    (&["--name"], "--name has no value"),
    (&["--file="], "--file: '' is empty"),
    (&["--peer", "1.2.3"], "--peer: '1.2.3' is not an IP address"),
    (&["--peer", "localhost"], "'localhost' is not an IP address"),
    (&["--port", "70000"], "--port: '70000' is too large: the number of a port is at most 65535"),
    (&["--share", "101%"], "--share: '101%' is too large: a percentage is at most 100"),
    (&["--share", "half"], "'half' is not a percentage"),
    (&["--weight", "nan"], "--weight: 'nan' is not a number"),
    (&["--weight", "2.5"], "'2.5' is not between 0 and 2"),
    (&["--tag"], "-T, --tag has no value"),
    (&["1", "2"], "`2` is too much: all.lt takes one argument beside options"),
    (&["soon"], "RUN: 'soon' is not a duration in seconds"),
    (&["--bogus"], "all.lt has no option `--bogus`"),
    (&["--mni", "5"], "did you mean `--min`?"),
    (&["-z"], "all.lt has no option `-z`"),
    (&["--format", "xml"], "--format: 'xml' is no value of it"),
    (&["--output"], "--output has no value"),
    (&["-e", "begin { }"], "all.lt has no option `-e`"),
];

fn bad_command_lines() -> Result<(), String> {
    let (_folder, path) = script("all.lt", ALL)?;
    for (words, message) in BAD {
        let ran = run_here(&path, &["-v"], words);
        let told = ran.status == 2 && ran.stderr.contains(message) && ran.stderr.starts_with("error[LT0905]");
        expect(told, &format!("{words:?} should say: {message}"), &ran)?;
        expect(ran.stderr.contains("  help: "), &format!("{words:?} should say what to do"), &ran)?;
        let quiet = ran.stdout.is_empty() && !ran.stderr.contains("programs to load");
        expect(quiet, &format!("{words:?}: nothing is loaded"), &ran)?;
    }
    // all that is wrong is told at once, and a process that does not exist is the machine's matter
    let ran = run_here(&path, &[], &["-m", "x", "-n", "y"]);
    expect(ran.stderr.matches("error[").count() == 2, "two mistakes, two messages", &ran)?;
    let ran = run_here(&path, &[], &["-p", "4194000"]);
    expect(ran.status == 3 && ran.stderr.contains("there is no process 4194000"), "no such process", &ran)?;
    let ran = lt(["-e", "param n: int; begin { print(n) }"]);
    expect(ran.status == 2 && ran.stderr.contains("--n is missing: the script needs it"), "it must be given", &ran)?;
    let ran = lt(["-e", "param n: int positional; begin { print(n) }"]);
    expect(ran.status == 2 && ran.stderr.contains("N is missing"), "it must be given", &ran)
}

const HELP: &str = "Shows what its parameters are.
One of each type, for the tests.

USAGE:
       lt all.lt [OPTIONS] [RUN]

Arguments:
  [RUN]  Stop after this long; until Ctrl-C when left out

Options:
  -m, --min <MS>           Print only events that took at least this long [0ms to 1h; default: 5ms]
  -p, --pid <PID>          Only this process
  -t, --tids <TID>         Only these threads [a list with commas]
      --sort <size|count>  How to rank [default: size]
";

fn help() -> Result<(), String> {
    let (_folder, path) = script("all.lt", ALL)?;
    for words in [&["--help"][..], &["-h"], &["-m", "5", "--help"]] {
        let ran = run_here(&path, &[], words);
        expect(ran.status == 0 && ran.stderr.is_empty(), "help is no mistake", &ran)?;
        expect(ran.stdout.starts_with(HELP), &format!("help begins with\n{HELP}"), &ran)?;
        let end = "Examples:\n  lt all -m 5 30\n      rows of at least 5 ms for half a minute\n";
        expect(ran.stdout.ends_with(end), "help ends with the examples", &ran)?;
        expect(ran.stdout.contains("--format <FORMAT>"), "options of every script", &ran)?;
    }
    Ok(())
}

/// A script, and the same with ten parameters that are not given.
const PLAIN: &str = "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }";
const FILTERED: &str = "param a: pid?; param b: tid?; param c: string?; param d: bool; param e: duration(ms)?;
    param f: size(KiB)?; param g: [pid]; param h: int = 0; param i: enum(x, y) = x; param j: ip?;
    tracepoint:syscalls:sys_enter_openat /(!a || pid == a) && (!b || tid == b) && (!g || pid == g) && !d/ {
      if (c && comm != c) { return }
      if (d) { printf(\"%s\", comm) }
      if (e) { @start[tid] = nsecs; $buffer = str(args.filename); print($buffer) }
      if (f && args.flags > f) { @big = count(); return }
      if (h > 0 || i == y) { @h[str(args.filename), kstack] = count() }
      if (j) { $x = j; print($x) }
      @[comm] = count();
    }
    interval:ms:{e} { print(@start) }";

fn unused_ones_cost_nothing() -> Result<(), String> {
    if cannot_trace().is_some() {
        return Ok(());
    }
    let instructions = |program: &str| -> Result<String, String> {
        let ran = lt(["--emit", "bpf", "-e", program]);
        expect(ran.status == 0, "it compiles", &ran)?;
        // comments are lines of the source
        Ok(ran.stdout.lines().filter(|line| !line.trim_start().starts_with(';')).collect::<Vec<_>>().join("\n"))
    };
    let (plain, filtered) = (instructions(PLAIN)?, instructions(FILTERED)?);
    if plain == filtered && plain.lines().count() > 20 {
        return Ok(());
    }
    Err(format!("the instructions differ\n--- without\n{plain}\n--- with\n{filtered}"))
}

fn without_any() -> Result<(), String> {
    let (_folder, path) = script("plain.lt", "begin { printf(\"%s\\n\", str($1)); exit() }")?;
    let ran = run_here(&path, &["--emit", "hir"], &["word", "-f", "json"]);
    expect(ran.status == 0 && ran.stdout.contains("word"), "options behind the name are lt's", &ran)?;
    let ran = run_here(&path, &[], &["--nonsense"]);
    expect(ran.status == 2 && ran.stderr.contains("there is no option `--nonsense`"), "an option of lt", &ran)
}

fn good_command_lines() -> Result<(), String> {
    let (_folder, path) = script("all.lt", ALL)?;
    let base = "min 5000000 big 1048576 n -3 u 0 on 0 name none file  peer 127.0.0.1 port 80 share 50\n";
    let line = |from: &str, to: &str| base.replace(from, to);
    let cases: &[(&[&str], String)] = &[
        (&[], format!("{base}by size\n")),
        (&["-m", "7us"], line("5000000", "7000")),
        (&["-m7"], line("5000000", "7000000")),
        (&["--min=0.5"], line("5000000", "500000")),
        (&["-m", "1h"], line("5000000", "3600000000000")),
        (&["-n", "-10"], line("-3", "-10")),
        (&["-n", "0x8"], line("-3", "8")),
        (&["--big", "3"], line("1048576", "3072")),
        (&["--big", "1.5KiB"], line("1048576", "1536")),
        (&["--on"], line("on 0", "on 1")),
        (&["--on=no"], base.into()),
        (&["--name", "a b\u{e9}%d"], line("none", "a b\u{e9}%d")),
        (&["--file", "/x"], line("file ", "file /x")),
        (&["--peer", "192.0.2.7"], line("127.0.0.1", "192.0.2.7")),
        (&["--peer", "2001:db8::1"], line("127.0.0.1", "2001:db8::1")),
        (&["--port", "443", "--share", "7%"], line("80 share 50", "443 share 7")),
        (&["--sort", "count"], format!("{base}by count\n")),
        (&["-p", "1"], format!("{base}by size\npid 1\n")),
        (&["--u", "0"], format!("{base}by size\nu given\n")),
        (&["-t", "1"], format!("{base}by size\ntid 1\n")),
        (&["-T", "a", "-T", "b"], format!("{base}by size\ntag b\n")),
        (&["2"], format!("{base}by size\nrun 2000000000\n")),
        (&["--", "2"], format!("{base}by size\nrun 2000000000\n")),
    ];
    for (words, wanted) in cases {
        let ran = run_here(&path, &[], words);
        let shown = ran.stdout.starts_with(wanted.as_str()) || ran.stdout.contains(wanted.as_str());
        expect(ran.status == 0 && shown, &format!("{words:?} should print\n{wanted}"), &ran)?;
    }
    let named = "param text -t: string; begin { printf(\"<%s>\\n\", text); exit() }";
    for words in [&["-e", named, "--", "-t", "x"][..], &["-e", named, "-t", "x"]] {
        let ran = lt(words);
        expect(ran.status == 0 && ran.stdout.contains("<x>"), "the part of a script that is given with -e", &ran)?;
    }
    Ok(())
}

/// As many hits as the kernel's own timer makes in the time that is given.
fn period_of_a_probe() -> Result<(), String> {
    let text = "param every: duration(ms) = 10; param times: uint = 5; param run: duration(s)? positional;
        interval:ms:{every} { @n++; if (@n == times) { printf(\"at %d\\n\", elapsed / 1000000); exit() } }
        interval:s:{run} { printf(\"too late\\n\"); exit() }";
    let (_folder, path) = script("ticks.lt", text)?;
    let ran = run_here(&path, &[], &["--every", "40ms", "--times", "5", "20"]);
    let at = ran.stdout.lines().find_map(|line| line.strip_prefix("at ")?.parse::<u64>().ok());
    // timers are never early
    expect(at.is_some_and(|at| at >= 200) && ran.stdout.contains("@n: 5"), "five ticks of 40 ms", &ran)
}

fn list_of_probes() -> Result<(), String> {
    let text = "param calls -c: [string] = \"getpgid,getsid\"; tracepoint:syscalls:sys_enter_{calls} /pid == cpid/ { @[probe] = count() }";
    let (_folder, path) = script("calls.lt", text)?;
    let shell = "-cpython3 -c 'import os\nfor i in range(7): os.getpgid(0); os.getsid(0); os.getpriority(0, 0)'";
    let ran = run_here(&path, &[shell], &[]);
    let hit = |name: &str| ran.stdout.contains(&format!("@[tracepoint:syscalls:sys_enter_{name}]: 7\n"));
    expect(hit("getpgid") && hit("getsid") && !hit("getpriority"), "the default's two, seven times", &ran)?;
    let ran = run_here(&path, &[shell], &["-c", "getpriority"]);
    let hit = |name: &str| ran.stdout.contains(&format!("@[tracepoint:syscalls:sys_enter_{name}]: 7\n"));
    expect(!hit("getpgid") && hit("getpriority"), "the one that is given", &ran)
}

/// Only the process that is named is counted, and of it every call.
fn filter_by_process() -> Result<(), String> {
    let text = "param pid -p: pid?; tracepoint:syscalls:sys_enter_getpgid /!param.pid || pid == param.pid/ {
        @[pid == param.pid] = count() }
        tracepoint:syscalls:sys_enter_getsid /pid == cpid/ { exit() }";
    let (_folder, path) = script("mine.lt", text)?;
    let own = std::process::id().to_string();
    let shell = "-cpython3 -c 'import os\nfor i in range(9): os.getpgid(0)\nos.getsid(0)'";
    let ran = run_here(&path, &[shell], &["-p", &own]);
    expect(ran.status == 0 && !ran.stdout.contains("@["), "another process is not counted", &ran)?;
    let ran = run_here(&path, &[shell], &[]);
    expect(ran.stdout.contains("@[false]: "), "without the filter, it is", &ran)
}

fn options_of_lt() -> Result<(), String> {
    let (folder, path) = script("all.lt", ALL)?;
    let ran = run_here(&path, &[], &["--format", "json", "-n", "1", "--verbose"]);
    let json = ran.stdout.contains("{\"type\": \"printf\"") && ran.stdout.contains(" n 1 ");
    expect(json && ran.stderr.contains("programs to load"), "format and verbose behind the name", &ran)?;
    let ran = run_here(&path, &["-f", "json"], &["--format=text"]);
    expect(ran.stdout.starts_with("min 5000000"), "the last one counts", &ran)?;
    let ran = run_here(&path, &[], &["--output", "out", "--on"]);
    let written = std::fs::read_to_string(folder.path().join("out")).unwrap_or_default();
    expect(written.contains("on 1") && ran.stdout.is_empty(), "the output goes to the file", &ran)
}
