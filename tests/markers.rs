//! Places in programs and libraries on this machine's own kernel: markers (usdt), wildcards over files and functions, C++
//! names, stripped files.

use crate::support::{Ran, expect, lt, map_number, on_kernel, run};
use libtest_mimic::Trial;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("markers::arguments_of_all_forms", arguments),
        on_kernel("markers::places_with_different_arguments_are_one_probe", places),
        on_kernel("markers::semaphore_is_raised_while_watched", semaphore),
        on_kernel("markers::are_listed", listed),
        on_kernel("markers::of_a_process", process),
        on_kernel("markers::typo", typo),
        on_kernel("markers::many_functions_with_one_program", many_functions),
        on_kernel("markers::files_by_pattern", files_by_pattern),
        on_kernel("markers::cpp_names", cpp_names),
        on_kernel("markers::symbols_beside_a_stripped_program", separate_symbols),
        on_kernel("markers::parameters_by_debug_information", parameters),
        on_kernel("markers::lines_of_sources", lines),
        on_kernel("markers::only_where_instructions_begin", instructions),
        on_kernel("markers::programs_of_one_place_run_in_order", order),
        on_kernel("markers::another_mount_namespace", namespace),
    ]
}

fn succeed(ran: &Ran) -> Result<(), String> {
    expect(ran.status == 0, "it failed", ran)
}

/// A program with markers written as <sys/sdt.h> writes them, which need not be installed.
const WORK: &str = r#"
#include <unistd.h>
#define NOTE(name, semaphore, args) \
    "990: nop\n" \
    ".pushsection .note.stapsdt,\"?\",\"note\"\n" \
    ".balign 4\n .4byte 992f-991f, 994f-993f, 3\n" \
    "991: .asciz \"stapsdt\"\n 992: .balign 4\n" \
    "993: .8byte 990b\n .8byte _.stapsdt.base\n .8byte " semaphore "\n" \
    ".asciz \"work\"\n .asciz \"" name "\"\n .asciz \"" args "\"\n" \
    "994: .balign 4\n .popsection\n" \
    ".ifndef _.stapsdt.base\n" \
    ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
    ".weak _.stapsdt.base\n .hidden _.stapsdt.base\n _.stapsdt.base: .space 1\n .size _.stapsdt.base, 1\n" \
    ".popsection\n .endif\n"
unsigned short watchers __attribute__((section(".probes"), used));
static int table[4] = {7, -11, 13, 17};
__attribute__((noinline)) void forms(long n)
{
    long at = 1;
    char text[] = "hello";
    __asm__ volatile(NOTE("forms", "0", "8@%%rdi -4@%%esi 1@%%al -2@$-5 -4@4(%%rdx) -4@(%%rdx,%%rcx,4) 8@%%r8")
        : : "D"(n), "S"((long)-3), "a"((long)0x1ff), "d"(table), "c"(at) : "r8", "memory");
    register const char *name __asm__("r8") = text;
    __asm__ volatile(NOTE("text", "0", "8@%%r8") : : "r"(name) : "memory");
}
__attribute__((noinline)) void places(long n)
{
    __asm__ volatile(NOTE("twice", "0", "8@%%rdi") : : "D"(n));
    __asm__ volatile(NOTE("twice", "0", "8@%%rsi") : : "S"(n + 1000));
    __asm__ volatile(NOTE("counted", "watchers", "-4@%%edi") : : "D"((long)watchers));
}
int main(int argc, char **argv)
{
    for (long i = 0; i < 10; i++) {
        forms(i);
        places(i);
    }
    if (argc > 1 && write(1, "ready\n", 6) == 6)
        pause();
    return watchers ? 0 : 3;
}
"#;

const MANY: &str = r#"
#define P __attribute__((noinline))
P int part_one(int x) { __asm__ volatile("" : "+r"(x)); return x; }
P int part_two(int x) { __asm__ volatile("" : "+r"(x)); return x; }
P int part_three(int x) { __asm__ volatile("" : "+r"(x)); return x; }
int main(void) { return part_one(1) + part_two(2) + part_three(3) + part_three(4) != 10; }
"#;

/// Parameters of all sorts; the lines are counted.
const TYPES: &str = r#"struct inner { int x; union { long both; int low; }; unsigned a : 3, b : 5; };
struct point { struct inner in; char name[8]; struct point *next; short list[3]; };
enum color { RED, GREEN = 7 };
__attribute__((noinline)) int work(char c, const char *text, struct point *p, unsigned short n, enum color color, _Bool yes)
{
    __asm__ volatile("" : : "r"(text), "r"(p) : "memory");
    int sum = c + n + color + yes;
    __asm__ volatile("" : "+r"(sum));
    return sum;
}
__attribute__((noinline)) int mixed(int a, double b, long c) { __asm__ volatile("" : : "x"(b)); return a + c; }
int main(void)
{
    struct point last = {{3, {-4}, 5, 6}, "last", 0, {7, 8, 9}};
    struct point first = {{1, {-2}, 2, 9}, "first", &last, {1, 2, 3}};
    char text[] = "text";
    return work('x', text, &first, 65535, GREEN, 1) + mixed(1, 2.0, 3) == 0;
}
"#;

