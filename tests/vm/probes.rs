//! Raw tracepoints, counted events, functions of programs and libraries, on every kernel.

use super::cases::Case;
use super::jobs::Output;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("rawtracepoint_arguments", RAW, raw),
        Case::new("software_page_faults", FAULTS, faults),
        Case::new("uprobe_and_uretprobe", UPROBE, libc_reads),
        Case::new("uprobe_many_functions", UPROBES, libc_many),
        Case::new("kprobe_offset_module_address", PLACES, places),
        Case::new("kprobe_in_an_instruction", "\"$LT\" -e 'kprobe:vfs_read+1 { }'", inside),
        Case::new("kprobe_many_functions", MANY, many),
        Case::new("kprobe_many_functions_by_name", MANY_NAMED, many_named),
        Case::new("kprobe_of_a_module", MODULE, in_module),
        Case::new("function_by_what_there_is", FUNCTION, function),
        Case::new("alternatives", ALTERNATIVES, alternatives),
        Case::new("iterator", ITERATOR, iterator),
        Case::new("socket_cookie", COOKIE, cookie).since("5.12"),
        Case::new("bench_and_test", TRIALS, |output| output.success()),
    ]
}

/// Lines that the output must have.
fn has_lines(output: &Output, wanted: &[&str]) -> Result<(), String> {
    output.success()?;
    match wanted.iter().find(|line| !output.out().lines().any(|seen| seen == **line)) {
        None => Ok(()),
        Some(line) => Err(format!("`{line}` is missing")),
    }
}

/// Several functions with one program where the kernel can; dd calls one of them 500 times with this size.
const UPROBES: &str = "\"$LT\" -e 'uprobe:libc:pread*,uprobe:libc:re?d /comm == \"dd\" && arg2 == 3072/ { @n++ }' \
                       -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn libc_many(output: &Output) -> Result<(), String> {
    has_lines(output, &["@n: 500"])
}

/// Entry by offset 0, by module, and by the address that kallsyms shows.
const PLACES: &str = "at=0x$(awk '$3 == \"vfs_read\" { print $1 }' /proc/kallsyms); \
    \"$LT\" -e \"kprobe:vfs_read+0 /comm == \\\"dd\\\" && arg2 == 3072/ { @offset++ } \
    kprobe:vmlinux:vfs_read /comm == \\\"dd\\\" && args.count == 3072/ { @module++ } \
    kprobe:$at /comm == \\\"dd\\\" && arg2 == 3072/ { @address++ } \
    kretprobe:$at /comm == \\\"dd\\\" && retval == 3072/ { @ret++ }\" \
    -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn places(output: &Output) -> Result<(), String> {
    has_lines(output, &["@offset: 500", "@module: 500", "@address: 500", "@ret: 500"])
}

/// Between the bytes of an instruction, or behind the one byte that the kernel keeps for its own tracer.
fn inside(output: &Output) -> Result<(), String> {
    let told = output.err().contains("LT0801") && output.err().contains("middle of an instruction");
    if output.status == 3 && told { Ok(()) } else { Err("it is not refused with a reason".into()) }
}

const MANY: &str = "\"$LT\" -e 'kprobe:vfs_* /comm == \"dd\" && arg2 == 3072/ { @n++ } kretprobe:ksys_* { @r = count() }' \
                    -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500' && \
                    \"$LT\" probes -e 'kprobe:vfs_* { @n++ }' | tail -1";

fn many(output: &Output) -> Result<(), String> {
    // reads and writes
    has_lines(output, &["@n: 1000"])?;
    let one_program = output.out().contains("kprobe:vfs_*  kprobe.multi, ");
    let has_it = super::kernels::version(&output.kernel) >= super::kernels::version("6.12");
    if one_program == has_it { Ok(()) } else { Err(format!("with one program: {one_program}")) }
}

const MANY_NAMED: &str = "\"$LT\" -e 'config = { missing_probes = \"warn\" } kprobe:vmlinux:vfs_*,kprobe:nonsense* \
                          /comm == \"dd\" && arg2 == 3072/ { @[probe, func] = count() }' \
                          -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn many_named(output: &Output) -> Result<(), String> {
    has_lines(output, &["@[kprobe:vmlinux:vfs_read, vfs_read]: 500", "@[kprobe:vmlinux:vfs_write, vfs_write]: 500"])
}

