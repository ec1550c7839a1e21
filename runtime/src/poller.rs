//! Waiting: one epoll for everything, and the descriptors that timers and processes are waited for with.

use crate::error::RunError;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Records in the event ring.
    Events,
    /// A program called `exit()`.
    Wakeup,
    /// SIGINT, SIGTERM or SIGHUP.
    Signal,
    /// The command of `-c` ended.
    Child,
    /// The process of `-p` ended.
    Process,
    /// Whoever read the output went away.
    Reader,
    /// Signals that the script waits for.
    Own,
    /// The kernel has told much of processes.
    Sideband,
    /// The timer with this number.
    Timer(u32),
}

impl Source {
    fn token(self) -> u64 {
        match self {
            Source::Events => 0,
            Source::Wakeup => 1,
            Source::Signal => 2,
            Source::Child => 3,
            Source::Process => 4,
            Source::Reader => 5,
            Source::Own => 6,
            Source::Sideband => 7,
            Source::Timer(at) => 16 + u64::from(at),
        }
    }

    fn of(token: u64) -> Source {
        match token {
            0 => Source::Events,
            1 => Source::Wakeup,
            2 => Source::Signal,
            3 => Source::Child,
            4 => Source::Process,
            5 => Source::Reader,
            6 => Source::Own,
            7 => Source::Sideband,
            at => Source::Timer((at - 16) as u32),
        }
    }
}

/// An epoll instance.
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// An empty one.
    pub fn new() -> Result<Poller, RunError> {
        // SAFETY: no pointers.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }, "cannot create an epoll instance")?;
        Ok(Poller { epoll })
    }

    /// Waits for `fd` to become readable.
    pub fn add(&self, fd: RawFd, source: Source) -> Result<(), RunError> {
        self.register(fd, libc::EPOLLIN as u32, source).map_err(|()| RunError::system("cannot wait for a descriptor"))
    }

    /// Waits for the other end of `fd` to close; descriptors that cannot tell (files) are left out.
    pub fn add_hangup(&self, fd: RawFd, source: Source) {
        // files refuse with EPERM, and have no other end that could close
        let _ = self.register(fd, 0, source);
    }

    fn register(&self, fd: RawFd, events: u32, source: Source) -> Result<(), ()> {
        let mut event = libc::epoll_event { events, u64: source.token() };
        // SAFETY: the event is initialized and outlives the call.
        let status = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        if status == 0 { Ok(()) } else { Err(()) }
    }

    /// What is ready; sleeps until something is, unless `at_once`.
    pub fn wait(&self, at_once: bool) -> Result<Vec<Source>, RunError> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 16];
        let (room, timeout) = (events.len() as i32, if at_once { 0 } else { -1 });
        // SAFETY: the array has room for as many events as are asked for.
        let count = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), room, timeout) };
        if count < 0 {
            let error = RunError::system("cannot wait for events");
            return if errno() == libc::EINTR { Ok(Vec::new()) } else { Err(error) };
        }
        Ok(events.iter().take(count as usize).map(|event| Source::of(event.u64)).collect())
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Takes a descriptor that a system call gave.
pub fn owned(fd: i32, what: &str) -> Result<OwnedFd, RunError> {
    if fd < 0 {
        return Err(RunError::system(what));
    }
    // SAFETY: the call just made gave us this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A periodic timer.
pub struct Timer {
    fd: OwnedFd,
}

impl Timer {
    /// Fires each time `period` (at least 1 ns) has passed from now on.
    pub fn every(period: Duration) -> Result<Timer, RunError> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: no pointers.
        let fd = owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) }, "cannot create a timer")?;
        let time = libc::timespec {
            tv_sec: period.as_secs().min(i64::MAX as u64) as libc::time_t,
            tv_nsec: libc::c_long::from(period.subsec_nanos()),
        };
        let spec = libc::itimerspec { it_interval: time, it_value: time };
        // SAFETY: the specification is initialized and only read.
        let status = unsafe { libc::timerfd_settime(fd.as_raw_fd(), 0, &raw const spec, std::ptr::null_mut()) };
        if status == 0 { Ok(Timer { fd }) } else { Err(RunError::system("cannot start a timer")) }
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Whether the period passed since this was asked last; several periods count as one.
    pub fn take(&self) -> bool {
        let mut count = 0u64;
        // SAFETY: the kernel writes eight bytes.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut count).cast(), 8) == 8 }
    }
}

/// A descriptor that becomes readable when the process ends.
pub fn open_process(pid: i32) -> std::io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the call just made gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Nanoseconds since boot, suspends included.
pub fn since_boot() -> u64 {
    clock(libc::CLOCK_BOOTTIME)
}

/// The same without suspends.
pub fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
