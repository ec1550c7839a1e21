//! Running `lt` from tests: always with a deadline, output and status back, skips with a reason.

use libtest_mimic::{Completion, Failed, Trial};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; 128 + signal when killed by one.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Longest that a run of `lt` may take before it counts as hung.
const DEADLINE: Duration = Duration::from_secs(60);

/// The `lt` under test.
pub fn lt_path() -> &'static str {
    env!("CARGO_BIN_EXE_lt")
}

/// Runs `lt` with these arguments and without standard input.
pub fn lt<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    let mut command = Command::new(lt_path());
    command.args(args).env_remove("RUST_BACKTRACE");
    run(&mut command)
}

/// Runs a one-liner.
pub fn one_liner(program: &str) -> Ran {
    lt(["-e", program])
}

/// Runs a command to its end, or kills it at the deadline.
pub fn run(command: &mut Command) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    finish(child)
}

/// Waits for a child whose output is piped.
pub fn finish(mut child: Child) -> Ran {
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = wait(&mut child);
    Ran {
        status: status.map_or(-1, code),
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default()
            + if status.is_none() { "\n(killed: it did not end in time)" } else { "" },
    }
}

/// Waits until the deadline; `None` when it had to be killed.
pub fn wait(child: &mut Child) -> Option<ExitStatus> {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn collect(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A trial that loads programs into this kernel: skipped, with the reason, where that is not permitted.
/// One at a time: a script sees the whole machine, the commands of other tests included.
pub fn on_kernel(name: &str, test: fn() -> Result<(), String>) -> Trial {
    static KERNEL: Mutex<()> = Mutex::new(());
    Trial::ignorable_test(name, move || {
        if let Some(reason) = cannot_trace() {
            return Ok(Completion::ignored_with(reason));
        }
        let _alone = KERNEL.lock().unwrap_or_else(PoisonError::into_inner);
        test().map(|()| Completion::Completed).map_err(Failed::from)
    })
}

/// The files of a folder below `tests` with one of these endings, in order.
pub fn case_files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| endings.iter().any(|ending| path.extension().is_some_and(|found| found == *ending)))
        .collect();
    cases.sort();
    cases
}

/// Why programs cannot be loaded here; `None` when they can.
pub fn cannot_trace() -> Option<&'static str> {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return Some("needs root: loads programs into the kernel");
    }
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Some("needs a kernel with BTF");
    }
    None
}

/// Passes when `ok`, else fails with the whole run.
pub fn expect(ok: bool, what: &str, ran: &Ran) -> Result<(), String> {
    if ok {
        return Ok(());
    }
    Err(format!("{what}\nstatus {}\n--- stdout\n{}--- stderr\n{}", ran.status, ran.stdout, ran.stderr))
}

/// The number that a map line `@name: N` shows.
pub fn map_number(stdout: &str, map: &str) -> Option<i64> {
    let prefix = format!("{map}: ");
    stdout.lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok())
}

/// Name, start in ticks since boot, and parent of a process or thread: what is the same in every PID namespace, and the way
/// up. From the text of proc(5)'s stat.
pub fn stat(path: &str) -> Result<(String, String, u32), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let (name, rest) = text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).ok_or("stat has no name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let [_, parent, ..] = fields[..] else { return Err(format!("{path}: {text}")) };
    let start = fields.get(19).ok_or_else(|| format!("{path}: {text}"))?;
    Ok((name.into(), (*start).into(), parent.parse().map_err(|_| format!("{path}: {text}"))?))
}