const CPP: &str = r#"
namespace app { struct Server { __attribute__((noinline)) int handle(int fd) { __asm__ volatile("" : "+r"(fd)); return fd; }
__attribute__((noinline)) int handle(long fd) { __asm__ volatile("" : "+r"(fd)); return 0; } }; }
int main() { app::Server s; return s.handle(3) + s.handle(4l) != 3; }
"#;

/// Runs a test in a folder with the compiled program `work`; gives the program's path.
fn with_program(
    compiler: &str,
    (name, source): (&str, &str),
    options: &[&str],
    test: impl FnOnce(&str) -> Result<(), String>,
) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (source_file, program) = (folder.path().join(name), folder.path().join("work"));
    std::fs::write(&source_file, source).map_err(|error| error.to_string())?;
    let compile = &mut Command::new(compiler);
    let ran = run(compile.args(options).arg("-o").args([&program as &Path, &source_file]));
    expect(ran.status == 0, "the compiler failed", &ran)?;
    test(&program.display().to_string())
}

fn with_markers(test: impl FnOnce(&str) -> Result<(), String>) -> Result<(), String> {
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(());
    }
    with_program("cc", ("work.c", WORK), &["-O1"], test)
}

fn arguments() -> Result<(), String> {
    with_markers(|work| {
        let program = format!(
            "usdt:{work}:work:forms {{ @n = sum(arg0); @[arg1, arg2, arg3, arg4, arg5] = count() }} \
             usdt:{work}:text {{ @text[str(arg0)] = count() }}"
        );
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        for (map, value) in [("@n", 45), ("@[-3, 255, -5, -11, -11]", 10), ("@text[hello]", 10)] {
            expect(map_number(&ran.stdout, map) == Some(value), &format!("{map} is {value}"), &ran)?;
        }
        let ran = lt(["-e", &format!("usdt:{work}:work:text {{ print(arg1) }}")]);
        expect(ran.status == 1 && ran.stderr.contains("only 1 arguments"), "one argument too many", &ran)
    })
}

fn places() -> Result<(), String> {
    with_markers(|work| {
        let ran = lt(["-e", &format!("usdt:{work}:work:tw* {{ @[probe] = sum(arg0) }}"), "-c", work]);
        succeed(&ran)?;
        let map = format!("@[usdt:{work}:work:twice]");
        expect(map_number(&ran.stdout, &map) == Some(45 + 10_045), "the arguments of both places", &ran)?;
        expect(ran.stderr.contains("Attached 1 probe\n"), "one probe", &ran)
    })
}

/// The program sees that somebody watches, and fails when nobody does.
fn semaphore() -> Result<(), String> {
    with_markers(|work| {
        let program = format!("usdt:{work}:work:counted {{ @ = min(arg0); @n = count() }}");
        let ran = lt(["--child-status", "-e", &program, "-c", work]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@") == Some(1) && map_number(&ran.stdout, "@n") == Some(10), "raised", &ran)?;
        // the kernel takes probes away behind lt's back
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let alone = run(&mut Command::new(work));
            if alone.status == 3 || Instant::now() > deadline {
                return expect(alone.status == 3, "nobody watches any more", &alone);
            }
        }
    })
}

fn listed() -> Result<(), String> {
    with_markers(|work| {
        let names = ["counted", "forms", "text", "twice"].map(|name| format!("usdt:{work}:work:{name}\n")).concat();
        let ran = lt(["-l", &format!("usdt:{work}:*")]);
        expect(ran.status == 0 && ran.stdout == names, "all of them", &ran)?;
        let ran = lt(["-l", &format!("*:{}/w?rk:*", work.trim_end_matches("/work"))]);
        let both = ran.stdout.contains(&names) && ran.stdout.contains(&format!("uprobe:{work}:main\n"));
        expect(ran.status == 0 && both, "by patterns of kind and file", &ran)
    })
}

