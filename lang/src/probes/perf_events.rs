//! Events that `software` and `hardware` probes count.

/// An event of the kernel's perf subsystem.
#[derive(Debug, PartialEq, Eq)]
pub struct PerfEventRow {
    /// As it is written and printed.
    pub name: &'static str,
    /// A shorter name.
    pub alias: Option<&'static str>,
    /// Number of the event among those of its type (`PERF_COUNT_SW_*`, `PERF_COUNT_HW_*`).
    pub config: u64,
    /// The probe fires each time so many have happened, unless the script says another count.
    pub count: u64,
}

impl PerfEventRow {
    const fn new(name: &'static str, alias: Option<&'static str>, config: u64, count: u64) -> PerfEventRow {
        PerfEventRow { name, alias, config, count }
    }

    /// Whether a word names this event.
    pub fn is_named(&self, word: &str) -> bool {
        self.name == word || self.alias == Some(word)
    }
}

/// Events that the kernel counts.
pub const SOFTWARE: &[PerfEventRow] = &[
    PerfEventRow::new("alignment-faults", None, 7, 1),
    PerfEventRow::new("bpf-output", None, 10, 1),
    PerfEventRow::new("context-switches", Some("cs"), 3, 1_000),
    PerfEventRow::new("cpu-clock", Some("cpu"), 0, 1_000_000),
    PerfEventRow::new("cpu-migrations", None, 4, 1),
    PerfEventRow::new("dummy", None, 9, 1),
    PerfEventRow::new("emulation-faults", None, 8, 1),
    PerfEventRow::new("major-faults", None, 6, 1),
    PerfEventRow::new("minor-faults", None, 5, 100),
    PerfEventRow::new("page-faults", Some("faults"), 2, 100),
    PerfEventRow::new("task-clock", None, 1, 1),
];

/// Events that the processor counts.
pub const HARDWARE: &[PerfEventRow] = &[
    PerfEventRow::new("backend-stalls", None, 8, 1_000_000),
    PerfEventRow::new("branch-instructions", Some("branches"), 4, 100_000),
    PerfEventRow::new("branch-misses", None, 5, 100_000),
    PerfEventRow::new("bus-cycles", None, 6, 100_000),
    PerfEventRow::new("cache-misses", None, 3, 1_000_000),
    PerfEventRow::new("cache-references", None, 2, 1_000_000),
    PerfEventRow::new("cpu-cycles", Some("cycles"), 0, 1_000_000),
    PerfEventRow::new("frontend-stalls", None, 7, 1_000_000),
    PerfEventRow::new("instructions", None, 1, 1_000_000),
    PerfEventRow::new("ref-cycles", None, 9, 1_000_000),
];
