//! lt on this machine's own kernel, against independent oracles: dd's counts, arithmetic, other tools' figures.

use crate::support::{Ran, expect, lt, lt_path, map_number, on_kernel, one_liner};
use libtest_mimic::Trial;
use std::io::Read;
use std::process::{Command, Stdio};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("host::dd_is_counted_exactly", dd_is_counted_exactly),
        on_kernel("host::angle_block_means_the_same", angle_block),
        on_kernel("host::openat_names_what_ls_opens", openat_names),
        on_kernel("host::profile_names_kernel_functions", profile_stacks),
        on_kernel("host::begin_and_end", begin_and_end),
        on_kernel("host::interval_exit_code", interval_exit_code),
        on_kernel("host::aggregations_add_up", aggregations),
        on_kernel("host::histograms", histograms),
        on_kernel("host::arithmetic_is_c", arithmetic),
        on_kernel("host::printf_formats", printf_formats),
        on_kernel("host::maps_set_delete_clear", maps),
        on_kernel("host::json_lines", json_lines),
        on_kernel("host::child_status", child_status),
        on_kernel("host::ctrl_c_prints_maps", ctrl_c),
        on_kernel("host::reader_gone", reader_gone),
        on_kernel("host::output_file", output_file),
        on_kernel("host::full_map_is_counted", full_map),
        on_kernel("host::flood_seen_plus_lost_is_sent", flood),
        on_kernel("host::pid_ends_with_the_process", pid_ends),
        on_kernel("host::list_knows_arguments", list_arguments),
        on_kernel("host::emit_stages", emit_stages),
        on_kernel("host::dry_run", dry_run),
        on_kernel("host::saved_profile_compiles_the_same", saved_profile),
        on_kernel("host::check_needs_no_privilege", check_unprivileged),
        on_kernel("host::config_block", config_block),
        on_kernel("host::missing_probes", missing_probes),
    ]
}

fn succeed(ran: &Ran) -> Result<(), String> {
    expect(ran.status == 0, "it failed", ran)
}

const DD: &str = "dd if=/dev/zero of=/dev/null bs=4096 count=1000";

fn dd_is_counted_exactly() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ \
                   { @n = count(); @b = sum(args.count); @h = hist(args.count) }";
    let ran = lt(["-e", program, "-c", DD]);
    succeed(&ran)?;
    expect(map_number(&ran.stdout, "@n") == Some(1000), "1000 reads", &ran)?;
    expect(map_number(&ran.stdout, "@b") == Some(4_096_000), "4096000 bytes", &ran)?;
    let buckets: Vec<_> = ran.stdout.lines().filter(|line| line.contains('|')).collect();
    expect(
        buckets.len() == 1 && buckets[0].starts_with("[4K, 8K)") && buckets[0].contains(" 1000 |@"),
        "one bucket",
        &ran,
    )
}

fn angle_block() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ < @n=count(); @big=sum((args.count > 4095)) >";
    let ran = lt(["-e", program, "-c", DD]);
    succeed(&ran)?;
    expect(map_number(&ran.stdout, "@n") == Some(1000), "1000 reads", &ran)?;
    expect(map_number(&ran.stdout, "@big") == Some(1000), "comparisons in parentheses", &ran)
}

fn openat_names() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)) }";
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("a name of our own");
    std::fs::create_dir(&path).map_err(|error| error.to_string())?;
    let ran = lt(["-e", program, "-c", &format!("ls '{}'", path.display())]);
    succeed(&ran)?;
    expect(ran.stdout.lines().any(|line| line == format!("ls {}", path.display())), "the folder's name", &ran)
}

fn profile_stacks() -> Result<(), String> {
    // dd keeps the kernel busy with reads of /dev/zero
    let busy = "dd if=/dev/zero of=/dev/null bs=1M count=30000";
    let ran = lt(["-e", "profile:hz:99 { @[kstack, comm] = count() } interval:s:2 { exit() }", "-c", busy]);
    succeed(&ran)?;
    let named = ran.stdout.lines().filter_map(|line| line.trim().split_once('+')).collect::<Vec<_>>();
    expect(
        named.iter().any(|(name, offset)| name.contains("syscall_64") && offset.parse::<u64>().is_ok()),
        "function+offset frames of the system call path",
        &ran,
    )?;
    expect(ran.stdout.contains(", dd]: "), "dd's own samples", &ran)
}

