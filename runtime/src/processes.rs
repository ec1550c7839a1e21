//! What processes had mapped when: read from /proc while they live, and told by the kernel for all that happens from the
//! start of tracing on ([`sideband`]). So addresses of processes that have ended can be named, and an address is never
//! looked for in a program that was not there at that time.

mod files;
mod maps_file;
mod sideband;

pub use files::{FileId, Files, MappedFile};
pub use maps_file::own_vdso;

use crate::poller::monotonic;
use maps_file::Line;
use sideband::{Record, Sideband};
use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;

/// Most processes that are remembered once they have ended; the earliest go first.
const MOST_ENDED: usize = 16_384;
/// How many forks back a mapping is looked for.
const MOST_FORKS: u32 = 16;
/// Numbers of processes that lt's PID namespace does not have: as programs and records say it.
const STRANGERS: [u32; 2] = [0, u32::MAX];

/// A stretch of code in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// Offset in the file of the first address.
    pub offset: u64,
    /// What is mapped.
    pub backing: Backing,
}

/// What is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// A file.
    File(FileId),
    /// The kernel's code for processes.
    Vdso,
    /// Memory without a name: code that was made at run time.
    Anonymous,
    /// Something else that has no symbols.
    Other,
}

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is mapped there.
    pub backing: Backing,
    /// Offset in it.
    pub offset: u64,
}

/// How a process began anew.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Exec,
    Fork { parent: u32 },
}

/// Everything known of a process; times are nanoseconds of the monotonic clock.
#[derive(Debug, Default)]
struct Process {
    /// When it began, and began to run another program.
    beginnings: Vec<(u64, Origin)>,
    mappings: Vec<(u64, Mapping)>,
    ended: bool,
}

impl Process {
    /// The last beginning up to this time; time 0 without one.
    fn beginning(&self, at: u64) -> (u64, Option<Origin>) {
        let before = self.beginnings.iter().filter(|(time, _)| *time <= at);
        before.max_by_key(|(time, _)| *time).map_or((0, None), |(time, origin)| (*time, Some(*origin)))
    }

    /// The newest mapping that held the address at this time.
    fn mapping(&self, address: u64, at: u64) -> Option<&Mapping> {
        let since = self.beginning(at).0;
        let there = |(time, mapping): &&(u64, Mapping)| {
            (since..=at).contains(time) && (mapping.start..mapping.end).contains(&address)
        };
        self.mappings.iter().filter(there).max_by_key(|(time, _)| *time).map(|(_, mapping)| mapping)
    }
}

/// The processes of this machine, as far as something is known of them.
pub struct Processes {
    known: HashMap<u32, Process>,
    ended: VecDeque<u32>,
    sideband: Option<Sideband>,
    /// The files that are mapped.
    pub files: Files,
}

impl Processes {
    /// Begins to listen to what processes do.
    pub fn watch() -> Processes {
        let sideband = Sideband::open().ok();
        Processes { known: HashMap::new(), ended: VecDeque::new(), sideband, files: Files::default() }
    }

