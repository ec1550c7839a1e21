//! What is lost is counted exactly, probe by probe and cause by cause: a command makes a known number of system calls, and
//! what was seen and what was lost are together that number. People, machines and the exit status are told the same.

use crate::support::{Ran, expect, finish, lt, lt_path, on_kernel, run};
use libtest_mimic::Trial;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("losses::events_of_a_full_ring", full_ring),
        on_kernel("losses::updates_of_a_full_map", full_map),
        on_kernel("losses::stacks_without_room", full_stacks),
        on_kernel("losses::strings_that_are_cut", cut_strings),
        on_kernel("losses::memory_that_cannot_be_read", faults),
        on_kernel("losses::hits_inside_of_programs", missed_hits),
        on_kernel("losses::several_causes_and_probes", several),
        on_kernel("losses::nothing_is_lost_in_quiet", quiet),
        on_kernel("losses::lists_end_without_a_fault", lists),
        on_kernel("losses::reader_that_stops", reader_that_stops),
    ]
}

/// Makes so many system calls whose last argument nobody else uses: with a text, with address 0 (`-`) or with one where
/// nothing is (`+`). The first argument is another number each time; after `#` so is the stack.
const FLOOD: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#define OWN __attribute__((noinline, noclone))
static const char *path;
static int walk(long n, int steps);
static OWN int left(long n, int steps) { return walk(n / 2, steps - 1) + 1; }
static OWN int right(long n, int steps) { return walk(n / 2, steps - 1) + 2; }
static OWN int walk(long n, int steps)
{
    if (steps == 0)
        return syscall(SYS_faccessat, -1, path, 1445);
    return 3 * (n % 2 ? left(n, steps) : right(n, steps));
}
int main(int argc, char **argv)
{
    path = argv[2][0] == '-' ? 0 : argv[2][0] == '+' ? (char *)16 : argv[2];
    for (long n = atol(argv[1]); n > 0; n--)
        if (argv[2][0] == '#')
            walk(n, 17);
        else
            syscall(SYS_faccessat, (int)-n, path, 1445);
    return 0;
}
"#;

/// The calls of the command.
const CALL: &str = "tracepoint:syscalls:sys_enter_faccessat /pid == cpid && args.mode == 1445/";

/// Compiles the program of the flood.
fn flooder(folder: &Path) -> Result<PathBuf, String> {
    let (source, program) = (folder.join("flood.c"), folder.join("lt-flood"));
    std::fs::write(&source, FLOOD).map_err(|error| error.to_string())?;
    let ran = run(Command::new("cc").args(["-O1", "-fno-omit-frame-pointer", "-o"]).args([&program, &source]));
    expect(ran.status == 0, "the C compiler failed", &ran)?;
    Ok(program)
}

/// A run under a flood, with its output as JSON.
struct Flooded {
    ran: Ran,
    lines: Vec<Value>,
}

impl Flooded {
    /// Runs a script while the command makes `count` calls with `text`.
    fn run(script: &str, count: u32, text: &str) -> Result<Flooded, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let program = flooder(folder.path())?;
        let command = format!("{} {count} {text}", program.display());
        let ran = lt(["--strict", "-f", "json", "-e", script, "-c", &command]);
        let lines = ran.stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let lines = lines.map_err(|error| format!("not JSON: {error}\n{ran:?}"))?;
        Ok(Flooded { ran, lines })
    }

    /// How many lines of this type there are.
    fn count(&self, kind: &str) -> u64 {
        self.lines.iter().filter(|line| line["type"] == kind).count() as u64
    }

    /// The last value of a map.
    fn map(&self, name: &str) -> &Value {
        self.lines.iter().filter_map(|line| line["data"].get(name)).next_back().unwrap_or(&Value::Null)
    }

    fn number(&self, name: &str) -> u64 {
        self.map(name).as_u64().unwrap_or(0)
    }

    /// What was lost: probes, causes, counts.
    fn lost(&self) -> Vec<(&str, &str, u64)> {
        let lines = self.lines.iter().filter(|line| line["type"] == "lost_events");
        let parts = lines.map(|line| {
            let data = &line["data"];
            let same = if line["count"] == data["events"] { data["events"].as_u64() } else { None };
            (data["probe"].as_str().unwrap_or(""), data["cause"].as_str().unwrap_or(""), same.unwrap_or(0))
        });
        parts.collect()
    }

    /// Exactly these causes and counts of one probe, told three times: in JSON, in a warning, by the status.
    fn lost_only(&self, wanted: &[(&str, u64, &str)]) -> Result<(), String> {
        let probe = CALL.split_whitespace().next().unwrap_or_default();
        let lost: Vec<_> = wanted.iter().map(|(cause, count, _)| (probe, *cause, *count)).collect();
        expect(self.lost() == lost, &format!("{lost:?}, not {:?}", self.lost()), &self.ran)?;
        let warnings = self.ran.stderr.lines().filter(|line| line.contains("[LT0901]")).count();
        expect(warnings == wanted.len(), "one warning for each", &self.ran)?;
        for (_, count, text) in wanted {
            expect(self.ran.stderr.contains(&format!("{probe}: {count} {text}")), text, &self.ran)?;
        }
        expect(self.ran.status == 5, "status 5", &self.ran)
    }
}

