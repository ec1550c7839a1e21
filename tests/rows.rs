//! The long tail of builtins and functions, the parameters of scripts and the command line, on this machine's own kernel.

use crate::support::{Ran, expect, lt, lt_path, on_kernel, one_liner, run, stat};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("rows::options_behind_the_script", options_behind_the_script),
        on_kernel("rows::probes_of_a_script", probes_of_a_script),
        on_kernel("rows::attached_line", attached_line),
        on_kernel("rows::script_options", script_options),
        on_kernel("rows::numbers_by_name", numbers_by_name),
        on_kernel("rows::relatives", relatives),
        on_kernel("rows::clocks", clocks),
        on_kernel("rows::addresses_of_networks", addresses_of_networks),
        on_kernel("rows::bytes_and_types", bytes_and_types),
        on_kernel("rows::searches", searches),
        on_kernel("rows::files_and_commands", files_and_commands),
        on_kernel("rows::joined_arguments", joined_arguments),
        on_kernel("rows::signals_reach_the_command", signals),
        on_kernel("rows::user_memory_is_written", user_memory),
        on_kernel("rows::processes_of_a_namespace", namespace),
        on_kernel("rows::registers", registers),
        on_kernel("rows::settings_are_read", settings),
        on_kernel("rows::cut_strings_are_marked", cut_strings),
    ]
}

/// The lines of standard output that are not empty.
fn lines(ran: &Ran, wanted: &[&str]) -> Result<(), String> {
    let seen: Vec<_> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(ran.status == 0 && seen == wanted, &format!("these lines: {wanted:?}"), ran)
}

fn options_behind_the_script() -> Result<(), String> {
    let program = "begin { printf(\"%s %s %d\\n\", str($1), str($2), $#) }";
    lines(&lt(["-e", program, "a", "-q", "-B", "none", "--", "-c"]), &["a -c 2"])?;
    let quiet = lt(["-e", program, "-q"]);
    expect(quiet.status == 0 && quiet.stderr.is_empty(), "no messages", &quiet)
}

fn probes_of_a_script() -> Result<(), String> {
    let program = "begin { } tracepoint:sched:sched_process_ex* { @ = count() }";
    let wanted = ["begin", "tracepoint:sched:sched_process_exec", "tracepoint:sched:sched_process_exit"];
    lines(&lt(["-l", "-e", program]), &wanted)
}

fn attached_line() -> Result<(), String> {
    let ran = run(Command::new(lt_path())
        .args(["-e", "begin { printf(\"x\\n\") }"])
        .env("__BPFTRACE_NOTIFY_PROBES_ATTACHED", "1"));
    let line = ran.stdout.lines().filter(|line| *line == "__BPFTRACE_NOTIFY_PROBES_ATTACHED").count();
    expect(ran.status == 0 && line == 1, "the line of test suites, once", &ran)
}

fn script_options() -> Result<(), String> {
    let program = "begin { print((getopt(\"n\", 20), getopt(\"m\", -1), getopt(\"b\", true), getopt(\"c\"), \
                   getopt(\"s\", \"hi\"), $1, getopt(\"u\", 0))); unroll ($2) { @n++ } }";
    let ran =
        lt(["-q", "-e", program, "p", "--", "--m=5", "--c", "--b=False", "3", "--s=there", "--u=0xffffffffffffffff"]);
    lines(&ran, &["(20, 5, false, true, there, p, 18446744073709551615)", "@n: 3"])
}

fn numbers_by_name() -> Result<(), String> {
    let user = Command::new("id").arg("-un").output().expect("id runs");
    let user = String::from_utf8_lossy(&user.stdout).trim().to_string();
    let error = std::io::Error::from_raw_os_error(13).to_string();
    let error = error.split(" (os error").next().unwrap_or_default().to_string();
    let program = format!(
        "begin {{ print(strerror(13)); printf(\"%s|%s\\n\", signal_name(15), syscall_name({})); print(username); \
         @[strerror(-13)] = 1 }}",
        libc::SYS_getppid
    );
    let wanted = [&error, "Terminated|getppid", &user, &format!("@[{error}]: 1")];
    lines(&one_liner(&program), &wanted)
}

/// The thread that runs this test is the parent of lt: it has its name and start, and, where lt is in the machine's first
/// PID namespace (whose numbers these are), its number.
fn relatives() -> Result<(), String> {
    let thread = std::fs::read_link("/proc/thread-self").expect("a thread has a folder");
    let number = thread.file_name().expect("its number").to_string_lossy().into_owned();
    let (name, start, _) = stat("/proc/thread-self/stat")?;
    let first = std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST_NAMESPACE);
    let program = "begin { print(ppid); print(pcomm); print(curtask.real_parent.start_boottime / 10000000); \
                   print(ppid(curtask) == ppid); print(ppid == curtask.real_parent.pid); \
                   print(leader_tid == tid(init)); print(leader_comm == comm); print(pid(init) == tid(init)) }";
    let ran = one_liner(program);
    let shown = ran.stdout.lines().next().unwrap_or_default().to_string();
    let number = if first { number } else { shown };
    lines(&ran, &[&number, &name, &start, "true", "true", "true", "true", "true"])
}

