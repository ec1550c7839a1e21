//! Control groups by id: the inode of their folders in the hierarchies that are mounted.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Deepest folder that is looked into.
const DEEPEST: usize = 32;

/// A mounted hierarchy.
#[derive(Debug)]
pub struct Hierarchy {
    /// `unified` for version 2, else its controllers or its own name.
    pub name: String,
    root: PathBuf,
}

impl Hierarchy {
    /// Where the group of this id lies, from the hierarchy's root; `None` when it has none.
    pub fn path(&self, id: u64) -> Option<String> {
        let found = find(&self.root, id, DEEPEST)?;
        let inside = found.strip_prefix(&self.root).ok()?;
        Some(format!("/{}", inside.display()))
    }
}

/// What is mounted, version 2 first.
pub fn hierarchies() -> Vec<Hierarchy> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut found: Vec<Hierarchy> = mounts.lines().filter_map(hierarchy).collect();
    found.sort_by(|left, right| (left.name != UNIFIED, &left.name).cmp(&(right.name != UNIFIED, &right.name)));
    found.dedup_by(|left, right| left.name == right.name);
    found
}

/// Types of file systems.
const VERSION_1: &str = "cgroup";
const VERSION_2: &str = "cgroup2";
/// The name of the hierarchy of version 2.
const UNIFIED: &str = "unified";
/// Options of a mount that name no controller.
const PLAIN: [&str; 6] = ["rw", "ro", "nosuid", "nodev", "noexec", "relatime"];

/// `DEVICE FOLDER TYPE OPTIONS ...`
fn hierarchy(line: &str) -> Option<Hierarchy> {
    let words: Vec<&str> = line.split(' ').collect();
    let [_, folder, kind, options, ..] = words[..] else { return None };
    let root = PathBuf::from(folder);
    match kind {
        VERSION_2 => Some(Hierarchy { name: UNIFIED.into(), root }),
        VERSION_1 => {
            let own = options.split(',').find_map(|option| option.strip_prefix("name="));
            let controllers = || {
                let words = options.split(',').filter(|option| !PLAIN.contains(option) && !option.contains('='));
                words.collect::<Vec<_>>().join(",")
            };
            Some(Hierarchy { name: own.map_or_else(controllers, String::from), root })
        }
        _ => None,
    }
}

fn find(folder: &Path, id: u64, deepest: usize) -> Option<PathBuf> {
    if std::fs::metadata(folder).ok()?.ino() == id {
        return Some(folder.to_path_buf());
    }
    if deepest == 0 {
        return None;
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.into_iter().find_map(|entry| find(&entry.path(), id, deepest - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_told_apart() {
        let named = |line: &str| hierarchy(line).map(|found| found.name);
        assert_eq!(named("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0").as_deref(), Some("unified"));
        assert_eq!(named("cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0").as_deref(), Some("cpu"));
        assert_eq!(named("cgroup /c cgroup rw,xattr,name=systemd 0 0").as_deref(), Some("systemd"));
        assert_eq!(named("proc /proc proc rw 0 0"), None);
    }
}
