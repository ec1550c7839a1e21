//! A file's bytes, mapped: symbol tables of large programs are a small part of them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// A file mapped for reading.
pub(super) struct Mapped {
    start: *mut libc::c_void,
    size: usize,
}

impl Mapped {
    pub(super) fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let size = usize::try_from(metadata.len()).unwrap_or(0);
        if size == 0 {
            return Err(io::Error::other("it is empty"));
        }
        // Shared, because the kernel writes the breakpoints of other probes into private mappings of the file.
        // SAFETY: a new mapping of an open file, for reading only; it stays when the file is closed.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapped { start, size })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is `size` bytes long and lives as long as `self`. Programs are replaced, not cut short:
        // installers rename new files over old ones.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.size) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `open` and nothing borrows it any more.
        unsafe { libc::munmap(self.start, self.size) };
    }
}