fn begin_and_end() -> Result<(), String> {
    let ran = one_liner("begin { printf(\"hi %d\\n\", 42); @x = 7 } end { printf(\"bye\\n\") }");
    succeed(&ran)?;
    expect(ran.stdout == "hi 42\nbye\n\n\n@x: 7\n", "exact output", &ran)
}

fn interval_exit_code() -> Result<(), String> {
    let ran = one_liner(
        "interval:ms:20 { @n = count() } interval:ms:230 { printf(\"done\\n\"); exit(7); printf(\"never\\n\") }",
    );
    expect(ran.status == 7, "exit(7) is the status", &ran)?;
    let ticks = map_number(&ran.stdout, "@n").unwrap_or(0);
    expect((5..=12).contains(&ticks), "about eleven ticks of 20 ms", &ran)?;
    expect(ran.stdout.contains("done\n") && !ran.stdout.contains("never"), "exit ends the action", &ran)
}

fn aggregations() -> Result<(), String> {
    let ran = one_liner(
        "begin { @c = count(); @c = count(); @s = sum(5); @s = sum(-2); @a = avg(4); @a = avg(8); @lo = min(3); @lo = min(-9); \
         @hi = max(3); @hi = max(-9); @st = stats(10); @st = stats(20); @k[1, \"a\"] = count(); @k[1, \"a\"] = count(); }",
    );
    succeed(&ran)?;
    for (map, value) in [("@c", 2), ("@s", 3), ("@a", 6), ("@lo", -9), ("@hi", 3), ("@k[1, a]", 2)] {
        expect(map_number(&ran.stdout, map) == Some(value), map, &ran)?;
    }
    expect(ran.stdout.contains("@st: { .count = 2, .average = 15, .total = 30 }"), "stats", &ran)
}

fn histograms() -> Result<(), String> {
    let ran = one_liner(
        "begin { @h = hist(0); @h = hist(-5); @h = hist(1); @h = hist(100000); @l = lhist(-1, 0, 10, 2); @l = lhist(100, 0, 10, 2); @l = lhist(3, 0, 10, 2) }",
    );
    succeed(&ran)?;
    for row in ["(..., 0)  ", "[0]  ", "[1]  ", "[64K, 128K)  ", "[2, 4)  ", "[10, ...)  "] {
        let found = ran.stdout.lines().any(|line| line.starts_with(row) && line.contains(" 1 |@@"));
        expect(found, row, &ran)?;
    }
    expect(ran.stdout.matches(" 1 |@@").count() == 7, "seven values", &ran)
}

fn arithmetic() -> Result<(), String> {
    let cases: [(&str, i64); 14] = [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 & 5 | 8", 13),
        ("1 << 33", 1 << 33),
        ("-8 >> 1", -4),
        ("~5", -6),
        ("(uint8)300", 44),
        ("(int8)200", -56),
        ("10 - 3 * 2", 4),
        ("(1 < 2) ? 5 : 6", 5),
        ("5 ^ 1", 4),
        ("0x7fffffffffffffff", i64::MAX),
        ("1e3 + 1ms", 1_001_000),
    ];
    let body: String = cases.iter().map(|(text, _)| format!("printf(\"%d\\n\", {text}); ")).collect();
    let ran = one_liner(&format!("begin {{ {body} }}"));
    succeed(&ran)?;
    let seen: Vec<i64> = ran.stdout.lines().filter_map(|line| line.parse().ok()).collect();
    expect(seen == cases.iter().map(|(_, value)| *value).collect::<Vec<_>>(), "C's results", &ran)?;
    // what the kernel computes at run time, not the compiler
    let ran = one_liner(
        "begin { $a = (int64)pid; $z = $a - $a; $n = $z - 7; printf(\"%d %d %d %d\\n\", $n / 2, $n % 3, 5 / $z, 5 % $z) }",
    );
    succeed(&ran)?;
    expect(ran.stdout.starts_with("-3 -1 1 1\n"), "signed division at run time; by zero gives 1", &ran)
}

