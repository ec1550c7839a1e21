//! Programs and libraries that probes name: where they are, and which functions they have.

pub(crate) mod code;
pub(crate) mod demangle;
pub(crate) mod dwarf;
mod glob;
mod library;
mod map;
mod markers;
pub(crate) mod parameters;

use library::{find_library, find_program};
use lt_lang::kernel::{KernelError, Lookup, Marker, Segment, UserFile, UserFunction};
use map::Mapped;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{Endianness, FileKind, elf};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Programs and libraries, each read once, when it is first asked for.
#[derive(Default)]
pub(crate) struct UserFiles {
    /// The process whose file system and libraries are meant.
    process: Option<i32>,
    known: RefCell<HashMap<String, Option<Rc<UserFile>>>>,
}

impl UserFiles {
    /// Those that process `pid` sees: it may live in another mount namespace.
    pub(crate) fn of_process(pid: i32) -> UserFiles {
        UserFiles { process: Some(pid), known: RefCell::default() }
    }

    /// Whether a process was named.
    pub(crate) fn has_process(&self) -> bool {
        self.process.is_some()
    }

    /// The file that `name` means; see [`lt_lang::kernel::ProbeTargets::user_file`].
    pub(crate) fn get(&self, name: &str) -> Lookup<Rc<UserFile>> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let found = match self.locate(name) {
            Some(path) => {
                let shown = if name.contains('/') { name.to_string() } else { path.display().to_string() };
                read(&path, shown).map_err(|why| KernelError::Unreadable(format!("{}: {why}", path.display())))?
            }
            None => None,
        };
        let found = found.map(Rc::new);
        self.known.borrow_mut().insert(name.to_string(), found.clone());
        Ok(found)
    }

    /// The programs and libraries that `pattern` matches; see [`lt_lang::kernel::ProbeTargets::user_files`].
    pub(crate) fn matching(&self, pattern: &str) -> Vec<Rc<UserFile>> {
        let names = match (pattern, self.process) {
            ("" | "*", Some(pid)) => glob::mapped(&[pid]),
            ("" | "*", None) => glob::mapped(&glob::processes()),
            _ => glob::matching(pattern),
        };
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for name in names {
            let Some(file) = self.get(&name).ok().flatten() else { continue };
            let identity = fs::metadata(&file.path).map(|found| (found.dev(), found.ino()));
            if identity.is_ok_and(|identity| seen.insert(identity)) {
                found.push(file);
            }
        }
        found
    }

    fn locate(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            let path = std::path::absolute(name).ok()?;
            return Some(self.inside(&path));
        }
        let process = self.process.and_then(|pid| library::mapped_library(pid, name));
        let looks_like_library = name.starts_with("lib") || name.contains(".so");
        let found = process.or_else(|| match looks_like_library {
            true => find_library(name).or_else(|| find_program(name)),
            false => find_program(name).or_else(|| find_library(name)),
        })?;
        Some(self.inside(&found))
    }

    /// The path as it is reached from here.
    fn inside(&self, path: &Path) -> PathBuf {
        let Some(pid) = self.process else { return path.to_path_buf() };
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        let space = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
        let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        // the same file system can have other mounts in it, or begin elsewhere
        let elsewhere = match (space(&pid.to_string()), space("self")) {
            (Some(theirs), Some(ours)) if theirs != ours => true,
            _ => matches!((identity(&root), identity(Path::new("/"))), (Some(theirs), Some(ours)) if theirs != ours),
        };
        match elsewhere {
            true => root.join(path.strip_prefix("/").unwrap_or(path)),
            false => path.to_path_buf(),
        }
    }
}

