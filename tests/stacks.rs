//! Stacks of processes and of the kernel, on this machine's own kernel, against programs whose stacks are known.

use crate::support::{Ran, expect, lt, map_number, on_kernel, one_liner, run};
use libtest_mimic::Trial;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("stacks::frames_of_a_process_that_has_ended", ended),
        on_kernel("stacks::lines_and_inlined_functions", debug_info),
        on_kernel("stacks::forms", forms),
        on_kernel("stacks::stripped_programs_have_addresses", stripped),
        on_kernel("stacks::static_programs", static_pie),
        on_kernel("stacks::children_that_come_and_go", children),
        on_kernel("stacks::exec_keeps_the_number", exec),
        on_kernel("stacks::deleted_file", deleted),
        on_kernel("stacks::other_mount_namespace", namespace),
        on_kernel("stacks::generated_code", generated),
        on_kernel("stacks::user_symbols", user_symbols),
        on_kernel("stacks::lengths_and_comparisons", lengths),
        on_kernel("stacks::none_is_lost_to_another", distinct),
        on_kernel("stacks::keys_in_json", json),
    ]
}

fn succeed(ran: &Ran) -> Result<(), String> {
    expect(ran.status == 0, "it failed", ran)
}

/// `leaf` makes a system call; `inner` is always part of `middle`. Without an argument it does so once, with one until it
/// is killed, having removed its file if the argument says so.
const CHAIN: &str = r"
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#define OWN __attribute__((noinline, noclone))
#define FRAME __asm__ volatile('' : : 'r'(__builtin_frame_address(0)))
OWN long leaf(void) { FRAME; long r; __asm__ volatile('syscall' : '=a'(r) : 'a'(SYS_getppid) : 'rcx', 'r11', 'memory'); return r; }
static inline __attribute__((always_inline)) long inner(void)
{
    long r = leaf();
    __asm__ volatile('' : '+r'(r));
    return r + 1;
}
OWN long middle(void) { long r = inner(); __asm__ volatile('' : '+r'(r)); return r + 1; }
OWN long top(void) { long r = middle(); __asm__ volatile('' : '+r'(r)); return r + 1; }
int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == 103) unlink(argv[0]);
    do { top(); if (argc > 1) usleep(1000); } while (argc > 1);
    return 0;
}
";

/// The system call that the programs make.
const CALL: &str = "tracepoint:syscalls:sys_enter_getppid";

/// Compiles a program (with ' for ") with frame pointers, and runs a test with its path.
fn with_program(
    source: &str,
    name: &str,
    flags: &[&str],
    test: impl FnOnce(&str) -> Result<(), String>,
) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (text, program) = (folder.path().join("source.c"), folder.path().join(name));
    std::fs::write(&text, source.replace('\'', "\"")).map_err(|error| error.to_string())?;
    let frames = ["-O1", "-fno-omit-frame-pointer", "-o"];
    let ran = run(Command::new("cc").args(flags).args(frames).args([&program as &Path, &text]));
    expect(ran.status == 0, "the C compiler failed", &ran)?;
    test(&program.display().to_string())
}

/// The lines of the first stack of the output, without blanks around.
fn first_stack(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.starts_with([' ', '\t']));
    lines.take_while(|line| line.starts_with([' ', '\t'])).map(str::trim).collect()
}

/// The functions of frames `function+offset`.
fn functions<'a>(frames: &[&'a str]) -> Vec<&'a str> {
    frames.iter().map(|frame| frame.split_once('+').map_or(*frame, |(name, _)| name)).collect()
}

fn is_chain(ran: &Ran) -> Result<(), String> {
    let frames = first_stack(&ran.stdout);
    expect(functions(&frames).starts_with(&["leaf", "middle", "top", "main"]), "the chain of calls", ran)
}

fn ended() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let script =
            format!("config = {{ show_debug_info = false }} {CALL} /comm == \"lt-chain\"/ {{ @[ustack] = count() }}");
        let ran = lt(["-e", &script, "-c", program]);
        succeed(&ran)?;
        is_chain(&ran)
    })
}