fn printf_formats() -> Result<(), String> {
    let ran = one_liner(
        "begin { printf(\"%d|%5d|%-5d|%05d|%x|%X|%o|%c|%s|%10s|%-4s|%%|%u\\n\", -3, 42, 42, 42, 255, 255, 8, 65, \"str\", \"right\", \"ab\", 7) }",
    );
    succeed(&ran)?;
    expect(ran.stdout.starts_with("-3|   42|42   |00042|ff|FF|10|A|str|     right|ab  |%|7\n"), "C's output", &ran)
}

fn maps() -> Result<(), String> {
    let ran = one_liner(
        "begin { @x[1] = 10; @x[2] = 20; @x[3] = 30; delete(@x, 2); @n = 5; @n++; @n += 4; $old = @n++; @old = $old; @gone[1] = 1; clear(@gone); \
         @s[\"k\"] = \"value\"; @t = (1, \"two\"); if (@x[2] == 0) { @zero = 1 } }",
    );
    succeed(&ran)?;
    for (map, value) in [("@x[1]", 10), ("@x[3]", 30), ("@n", 11), ("@old", 10), ("@zero", 1)] {
        expect(map_number(&ran.stdout, map) == Some(value), map, &ran)?;
    }
    expect(!ran.stdout.contains("@x[2]") && !ran.stdout.contains("@gone"), "deleted and cleared", &ran)?;
    expect(ran.stdout.contains("@s[k]: value\n") && ran.stdout.contains("@t: (1, two)\n"), "strings and tuples", &ran)
}

fn json_lines() -> Result<(), String> {
    let ran = lt([
        "-f",
        "json",
        "-e",
        "begin { printf(\"a \\\"%d\\\"\\n\", 1); @c[1, \"b\"] = count(); @h = hist(5); @i = 5 }",
    ]);
    succeed(&ran)?;
    let lines: Result<Vec<serde_json::Value>, _> = ran.stdout.lines().map(serde_json::from_str).collect();
    let lines = lines.map_err(|error| format!("{error}: {}", ran.stdout))?;
    let data = |kind: &str| {
        lines.iter().filter(|line| line["type"] == kind).map(|line| line["data"].clone()).collect::<Vec<_>>()
    };
    expect(data("printf") == ["a \"1\"\n"], "printf", &ran)?;
    let maps = data("map");
    expect(maps.contains(&serde_json::json!({"@c": {"1,b": 1}})), "keyed map", &ran)?;
    expect(maps.contains(&serde_json::json!({"@i": 5})), "scalar map", &ran)?;
    expect(data("hist") == [serde_json::json!({"@h": [{"min": 4, "max": 7, "count": 1}]})], "histogram", &ran)
}

fn child_status() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_read { @ = count() }";
    let ran = lt(["-e", program, "-c", "sh -c 'exit 9'"]);
    succeed(&ran)?;
    let ran = lt(["-e", program, "-c", "sh -c 'exit 9'", "--child-status"]);
    expect(ran.status == 9, "the child's status", &ran)?;
    let ran = lt(["-e", program, "-c", "sh -c 'kill -TERM $$'", "--child-status"]);
    expect(ran.status == 143, "128 + signal", &ran)?;
    let ran = lt(["-v", "-e", program, "-c", "sh -c 'exit 9'"]);
    let told = ["attaching tracepoint:syscalls:sys_enter_read", "the command exited with status 9"];
    expect(told.iter().all(|text| ran.stderr.contains(text)), "-v tells", &ran)
}

fn interrupt(child: &std::process::Child) {
    // SAFETY: the process is our own child and was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
}

fn ctrl_c() -> Result<(), String> {
    let program = "begin { printf(\"go\\n\") } tracepoint:syscalls:sys_enter_read { @n = count() } end { printf(\"the end\\n\") }";
    let mut child = Command::new(lt_path())
        .args(["-e", program])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lt starts");
    // what begin printed is written when all probes act
    let mut first = [0; 3];
    let started = child.stdout.as_mut().map(|stdout| stdout.read_exact(&mut first));
    for _ in 0..1000 {
        let _ = std::fs::read("/proc/self/stat");
    }
    interrupt(&child);
    let ran = crate::support::finish(child);
    expect(matches!(started, Some(Ok(()))) && &first == b"go\n", "begin", &ran)?;
    succeed(&ran)?;
    expect(ran.stdout.contains("the end\n") && map_number(&ran.stdout, "@n").unwrap_or(0) > 0, "end and map", &ran)
}

