//! Tables of rows: the same figures as text, JSON and CSV, whatever the traced system calls its things.

use crate::support::{Ran, expect, lt, lt_path, on_kernel, run};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("tables::rows_of_dd", rows_of_dd),
        on_kernel("tables::all_types", all_types),
        on_kernel("tables::hostile_names", hostile_names),
        on_kernel("tables::other_statements", other_statements),
        on_kernel("tables::example", example),
        on_kernel("tables::shown_maps", shown_maps),
        on_kernel("tables::shown_without_a_table", shown_without_a_table),
        on_kernel("tables::rotated_files", rotated_files),
        on_kernel("tables::refreshed", refreshed),
        on_kernel("tables::every_update_is_in_one_snapshot", snapshots),
        on_kernel("tables::lost_rows_are_counted", lost_rows),
        on_kernel("tables::bad_sizes", bad_sizes),
        on_kernel("tables::terminals_obey_nothing", terminals),
    ]
}

/// Rows of `-f json`: their data.
fn json_rows(ran: &Ran) -> Result<Vec<serde_json::Value>, String> {
    let mut rows = Vec::new();
    for line in ran.stdout.lines() {
        let object: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        if object["type"] == "row" {
            rows.push(object["data"].clone());
        }
    }
    Ok(rows)
}

/// The records of `-f csv`, with the heading.
fn csv_rows(ran: &Ran) -> Result<Vec<Vec<String>>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(ran.stdout.as_bytes());
    let records = reader.records().map(|record| record.map(|record| record.iter().map(String::from).collect()));
    records.collect::<Result<_, _>>().map_err(|error| format!("{error}\n{}", ran.stdout))
}

/// Writes of dd: 7 of 1000 bytes and the rest.
const DD: &str = "/bin/dd if=/dev/zero of=/dev/null bs=1000 count=7 status=none";

