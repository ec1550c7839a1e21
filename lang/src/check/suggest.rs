//! Finding the name that was meant, and telling a slip of the keyboard from something that this kernel lacks.

use crate::builtins::{self, Form};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::{Kernel, KernelError};
use crate::source::Span;
use crate::{aggregations, probes};

/// The nearest of many names (a kernel has a hundred thousand functions): only those of about the same length that
/// begin or end with the same letter are compared in full.
pub(super) fn nearest_of_many<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bytes = name.as_bytes();
    let alike = |candidate: &&str| {
        let other = candidate.as_bytes();
        other.len().abs_diff(bytes.len()) <= 3 && (other.first() == bytes.first() || other.last() == bytes.last())
    };
    nearest(name, candidates.into_iter().filter(alike))
}

/// The builtin value that was probably meant.
pub(super) fn value(name: &str) -> Option<&'static str> {
    nearest(name, builtins::all().filter(|row| row.form == Form::Value).map(|row| row.name))
}

/// The function or map function that was probably meant.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let functions = builtins::all().map(|row| row.name);
    nearest(name, functions.chain(aggregations::ALL.iter().map(|row| row.name)))
}

/// The probe kind that was probably meant.
pub(super) fn probe_kind(name: &str) -> Option<&'static str> {
    let long = probes::ALL.iter().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()));
    nearest(name, long.filter(|name| name.len() > 2))
}

/// The name of what is still to be entered: the message about it lists all that it could be.
pub(crate) const COMPLETED: &str = "lt__completed";

/// Adds the suggestion, or without one that this kernel has no such thing, and what it has.
pub(super) fn or_lacking(
    diagnostic: Diagnostic,
    span: Span,
    name: &str,
    candidates: &[String],
    kernel: &dyn Kernel,
    owner: &str,
) -> Diagnostic {
    if name == COMPLETED {
        return Diagnostic { candidates: candidates.to_vec(), ..diagnostic };
    }
    if let Some(found) = nearest_of_many(name, candidates.iter().map(String::as_str)) {
        return diagnostic.suggest(span, Some(found));
    }
    let diagnostic = diagnostic.note(format!("the kernel compiled for is {}; {owner}", kernel.version()));
    if candidates.is_empty() || candidates.len() > 24 {
        return diagnostic;
    }
    diagnostic.help(format!("there are: {}", candidates.join(", ")))
}

/// A message for a failed look-up; `what` needs it.
pub(super) fn kernel_error(error: &KernelError, span: Span, what: &str) -> Diagnostic {
    match error {
        KernelError::NoBtf(why) => {
            Diagnostic::error(Code::NoBtf, format!("{what} needs the kernel's type information (BTF)"))
                .at(span, "needs BTF")
                .note(why.clone())
                .help("BTF is there in kernels built with CONFIG_DEBUG_INFO_BTF")
        }
        KernelError::NoTracefs(why) => Diagnostic::error(Code::NoTracefs, format!("{what} needs tracefs"))
            .at(span, "needs tracefs")
            .note(why.clone()),
        KernelError::Unreadable(why) => {
            Diagnostic::error(Code::MissingFeature, format!("{what} cannot be looked up in this kernel"))
                .at(span, "looked up here")
                .note(why.clone())
        }
    }
}
