//! Raw tracepoints, counted events, functions of programs and libraries, on every kernel.

use super::cases::Case;
use super::jobs::Output;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("rawtracepoint_arguments", RAW, raw),
        Case::new("software_page_faults", FAULTS, faults),
        Case::new("uprobe_and_uretprobe", UPROBE, libc_reads),
    ]
}

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
