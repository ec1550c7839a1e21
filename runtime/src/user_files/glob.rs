//! Files by patterns of paths, and those that processes have mapped.

use lt_lang::kernel::wildcard_match;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Paths of files that match, as they are written: `./bin/x*` gives `./bin/xyz`. Sorted.
pub(super) fn matching(pattern: &str) -> Vec<String> {
    let (mut found, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (vec!["/".to_string()], rest),
        None => (vec![String::new()], pattern),
    };
    for part in rest.split('/') {
        found = found.iter().flat_map(|folder| within(folder, part)).collect();
    }
    found.retain(|path| Path::new(path).is_file());
    found.sort();
    found
}

/// Entries of a folder that match one part of a pattern.
fn within(folder: &str, part: &str) -> Vec<String> {
    let joined = |name: &str| match folder {
        "" => name.to_string(),
        "/" => format!("/{name}"),
        folder => format!("{folder}/{name}"),
    };
    if !part.contains(['*', '?']) {
        return vec![joined(part)];
    }
    let place = if folder.is_empty() { "." } else { folder };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.') && wildcard_match(part, name)).map(|name| joined(&name)).collect()
}

/// All processes.
pub(super) fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Paths of the files that processes have mapped as code, sorted.
pub(super) fn mapped(processes: &[i32]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for pid in processes {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        for line in maps.lines() {
            let code = line.split_ascii_whitespace().nth(1).is_some_and(|mode| mode.contains('x'));
            if let Some(path) = line.find('/').and_then(|at| line.get(at..)).filter(|_| code) {
                found.insert(path.to_string());
            }
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one"), "").unwrap();
        fs::write(folder.path().join("other"), "").unwrap();
        fs::create_dir(folder.path().join("old")).unwrap();
        let place = folder.path().display().to_string();
        assert_eq!(matching(&format!("{place}/o*")), [format!("{place}/one"), format!("{place}/other")]);
        let above = place.replace("/tmp/", "/t?p/");
        assert!(matching(&format!("{above}/one")).contains(&format!("{place}/one")));
        assert!(matching(&format!("{place}/x*")).is_empty());
    }

    #[test]
    fn a_process_maps_its_program() {
        let own = std::env::current_exe().unwrap().display().to_string();
        assert!(mapped(&[std::process::id() as i32]).contains(&own));
        assert!(processes().contains(&(std::process::id() as i32)));
    }
}
