//! SIGINT, SIGTERM and SIGHUP as something to wait for: the first ends the session in good order, the second of a kind
//! does what it does by default and ends the process at once, even while output is blocked. At a prompt, which outlives
//! what runs in it, any number of SIGINT ends the run only.

use crate::error::RunError;
use crate::poller::owned;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

const WATCHED: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// The eventfd that the handler writes to; -1 while nobody watches.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// The last signal that came; 0 while none did.
static CAME: AtomicI32 = AtomicI32::new(0);

/// The signals are watched while this lives.
pub struct Signals {
    bell: OwnedFd,
    /// What each did before.
    before: Vec<(i32, libc::sigaction)>,
}

impl Signals {
    /// Begins to watch. An ignored SIGHUP (nohup) stays ignored; an ignored SIGINT (a background job of a script) does
    /// not, or nothing could end the session in good order.
    pub fn watch() -> Result<Signals, RunError> {
        // SAFETY: no pointers.
        let bell = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        let bell = owned(bell, "cannot create an event descriptor")?;
        BELL.store(bell.as_raw_fd(), Ordering::SeqCst);
        CAME.store(0, Ordering::SeqCst);
        let before = WATCHED.iter().filter_map(|signal| install(*signal)).collect();
        Ok(Signals { bell, before })
    }

    /// The last signal that came since they were watched last.
    pub fn came() -> Option<i32> {
        Some(CAME.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// The descriptor that becomes readable when a signal came.
    pub fn fd(&self) -> RawFd {
        self.bell.as_raw_fd()
    }
}

impl Drop for Signals {
    /// From here on signals do again what they did before.
    fn drop(&mut self) {
        for (signal, action) in &self.before {
            // SAFETY: the action was read from the kernel by `install`.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
        BELL.store(-1, Ordering::SeqCst);
    }
}

/// SIGINT does nothing to the process from here on, unless a run watches it: a prompt outlives what runs in it.
pub fn survive_interrupts() {
    // SAFETY: the structure is plain data for which zero is a value; the handler does nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = do_nothing as *const () as usize;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut());
    }
}

extern "C" fn do_nothing(_signal: i32) {}

/// Signals that a script waits for: while this lives they do nothing but make a descriptor readable.
pub struct OwnSignals {
    fd: OwnedFd,
    before: libc::sigset_t,
}

impl OwnSignals {
    /// Begins to watch; `None` when there is nothing to watch.
    pub fn watch(numbers: &[i32]) -> Result<Option<OwnSignals>, RunError> {
        if numbers.is_empty() {
            return Ok(None);
        }
        // SAFETY: both sets are plain data that the calls fill and read.
        let (fd, before) = unsafe {
            let (mut set, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&raw mut set);
            numbers.iter().for_each(|number| {
                libc::sigaddset(&raw mut set, *number);
            });
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
            (libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK), before)
        };
        Ok(Some(OwnSignals { fd: owned(fd, "cannot watch for signals")?, before }))
    }

    /// The descriptor that becomes readable when one came.
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Numbers of those that came; several of one kind can count as one.
    pub fn take(&self) -> Vec<i32> {
        let mut taken = Vec::new();
        let size = size_of::<libc::signalfd_siginfo>();
        loop {
            // SAFETY: plain data for which zero is a value; the kernel writes at most its size.
            let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            let read = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut info).cast(), size) };
            if read != size as isize {
                return taken;
            }
            taken.push(info.ssi_signo as i32);
        }
    }
}

impl Drop for OwnSignals {
    fn drop(&mut self) {
        // SAFETY: the set was filled by `watch`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

/// Installs the handler for one delivery, or for all where nothing may end the process; gives what was there.
fn install(signal: i32) -> Option<(i32, libc::sigaction)> {
    // SAFETY: both structures are plain data for which zero is a value; the handler makes one system call only.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut before);
        if signal == libc::SIGHUP && before.sa_sigaction == libc::SIG_IGN {
            return None;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ring_bell as *const () as usize;
        let outlives = before.sa_sigaction == do_nothing as *const () as usize;
        action.sa_flags = if outlives { libc::SA_RESTART } else { libc::SA_RESETHAND };
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        Some((signal, before))
    }
}

extern "C" fn ring_bell(signal: i32) {
    CAME.store(signal, Ordering::SeqCst);
    let bell = BELL.load(Ordering::SeqCst);
    // SAFETY: eight bytes of a live number are written; errno is put back for whoever was interrupted.
    unsafe {
        let errno = *libc::__errno_location();
        let one = 1u64;
        libc::write(bell, (&raw const one).cast(), 8);
        *libc::__errno_location() = errno;
    }
}
