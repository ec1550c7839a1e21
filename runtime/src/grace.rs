//! Waiting until no program runs any more that was running before.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `MEMBARRIER_CMD_GLOBAL`
const GLOBAL: libc::c_int = 1;

/// Waits until all programs that are running now have ended: 5 to 30 milliseconds. They run inside of read-side critical
/// sections of RCU, and `membarrier` waits for a grace period of it. On kernels that isolate CPUs (nohz_full) it refuses;
/// replacing an inner map does the same there.
pub fn wait_for_programs() -> io::Result<()> {
    // SAFETY: the call takes numbers only.
    if unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) } == 0 {
        return Ok(());
    }
    wait_by_map()
}

/// The kernel ends the update of a map of maps once no program uses the inner map that was there before.
fn wait_by_map() -> io::Result<()> {
    let inner = create(libbpf_sys::BPF_MAP_TYPE_ARRAY, c"lt_inner", None)?;
    let outer = create(libbpf_sys::BPF_MAP_TYPE_ARRAY_OF_MAPS, c"lt_outer", Some(&inner))?;
    let (key, value) = (0u32, inner.as_raw_fd() as u32);
    // SAFETY: key and value have the four bytes that the map was made for.
    let status = unsafe {
        libbpf_sys::bpf_map_update_elem(outer.as_raw_fd(), (&raw const key).cast(), (&raw const value).cast(), 0)
    };
    if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-status)) }
}

/// An array of one element of four bytes.
fn create(kind: libbpf_sys::bpf_map_type, name: &CStr, inner: Option<&OwnedFd>) -> io::Result<OwnedFd> {
    let mut options = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t,
        ..Default::default()
    };
    options.inner_map_fd = inner.map_or(0, |inner| inner.as_raw_fd() as u32);
    // SAFETY: name and options outlive the call.
    let fd = unsafe { libbpf_sys::bpf_map_create(kind, name.as_ptr(), 4, 4, 1, &raw const options) };
    // SAFETY: the descriptor is new and ours.
    if fd >= 0 { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) } else { Err(io::Error::from_raw_os_error(-fd)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_end() {
        assert!(wait_for_programs().is_ok() || wait_by_map().is_err());
        let by_map = wait_by_map();
        // ordinary users may not make maps
        assert!(
            by_map.as_ref().is_ok_and(|()| true)
                || by_map.is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
        );
    }
}
