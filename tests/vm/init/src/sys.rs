//! The system calls that the standard library does not have.

use std::ffi::CString;
use std::io::{Error, Result, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

fn check(result: libc::c_int) -> Result<()> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

fn c_path(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_encoded_bytes()).unwrap_or_default()
}

/// mount(2). An empty `kind` is passed as none.
pub fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong, options: &str) -> Result<()> {
    let (source, target, kind, options) = (c_path(source), c_path(target), c_path(kind), c_path(options));
    // SAFETY: all pointers are NUL-ended strings that outlive the call.
    check(unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr() as *const libc::c_void)
    })
}

/// finit_module(2) without parameters.
pub fn insert_module(file: &std::fs::File) -> Result<()> {
    // SAFETY: the file is open and the parameter string is NUL-ended.
    check(unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), 0) } as libc::c_int)
}

/// mknod(2) of a device; `kind` is `S_IFCHR` or `S_IFBLK`.
pub fn make_node(path: &str, kind: libc::mode_t, major: u32, minor: u32) -> Result<()> {
    let path = c_path(path);
    // SAFETY: the path is NUL-ended.
    check(unsafe { libc::mknod(path.as_ptr(), kind | 0o600, libc::makedev(major, minor)) })
}

/// The kernel's release, as `uname -r` prints it.
pub fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim_end().to_owned()
}

/// A descriptor that becomes readable when process `pid`, a child, ends.
pub fn pidfd(pid: i32) -> Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor that comes back is ours alone.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0) as libc::c_int;
        check(fd)?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Kills every process except this one. Kernel threads take no signals, so what is left afterwards is PID 1 alone.
pub fn kill_everything() {
    // SAFETY: no pointers. From PID 1, -1 means every other process of this guest.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// What [`reap`] found.
pub enum Reaped {
    /// A child that had ended: its id and wait status.
    Child(i32, i32),
    /// Only children that still run, or are about to end.
    Running,
    /// No children at all.
    Nobody,
}

/// Reaps one ended child without waiting.
pub fn reap() -> Reaped {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    match unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) } {
        0 => Reaped::Running,
        pid if pid > 0 => Reaped::Child(pid, status),
        _ => Reaped::Nobody,
    }
}

/// Sets the loopback interface up.
pub fn loopback_up() -> Result<()> {
    // SAFETY: `request` is a plain structure that outlives the calls; the descriptor is owned from the start.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        check(fd)?;
        let socket = OwnedFd::from_raw_fd(fd);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &mut request))?;
        request.ifr_ifru.ifru_flags |= (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request))
    }
}

/// No limit on locked memory (maps count against it before Linux 5.11) and core files, many open files.
pub fn lift_limits() {
    let set = |resource, soft, hard| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: `limit` outlives the call.
        unsafe { libc::setrlimit(resource, &limit) };
    };
    set(libc::RLIMIT_MEMLOCK, libc::RLIM_INFINITY, libc::RLIM_INFINITY);
    set(libc::RLIMIT_CORE, libc::RLIM_INFINITY, libc::RLIM_INFINITY);
    set(libc::RLIMIT_NOFILE, 1 << 20, 1 << 20);
    set(libc::RLIMIT_STACK, 8 << 20, libc::RLIM_INFINITY);
}

/// Writes `value` to an existing file, best effort.
pub fn put(path: &str, value: &str) {
    if let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(path) {
        let _ = file.write_all(value.as_bytes());
    }
}

/// Says something on the kernel's console, at a level that "quiet" lets through.
pub fn complain(text: &str) {
    put("/dev/kmsg", &format!("<3>lt-vm-init: {text}\n"));
}

/// Ends the machine.
pub fn power_off() -> ! {
    loop {
        // SAFETY: no pointers; PID 1 may do this.
        unsafe { libc::reboot(libc::RB_POWER_OFF) };
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
