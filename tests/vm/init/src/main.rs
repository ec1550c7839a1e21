//! PID 1 of a test guest.
//!
//! It loads the modules that the initramfs brings, mounts the host's root file system (read only, with throw-away
//! overlays), makes the guest a comfortable place for a tracer, and then runs the jobs that the host streams over one
//! virtio-serial port, one after the other, until the host kills the machine.
//!
//! Whatever goes wrong before the first job is said on the kernel's console, which the host shows.

mod agent;
mod modules;
mod mounts;
mod sys;
mod wire;

use std::path::Path;

fn main() {
    match boot() {
        Ok(port) => agent::serve(port),
        Err(problem) => {
            sys::complain(&problem);
            // Lets the console drain before the machine goes away.
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
    }
    sys::power_off()
}

/// Everything up to the first job. Gives back the open port, on which the greeting has been sent.
fn boot() -> Result<std::fs::File, String> {
    mounts::early()?;
    let config = std::fs::read(wire::CONFIG).map_err(|e| format!("{}: {e}", wire::CONFIG))?;
    let config = wire::decode(&config);
    let many = |key: &str| config.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect::<Vec<_>>();
    for module in many("module") {
        modules::load(Path::new(&module))?;
    }
    let mut port = agent::open_port()?;
    let release = sys::release();
    mounts::host_tree(&many("overlay"))?;
    if let Some(modules) = many("modules").first() {
        modules::expose(modules, &release);
    }
    mounts::switch_root()?;
    settle();
    agent::greet(&mut port, &release)?;
    Ok(port)
}

/// Settings that make the guest fit for tracing. Each is best effort: kernels differ in what they have.
fn settle() {
    for controller in ["+memory", "+io", "+cpu", "+pids", "+cpuset"] {
        sys::put("/sys/fs/cgroup/cgroup.subtree_control", controller);
    }
    for (path, value) in [
        ("/proc/sys/kernel/perf_event_paranoid", "-1"),
        ("/proc/sys/kernel/kptr_restrict", "0"),
        ("/proc/sys/net/core/bpf_jit_enable", "1"),
        ("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
        ("/proc/sys/kernel/hostname", "vm"),
    ] {
        sys::put(path, value);
    }
    if let Err(problem) = sys::loopback_up() {
        sys::complain(&format!("lo: {problem}"));
    }
    sys::lift_limits();
}
