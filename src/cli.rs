//! The command line: what can be said, and what was said.

use clap::{ArgAction, Parser, ValueEnum};
use std::path::PathBuf;

/// A small tracing language for Linux.
#[derive(Debug, Parser)]
#[command(
    name = "lt",
    version,
    about = "Trace a live Linux system with one line",
    override_usage = "lt [OPTIONS] -e PROGRAM [ARGS]...\n       lt [OPTIONS] FILE [ARGS]...\n       lt [OPTIONS] -l [PATTERN]\n       lt check FILE...\n       lt doc [NAME]\n       lt explain [CODE]\n       lt kernel-profile FILE",
    after_help = "Examples:\n  lt -e 'kprobe:ip_rcv < @[cpu]=count() >'\n  lt -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)) }' -c 'ls /'\n  lt -l 'tracepoint:sched:*'\n\nExit status: 0 ended as asked, 1 the script does not compile, 2 wrong command line, 3 the machine refused or lacks\nsomething, 4 the command of -c could not be started, 5 data was lost (--strict), 6 failed while running."
)]
pub struct Cli {
    /// The program, instead of a file; repeat it to join several
    #[arg(short = 'e', value_name = "PROGRAM", action = ArgAction::Append)]
    pub execute: Vec<String>,

    /// Run COMMAND under tracing: started once the probes are attached, tracing ends with it
    #[arg(short = 'c', long = "cmd", value_name = "COMMAND")]
    pub command: Option<String>,

    /// Exit with the status of the command of -c
    #[arg(long)]
    pub child_status: bool,

    /// End when the process PID ends; profile probes sample only it
    #[arg(short = 'p', long = "pid", value_name = "PID", allow_negative_numbers = true)]
    pub pid: Option<i32>,

    /// List probes: those that match the pattern that follows, or all; with -v also their arguments
    #[arg(short = 'l', long)]
    pub list: bool,

    /// More messages: what is done, kernel logs
    #[arg(short = 'v', long)]
    pub verbose: bool,

    /// Fewer messages
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Write the output to FILE instead of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Form of the output
    #[arg(short = 'f', long = "format", value_name = "FORMAT", default_value = "text")]
    pub format: FormatName,

    /// Exit with status 5 when data was lost
    #[arg(long)]
    pub strict: bool,

    /// Load and attach, then leave
    #[arg(long)]
    pub dry_run: bool,

    /// Print a stage of the compilation instead of running
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,

    /// Compile for the kernel described in FILE (see `lt kernel-profile`) instead of the running one
    #[arg(long, value_name = "FILE")]
    pub kernel_profile: Option<PathBuf>,

    /// Take the kernel's types from FILE (a BTF file) instead of the running kernel
    #[arg(long, value_name = "FILE")]
    pub btf: Option<PathBuf>,

    /// Script file, or the name of a command or bundled script, and its arguments ($1, $2, ...)
    #[arg(value_name = "FILE", trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

/// Names of output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Stages that `--emit` can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The typed program.
    Hir,
    /// LLVM's form of it, optimized.
    Llvm,
    /// BPF instructions.
    Bpf,
    /// The object file itself.
    Elf,
    /// Object and manifest, as `lt load-artifacts` reads them.
    #[value(hide = true)]
    Artifact,
}
