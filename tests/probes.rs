//! Kinds of probes beyond the first ones, on this machine's own kernel: raw tracepoints, counted events, functions of
//! programs and libraries.

use crate::support::{Ran, expect, lt, lt_path, map_number, on_kernel, one_liner, run};
use libtest_mimic::Trial;
use std::path::Path;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("probes::raw_tracepoint_arguments", raw_arguments),
        on_kernel("probes::raw_tracepoints_are_listed", raw_list),
        on_kernel("probes::software_counts_page_faults", page_faults),
        on_kernel("probes::hardware_works_or_says_why_not", hardware),
        on_kernel("probes::uprobe_counts_and_arguments", uprobe_arguments),
        on_kernel("probes::uprobe_offset_and_address", uprobe_places),
        on_kernel("probes::uprobe_of_a_library_by_name", uprobe_library),
        on_kernel("probes::uprobe_of_one_process", uprobe_process),
        on_kernel("probes::uprobe_typo", uprobe_typo),
        on_kernel("probes::functions_are_listed", user_list),
    ]
}

fn succeed(ran: &Ran) -> Result<(), String> {
    expect(ran.status == 0, "it failed", ran)
}

/// A thousand calls with known arguments and results; the string has been read before, so it is in memory.
const WORK: &str = r#"
#include <stdio.h>
__attribute__((noinline)) long work(long a, const char *s, long c, long d, long e, long f)
{
    __asm__ volatile("" : : "r"(a), "r"(s), "r"(c), "r"(d), "r"(e), "r"(f));
    return a * 2 + f;
}
int main(void)
{
    long total = 0;
    puts("hello");
    for (long i = 0; i < 1000; i++)
        total += work(i, "hello", 3, 4, 5, 6);
    return total != 1005000;
}
"#;

/// Runs a test with the path of the compiled program.
fn with_work(test: impl FnOnce(&str) -> Result<(), String>) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (source, program) = (folder.path().join("work.c"), folder.path().join("work"));
    std::fs::write(&source, WORK).map_err(|error| error.to_string())?;
    let ran = run(Command::new("cc").args(["-O1", "-o"]).args([&program as &Path, &source]));
    expect(ran.status == 0, "the C compiler failed", &ran)?;
    test(&program.display().to_string())
}

fn raw_arguments() -> Result<(), String> {
    let program = "rt:sched_switch { if (args.next.pid == ((struct task_struct *)arg2).pid) { @same = count() } \
                   else { @other = count() } @[probe] = count() } interval:ms:300 { exit() }";
    let ran = one_liner(program);
    succeed(&ran)?;
    expect(map_number(&ran.stdout, "@same").is_some_and(|count| count > 0), "switches", &ran)?;
    expect(map_number(&ran.stdout, "@other").is_none(), "args.next is arg2", &ran)?;
    expect(ran.stdout.contains("@[rawtracepoint:vmlinux:sched_switch]: "), "the probe's name", &ran)
}

fn raw_list() -> Result<(), String> {
    let ran = lt(["-lv", "rawtracepoint:sched_sw*"]);
    succeed(&ran)?;
    expect(ran.stdout.contains("rawtracepoint:vmlinux:sched_switch\n    bool preempt\n"), "arguments", &ran)
}

/// Each page of a file that is touched is a fault: 512 pages more are at least 512 faults more.
fn page_faults() -> Result<(), String> {
    let faults = |bytes: &str| {
        let command = format!("dd if=/dev/zero of=/dev/null bs={bytes} count=1");
        let ran = lt(["-e", "software:faults:1 /comm == \"dd\"/ { @ = count() }", "-c", &command]);
        succeed(&ran)?;
        map_number(&ran.stdout, "@").ok_or_else(|| "no page fault".to_string())
    };
    let (few, many) = (faults("4096")?, faults("8M")?);
    if many > few { Ok(()) } else { Err(format!("{few} faults with a page, {many} with many")) }
}

fn hardware() -> Result<(), String> {
    let ran = one_liner("hardware:cpu-cycles { @ = count() } interval:ms:100 { exit() }");
    let refused = ran.status == 3 && ran.stderr.contains("LT0801") && ran.stderr.contains("does not count that event");
    expect(ran.status == 0 || refused, "neither counted nor refused with a reason", &ran)
}

fn uprobe_arguments() -> Result<(), String> {
    with_work(|work| {
        let program = format!(
            "uprobe:{work}:work {{ @n = count(); @a = sum(arg0); @[func, str(arg1), arg2, arg5] = count() }} \
             uretprobe:{work}:work {{ @r = sum(retval) }} uprobe:{work}:ma?n {{ @main = count() }}"
        );
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        for (map, value) in
            [("@n", 1000), ("@a", 499_500), ("@r", 1_005_000), ("@[work, hello, 3, 6]", 1000), ("@main", 1)]
        {
            expect(map_number(&ran.stdout, map) == Some(value), &format!("{map} is {value}"), &ran)?;
        }
        Ok(())
    })
}

fn uprobe_places() -> Result<(), String> {
    with_work(|work| {
        let symbols = run(Command::new("nm").arg(work));
        let address = symbols.stdout.lines().find_map(|line| line.strip_suffix(" T work"));
        let address = address.ok_or("nm shows no function")?;
        let program = format!("uprobe:{work}:0x{address} {{ @at[func] = count() }} u:{work}:work+0 {{ @ = count() }}");
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@at[work]") == Some(1000), "by address", &ran)?;
        expect(map_number(&ran.stdout, "@") == Some(1000), "by name and offset", &ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}:work+4096 {{ }}")]);
        expect(ran.status == 1 && ran.stderr.contains("LT0402"), "outside of the function", &ran)
    })
}

fn uprobe_library() -> Result<(), String> {
    with_work(|work| {
        // under a name of its own: other trials run the same program meanwhile
        let program = format!("{work}-library");
        std::fs::copy(work, &program).map_err(|error| error.to_string())?;
        let ran = lt(["-e", "uprobe:libc:puts /comm == \"work-library\"/ { @ = count() }", "-c", &program]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@") == Some(1), "one call", &ran)
    })
}

/// Another process calls the same function: it is not seen.
fn uprobe_process() -> Result<(), String> {
    let mut other = Command::new("sleep").arg("100").spawn().map_err(|error| error.to_string())?;
    let program = "uprobe:libc:read, uprobe:libc:malloc { @ = count() } interval:ms:300 { exit() }";
    let script = format!("\"{}\" -p {} -e '{program}' & sleep 0.1; ls / >/dev/null; wait $!", lt_path(), other.id());
    let ran = run(Command::new("sh").args(["-c", &script]));
    other.kill().and_then(|()| other.wait()).map_err(|error| error.to_string())?;
    succeed(&ran)?;
    expect(map_number(&ran.stdout, "@").is_none(), "a sleeping process calls nothing", &ran)
}

fn uprobe_typo() -> Result<(), String> {
    with_work(|work| {
        let ran = lt(["-e", &format!("uprobe:{work}:wrok {{ }}")]);
        let told = ran.stderr.contains("LT0401") && ran.stderr.contains("did you mean `work`");
        expect(ran.status == 3 && told, "no suggestion", &ran)
    })
}

fn user_list() -> Result<(), String> {
    with_work(|work| {
        let ran = lt(["-l", &format!("uprobe:{work}:*")]);
        succeed(&ran)?;
        expect(ran.stdout.contains(&format!("uprobe:{work}:work\n")), "the function is listed", &ran)
    })
}
