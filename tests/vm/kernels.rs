//! The kernels to test on: where they are cached and what is in each.

use std::path::{Path, PathBuf};

/// A kernel version as people name it: major and minor number.
pub type Version = (u32, u32);

/// `5.10` or `6.12.107+deb13` to numbers.
pub fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// One kernel of the test plan.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in trials and in the cache: `6.1`, or `newest` while no newer kernel than the fixed ones is cached.
    pub name: String,
    /// Whether tests fail (rather than being skipped) when it is missing.
    pub required: bool,
}

const REQUIRED: [&str; 2] = ["6.1", "6.12"];
const OPTIONAL: &str = "5.10";
const NEWEST: &str = "newest";

/// The plan: 5.10, 6.1, 6.12 and the newest that is cached.
pub fn targets() -> Vec<Target> {
    let mut names = vec![OPTIONAL.to_owned()];
    names.extend(REQUIRED.map(str::to_owned));
    let newest_fixed = names.iter().filter_map(|n| version(n)).max();
    let newer = std::fs::read_dir(cache()).into_iter().flatten().flatten();
    let newer = newer.filter_map(|e| e.file_name().into_string().ok()).filter(|n| !n.starts_with('.'));
    let newest = newer.filter(|n| version(n) > newest_fixed).max_by_key(|n| version(n));
    names.push(newest.unwrap_or_else(|| NEWEST.to_owned()));
    names.into_iter().map(|name| Target { required: REQUIRED.contains(&name.as_str()), name }).collect()
}

/// The directory that get-kernels fills.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("LT_CACHE").or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("lt")));
    base.or_else(|| set("HOME").map(|d| d.join(".cache/lt"))).unwrap_or_default().join("kernels")
}

/// An unpacked kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name in the cache: `6.12`.
    pub name: String,
    /// What `uname -r` says on it.
    pub release: String,
    /// The bootable image.
    pub image: PathBuf,
    /// The directory with its modules and modules.dep.
    pub modules: PathBuf,
}

impl Kernel {
    /// Looks a kernel up in the cache. The error says what is missing and how to get it.
    pub fn find(name: &str) -> Result<Kernel, String> {
        let directory = cache().join(name);
        let missing = |what: &str| {
            let why = std::fs::read_to_string(cache().join(format!(".why-{name}"))).unwrap_or_default();
            let why = if why.is_empty() { String::new() } else { format!("; the last try said: {}", why.trim_end()) };
            format!("kernel {name}: {what} in {} (`make setup` fetches it){why}", directory.display())
        };
        let modules = ["lib/modules", "usr/lib/modules"].iter().find_map(|d| only_child(&directory.join(d)));
        let modules = modules.ok_or_else(|| missing("nothing"))?;
        if !modules.join("modules.dep").is_file() {
            return Err(missing("no modules.dep"));
        }
        let release = modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let images = [directory.join("boot").join(format!("vmlinuz-{release}")), modules.join("vmlinuz")];
        let image = images.into_iter().find(|p| p.is_file()).ok_or_else(|| missing("no vmlinuz"))?;
        Ok(Kernel { name: name.to_owned(), release, image, modules })
    }
}

fn only_child(directory: &Path) -> Option<PathBuf> {
    let mut children: Vec<PathBuf> = std::fs::read_dir(directory).ok()?.flatten().map(|e| e.path()).collect();
    children.sort();
    children.pop().filter(|p| p.is_dir())
}
