//! A run from the first begin action to the last map: one event loop, which sleeps until something happens.
//!
//! All probes are attached before the begin actions run, but switched off by the stop word: programs return at entry. So
//! begin actions are over before any probe acts, and then all of them act from the same moment on.

use crate::attach::Attached;
use crate::cuts::Cuts;
use crate::detach::detach;
use crate::error::RunError;
use crate::events::Requests;
use crate::grace;
use crate::kept::KeptMaps;
use crate::load::Loaded;
use crate::loss::{Loss, losses, total};
use crate::map_reader::MapReader;
use crate::missed::Missed;
use crate::options::{ChildStatus, Outcome, OutputFormat, RunMode};
use crate::output::{Sink, guard, output};
use crate::poller::{Poller, Source, Timer, since_boot};
use crate::processes::Processes;
use crate::ring::Ring;
use crate::shapes::Shapes;
use crate::signals::{OwnSignals, Signals};
use crate::symbolize::Symbolizer;
use crate::table::Table;
use crate::times::{Times, tai_offset};
use crate::user::{self, Counts, Functions, Script};
use libbpf_rs::{Link, MapCore, Object};
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Attach, Manifest, Map, MapId, MapRole, Program, state};
use std::collections::HashMap;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// Records that are carried out before signals and timers are looked at again.
const BATCH: usize = 4096;
/// Records after which their space is given back.
const PUBLISH_EVERY: usize = 256;
/// Objects that an iterator's program sees between two looks at the events.
const OBJECTS_AT_ONCE: usize = 64;
/// How often the last records are asked for while their writers are at them.
const PATIENCE: usize = 10_000;

/// Runs an attached script to its end; see [`Attached::run`].
pub fn run(attached: Attached, warn: &dyn Fn(Diagnostic), kept: Option<&mut KeptMaps>) -> Result<Outcome, Diagnostic> {
    let probes = attached.probe_count();
    let Attached { mut loaded, links, iterators, notices, .. } = attached;
    notices.into_iter().for_each(warn);
    if loaded.options.dry_run {
        detach(links, true);
        return Ok(Outcome::default());
    }
    let mut outcome = Outcome::default();
    let result = run_session(&mut loaded, (probes, &links, &iterators), &mut outcome, warn, kept);
    drop(iterators);
    loaded.state.set_stopped(true);
    // while the probes go, the command is told to end if it still runs
    drop(loaded.command.take());
    detach(links, loaded.options.wait_detach);
    match result {
        Ok(()) => {}
        Err(RunError::ReaderGone) => outcome.reader_gone = true,
        Err(error) => return Err(error.into()),
    }
    Ok(outcome)
}

fn run_session(
    loaded: &mut Loaded,
    (probes, links, iterators): (usize, &[Link], &[(String, Link)]),
    outcome: &mut Outcome,
    warn: &dyn Fn(Diagnostic),
    kept: Option<&mut KeptMaps>,
) -> Result<(), RunError> {
    let mut command = loaded.command.take();
    let mut session = Session { links, ..Session::new(loaded, warn, kept.as_deref())? };
    if let Some(kept) = &kept {
        kept.restore(&loaded.manifest, session.requests.readers(), warn)?;
    }
    let result = match session.loaded.options.mode {
        RunMode::Trace => session.run(command.as_mut(), probes, iterators),
        RunMode::Bench | RunMode::Test => session.run_trials(),
    };
    outcome.failed = session.failed;
    outcome.child = command.as_mut().map(crate::actors::Command::finish);
    outcome.signal = Signals::came();
    let result = result.and_then(|()| session.finish());
    if let Some(kept) = kept {
        session.keep(kept)?;
    }
    outcome.exit_code = loaded.state.exit_code();
    let losses = session.losses();
    outcome.lost = total(&losses);
    outcome.untold = session.missed.untold();
    losses.iter().map(Loss::warning).for_each(warn);
    result
}

pub(crate) struct Session<'l> {
    pub(crate) loaded: &'l Loaded,
    /// Takes what the user is to be told.
    warn: &'l dyn Fn(Diagnostic),
    poller: Poller,
    ring: Option<Ring>,
    pub(crate) requests: Requests<'l>,
    /// Programs by symbol.
    programs: HashMap<String, RawFd>,
    timers: Vec<(Timer, Driver)>,
    functions: Functions,
    /// What actions in user space lost.
    counts: Vec<Counts>,
    own_signals: Option<OwnSignals>,
    /// A test or benchmark failed.
    pub(crate) failed: bool,
    links: &'l [Link],
    /// What the kernel counts.
    missed: Missed<'l>,
}

