//! The end: probes are removed without making the user wait for the kernel.
//!
//! Removing a perf event takes the kernel several grace periods, 70 ms and more for each tracepoint, all of it waiting.
//! By now the stop word keeps programs from acting, so nobody needs to wait: a child process inherits the links, closes
//! everything else, and ends once we have let go of them. The grace periods are charged to it. Nothing outlives it.

use crate::poller::open_process;
use libbpf_rs::Link;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// With more links than this the child would linger too long.
const MOST_LINKS: usize = 32;
/// How long it is worth waiting for the child, in milliseconds.
const PATIENCE: i32 = 15;

/// Removes all probes; in the background unless `wait` or the surroundings ask otherwise.
pub fn detach(links: Vec<Link>, wait: bool) {
    if links.is_empty() {
        return;
    }
    if wait || links.len() > MOST_LINKS || is_supervised() {
        drop(links);
        return;
    }
    let kept: Vec<RawFd> = links.iter().map(|link| link.as_fd().as_raw_fd()).collect();
    match start_heir(&kept) {
        Ok((pid, leash)) => {
            drop(links);
            drop(leash);
            await_heir(pid);
        }
        Err(_) => drop(links),
    }
}

/// Under systemd, which would kill or count the child, and as process 1, which nobody outlives.
fn is_supervised() -> bool {
    std::env::var_os("INVOCATION_ID").is_some() || std::process::id() == 1
}

/// Starts the child. It lives until the leash, which it does not hold itself, is closed.
fn start_heir(kept: &[RawFd]) -> io::Result<(i32, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the two descriptors are new and ours.
    let (read, write) = unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    let mut open = kept.to_vec();
    open.push(read.as_raw_fd());
    open.sort_unstable();
    // SAFETY: the child makes system calls only, on memory that was prepared here, and leaves by _exit.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: as above.
        0 => unsafe { inherit(&open, read.as_raw_fd()) },
        pid => Ok((pid, write)),
    }
}

/// The child: closes all descriptors but `open` (sorted), waits for the end of the leash, ends.
///
/// # Safety
/// Must run in a forked child that does nothing else.
unsafe fn inherit(open: &[RawFd], leash: RawFd) -> ! {
    // SAFETY: plain system calls on descriptors that nobody uses any more.
    unsafe {
        libc::setsid();
        let mut next = 0;
        for fd in open {
            if next < *fd {
                libc::syscall(libc::SYS_close_range, next, *fd - 1, 0);
            }
            next = *fd + 1;
        }
        libc::syscall(libc::SYS_close_range, next, u32::MAX, 0);
        let mut byte = 0u8;
        while libc::read(leash, (&raw mut byte).cast(), 1) == -1
            && io::Error::last_os_error().raw_os_error() == Some(libc::EINTR)
        {}
        libc::_exit(0)
    }
}

/// Waits a little for the child, so that few probes are gone when we are.
fn await_heir(pid: i32) {
    if let Ok(process) = open_process(pid) {
        let mut entry = libc::pollfd { fd: process.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one initialized pollfd is passed, with its count.
        unsafe { libc::poll(&raw mut entry, 1, PATIENCE) };
    }
    // SAFETY: takes the child's status if it has one; a child that is still busy is inherited by init.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
}

/// Ends the process without destructors: everything was written and released, and running them costs time and memory.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}
