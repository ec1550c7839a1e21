//! What the kernel tells of processes as they do it: which code they map, that they fork, begin another program, end. The
//! records come through a ring buffer of each CPU, in no order between CPUs, but with times.

use super::maps_file::Line;
use crate::decode::{part, text, unsigned};
use crate::perf::{online_cpus, open_sideband};
use crate::ring::Mapping;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a CPU's records that are kept until they are read; a power of two.
const BYTES: usize = 64 << 10;
/// Bytes after which the reader is woken.
pub const WAKEUP: u32 = (BYTES / 4) as u32;
/// Where the first page of a ring has its two positions.
const HEAD: usize = 1024;
const TAIL: usize = 1032;
/// Bytes before a record's content: type (u32), flags (u16), size (u16).
const HEADER: usize = 8;
/// Bytes behind it: process, thread (u32 each), time (u64).
const TRAILER: usize = 16;

const COMM: u64 = 3;
const EXIT: u64 = 4;
const FORK: u64 = 7;
const MMAP2: u64 = 10;
/// The name changed because another program began.
const COMM_EXEC: u64 = 1 << 13;

/// Something that a process did, and when, in nanoseconds of the monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// It mapped code.
    Mapped {
        /// Which.
        process: u32,
        /// When.
        time: u64,
        /// What, as its memory map would show it.
        line: Line,
    },
    /// It began to run another program.
    Executed {
        /// Which.
        process: u32,
        /// When.
        time: u64,
    },
    /// It was made by another.
    Forked {
        /// Which.
        process: u32,
        /// By this one.
        parent: u32,
        /// When.
        time: u64,
    },
    /// It ended.
    Ended {
        /// Which.
        process: u32,
    },
}

impl Record {
    /// Which process did it.
    pub fn process(&self) -> u32 {
        match self {
            Record::Mapped { process, .. }
            | Record::Executed { process, .. }
            | Record::Forked { process, .. }
            | Record::Ended { process } => *process,
        }
    }
}

/// The rings of all CPUs.
pub struct Sideband {
    rings: Vec<Ring>,
}

struct Ring {
    mapping: Mapping,
    page: usize,
    event: OwnedFd,
}

impl Sideband {
    /// Begins to listen on every CPU.
    pub fn open() -> io::Result<Sideband> {
        let rings = online_cpus().into_iter().map(Ring::open).collect::<io::Result<Vec<_>>>()?;
        Ok(Sideband { rings })
    }

    /// What becomes readable when there is much to read.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.rings.iter().map(|ring| ring.event.as_raw_fd()).collect()
    }

    /// Everything that came since the last time, in the order of time.
    pub fn read(&mut self) -> Vec<Record> {
        let mut timed = Vec::new();
        for ring in &self.rings {
            ring.read(&mut timed);
        }
        timed.sort_by_key(|(time, _)| *time);
        timed.into_iter().map(|(_, record)| record).collect()
    }
}

impl Ring {
    fn open(cpu: i32) -> io::Result<Ring> {
        let event = open_sideband(cpu, WAKEUP)?;
        // SAFETY: a plain query.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.max(4096) as usize;
        let mapping = Mapping::new(event.as_raw_fd(), page + BYTES, 0, libc::PROT_READ | libc::PROT_WRITE);
        let mapping = mapping.map_err(|_| io::Error::last_os_error())?;
        Ok(Ring { mapping, page, event })
    }

    fn position(&self, at: usize) -> &AtomicU64 {
        // SAFETY: both positions lie in the first page of the mapping, at multiples of eight.
        unsafe { self.mapping.address.byte_add(at).cast::<AtomicU64>().as_ref() }
    }

    fn copy(&self, from: u64, length: usize) -> Vec<u8> {
        let byte = |at: usize| {
            let inside = (from as usize).wrapping_add(at) & (BYTES - 1);
            // SAFETY: the data pages behind the first are `BYTES` long; the kernel does not write where we have not read.
            unsafe { self.mapping.address.byte_add(self.page + inside).read() }
        };
        (0..length).map(byte).collect()
    }

    fn read(&self, out: &mut Vec<(u64, Record)>) {
        let head = self.position(HEAD).load(Ordering::Acquire);
        let mut tail = self.position(TAIL).load(Ordering::Relaxed);
        while tail < head {
            let size = unsigned(&self.copy(tail + 6, 2), 2) as usize;
            if size < HEADER {
                tail = head;
                break;
            }
            out.extend(parse(&self.copy(tail, size)));
            tail += size as u64;
        }
        self.position(TAIL).store(tail, Ordering::Release);
    }
}

/// A record with its header and its trailer.
fn parse(record: &[u8]) -> Option<(u64, Record)> {
    let number = |at: usize, size: u32| unsigned(part(record, at as u32, size), size);
    let trailer = record.len().checked_sub(TRAILER)?;
    let time = number(trailer + 8, 8);
    let (first, second) = (number(8, 4) as u32, number(12, 4) as u32);
    let record = match number(0, 4) {
        COMM if number(4, 2) & COMM_EXEC != 0 => Record::Executed { process: first, time },
        // of threads only the first stands for its process
        FORK if number(16, 4) as u32 == first => Record::Forked { process: first, parent: second, time },
        EXIT if number(16, 4) as u32 == first => Record::Ended { process: first },
        MMAP2 => {
            let name = String::from_utf8_lossy(text(record.get(72..trailer)?)).into_owned();
            let start = number(16, 8);
            let line = Line {
                start,
                end: start.saturating_add(number(24, 8)),
                offset: number(32, 8),
                device: (number(40, 4) as u32, number(44, 4) as u32),
                inode: number(48, 8),
                name: name.strip_suffix(" (deleted)").map(str::to_owned).unwrap_or(name),
            };
            Record::Mapped { process: first, time, line }
        }
        _ => return None,
    };
    Some((time, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(kind: u32, flags: u16, words: &[u32], behind: &[u8]) -> Vec<u8> {
        let mut record: Vec<u8> = kind.to_le_bytes().to_vec();
        record.extend(flags.to_le_bytes());
        record.extend([0, 0]);
        record.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        record.extend(behind);
        record.extend([0; 8]);
        record.extend(99u64.to_le_bytes());
        record
    }

    #[test]
    fn records_are_read() {
        let executed = bytes(3, 1 << 13, &[5, 5], b"name\0\0\0\0");
        assert_eq!(parse(&executed), Some((99, Record::Executed { process: 5, time: 99 })));
        assert_eq!(parse(&bytes(3, 0, &[5, 5], b"name\0\0\0\0")), None);
        let forked = bytes(7, 0, &[6, 5, 6, 5, 0, 0], b"");
        assert_eq!(parse(&forked), Some((99, Record::Forked { process: 6, parent: 5, time: 99 })));
        assert_eq!(parse(&bytes(7, 0, &[6, 6, 7, 6, 0, 0], b"")), None, "a thread");
        let mapped = bytes(10, 0, &[5, 5, 0x1000, 0, 0x200, 0, 0x40, 0, 8, 1, 77, 0, 0, 0, 5, 2], b"/a\0\0\0\0\0\0");
        let line = Line { start: 0x1000, end: 0x1200, offset: 0x40, device: (8, 1), inode: 77, name: "/a".into() };
        assert_eq!(parse(&mapped), Some((99, Record::Mapped { process: 5, time: 99, line })));
    }
}