    /// What becomes readable when there is much to [`Processes::catch_up`] with.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.sideband.as_ref().map_or_else(Vec::new, Sideband::descriptors)
    }

    /// Takes in what the kernel told meanwhile.
    pub fn catch_up(&mut self) {
        let Some(sideband) = &mut self.sideband else { return };
        for record in sideband.read() {
            self.take(record);
        }
    }

    fn take(&mut self, record: Record) {
        if STRANGERS.contains(&record.process()) {
            return;
        }
        match record {
            Record::Mapped { process, time, line } => {
                let mapping = self.mapping_of(&line);
                self.known.entry(process).or_default().mappings.push((time, mapping));
            }
            Record::Executed { process, time } => self.begin(process, time, Origin::Exec),
            Record::Forked { process, parent, time } => self.begin(process, time, Origin::Fork { parent }),
            Record::Ended { process } => self.end(process),
        }
    }

    fn begin(&mut self, process: u32, time: u64, origin: Origin) {
        let known = self.known.entry(process).or_default();
        known.ended = false;
        known.beginnings.push((time, origin));
    }

    fn end(&mut self, process: u32) {
        let Some(known) = self.known.get_mut(&process) else { return };
        known.ended = true;
        self.ended.push_back(process);
        if self.ended.len() > MOST_ENDED
            && let Some(oldest) = self.ended.pop_front()
            && self.known.get(&oldest).is_some_and(|known| known.ended)
        {
            self.known.remove(&oldest);
        }
    }

    fn mapping_of(&mut self, line: &Line) -> Mapping {
        Mapping { start: line.start, end: line.end, offset: line.offset, backing: self.files.backing(line) }
    }

    /// Whether a process is known to have ended.
    pub fn has_ended(&self, process: u32) -> bool {
        self.known.get(&process).is_none_or(|known| known.ended)
    }

    /// Reads what a process has mapped right now and opens the files; nothing when it is gone.
    pub fn snapshot(&mut self, process: u32) {
        self.catch_up();
        if STRANGERS.contains(&process) || self.known.get(&process).is_some_and(|known| known.ended) {
            return;
        }
        // The file is the memory of the program that runs when it is opened.
        let before = monotonic();
        let Some(lines) = maps_file::read(process) else { return };
        let after = monotonic();
        self.catch_up();
        let known = self.known.entry(process).or_default();
        let (since, _) = known.beginning(before);
        if known.ended || known.beginning(after).0 != since {
            return;
        }
        for line in lines {
            let mapping = self.mapping_of(&line);
            if let Backing::File(file) = mapping.backing {
                self.files.open(file, Some((process, &line)));
            }
            let known = self.known.entry(process).or_default();
            if !known.mappings.iter().any(|(time, other)| *time >= since && *other == mapping) {
                known.mappings.push((since, mapping));
            }
        }
    }

    /// Where an address of a process lay at a time (at last, without one).
    pub fn resolve(&mut self, process: u32, address: u64, at: Option<u64>) -> Option<Found> {
        if STRANGERS.contains(&process) {
            return None;
        }
        self.catch_up();
        let at = at.unwrap_or(u64::MAX);
        let mut found = self.look_up(process, address, at, MOST_FORKS);
        // without the kernel's records nobody can tell whether it is still the same process
        if found.is_none() && self.sideband.is_some() {
            self.snapshot(process);
            found = self.look_up(process, address, at, MOST_FORKS);
        }
        let mapping = found?;
        let inside = address - mapping.start;
        Some(Found { backing: mapping.backing, offset: mapping.offset + inside })
    }

    fn look_up(&self, process: u32, address: u64, at: u64, forks: u32) -> Option<Mapping> {
        let known = self.known.get(&process)?;
        if let Some(mapping) = known.mapping(address, at) {
            return Some(*mapping);
        }
        match known.beginning(at) {
            (time, Some(Origin::Fork { parent })) if forks > 0 => self.look_up(parent, address, time, forks - 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(process: u32, time: u64, start: u64, name: &str) -> Record {
        let line = Line { start, end: start + 0x1000, offset: 0, device: (8, 1), inode: 7, name: name.into() };
        Record::Mapped { process, time, line }
    }

    fn told(records: Vec<Record>) -> Processes {
        let mut processes =
            Processes { known: HashMap::new(), ended: VecDeque::new(), sideband: None, files: Files::default() };
        records.into_iter().for_each(|record| processes.take(record));
        processes
    }

    fn name(processes: &mut Processes, process: u32, address: u64, at: u64) -> Option<String> {
        let Backing::File(file) = processes.resolve(process, address, Some(at))?.backing else { return None };
        processes.files.get_mut(file).map(|file| file.name.clone())
    }

    #[test]
    fn addresses_belong_to_the_program_of_their_time() {
        let mut processes = told(vec![
            mapped(5, 10, 0x40_0000, "/bin/first"),
            Record::Executed { process: 5, time: 20 },
            mapped(5, 21, 0x40_0000, "/bin/second"),
            Record::Ended { process: 5 },
        ]);
        assert_eq!(name(&mut processes, 5, 0x40_0010, 15).as_deref(), Some("/bin/first"));
        assert_eq!(name(&mut processes, 5, 0x40_0010, 30).as_deref(), Some("/bin/second"));
        assert_eq!(name(&mut processes, 5, 0x50_0000, 30), None);
        assert_eq!(processes.resolve(5, 0x40_0010, Some(30)).map(|found| found.offset), Some(0x10));
    }

    #[test]
    fn a_child_has_what_its_parent_had_until_it_runs_a_program_of_its_own() {
        let mut processes = told(vec![
            mapped(5, 10, 0x1000, "/bin/sh"),
            Record::Forked { process: 6, parent: 5, time: 20 },
            mapped(5, 25, 0x8000, "/lib/later.so"),
            Record::Executed { process: 6, time: 30 },
            mapped(6, 31, 0x5000, "/bin/ls"),
        ]);
        assert_eq!(name(&mut processes, 6, 0x1000, 25).as_deref(), Some("/bin/sh"));
        assert_eq!(name(&mut processes, 6, 0x8000, 26), None, "mapped by the parent after the fork");
        assert_eq!(name(&mut processes, 6, 0x1000, 35), None, "gone with the other program");
        assert_eq!(name(&mut processes, 6, 0x5000, 35).as_deref(), Some("/bin/ls"));
    }

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let mut processes = told(vec![
            mapped(5, 10, 0x1000, "/bin/old"),
            Record::Ended { process: 5 },
            Record::Forked { process: 5, parent: 1, time: 40 },
        ]);
        assert_eq!(name(&mut processes, 5, 0x1000, 50), None);
        assert_eq!(name(&mut processes, 5, 0x1000, 20).as_deref(), Some("/bin/old"));
    }
}
