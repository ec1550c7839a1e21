//! Checks a script with all its branches, then leaves out those that its parameters switch off.

use super::fold::fold;
use crate::ast::Ast;
use crate::check::{CheckedScript, SessionOptions};
use crate::codes::ExitStatus;
use crate::diagnostic::{Diagnostics, Severity};
use crate::kernel::Kernel;

/// Checks a script whose parameters are bound. Gives the tree to lower: the one without what is switched off, where it
/// checks; maps that only such parts fill are a reason why it may not. What this kernel lacks for parts that are
/// switched off is no mistake. A script without parameters (`bound` is false) is only checked.
pub fn check(
    ast: Ast,
    bound: bool,
    kernel: &dyn Kernel,
    options: &SessionOptions,
) -> (Ast, CheckedScript, Diagnostics) {
    let (whole, messages) = crate::check(&ast, kernel, options);
    if !bound {
        return (ast, whole, messages);
    }
    let mut folded = ast.clone();
    let mistaken = messages
        .iter()
        .any(|message| message.severity == Severity::Error && message.code.row().status != ExitStatus::Machine);
    if mistaken || !fold(&mut folded) || folded.probes.is_empty() {
        return (ast, whole, messages);
    }
    let (rest, found) = crate::check(&folded, kernel, options);
    match (found.has_errors(), messages.has_errors()) {
        (false, true) => (folded, rest, found),
        (false, false) => (folded, rest, messages),
        (true, _) => (ast, whole, messages),
    }
}