/// A marker that only the process's own files are searched for.
fn process() -> Result<(), String> {
    with_markers(|work| {
        let mut child =
            Command::new(work).arg("wait").stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        let pid = child.id().to_string();
        // the program is mapped once it runs its own code
        let mapped = || std::fs::read_to_string(format!("/proc/{pid}/maps")).is_ok_and(|maps| maps.contains(work));
        while !mapped() {
            std::thread::yield_now();
        }
        let ran = lt(["-l", "usdt:*:work:tw*", "-p", &pid]);
        let attached = lt(["--dry-run", "-e", "usdt::work:twice { @ = count() }", "-p", &pid]);
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        expect(ran.status == 0 && ran.stdout == format!("usdt:{work}:work:twice\n"), "the list", &ran)?;
        expect(attached.status == 0, "attaching", &attached)
    })
}

fn typo() -> Result<(), String> {
    with_markers(|work| {
        let ran = lt(["-e", &format!("usdt:{work}:work:twiec {{ }}")]);
        let told = ran.stderr.contains("LT0401") && ran.stderr.contains("did you mean `twice`");
        expect(ran.status == 3 && told, "no suggestion", &ran)
    })
}

fn many_functions() -> Result<(), String> {
    with_program("cc", ("work.c", MANY), &["-O1"], |work| {
        let program = format!("uprobe:{work}:part_* {{ @ = sum(arg0) }} uretprobe:{work}:part_* {{ @r = count() }}");
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@") == Some(10) && map_number(&ran.stdout, "@r") == Some(4), "calls", &ran)?;
        expect(ran.stderr.contains("Attached 6 probes"), "all functions", &ran)?;
        let ran = lt(["probes", "-e", &program]);
        expect(ran.stdout.lines().all(|line| line.ends_with("probe.multi, 3 places")), "one program each", &ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}:part_* {{ @[func] = sum(arg0) }}"), "-c", work]);
        expect(map_number(&ran.stdout, "@[part_three]") == Some(7), "by name", &ran)
    })
}