/// The ring is one page and the program sends more than that at each hit, far faster than anybody reads.
fn full_ring() -> Result<(), String> {
    let script = format!(
        "config = {{ perf_rb_pages = 1 }} {CALL} {{ unroll(100) {{ printf(\"%s\", \"0123456789012345678901234567890123456789\") }} }}"
    );
    let flooded = Flooded::run(&script, 1000, "x")?;
    let (sent, seen) = (100_000, flooded.count("printf"));
    flooded.lost_only(&[("ring_full", sent - seen, "events were lost")])
}

fn full_map() -> Result<(), String> {
    for (assignment, sum) in [("1", false), ("count()", true), ("max(3)", false), ("stats(1)", false)] {
        let script = format!("config = {{ max_map_keys = 64 }} {CALL} {{ @[args.dfd] = {assignment} }}");
        let flooded = Flooded::run(&script, 5000, "x")?;
        let entries = flooded.map("@").as_object().ok_or("no map")?;
        let seen = if sum { entries.values().filter_map(Value::as_u64).sum() } else { entries.len() as u64 };
        expect(seen >= 64, "keys that fit", &flooded.ran)?;
        flooded.lost_only(&[("map_full", 5000 - seen, "map updates were lost")])?;
    }
    Ok(())
}

/// There is room for 65536 stacks, before 5.11 (where memory for them is taken at once) for 4096.
fn full_stacks() -> Result<(), String> {
    let script =
        format!("config = {{ print_maps_on_exit = false }} {CALL} {{ @ = ustack; @n = count() }} end {{ print(@n) }}");
    let flooded = Flooded::run(&script, 100_000, "#")?;
    expect(flooded.number("@n") == 100_000, "all calls", &flooded.ran)?;
    let room = flooded.lost().first().map_or(0, |(_, _, lost)| 100_000 - lost);
    expect(room == 65536 || room == 4096, &format!("room for {room}"), &flooded.ran)?;
    flooded.lost_only(&[("stacks_full", 100_000 - room, "stacks were lost")])
}

/// A string that just fits is whole.
fn cut_strings() -> Result<(), String> {
    let text = "0123456789abcdef";
    let script = format!("config = {{ max_strlen = 16 }} {CALL} {{ @[str(args.filename)] = count() }}");
    let flooded = Flooded::run(&script, 300, text)?;
    flooded.lost_only(&[("string_cut", 300, "strings were cut off")])?;
    let flooded = Flooded::run(&script, 300, &text[..15])?;
    expect(flooded.ran.status == 0 && flooded.lost().is_empty(), "nothing is cut", &flooded.ran)?;
    // whoever asks for so many bytes has them
    let script = format!("{CALL} {{ @[str(args.filename, 8)] = count(); @b = buf(args.filename, 4) }}");
    let flooded = Flooded::run(&script, 300, text)?;
    expect(flooded.ran.status == 0 && flooded.lost().is_empty(), "as long as was asked for", &flooded.ran)
}

fn faults() -> Result<(), String> {
    for (read, times) in [
        ("@[str(args.filename)] = count()", 1),
        ("@[*(int32*)args.filename] = count()", 1),
        ("@[buf(args.filename, 8)] = count()", 1),
        ("print((str(args.filename, 5), *(int8*)args.filename))", 2),
    ] {
        for text in ["-", "+"] {
            let flooded = Flooded::run(&format!("{CALL} {{ {read}; @n = count() }}"), 400, text)?;
            expect(flooded.number("@n") == 400, "all calls", &flooded.ran)?;
            flooded.lost_only(&[("read_fault", 400 * times, "reads of memory failed")])?;
        }
        let flooded = Flooded::run(&format!("{CALL} {{ {read} }}"), 400, "some-text")?;
        expect(flooded.ran.status == 0 && flooded.lost().is_empty(), "it is there", &flooded.ran)?;
    }
    Ok(())
}

