//! Raw tracepoints: `rawtracepoint:NAME`, `rawtracepoint:MODULE:NAME`.

use super::{Expander, Point, is_wild, new_point};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::{FunctionProto, Kernel, KernelError};
use crate::manifest::Attach;
use crate::probes::{ProbeRow, raw_carriers};

/// What a raw tracepoint passes to programs.
pub(super) fn prototype(name: &str, kernel: &dyn Kernel) -> Result<Option<FunctionProto>, KernelError> {
    for carrier in raw_carriers(name) {
        if let Some(mut found) = kernel.function(&carrier)? {
            if !found.params.is_empty() {
                found.params.remove(0);
            }
            return Ok(Some(found));
        }
    }
    Ok(None)
}

impl Expander<'_> {
    pub(super) fn raw_tracepoint(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let (module, name) = match parts {
            [name] => ("*", name),
            [module, name] => (module.text.as_str(), name),
            _ => {
                let message = format!("a `{}` probe needs the name of a tracepoint", row.name);
                return self.malformed(written.span, message, &format!("{0}:NAME or {0}:MODULE:NAME", row.name));
            }
        };
        let point = |text: String, name: String| new_point(row, text, Attach::RawTracepoint { name }, written.span);
        let found = match self.kernel.raw_tracepoints(module, &name.text) {
            Ok(found) => found,
            // Without BTF nothing tells whether there is such a tracepoint; attaching finds out.
            Err(KernelError::NoBtf(_)) if !is_wild(&name.text) => {
                return Some(vec![point(format!("{}:{}", row.name, name.text), name.text.clone())]);
            }
            Err(error) => return self.refuse(suggest::kernel_error(&error, name.span, "a list of raw tracepoints")),
        };
        if found.is_empty() {
            return self.no_such_raw_tracepoint(name);
        }
        if found.len() > self.options.max_probes as usize {
            self.count += found.len();
            self.too_many(written.span);
            return None;
        }
        let points = found.into_iter().map(|(module, name)| point(format!("{}:{module}:{name}", row.name), name));
        Some(points.collect())
    }

    fn no_such_raw_tracepoint(&mut self, name: &Ident) -> Option<Vec<Point>> {
        if is_wild(&name.text) {
            return self.nothing_matches(name.span, &name.text, "raw tracepoint");
        }
        let all = self.kernel.raw_tracepoints("*", "*").unwrap_or_default();
        let names: Vec<String> = all.into_iter().map(|row| row.1).collect();
        let message = format!("no raw tracepoint `{}`", name.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(name.span, "not in this kernel");
        let owner = format!("it has {} raw tracepoints, but not this one", names.len());
        let diagnostic = suggest::or_lacking(diagnostic, name.span, &name.text, &names, self.kernel, &owner);
        self.refuse(diagnostic.help("`lt -l 'rawtracepoint:*'` lists them"))
    }
}