/// Reads symbol tables and segments; `Ok(None)` when there is no such file.
fn read(path: &Path, shown: String) -> Result<Option<UserFile>, String> {
    let mapped = match Mapped::open(path) {
        Ok(mapped) => mapped,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let data = mapped.bytes();
    let parsed = match FileKind::parse(data) {
        Ok(FileKind::Elf64) => parse::<elf::FileHeader64<Endianness>>(data),
        Ok(FileKind::Elf32) => parse::<elf::FileHeader32<Endianness>>(data),
        _ => return Err("it is no ELF program or library".to_string()),
    };
    let mut contents = parsed.map_err(|error| error.to_string())?;
    if contents.stripped {
        contents.functions.extend(separate_functions(path, data));
        sort(&mut contents.functions);
    }
    let Contents { functions, segments, markers, .. } = contents;
    Ok(Some(UserFile { path: path.display().to_string(), shown, markers, functions, segments }))
}

/// Functions of a stripped file, from the file that keeps what was stripped.
fn separate_functions(path: &Path, data: &[u8]) -> Vec<UserFunction> {
    let Some(separate) = library::separate_debug_file(path, data) else { return Vec::new() };
    let Ok(mapped) = Mapped::open(&separate) else { return Vec::new() };
    let found = match FileKind::parse(mapped.bytes()) {
        Ok(FileKind::Elf64) => parse::<elf::FileHeader64<Endianness>>(mapped.bytes()),
        Ok(FileKind::Elf32) => parse::<elf::FileHeader32<Endianness>>(mapped.bytes()),
        _ => return Vec::new(),
    };
    found.map(|contents| contents.functions).unwrap_or_default()
}

/// What a file's tables say.
struct Contents {
    functions: Vec<UserFunction>,
    segments: Vec<Segment>,
    markers: Vec<Marker>,
    /// It has no table of symbols but the one for the dynamic linker.
    stripped: bool,
}

fn sort(functions: &mut Vec<UserFunction>) {
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions.dedup_by(|later, first| later.name == first.name);
}

fn parse<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> object::Result<Contents> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let segment = |part: &H::ProgramHeader| Segment {
        address: part.p_vaddr(endian).into(),
        size: part.p_filesz(endian).into(),
        offset: part.p_offset(endian).into(),
    };
    let parts = header.program_headers(endian, data)?;
    let loaded: Vec<&H::ProgramHeader> = parts.iter().filter(|part| part.p_type(endian) == elf::PT_LOAD).collect();
    let code = loaded.iter().filter(|part| part.p_flags(endian) & elf::PF_X != 0);
    let segments: Vec<Segment> = code.map(|part| segment(part)).collect();
    let all: Vec<Segment> = loaded.iter().map(|part| segment(part)).collect();
    let sections = header.sections(endian, data)?;
    let mut functions = Vec::new();
    let mut stripped = false;
    for kind in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
        let table = sections.symbols(endian, data, kind)?;
        stripped |= kind == elf::SHT_SYMTAB && table.is_empty();
        let defined = table.iter().filter(|symbol| symbol.st_shndx(endian) != elf::SHN_UNDEF);
        for symbol in defined.filter(|symbol| symbol.st_type() == elf::STT_FUNC) {
            let name = symbol.name(endian, table.strings())?;
            let (address, size) = (symbol.st_value(endian).into(), symbol.st_size(endian).into());
            if !name.is_empty() && address != 0 {
                functions.push(UserFunction { name: String::from_utf8_lossy(name).into_owned(), address, size });
            }
        }
    }
    sort(&mut functions);
    let markers = markers::read(&sections, endian, data, &all)?;
    Ok(Contents { functions, segments, markers, stripped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_found_by_name() {
        let files = UserFiles::default();
        let found = files.get("libc").unwrap().unwrap();
        assert!(found.path.contains("libc.so"), "{}", found.path);
        let malloc = found.function("malloc").unwrap();
        assert!(malloc.size > 0 && found.offset(malloc.address).is_some());
        assert_eq!(files.get("libc.so.6").unwrap().unwrap().path, found.path);
    }

    #[test]
    fn files_that_are_no_programs() {
        let files = UserFiles::default();
        assert!(files.get("/nonexistent/program").unwrap().is_none());
        assert!(files.get("lt-no-such-program").unwrap().is_none());
        assert!(matches!(files.get("/etc/passwd"), Err(KernelError::Unreadable(why)) if why.contains("no ELF")));
        assert!(matches!(files.get("/tmp"), Err(KernelError::Unreadable(_))));
    }

    #[test]
    fn a_process_is_asked_for_its_libraries() {
        let files = UserFiles::of_process(std::process::id() as i32);
        assert!(files.get("libc").unwrap().unwrap().function("malloc").is_some());
    }
}
