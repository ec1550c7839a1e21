//! Listing what can be probed: `lt -l PATTERN`.

mod objects;

use crate::profile::KernelProfile;
use crate::targets::is_wild;
use lt_lang::kernel::{Kernel, KernelError, KernelTypes, ProbeTargets, wildcard_match};
use lt_lang::probes::{self, Arguments, ProbeKind, ProbeRow, TargetSyntax, raw_carriers};
use std::io::{self, Write};

/// Units of timers, as they stand in a target.
const PERIODS: [&str; 4] = ["hz", "ms", "s", "us"];

/// So many functions listed with their arguments pay for an index of all.
const MANY: usize = 16;

/// Writes a line for every probe that matches `pattern` (`KIND:TARGET`, `KIND`, or a part that is searched for among
/// functions and tracepoints; `*` and `?` are wild), with `verbose` also its arguments, indented. Returns the number of
/// probes. A reader that goes away ends the list quietly.
///
/// # Errors
/// What keeps the names from being read, unless another kind has listed something.
pub fn list(kernel: &KernelProfile, pattern: &str, verbose: bool, out: &mut dyn Write) -> Result<usize, KernelError> {
    let search = Search::new(pattern);
    let mut list = List { kernel, verbose, out, count: 0 };
    let mut failed = None;
    let process = kernel.has_process();
    for row in probes::ALL.iter().filter(|row| search.has_kind(row, process)) {
        match list.kind(row, &search) {
            Ok(()) => {}
            Err(Stop::Closed) => return Ok(list.count),
            Err(Stop::Failed(error)) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if list.count == 0 => Err(error),
        _ => Ok(list.count),
    }
}

/// Why a list ends early.
enum Stop {
    /// The reader is gone.
    Closed,
    Failed(KernelError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Closed,
            _ => Stop::Failed(KernelError::Unreadable(format!("the list cannot be written: {error}"))),
        }
    }
}

impl From<KernelError> for Stop {
    fn from(error: KernelError) -> Stop {
        Stop::Failed(error)
    }
}

/// What is looked for.
#[derive(Debug)]
struct Search<'a> {
    /// The kind's name, perhaps with wildcards; `None` searches all kinds that have names to search.
    kind: Option<&'a str>,
    target: &'a str,
}

impl<'a> Search<'a> {
    fn new(pattern: &'a str) -> Search<'a> {
        let pattern = pattern.trim();
        match pattern.split_once(':') {
            Some((kind, target)) => Search { kind: Some(kind), target: if target.is_empty() { "*" } else { target } },
            None if probes::lookup(pattern).is_some() => Search { kind: Some(pattern), target: "*" },
            None => Search { kind: None, target: if pattern.is_empty() { "*" } else { pattern } },
        }
    }

    /// A search without one certain kind leaves out what has no names, and returns, which are where entries are.
    /// Functions of programs are listed too when a file or a process is named.
    fn has_kind(&self, row: &ProbeRow, process: bool) -> bool {
        let named = match row.target {
            TargetSyntax::UserFunction | TargetSyntax::Marker => {
                self.target.contains('/') || (process && self.target.starts_with('*'))
            }
            TargetSyntax::Function => !matches!(row.kind, ProbeKind::Function | ProbeKind::FunctionReturn),
            TargetSyntax::Tracepoint | TargetSyntax::RawTracepoint => true,
            TargetSyntax::PerfEvent(_) | TargetSyntax::Iterator => true,
            _ => false,
        };
        let searchable =
            named && !matches!(row.arguments, Arguments::ReturnValue | Arguments::ParametersAndReturnValue);
        match self.kind {
            None => searchable,
            Some(kind) if is_wild(kind) => searchable && wildcard_match(kind, row.name),
            Some(kind) => row.name == kind || row.aliases.contains(&kind),
        }
    }
}

struct List<'a> {
    kernel: &'a KernelProfile,
    verbose: bool,
    out: &'a mut dyn Write,
    count: usize,
}