/// A program that takes milliseconds is interrupted by timers, whose tracepoint has a program too. Raw tracepoints are not
/// shut out: theirs is what the other one has seen and missed, but for what came while lt began and ended.
fn missed_hits() -> Result<(), String> {
    let script = format!(
        "{CALL} {{ $x = 0; for ($i : 0..1000000) {{ $x += $i }} @n = count() }} \
         tracepoint:timer:hrtimer_expire_entry {{ @seen = count() }} rawtracepoint:hrtimer_expire_entry {{ @sent = count() }}"
    );
    let flooded = Flooded::run(&script, 60, "x")?;
    let [seen, sent] = ["@seen", "@sent"].map(|map| flooded.number(map));
    let lost = flooded.lost();
    let [("tracepoint:timer:hrtimer_expire_entry", "missed", missed)] = lost[..] else {
        // before 6.7 the kernel does not count them
        let told = lost.is_empty() && !tells_missed();
        return expect(told, "hits that were missed", &flooded.ran);
    };
    expect(flooded.ran.status == 5, "status 5", &flooded.ran)?;
    expect(flooded.ran.stderr.contains(&format!(": {missed} hit")), "a warning", &flooded.ran)?;
    expect(missed > 0 && sent.abs_diff(seen + missed) <= 8, &format!("{seen} + {missed} = {sent}"), &flooded.ran)
}

/// Whether the kernel counts hits that it missed.
fn tells_missed() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).filter_map(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(7))
}

/// Each probe and cause has its own count.
fn several() -> Result<(), String> {
    let script = format!(
        "config = {{ max_strlen = 4; max_map_keys = 3 }} {CALL} {{ @a[str(args.filename)] = count(); @b[args.dfd] = 1; \
         @c[*(int8*)0] = 1 }}"
    );
    let flooded = Flooded::run(&script, 200, "long-text")?;
    flooded.lost_only(&[
        ("map_full", 197, "map updates were lost"),
        ("read_fault", 200, "reads of memory failed"),
        ("string_cut", 200, "strings were cut off"),
    ])
}

fn quiet() -> Result<(), String> {
    let script = format!("{CALL} {{ printf(\"%s %s\\n\", comm, str(args.filename)); @[args.dfd, ustack] = count() }}");
    let flooded = Flooded::run(&script, 500, "some-text")?;
    expect(flooded.count("printf") == 500, "all events", &flooded.ran)?;
    expect(flooded.map("@").as_object().is_some_and(|map| map.len() == 500), "all keys", &flooded.ran)?;
    let warned = flooded.ran.stderr.contains("Warning");
    expect(flooded.ran.status == 0 && flooded.lost().is_empty() && !warned, "nothing is lost", &flooded.ran)
}

/// What lies behind the last argument is not missed.
fn lists() -> Result<(), String> {
    let ran = lt([
        "--strict",
        "-e",
        "tracepoint:syscalls:sys_enter_execve { join(args.argv) }",
        "-c",
        "sh -c 'exec /bin/echo one two'",
    ]);
    expect(ran.status == 0 && !ran.stderr.contains("LT0901"), "no loss", &ran)
}

fn send(child: &Child, signal: i32) {
    // SAFETY: the process is our own child and was not waited for.
    unsafe { libc::kill(child.id() as i32, signal) };
}

/// The reader of the pipe is stopped, and lt with it. The traced program goes on to its end all the same, and what found no
/// room is counted.
fn reader_that_stops() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = flooder(folder.path())?;
    let script = "begin { printf(\"ready\\n\") } tracepoint:syscalls:sys_enter_faccessat /comm == \"lt-flood\" && args.mode == 1445/ \
                  { unroll(100) { printf(\"%s\\n\", \"0123456789012345678901234567890123456789\") } }";
    let mut tracer = Command::new(lt_path());
    tracer.args(["--strict", "-q", "-e", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tracer = tracer.spawn().map_err(|error| error.to_string())?;
    let pipe = tracer.stdout.take().ok_or("no pipe")?;
    let mut reader = Command::new("cat");
    reader.stdin(pipe).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut reader = reader.spawn().map_err(|error| error.to_string())?;
    let mut first = [0; 6];
    let read = reader.stdout.as_mut().map(|stdout| stdout.read_exact(&mut first));
    if !matches!(read, Some(Ok(()))) {
        return Err(format!("it did not start: {:?}", finish(tracer)));
    }
    send(&reader, libc::SIGSTOP);
    let traced = run(Command::new(program).args(["2000", "x"]));
    expect(traced.status == 0, "the traced program ended", &traced)?;
    send(&tracer, libc::SIGINT);
    send(&reader, libc::SIGCONT);
    let (seen, ran) = (finish(reader).stdout, finish(tracer));
    let whole = seen.lines().filter(|line| *line == "0123456789012345678901234567890123456789").count();
    let others = seen.lines().filter(|line| !line.is_empty()).count() - whole;
    let lost = 200_000 - whole;
    let told = format!("sys_enter_faccessat: {lost} events were lost");
    expect(ran.status == 5 && others == 0, "status 5, whole lines", &ran)?;
    expect(lost > 0 && ran.stderr.contains(&told), &format!("{whole} lines seen"), &ran)
}
