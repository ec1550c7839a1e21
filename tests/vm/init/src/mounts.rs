//! The guest's file systems: the host's tree below, throw-away layers and the kernel's own file systems above.

use crate::sys::{complain, mount, put};
use std::fs::{create_dir_all, metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

/// Where the new root is put together.
pub const ROOT: &str = "/root-view";
const SCRATCH: &str = "/scratch";

/// What PID 1 itself needs: devices, processes, the kernel's objects.
pub fn early() -> Result<(), String> {
    for (directory, kind) in [("/dev", "devtmpfs"), ("/proc", "proc"), ("/sys", "sysfs")] {
        create_dir_all(directory).map_err(|e| format!("{directory}: {e}"))?;
        required(kind, directory, kind, 0, "")?;
    }
    Ok(())
}

/// Builds the new root under [`ROOT`]: the host's tree read only, an overlay over each of `overlays`, the kernel's file
/// systems.
pub fn host_tree(overlays: &[String]) -> Result<(), String> {
    for directory in [ROOT, SCRATCH] {
        create_dir_all(directory).map_err(|e| format!("{directory}: {e}"))?;
    }
    required("root", ROOT, "virtiofs", libc::MS_RDONLY, "")?;
    read_ahead();
    required("scratch", SCRATCH, "tmpfs", 0, "size=75%,mode=755")?;
    for (index, directory) in overlays.iter().enumerate() {
        if let Err(problem) = overlay(index, &format!("{ROOT}{directory}")) {
            return Err(format!("overlay over {directory}: {problem}"));
        }
    }
    kernel_file_systems()
}

/// The host's page cache backs every read, so a large read-ahead only spares round trips.
fn read_ahead() {
    if let Ok(meta) = metadata(ROOT) {
        let (major, minor) = (libc::major(meta.dev()), libc::minor(meta.dev()));
        put(&format!("/sys/class/bdi/{major}:{minor}/read_ahead_kb"), "1024");
    }
}

fn overlay(index: usize, directory: &str) -> std::io::Result<()> {
    let (upper, work) = (format!("{SCRATCH}/{index}/upper"), format!("{SCRATCH}/{index}/work"));
    create_dir_all(&upper)?;
    create_dir_all(&work)?;
    let meta = metadata(directory)?;
    std::fs::set_permissions(&upper, std::fs::Permissions::from_mode(meta.mode() & 0o7777))?;
    chown(&upper, Some(meta.uid()), Some(meta.gid()))?;
    mount("overlay", directory, "overlay", 0, &format!("lowerdir={directory},upperdir={upper},workdir={work}"))
}

fn kernel_file_systems() -> Result<(), String> {
    let at = |path: &str| format!("{ROOT}{path}");
    for (directory, kind) in [("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "devtmpfs")] {
        required(kind, &at(directory), kind, 0, "")?;
    }
    for (directory, kind) in [
        ("/sys/kernel/debug", "debugfs"),
        ("/sys/kernel/tracing", "tracefs"),
        ("/sys/kernel/security", "securityfs"),
        ("/sys/fs/bpf", "bpf"),
        ("/sys/fs/cgroup", "cgroup2"),
    ] {
        wanted(kind, &at(directory), kind, "");
    }
    for directory in ["/dev/pts", "/dev/shm"] {
        let _ = create_dir_all(at(directory));
    }
    wanted("devpts", &at("/dev/pts"), "devpts", "mode=620,ptmxmode=666");
    wanted("shm", &at("/dev/shm"), "tmpfs", "mode=1777");
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        let _ = symlink(format!("/proc/self/fd{target}"), at(&format!("/dev/{name}")));
    }
    required("run", &at("/run"), "tmpfs", 0, "mode=755")?;
    let _ = create_dir_all(at("/run/lock"));
    Ok(())
}

/// Makes [`ROOT`] the root of this process and of all that follow.
pub fn switch_root() -> Result<(), String> {
    let told = |what: &str, e: std::io::Error| format!("switching root: {what}: {e}");
    std::env::set_current_dir(ROOT).map_err(|e| told("chdir", e))?;
    mount(ROOT, "/", "", libc::MS_MOVE, "").map_err(|e| told("move", e))?;
    std::os::unix::fs::chroot(".").map_err(|e| told("chroot", e))?;
    std::env::set_current_dir("/").map_err(|e| told("chdir /", e))
}

fn required(source: &str, target: &str, kind: &str, flags: libc::c_ulong, options: &str) -> Result<(), String> {
    mount(source, target, kind, flags, options).map_err(|e| format!("mounting {kind} on {target}: {e}"))
}

fn wanted(source: &str, target: &str, kind: &str, options: &str) {
    if let Err(problem) = required(source, target, kind, 0, options) {
        complain(&problem);
    }
}
