//! The command of `-c`: a child process that waits before its first instruction until tracing has begun.

use super::words::split;
use crate::error::words;
use crate::options::ChildStatus;
use crate::poller::open_process;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A child process, waiting or running. Dropping it ends it.
pub struct Command {
    line: String,
    pid: i32,
    process: OwnedFd,
    /// Closing it (with a byte sent before) lets the child go; without the byte it gives up.
    gate: Option<OwnedFd>,
    /// The child reports here why it could not become the command; it closes when it could.
    report: OwnedFd,
    status: Option<ChildStatus>,
}

impl Command {
    /// Starts a child that will become the command, and stops before that.
    ///
    /// Errors: the line has an open quote or no word, or its first word is no executable file.
    pub fn start_stopped(line: &str) -> Result<Command, Diagnostic> {
        let words = split(line).ok_or_else(|| failure(line, "a quote is not closed"))?;
        let name = words.first().ok_or_else(|| failure(line, "it is empty"))?;
        let path = find(name).map_err(|error| failure(line, &error))?;
        let strings = std::iter::once(path.as_os_str().as_bytes()).chain(words.iter().map(String::as_bytes));
        let strings: Result<Vec<CString>, _> = strings.map(CString::new).collect();
        let strings = strings.map_err(|_| failure(line, "it holds a NUL character"))?;
        Command::fork(line, &strings).map_err(|error| failure(line, &words_of(&error)))
    }

    /// `strings`: the file, then the arguments.
    fn fork(line: &str, strings: &[CString]) -> io::Result<Command> {
        let (gate_read, gate) = pipe()?;
        let (report, report_write) = pipe()?;
        let path = strings[0].as_ptr();
        let mut arguments: Vec<*const libc::c_char> = strings[1..].iter().map(|string| string.as_ptr()).collect();
        arguments.push(std::ptr::null());
        let (gate_fd, closed, report_fd) = (gate_read.as_raw_fd(), gate.as_raw_fd(), report_write.as_raw_fd());
        // SAFETY: the child makes system calls only, on memory that was prepared above.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => return Err(io::Error::last_os_error()),
            // SAFETY: this is the child; the strings and the array of pointers live until it execs or exits.
            0 => unsafe { become_command(path, arguments.as_ptr(), gate_fd, closed, report_fd) },
            _ => {}
        }
        let process = open_process(pid)?;
        Ok(Command { line: line.to_owned(), pid, process, gate: Some(gate), report, status: None })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Lets the child go.
    ///
    /// Errors: it could not become the command (an unknown kind of file, say).
    pub fn go(&mut self) -> Result<(), Diagnostic> {
        if let Some(gate) = self.gate.take() {
            // SAFETY: one byte of a live array is written; a child that is gone reports below.
            unsafe { libc::write(gate.as_raw_fd(), [1u8].as_ptr().cast(), 1) };
        }
        let mut errno = 0i32;
        // SAFETY: the kernel writes at most the four bytes of the number.
        let got = unsafe { libc::read(self.report.as_raw_fd(), (&raw mut errno).cast(), 4) };
        if got == 4 { Err(failure(&self.line, &words_of(&io::Error::from_raw_os_error(errno)))) } else { Ok(()) }
    }

    /// The descriptor that becomes readable when the child ends.
    pub fn fd(&self) -> RawFd {
        self.process.as_raw_fd()
    }

    /// How it ended: read once it did; a child that still runs is told to end.
    pub fn finish(&mut self) -> ChildStatus {
        if let Some(status) = self.status {
            return status;
        }
        let mut raw = 0;
        // SAFETY: the child is ours and was not waited for yet.
        let waited = unsafe { libc::waitpid(self.pid, &raw mut raw, libc::WNOHANG) };
        let status = if waited == self.pid && libc::WIFEXITED(raw) {
            ChildStatus::Exited(libc::WEXITSTATUS(raw))
        } else if waited == self.pid {
            ChildStatus::Signaled(libc::WTERMSIG(raw))
        } else {
            // SAFETY: not waited for, so the number still belongs to our child.
            unsafe { libc::kill(self.pid, libc::SIGTERM) };
            ChildStatus::EndedByUs
        };
        self.status = Some(status);
        status
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        // a child that still waits sees the gate close and gives up by itself; SIGTERM hurries it
        self.finish();
    }
}

/// The child's whole life before the command: wait, restore what Rust and lt changed, exec.
///
/// # Safety
/// Must run in a forked child; `path` and `arguments` (ended by a null pointer) must be valid.
unsafe fn become_command(
    path: *const libc::c_char,
    arguments: *const *const libc::c_char,
    gate: RawFd,
    closed: RawFd,
    report: RawFd,
) -> ! {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    // SAFETY: system calls on own descriptors and on memory that the caller vouches for.
    unsafe {
        libc::close(closed);
        let mut byte = 0u8;
        if libc::read(gate, (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(0);
        }
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(path, arguments, environ);
        let errno = *libc::__errno_location();
        libc::write(report, (&raw const errno).cast(), 4);
        libc::_exit(127)
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors, which are new and ours.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// The file that a shell would run for `name`.
fn find(name: &str) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return executable(&path).map(|()| path);
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| executable(path).is_ok());
    found.ok_or_else(|| format!("`{name}` is not in PATH"))
}

fn executable(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| words_of(&error))?;
    if !metadata.is_file() {
        return Err("it is not a file".into());
    }
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| "it holds a NUL character".to_string())?;
    // SAFETY: the name ends in NUL.
    if unsafe { libc::access(name.as_ptr(), libc::X_OK) } == 0 {
        Ok(())
    } else {
        Err(words_of(&io::Error::last_os_error()))
    }
}

fn words_of(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOENT) => "there is no such file".into(),
        Some(libc::EACCES) => "it may not be executed".into(),
        Some(libc::ENOEXEC) => "it is not a program (a script needs a first line like #!/bin/sh)".into(),
        _ => words(error),
    }
}

fn failure(line: &str, why: &str) -> Diagnostic {
    Diagnostic::error(Code::CommandFailed, format!("the command `{line}` cannot be started: {why}"))
}
