//! Where output goes: a file descriptor behind a buffer.

use super::rotate::Rotated;
use crate::error::RunError;
use crate::options::{Buffering, Rotation};
use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
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
            if let Err((done, error)) = write_whole(&mut self.file, &self.buffer) {
                end_with_a_line(&mut self.file, self.buffer.get(..done).unwrap_or_default());
                return Err(RunError::Output(error));
            }
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
        let written = write_whole(&mut self.file, &self.buffer).map_err(|(done, error)| {
            end_with_a_line(&mut self.file, self.buffer.get(..done).unwrap_or_default());
            error
        });
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

/// A file that takes no more (its disk is full) keeps whole lines only: what was written of a last one is taken back.
fn end_with_a_line(file: &mut File, written: &[u8]) {
    let whole = written.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let half = (written.len() - whole) as u64;
    // pipes have no position and lose nothing by that; a failure here changes nothing about the one that is told
    if half > 0
        && file.metadata().is_ok_and(|facts| facts.is_file())
        && let Ok(end) = file.stream_position()
    {
        let _ = file.set_len(end.saturating_sub(half));
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Writes all bytes; a descriptor that somebody made non-blocking is waited for. An error comes with how many were written.
fn write_whole(file: &mut File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while done < bytes.len() {
        match file.write(bytes.get(done..).unwrap_or_default()) {
            Ok(0) => return Err((done, ErrorKind::WriteZero.into())),
            Ok(written) => done += written,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait_writable(file).map_err(|error| (done, error))?;
            }
            Err(error) => return Err((done, error)),
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
