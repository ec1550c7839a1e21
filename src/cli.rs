//! The command line: what can be said, and what was said.

use crate::invocation::Loaded;
use clap::{ArgAction, Parser, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// A small tracing language for Linux.
#[derive(Debug, Parser)]
#[command(
    name = "lt",
    version,
    help_template = "{about-section}\nUSAGE:\n       {usage}\n\n{all-args}{after-help}",
    about = "Trace a live Linux system with one line",
    override_usage = "lt [OPTIONS] -e PROGRAM [ARGS]... [-- ARGS...]\n       lt [OPTIONS] FILE [ARGS]... [-- ARGS...]\n       lt [OPTIONS] -l [PATTERN | FILE]\n       lt check FILE...\n       lt fmt [--write | --check] FILE...\n       lt probes FILE\n       lt [OPTIONS] NAME [ARGS]...\n       lt list\n       lt cat NAME\n       lt help NAME\n       lt completion SHELL [NAME]\n       lt man [NAME]\n       lt doc [NAME]\n       lt explain [CODE]\n       lt kernel-profile FILE",
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

    /// List probes: those that match the pattern that follows, those of a script, or all; with -v also their arguments
    #[arg(short = 'l', long)]
    pub list: bool,

    /// More messages: what is done, kernel logs
    #[arg(short = 'v', long)]
    pub verbose: bool,

    /// Fewer messages
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Warnings about memory that could not be read, and whatever else was lost; they are always given
    #[arg(short = 'k', long)]
    pub warnings: bool,

    /// No warnings at all
    #[arg(long)]
    pub no_warnings: bool,

    /// Write the output to FILE instead of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Begin a new output file before FILE has more than SIZE bytes (64K, 10M, 1G); FILE becomes FILE.1, that FILE.2, ...
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "output")]
    pub logsize: Option<u64>,

    /// Keep N older output files (3 with --logsize)
    #[arg(long, value_name = "N", requires = "output")]
    pub logbackup: Option<u32>,

    /// On a terminal, each `show` of a map takes the place of what was shown before
    #[arg(long)]
    pub refresh: bool,

    /// Form of the output
    #[arg(short = 'f', long = "format", value_name = "FORMAT", default_value = "text")]
    pub format: FormatName,

    /// When output is written: `line`, `none`: with each event; `full`: when the buffer is full; whenever lt waits without
    #[arg(short = 'B', value_name = "MODE")]
    pub buffering: Option<BufferingName>,

    /// Allow what changes the system: system(), signal(), override(), write_user()
    #[arg(long = "unsafe")]
    pub allow_unsafe: bool,

    /// A folder to look for headers in; the kernel's own types need none
    #[arg(short = 'I', value_name = "DIR", action = ArgAction::Append)]
    pub include_folders: Vec<PathBuf>,

    /// Accepted as `#include <FILE>` in a script is: the kernel's own types need no header
    #[arg(long = "include", value_name = "FILE", action = ArgAction::Append)]
    pub _includes: Vec<String>,

    /// Run the script's tests (test:NAME) in place of its probes; exit with status 1 when one fails
    #[arg(long, conflicts_with = "bench")]
    pub test: bool,

    /// Measure the script's benchmarks (bench:NAME) in place of running its probes
    #[arg(long)]
    pub bench: bool,

    /// Attach a kernel function's probe in another way when this kernel lacks what the script says
    #[arg(long)]
    pub fallback: bool,

    /// bpftrace's option: lt has the kernel count those who watch, in every process
    #[arg(long, hide = true)]
    pub usdt_file_activation: bool,

    /// What is run: the probes, or like --test or --bench
    #[arg(long, value_name = "MODE", hide = true)]
    pub mode: Option<ModeName>,

    /// Exit with status 5 when data was lost
    #[arg(long)]
    pub strict: bool,

    /// Load and attach, then leave
    #[arg(long)]
    pub dry_run: bool,

    /// With `lt fmt`: write each file back instead of printing it
    #[arg(long)]
    pub write: bool,

    /// With `lt fmt`: only tell whether the files are formatted, by the exit status
    #[arg(long)]
    pub check: bool,

    /// Print a stage of the compilation instead of running
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,

    /// Print a stage of the compilation, then run: ast, types, codegen, codegen-opt, dis; libbpf and verifier are -v
    #[arg(short = 'd', long = "debug", value_name = "STAGE", action = ArgAction::Append)]
    pub debug: Vec<DebugStage>,

    /// Write the object to FILE instead of running
    #[arg(long, value_name = "FILE")]
    pub emit_elf: Option<PathBuf>,

    /// Write LLVM's form of the script to FILE.optimized.ll instead of running
    #[arg(long, value_name = "FILE")]
    pub emit_llvm: Option<PathBuf>,

    /// Not offered: lt has no executables of scripts
    #[arg(long, value_name = "FILE", hide = true)]
    pub aot: Option<PathBuf>,

    /// Print what lt and this kernel can do
    #[arg(long)]
    pub info: bool,

    /// Compile for the kernel described in FILE (see `lt kernel-profile`) instead of the running one
    #[arg(long, value_name = "FILE")]
    pub kernel_profile: Option<PathBuf>,

    /// Take the kernel's types from FILE (a BTF file) instead of the running kernel
    #[arg(long, value_name = "FILE")]
    pub btf: Option<PathBuf>,

    /// Script file, or the name of a command or bundled script, and its arguments ($1, $2, ...); behind `--` also options
    /// of the script (--name=value)
    #[arg(value_name = "FILE", allow_negative_numbers = true)]
    pub rest: Vec<String>,

    /// What stands behind `--`.
    #[arg(skip)]
    pub after: Vec<String>,

    /// The script, where it was read to see what it declares.
    #[arg(skip)]
    pub loaded: Option<Loaded>,
}