fn files_by_pattern() -> Result<(), String> {
    with_program("cc", ("work.c", MANY), &["-O1"], |work| {
        let folder = work.trim_end_matches("work");
        std::fs::copy(work, format!("{folder}worse")).map_err(|error| error.to_string())?;
        let ran = lt(["-e", &format!("uprobe:{folder}wor*:part_one {{ @[comm] = count() }}"), "-c", work]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@[work]") == Some(1), "one call", &ran)?;
        expect(ran.stderr.contains("Attached 2 probes"), "in both files", &ran)
    })
}

fn cpp_names() -> Result<(), String> {
    with_program("c++", ("work.cpp", CPP), &["-O1"], |work| {
        for (name, calls) in
            [("app::Server::handle", 2), ("app::Server::handle(int)", 1), ("app::*", 2), ("*::handle(long)", 1)]
        {
            let program = format!("uprobe:{work}:cpp:\"{name}\" {{ @ = count() }}");
            let ran = lt(["-e", &program, "-c", work]);
            succeed(&ran)?;
            expect(map_number(&ran.stdout, "@") == Some(calls), name, &ran)?;
        }
        let ran = lt(["-e", &format!("uprobe:{work}:cpp:\"app::nothing\" {{ }}")]);
        expect(ran.status == 3 && ran.stderr.contains("LT0401"), "no such function", &ran)
    })
}

/// What was stripped off is found by the link that the program keeps.
fn separate_symbols() -> Result<(), String> {
    with_program("cc", ("work.c", MANY), &["-O1"], |work| {
        let script =
            "objcopy --only-keep-debug work work.debug && strip work && objcopy --add-gnu-debuglink=work.debug work";
        let ran = run(Command::new("sh").args(["-c", script]).current_dir(work.trim_end_matches("/work")));
        succeed(&ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}:part_two {{ @ = sum(arg0) }}"), "-c", work]);
        succeed(&ran)?;
        expect(map_number(&ran.stdout, "@") == Some(2), "the function", &ran)
    })
}

fn parameters() -> Result<(), String> {
    with_program("cc", ("work.c", TYPES), &["-O1", "-g"], |work| {
        let program = format!(
            "uprobe:{work}:work {{ printf(\"%c %s %d %d %d\\n\", args.c, str(args.text), args.n, args.color, args.yes); \
             printf(\"%d %d %d %d %d\\n\", args.p.in.x, args.p.in.both, args.p.in.low, args.p.in.a, args.p.in.b); \
             printf(\"%s %s %d\\n\", args.p.name, args.p.next.name, args.p.next.list[2]) }} \
             uprobe:{work}:mixed {{ printf(\"%d %d\\n\", args.a, arg1) }}"
        );
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        let wanted = "x text 65535 7 1\n1 -2 -2 2 9\nfirst last 9\n1 3\n";
        expect(ran.stdout.starts_with(wanted), "values", &ran)?;
        let ran = lt(["-lv", &format!("uprobe:{work}:work")]);
        let wanted = "    char c\n    const char* text\n    struct point* p\n    short unsigned int n\n    enum color color\n    _Bool yes\n";
        expect(ran.stdout.ends_with(wanted), "the list", &ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}:mixed {{ print(args.c) }}")]);
        expect(ran.status == 1 && ran.stderr.contains("LT0205"), "behind a parameter that is elsewhere", &ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}:work {{ print(args.p.nam) }}")]);
        expect(ran.status == 1 && ran.stderr.contains("did you mean `name`"), "a typo", &ran)
    })
}

fn lines() -> Result<(), String> {
    with_program("cc", ("work.c", TYPES), &["-O0", "-g"], |work| {
        let program = format!(
            "uprobe:{work}@work.c:7 {{ @[func] = count() }} uprobe:{work}@work.c:17 {{ @main = count() }} \
             uprobe:{work}:work {{ @entry = count() }}"
        );
        let ran = lt(["-e", &program, "-c", work]);
        succeed(&ran)?;
        for map in ["@[work]", "@main", "@entry"] {
            expect(map_number(&ran.stdout, map) == Some(1), map, &ran)?;
        }
        let ran = lt(["-e", &format!("uprobe:{work}@work.c:1 {{ }}")]);
        expect(ran.status == 3 && ran.stderr.contains("LT0401"), "a line without code", &ran)?;
        let ran = lt(["-e", &format!("uprobe:{work}@work.c:x {{ }}")]);
        expect(ran.status == 1 && ran.stderr.contains("LT0402"), "no line", &ran)
    })
}

/// Each offset of a function is either refused, or the program runs on as before with a probe there.
fn instructions() -> Result<(), String> {
    with_program("cc", ("work.c", MANY), &["-O1"], |work| {
        let dump = run(Command::new("objdump").args(["-d", "--no-show-raw-insn", "--disassemble=main", work]));
        let addresses = dump.stdout.lines().filter_map(|line| {
            let (address, _) = line.trim_start().split_once(":\t")?;
            u64::from_str_radix(address, 16).ok()
        });
        let addresses: Vec<u64> = addresses.collect();
        let start = *addresses.first().ok_or("objdump shows no function")?;
        for offset in 0..24 {
            let begins = addresses.contains(&(start + offset));
            let ran =
                lt(["-e", &format!("uprobe:{work}:main+{offset} {{ @ = count() }}"), "-c", work, "--child-status"]);
            let right = if begins { ran.status == 0 } else { ran.status == 1 && ran.stderr.contains("LT0402") };
            expect(right, &format!("offset {offset}, an instruction begins: {begins}"), &ran)?;
        }
        let ran = lt(["-e", &format!("uprobe:{work}:_init+1 {{ }}")]);
        expect(ran.status == 1 && ran.stderr.contains("LT0402"), "a function of unknown size", &ran)
    })
}

fn order() -> Result<(), String> {
    with_markers(|work| {
        for probe in
            [format!("uprobe:{work}:places"), format!("uretprobe:{work}:places"), format!("usdt:{work}:work:forms")]
        {
            let program =
                format!("{probe} {{ printf(\"1\") }} {probe} {{ printf(\"2\") }} {probe} {{ printf(\"3\\n\") }}");
            let ran = lt(["-e", &program, "-c", work]);
            succeed(&ran)?;
            expect(ran.stdout.starts_with("123\n123\n"), &probe, &ran)?;
        }
        Ok(())
    })
}

/// A program that only the process's own mounts show.
fn namespace() -> Result<(), String> {
    with_markers(|work| {
        let folder = work.trim_end_matches("/work");
        let script = format!(
            "mkdir {folder}/there && cp {work} {folder}/kept && mount -t tmpfs none {folder}/there && \
             cp {folder}/kept {folder}/there/hidden && exec {folder}/there/hidden wait"
        );
        let mut unshare = Command::new("unshare");
        unshare.args(["-m", "sh", "-c", &script]).stdout(Stdio::piped());
        let mut child = unshare.spawn().map_err(|error| error.to_string())?;
        let pid = child.id().to_string();
        let mut ready = [0; 6];
        let read = child.stdout.as_mut().map(|stdout| stdout.read_exact(&mut ready));
        if !matches!(read, Some(Ok(()))) {
            return Err(format!("the program did not start: {:?}", child.wait()));
        }
        let program = format!("usdt:{folder}/there/hidden:work:twice, uprobe:{folder}/there/hidden:main {{ }}");
        let attached = lt(["--dry-run", "-e", &program, "-p", &pid]);
        let listed = lt(["-l", "usdt:*:work:tw*", "-p", &pid]);
        let outside = lt(["--dry-run", "-e", &program]);
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        succeed(&attached)?;
        expect(listed.stdout == format!("usdt:{folder}/there/hidden:work:twice\n"), "the list", &listed)?;
        expect(outside.status == 3, "it is not there outside", &outside)
    })
}