fn debug_info() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &["-g"], |program| {
        let source = CHAIN.lines().collect::<Vec<_>>();
        let line = |text: &str| source.iter().position(|line| line.contains(text)).map_or(0, |at| at + 1);
        let script = format!("{CALL} /comm == \"lt-chain\"/ {{ print(ustack); print(ustack(perf)) }}");
        let ran = lt(["-e", &script, "-c", program]);
        succeed(&ran)?;
        let frames = first_stack(&ran.stdout);
        let ends = |at: usize, start: &str, text: &str| {
            let frame = frames.get(at).copied().unwrap_or_default();
            frame.starts_with(start) && frame.ends_with(&format!("source.c:{}", line(text)))
        };
        expect(ends(0, "leaf+", "OWN long leaf"), "leaf", &ran)?;
        expect(ends(1, "[inlined] inner@", "    return r + 1;"), "inner", &ran)?;
        expect(ends(2, "middle+", "OWN long middle"), "middle", &ran)?;
        expect(ran.stdout.contains(" inner (inlined)\n\t"), "inner in perf's form", &ran)?;
        expect(ran.stdout.contains(&format!(" ({program})\n")), "the program's path", &ran)
    })
}

fn forms() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &["-Wl,--build-id"], |program| {
        let script = format!(
            "config = {{ stack_mode = raw }} {CALL} /comm == \"lt-chain\"/ {{ print(ustack(2)); print(ustack(build_id, 1)); \
             print(ustack(perf, 1)) }}"
        );
        let ran = lt(["-q", "-e", &script, "-c", program]);
        succeed(&ran)?;
        let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
        let [first, second, in_file, perf] = lines[..] else { return expect(false, "four lines", &ran) };
        let hex = |text: &str| u64::from_str_radix(text, 16);
        expect(hex(first).is_ok() && hex(second).is_ok(), "bare addresses", &ran)?;
        let notes = run(Command::new("readelf").args(["-n", program]));
        let (id, offset) = in_file.split_once(" 0x").ok_or("no build id")?;
        expect(notes.stdout.contains(&format!("Build ID: {id}\n")), "readelf's build id", &ran)?;
        // the first segments of these programs lie in the file as they do in memory
        let symbols = run(Command::new("nm").arg(program));
        let leaf =
            symbols.stdout.lines().find_map(|line| line.strip_suffix(" T leaf")).ok_or("nm shows no function")?;
        let inside = hex(offset).unwrap_or(0).wrapping_sub(hex(leaf).unwrap_or(0));
        let expected = format!("\t{first} leaf+{inside} ({program})");
        expect(inside < 64 && perf == expected, &format!("instead of {expected}"), &ran)
    })
}

fn stripped() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &["-s"], |program| {
        let script = format!(
            "{CALL} /comm == \"lt-chain\"/ {{ print(ustack(2)); print(ustack(raw, 2)); print(ustack(perf, 1)) }}"
        );
        let ran = lt(["-q", "-e", &script, "-c", program]);
        succeed(&ran)?;
        let lines: Vec<&str> = ran.stdout.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let [first, second, raw, other, perf] = lines[..] else { return expect(false, "five lines", &ran) };
        expect(first == format!("0x{raw}") && second == format!("0x{other}"), "addresses", &ran)?;
        expect(perf == format!("{raw} 0x{raw} ([unknown])"), "perf's form", &ran)
    })
}

fn static_pie() -> Result<(), String> {
    for flags in [&["-static-pie"][..], &["-static"], &["-no-pie"]] {
        with_program(CHAIN, "lt-chain", flags, |program| {
            let script = format!("{CALL} /comm == \"lt-chain\"/ {{ @[ustack] = count() }}");
            is_chain(&lt(["-e", &script, "-c", program])).map_err(|error| format!("{flags:?}: {error}"))
        })?;
    }
    Ok(())
}

/// Ten processes, one after the other, all of them gone when the map is printed.
fn children() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let script = format!("{CALL} /comm == \"lt-chain\"/ {{ @[ustack(4)] = count(); @n = count() }}");
        let command = format!("sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do {program}; done'");
        let ran = lt(["-e", &script, "-c", &command]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@n") == Some(10), "ten calls", &ran)?;
        for name in ["leaf+", "middle+", "top+", "main+"] {
            expect(ran.stdout.matches(name).count() == 10, name, &ran)?;
        }
        Ok(())
    })
}

