//! Where output goes: a file descriptor behind a buffer.

use super::rotate::Rotated;
use crate::error::RunError;
use crate::options::{Buffering, Rotation};
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
    rotated: Option<Rotated>,
    /// Nothing is written out, however full the buffer is.
    pub hold: bool,
}

impl Sink {
    /// Standard output, or the file `path`, which is created or emptied.
    pub fn open(path: Option<&Path>, buffering: Buffering, rotation: Option<Rotation>) -> Result<Sink, RunError> {
        let file = match path {
            Some(path) => File::create(path).map_err(RunError::Output)?,
            // SAFETY: descriptor 1 is never closed by us: the File is not dropped.
            None => unsafe { File::from_raw_fd(libc::STDOUT_FILENO) },
        };
        let rotated = path.zip(rotation).map(|(path, rotation)| Rotated::new(path, &file, rotation)).transpose();
        let rotated = rotated.map_err(RunError::Output)?;
        Ok(Sink { file: ManuallyDrop::new(file), buffer: Vec::new(), buffering, rotated, hold: false })
    }

    /// Takes more output.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// An event was carried out: writes the buffer out if it is full, or if that is to be done with each event.
    pub fn event_done(&mut self) -> Result<(), RunError> {
        if self.rotated.is_some() && !self.hold {
            self.rotate()?;
        }
        let due = self.buffer.len() >= FULL || self.buffering == Buffering::Event;
        if due && !self.hold { self.flush() } else { Ok(()) }
    }

    /// Whether what the buffer holds behind the last whole record goes into the next file.
    pub fn is_file_full(&self) -> bool {
        !self.hold && self.rotated.as_ref().is_some_and(|rotated| rotated.is_due(&self.buffer))
    }

    /// Begins the next file before the record that does not fit any more.
    fn rotate(&mut self) -> Result<(), RunError> {
        let Some(rotated) = &mut self.rotated else { return Ok(()) };
        if rotated.is_due(&self.buffer) {
            let rest = self.buffer.split_off(rotated.whole());
            write_whole(&mut self.file, &self.buffer).map_err(RunError::Output)?;
            let next = rotated.next_file().map_err(RunError::Output)?;
            let old = std::mem::replace(&mut self.file, ManuallyDrop::new(next));
            drop(ManuallyDrop::into_inner(old));
            self.buffer = rest;
        }
        if self.buffer.ends_with(b"\n") {
            rotated.record_ends(self.buffer.len());
        }
        Ok(())
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
        if let Some(rotated) = &mut self.rotated {
            rotated.wrote(&self.buffer);
        }
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
