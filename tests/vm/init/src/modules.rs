//! Kernel modules: those that the boot needs, and the rest for whoever calls modprobe.

use crate::mounts::ROOT;
use crate::sys;
use std::fs::{File, create_dir_all};
use std::path::Path;

/// Loads one module file of the initramfs. One that is there already is fine.
pub fn load(path: &Path) -> Result<(), String> {
    let told = |e: std::io::Error| format!("module {}: {e}", path.display());
    let file = File::open(path).map_err(told)?;
    match sys::insert_module(&file) {
        Err(e) if e.raw_os_error() != Some(libc::EEXIST) => Err(told(e)),
        _ => Ok(()),
    }
}

/// Puts the kernel's modules (`source` is their directory in the host's tree) where modprobe looks.
///
/// /lib/modules is used when the host has that directory. A host without any installed kernel has none and the tree is
/// read only, so there the modules go below /run, and both the kernel's own calls of modprobe and those of jobs
/// (by `MODPROBE_OPTIONS`, see the agent) are pointed to it.
pub fn expose(source: &str, release: &str) {
    let standard = format!("{ROOT}/usr/lib/modules");
    let prefix = if Path::new(&standard).is_dir() && sys::mount("modules", &standard, "tmpfs", 0, "").is_ok() {
        format!("{ROOT}/usr")
    } else {
        elsewhere();
        format!("{ROOT}{ELSEWHERE}")
    };
    let target = format!("{prefix}/lib/modules/{release}");
    let _ = create_dir_all(&target);
    if let Err(problem) = sys::mount(&format!("{ROOT}{source}"), &target, "", libc::MS_BIND, "") {
        sys::complain(&format!("{source} on {target}: {problem}"));
    }
    device_nodes(&format!("{target}/modules.devname"));
}

/// The directory that modprobe is pointed to when /lib/modules cannot be had.
pub const ELSEWHERE: &str = "/run/lt-modules";

/// The kernel's own requests for modules: a wrapper, because its setting is one path without arguments.
fn elsewhere() {
    use std::os::unix::fs::PermissionsExt;
    let script = format!("{ELSEWHERE}/modprobe");
    let text = format!("#!/bin/sh\nexec /sbin/modprobe -d {ELSEWHERE} \"$@\"\n");
    let _ = create_dir_all(format!("{ROOT}{ELSEWHERE}"));
    let _ = std::fs::write(format!("{ROOT}{script}"), text);
    let _ = std::fs::set_permissions(format!("{ROOT}{script}"), std::fs::Permissions::from_mode(0o755));
    sys::put("/proc/sys/kernel/modprobe", &script);
}

/// What udev does for modules that wait for someone to open their device (loop-control, fuse, net/tun).
fn device_nodes(list: &str) {
    let Ok(text) = std::fs::read_to_string(list) else { return };
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (Some(name), Some(device)) = (words.next(), words.next()) else { continue };
        let (kind, numbers) = device.split_at(1.min(device.len()));
        let Some((Ok(major), Ok(minor))) = numbers.split_once(':').map(|(a, b)| (a.parse(), b.parse())) else {
            continue;
        };
        let path = format!("{ROOT}/dev/{name}");
        let _ = Path::new(&path).parent().map(create_dir_all);
        let kind = if kind == "b" { libc::S_IFBLK } else { libc::S_IFCHR };
        // Fails where the kernel made the node itself.
        let _ = sys::make_node(&path, kind, major, minor);
    }
}
