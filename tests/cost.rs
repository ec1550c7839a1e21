//! What makes events cheap must not make them wrong: raw attachment, names read from the task, writers on all CPUs.
//! The same shell lines run in the virtual machines.

use crate::support::{expect, lt, map_number, on_kernel};
use libtest_mimic::Trial;

/// Numbers of write and kill.
#[cfg(target_arch = "x86_64")]
pub const NUMBERS: (u32, u32) = (1, 62);
/// Numbers of write and kill.
#[cfg(not(target_arch = "x86_64"))]
pub const NUMBERS: (u32, u32) = (64, 129);

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("cost::writers_on_all_cpus_are_counted_exactly", writers),
        on_kernel("cost::names_end_at_their_nul", names),
        on_kernel("cost::more_keys_than_a_table_has_slots", many_keys),
        on_kernel("cost::table_entries_are_printed_and_cleared", table_entries),
    ]
}

/// Blocks that each of the two writers copies: as many reads and writes.
pub const BLOCKS: i64 = 50_000;

/// What the writers are called: nobody else's calls are to be counted.
pub const WRITERS: &str = "lt-writers";
/// What those of the second test are called.
pub const KEY_WRITERS: &str = "lt-keys";

/// Two processes, each on its own CPU (the first and the last one): dd by another name.
pub fn writers_command(name: &str, blocks: i64) -> String {
    let one = format!("$d/{name} if=/dev/zero of=/dev/null bs=512 count={blocks} status=none");
    format!(
        "sh -c 'd=$(mktemp -d); ln -s $(command -v dd) $d/{name}; \
         taskset -c 0 {one} & taskset -c $(($(nproc) - 1)) {one} & wait; rm -r $d'"
    )
}

/// Counts the writers' calls by several keys, with and without the record of the tracepoint.
pub fn writers_program() -> String {
    let write = NUMBERS.0;
    format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{WRITERS}\" && args.id == {write}/ {{ \
           @n = count(); @name[comm] = count(); @pid[pid] = sum(2); @both[comm, args.id] = count(); @h = hist(args.id) }} \
         tracepoint:raw_syscalls:sys_enter /comm == \"{WRITERS}\" && args.args[2] == 512 && args.id == {write}/ {{ @record[comm] = count() }} \
         tracepoint:raw_syscalls:sys_exit /comm == \"{WRITERS}\" && args.ret == 512/ {{ @ret[comm] = count() }}"
    )
}

/// What is wrong with the writers' counts in this output.
pub fn check_writers(stdout: &str, blocks: i64) -> Result<(), String> {
    let (name, both) = (format!("[{WRITERS}]"), format!("[{WRITERS}, {}]", NUMBERS.0));
    let maps: [(&str, &str, i64); 5] =
        [("@n", "", 2), ("@name", &name, 2), ("@both", &both, 2), ("@record", &name, 2), ("@ret", &name, 4)];
    for (map, key, value) in maps {
        let map = &format!("{map}{key}");
        let seen = map_number(stdout, map);
        if seen != Some(value * blocks) {
            return Err(format!("{map}: expected {}, saw {seen:?}", value * blocks));
        }
    }
    let pids: Vec<&str> = stdout.lines().filter(|line| line.starts_with("@pid[")).collect();
    let sum = format!("]: {}", 2 * blocks);
    if pids.len() != 2 || !pids.iter().all(|line| line.ends_with(&sum)) {
        return Err(format!("two processes with {sum}, saw {pids:?}"));
    }
    Ok(())
}

fn writers() -> Result<(), String> {
    let ran = lt(["-e", &writers_program(), "-c", &writers_command(WRITERS, BLOCKS)]);
    expect(ran.status == 0, "it failed", &ran)?;
    check_writers(&ran.stdout, BLOCKS).or_else(|what| expect(false, &what, &ran))
}

/// A shell that renames itself, from long to short and back, and makes a known number of calls under each name.
pub const NAMES_COMMAND: &str = "sh -c 'name() { printf %s $1 > /proc/$$/comm; shift; for i; do kill -0 $$; done; }; \
    name a-long-name-xyz 1 2 3; name ab 1 2 3 4 5; name eight-ch 1 2; name nine-char 1 2 3 4; name seven-c 1; \
    name x-long-name-xyz 1 2; name ab 1 2'";