fn reader_gone() -> Result<(), String> {
    let line = "\"$LT\" -e 'interval:ms:1 { printf(\"line\\n\") }' | head -n 3";
    let ran = crate::support::run(Command::new("bash").args(["-o", "pipefail", "-c", line]).env("LT", lt_path()));
    expect(ran.stdout == "line\nline\nline\n", "three lines", &ran)?;
    expect(ran.status == 0 && !ran.stderr.contains("panicked"), "a reader that leaves is no error", &ran)
}

fn output_file() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("out");
    let ran = lt(["-o".as_ref(), path.as_os_str(), "-e".as_ref(), "begin { printf(\"to a file\\n\") }".as_ref()]);
    succeed(&ran)?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    expect(text.starts_with("to a file\n") && ran.stdout.is_empty(), "the file has it", &ran)
}

fn full_map() -> Result<(), String> {
    // 4096 keys fit, some more of counts and sums; the command seeks to 5000 distinct places
    let program =
        "tracepoint:syscalls:sys_enter_lseek /comm == \"lt-seeks\"/ { @[args.offset] = max(1); @all = count() }";
    let (sent, kept, ran) = seeks(program)?;
    expect(kept == 4096, &format!("{sent} sent, {kept} kept"), &ran)?;
    let (sent, kept, ran) = seeks(&program.replace("max(1)", "count()"))?;
    expect(kept >= 4096, &format!("{sent} sent, {kept} kept"), &ran)
}

/// Runs a program under 5000 seeks; how many it saw and how many keys it kept, with no other loss than it says.
fn seeks(program: &str) -> Result<(i64, i64, Ran), String> {
    let script = "import os,ctypes; ctypes.CDLL(None).prctl(15, b'lt-seeks'); f=os.open('/dev/zero', 0)\nfor i in range(5000): os.lseek(f, 100000+i, 0)";
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("seek.py");
    std::fs::write(&path, script).map_err(|error| error.to_string())?;
    let ran = lt(["-e", program, "-c", &format!("python3 {}", path.display())]);
    succeed(&ran)?;
    let kept = ran.stdout.lines().filter(|line| line.starts_with("@[1")).count() as i64;
    let sent = map_number(&ran.stdout, "@all").unwrap_or(0);
    let lost = lost_count(&ran.stderr);
    expect(sent >= 5000, "the command's seeks", &ran)?;
    expect(lost == sent - kept, &format!("{sent} sent, {kept} kept, {lost} lost"), &ran)?;
    Ok((sent, kept, ran))
}

/// The sum of the counts in all warnings about losses.
fn lost_count(stderr: &str) -> i64 {
    stderr
        .lines()
        .filter(|line| line.contains("LT0901") && line.contains(" lost: "))
        .filter_map(|line| line.split_whitespace().find_map(|word| word.parse::<i64>().ok()))
        .sum()
}