/// The same addresses in two programs that one process runs: each stack has the names of its own time.
fn exec() -> Result<(), String> {
    let other = CHAIN.replace("leaf", "blatt").replace("middle", "mitte");
    let first = CHAIN.replace("return 0;", "return execl(getenv('NEXT'), 'lt-chain', (char *)0);");
    let first = first.replace("#include <stdio.h>", "#include <stdlib.h>");
    with_program(&other, "lt-chain", &["-no-pie"], |next| {
        with_program(&first, "lt-chain", &["-no-pie"], |program| {
            let script = format!("{CALL} /comm == \"lt-chain\"/ {{ @[tid, ustack(2)] = count() }}");
            let ran = lt(["-e", &script, "-c", &format!("env NEXT={next} {program}")]);
            succeed(&ran)?;
            for name in ["leaf+", "middle+", "blatt+", "mitte+"] {
                expect(ran.stdout.matches(name).count() == 1, name, &ran)?;
            }
            Ok(())
        })
    })
}

/// A program that makes calls for ever, seen until its stack was taken often enough to be sure that lt has heard of it.
fn endless(command: &str) -> Ran {
    let script = format!("{CALL} /comm == \"lt-chain\"/ {{ @[ustack] = count(); @n++; if (@n > 20) {{ exit() }} }}");
    lt(["-e", &script, "-c", command])
}

fn deleted() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let ran = endless(&format!("{program} gone"));
        succeed(&ran)?;
        is_chain(&ran)
    })
}

fn namespace() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let inside = format!("mount -t tmpfs none /mnt && cp {program} /mnt/lt-chain && exec /mnt/lt-chain loop");
        let ran = endless(&format!("unshare -m sh -c '{inside}'"));
        succeed(&ran)?;
        is_chain(&ran)
    })
}

/// Code in memory without a file, which a map of the process names.
const GENERATED: &str = r"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
    /* push %rbp; mov %rsp,%rbp; mov $110,%eax (getppid); syscall; pop %rbp; ret */
    static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x5d, 0xc3};
    char name[64];
    char *at = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(at, code, sizeof code);
    snprintf(name, sizeof name, '/tmp/perf-%d.map', getpid());
    FILE *map = fopen(name, 'w');
    fprintf(map, '%lx %zx made_up function\n', (unsigned long)at, sizeof code);
    fclose(map);
    for (;;) { ((void (*)(void))at)(); usleep(1000); }
}
";

fn generated() -> Result<(), String> {
    with_program(GENERATED, "lt-chain", &[], |program| {
        let script =
            format!("{CALL} /comm == \"lt-chain\"/ {{ @file = pid; print(ustack); @n++; if (@n > 100) {{ exit() }} }}");
        let ran = lt(["-e", &script, "-c", program]);
        if let Some(pid) = map_number(&ran.stdout, "@file") {
            let _ = std::fs::remove_file(format!("/tmp/perf-{pid}.map"));
        }
        succeed(&ran)?;
        let frames = first_stack(&ran.stdout);
        expect(frames.starts_with(&["made_up function+11"]), "the map's name", &ran)?;
        expect(functions(&frames).get(1) == Some(&"main"), "its caller", &ran)
    })
}

fn user_symbols() -> Result<(), String> {
    let source = CHAIN.replace(
        "OWN long top(void)",
        "OWN void take(void *p, void *q) { __asm__ volatile('' : : 'r'(p), 'r'(q)); }\nOWN long top(void)",
    );
    let source = source.replace("do {", "take((char *)top + 2, argv); do {");
    with_program(&source, "lt-chain", &[], |program| {
        let script = format!(
            "uprobe:{program}:take {{ printf(\"%s %10s|\\n\", usym(arg0), usym(arg0)); @[usym(arg0)] = 1; \
             @a = usym(arg1); @b = arg1 }}"
        );
        let ran = lt(["-q", "-e", &script, "-c", program]);
        succeed(&ran)?;
        expect(ran.stdout.starts_with("top        top|\n"), "the function's name", &ran)?;
        expect(ran.stdout.contains("@[top]: 1\n"), "as a key", &ran)?;
        let number = map_number(&ran.stdout, "@b").unwrap_or(0);
        expect(ran.stdout.contains(&format!("@a: {number:#x}\n")), "what has no name is an address", &ran)
    })
}

