//! Kinds of probes that lt runs itself, on this machine's own kernel: iterators, signals, tests, benchmarks; and attach
//! points with alternatives.

use crate::support::{Ran, expect, lt, lt_path, map_number, on_kernel, one_liner, run, stat};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("itself::iterator_sees_every_process", iterator),
        on_kernel("itself::iterators_are_listed_with_their_fields", iterators_listed),
        on_kernel("itself::iterator_floods_nothing", iterator_prints_all),
        on_kernel("itself::signals_in_order", signals),
        on_kernel("itself::tests_pass_and_fail", tests),
        on_kernel("itself::benchmarks_are_measured", benchmarks),
        on_kernel("itself::only_tests_say_how_to_run_them", only_tests),
        on_kernel("itself::alternatives_and_optional_probes", alternatives),
        on_kernel("itself::probes_of_a_script", probes),
        on_kernel("itself::watchpoint_works_or_says_why_not", watchpoint),
    ]
}

fn succeed(ran: &Ran) -> Result<(), String> {
    expect(ran.status == 0, "it failed", ran)
}

/// Threads that /proc shows before and after are seen, by name and start.
fn iterator() -> Result<(), String> {
    let threads: Vec<_> = std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?.flatten().collect();
    let ran = one_liner(
        "iter:task { @[ctx.task.comm, ctx.task.start_boottime / 10000000] = count() } iter:task_file { @files = max(ctx.fd) }",
    );
    succeed(&ran)?;
    let mut seen = 0;
    for thread in threads {
        // one that has ended since has no stat
        let Ok((name, start, _)) = stat(&thread.path().join("stat").to_string_lossy()) else { continue };
        let count = map_number(&ran.stdout, &format!("@[{name}, {start}]"));
        expect(count.is_some_and(|count| count >= 1), &format!("thread {name} {start} is missing"), &ran)?;
        seen += 1;
    }
    expect(seen >= 1, "the test itself", &ran)?;
    expect(map_number(&ran.stdout, "@files").is_some_and(|fd| fd >= 2), "descriptors", &ran)
}

fn iterators_listed() -> Result<(), String> {
    let ran = lt(["-lv", "iter:task*"]);
    succeed(&ran)?;
    expect(ran.stdout.contains("iter:task\n    struct task_struct * task\n"), "fields of iter:task", &ran)?;
    let ran = one_liner("iter:tsak { }");
    expect(ran.status == 3 && ran.stderr.contains("did you mean `task`"), "a typo", &ran)
}

/// Long lines for each mapping of each process are more than the event ring holds at once: none is lost.
fn iterator_prints_all() -> Result<(), String> {
    let ran = one_liner("iter:task_vma { @ = count(); printf(\"%0512d\\n\", ctx.vma.vm_start) }");
    succeed(&ran)?;
    let lines = ran.stdout.lines().filter(|line| line.len() >= 512).count() as i64;
    expect(!ran.stderr.contains("lost"), "nothing lost", &ran)?;
    if map_number(&ran.stdout, "@") == Some(lines) { Ok(()) } else { Err(format!("{lines} lines printed")) }
}

fn signals() -> Result<(), String> {
    let program = "begin { printf(\"go\\n\") } self:signal:SIGUSR1 { printf(\"first\") } \
                   self:signal:SIGUSR1 { printf(\" second\\n\"); @++; if (@ == 2) { exit() } } \
                   self:signal:SIGUSR2 { printf(\"other\\n\") } interval:s:60 { exit(9) }";
    // what begin printed comes when everything is watched for
    let script = format!(
        "mkfifo f; \"{}\" -e '{program}' > f & exec 3< f; read line <&3; kill -USR1 $!; read line <&3; echo $line; \
         kill -USR2 $!; read line <&3; echo $line; kill -USR1 $!; read line <&3; echo $line; wait $!",
        lt_path()
    );
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let ran = run(Command::new("sh").args(["-c", &script]).current_dir(folder.path()));
    succeed(&ran)?;
    expect(ran.stdout == "first second\nother\nfirst second\n", "order", &ran)
}

