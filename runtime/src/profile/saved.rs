//! A kernel that a file describes, and writing such files.

use super::container::{self, Container, Header};
use super::{KernelProfile, Source};
use crate::btf::{self, KernelBtf};
use crate::kernel_files;
use crate::targets::{self, EachFunction, VMLINUX};
use lt_lang::kernel::{FEATURES, Feature, Kernel, KernelError, Lookup, ProbeTargets, wildcard_match};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

const BTF: &str = "btf";
const FUNCTIONS: &str = "functions";
const TRACEPOINTS: &str = "tracepoints";

/// Format files by category and name.
type Formats = BTreeMap<(String, String), String>;

/// A kernel profile from a file.
pub(super) struct SavedKernel {
    container: Container,
    functions: OnceCell<Result<String, KernelError>>,
    formats: OnceCell<Result<Formats, KernelError>>,
}

impl SavedKernel {
    pub(super) fn open(path: &Path) -> Result<SavedKernel, String> {
        let container = Container::open(path)?;
        Ok(SavedKernel { container, functions: OnceCell::new(), formats: OnceCell::new() })
    }

    pub(super) fn release(&self) -> &str {
        &self.container.header.release
    }

    pub(super) fn possible_cpus(&self) -> u32 {
        self.container.header.possible_cpus.max(1)
    }

    /// The saved answer; `None` when the file is older than the feature's row.
    pub(super) fn has(&self, feature: Feature) -> Option<bool> {
        self.container.header.features.get(&key(feature)).copied()
    }

    pub(super) fn btf(&self) -> Result<KernelBtf, String> {
        match self.container.section(BTF)? {
            Some((mut file, size)) => KernelBtf::from_part(&mut file, size).map_err(|why| self.container.says(&why)),
            None => Err(self.container.says("the kernel profile holds no BTF")),
        }
    }

    pub(super) fn each_function(&self, each: EachFunction<'_>) -> Result<(), KernelError> {
        let read = || {
            let text = self.container.text(FUNCTIONS).map_err(KernelError::Unreadable)?;
            text.ok_or_else(|| KernelError::Unreadable(self.container.says("the kernel profile holds no functions")))
        };
        let text = self.functions.get_or_init(read).as_ref().map_err(Clone::clone)?;
        targets::each_listed_function(text.as_bytes(), each)
            .map_err(|error| KernelError::Unreadable(self.container.says(&error.to_string())))
    }

    fn formats(&self) -> Result<&Formats, KernelError> {
        let read = || {
            let text = self.container.text(TRACEPOINTS).map_err(KernelError::Unreadable)?;
            let none = || KernelError::NoTracefs(self.container.says("the kernel profile holds no tracepoints"));
            split_formats(&text.ok_or_else(none)?)
                .ok_or_else(|| KernelError::Unreadable(self.container.says("its tracepoints are malformed")))
        };
        self.formats.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    pub(super) fn format_text(&self, category: &str, name: &str) -> Lookup<String> {
        Ok(self.formats()?.get(&(category.to_string(), name.to_string())).cloned())
    }

    pub(super) fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        let matching =
            self.formats()?.keys().filter(|(of, event)| wildcard_match(category, of) && wildcard_match(name, event));
        Ok(matching.cloned().collect())
    }
}

fn key(feature: Feature) -> String {
    format!("{feature:?}")
}

/// Reads the section that [`join_formats`] writes.
fn split_formats(mut text: &str) -> Option<Formats> {
    let mut formats = Formats::new();
    while !text.is_empty() {
        let (line, rest) = text.split_once('\n')?;
        let mut words = line.split(' ');
        let (category, name) = (words.next()?, words.next()?);
        let len: usize = words.next()?.parse().ok()?;
        formats.insert((category.to_string(), name.to_string()), rest.get(..len)?.to_string());
        text = rest.get(len..)?;
    }
    Some(formats)
}

fn join_formats(formats: &Formats) -> Vec<u8> {
    let mut text = String::new();
    for ((category, name), format) in formats {
        text += &format!("{category} {name} {}\n{format}", format.len());
    }
    text.into_bytes()
}

/// Writes a kernel's profile to a file.
pub(super) fn save(kernel: &KernelProfile, path: &Path) -> Result<(), KernelError> {
    let header = Header {
        release: kernel.release().to_string(),
        possible_cpus: kernel.possible_cpus(),
        features: FEATURES.iter().map(|row| (key(row.feature), kernel.has(row.feature))).collect(),
        ..Header::default()
    };
    let parts = [(BTF, btf_bytes(kernel)), (FUNCTIONS, functions(kernel)), (TRACEPOINTS, tracepoints(kernel)?)];
    let sections: Vec<(&str, Vec<u8>)> =
        parts.into_iter().filter_map(|(name, bytes)| bytes.map(|bytes| (name, bytes))).collect();
    container::write(path, header, &sections)
        .map_err(|error| KernelError::Unreadable(format!("{}: {error}", path.display())))
}

fn btf_bytes(kernel: &KernelProfile) -> Option<Vec<u8>> {
    match (&kernel.btf_file, &kernel.source) {
        (Some(path), _) => std::fs::read(path).ok(),
        (None, Source::Running) => std::fs::read(btf::VMLINUX).ok(),
        (None, Source::Saved(saved)) => {
            let (file, size) = saved.container.section(BTF).ok()??;
            let mut bytes = Vec::new();
            file.take(size).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
    }
}

fn functions(kernel: &KernelProfile) -> Option<Vec<u8>> {
    let blacklist = kernel_files::kprobe_blacklist();
    let refuses = |name: &str| matches!(kernel.source, Source::Running) && blacklist.iter().any(|it| it == name);
    let mut lines = Vec::new();
    let read = kernel.each_function(&mut |name, module| {
        if !refuses(name) {
            lines.push(if module == VMLINUX { format!("{name}\n") } else { format!("{name} [{module}]\n") });
        }
        ControlFlow::Continue(())
    });
    lines.sort_unstable();
    lines.dedup();
    read.ok().map(|()| lines.concat().into_bytes())
}

fn tracepoints(kernel: &KernelProfile) -> Result<Option<Vec<u8>>, KernelError> {
    let Ok(names) = kernel.tracepoints("*", "*") else { return Ok(None) };
    let mut formats = Formats::new();
    for (category, name) in names {
        if let Some(mut text) = kernel.format_text(&category, &name)? {
            if let Some(end) = text.find("\nprint fmt:") {
                text.truncate(end + 1);
            }
            formats.insert((category, name), text);
        }
    }
    Ok(Some(join_formats(&formats)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_come_back_as_they_went_in() {
        let mut formats = Formats::new();
        formats.insert(("a".to_string(), "b".to_string()), "ID: 1\nformat:\n".to_string());
        formats.insert(("c".to_string(), "d".to_string()), String::new());
        let joined = String::from_utf8(join_formats(&formats)).unwrap();
        assert_eq!(split_formats(&joined), Some(formats));
        for end in 1..joined.len() {
            // A cut is found out or lies between two entries; it never panics.
            let _ = split_formats(&joined[..end]);
        }
        assert_eq!(split_formats("a b 99999999999999999999\n"), None);
        assert_eq!(split_formats("a b\n"), None);
    }
}