impl<'l> Session<'l> {
    fn new(loaded: &'l Loaded, warn: &'l dyn Fn(Diagnostic), kept: Option<&KeptMaps>) -> Result<Session<'l>, RunError> {
        let (object, manifest) = (&loaded.object, &loaded.manifest);
        let fds = map_descriptors(object, manifest)?;
        let cpus = libbpf_rs::num_possible_cpus().unwrap_or(1);
        let reader = |map, fd, page| Ok(MapReader::new(map, fd, cpus, Table::of(object, map, page)?));
        let first = |(map, fd): (_, &RawFd)| reader(map, *fd, 0);
        let readers = manifest.maps.iter().zip(&fds).map(first).collect::<Result<_, RunError>>()?;
        let mut cuts = Cuts::new(&loaded.state);
        for (at, (map, fd)) in manifest.maps.iter().zip(&fds).enumerate() {
            if let Some(second) = map.second.and_then(|second| fds.get(second.0 as usize)) {
                cuts.add(MapId(at as u32), reader(map, *fd, 0)?, reader(map, *second, 1)?);
            }
        }
        let stacks = find_map(manifest, &fds, MapRole::Stacks);
        let sink = Sink::open(loaded.options.output.as_deref(), loaded.options.buffering, loaded.options.rotation)?;
        guard(loaded.options.guard_terminal);
        let output = output(loaded.options.format);
        let mut symbolizer = Symbolizer::new(stacks.map(|(_, fd)| fd));
        if find_map(manifest, &fds, MapRole::Processes).is_some() {
            symbolizer = symbolizer.with_processes(Processes::watch(), manifest.debug_info);
        }
        let formats = kept.map_or_else(|| manifest.time_formats.clone(), |kept| kept.all_formats(manifest));
        symbolizer.times = Times::new(formats);
        symbolizer.shapes = Shapes::new(&manifest.shapes);
        symbolizer.numbers.filters.clone_from(&manifest.group_filters);
        symbolizer.cut = (manifest.cut_size, manifest.cut_mark.clone().into_bytes());
        let mut requests = Requests::new(manifest, readers, cuts, symbolizer, output, sink);
        requests.refresh = loaded.options.refresh;
        requests.begin()?;
        let ring = find_map(manifest, &fds, MapRole::Events)
            .map(|(map, fd)| {
                // SAFETY: the object keeps the descriptor open for longer than the ring lives.
                Ring::map(unsafe { BorrowedFd::borrow_raw(fd) }, map.max_entries)
            })
            .transpose()?;
        let poller = Poller::new()?;
        if let Some(ring) = &ring {
            poller.add(ring.fd(), Source::Events)?;
        }
        if let Some((_, fd)) = find_map(manifest, &fds, MapRole::Wakeup) {
            poller.add(fd, Source::Wakeup)?;
        }
        Ok(Session {
            loaded,
            warn,
            poller,
            ring,
            requests,
            programs: program_descriptors(object),
            timers: Vec::new(),
            functions: Functions::default(),
            counts: vec![Counts::default(); manifest.user.len()],
            own_signals: None,
            failed: false,
            links: &[],
            missed: Missed::default(),
        })
    }

    /// Begin actions, then everything until the end of the session.
    fn run(
        &mut self,
        command: Option<&mut crate::actors::Command>,
        probes: usize,
        iterators: &[(String, Link)],
    ) -> Result<(), RunError> {
        let signals = Signals::watch()?;
        self.own_signals = OwnSignals::watch(&self.signals_of_script())?;
        self.announce(probes);
        self.functions.start = since_boot();
        self.loaded.state.set_start(self.functions.start);
        self.loaded.state.set_word(state::TAI_OFFSET, tai_offset());
        self.loaded
            .state
            .set_word(state::COMMAND_PID, command.as_deref().map_or(0, |command| u64::from(command.pid())));
        self.run_drivers(&Attach::Begin)?;
        if self.has_exited() || !self.has_work() {
            self.notify();
            return Ok(());
        }
        self.watch(&signals, command.as_deref())?;
        self.requests.cuts.activate();
        let manifest = &self.loaded.manifest;
        let fds = manifest.programs.iter().map(|program| self.program(program)).collect::<Result<_, _>>()?;
        self.missed = Missed::begin(manifest, fds, self.links);
        self.loaded.state.set_stopped(false);
        self.notify();
        if let Some(command) = command {
            command.go()?;
        }
        iterators.iter().try_for_each(|(_, link)| self.iterate(link))?;
        if self.has_exited() || !self.has_events() {
            return Ok(());
        }
        self.event_loop()
    }

    /// Signals that probes of the script name.
    fn signals_of_script(&self) -> Vec<i32> {
        let numbers = self.loaded.manifest.attaches().filter_map(|attach| match attach {
            Attach::Signal { number } => Some(*number),
            _ => None,
        });
        numbers.collect()
    }

    /// Lets an iterator's program run for each of its objects. It makes a byte of output for each, so that every read
    /// runs through so many only, and what the program sends is carried out in between.
    fn iterate(&mut self, link: &Link) -> Result<(), RunError> {
        let failed = |source| RunError::System { what: "an iterator cannot be run".into(), source };
        let mut iterator = libbpf_rs::Iter::new(link).map_err(|_| failed(std::io::Error::last_os_error()))?;
        let mut bytes = [0; OBJECTS_AT_ONCE];
        loop {
            match std::io::Read::read(&mut iterator, &mut bytes) {
                Ok(0) => return self.drain_all(),
                Ok(_) => self.drain_all()?,
                Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => self.drain_all()?,
                Err(error) => return Err(failed(error)),
            }
            if self.has_exited() {
                return Ok(());
            }
        }
    }

    fn announce(&mut self, probes: usize) {
        if self.loaded.options.quiet {
            return;
        }
        if self.loaded.options.format == OutputFormat::Json {
            self.requests.announce(probes);
        } else {
            let plural = if probes == 1 { "" } else { "s" };
            // nobody is left to tell when standard error is gone
            let _ = writeln!(std::io::stderr(), "Attached {probes} probe{plural}");
        }
    }

    /// Tells test suites of bpftrace that all probes act.
    fn notify(&self) {
        if self.loaded.options.notify {
            // whoever waits for it reads; nobody else is to be told
            let _ = std::io::stdout().write_all(b"__BPFTRACE_NOTIFY_PROBES_ATTACHED\n");
            let _ = std::io::stdout().flush();
        }
    }

    /// Whether anything can happen after the begin actions.
    fn has_work(&self) -> bool {
        let mut programs = self.loaded.manifest.programs.iter();
        programs.any(|program| matches!(program.attach, Attach::Iterator { .. })) || self.has_events()
    }

    /// Whether anything can happen that has to be waited for.
    fn has_events(&self) -> bool {
        let idle = |attach: &Attach| {
            let trial = matches!(attach, Attach::Bench { .. } | Attach::Test { .. });
            trial || matches!(attach, Attach::Begin | Attach::End | Attach::Iterator { .. })
        };
        self.loaded.manifest.attaches().any(|attach| !idle(attach))
            || self.loaded.options.command.is_some()
            || self.loaded.process.is_some()
    }

    fn watch(&mut self, signals: &Signals, command: Option<&crate::actors::Command>) -> Result<(), RunError> {
        self.poller.add(signals.fd(), Source::Signal)?;
        if let Some(own) = &self.own_signals {
            self.poller.add(own.fd(), Source::Own)?;
        }
        self.poller.add_hangup(self.requests.sink.as_fd().as_raw_fd(), Source::Reader);
        if let Some(command) = command {
            self.poller.add(command.fd(), Source::Child)?;
        }
        if let Some(process) = &self.loaded.process {
            self.poller.add(process.as_raw_fd(), Source::Process)?;
        }
        for descriptor in self.requests.symbolizer.descriptors() {
            self.poller.add(descriptor, Source::Sideband)?;
        }
        let drivers = self.drivers(&|attach| matches!(attach, Attach::Interval { .. }));
        for (driver, attach) in drivers {
            if let Attach::Interval { period_ns } = attach {
                let timer = Timer::every(Duration::from_nanos(*period_ns))?;
                self.poller.add(timer.fd(), Source::Timer(self.timers.len() as u32))?;
                self.timers.push((timer, driver));
            }
        }
        Ok(())
    }

    fn event_loop(&mut self) -> Result<(), RunError> {
        loop {
            let more = self.drain(BATCH)?;
            if self.has_exited() {
                return Ok(());
            }
            if !more {
                self.requests.sink.idle()?;
            }
            for source in self.poller.wait(more)? {
                match source {
                    Source::Events | Source::Wakeup => {}
                    Source::Signal | Source::Child | Source::Process => return Ok(()),
                    Source::Reader => return Err(RunError::ReaderGone),
                    Source::Own => self.run_signals()?,
                    Source::Sideband => self.requests.symbolizer.catch_up(),
                    Source::Timer(at) => self.run_timer(at as usize)?,
                }
                if self.has_exited() {
                    return Ok(());
                }
            }
        }
    }

    /// Runs the probes of the signals that came.
    fn run_signals(&mut self) -> Result<(), RunError> {
        let taken = self.own_signals.as_ref().map(OwnSignals::take).unwrap_or_default();
        self.drain_all()?;
        taken.into_iter().try_for_each(|number| self.run_drivers(&Attach::Signal { number }))
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.loaded.state.exit_code().is_some()
    }

    fn run_timer(&mut self, at: usize) -> Result<(), RunError> {
        let Some((timer, driver)) = self.timers.get(at) else { return Ok(()) };
        let driver = *driver;
        if !timer.take() {
            return Ok(());
        }
        // what came before the action is carried out before its requests
        self.drain_all()?;
        self.run_driver(driver)
    }

    /// Programs and actions in user space that lt runs when this is so, in source order.
    fn drivers(&self, wanted: &dyn Fn(&Attach) -> bool) -> Vec<(Driver, &'l Attach)> {
        let manifest = &self.loaded.manifest;
        let programs = manifest.programs.iter().enumerate();
        let programs = programs.map(|(at, program)| (at as u32 + 1, Driver::Program(at), &program.attach));
        let actions = manifest.user.iter().enumerate();
        let actions = actions.map(|(at, action)| (action.before, Driver::Action(at), &action.attach));
        let mut found: Vec<_> = programs.chain(actions).filter(|(.., attach)| wanted(attach)).collect();
        // an action has the number of the program that it follows
        found.sort_by_key(|(place, ..)| *place);
        found.into_iter().map(|(_, driver, attach)| (driver, attach)).collect()
    }

    /// Runs all drivers of this kind, in source order, until one calls `exit()`.
    pub(crate) fn run_drivers(&mut self, kind: &Attach) -> Result<(), RunError> {
        for (driver, _) in self.drivers(&|attach| attach == kind) {
            self.run_driver(driver)?;
            if *kind != Attach::End && self.has_exited() {
                break;
            }
        }
        Ok(())
    }

    /// Runs a driver once, and carries out all it requested.
    fn run_driver(&mut self, driver: Driver) -> Result<(), RunError> {
        self.requests.cuts.begin_action();
        self.requests.refreshed = None;
        let manifest = &self.loaded.manifest;
        match driver {
            Driver::Program(at) => {
                if let Some(program) = manifest.programs.get(at) {
                    self.run_program(program)?;
                }
                self.drain_all()
            }
            Driver::Action(at) => {
                let (Some(action), Some(counts)) = (manifest.user.get(at), self.counts.get_mut(at)) else {
                    return Ok(());
                };
                let mut script = Script::new(&mut self.requests, &self.loaded.state, &mut self.functions, self.warn);
                user::run(action, &mut script, counts)
            }
        }
    }

    /// Runs a driver program once.
    pub(crate) fn run_program(&self, program: &Program) -> Result<(), RunError> {
        let fd = self.program(program)?;
        test_run(fd).map_err(|source| RunError::System { what: format!("{} cannot be run", program.probe), source })
    }

    /// A program's descriptor.
    pub(crate) fn program(&self, program: &Program) -> Result<RawFd, RunError> {
        let fd = self.programs.get(&program.symbol).copied();
        fd.ok_or_else(|| RunError::Inconsistent(format!("program {} was not loaded", program.symbol)))
    }

    /// Carries out at most `limit` records. Says whether there are more.
    fn drain(&mut self, limit: usize) -> Result<bool, RunError> {
        let Some(ring) = &mut self.ring else { return Ok(false) };
        let mut left = limit;
        self.requests.cuts.ring_end = ring.end();
        loop {
            let mut batch = PUBLISH_EVERY.min(left);
            while batch > 0 {
                let Some((record, position)) = ring.next() else { break };
                self.requests.carry_out(record, position)?;
                if !self.requests.messages.is_empty() {
                    // what was printed before the message stands before it
                    self.requests.sink.flush()?;
                    self.requests.messages.drain(..).for_each(self.warn);
                }
                batch -= 1;
                left -= 1;
            }
            let more = ring.publish();
            if !more || left == 0 {
                return Ok(more);
            }
        }
    }

    /// Carries out everything that is in the ring by now, records that are being written included.
    pub(crate) fn drain_all(&mut self) -> Result<(), RunError> {
        let Some(target) = self.ring.as_ref().map(Ring::end) else { return Ok(()) };
        for _ in 0..PATIENCE {
            while self.drain(BATCH)? && self.ring.as_ref().is_some_and(|ring| ring.position() < target) {}
            if self.ring.as_ref().is_none_or(|ring| ring.position() >= target) {
                break;
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// What was lost so far.
    fn losses(&self) -> Vec<Loss<'l>> {
        losses(&self.loaded.manifest, &self.loaded.state, &self.missed, &self.counts)
    }

    /// Keeps what the maps hold now.
    fn keep(&self, kept: &mut KeptMaps) -> Result<(), RunError> {
        let fds = map_descriptors(&self.loaded.object, &self.loaded.manifest)?;
        let stacks = find_map(&self.loaded.manifest, &fds, MapRole::Stacks);
        // SAFETY: the object keeps the descriptor open during the call.
        let stacks = stacks.map(|(_, fd)| unsafe { BorrowedFd::borrow_raw(fd) });
        kept.take(&self.loaded.manifest, &self.requests, stacks)
    }

    /// Stops the programs, carries out what is left, runs the end actions, shows the maps.
    fn finish(&mut self) -> Result<(), RunError> {
        self.loaded.state.set_stopped(true);
        self.wait_for_programs()?;
        self.drain_all()?;
        self.run_drivers(&Attach::End)?;
        self.missed.end();
        let losses = self.losses();
        self.requests.report_lost(&losses);
        if self.loaded.options.mode == RunMode::Trace && !self.loaded.options.no_summary {
            self.requests.show_final_maps()?;
        }
        self.requests.sink.flush()
    }
}

impl Session<'_> {
    /// Programs that began before the end and still run may be updating the maps that are shown then.
    fn wait_for_programs(&mut self) -> Result<(), RunError> {
        let manifest = &self.loaded.manifest;
        let probes = manifest.programs.iter().any(|program| !program.attach.is_driver());
        if probes && manifest.maps.iter().any(|map| map.role == MapRole::User) {
            grace::wait_for_programs()
                .map_err(|source| RunError::System { what: "running programs cannot be waited for".into(), source })?;
        }
        self.requests.cuts.deactivate();
        Ok(())
    }
}

