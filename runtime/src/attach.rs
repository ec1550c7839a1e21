//! From loaded programs to probes that fire.

mod places;

use crate::error::words;
use crate::kept::KeptMaps;
use crate::load::Loaded;
use crate::options::{Outcome, RunMode, RunOptions};
use crate::perf::{TimerTarget, online_cpus, open_breakpoint, open_counter, open_timer, open_tracepoint};
use crate::{log, session};
use libbpf_rs::{IterOpts, Link, ProgramMut, UprobeOpts};
use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, Severity};
use lt_lang::manifest::{Attach, Program, Refused};
use places::Missed;
use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;

/// A script whose programs are attached, and switched off.
pub struct Attached {
    pub(crate) loaded: Loaded,
    pub(crate) links: Vec<Link>,
    /// Iterators, with their programs' names.
    pub(crate) iterators: Vec<(String, Link)>,
    /// Places that refused.
    missed: usize,
    /// What to say about them.
    pub(crate) notices: Vec<Diagnostic>,
}

impl Attached {
    /// Number of probes: one for each attach point of the script, after expansion of wildcards.
    pub fn probe_count(&self) -> usize {
        let manifest = &self.loaded.manifest;
        let all: usize = manifest.programs.iter().map(|program| program.probes as usize).sum();
        (all + manifest.user.len()).saturating_sub(self.missed)
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
    has_anything_to_run(&loaded)?;
    loaded.state.set_stopped(true);
    let log = log::Capture::begin(loaded.options.verbose);
    let (mut links, mut iterators) = (Vec::with_capacity(loaded.manifest.programs.len()), Vec::new());
    let mut missed = Missed::default();
    for (target, program) in in_order(&loaded) {
        if loaded.options.mode != RunMode::Trace {
            continue;
        }
        if let Attach::Iterator { .. } = program.attach {
            let link = os(target.attach_iter_with_opts(IterOpts::None))
                .map_err(|error| refusal(program, &error).detail(log.take()))?;
            iterators.push((program.symbol.clone(), link));
            continue;
        }
        match attach_program(&target, program, &loaded.options, &mut links, &mut missed) {
            Ok(()) => {}
            Err(error) if program.refused == Refused::Error || is_everybodys(&error) => {
                return Err(refusal(program, &error).detail(log.take()));
            }
            Err(error) => missed.add(program, &program.probe, refusal(program, &error)),
        }
    }
    let (missed, notices) = missed.told();
    if links.is_empty() && missed > 0 && !loaded.manifest.attaches().any(Attach::is_driver) {
        let diagnostic = Diagnostic::error(Code::AttachFailed, "none of the script's probes can be attached");
        return Err(notices
            .into_iter()
            .next()
            .map_or(diagnostic, |first| Diagnostic { severity: Severity::Error, ..first }));
    }
    Ok(Attached { loaded, links, iterators, missed, notices })
}

/// The programs in the order in which they are attached, so that those of one place run in the script's order.
fn in_order(loaded: &Loaded) -> Vec<(ProgramMut<'_>, &Program)> {
    let programs: HashMap<&str, &Program> =
        loaded.manifest.programs.iter().map(|program| (program.symbol.as_str(), program)).collect();
    let found = loaded.object.progs_mut().filter_map(|target| {
        let program = *programs.get(target.name().to_str()?)?;
        Some((target, program))
    });
    let (last_first, mut all): (Vec<_>, Vec<_>) = found.partition(|(_, program)| program.attach.runs_last_first());
    all.extend(last_first.into_iter().rev());
    all
}

/// Tests and benchmarks are run only when they are asked for.
fn has_anything_to_run(loaded: &Loaded) -> Result<(), Diagnostic> {
    let programs = &loaded.manifest.programs;
    let is_test = |program: &Program| matches!(program.attach, Attach::Test { .. });
    let is_benchmark = |program: &Program| matches!(program.attach, Attach::Bench { .. });
    let (what, option) = match loaded.options.mode {
        RunMode::Trace if !loaded.manifest.user.is_empty() => return Ok(()),
        RunMode::Trace if !programs.iter().all(|program| is_test(program) || is_benchmark(program)) => return Ok(()),
        RunMode::Trace if programs.iter().any(is_test) => ("nothing but tests", "--test"),
        RunMode::Trace => ("nothing but benchmarks", "--bench"),
        RunMode::Test if !programs.iter().any(is_test) => ("no tests", "test:NAME"),
        RunMode::Bench if !programs.iter().any(is_benchmark) => ("no benchmarks", "bench:NAME"),
        RunMode::Test | RunMode::Bench => return Ok(()),
    };
    let diagnostic = Diagnostic::error(Code::Usage, format!("the script has {what}"));
    Err(match loaded.options.mode {
        RunMode::Trace => diagnostic.help(format!("run it with {option}")),
        _ => diagnostic.help(format!("they are written {option} {{ ... }}")),
    })
}

/// Whether it is no fault of the place: every other one would be refused as well.
fn is_everybodys(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES | libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

fn attach_program(
    target: &ProgramMut<'_>,
    program: &Program,
    options: &RunOptions,
    links: &mut Vec<Link>,
    missed: &mut Missed,
) -> io::Result<()> {
    match &program.attach {
        Attach::Begin
        | Attach::End
        | Attach::Interval { .. }
        | Attach::Signal { .. }
        | Attach::Bench { .. }
        | Attach::Test { .. }
        | Attach::Iterator { .. } => {}
        Attach::Tracepoint { id, .. } => links.push(attach_event(target, open_tracepoint(*id)?)?),
        Attach::RawTracepoint { name } => links.push(os(target.attach_raw_tracepoint(name))?),
        Attach::Kprobe { .. } => links.push(places::attach_kprobe(target, &program.attach)?),
        Attach::KprobeMulti { functions, ret } => {
            places::attach_kprobes(target, program, functions, *ret, links, missed)?;
        }
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
        Attach::UprobeMulti { places, ret } => {
            let pid = options.pid.unwrap_or(ALL_PROCESSES);
            places::attach_uprobes(target, program, places, (*ret, pid), links, missed)?;
        }
        Attach::Usdt { path, offsets, semaphore, .. } => {
            let pid = options.pid.unwrap_or(ALL_PROCESSES);
            for offset in offsets {
                let place = UprobeOpts { ref_ctr_offset: *semaphore as usize, ..UprobeOpts::default() };
                links.push(os(target.attach_uprobe_with_opts(pid, path, *offset as usize, place))?);
            }
        }
        Attach::Watchpoint { address, length, mode } => {
            let open = |on| open_breakpoint(*address, *length, *mode, on);
            match options.pid {
                None => attach_each(target, None, links, open)?,
                Some(pid) => threads(pid).into_iter().try_for_each(|thread| {
                    links.push(attach_event(target, open(TimerTarget::Process(thread))?)?);
                    io::Result::Ok(())
                })?,
            }
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

/// Threads of a process.
fn threads(pid: i32) -> Vec<i32> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let found: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    if found.is_empty() { vec![pid] } else { found }
}

/// Attaches to a perf event, which the link closes with itself.
pub(crate) fn attach_event(target: &ProgramMut<'_>, event: RawFd) -> io::Result<Link> {
    os(target.attach_perf_event(event)).inspect_err(|_| {
        // SAFETY: the event was opened by us, and the link that would own it was not made.
        unsafe { libc::close(event) };
    })
}

/// libbpf leaves the reason of a failure in errno.
pub(crate) fn os<T>(result: libbpf_rs::Result<T>) -> io::Result<T> {
    result.map_err(|_| io::Error::last_os_error())
}

fn refusal(program: &Program, error: &io::Error) -> Diagnostic {
    let message = format!("{} cannot be attached: {}", program.probe, words(error));
    let diagnostic = Diagnostic::error(Code::AttachFailed, message).at(program.span, "");
    let help = match (&program.attach, error.raw_os_error()) {
        (_, Some(libc::EMFILE | libc::ENFILE)) => "raise the limit of open files (ulimit -n), or narrow the wildcard",
        (_, Some(libc::EPERM | libc::EACCES)) => "run lt as root, or give it CAP_BPF and CAP_PERFMON",
        (
            Attach::Kprobe { offset: 1.., .. } | Attach::Kprobe { address: Some(_), .. },
            Some(libc::EINVAL | libc::EILSEQ),
        ) => "no probe can be set at this place: it may lie in the middle of an instruction",
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
        (Attach::Watchpoint { .. }, Some(libc::ENOSPC | libc::EBUSY)) => {
            "the processor has few registers for watchpoints, and all of them are taken"
        }
        (Attach::Watchpoint { .. }, Some(libc::ENOENT | libc::EOPNOTSUPP | libc::EINVAL)) => {
            "this machine's processor cannot watch that memory"
        }
        (Attach::Uprobe { .. } | Attach::Usdt { .. }, Some(libc::EINVAL | libc::EIO | libc::EOPNOTSUPP | 524)) => {
            "no probe can be set at this instruction: it lies in the middle of one, or in what the kernel cannot step over"
        }
        _ => "lt -v shows what the kernel and libbpf said",
    };
    diagnostic.help(help)
}