/// How /proc names the namespace in which every task has a number.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

fn clock(id: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn clocks() -> Result<(), String> {
    let ids = [libc::CLOCK_MONOTONIC, libc::CLOCK_BOOTTIME, libc::CLOCK_BOOTTIME, libc::CLOCK_TAI];
    let before = ids.map(clock);
    let ran = one_liner("begin { print((nsecs(monotonic), nsecs(boot), nsecs(), nsecs(sw_tai))); print(jiffies > 0) }");
    let after = ids.map(clock);
    let shown: Vec<i64> = ran
        .stdout
        .lines()
        .next()
        .unwrap_or_default()
        .trim_matches(['(', ')'])
        .split(", ")
        .filter_map(|word| word.parse().ok())
        .collect();
    // the two clocks of the last are read one after the other
    let slack = [0, 0, 0, 1_000_000];
    let within = shown.iter().zip(before.iter().zip(&after)).zip(slack);
    let within = within.clone().count() == 4
        && within.into_iter().all(|((at, (from, to)), slack)| (from - slack..=to + slack).contains(at));
    expect(ran.status == 0 && within, "clocks between two readings of the same", &ran)
}

fn addresses_of_networks() -> Result<(), String> {
    let program = "begin { print(ntop(0x0100007f)); print(ntop(2, pton(\"10.1.2.3\"))); print(ntop(pton(\"2001:db8::ff\"))); \
                   print(pton(\"1.2.3.4\")); @[ntop(10, pton(\"::1\"))] = 1; @m = macaddr(pton(\"102:304:506::\")); exit() }";
    let wanted = ["127.0.0.1", "10.1.2.3", "2001:db8::ff", "[1,2,3,4]", "@[::1]: 1", "@m: 01:02:03:04:05:06"];
    lines(&one_liner(program), &wanted)
}

fn bytes_and_types() -> Result<(), String> {
    let program = "begin { printf(\"%x %x %lx %x\\n\", bswap((uint16)0x1234), bswap((uint32)0x12345678), bswap(0x1122334455667788), bswap(bswap(0x1234))); \
                   print((is_integer(1), is_str(comm), is_ptr(curtask), is_array(pton(\"::1\")), is_literal(pid), is_unsigned_integer(pid))); \
                   print((strcap(comm), default_str_length, is_err(-22), is_err(curtask), usermode, has_cpid, probetype)); \
                   print((memcmp(\"abc\", \"abd\", 3), memcmp(\"abc\", \"abd\", 2), memcmp((1, 2), (1, 2), 2))); \
                   print(kptr(curtask).pid == tid(init)); static_assert(sizeof(uint32) == 4, \"no\"); \
                   if (is_str(pid)) { fail(\"never\") } assert(1 == 1, \"fine\") }";
    let wanted = [
        "3412 78563412 8877665544332211 1234",
        "(true, true, true, true, false, true)",
        "(16, 1024, true, false, 1, false, special)",
        "(-1, 0, 0)",
        "true",
    ];
    lines(&one_liner(program), &wanted)
}

/// What Rust finds.
fn searches() -> Result<(), String> {
    let texts = ["", "a", "ab", "aab", "abab", "hello-test-world", "ababac", "test"];
    let needles = ["", "a", "b", "ab", "test", "abac", "world", "hello-test-world!", "tw"];
    let (mut program, mut wanted) = (String::new(), Vec::new());
    for text in texts {
        program += "begin { ";
        for needle in needles {
            let found = text.find(needle);
            program += &format!(
                "$h = \"{text}\"; $n = \"{needle}\"; print((strstr($h, \"{needle}\"), strstr($h, $n), strcontains($h, $n))); "
            );
            let at = found.map_or(-1, |at| at as i64);
            wanted.push(format!("({at}, {at}, {})", found.is_some()));
        }
        program += "} ";
    }
    program += "begin { $h = \"test\"; print(str_concat(str_concat($h, \"-\"), comm)); print(strlen(str_concat(\"\", comm))); \
                print(strstr(\"a\\0b\", \"b\")) }";
    wanted.extend(["test-lt".to_string(), "2".into(), "-1".into()]);
    lines(&one_liner(&program), &wanted.iter().map(String::as_str).collect::<Vec<_>>())
}

fn files_and_commands() -> Result<(), String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/ostype").expect("a kernel has a name");
    let program = "begin { printf(\"first\\n\"); $s = \"ostype\"; cat(\"/proc/sys/kernel/%s\", $s); \
                   system(\"echo %d; echo gone >&2\", 1 + 1); print(\"last\") }";
    let ran = lt(["--unsafe", "-q", "-e", program]);
    lines(&ran, &["first", name.trim_end(), "2", "last"])?;
    expect(ran.stderr.contains("gone"), "the command's own errors", &ran)?;
    let cut = "config = { max_cat_bytes = 2 } begin { cat(\"/proc/sys/kernel/ostype\") }";
    lines(&lt(["-q", "-e", cut]), &[&name[..2]])?;
    let json = lt([
        "--unsafe",
        "-q",
        "-f",
        "json",
        "-e",
        "begin { cat(\"/proc/sys/kernel/ostype\"); system(\"echo x\"); errorf(\"e%d\", 1) }",
    ]);
    let seen: Vec<_> = json.stdout.lines().collect();
    let wanted = [
        format!("{{\"type\": \"cat\", \"data\": {name:?}}}"),
        "{\"type\": \"syscall\", \"data\": \"x\\n\"}".into(),
        "{\"type\": \"errorf\", \"msg\": \"e1\"}".into(),
    ];
    expect(seen == wanted, &format!("{wanted:?}"), &json)
}

