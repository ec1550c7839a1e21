//! The files of the repository, as a checkout has them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Hidden folders that are part of it.
const HIDDEN: [&str; 2] = [".ci", ".cargo"];

/// A file of the repository.
pub struct Source {
    /// Path below the checkout, with slashes.
    pub path: String,
    /// Its content; what is not UTF-8 is replaced.
    pub text: String,
}

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files, sorted by path; build directories, hidden folders but [`HIDDEN`] and Cargo.lock are left out.
pub fn all() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut paths = Vec::new();
        collect(root(), &mut paths);
        paths.sort();
        paths.iter().filter_map(|path| read(path)).collect()
    })
}

/// The Rust files whose path starts with `prefix`.
pub fn rust(prefix: &str) -> impl Iterator<Item = &'static Source> {
    all().iter().filter(move |source| source.path.starts_with(prefix) && source.path.ends_with(".rs"))
}

fn read(path: &Path) -> Option<Source> {
    let text = String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned();
    let path = path.strip_prefix(root()).ok()?.to_string_lossy().into_owned();
    Some(Source { path, text })
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // In a work tree of its own .git is a file that says where the repository is.
        // Cargo puts a CACHEDIR.TAG into each of its build directories, whatever their name.
        let built = name == "target" || path.join("CACHEDIR.TAG").exists();
        if is_directory && !built && (!name.starts_with('.') || HIDDEN.contains(&name.as_str())) {
            collect(&path, into);
        } else if !is_directory && !["Cargo.lock", ".git"].contains(&name.as_str()) {
            into.push(path);
        }
    }
}
