//! Rows and maps shown as tables, with functions of the kernel.

use super::cases::Case;
use super::jobs::Output;

/// In the order in which they run.
pub fn cases() -> Vec<Case> {
    vec![Case::new("tables_of_rows", ROWS, rows), Case::new("tables_of_maps", MAPS, maps)]
}

const ROWS: &str = "\"$LT\" -f csv -e 'table io { comm: string; size: bytes; lat: us.1; stack: kstack?; note: path?; }
    kprobe:vfs_read /comm == \"dd\" && args.count == 300/ { @start[tid] = nsecs; $n = args.count; emit io(comm, $n, nsecs - @start[tid], kstack(3)) }
    end { clear(@start) }' -c 'dd if=/dev/zero of=/dev/null bs=300 count=20'";

fn rows(output: &Output) -> Result<(), String> {
    output.success()?;
    let found = output.out().lines().filter(|line| line.starts_with("dd,300,") && line.contains("vfs_read")).count();
    if output.out().lines().next() != Some("comm,size,lat,stack,note") || found != 20 {
        return Err(format!("a heading and 20 rows, not {found}"));
    }
    Ok(())
}

const MAPS: &str = "\"$LT\" -f csv -e 'table t { size: int; calls: uint; }
    kprobe:vfs_read /comm == \"dd\" && args.count == 300/ { @[args.count] = count() }
    interval:ms:10 { show @ as t sort calls desc top 3; clear(@) } end { show @ as t; clear(@) }' \
    -c 'dd if=/dev/zero of=/dev/null bs=300 count=20000'";

fn maps(output: &Output) -> Result<(), String> {
    output.success()?;
    let calls = output.out().lines().filter_map(|line| line.strip_prefix("300,")?.parse::<u64>().ok()).sum::<u64>();
    if calls != 20_000 {
        return Err(format!("20000 reads, not {calls}"));
    }
    Ok(())
}
