//! Running tests (`test:NAME`) and benchmarks (`bench:NAME`) in place of probes.

use crate::error::RunError;
use crate::output::{BenchmarkRun, TestRun};
use crate::poller::{owned, since_boot};
use crate::session::Session;
use lt_lang::manifest::{Attach, Program};
use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// A benchmark is run until its program has taken so many nanoseconds, or all of it so long.
const ENOUGH_NANOSECONDS: u64 = 1_000_000;
const ENOUGH_TIME: Duration = Duration::from_secs(1);
/// Runs between two looks at what the program sent.
const RUNS_AT_ONCE: u32 = 64;

/// How often and how long the kernel has run a program, counted while somebody asks it to count.
#[derive(Clone, Copy, Default)]
struct Counted {
    runs: u64,
    nanoseconds: u64,
}

impl Session<'_> {
    /// Begin actions, the tests or benchmarks one after the other, end actions.
    pub(crate) fn run_trials(&mut self) -> Result<(), RunError> {
        self.loaded.state.set_start(since_boot());
        self.run_drivers(&Attach::Begin)?;
        let loaded = self.loaded;
        let tests: Vec<(&str, &Program)> = loaded.manifest.programs.iter().filter_map(test).collect();
        let benchmarks: Vec<(&str, &Program)> = loaded.manifest.programs.iter().filter_map(benchmark).collect();
        match loaded.options.mode {
            crate::options::RunMode::Test => self.run_tests(&tests),
            _ => self.run_benchmarks(&benchmarks),
        }
    }

    fn run_tests(&mut self, tests: &[(&str, &Program)]) -> Result<(), RunError> {
        let names: Vec<&str> = tests.iter().map(|(name, _)| *name).collect();
        let mut passed = Vec::with_capacity(tests.len());
        for (_, program) in tests {
            self.loaded.state.clear_exit();
            self.requests.begin_capture()?;
            let start = Instant::now();
            self.run_program(program)?;
            let duration = start.elapsed().as_nanos() as u64;
            self.drain_all()?;
            let output = self.requests.end_capture();
            let fine = self.loaded.state.result() == 0 && self.loaded.state.exit_code().unwrap_or(0) == 0;
            passed.push(fine);
            self.failed |= !fine;
            self.requests.show_test(&TestRun { names: &names, passed: &passed, duration, output: &output });
        }
        self.loaded.state.clear_exit();
        Ok(())
    }

    fn run_benchmarks(&mut self, benchmarks: &[(&str, &Program)]) -> Result<(), RunError> {
        let names: Vec<&str> = benchmarks.iter().map(|(name, _)| *name).collect();
        // SAFETY: no pointers.
        let counting = unsafe { libbpf_sys::bpf_enable_stats(libbpf_sys::BPF_STATS_RUN_TIME) };
        let _counting = owned(counting, "the kernel cannot measure programs")?;
        for (at, (_, program)) in benchmarks.iter().enumerate() {
            self.loaded.state.clear_exit();
            self.requests.begin_capture()?;
            let counted = self.measure(program);
            self.requests.end_capture();
            let Some(counted) = counted? else { continue };
            if self.loaded.state.exit_code().unwrap_or(0) != 0 {
                self.failed = true;
                continue;
            }
            let average = counted.nanoseconds / counted.runs.max(1);
            self.requests.show_benchmark(&BenchmarkRun { names: &names, at, average, runs: counted.runs });
        }
        self.loaded.state.clear_exit();
        Ok(())
    }

    /// Runs a program until its time is known well enough; `None` when it returned a number, which means that it cannot
    /// be measured here.
    fn measure(&mut self, program: &Program) -> Result<Option<Counted>, RunError> {
        let fd = self.program(program)?;
        let failed = |source| RunError::System { what: format!("{} cannot be measured", program.probe), source };
        let (before, start) = (counted(fd).map_err(failed)?, Instant::now());
        loop {
            for _ in 0..RUNS_AT_ONCE {
                self.run_program(program)?;
            }
            if self.loaded.state.result() != 0 {
                return Ok(None);
            }
            self.drain_all()?;
            let now = counted(fd).map_err(failed)?;
            let (runs, nanoseconds) = (now.runs - before.runs, now.nanoseconds - before.nanoseconds);
            if nanoseconds >= ENOUGH_NANOSECONDS || start.elapsed() >= ENOUGH_TIME || self.has_exited() {
                return Ok(Some(Counted { runs, nanoseconds }));
            }
        }
    }
}

fn test(program: &Program) -> Option<(&str, &Program)> {
    match &program.attach {
        Attach::Test { name } => Some((name, program)),
        _ => None,
    }
}

fn benchmark(program: &Program) -> Option<(&str, &Program)> {
    match &program.attach {
        Attach::Bench { name } => Some((name, program)),
        _ => None,
    }
}

fn counted(fd: RawFd) -> io::Result<Counted> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut size = size_of_val(&info) as u32;
    // SAFETY: the structure is as long as its size says.
    let status = unsafe { libbpf_sys::bpf_prog_get_info_by_fd(fd, &raw mut info, &raw mut size) };
    if status < 0 {
        return Err(io::Error::from_raw_os_error(-status));
    }
    Ok(Counted { runs: info.run_cnt, nanoseconds: info.run_time_ns })
}