fn tests() -> Result<(), String> {
    let program = "begin { @ = 1 } test:fine { print(\"unseen\") } test:result { print(\"seen\"); return 1 } \
                   test:exits { exit(2) } test:zero { if (@ == 1) { return 0 } return 7 } end { printf(\"end\\n\") }";
    let ran = lt(["--test", "-e", program]);
    expect(ran.status == 1, "a failed test fails the run", &ran)?;
    for line in ["Running 4 tests.", "OK ]\u{1b}[0m fine", "OK ]\u{1b}[0m zero", "2 tests, listed below", "seen\n"] {
        expect(ran.stdout.contains(line), line, &ran)?;
    }
    expect(!ran.stdout.contains("unseen") && ran.stdout.ends_with("end\n"), "output of tests that pass", &ran)?;
    let ran = lt(["--mode", "test", "-f", "json", "-e", "test:fine { }"]);
    succeed(&ran)?;
    expect(ran.stdout.contains("\"passed\": true, \"output\": \"\""), "as JSON", &ran)
}

fn benchmarks() -> Result<(), String> {
    let program = "bench:a { @a++ } bench:skipped { return 1 } bench:b { @b++ } end { print((@a, @b)) }";
    let ran = lt(["--bench", "-e", program]);
    succeed(&ran)?;
    let runs = |name: &str| {
        let line = ran.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(2).and_then(|runs| runs.parse::<u64>().ok()).unwrap_or(0)
    };
    let (a, b) = (runs("a "), runs("b "));
    expect(a > 0 && b > 0 && !ran.stdout.contains("skipped"), "both were measured", &ran)?;
    expect(ran.stdout.ends_with(&format!("({a}, {b})\n")), "as often as the programs counted", &ran)
}

fn only_tests() -> Result<(), String> {
    let ran = one_liner("test:a { }");
    expect(ran.status == 2 && ran.stderr.contains("run it with --test"), "how to run tests", &ran)?;
    let ran = lt(["--bench", "-e", "begin { }"]);
    expect(ran.status == 2 && ran.stderr.contains("no benchmarks"), "no benchmarks", &ran)
}

fn alternatives() -> Result<(), String> {
    // a program that begins has page faults
    let ran = lt([
        "-c",
        "ls /",
        "-e",
        "tracepoint:nonsense:nothing || software:page-faults:1 || tracepoint:sched:sched_switch { @[probe] = count() } \
         tracepoint:nonsense:either? { @never = count() }",
    ]);
    succeed(&ran)?;
    expect(ran.stdout.contains("@[software:page-faults:1]: "), "the first that is there", &ran)?;
    expect(!ran.stdout.contains("sched_switch") && ran.stderr.contains("Attached 1 probe"), "no other", &ran)?;
    let ran = one_liner("tracepoint:nonsense:nothing || rt:nonsense { }");
    expect(ran.status == 3 && ran.stderr.contains("nonsense"), "none is there", &ran)?;
    let ran = one_liner("tracepoint:nonsense:nothing? { }");
    expect(ran.status == 3, "nothing is left", &ran)
}

fn probes() -> Result<(), String> {
    let ran = lt(["probes", "-e", "begin { } software:cs { } rt:sched_switch { } uprobe:libc:mall* { }"]);
    succeed(&ran)?;
    for line in ["begin  run by lt\n", "software:cs  perf event\n", "sched_switch  raw tracepoint\n", "uprobe.multi, "]
    {
        expect(ran.stdout.contains(line), line, &ran)?;
    }
    Ok(())
}

fn watchpoint() -> Result<(), String> {
    let ran = one_liner("watchpoint:0x10000000:8:w { @ = count() } interval:ms:100 { exit() }");
    let refused = ran.status == 3 && ran.stderr.contains("LT0801") && ran.stderr.contains("cannot watch");
    expect(ran.status == 0 || refused, "neither attached nor refused with a reason", &ran)?;
    for wrong in ["0x10000001:8:w", "0x10000000:3:w", "0x10000000:8:rx", "0x10000000:8:q", "x:8:w"] {
        let ran = one_liner(&format!("watchpoint:{wrong} {{ }}"));
        expect(ran.status == 1 && ran.stderr.contains("LT0402"), wrong, &ran)?;
    }
    Ok(())
}