fn flood() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ { printf(\"%s\\n\", str(args.buf)); @sent = count() }";
    let ran = lt(["-e", program, "-c", "dd if=/dev/zero of=/dev/null bs=1 count=200000"]);
    succeed(&ran)?;
    let sent = map_number(&ran.stdout, "@sent").unwrap_or(0);
    let seen = ran.stdout.lines().take_while(|line| !line.starts_with('@')).count() as i64;
    // two blank lines stand before the map
    let (seen, lost) = (seen - 2, lost_count(&ran.stderr));
    expect(sent == 200_000, "all reads", &ran).map_err(|_| format!("{sent} sent\n{}", ran.stderr))?;
    if seen + lost == sent {
        Ok(())
    } else {
        Err(format!("{seen} seen + {lost} lost is not {sent} sent\n{}", ran.stderr))
    }
}

fn pid_ends() -> Result<(), String> {
    let mut sleeper = Command::new("sleep").arg("1").spawn().map_err(|error| error.to_string())?;
    let pid = sleeper.id().to_string();
    let waiter = std::thread::spawn(move || sleeper.wait());
    let ran = lt(["-p", &pid, "-e", "interval:ms:100 { @ticks = count() }"]);
    let _ = waiter.join();
    succeed(&ran)?;
    expect(map_number(&ran.stdout, "@ticks").unwrap_or(0) >= 5, "ticks until the process ended", &ran)
}

fn list_arguments() -> Result<(), String> {
    let ran = lt(["-lv", "tracepoint:syscalls:sys_enter_read"]);
    succeed(&ran)?;
    expect(
        ran.stdout.starts_with("tracepoint:syscalls:sys_enter_read\n")
            && ran.stdout.contains("    unsigned int fd\n")
            && ran.stdout.contains("    size_t count\n"),
        "bpftrace's listing",
        &ran,
    )
}

fn emit_stages() -> Result<(), String> {
    let program = "tracepoint:syscalls:sys_enter_read { @[comm] = count() }";
    for (stage, mark) in [("hir", "@"), ("llvm", "define"), ("bpf", "exit"), ("elf", "ELF")] {
        let ran = lt(["--emit", stage, "-e", program]);
        succeed(&ran)?;
        expect(ran.stdout.contains(mark), stage, &ran)?;
    }
    Ok(())
}

fn dry_run() -> Result<(), String> {
    let ran =
        lt(["--dry-run", "-e", "begin { printf(\"ran\\n\") } tracepoint:syscalls:sys_enter_read { @ = count() }"]);
    succeed(&ran)?;
    expect(!ran.stdout.contains("ran"), "nothing runs", &ran)
}

fn saved_profile() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("kernel.profile");
    let file = path.to_str().unwrap_or_default();
    succeed(&lt(["kernel-profile", file]))?;
    let program = "tracepoint:syscalls:sys_enter_read /args.fd == 0/ { @[curtask.tgid, comm] = sum(args.count); print(curtask.comm) }";
    let here = lt(["--emit", "bpf", "-e", program]);
    let saved = lt(["--emit", "bpf", "-e", program, "--kernel-profile", file]);
    succeed(&here)?;
    succeed(&saved)?;
    expect(here.stdout == saved.stdout, "the same program", &saved)
}

fn check_unprivileged() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let own = |name: &str| folder.path().join(name).display().to_string();
    succeed(&lt(["kernel-profile", &own("kernel.profile")]))?;
    std::fs::copy(lt_path(), own("lt")).map_err(|error| error.to_string())?;
    std::fs::write(own("good.lt"), "tracepoint:syscalls:sys_enter_read { @[comm] = sum(args.count) }")
        .expect("written");
    std::fs::write(own("bad.lt"), "begin { print(curtask.tgdi) }").expect("written");
    let line = "chmod -R a+rX . && exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all \
                ./lt --kernel-profile kernel.profile check ./good.lt ./bad.lt ./good.lt";
    let ran = crate::support::run(Command::new("bash").args(["-c", line]).current_dir(folder.path()));
    expect(ran.status == 1 && ran.stdout.is_empty(), "the bad one is refused", &ran)?;
    expect(ran.stderr.matches("Error:").count() == 1 && ran.stderr.contains("LT0205"), "and only that", &ran)
}

fn config_block() -> Result<(), String> {
    let ran = one_liner("config = { max_map_keys = 2; } begin { @[1] = 1; @[2] = 2; @[3] = 3 }");
    succeed(&ran)?;
    expect(ran.stdout.matches("@[").count() == 2 && lost_count(&ran.stderr) == 1, "two keys, one lost", &ran)?;
    let ran = one_liner("config = { print_maps_on_exit = false; stack_mode = raw } begin { @ = kstack(1); print(@) }");
    succeed(&ran)?;
    let frames: Vec<_> =
        ran.stdout.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('@')).collect();
    let raw = frames.iter().all(|frame| u64::from_str_radix(frame.trim_start_matches("0x"), 16).is_ok());
    expect(frames.len() == 1 && raw, "one bare address, printed once", &ran)
}

fn missing_probes() -> Result<(), String> {
    let ran = one_liner(
        "config = { missing_probes = warn } tracepoint:no:such, begin { @n = count() } tracepoint:no:other { print(pidd) }",
    );
    succeed(&ran)?;
    let warned = ran.stderr.matches("LT0401").count();
    expect(warned == 2 && map_number(&ran.stdout, "@n") == Some(1), "what is there runs", &ran)?;
    let ran = one_liner("config = { missing_probes = ignore } tracepoint:no:such { }");
    expect(ran.status == 3, "nothing is there", &ran)
}
