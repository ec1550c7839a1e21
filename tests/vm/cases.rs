//! The cases. Those of the harness itself come first.
//!
//! All cases of one kernel share one boot and run one after the other. Processes that a case leaves are killed, and
//! files that it writes are gone with the machine, but anything else (mounts, interfaces, loaded modules) it undoes
//! itself.

use super::jobs::Output;
use super::kernels;
use std::time::Duration;

/// On which kernels a case runs.
pub enum Kernels {
    /// On all of them.
    All,
    /// On this one (`"5.15"`) and later ones; reported as skipped on the others.
    Since(&'static str),
}

/// One thing to run in a guest and what must come of it.
pub struct Case {
    /// Last part of the trial's name.
    pub name: &'static str,
    /// Where it runs.
    pub kernels: Kernels,
    /// A line for `sh -c`; `$LT` is the `lt` under test.
    pub command: String,
    /// When it is killed; that fails the case.
    pub timeout: Duration,
    /// For a case that is meant to be killed.
    pub hangs: bool,
    /// Judges the output; the error says what is wrong with it, the output is shown beside.
    pub check: fn(&Output) -> Result<(), String>,
}

impl Case {
    /// A case for all kernels with a minute of time.
    pub fn new(name: &'static str, command: impl Into<String>, check: fn(&Output) -> Result<(), String>) -> Case {
        let (kernels, timeout) = (Kernels::All, Duration::from_secs(60));
        Case { name, kernels, command: command.into(), timeout, hangs: false, check }
    }

    /// The same case for kernels from `first` on.
    pub fn since(self, first: &'static str) -> Case {
        Case { kernels: Kernels::Since(first), ..self }
    }

    /// The same case with another deadline.
    pub fn timeout(self, timeout: Duration) -> Case {
        Case { timeout, ..self }
    }

    /// The same case, meant to be killed after `timeout`.
    pub fn hangs(self, timeout: Duration) -> Case {
        Case { timeout, hangs: true, ..self }
    }
}

/// All cases, in the order in which they run.
pub fn cases() -> Vec<Case> {
    harness()
        .into_iter()
        .chain(super::first_light::cases())
        .chain(super::cost::cases())
        .chain(super::maps::cases())
        .chain(super::flow::cases())
        .chain(super::tables::cases())
        .chain(super::probes::cases())
        .collect()
}

/// Tests of the harness itself.
fn harness() -> Vec<Case> {
    let second = Duration::from_secs(1);
    vec![
        Case::new("harness_kernel", "uname -r", kernel),
        Case::new("harness_streams", STREAMS, streams),
        Case::new("harness_killed_by_signal", "kill -TERM $$", |o| expect("status", 128 + 15, o.status)),
        Case::new("harness_hang", "echo before; sleep 1000 & exec sleep 1000", hang).hangs(5 * second),
        Case::new("harness_after_hang", "echo alive; pgrep -x sleep", after_hang),
        Case::new("harness_left_behind", "setsid sleep 1000 & echo started", left_behind).timeout(20 * second),
        Case::new("harness_mounts", "cat /proc/mounts; ls /sys/kernel/tracing/events", mounts),
        Case::new("harness_writable", WRITABLE, |o| o.success()),
        Case::new("harness_environment", "pwd; test -x \"$LT\"", environment),
        Case::new("harness_bpf", "cat /proc/sys/net/core/bpf_jit_enable; ulimit -l", bpf),
        Case::new("harness_module_btf", "ls -s /sys/kernel/btf/overlay", |o| o.success()).since("5.11"),
        Case::new("harness_modprobe", MODPROBE, |o| o.success()),
        Case::new("harness_ping", "ping -q -c 3 -i 0.2 127.0.0.1", |o| contains(o, " 3 received, 0% packet loss")),
    ]
}

/// One megabyte on standard output and text on standard error, interleaved, and a status of its own.
const STREAMS: &str = "echo first >&2; head -c 1048576 /dev/zero | tr '\\0' x; printf last >&2; exit 7";
/// The layers take writes; the host's own files refuse them, even when the guest mounts them anew.
const WRITABLE: &str = "set -e; for d in /tmp /var /etc /run /dev/shm .; do echo x > $d/lt-vm; rm $d/lt-vm; done
    if touch /usr/lt-vm; then exit 9; fi; mount -o remount,rw /
    if touch /usr/lt-vm; then rm /usr/lt-vm; exit 9; fi; mount -o remount,ro /";
/// Modules of the guest's own kernel, loaded by hand and by the kernel itself (when the device is opened).
const MODPROBE: &str = "set -e; modprobe dummy; grep -q ^dummy /proc/modules; rmmod dummy
    : < /dev/net/tun; grep -q ^tun /proc/modules; rmmod tun";

fn kernel(output: &Output) -> Result<(), String> {
    expect("release", output.release.as_str(), output.out().trim_end())?;
    expect("version", kernels::version(&output.kernel), kernels::version(&output.release))
}

fn streams(output: &Output) -> Result<(), String> {
    expect("status", 7, output.status)?;
    expect("bytes of stdout", 1 << 20, output.stdout.len())?;
    expect("stdout intact", true, output.stdout.iter().all(|b| *b == b'x'))?;
    expect("stderr", "first\nlast", &output.err())
}

fn hang(output: &Output) -> Result<(), String> {
    expect("timed out", true, output.timed_out)?;
    expect("status", 128 + 9, output.status)?;
    expect("stdout", "before\n", &output.out())
}

fn after_hang(output: &Output) -> Result<(), String> {
    // pgrep says 1 when there is no such process.
    expect("status", 1, output.status)?;
    expect("stdout", "alive\n", &output.out())
}

fn left_behind(output: &Output) -> Result<(), String> {
    output.success()?;
    expect("stdout", "started\n", &output.out())
}

fn mounts(output: &Output) -> Result<(), String> {
    output.success()?;
    for mount in [
        "/ virtiofs ro",
        "/sys/kernel/debug debugfs",
        "/sys/kernel/tracing tracefs",
        "/sys/fs/bpf bpf",
        "/sys/fs/cgroup cgroup2",
        "/dev/shm tmpfs",
        "/run tmpfs",
        "/tmp overlay",
    ] {
        contains(output, mount)?;
    }
    contains(output, "\nsyscalls\n")
}

fn environment(output: &Output) -> Result<(), String> {
    output.success()?;
    expect("working directory", env!("CARGO_MANIFEST_DIR"), output.out().trim_end())
}

fn bpf(output: &Output) -> Result<(), String> {
    expect("stdout", "1\nunlimited\n", &output.out())
}

/// Standard output holds `text`.
fn contains(output: &Output, text: &str) -> Result<(), String> {
    if output.out().contains(text) { Ok(()) } else { Err(format!("stdout lacks {text:?}")) }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, wanted: T, got: T) -> Result<(), String> {
    if wanted == got { Ok(()) } else { Err(format!("{what}: wanted {wanted:?}, got {got:?}")) }
}
