//! Bare names of programs and libraries.

use object::Object;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The dynamic linker's index of libraries.
const CACHE: &str = "/etc/ld.so.cache";
/// What the index begins with; older forms put a table of their own in front of it.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Bytes of the index before its first entry, and of an entry.
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// Offset in the header of the number of entries, and in an entry of the offsets of its two strings.
const COUNT: usize = 20;
const KEY: usize = 4;
const VALUE: usize = 8;

/// Where libraries are on systems without an index.
const FOLDERS: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Whether `file` (`libc.so.6`) is the library that `name` means: `c`, `libc`, `libc.so` or `libc.so.6`.
fn is_library(file: &str, name: &str) -> bool {
    if file == name {
        return true;
    }
    let begins = |stem: &str| file.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match name.contains(".so") {
        true => begins(name),
        false => begins(&format!("{name}.so")) || begins(&format!("lib{name}.so")),
    }
}

/// A library of the system.
pub(super) fn find_library(name: &str) -> Option<PathBuf> {
    let cache = fs::read(CACHE).unwrap_or_default();
    in_cache(&cache, name).filter(|path| path.exists()).or_else(|| in_folders(name))
}

/// A library that a process has loaded.
pub(super) fn mapped_library(pid: i32, name: &str) -> Option<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut paths = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    let found = paths.find(|path| path.rsplit('/').next().is_some_and(|file| is_library(file, name)))?;
    Some(PathBuf::from(found))
}

/// A program of the search path.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let executable =
        |path: &Path| fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_absolute() && executable(path))
}

/// Where what was stripped from programs is kept.
const DEBUG_FOLDER: &str = "/usr/lib/debug";

/// The file with the symbols of a stripped one: by its build id, or by the name that it gives.
pub(super) fn separate_debug_file(path: &Path, data: &[u8]) -> Option<PathBuf> {
    let file = object::File::parse(data).ok()?;
    let by_id = file.build_id().ok().flatten().and_then(|id| {
        let (first, rest) = id.split_first()?;
        let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(PathBuf::from(format!("{DEBUG_FOLDER}/.build-id/{first:02x}/{rest}.debug")))
    });
    let by_name = file.gnu_debuglink().ok().flatten().into_iter().flat_map(|(name, _)| {
        let name = PathBuf::from(String::from_utf8_lossy(name).into_owned());
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let inside = folder.strip_prefix("/").unwrap_or(&folder).to_path_buf();
        [folder.join(".debug").join(&name), Path::new(DEBUG_FOLDER).join(inside).join(&name), folder.join(&name)]
    });
    by_id.into_iter().chain(by_name).find(|candidate| candidate != path && candidate.is_file())
}

fn in_cache(cache: &[u8], name: &str) -> Option<PathBuf> {
    let start = cache.windows(MAGIC.len()).position(|window| window == MAGIC)?;
    let table = cache.get(start..)?;
    let number = |at: usize| Some(u32::from_le_bytes(table.get(at..at + 4)?.try_into().ok()?) as usize);
    let text = |at: usize| {
        let rest = table.get(at..)?;
        std::str::from_utf8(rest.split(|byte| *byte == 0).next()?).ok()
    };
    let fits = |at: usize| {
        let key = text(number(at + KEY)?)?;
        is_library(key, name).then_some(())?;
        let path = text(number(at + VALUE)?)?;
        is_native(path).then(|| PathBuf::from(path))
    };
    let entries = number(COUNT)?.min(table.len() / ENTRY);
    (0..entries).find_map(|at| fits(HEADER + at * ENTRY))
}

/// The index has libraries of other word sizes too: byte 4 of an ELF file says which.
fn is_native(path: &str) -> bool {
    use std::io::Read;
    let mut identity = [0; 5];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut identity));
    read.is_ok() && identity[4] == if cfg!(target_pointer_width = "64") { 2 } else { 1 }
}

fn in_folders(name: &str) -> Option<PathBuf> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let folders = FOLDERS.iter().flat_map(|folder| [Path::new(folder).join(&triple), PathBuf::from(folder)]);
    folders.into_iter().find_map(|folder| {
        let entries = fs::read_dir(folder).ok()?.flatten();
        let fits = |file: &fs::DirEntry| file.file_name().to_str().is_some_and(|file| is_library(file, name));
        let mut found: Vec<PathBuf> = entries.filter(fits).map(|file| file.path()).collect();
        found.sort();
        found.into_iter().find(|path| path.to_str().is_some_and(is_native))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries() {
        for name in ["c", "libc", "libc.so", "libc.so.6"] {
            assert!(is_library("libc.so.6", name), "{name}");
        }
        assert!(!is_library("libcrypt.so.1", "libc"));
        assert!(!is_library("libc.so.6", "libc.so.7"));
    }

    #[test]
    fn broken_indexes_hold_nothing() {
        let cache = fs::read(CACHE).unwrap_or_default();
        assert_eq!(in_cache(b"", "libc"), None);
        for len in (0..cache.len().min(4096)).step_by(7) {
            assert_eq!(in_cache(&cache[..len], "libc").filter(|path| !path.is_absolute()), None);
        }
    }

    #[test]
    fn programs_and_folders() {
        assert!(find_program("sh").is_some());
        assert!(find_program("lt-no-such-program").is_none());
        assert!(in_folders("libc").is_some());
    }
}