fn lengths() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let script = format!(
            "{CALL} /comm == \"lt-chain\"/ {{ $three = ustack(3); @three = len($three); @all = len(ustack); @none = len(ustack(0)); \
             @k = len(kstack(2)); if (ustack == ustack && kstack == kstack) {{ @same = 1 }} if (ustack(2) != ustack) {{ @other = 1 }} \
             @kept = ustack; @again = len(@kept) }}"
        );
        let ran = lt(["-e", &script, "-c", program]);
        succeed(&ran)?;
        for (map, value) in [("@three", 3), ("@none", 0), ("@k", 2), ("@same", 1), ("@other", 1)] {
            expect(map_number(&ran.stdout, map) == Some(value), map, &ran)?;
        }
        let all = map_number(&ran.stdout, "@all");
        expect(all.is_some_and(|all| all >= 4) && all == map_number(&ran.stdout, "@again"), "all frames", &ran)
    })
}

/// 4096 ways through two functions that call each other, each taken twice.
const WAYS: &str = r"
#include <unistd.h>
#include <sys/syscall.h>
#define OWN __attribute__((noinline, noclone))
OWN void zero(unsigned way, int left);
OWN void one(unsigned way, int left);
static inline __attribute__((always_inline)) void on(unsigned way, int left)
{
    long r;
    if (left == 0)
        __asm__ volatile('syscall' : '=a'(r) : 'a'(SYS_getppid) : 'rcx', 'r11', 'memory');
    else if (way & 1)
        one(way >> 1, left - 1);
    else
        zero(way >> 1, left - 1);
    __asm__ volatile('' ::: 'memory');
}
#define FRAME __asm__ volatile('' : : 'r'(__builtin_frame_address(0)))
OWN void zero(unsigned way, int left) { FRAME; on(way, left); }
OWN void one(unsigned way, int left) { FRAME; on(way, left); }
int main(void)
{
    for (unsigned way = 0; way < 8192; way++)
        on(way & 4095, 12);
    return 0;
}
";

fn distinct() -> Result<(), String> {
    with_program(WAYS, "lt-ways", &[], |program| {
        let script = format!("{CALL} /comm == \"lt-ways\"/ {{ @[ustack(13)] = count(); @n = count() }}");
        let ran = lt(["-e", &script, "-c", program]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@n") == Some(8192), "all calls", &ran)?;
        expect(!ran.stderr.contains("lost"), "nothing is lost", &ran)?;
        let entries: Vec<&str> = ran.stdout.split("@[\n").skip(1).collect();
        let twice = entries.iter().filter(|entry| entry.contains("]: 2\n")).count();
        let ways: HashSet<Vec<&str>> = entries.iter().map(|entry| functions(&first_stack(entry))).collect();
        if (entries.len(), twice, ways.len()) == (4096, 4096, 4096) {
            return Ok(());
        }
        Err(format!("{} entries, {twice} of them counted twice, {} ways\n{}", entries.len(), ways.len(), ran.stderr))
    })
}

fn json() -> Result<(), String> {
    with_program(CHAIN, "lt-chain", &[], |program| {
        let script = format!(
            "config = {{ show_debug_info = false }} {CALL} /comm == \"lt-chain\"/ {{ @k[ustack(2), pid] = 1; @v = ustack(1); \
             printf(\"%s\", ustack(1)) }}"
        );
        let ran = lt(["-f", "json", "-e", &script, "-c", program]);
        succeed(&ran)?;
        let lines: Result<Vec<serde_json::Value>, _> = ran.stdout.lines().map(serde_json::from_str).collect();
        let lines = lines.map_err(|error| format!("{error}: {}", ran.stdout))?;
        let printed = lines.iter().find(|line| line["type"] == "printf").and_then(|line| line["data"].as_str());
        let printed = printed.unwrap_or_default();
        expect(printed.starts_with("\n        leaf+") && printed.ends_with('\n'), "printf", &ran)?;
        expect(lines.iter().any(|line| line["data"]["@v"] == printed), "a value", &ran)?;
        let keyed = lines.iter().find_map(|line| line["data"]["@k"].as_object()?.keys().next().cloned());
        let leaf = printed.trim_start().trim_end();
        let starts = format!("\n{leaf}\nmiddle+");
        expect(keyed.is_some_and(|key| key.starts_with(&starts)), "a key", &ran)?;
        let ran = one_liner("begin { print(kstack(1)); @x = 1 }");
        succeed(&ran)
    })
}
