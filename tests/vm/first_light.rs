//! lt's own cases: kernel functions, which this machine's kernel cannot trace.

use super::cases::Case;
use super::jobs::Output;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("kprobe_ip_rcv_angle", ping("kprobe:ip_rcv < @[cpu]=count() >"), ten_packets),
        Case::new("kprobe_ip_rcv_braces", ping("kprobe:ip_rcv { @[cpu] = count(); }"), ten_packets),
        Case::new("fentry_ip_rcv", ping("fentry:ip_rcv < @[cpu]=count() >"), ten_packets),
        Case::new("fentry_ip_rcv_braces", ping("fentry:ip_rcv { @[cpu] = count() }"), ten_packets),
        Case::new("kprobe_names_the_file", names_file("kprobe"), names_the_file),
        Case::new("fentry_names_the_file", names_file("fentry"), names_the_file),
        Case::new("kprobe_arguments", arguments("kprobe:vfs_read", "args.count", "arg2"), thousand_reads),
        Case::new("fentry_arguments", arguments("fentry:vfs_read", "args.count", "arg2"), thousand_reads),
        Case::new("kretprobe_value", returned("kretprobe"), returned_bytes),
        Case::new("fexit_value", returned("fexit"), returned_bytes),
        Case::new("kprobe_wildcard", WILDCARD, wildcard),
        Case::new("kprobe_typo", "\"$LT\" -e 'kprobe:vfs_raed { }'", typo),
        Case::new("tracepoint_dd", tracepoint_dd(), thousand_reads),
        Case::new("kstack_of_ip_rcv", ping("kprobe:ip_rcv { @[kstack(3)] = count() }"), stack_of_receive),
        Case::new("aggregations", AGGREGATIONS, aggregations),
        Case::new("profile_and_interval", PROFILE, profile),
    ]
}

fn ping(program: &str) -> String {
    format!("\"$LT\" -e '{program}' -c 'ping -q -c 5 -i 0.2 127.0.0.1'")
}

/// Five requests and five replies were received.
fn ten_packets(output: &Output) -> Result<(), String> {
    output.success()?;
    let counts =
        output.out().lines().filter_map(|line| line.strip_prefix("@[")?.split_once("]: ")?.1.parse::<u64>().ok()).sum();
    equal("packets", 10u64, counts)
}

fn names_file(kind: &str) -> String {
    format!(
        "echo text > /tmp/the-file-we-read; \"$LT\" -e '{kind}:vfs_read /comm == \"cat\"/ {{ \
         printf(\"%s\\n\", str(args.file.f_path.dentry.d_name.name)) }}' -c 'cat /tmp/the-file-we-read'"
    )
}

fn names_the_file(output: &Output) -> Result<(), String> {
    output.success()?;
    let named = output.out().lines().any(|line| line == "the-file-we-read");
    if named { Ok(()) } else { Err("the file is not named".into()) }
}

fn arguments(probe: &str, by_name: &str, by_number: &str) -> String {
    format!(
        "\"$LT\" -e '{probe} /comm == \"dd\" && {by_name} == 3072/ {{ @n = count(); @b = sum({by_number}) }}' \
         -c 'dd if=/dev/zero of=/dev/null bs=3072 count=1000'"
    )
}

fn tracepoint_dd() -> String {
    "\"$LT\" -e 'tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ { @n = count(); @b = sum(args.count) }' \
     -c 'dd if=/dev/zero of=/dev/null bs=3072 count=1000'"
        .into()
}

fn thousand_reads(output: &Output) -> Result<(), String> {
    output.success()?;
    equal("reads", Some(1000), number(output, "@n"))?;
    equal("bytes", Some(3_072_000), number(output, "@b"))
}

fn returned(kind: &str) -> String {
    format!(
        "\"$LT\" -e '{kind}:vfs_read /comm == \"dd\"/ {{ if (retval == 512) {{ @n = count() }} if (retval < 0) {{ @failed = count() }} }}' \
         -c 'dd if=/dev/zero of=/dev/null bs=512 count=300'"
    )
}

fn returned_bytes(output: &Output) -> Result<(), String> {
    output.success()?;
    equal("full reads", Some(300), number(output, "@n"))
}

const WILDCARD: &str = "\"$LT\" -e 'kprobe:vfs_rea*,kprobe:vfs_write /comm == \"dd\"/ { @[probe, func] = count() }' \
                        -c 'dd if=/dev/zero of=/dev/null bs=512 count=200'";

fn wildcard(output: &Output) -> Result<(), String> {
    output.success()?;
    for function in ["vfs_read", "vfs_write"] {
        let calls = number(output, &format!("@[kprobe:{function}, {function}]"));
        if calls.is_none_or(|calls| calls < 200) {
            return Err(format!("{function}: {calls:?} calls"));
        }
    }
    Ok(())
}

fn typo(output: &Output) -> Result<(), String> {
    equal("status", 3, output.status)?;
    let text = output.err();
    if text.contains("LT0401") && text.contains("vfs_read") { Ok(()) } else { Err("no suggestion".into()) }
}

fn stack_of_receive(output: &Output) -> Result<(), String> {
    output.success()?;
    let frames = output
        .out()
        .lines()
        .filter(|line| {
            line.trim_start().split_once('+').is_some_and(|(name, at)| !name.is_empty() && at.parse::<u32>().is_ok())
        })
        .count();
    if frames >= 3 && output.out().contains("ip_rcv+") { Ok(()) } else { Err(format!("{frames} frames")) }
}

const AGGREGATIONS: &str = "\"$LT\" -e 'tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ { \
    @c = count(); @s = sum(args.count); @a = avg(args.count); @lo = min(args.count); @hi = max(args.count); \
    @st = stats(args.count); @h = hist(args.count); @l = lhist(args.count, 0, 1000, 100); \
    @keyed[comm, args.fd] = sum(args.count); @plain[comm] = args.count; @steps++; @any[str(args.buf, 8)] = count() }' \
    -c 'dd if=/dev/zero of=/dev/null bs=512 count=250'";

fn aggregations(output: &Output) -> Result<(), String> {
    output.success()?;
    for (map, value) in [
        ("@c", 250),
        ("@s", 128_000),
        ("@a", 512),
        ("@lo", 512),
        ("@hi", 512),
        ("@keyed[dd, 0]", 128_000),
        ("@plain[dd]", 512),
        ("@steps", 250),
    ] {
        equal(map, Some(value), number(output, map))?;
    }
    for text in [
        "@st: { .count = 250, .average = 512, .total = 128000 }",
        "[512, 1K)            250 |@",
        "[500, 600)           250 |@",
    ] {
        if !output.out().contains(text) {
            return Err(format!("`{text}` is missing"));
        }
    }
    Ok(())
}

const PROFILE: &str =
    "\"$LT\" -e 'profile:hz:49 { @samples = count() } interval:ms:1500 { printf(\"over\\n\"); exit() }'";

fn profile(output: &Output) -> Result<(), String> {
    output.success()?;
    let samples = number(output, "@samples").unwrap_or(0);
    if output.out().contains("over\n") && (60..=220).contains(&samples) {
        Ok(())
    } else {
        Err(format!("{samples} samples of two CPUs"))
    }
}

/// The number that a map line `@name: N` shows.
fn number(output: &Output, map: &str) -> Option<i64> {
    let prefix = format!("{map}: ");
    output.out().lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok())
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, seen: T) -> Result<(), String> {
    if expected == seen { Ok(()) } else { Err(format!("{what}: expected {expected:?}, saw {seen:?}")) }
}