fn joined_arguments() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_execve /pid == cpid/ { join(args.argv); join(args.argv, \",\") }";
    let ran = lt(["-q", "-e", program, "-c", "/bin/echo one 'two three' four"]);
    let seen: Vec<_> = ran.stdout.lines().filter(|line| line.contains("/bin/echo")).collect();
    expect(seen == ["/bin/echo one two three four", "/bin/echo,one,two three,four"], "the arguments", &ran)
}

fn signals() -> Result<(), String> {
    for (call, status) in [("signal(\"SIGKILL\")", 137), ("signal_thread(15)", 143)] {
        let program = format!("tracepoint:syscalls:sys_enter_clock_nanosleep /pid == cpid/ {{ {call} }}");
        let ran = lt(["--unsafe", "--child-status", "-q", "-e", &program, "-c", "/bin/sleep 30"]);
        expect(ran.status == status, "the command was killed", &ran)?;
    }
    Ok(())
}

fn user_memory() -> Result<(), String> {
    let program =
        "tracepoint:syscalls:sys_enter_write /pid == cpid && args.fd == 1/ { write_user(args.buf, \"XY\", 2) }";
    let ran = lt(["--unsafe", "-q", "-e", program, "-c", "/bin/echo hello"]);
    // kernels that are locked down do not let anybody write
    let refused = ran.status == 6 && ran.stderr.contains("bpf_probe_write_user");
    expect(refused || ran.stdout.contains("XYllo"), "two bytes of the text were changed", &ran)
}

fn namespace() -> Result<(), String> {
    let program = "begin { print((pid, tid, pid(curr_ns), pid(init) > 1)) }";
    let ran = run(Command::new("unshare").args(["--pid", "--fork", lt_path(), "-q", "-e", program]));
    lines(&ran, &["(1, 1, 1, true)"])
}

/// User code of the command is interrupted; where the kernel is, its addresses have the top bit set.
fn registers() -> Result<(), String> {
    let program = "software:cpu-clock:100000 /pid == cpid/ { @ip[usermode, reg(\"ip\") >> 63] = count(); @same[reg(\"ip\") == reg(\"pc\")] = count() }";
    let ran = lt(["-q", "-e", program, "-c", "/bin/dd if=/dev/zero of=/dev/null bs=1M count=2000"]);
    let count = |text: &str| ran.stdout.lines().filter(|line| line.starts_with(text)).count();
    let wrong = count("@ip[1, 1]") + count("@ip[0, 0]") + count("@same[false]");
    expect(ran.status == 0 && wrong == 0 && count("@same[true]") == 1, "modes and addresses fit", &ran)
}

fn settings() -> Result<(), String> {
    let program = "config = { max_map_keys = 7; stack_mode = perf; license = \"Dual BSD/GPL\"; unstable_tseries = enable } \
                   begin { print((config.max_map_keys, config().stack_mode, config.print_maps_on_exit, config.license)) }";
    lines(&one_liner(program), &["(7, perf, true, GPL)"])
}

fn cut_strings() -> Result<(), String> {
    let program = "config = { max_strlen = 4; str_trunc_trailer = \"~\" } tracepoint:syscalls:sys_enter_execve /pid == cpid/ \
                   { print(str(args.filename)); print(str(args.filename, 3)); @[str(args.filename)] = 1 }";
    let ran = lt(["-q", "-e", program, "-c", "/bin/true"]);
    lines(&ran, &["/bi~", "/b", "@[/bi~]: 1"])
}