/// What lt runs itself, by its place in the manifest.
#[derive(Clone, Copy, Debug)]
enum Driver {
    /// A program.
    Program(usize),
    /// An action in user space.
    Action(usize),
}

/// Descriptors of the programs by their symbols.
fn program_descriptors(object: &Object) -> HashMap<String, RawFd> {
    let named = |program: libbpf_rs::ProgramMut<'_>| {
        (program.name().to_string_lossy().into_owned(), program.as_fd().as_raw_fd())
    };
    object.progs_mut().map(named).collect()
}

/// Descriptors of the manifest's maps, in its order.
fn map_descriptors(object: &Object, manifest: &Manifest) -> Result<Vec<RawFd>, RunError> {
    let open: HashMap<_, _> =
        object.maps().map(|map| (map.name().to_string_lossy().into_owned(), map.as_fd().as_raw_fd())).collect();
    let missing = |map: &Map| RunError::Inconsistent(format!("map {} is not in the compiled object", map.symbol));
    manifest.maps.iter().map(|map| open.get(&map.symbol).copied().ok_or_else(|| missing(map))).collect()
}

fn find_map<'m>(manifest: &'m Manifest, fds: &[RawFd], role: MapRole) -> Option<(&'m Map, RawFd)> {
    let mut maps = manifest.maps.iter().zip(fds);
    maps.find(|(map, _)| map.role == role).map(|(map, fd)| (map, *fd))
}

/// Runs a raw tracepoint program on this thread. Kernels before 6.2 want to be given a context even by programs that do not
/// read it.
fn test_run(fd: RawFd) -> std::io::Result<()> {
    let context = [0u64; 12];
    let mut options = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as libbpf_sys::size_t,
        ctx_in: context.as_ptr().cast(),
        ctx_size_in: size_of_val(&context) as u32,
        ..Default::default()
    };
    // SAFETY: the options are complete and the context outlives the call.
    match unsafe { libbpf_sys::bpf_prog_test_run_opts(fd, &raw mut options) } {
        0 => Ok(()),
        status => Err(std::io::Error::from_raw_os_error(-status)),
    }
}

/// How a command ended, for messages with `-v`.
impl std::fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ChildStatus::Exited(code) => write!(f, "the command exited with status {code}"),
            ChildStatus::Signaled(signal) => write!(f, "the command was killed by signal {signal}"),
            ChildStatus::EndedByUs => f.write_str("the command was told to end"),
        }
    }
}
