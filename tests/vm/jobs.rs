//! What runs in a guest and what comes back.

use super::guest;
use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A command for a guest, run as root with nothing on its standard input.
#[derive(Clone, Debug)]
pub struct Job {
    /// Program and arguments.
    pub arguments: Vec<String>,
    /// Variables beside the fixed ones (PATH, HOME, USER, LANG, TERM, LT).
    pub environment: Vec<(String, String)>,
    /// Working directory; the checkout unless told.
    pub directory: Option<PathBuf>,
    /// When the job and all that it started is killed. Processor-bound work is about 15 times slower than on the host.
    pub timeout: Duration,
}

impl Job {
    /// A line for `sh -c`, with a minute of time. `$LT` is the path of the `lt` under test.
    pub fn sh(line: impl Into<String>) -> Job {
        let arguments = vec!["/bin/sh".to_owned(), "-c".to_owned(), line.into()];
        Job { arguments, environment: Vec::new(), directory: None, timeout: Duration::from_secs(60) }
    }

    /// The same job with another deadline.
    pub fn timeout(mut self, timeout: Duration) -> Job {
        self.timeout = timeout;
        self
    }

    /// The job as the guest's agent reads it.
    pub(super) fn records(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("HOME", "/root".to_owned()),
            ("USER", "root".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "dumb".to_owned()),
            ("LT", guest::lt().to_string_lossy().into_owned()),
        ];
        let own = self.environment.iter().map(|(k, v)| (k.as_str(), v.clone()));
        let mut records: Vec<_> = fixed.into_iter().chain(own).map(|(k, v)| ("env", format!("{k}={v}"))).collect();
        records.extend(self.arguments.iter().map(|a| ("arg", a.clone())));
        let directory = self.directory.as_deref().unwrap_or(guest::checkout());
        records.push(("cwd", directory.to_string_lossy().into_owned()));
        records.push(("timeout_ms", self.timeout.as_millis().to_string()));
        records
    }
}

/// What a job left.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The kernel's name: `6.12`.
    pub kernel: String,
    /// The kernel's release, as the guest told it when it booted.
    pub release: String,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
    /// Exit status; 128 + signal when killed.
    pub status: i32,
    /// Whether it was killed because its time was up.
    pub timed_out: bool,
    /// From start to end, by the guest's clock.
    pub elapsed: Duration,
}

impl Output {
    /// Standard output as text.
    pub fn out(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// Standard error as text.
    pub fn err(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }

    /// An error unless the job ended by itself with status 0.
    pub fn success(&self) -> Result<(), String> {
        if self.status == 0 && !self.timed_out { Ok(()) } else { Err(format!("status {}", self.status)) }
    }

    /// Fills in the end of the job from the agent's last frame.
    pub(super) fn finish(&mut self, records: &[(String, String)]) {
        let number = |key: &str| records.iter().find(|(k, _)| k == key).and_then(|(_, v)| v.parse::<i64>().ok());
        self.status = number("status").unwrap_or(-1) as i32;
        self.timed_out = number("timed_out") == Some(1);
        self.elapsed = Duration::from_millis(number("elapsed_ms").unwrap_or(0) as u64);
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.timed_out { ", killed because its time was up" } else { "" };
        write!(f, "kernel {}, status {}{ended}, {:.2} s", self.release, self.status, self.elapsed.as_secs_f64())?;
        for (name, text) in [("stdout", self.out()), ("stderr", self.err())] {
            const SHOWN: usize = 4000;
            let shown = text.char_indices().rev().nth(SHOWN).map_or(&text[..], |(start, _)| &text[start..]);
            let cut = if shown.len() < text.len() { ", its end" } else { "" };
            write!(f, "\n--- {name} ({} bytes{cut}) ---\n{}", text.len(), shown.trim_end())?;
        }
        Ok(())
    }
}

/// Why a job has no output: neither is a failure of what the job tests.
#[derive(Clone, Debug)]
pub enum VmError {
    /// This host lacks something.
    Missing(String),
    /// The machine did not boot, or was lost while the job ran.
    Broken(String),
}

impl fmt::Display for VmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VmError::Missing(what) => write!(f, "cannot run virtual machines: {what}"),
            VmError::Broken(what) => {
                write!(f, "the virtual machine failed (this is not the test's own verdict): {what}")
            }
        }
    }
}
