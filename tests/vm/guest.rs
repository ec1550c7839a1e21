//! What a guest starts from: the static init and the initramfs that carries it.

use super::kernels::Kernel;
use super::{cpio::Archive, modules, wire};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Directories of the host that get a throw-away layer in the guest, beside the checkout's own.
const WRITABLE: [&str; 9] = ["/tmp", "/var", "/etc", "/root", "/home", "/opt", "/srv", "/mnt", "/media"];

/// The checkout: the directory of the workspace.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The release build of `lt` that the tests drive.
pub fn lt() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lt"))
}

/// The overlays of a guest: real directories only (a symbolic link leads into another one of them), sorted so that outer
/// ones are mounted first.
pub fn overlays() -> Vec<String> {
    let mut all: Vec<PathBuf> = WRITABLE.iter().map(PathBuf::from).collect();
    // The build directory may lie elsewhere than the checkout.
    for path in [checkout(), lt()] {
        all.extend(path.components().nth(1).map(|top| Path::new("/").join(top)));
    }
    all.retain(|d| d.symlink_metadata().is_ok_and(|m| m.is_dir()));
    all.sort();
    all.dedup();
    all.into_iter().filter_map(|d| d.into_os_string().into_string().ok()).collect()
}

/// The static init: built by cargo, once per test run, in a target directory of its own below the one in use (another
/// set of flags in the same one would have both rebuilt over and over). Takes some seconds the first time.
pub fn init() -> Result<&'static [u8], String> {
    static INIT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = INIT.get_or_init(build_init);
    built.as_deref().map_err(Clone::clone)
}

fn build_init() -> Result<Vec<u8>, String> {
    let target = lt().parent().and_then(Path::parent).unwrap_or(checkout()).join("vm-init");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--release", "--package", "lt-vm-init", "--target", TRIPLE]);
    command.arg("--target-dir").arg(&target);
    command.arg("--manifest-path").arg(checkout().join("Cargo.toml"));
    // With a target given, these do not reach build scripts.
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", "-C target-feature=+crt-static");
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("cargo, to build lt-vm-init: {e}"))?;
    if !output.status.success() {
        return Err(format!("building lt-vm-init failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let binary = target.join(TRIPLE).join("release/lt-vm-init");
    std::fs::read(&binary).map_err(|e| format!("{}: {e}", binary.display()))
}

/// The initramfs for `kernel`: init, the modules of the boot, and the settings.
pub fn initramfs(kernel: &Kernel) -> Result<Vec<u8>, String> {
    let mut archive = Archive::default();
    archive.file("init", 0o755, init()?);
    archive.directory("modules");
    let listing = kernel.modules.join("modules.dep");
    let listing = std::fs::read_to_string(&listing).map_err(|e| format!("{}: {e}", listing.display()))?;
    let mut config = Vec::new();
    for module in modules::load_order(&listing, &modules::BOOT) {
        let name = format!("modules/{}.ko", modules::stem(&module));
        archive.file(&name, 0o644, &modules::read(&kernel.modules.join(&module))?);
        config.push(("module", format!("/{name}")));
    }
    config.extend(overlays().into_iter().map(|directory| ("overlay", directory)));
    config.push(("modules", kernel.modules.to_string_lossy().into_owned()));
    archive.file(wire::CONFIG.trim_start_matches('/'), 0o600, &wire::encode(config));
    Ok(archive.finish())
}
