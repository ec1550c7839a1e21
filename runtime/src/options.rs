//! What the caller asks of a run, and what it learns at the end.

use std::path::PathBuf;

/// Form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people: what bpftrace prints.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// Rows of tables as comma-separated values; everything else goes to standard error, as text.
    Csv,
}

/// When the output file makes room for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Most bytes of a file; a record that is longer has a file of its own.
    pub size: u64,
    /// Older files that are kept: FILE.1 is the youngest. 0: the file is emptied.
    pub backups: u32,
}

/// When output is written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Whenever nothing more has come, and when the buffer is full.
    #[default]
    Idle,
    /// With each event.
    Event,
    /// When the buffer is full, and at the end.
    Full,
}

/// What of a script is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunMode {
    /// Its probes; benchmarks and tests are left out.
    #[default]
    Trace,
    /// Its benchmarks, with what is to run before and after.
    Bench,
    /// Its tests, with what is to run before and after.
    Test,
}

/// How to run a script.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Form of the output.
    pub format: OutputFormat,
    /// File that takes the output (created or emptied); standard output when `None`.
    pub output: Option<PathBuf>,
    /// How that file is rotated; it just grows when `None`.
    pub rotation: Option<Rotation>,
    /// Command to trace: started stopped, let go once all probes are attached; tracing ends with it.
    pub command: Option<String>,
    /// Process that tracing ends with; profile probes sample only it.
    pub pid: Option<i32>,
    /// Do not say how many probes were attached.
    pub quiet: bool,
    /// Keep libbpf's informational messages in the details of diagnostics too.
    pub verbose: bool,
    /// When output is written out.
    pub buffering: Buffering,
    /// Write the line `__BPFTRACE_NOTIFY_PROBES_ATTACHED` to standard output once all probes act.
    pub notify: bool,
    /// Write strings so that a terminal obeys none of their bytes.
    pub guard_terminal: bool,
    /// Each action that shows maps as tables clears the terminal first.
    pub refresh: bool,
    /// At the end, show neither the maps nor what leads up to them.
    pub no_summary: bool,
    /// Load and attach, run nothing, leave.
    pub dry_run: bool,
    /// What is run.
    pub mode: RunMode,
    /// Wait at the end until the kernel has removed all probes, however long its grace periods take.
    pub wait_detach: bool,
}

/// How the command of `-c` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildStatus {
    /// With this status.
    Exited(i32),
    /// Killed by this signal.
    Signaled(i32),
    /// It was still running when tracing ended, and was told to end.
    EndedByUs,
}

/// What a finished run leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Argument of the script's `exit()`; `None` when it did not call it.
    pub exit_code: Option<u8>,
    /// How the command of `-c` ended; `None` without one.
    pub child: Option<ChildStatus>,
    /// A test or benchmark failed.
    pub failed: bool,
    /// Events, map updates, stacks and so on that were lost, all together.
    pub lost: u64,
    /// Probes of which this kernel does not tell how many hits it missed.
    pub untold: Vec<String>,
    /// The signal that ended the run, if one did.
    pub signal: Option<i32>,
    /// Whoever read standard output went away before the end.
    pub reader_gone: bool,
}
