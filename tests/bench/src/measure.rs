//! Runs one process and tells what it took: the kernel's account of that process alone, not of a shell around it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
pub struct Usage {
    /// From the start to the end, seconds.
    pub wall: f64,
    /// User and system time, seconds.
    pub cpu: f64,
    /// The largest resident set, KiB.
    pub rss: f64,
    /// Standard output.
    pub output: String,
}

/// Runs `command` to its end, which has to be exit status 0. What it prints has to fit into a pipe (64 KiB).
pub fn run(command: &mut Command) -> Result<Usage, String> {
    let shown = format!("{command:?}");
    let failed = |what: String| format!("{shown}: {what}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|e| failed(e.to_string()))?;
    let (status, usage) = wait(child.id()).map_err(|e| failed(e.to_string()))?;
    let wall = started.elapsed().as_secs_f64();
    let (mut output, mut complaints) = (Vec::new(), String::new());
    let read = child.stdout.take().map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut output));
    read.and_then(|_| child.stderr.take().map_or(Ok(0), |mut pipe| pipe.read_to_string(&mut complaints)))
        .map_err(|e| failed(e.to_string()))?;
    if status != 0 {
        return Err(failed(format!("wait status {status:#x}\n{}", complaints.trim_end())));
    }
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    Ok(Usage { wall, cpu, rss: usage.ru_maxrss as f64, output: String::from_utf8_lossy(&output).into_owned() })
}

/// Waits for a child; gives its wait status and what it used.
fn wait(pid: u32) -> std::io::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage holds integers only, for which zero is a value; both pointers are valid during the call. The child
    // is ours and nobody else waits for it: `Child` never does unless told to.
    let (reaped, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage), usage)
    };
    if reaped == pid as libc::pid_t { Ok((status, usage)) } else { Err(std::io::Error::last_os_error()) }
}

fn seconds(time: libc::timeval) -> f64 {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000).as_secs_f64()
}
