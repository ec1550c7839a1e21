//! Tracefs: where it is mounted, or, where it is not, through a mount of our own that is attached nowhere.

mod c_types;
pub(crate) mod format;

use lt_lang::kernel::KernelError;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Where it usually is.
const MOUNT_POINTS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// Numbers of the mount interface (include/uapi/linux/mount.h).
const CLOEXEC: libc::c_long = 1;
const CONFIG_CREATE: libc::c_long = 6;

/// An open tracefs; paths are relative to its root.
#[derive(Debug)]
pub struct Tracefs {
    root: OwnedFd,
}

impl Tracefs {
    /// Opens it.
    ///
    /// # Errors
    /// [`KernelError::NoTracefs`] with the reason: no privilege, or a kernel without tracing.
    pub fn open() -> Result<Tracefs, KernelError> {
        let mut refused = None;
        for path in MOUNT_POINTS {
            let found = File::open(path).map(|root| Tracefs { root: root.into() }).and_then(|tracefs| {
                tracefs.open_file("events")?;
                Ok(tracefs)
            });
            match found {
                Ok(tracefs) => return Ok(tracefs),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => refused = Some(error),
                Err(_) => {}
            }
        }
        match detached_mount() {
            Ok(root) => Ok(Tracefs { root }),
            Err(error) => Err(KernelError::NoTracefs(reason(&refused.unwrap_or(error)))),
        }
    }

    /// Opens a file or directory for reading.
    ///
    /// # Errors
    /// As the system says; paths that lead out of tracefs are not found.
    pub fn open_file(&self, path: &str) -> io::Result<File> {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err(io::ErrorKind::NotFound.into());
        }
        let path = CString::new(path).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        // SAFETY: the path is NUL-terminated, and the descriptor that comes back is owned by nobody else.
        unsafe {
            let fd = libc::openat(self.root.as_raw_fd(), path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(File::from_raw_fd(fd)) }
        }
    }

    /// Reads a file whole.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Names of the directories in a directory, sorted.
    ///
    /// # Errors
    /// As the system says.
    pub fn directories(&self, path: &str) -> io::Result<Vec<String>> {
        let directory = self.open_file(path)?;
        let mut names = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/self/fd/{}", directory.as_raw_fd()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Mounts tracefs without a place: it is reached by its descriptor alone and ends with it (Linux 5.2).
fn detached_mount() -> io::Result<OwnedFd> {
    // SAFETY: the calls take numbers and NUL-terminated strings; the descriptors are checked and owned by nobody else.
    unsafe {
        let context = owned(libc::syscall(libc::SYS_fsopen, c"tracefs".as_ptr(), CLOEXEC))?;
        let none = std::ptr::null::<libc::c_char>();
        let created = libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CONFIG_CREATE, none, none, 0);
        if created < 0 {
            return Err(io::Error::last_os_error());
        }
        owned(libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), CLOEXEC, 0))
    }
}

/// # Safety
/// `fd` is what a system call returned that makes descriptors.
unsafe fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: not negative, so a new descriptor, which fits an int.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => format!("reading tracefs takes root or CAP_SYS_ADMIN ({error})"),
        Some(libc::ENODEV) => "the kernel has no tracefs (CONFIG_TRACING is off)".to_string(),
        Some(libc::ENOSYS) => {
            "tracefs is not mounted, and the kernel is too old to reach it otherwise: mount -t tracefs tracefs \
             /sys/kernel/tracing"
                .to_string()
        }
        _ => format!("tracefs cannot be opened: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_say_what_to_do() {
        let says = |code, text: &str| assert!(reason(&io::Error::from_raw_os_error(code)).contains(text), "{text}");
        says(libc::EPERM, "root");
        says(libc::ENODEV, "CONFIG_TRACING");
        says(libc::ENOSYS, "mount -t tracefs");
        says(libc::EIO, "cannot be opened");
    }

    #[test]
    fn paths_stay_inside() {
        let Ok(tracefs) = Tracefs::open() else { return };
        for path in ["../../etc/passwd", "/etc/passwd", "events/..", "a\0b"] {
            assert_eq!(tracefs.read(path).unwrap_err().kind(), io::ErrorKind::NotFound, "{path}");
        }
        assert!(tracefs.directories("events").is_ok_and(|names| names.iter().any(|name| name == "sched")));
    }
}
