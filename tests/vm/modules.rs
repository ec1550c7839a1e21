//! The modules a guest must load before it can see the host's files, in an order in which they load.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a boot needs unless the kernel has it built in.
pub const BOOT: [&str; 4] = ["virtio_pci", "virtio_console", "virtiofs", "overlay"];

/// The paths (relative to the modules' directory) of `names` and all that they depend on, dependencies first. Names
/// that modules.dep does not list are taken to be built in.
pub fn load_order(modules_dep: &str, names: &[&str]) -> Vec<String> {
    let mut dependencies: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut paths: HashMap<String, &str> = HashMap::new();
    for (path, needs) in modules_dep.lines().filter_map(|l| l.split_once(':')) {
        dependencies.insert(path, needs.split_whitespace().collect());
        paths.insert(stem(path).replace('-', "_"), path);
    }
    let mut order: Vec<String> = Vec::new();
    for path in names.iter().filter_map(|n| paths.get(*n)) {
        // A line lists all dependencies, also indirect ones, the last to be loaded first.
        for module in dependencies[path].iter().rev().chain([path]) {
            if !order.iter().any(|m| m == module) {
                order.push((*module).to_owned());
            }
        }
    }
    order
}

/// `kernel/fs/overlayfs/overlay.ko.xz` to `overlay`.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split(".ko").next().unwrap_or(name)
}

/// A module's bytes, decompressed: distribution kernels ship .ko, .ko.xz, .ko.zst or .ko.gz, and the older ones cannot
/// decompress by themselves.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let tool = match path.extension().and_then(|e| e.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        _ => return std::fs::read(path).map_err(|e| format!("{}: {e}", path.display())),
    };
    let output = Command::new(tool).arg("-dc").arg(path).stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("{tool}, needed for {}: {e}", path.display()))?;
    if !output.status.success() {
        return Err(format!("{tool} -dc {}: {}", path.display(), String::from_utf8_lossy(&output.stderr)));
    }
    Ok(output.stdout)
}