const ROWS: &str = "table io { comm: string \"COMM\" width 5; fd: int \"FD\" width 3; size: bytes; ret: uint; part: percent.1?; }
tracepoint:syscalls:sys_exit_write /pid == cpid && args.ret == 1000/ { emit io(comm, ret = args.ret, size = 2048, fd = 1, part = 5) }
end { emit io(\"end\", 2, 3, 4) }";

fn rows_of_dd() -> Result<(), String> {
    let text = lt(["-q", "-e", ROWS, "-c", DD]);
    let mut wanted = vec!["COMM   FD      SIZE      RET    PART"];
    wanted.extend(["dd      1    2.0KiB     1000    5.0%"; 7]);
    wanted.push("end     2        3B        4       -");
    let lines: Vec<&str> = text.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(text.status == 0 && lines == wanted, &format!("{wanted:#?}"), &text)?;

    let json = lt(["-q", "-f", "json", "-e", ROWS, "-c", DD]);
    let row = serde_json::json!({"comm": "dd", "fd": 1, "size": 2048, "ret": 1000, "part": 5});
    let mut wanted = vec![row; 7];
    wanted.push(serde_json::json!({"comm": "end", "fd": 2, "size": 3, "ret": 4, "part": null}));
    expect(json.status == 0 && json_rows(&json)? == wanted, &format!("{wanted:?}"), &json)?;

    let csv = lt(["-q", "-f", "csv", "-e", ROWS, "-c", DD]);
    let mut wanted = vec![vec!["comm", "fd", "size", "ret", "part"]];
    wanted.extend(vec![vec!["dd", "1", "2048", "1000", "5"]; 7]);
    wanted.push(vec!["end", "2", "3", "4", ""]);
    expect(csv.status == 0 && csv_rows(&csv)? == wanted, &format!("{wanted:?}"), &csv)
}

const TYPES: &str = "table a { i: int; u: uint; x: hex; f: float.1; b: bool; s: string; p: path; c: clock; t: time(\"%s\");
 n: ns; m: ms.2; d: s.3; y: bytes; r: rate; q: percent.1; ip: ip; six: ip; port: port; dev: dev; call: syscall; e: errno; pid: enum pid_type; ks: kstack; us: ustack?; }
begin { emit a(-5, 7, 0xbeef, 3, true, \"x\\ny\", \"/tmp\", nsecs, nsecs, 1500000, 1500000, 1500000, 1536, 1200, 50,
 0x0100007f, pton(\"2001:db8::1\"), 443, 4000 << 20 | 7, ID, -2, 1, kstack) }";

fn all_types() -> Result<(), String> {
    let script = TYPES.replace("ID", &libc::SYS_openat.to_string());
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let before = now();
    let text = lt(["-q", "-e", &script]);
    let after = now();
    let line = text.stdout.lines().nth(1).unwrap_or_default().to_string();
    let cells: Vec<&str> = line.split_whitespace().collect();
    let second: u64 = cells.get(8).and_then(|cell| cell.parse().ok()).unwrap_or(0);
    expect((before..=after).contains(&second), "the time of day", &text)?;
    let shown: Vec<&str> = cells.iter().enumerate().filter(|(at, _)| !matches!(at, 7 | 8)).map(|row| *row.1).collect();
    let wanted = [
        "-5",
        "7",
        "0xbeef",
        "3.0",
        "true",
        "x\\x0ay",
        "/tmp",
        "1500000",
        "1.50",
        "0.002",
        "1.5KiB",
        "1.2k/s",
        "50.0%",
        "127.0.0.1",
        "2001:db8::1",
        "443",
        "4000:7",
        "openat",
        "ENOENT",
        "PIDTYPE_TGID",
    ];
    expect(text.status == 0 && shown == wanted, &format!("{wanted:?}, not {shown:?}"), &text)?;
    expect(
        text.stdout.lines().nth(2).is_some_and(|line| line.starts_with("        ")),
        "a stack below its row",
        &text,
    )?;

    let json = lt(["-q", "-f", "json", "-e", &script]);
    let rows = json_rows(&json)?;
    let [row] = rows.as_slice() else { return expect(false, "one row", &json) };
    let values = serde_json::json!({"i": -5, "u": 7, "x": 0xbeef, "f": 3, "b": true, "s": "x\ny", "p": "/tmp", "n": 1_500_000,
        "m": 1_500_000, "d": 1_500_000, "y": 1536, "r": 1200, "q": 50, "ip": "127.0.0.1", "six": "2001:db8::1", "port": 443,
        "dev": "4000:7", "call": "openat", "e": "ENOENT", "pid": "PIDTYPE_TGID", "us": null});
    let differ = values.as_object().into_iter().flatten().find(|(name, value)| row[name.as_str()] != **value);
    expect(differ.is_none(), &format!("{differ:?}"), &json)?;
    let time = row["c"].as_str().unwrap_or_default();
    expect(time.len() == 30 && time.ends_with('Z') && row["ks"].is_array(), "a time in UTC and frames", &json)?;

    same_in_csv(&script, &values)
}

fn same_in_csv(script: &str, values: &serde_json::Value) -> Result<(), String> {
    let csv = lt(["-q", "-f", "csv", "-e", script]);
    let rows = csv_rows(&csv)?;
    let same = rows.len() == 2
        && rows[0].iter().zip(&rows[1]).all(|(name, cell)| match &values[name.as_str()] {
            serde_json::Value::Null => cell.is_empty() || matches!(name.as_str(), "c" | "t" | "ks"),
            serde_json::Value::String(text) => *cell == text.replace('\n', "\\x0a"),
            other => other.to_string().eq(cell),
        });
    expect(same, "the same figures as in JSON", &csv)
}

/// Names that a process gives itself: what moves cursors, quotes, ends of lines, what is no UTF-8.
const NAMES: [&[u8]; 5] = [b"\x1b[2J\x1b[H", b"a,\"b\"\n\r{}", b"\xff\xfe\x80", b"\xc2\x9b31m\x7f", b"\\x1b'$(id)"];

fn hostile_names() -> Result<(), String> {
    let program = "table t { name: string; n: int; }
        tracepoint:syscalls:sys_enter_prctl /pid == cpid && args.option == 15/ { @on = 1 }
        tracepoint:syscalls:sys_enter_getppid /pid == cpid && @on/ { emit t(comm, 1) }";
    let python = NAMES.map(|name| {
        let bytes: String = name.iter().map(|byte| format!("\\\\x{byte:02x}")).collect();
        format!("libc.prctl(15, b\\\"{bytes}\\\", 0, 0, 0); os.getppid()")
    });
    let child = format!("python3 -c \"import ctypes, os; libc = ctypes.CDLL(None); {}\"", python.join("; "));
    let run = |form: &str| lt(["-q", "-f", form, "-e", program, "-c", &child]);
    let clean = |ran: &Ran| ran.stdout.chars().all(|c| !c.is_control() || c == '\n');

    let text = run("text");
    let rows = text.stdout.lines().filter(|line| line.ends_with(" 1") && !line.starts_with('@')).count();
    expect(text.status == 0 && rows == NAMES.len() && clean(&text), "a line for each name", &text)?;
    expect(text.stdout.contains("\\x1b[2J\\x1b[H"), "control characters are spelled out", &text)?;

    let json = run("json");
    let seen: Vec<_> =
        json_rows(&json)?.iter().map(|row| row["name"].as_str().unwrap_or_default().to_string()).collect();
    let wanted: Vec<_> = NAMES.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    expect(seen == wanted && clean(&json), &format!("{wanted:?}"), &json)?;

    let csv = run("csv");
    let rows = csv_rows(&csv)?;
    let lines = csv.stdout.lines().count();
    expect(rows.len() == NAMES.len() + 1 && lines == rows.len() && clean(&csv), "a line for each name", &csv)?;
    expect(rows.iter().any(|row| row[0] == "a,\"b\"\\x0a\\x0d{}"), "quotes and commas stay", &csv)
}

/// Standard output is CSV and nothing else; other statements are text on standard error. Requests keep their order in the
/// other forms.
fn other_statements() -> Result<(), String> {
    let program = "table t { n: int; } table u { s: string; }
        begin { printf(\"a\\n\"); emit t(1); print((1, 2)); emit t(2); emit u(\"x\"); emit t(3); @m[1] = 5; exit() }";
    let csv = lt(["-q", "-f", "csv", "-e", program]);
    expect(csv.stdout == "n\n1\n2\ns\nx\nn\n3\n", "rows, with a heading for each change of the table", &csv)?;
    expect(csv.stderr == "a\n(1, 2)\n@m[1]: 5\n", "everything else", &csv)?;
    let text = lt(["-q", "-e", program]);
    let lines: Vec<&str> = text.stdout.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let wanted = ["a", "N", "1", "(1, 2)", "2", "S", "x", "N", "3", "@m[1]: 5"];
    expect(text.status == 0 && lines == wanted, &format!("{wanted:?}"), &text)?;
    let empty =
        lt(["-q", "-f", "csv", "-e", "table t { a: int; b: string; } begin { if (pid == 0) { emit t(1, comm) } }"]);
    expect(empty.stdout == "a,b\n", "a heading without rows", &empty)?;
    let none = lt(["-q", "-f", "csv", "-e", "begin { print(1) }"]);
    expect(none.status == 2 && none.stderr.contains("declares no table"), "a script without a table", &none)
}

/// The reference script, on a command whose writes are known; one of them fails.
fn example() -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib-scripts/examples/rows.lt");
    let dd = "/bin/dd if=/dev/zero of=/dev/full bs=3000 count=2 status=none";
    let json = lt(["-q", "-f", "json", script, "-c", dd]);
    let failed = |row: &&serde_json::Value| row["asked"] == 3000 && row["error"] == "ENOSPC" && row["done"].is_null();
    let rows = json_rows(&json)?;
    expect(rows.iter().filter(failed).count() == 1, "one write that failed", &json)?;
    let dd = "/bin/dd if=/dev/zero of=/dev/null bs=3000 count=4 status=none";
    let text = lt(["-q", script, "-c", dd]);
    let heading = text.stdout.lines().next().unwrap_or_default();
    let titles: Vec<&str> = heading.split_whitespace().collect();
    expect(titles == ["TIME", "COMM", "TID", "ASKED", "WRITTEN", "LAT(us)", "ERROR"], "the heading", &text)?;
    let written = |line: &&str| line.contains(" dd ") && line.contains(" 2.9KiB    2.9KiB ") && line.ends_with(" -");
    expect(text.stdout.lines().filter(written).count() == 4, "four writes", &text)
}

/// Calls of dd by size, in the order of their number.
const SHOW: &str = "config = { print_maps_on_exit = false }
    table io { comm: string \"COMM\" width 4; size: int width 5; calls: uint; note: string?; }
    tracepoint:syscalls:sys_enter_write /comm == \"dd\" && (args.count == 1003 || args.count == 13 || args.count == 107)/
    { @[comm, args.count] = count() } end { show @ as io sort calls ORDER }";

/// Sizes and numbers of writes that nobody else makes.
fn shown_maps() -> Result<(), String> {
    let dd = |size: u32, count: u32| format!("/bin/dd if=/dev/zero of=/dev/null bs={size} count={count} status=none; ");
    let child = format!("/bin/sh -c '{}{}{}'", dd(1003, 7), dd(13, 3), dd(107, 5));
    let run = |form: &str, order: &str| lt(["-q", "-f", form, "-e", &SHOW.replace("ORDER", order), "-c", &child]);

    let text = run("text", "desc top 2");
    let lines: Vec<&str> = text.stdout.lines().filter(|line| !line.is_empty()).collect();
    let wanted = ["COMM  SIZE    CALLS NOTE", "dd    1003        7 -", "dd     107        5 -"];
    expect(text.status == 0 && lines == wanted, &format!("{wanted:#?}"), &text)?;
    let json = run("json", "desc");
    let row = |size: u32, calls: u32| serde_json::json!({"comm": "dd", "size": size, "calls": calls, "note": null});
    expect(json_rows(&json)? == [row(1003, 7), row(107, 5), row(13, 3)], "the same figures", &json)?;
    let csv = run("csv", "");
    let wanted =
        [["comm", "size", "calls", "note"], ["dd", "13", "3", ""], ["dd", "107", "5", ""], ["dd", "1003", "7", ""]];
    expect(csv_rows(&csv)? == wanted, &format!("{wanted:?}"), &csv)
}

/// A map without a table of the script's, one without keys, values that are records, orders by keys.
fn shown_without_a_table() -> Result<(), String> {
    let program = "config = { print_maps_on_exit = false } table t { b: int; k: string; a: string?; }
        begin { @[\"b\", 1] = sum(5); @[\"a\", 2] = sum(-7); @[\"c\", 3] = sum(6); @n = count(); @n = count(); @empty[1] = 1; delete(@empty[1]);
          @r[\"x\"] = (b = 3, k = \"y\"); show @ sort key1 desc; show @ top 1; show @ sort sum; show @n; show @empty; show @r; }";
    let json = lt(["-q", "-f", "json", "-e", program]);
    let row = |k: &str, n: i32, sum: i32| serde_json::json!({"key1": k, "key2": n, "sum": sum});
    let (a, b, c) = (row("a", 2, -7), row("b", 1, 5), row("c", 3, 6));
    let mut wanted = vec![c.clone(), b.clone(), a.clone(), c.clone(), a, b, c];
    wanted.push(serde_json::json!({"count": 2}));
    wanted.push(serde_json::json!({"key": "x", "b": 3, "k": "y"}));
    expect(json.status == 0 && json_rows(&json)? == wanted, &format!("{wanted:#?}"), &json)?;
    let text = lt(["-q", "-e", program]);
    let stacks = lt(["-q", "-e", "begin { @t[kstack(2), comm] = count(); show @t; clear(@t) }"]);
    let lines: Vec<&str> = stacks.stdout.lines().filter(|line| !line.is_empty()).collect();
    let below = lines.len() == 4 && lines[2..].iter().all(|line| line.starts_with("        "));
    expect(below && lines[1].split_whitespace().eq(["lt", "1"]), "a stack below its row", &stacks)?;
    let headings = text.stdout.lines().filter(|line| line.starts_with("KEY")).count();
    expect(headings == 4, "a heading for each map that is shown", &text)
}

/// Each file begins with a heading, no row is cut or lost, and all stand in their order.
fn rotated_files() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("rows.csv");
    let program = "table t { n: int; text: string; } begin { for ($i : 0..2000) { emit t($i, \"some, text\") } }";
    let args = ["-q", "-f", "csv", "--logsize", "2K", "--logbackup", "99", "-e", program, "-o"];
    let ran = lt(args.iter().map(std::ffi::OsStr::new).chain([path.as_os_str()]));
    expect(ran.status == 0 && ran.stdout.is_empty(), "a file", &ran)?;
    let mut rows = Vec::new();
    let (mut files, mut number) = (0, 99);
    loop {
        let name = if number == 0 { path.clone() } else { folder.path().join(format!("rows.csv.{number}")) };
        if let Ok(text) = std::fs::read_to_string(&name) {
            let mut lines = text.lines();
            let fits = text.len() <= 2048 && text.ends_with('\n') && lines.next() == Some("n,text");
            expect(fits, &format!("{} begins with a heading and has 2 KiB at most", name.display()), &ran)?;
            rows.extend(lines.map(String::from));
            files += 1;
        }
        if number == 0 {
            break;
        }
        number -= 1;
    }
    let wanted: Vec<String> = (0..2000).map(|at| format!("{at},\"some, text\"")).collect();
    expect(files > 10 && rows == wanted, &format!("all rows once, not {} in {files} files", rows.len()), &ran)
}

/// Snapshots that are shown and cleared while the traced program runs: their figures add up to what it did.
fn snapshots() -> Result<(), String> {
    let program = "config = { print_maps_on_exit = false } table t { size: int; calls: uint; }
        tracepoint:syscalls:sys_enter_write /comm == \"dd\" && args.count == 1009/ { @[args.count] = count() }
        interval:ms:20 { show @ as t; clear(@) } end { show @ as t }";
    let dd = "/bin/dd if=/dev/zero of=/dev/null bs=1009 count=300000 status=none";
    let ran = lt(["-q", "-f", "csv", "-e", program, "-c", dd]);
    let rows = csv_rows(&ran)?;
    let sum: u64 = rows.iter().skip(1).filter_map(|row| row[1].parse::<u64>().ok()).sum();
    let short = Ran { stdout: String::new(), ..ran };
    expect(
        short.status == 0 && rows.len() > 2 && sum == 300_000,
        &format!("300000 writes in {}, not {sum}", rows.len()),
        &short,
    )
}

/// More rows than the event ring holds: those that are shown and those that were lost make up all.
fn lost_rows() -> Result<(), String> {
    let program = "table t { n: int; } begin { for ($i : 0..100000) { emit t($i) } }";
    let ran = lt(["-q", "-f", "json", "-e", program]);
    let shown = json_rows(&ran)?.len();
    let lost = ran.stdout.lines().find(|line| line.contains("lost_events"));
    let lost: serde_json::Value = serde_json::from_str(lost.unwrap_or("{}")).map_err(|error| error.to_string())?;
    let lost = lost["data"]["events"].as_u64().unwrap_or(0);
    let short = Ran { stdout: String::new(), ..ran };
    let all = shown as u64 + lost;
    expect(lost > 0 && all == 100_000, &format!("{shown} rows and {lost} lost are {all}"), &short)
}

/// Names on a terminal, by all statements; over a pipe they are as they are.
fn terminals() -> Result<(), String> {
    let program =
        "begin { $s = \"\\x1b[2J\\xff\"; print($s); printf(\"%s|%c\\n\", $s, 27); @[$s] = 1; show @; print((1, $s)) }";
    let spawn = "import pty, sys; pty.spawn(sys.argv[1:])";
    for form in ["text", "json"] {
        let terminal = run(Command::new("python3").args(["-c", spawn, lt_path(), "-q", "-f", form, "-e", program]));
        let clean = terminal.stdout.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r'));
        expect(clean && terminal.stdout.contains("[2J"), "control characters are spelled out", &terminal)?;
    }
    let pipe = lt(["-q", "-e", program]);
    let raw = pipe.stdout.matches('\u{1b}').count();
    expect(pipe.status == 0 && raw == 5, "a pipe takes what bpftrace prints", &pipe)
}

/// Nothing runs, and the message names the option.
fn bad_sizes() -> Result<(), String> {
    for size in ["0", "10X", "-1", "1.5K", "99999999999G", ""] {
        let ran = lt(["-o", "/dev/null", &format!("--logsize={size}"), "-e", "begin { print(1) }"]);
        let told = ran.stderr.contains("--logsize") && ran.stdout.is_empty();
        expect(ran.status == 2 && told, &format!("{size:?} is refused"), &ran)?;
    }
    let alone = lt(["--logbackup", "3", "-e", "begin { }"]);
    expect(alone.status == 2 && alone.stderr.contains("--output"), "there is no file to rotate", &alone)?;
    let device = lt(["-o", "/dev/null", "--logsize", "1K", "-e", "begin { print(1) }"]);
    expect(device.status == 6 && device.stderr.contains("regular file"), "a device has no next file", &device)
}

/// On a terminal the second show takes the place of the first; over a pipe it does not.
fn refreshed() -> Result<(), String> {
    let program = "config = { print_maps_on_exit = false } begin { @ = count() } begin { show @ } begin { @ = count(); show @; show @ }";
    let spawn = "import pty, sys; pty.spawn(sys.argv[1:])";
    let terminal = run(Command::new("python3").args(["-c", spawn, lt_path(), "-q", "--refresh", "-e", program]));
    let cleared = terminal.stdout.matches("\u{1b}[H\u{1b}[J").count();
    expect(cleared == 2 && terminal.stdout.contains("COUNT"), "two actions clear the terminal", &terminal)?;
    let pipe = lt(["-q", "--refresh", "-e", program]);
    let wanted = ["COUNT", "1", "COUNT", "2", "COUNT", "2"];
    let lines: Vec<&str> = pipe.stdout.split_whitespace().collect();
    expect(lines == wanted, &format!("{wanted:?}"), &pipe)
}
