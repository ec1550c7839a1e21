//! A reader of a BPF ring buffer. The kernel writes records into pages that are mapped here; reading one costs no system
//! call, and the consumer's position is published once a batch.

use crate::error::RunError;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Set in a record's length while its writer is still at it.
const BUSY: u32 = 1 << 31;
/// Set when the writer gave the record up.
const DISCARD: u32 = 1 << 30;
/// Bytes before a record's data.
const HEADER: u64 = 8;

/// A mapped ring buffer.
pub struct Ring {
    fd: RawFd,
    consumer: Mapping,
    producer: Mapping,
    page: usize,
    mask: u64,
    position: u64,
}

impl Ring {
    /// Maps the ring buffer `fd` of `size` bytes (a power of two). The map must stay open.
    pub fn map(fd: BorrowedFd<'_>, size: u32) -> Result<Ring, RunError> {
        // SAFETY: a plain query.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.max(4096) as usize;
        let fd = fd.as_raw_fd();
        let consumer = Mapping::new(fd, page, 0, libc::PROT_READ | libc::PROT_WRITE)?;
        let producer = Mapping::new(fd, page + 2 * size as usize, page, libc::PROT_READ)?;
        let mut ring = Ring { fd, consumer, producer, page, mask: u64::from(size) - 1, position: 0 };
        ring.position = ring.published().load(Ordering::Acquire);
        Ok(ring)
    }

    /// The descriptor that becomes readable when there are records.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    fn published(&self) -> &AtomicU64 {
        // SAFETY: the first word of the consumer's page is its position.
        unsafe { self.consumer.address.cast::<AtomicU64>().as_ref() }
    }

    fn produced(&self) -> u64 {
        // SAFETY: the first word of the producer's page is its position.
        unsafe { self.producer.address.cast::<AtomicU64>().as_ref() }.load(Ordering::Acquire)
    }

    /// Header word of the record at the reader's position.
    fn header(&self) -> u32 {
        let at = self.page + (self.position & self.mask) as usize;
        // SAFETY: records begin at multiples of 8 within the data pages.
        unsafe { self.producer.address.byte_add(at).cast::<AtomicU32>().as_ref() }.load(Ordering::Acquire)
    }

    /// Where the records that were begun by now end, to be compared with [`Ring::position`].
    pub fn end(&self) -> u64 {
        self.produced()
    }

    /// Where the next record to read begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether a record lies there, finished or not.
    pub fn has_pending(&self) -> bool {
        self.position < self.produced()
    }

    /// The next finished record, and the position behind it; `None` when there is none (or it is still being written).
    pub fn next(&mut self) -> Option<(&[u8], u64)> {
        loop {
            if !self.has_pending() {
                return None;
            }
            let header = self.header();
            if header & BUSY != 0 {
                return None;
            }
            let length = (header & !(BUSY | DISCARD)) as usize;
            let start = self.page + (self.position & self.mask) as usize + HEADER as usize;
            self.position += (length as u64 + HEADER).next_multiple_of(8);
            if header & DISCARD == 0 {
                // SAFETY: the data pages are mapped twice in a row, so a record never wraps; the kernel does not touch
                // it before the position behind it is published, which needs `&mut self` again.
                let record =
                    unsafe { std::slice::from_raw_parts(self.producer.address.byte_add(start).as_ptr(), length) };
                return Some((record, self.position));
            }
        }
    }

    /// Gives the space of all records read so far back to the kernel. Says whether another finished record has come
    /// meanwhile: the kernel wakes nobody for one that it finished before this.
    pub fn publish(&mut self) -> bool {
        self.published().store(self.position, Ordering::Release);
        fence(Ordering::SeqCst);
        self.has_pending() && self.header() & BUSY == 0
    }
}

/// Memory that is shared with the kernel.
pub(crate) struct Mapping {
    /// Its first byte.
    pub(crate) address: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes of a descriptor.
    pub(crate) fn new(fd: RawFd, length: usize, offset: usize, protection: i32) -> Result<Mapping, RunError> {
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, fd, offset as libc::off_t)
        };
        match NonNull::new(address.cast()) {
            Some(address) if address.as_ptr() != libc::MAP_FAILED.cast() => Ok(Mapping { address, length }),
            _ => Err(RunError::system("cannot map a ring buffer")),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by us and is not used after this.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.length) };
    }
}
