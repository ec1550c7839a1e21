//! Constructs that the language has and the checker cannot take yet: one message each, with what they are called.

use super::Checker;
use crate::ast::Ast;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::types::Type;

/// The message about `what`, which ends in the verb: "records are".
fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::NotSupported, format!("{what} not supported yet"))
        .at(span, "part of the language, but not of this version")
}

impl Checker<'_> {
    /// Reports a construct; `what` ends in the verb. Maps may be assigned inside of it.
    pub(super) fn unsupported(&mut self, what: &str, span: Span) -> Type {
        self.incomplete = true;
        self.report(unsupported(what, span))
    }
}

/// The messages about declarations at the top level and about probes' headers.
pub(super) fn declarations(ast: &Ast) -> Diagnostics {
    let mut out = Diagnostics::default();
    let mut report = |what: &str, span: Span| out.push(unsupported(what, span));
    ast.c_definitions.iter().for_each(|definition| report("definitions of C are", definition.span));
    ast.imports.iter().for_each(|import| report("imports are", import.span));
    ast.maps.iter().for_each(|map| report("map declarations are", map.span));
    ast.macros.iter().for_each(|one| report("macros are", one.name.span));
    ast.functions.iter().for_each(|function| report("functions are", function.name.span));
    for point in ast.probes.iter().flat_map(|probe| &probe.attach_points) {
        if let Some(alternative) = point.alternatives.first() {
            report("alternatives of probes are", alternative.span);
        }
        if point.optional {
            report("optional probes are", point.span);
        }
    }
    out
}
