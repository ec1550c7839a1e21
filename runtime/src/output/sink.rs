//! Where output goes: a file descriptor behind a buffer.

use crate::error::RunError;
use crate::options::Buffering;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::path::Path;

/// The buffer is written out when it holds this much.
const FULL: usize = 64 * 1024;

/// A buffered file or standard output.
pub struct Sink {
    file: ManuallyDrop<File>,
    buffer: Vec<u8>,
    buffering: Buffering,
    /// Nothing is written out, however full the buffer is.
    pub hold: bool,
}

impl Sink {
    /// Standard output, or the file `path`, which is created or emptied.
    pub fn open(path: Option<&Path>, buffering: Buffering) -> Result<Sink, RunError> {
        let file = match path {
            Some(path) => File::create(path).map_err(RunError::Output)?,
            // SAFETY: descriptor 1 is never closed by us: the File is not dropped.
            None => unsafe { File::from_raw_fd(libc::STDOUT_FILENO) },
        };
        Ok(Sink { file: ManuallyDrop::new(file), buffer: Vec::new(), buffering, hold: false })
    }

    /// Takes more output.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// An event was carried out: writes the buffer out if it is full, or if that is to be done with each event.
    pub fn event_done(&mut self) -> Result<(), RunError> {
        let due = self.buffer.len() >= FULL || self.buffering == Buffering::Event;
        if due && !self.hold { self.flush() } else { Ok(()) }
    }

    /// Nothing more has come: writes the buffer out unless it is to be full.
    pub fn idle(&mut self) -> Result<(), RunError> {
        if self.buffering == Buffering::Full { Ok(()) } else { self.flush() }
    }

    /// Writes the buffer out.
    pub fn flush(&mut self) -> Result<(), RunError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = write_whole(&mut self.file, &self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(2 * FULL);
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => RunError::ReaderGone,
            _ => RunError::Output(error),
        })
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Writes all bytes; a descriptor that somebody made non-blocking is waited for.
fn write_whole(file: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_writable(file)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn wait_writable(file: &File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let mut entry = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one initialized pollfd is passed, with its count.
    match unsafe { libc::poll(&raw mut entry, 1, -1) } {
        -1 if io::Error::last_os_error().kind() != ErrorKind::Interrupted => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