impl List<'_> {
    fn kind(&mut self, row: &ProbeRow, search: &Search<'_>) -> Result<(), Stop> {
        if row.needs.is_some_and(|feature| !self.kernel.has(feature)) {
            return Ok(());
        }
        match row.target {
            TargetSyntax::None => self.line(row.name),
            TargetSyntax::Period => {
                let mut matching = PERIODS.iter().filter(|unit| wildcard_match(search.target, &format!("{unit}:")));
                matching.try_for_each(|unit| self.line(&format!("{}:{unit}:", row.name)))
            }
            TargetSyntax::Function => self.functions(row, search.target),
            TargetSyntax::Tracepoint => self.tracepoints(row, search.target),
            TargetSyntax::RawTracepoint => self.raw_tracepoints(row, search.target),
            TargetSyntax::PerfEvent(events) => {
                let names = events.iter().flat_map(|event| std::iter::once(event.name).chain(event.alias));
                let mut matching = names.filter(|name| wildcard_match(search.target, name));
                matching.try_for_each(|name| self.line(&format!("{}:{name}:", row.name)))
            }
            TargetSyntax::UserFunction => self.user_functions(row, search.target),
            TargetSyntax::Marker => self.markers(row, search.target),
            TargetSyntax::Iterator => self.iterators(row, search.target),
            TargetSyntax::Itself => self.line(&format!("{}:signal:SIGUSR1", row.name)),
            TargetSyntax::Watchpoint | TargetSyntax::Label => Ok(()),
        }
    }

    fn raw_tracepoints(&mut self, row: &ProbeRow, pattern: &str) -> Result<(), Stop> {
        let (module, name) = pattern.split_once(':').unwrap_or(("*", pattern));
        let found = self.kernel.raw_tracepoints(module, name)?;
        if self.verbose && found.len() > MANY {
            self.kernel.btf()?.expect_many();
        }
        for (module, name) in found {
            self.line(&format!("{}:{module}:{name}", row.name))?;
            if self.verbose {
                let declared = raw_carriers(&name).find_map(|carrier| self.kernel.btf().ok()?.declaration(&carrier));
                let params = declared.map(|declared| declared.params).unwrap_or_default();
                self.arguments(row, params.get(1..).unwrap_or_default(), "void")?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), Stop> {
        self.count += 1;
        Ok(writeln!(self.out, "{line}")?)
    }

    fn functions(&mut self, row: &ProbeRow, pattern: &str) -> Result<(), Stop> {
        let names = self.kernel.functions(pattern)?;
        let trampoline = matches!(row.kind, ProbeKind::Fentry | ProbeKind::Fexit);
        let btf = if trampoline || self.verbose { self.kernel.btf().ok() } else { None };
        if let Some(btf) = btf.filter(|_| names.len() > MANY) {
            btf.expect_many();
        }
        for (target, name) in self.targets(trampoline, names)? {
            self.line(&format!("{}:{target}", row.name))?;
            if let Some(declaration) = btf.filter(|_| self.verbose).and_then(|btf| btf.declaration(&name)) {
                self.arguments(row, &declaration.params, &declaration.returns)?;
            }
        }
        Ok(())
    }

    /// Functions as probes name them, beside their bare names. Trampolines name the module too, and need to know the
    /// function's arguments.
    fn targets(&self, trampoline: bool, names: Vec<String>) -> Result<Vec<(String, String)>, Stop> {
        if !trampoline {
            return Ok(names.into_iter().map(|name| (name.clone(), name)).collect());
        }
        let btf = self.kernel.btf()?;
        let typed = names.into_iter().filter_map(|name| {
            let module = btf.module_of_function(&name)?;
            Some((format!("{module}:{name}"), name))
        });
        let mut targets: Vec<(String, String)> = typed.collect();
        targets.sort_unstable();
        Ok(targets)
    }

    fn arguments(&mut self, row: &ProbeRow, params: &[String], returns: &str) -> Result<(), Stop> {
        if matches!(row.arguments, Arguments::Parameters | Arguments::ParametersAndReturnValue) {
            for param in params {
                writeln!(self.out, "    {param}")?;
            }
        }
        if matches!(row.arguments, Arguments::ReturnValue | Arguments::ParametersAndReturnValue) && returns != "void" {
            writeln!(self.out, "    {returns} retval")?;
        }
        Ok(())
    }

    fn tracepoints(&mut self, row: &ProbeRow, pattern: &str) -> Result<(), Stop> {
        let all = match pattern.split_once(':') {
            Some((category, name)) => self.kernel.tracepoints(category, name)?,
            None => {
                let mut all = self.kernel.tracepoints("*", "*")?;
                let whole = |of: &str, name: &str| wildcard_match(pattern, &format!("{of}:{name}"));
                all.retain(|(of, name)| of == pattern || wildcard_match(pattern, name) || whole(of, name));
                all
            }
        };
        for (category, name) in all {
            self.line(&format!("{}:{category}:{name}", row.name))?;
            if self.verbose {
                self.fields(&category, &name)?;
            }
        }
        Ok(())
    }

    fn fields(&mut self, category: &str, name: &str) -> Result<(), Stop> {
        let format = self.kernel.tracepoint(category, name)?;
        for field in format.into_iter().flat_map(|format| format.fields) {
            match field.c_type.split_once('[') {
                Some((ty, len)) if !ty.starts_with("__data_loc ") && !ty.starts_with("__rel_loc ") => {
                    writeln!(self.out, "    {ty} {}[{len}", field.name)?
                }
                _ => writeln!(self.out, "    {} {}", field.c_type, field.name)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(pattern: &str, verbose: bool) -> String {
        let mut out = Vec::new();
        list(&KernelProfile::running(), pattern, verbose, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn timers_and_begin_are_listed_by_name() {
        assert_eq!(listed("begin", false), "begin\n");
        assert_eq!(listed("interval:*", false), "interval:hz:\ninterval:ms:\ninterval:s:\ninterval:us:\n");
        assert_eq!(listed("p:hz*", false), "profile:hz:\n");
        assert_eq!(listed("nonesuch:*", false), "");
    }

    #[test]
    fn kinds_are_chosen_by_any_name() {
        let kinds = |pattern: &str| -> Vec<&str> {
            let search = Search::new(pattern);
            probes::ALL.iter().filter(|row| search.has_kind(row, false)).map(|row| row.name).collect()
        };
        assert_eq!(kinds("k:vfs_*"), ["kprobe"]);
        assert_eq!(kinds("kretprobe"), ["kretprobe"]);
        assert_eq!(kinds("k*:x"), ["kprobe"]);
        let named = ["tracepoint", "kprobe", "fentry", "rawtracepoint", "software", "hardware", "iter"];
        assert_eq!(kinds("vfs_read"), named);
        assert_eq!(kinds(""), named);
        assert_eq!(kinds("u:/bin/sh"), ["uprobe"]);
        assert_eq!(kinds("u*:/bin/sh:*"), ["uprobe", "usdt"]);
    }

    #[test]
    fn a_reader_that_leaves_is_no_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(list(&KernelProfile::running(), "begin", false, &mut Closed).is_ok());
    }
}
