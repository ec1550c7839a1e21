//! Programs and libraries that probes name: where they are, and which functions they have.

mod library;
mod map;

use library::{find_library, find_program};
use lt_lang::kernel::{KernelError, Lookup, Segment, UserFile, UserFunction};
use map::Mapped;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{Endianness, FileKind, elf};
use std::cell::RefCell;
use std::collections::HashMap;
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

    /// The file that `name` means; see [`lt_lang::kernel::ProbeTargets::user_file`].
    pub(crate) fn get(&self, name: &str) -> Lookup<Rc<UserFile>> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let found = match self.locate(name) {
            Some(path) => read(&path).map_err(|why| KernelError::Unreadable(format!("{}: {why}", path.display())))?,
            None => None,
        };
        let found = found.map(Rc::new);
        self.known.borrow_mut().insert(name.to_string(), found.clone());
        Ok(found)
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
        let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        match (identity(&root), identity(Path::new("/"))) {
            (Some(theirs), Some(ours)) if theirs != ours => root.join(path.strip_prefix("/").unwrap_or(path)),
            _ => path.to_path_buf(),
        }
    }
}

/// Reads symbol tables and segments; `Ok(None)` when there is no such file.
fn read(path: &Path) -> Result<Option<UserFile>, String> {
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
    let (functions, segments) = parsed.map_err(|error| error.to_string())?;
    Ok(Some(UserFile { path: path.display().to_string(), functions, segments }))
}

type Contents = (Vec<UserFunction>, Vec<Segment>);

fn parse<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> object::Result<Contents> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let loaded = header.program_headers(endian, data)?.iter();
    let code = loaded.filter(|part| part.p_type(endian) == elf::PT_LOAD && part.p_flags(endian) & elf::PF_X != 0);
    let segments: Vec<Segment> = code
        .map(|part| Segment {
            address: part.p_vaddr(endian).into(),
            size: part.p_filesz(endian).into(),
            offset: part.p_offset(endian).into(),
        })
        .collect();
    let sections = header.sections(endian, data)?;
    let mut functions = Vec::new();
    for kind in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
        let table = sections.symbols(endian, data, kind)?;
        let defined = table.iter().filter(|symbol| symbol.st_shndx(endian) != elf::SHN_UNDEF);
        for symbol in defined.filter(|symbol| symbol.st_type() == elf::STT_FUNC) {
            let name = symbol.name(endian, table.strings())?;
            let (address, size) = (symbol.st_value(endian).into(), symbol.st_size(endian).into());
            if !name.is_empty() && address != 0 {
                functions.push(UserFunction { name: String::from_utf8_lossy(name).into_owned(), address, size });
            }
        }
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions.dedup_by(|later, first| later.name == first.name);
    Ok((functions, segments))
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
