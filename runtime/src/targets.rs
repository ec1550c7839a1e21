//! The names that probes can name: traceable functions and tracepoints.

use crate::kernel_files::{self, each_line};
use crate::tracefs::Tracefs;
use lt_lang::kernel::{KernelError, wildcard_match};
use std::io;
use std::ops::ControlFlow;

/// The kernel itself where a module's name could stand.
pub(crate) const VMLINUX: &str = "vmlinux";

/// Symbols in front of functions that compilers add for their own purposes.
const COMPILER_PREFIXES: [&str; 3] = ["__pfx_", "__cfi_", "__ftrace_invalid_address__"];

/// Takes name and module of a function, and says whether to go on.
pub(crate) type EachFunction<'a> = &'a mut dyn FnMut(&str, &str) -> ControlFlow<()>;

/// A pattern for functions: `NAME` or `MODULE:NAME`, either with wildcards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionPattern<'a> {
    module: Option<&'a str>,
    pub(crate) name: &'a str,
}

impl<'a> FunctionPattern<'a> {
    pub(crate) fn new(pattern: &'a str) -> FunctionPattern<'a> {
        match pattern.split_once(':') {
            Some((module, name)) => FunctionPattern { module: Some(module), name },
            None => FunctionPattern { module: None, name: pattern },
        }
    }

    /// The only name that it can match, when that is so.
    pub(crate) fn exact(&self) -> Option<&'a str> {
        (!is_wild(self.name)).then_some(self.name)
    }

    pub(crate) fn in_module(&self, module: &str) -> bool {
        self.module.is_none_or(|pattern| wildcard_match(pattern, module))
    }

    fn matches(&self, name: &str, module: &str) -> bool {
        wildcard_match(self.name, name) && self.in_module(module)
    }
}

/// Whether a pattern has wildcards.
pub(crate) fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