/// Bytes: a number, perhaps with K, M or G (KiB and so on).
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default().to_ascii_lowercase();
    let units = ["", "k", "m", "g"];
    let plain = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = units.iter().position(|known| *known == plain);
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
    let bytes = number.zip(power).and_then(|(number, power)| number.checked_mul(1 << (10 * power)));
    bytes.ok_or_else(|| "a size is a number of bytes above 0, perhaps with K, M or G: 512K, 10M".into())
}

impl Cli {
    /// Reads a command line. What stands behind the first `--` belongs to the script.
    pub fn read(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let mut own: Vec<OsString> = arguments.collect();
        let cut = own.iter().position(|word| word == "--").unwrap_or(own.len());
        let after = own.split_off(cut);
        let mut cli = Cli::try_parse_from(own)?;
        cli.after = after.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Ok(cli)
    }
}

/// Names of ways to write output out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BufferingName {
    /// With each event.
    Line,
    /// When the buffer is full.
    Full,
    /// With each event.
    None,
}

/// Stages that `-d` knows, by the names that they have in bpftrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DebugStage {
    /// All of them.
    All,
    /// The typed program.
    Ast,
    /// The typed program.
    Types,
    /// LLVM's form of it, optimized.
    Codegen,
    /// LLVM's form of it, optimized.
    CodegenOpt,
    /// BPF instructions.
    Dis,
    /// What libbpf says.
    Libbpf,
    /// What the verifier says.
    Verifier,
}

/// Names that bpftrace has for what is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// Like --bench.
    Bench,
    /// Like --test.
    Test,
}

/// Names of output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Rows of tables as comma-separated values; what else is printed goes to standard error.
    Csv,
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

impl DebugStage {
    /// What is printed of the compilation.
    pub fn shown(self) -> &'static [Stage] {
        match self {
            DebugStage::All => &[Stage::Hir, Stage::Llvm, Stage::Bpf],
            DebugStage::Ast | DebugStage::Types => &[Stage::Hir],
            DebugStage::Codegen | DebugStage::CodegenOpt => &[Stage::Llvm],
            DebugStage::Dis => &[Stage::Bpf],
            DebugStage::Libbpf | DebugStage::Verifier => &[],
        }
    }

    /// Whether it is part of what -v shows.
    pub fn is_verbose(self) -> bool {
        matches!(self, DebugStage::All | DebugStage::Libbpf | DebugStage::Verifier)
    }
}
