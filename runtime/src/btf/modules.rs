//! BTF of kernel modules: one file each under /sys/kernel/btf, on top of vmlinux's types and strings.

use super::open::module_bytes;
use btf_rs::Btf;
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules, none of them read yet.
pub(super) struct Modules {
    directory: Option<PathBuf>,
    modules: OnceCell<Vec<Module>>,
}

struct Module {
    name: String,
    btf: OnceCell<Option<Btf>>,
}

impl Modules {
    /// Those loaded now.
    pub(super) fn running() -> Modules {
        Modules { directory: Path::new(super::VMLINUX).parent().map(Path::to_path_buf), modules: OnceCell::new() }
    }

    /// None at all.
    pub(super) fn none() -> Modules {
        Modules { directory: None, modules: OnceCell::new() }
    }

    fn list(&self) -> &[Module] {
        self.modules.get_or_init(|| {
            let entries = self.directory.as_ref().and_then(|directory| fs::read_dir(directory).ok());
            let names =
                entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|name| name != "vmlinux").collect();
            names.sort();
            names.into_iter().map(|name| Module { name, btf: OnceCell::new() }).collect()
        })
    }

    /// Number of modules that have BTF.
    pub(super) fn count(&self) -> usize {
        self.list().len()
    }

    /// Name of a module as types number it: 0 is the kernel itself.
    pub(super) fn name(&self, module: u32) -> String {
        match module.checked_sub(1).and_then(|at| self.list().get(at as usize)) {
            Some(module) => module.name.clone(),
            None => "vmlinux".to_string(),
        }
    }

    /// A module's BTF, parsed when first asked for.
    pub(super) fn open(&self, at: usize, base: &Btf) -> Option<&Btf> {
        let module = self.list().get(at)?;
        module.btf.get_or_init(|| module_bytes(&self.bytes(&module.name)?, base)).as_ref()
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.directory.as_ref()?.join(name)).ok()
    }

    /// Modules that can have something of this name, found without parsing them: a module's strings hold a name
    /// unless vmlinux's own strings do.
    pub(super) fn candidates(&self, name: &str) -> Vec<usize> {
        if self.list().is_empty() {
            return Vec::new();
        }
        let mut needle = name.as_bytes().to_vec();
        needle.push(0);
        let has = |file: &str| self.bytes(file).is_some_and(|bytes| contains(&bytes, &needle));
        let everywhere = has("vmlinux");
        let holds = |module: &Module| everywhere || has(&module.name);
        self.list().iter().enumerate().filter(|(_, module)| holds(module)).map(|(at, _)| at).collect()
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn names_are_found_with_their_ends() {
        assert!(contains(b"\0one\0two\0", b"two\0"));
        assert!(!contains(b"\0one\0twofold\0", b"two\0"));
        assert!(!contains(b"", b"x\0"));
    }
}
