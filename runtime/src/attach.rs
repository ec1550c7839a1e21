//! From loaded programs to probes that fire.

use crate::error::words;
use crate::kept::KeptMaps;
use crate::load::Loaded;
use crate::options::{Outcome, RunOptions};
use crate::perf::{TimerTarget, online_cpus, open_counter, open_timer, open_tracepoint};
use crate::{log, session};
use libbpf_rs::{Link, ProgramMut, UprobeOpts};
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Attach, Program};
use std::io;
use std::os::fd::RawFd;

/// A script whose programs are attached, and switched off.
pub struct Attached {
    pub(crate) loaded: Loaded,
    pub(crate) links: Vec<Link>,
}

impl Attached {
    /// Number of probes: one for each attach point of the script.
    pub fn probe_count(&self) -> usize {
        self.loaded.manifest.programs.len()
    }

    /// Runs the script: begin actions to their end, then everything else at once until something ends the session,
    /// then end actions and the final maps. `warn` is told of what was lost. When this returns all output is written
    /// and no program acts any more.
    ///
    /// Errors: the output cannot be written, the command of `-c` could not be started, a descriptor failed.
    pub fn run(self, warn: &dyn Fn(Diagnostic)) -> Result<Outcome, Diagnostic> {
        session::run(self, warn, None)
    }

    /// The same, with maps that begin as the runs before have left them, and are kept for later ones. The script was
    /// loaded with the same maps.
    pub fn run_with(self, warn: &dyn Fn(Diagnostic), kept: &mut KeptMaps) -> Result<Outcome, Diagnostic> {
        session::run(self, warn, Some(kept))
    }
}

/// Attaches all programs, switched off by the stop word.
pub(crate) fn attach(loaded: Loaded) -> Result<Attached, Diagnostic> {
    loaded.state.set_stopped(true);
    let log = log::Capture::begin(loaded.options.verbose);
    let mut links = Vec::with_capacity(loaded.manifest.programs.len());
    for target in loaded.object.progs_mut() {
        let Some(program) = loaded.manifest.programs.iter().find(|program| target.name() == program.symbol.as_str())
        else {
            continue;
        };
        attach_program(&target, program, &loaded.options, &mut links)
            .map_err(|error| refusal(program, &error).detail(log.take()))?;
    }
    Ok(Attached { loaded, links })
}

fn attach_program(
    target: &ProgramMut<'_>,
    program: &Program,
    options: &RunOptions,
    links: &mut Vec<Link>,
) -> io::Result<()> {
    match &program.attach {
        Attach::Begin | Attach::End | Attach::Interval { .. } => {}
        Attach::Tracepoint { id, .. } => links.push(attach_event(target, open_tracepoint(*id)?)?),
        Attach::RawTracepoint { name } => links.push(os(target.attach_raw_tracepoint(name))?),
        Attach::Kprobe { function, ret } => links.push(os(target.attach_kprobe(*ret, function))?),
        Attach::Fentry { .. } => links.push(os(target.attach())?),
        Attach::Profile { rate } => attach_each(target, options.pid, links, |on| open_timer(*rate, on))?,
        Attach::PerfEvent { hardware, config, count } => {
            attach_each(target, options.pid, links, |on| open_counter(*hardware, *config, *count, on))?;
        }
        Attach::Uprobe { path, offset, ret, .. } => {
            let place = UprobeOpts { retprobe: *ret, ..UprobeOpts::default() };
            let pid = options.pid.unwrap_or(ALL_PROCESSES);
            links.push(os(target.attach_uprobe_with_opts(pid, path, *offset as usize, place))?);
        }
    }
    Ok(())
}

/// What libbpf takes for a process when it means each.
const ALL_PROCESSES: i32 = -1;

/// A perf event for the process of `-p`, or one on each CPU.
fn attach_each(
    target: &ProgramMut<'_>,
    pid: Option<i32>,
    links: &mut Vec<Link>,
    open: impl Fn(TimerTarget) -> io::Result<RawFd>,
) -> io::Result<()> {
    let targets = match pid {
        Some(pid) => vec![TimerTarget::Process(pid)],
        None => online_cpus().into_iter().map(TimerTarget::Cpu).collect(),
    };
    for on in targets {
        links.push(attach_event(target, open(on)?)?);
    }
    Ok(())
}

/// Attaches to a perf event, which the link closes with itself.
fn attach_event(target: &ProgramMut<'_>, event: RawFd) -> io::Result<Link> {
    os(target.attach_perf_event(event)).inspect_err(|_| {
        // SAFETY: the event was opened by us, and the link that would own it was not made.
        unsafe { libc::close(event) };
    })
}

/// libbpf leaves the reason of a failure in errno.
fn os<T>(result: libbpf_rs::Result<T>) -> io::Result<T> {
    result.map_err(|_| io::Error::last_os_error())
}

fn refusal(program: &Program, error: &io::Error) -> Diagnostic {
    let message = format!("{} cannot be attached: {}", program.probe, words(error));
    let diagnostic = Diagnostic::error(Code::AttachFailed, message).at(program.span, "");
    let help = match (&program.attach, error.raw_os_error()) {
        (_, Some(libc::EMFILE | libc::ENFILE)) => "raise the limit of open files (ulimit -n), or narrow the wildcard",
        (_, Some(libc::EPERM | libc::EACCES)) => "run lt as root, or give it CAP_BPF and CAP_PERFMON",
        (Attach::Kprobe { .. }, Some(libc::EINVAL | libc::EADDRNOTAVAIL | libc::ENOENT)) => {
            "some functions cannot be probed (inlined, or marked notrace): try a function that calls it or that it calls"
        }
        (Attach::Tracepoint { .. }, Some(libc::ENOENT | libc::EINVAL)) => {
            "the tracepoint may have gone with its module: lt -l 'tracepoint:*' lists those that are here"
        }
        (Attach::Profile { .. }, Some(libc::EINVAL)) => {
            "the rate may be above kernel.perf_event_max_sample_rate (sysctl)"
        }
        (Attach::PerfEvent { hardware: true, .. }, Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV)) => {
            "this machine's processor does not count that event (virtual machines often count none): software: and \
             profile: probes work without it"
        }
        (Attach::RawTracepoint { .. }, Some(libc::ENOENT)) => "`lt -l 'rawtracepoint:*'` lists those that are here",
        (Attach::RawTracepoint { .. }, Some(libc::EINVAL)) => {
            "the tracepoint has fewer arguments than the action reads: without BTF lt cannot count them"
        }
        (Attach::Uprobe { .. }, Some(libc::EINVAL | libc::EIO | libc::EOPNOTSUPP | 524)) => {
            "no probe can be set at this instruction: it lies in the middle of one, or in what the kernel cannot step over"
        }
        _ => "lt -v shows what the kernel and libbpf said",
    };
    diagnostic.help(help)
}