/// `(module, function)` of the functions that match, sorted; each function once.
pub(crate) fn matching_of(
    module: &str,
    name: &str,
    each: impl FnOnce(EachFunction<'_>) -> Result<(), KernelError>,
) -> Result<Vec<(String, String)>, KernelError> {
    let pattern = FunctionPattern { module: Some(module), name };
    let mut found = Vec::new();
    each(&mut |name, module| {
        if pattern.matches(name, module) {
            found.push((module.to_string(), name.to_string()));
        }
        ControlFlow::Continue(())
    })?;
    found.sort_unstable_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    found.dedup_by(|later, first| later.1 == first.1);
    Ok(found)
}

/// Names that match, sorted, each once. `each` runs through all functions of the kernel; a search for one exact name
/// stops where it is found.
pub(crate) fn matching(
    pattern: FunctionPattern<'_>,
    each: impl FnOnce(EachFunction<'_>) -> Result<(), KernelError>,
) -> Result<Vec<String>, KernelError> {
    let exact = pattern.exact().is_some();
    let mut names = Vec::new();
    each(&mut |name, module| {
        if !pattern.matches(name, module) {
            return ControlFlow::Continue(());
        }
        names.push(name.to_string());
        if exact { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Takes those away that refuse kprobes.
pub(crate) fn without_blacklisted<T>(mut found: Vec<T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    if !found.is_empty() {
        let blacklist = kernel_files::kprobe_blacklist();
        found.retain(|entry| blacklist.binary_search(name(entry)).is_err());
    }
    found
}

/// Runs through the running kernel's functions: what ftrace says can be traced, or else all of kallsyms.
pub(crate) fn each_running_function(tracefs: Option<&Tracefs>, each: EachFunction<'_>) -> Result<(), KernelError> {
    if let Some(tracefs) = tracefs
        && let Some(read) = each_filter_function(tracefs, each)
    {
        return read.map_err(|error| KernelError::Unreadable(format!("available_filter_functions: {error}")));
    }
    let kept = &mut |name: &str, module: &str| match is_compilers(name) {
        true => ControlFlow::Continue(()),
        false => each(name, module),
    };
    kernel_files::each_function_symbol(kept)
        .map_err(|error| KernelError::Unreadable(format!("/proc/kallsyms: {error}")))
}

/// `None` when the file cannot be read at all, which is common: only one reader is let in where tracing is locked down.
fn each_filter_function(tracefs: &Tracefs, each: EachFunction<'_>) -> Option<io::Result<()>> {
    let mut file = tracefs.open_file("available_filter_functions").ok()?;
    let mut first = [0; 1];
    if io::Read::read(&mut file, &mut first).ok()? == 0 {
        return None;
    }
    Some(each_listed_function(io::Read::chain(&first[..], file), each))
}

/// Runs through lines `NAME` and `NAME [MODULE]`.
pub(crate) fn each_listed_function(file: impl io::Read, each: EachFunction<'_>) -> io::Result<()> {
    each_line(file, |line| {
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next().filter(|name| !is_compilers(name)) else { return ControlFlow::Continue(()) };
        each(name, words.next().map_or(VMLINUX, |module| module.trim_matches(['[', ']'])))
    })
}

fn is_compilers(name: &str) -> bool {
    COMPILER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Tracepoints of the running kernel that match.
pub(crate) fn running_tracepoints(
    tracefs: &Tracefs,
    category: &str,
    name: &str,
) -> Result<Vec<(String, String)>, KernelError> {
    if !is_wild(category) && !is_wild(name) {
        let found = is_plain(category) && is_plain(name) && tracefs.open_file(&format_path(category, name)).is_ok();
        return Ok(if found { vec![(category.to_string(), name.to_string())] } else { Vec::new() });
    }
    let file = tracefs.open_file("available_events").map_err(|error| unreadable("available_events", &error))?;
    let mut found = Vec::new();
    each_line(file, |line| {
        if let Some((of, event)) = line.split_once(':')
            && wildcard_match(category, of)
            && wildcard_match(name, event)
        {
            found.push((of.to_string(), event.to_string()));
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| unreadable("available_events", &error))?;
    Ok(found)
}

/// The text of a tracepoint's format file; `None` when there is no such tracepoint.
pub(crate) fn running_format(tracefs: &Tracefs, category: &str, name: &str) -> Result<Option<String>, KernelError> {
    if !is_plain(category) || !is_plain(name) {
        return Ok(None);
    }
    let path = format_path(category, name);
    match tracefs.read(&path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn format_path(category: &str, name: &str) -> String {
    format!("events/{category}/{name}/format")
}

/// A name that stands for one directory entry.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != ".."
}

fn unreadable(path: &str, error: &io::Error) -> KernelError {
    KernelError::Unreadable(format!("tracefs {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str =
        "vfs_read\nvfs_readv\n__pfx_vfs_read\novl_read_iter [overlay]\n__ftrace_invalid_address___12\n\nvfs_read\n";

    fn listed(pattern: &str) -> Vec<String> {
        let each = |each: EachFunction<'_>| {
            each_listed_function(LISTED.as_bytes(), each).map_err(|error| KernelError::Unreadable(error.to_string()))
        };
        matching(FunctionPattern::new(pattern), each).unwrap()
    }

    #[test]
    fn functions_match_by_name_and_module() {
        assert_eq!(listed("*read*"), ["ovl_read_iter", "vfs_read", "vfs_readv"]);
        assert_eq!(listed("vfs_read"), ["vfs_read"]);
        assert_eq!(listed("overlay:*"), ["ovl_read_iter"]);
        assert_eq!(listed("vmlinux:*iter"), [""; 0]);
        assert_eq!(listed("*"), ["ovl_read_iter", "vfs_read", "vfs_readv"]);
        assert_eq!(listed(""), [""; 0]);
    }

    #[test]
    fn the_running_kernel_has_vfs_read() {
        let each = |each: EachFunction<'_>| each_running_function(None, each);
        assert_eq!(matching(FunctionPattern::new("vfs_read"), each).unwrap(), ["vfs_read"]);
    }

    #[test]
    fn only_plain_names_become_paths() {
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("sys_enter_read"));
    }
}