/// Counts them.
pub fn names_program() -> String {
    let kill = NUMBERS.1;
    format!(
        "tracepoint:raw_syscalls:sys_enter /args.id == {kill}/ {{ @[comm] = count(); @two[comm, comm] = count(); \
         if (comm == \"ab\") {{ @ab = count() }} @last = comm; printf(\"<%s>\\n\", comm) }}"
    )
}

/// What is wrong with the names in this output: each stands once, since all its keys are the same bytes.
pub fn check_names(stdout: &str) -> Result<(), String> {
    let names =
        [("a-long-name-xyz", 3), ("ab", 7), ("eight-ch", 2), ("nine-char", 4), ("seven-c", 1), ("x-long-name-xyz", 2)];
    for (name, count) in names {
        for line in [format!("@[{name}]: {count}"), format!("@two[{name}, {name}]: {count}")] {
            if stdout.lines().filter(|seen| **seen == line).count() != 1 {
                return Err(format!("`{line}` is not there once"));
            }
        }
        let printed = stdout.lines().filter(|line| *line == format!("<{name}>")).count();
        if printed != count {
            return Err(format!("<{name}> was printed {printed} times"));
        }
    }
    let keys = stdout.lines().filter(|line| line.starts_with("@[")).count();
    let ends = map_number(stdout, "@ab") == Some(7) && stdout.lines().any(|line| line == "@last: ab");
    if keys == names.len() && ends { Ok(()) } else { Err(format!("{keys} keys, or the wrong last name")) }
}

fn names() -> Result<(), String> {
    let ran = lt(["-e", &names_program(), "-c", NAMES_COMMAND]);
    expect(ran.status == 0, "it failed", &ran)?;
    check_names(&ran.stdout).or_else(|what| expect(false, &what, &ran))
}

/// Thousands of keys from all CPUs: most are in tables, on several CPUs, some in the hash map behind them.
pub fn many_keys_program() -> String {
    let write = NUMBERS.0;
    format!(
        "tracepoint:raw_syscalls:sys_enter /comm == \"{KEY_WRITERS}\" && args.id == {write}/ {{ \
           $k = rand % 3000; @k[$k] = count(); @two[$k, $k + 1] = sum(3); @n = count() }}"
    )
}

/// What is wrong with them: each key stands once, and they add up.
pub fn check_many_keys(stdout: &str, blocks: i64) -> Result<(), String> {
    for (map, factor) in [("@k[", 1), ("@two[", 3)] {
        let entries = stdout.lines().filter_map(|line| line.strip_prefix(map)?.split_once("]: "));
        let entries: Vec<(&str, i64)> = entries.filter_map(|(key, n)| Some((key, n.parse().ok()?))).collect();
        let keys: std::collections::HashSet<&str> = entries.iter().map(|(key, _)| *key).collect();
        let sum: i64 = entries.iter().map(|(_, number)| number).sum();
        if keys.len() != entries.len() || sum != 2 * blocks * factor {
            return Err(format!("{map}: {} entries of {} keys add up to {sum}", entries.len(), keys.len()));
        }
    }
    if map_number(stdout, "@n") == Some(2 * blocks) { Ok(()) } else { Err("@n is wrong".into()) }
}

fn many_keys() -> Result<(), String> {
    let ran = lt(["-e", &many_keys_program(), "-c", &writers_command(KEY_WRITERS, BLOCKS)]);
    expect(ran.status == 0 && !ran.stderr.contains("LT0901"), "it failed", &ran)?;
    check_many_keys(&ran.stdout, BLOCKS).or_else(|what| expect(false, &what, &ran))
}

fn table_entries() -> Result<(), String> {
    let ran = lt([
        "-e",
        "begin { @c[1] = count(); @c[0] = count(); @c[-1] = count(); @c[1] = count(); print(@c[1]); print(@c[5]); \
         print(@c); clear(@c); print(@c); @z[7] = sum(0); @z[8] = sum(-5); @z[8] = sum(2) } \
         end { @c[0] = count(); @c[-1] = count(); @c[0] = count() }",
    ]);
    expect(ran.status == 0, "it failed", &ran)?;
    let wanted = ["2", "0", "@c[-1]: 1", "@c[0]: 1", "@c[1]: 2", "@c[-1]: 1", "@c[0]: 2", "@z[8]: -3", "@z[7]: 0"];
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(lines == wanted, "exact output", &ran)
}