/// The functions of a module that is loaded for it.
const MODULE: &str = "set -e; modprobe dummy; \"$LT\" -l 'kprobe:dummy:*' | head -3 >&2; ip link add name lt0 type dummy; \
    \"$LT\" -e 'kprobe:dummy:dummy_xmit { @one++ } kprobe:dum*:dummy_xm* { @many++ }' \
    -c 'sh -c \"ip link set lt0 up; ping -q -c 3 -i 0.2 -I lt0 224.0.0.1 || true\"'; ip link del lt0; rmmod dummy";

fn in_module(output: &Output) -> Result<(), String> {
    output.success()?;
    let count = |map: &str| output.out().lines().find_map(|line| line.strip_prefix(map)?.parse::<u64>().ok());
    match (count("@one: "), count("@many: ")) {
        (Some(one), Some(many)) if one > 0 && one == many => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

const FUNCTION: &str = "\"$LT\" -v -e 'function:vfs_read /comm == \"dd\" && args.count == 3072/ { @n++ } \
                        function_return:vfs_read /comm == \"dd\" && retval == 3072/ { @r++ } \
                        function:vfs_r*d /comm == \"dd\" && arg2 == 3072/ { @w++ }' \
                        -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn function(output: &Output) -> Result<(), String> {
    has_lines(output, &["@n: 500", "@r: 500", "@w: 500"])?;
    let told = ["function:vfs_read (fentry)", "function_return:vfs_read (fexit)"];
    if told.iter().all(|text| output.err().contains(text)) { Ok(()) } else { Err("no word of the mechanism".into()) }
}

const ALTERNATIVES: &str = "\"$LT\" -e 'fentry:nonsense || kprobe:vfs_read || begin /comm == \"dd\" && arg2 == 3072/ \
                            { @[probe]++ } kprobe:nonsense? { @never++ }' \
                            -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn alternatives(output: &Output) -> Result<(), String> {
    has_lines(output, &["@[kprobe:vfs_read]: 500"])
}

const ITERATOR: &str = "\"$LT\" -e 'iter:task /ctx.task.pid == 1/ { @[ctx.task.tgid]++ } \
                        iter:task_file /ctx.task.pid == 1 && ctx.fd == 0/ { @files++ }'";

fn iterator(output: &Output) -> Result<(), String> {
    has_lines(output, &["@[1]: 1", "@files: 1"])
}

/// A socket has one number for all of its life, whoever asks.
const COOKIE: &str = "\"$LT\" -e 'fentry:tcp_v4_connect { @in = socket_cookie(args.sk) } \
                      fexit:tcp_v4_connect { @out = socket_cookie(args.sk) } end { print((@in != 0, @in == @out)) }' \
                      -c 'bash -c \": < /dev/tcp/127.0.0.1/9 || true\"'";

fn cookie(output: &Output) -> Result<(), String> {
    has_lines(output, &["(true, true)"])
}

const TRIALS: &str = "set -e; \"$LT\" --test -e 'begin { @ = 1 } test:a { if (@ != 1 || pid == 0) { return 1 } }'; \
                      \"$LT\" --bench -e 'bench:a { @[comm] = count() }'";

const RAW: &str = "\"$LT\" -e 'rt:sched_switch { if (args.next.pid == ((struct task_struct *)arg2).pid) { @same = count() } \
                   else { @other = count() } } interval:ms:500 { exit() }'";

fn raw(output: &Output) -> Result<(), String> {
    output.success()?;
    if output.out().contains("@same: ") && !output.out().contains("@other: ") {
        Ok(())
    } else {
        Err("args.next is not arg2".into())
    }
}

const FAULTS: &str = "\"$LT\" -e 'software:faults:1 /comm == \"dd\"/ { @ = count() }' \
                      -c 'dd if=/dev/zero of=/dev/null bs=1M count=1'";

fn faults(output: &Output) -> Result<(), String> {
    output.success()?;
    if output.out().contains("@: ") { Ok(()) } else { Err("no page fault".into()) }
}

const UPROBE: &str = "\"$LT\" -e 'uprobe:libc:read /comm == \"dd\" && arg2 == 3072/ { @n = count(); @b = sum(arg2) } \
                      uretprobe:libc:read /comm == \"dd\" && retval == 3072/ { @r = count() }' \
                      -c 'dd if=/dev/zero of=/dev/null bs=3072 count=500'";

fn libc_reads(output: &Output) -> Result<(), String> {
    output.success()?;
    for line in ["@n: 500", "@b: 1536000", "@r: 500"] {
        if !output.out().lines().any(|seen| seen == line) {
            return Err(format!("`{line}` is missing"));
        }
    }
    Ok(())
}
