//! Constructs that the language has and the checker cannot take yet: one message each, with what they are called.

use super::Checker;
use crate::ast::{Ast, ScriptItem};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::types::Type;
use std::collections::HashSet;

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

/// The messages about declarations at the top level.
pub(super) fn declarations(ast: &Ast) -> Diagnostics {
    let mut out = Diagnostics::default();
    let mut report = |what: &str, span: Span| out.push(unsupported(what, span));
    let lines = ast.c_definitions.iter().filter(|definition| definition.text.trim_start().starts_with('#'));
    lines.for_each(|line| report("macros of C that are no constants are", line.span));
    ast.functions.iter().for_each(|function| report("functions are", function.name.span));
    for (item, span) in ast.script.iter().filter(|(item, _)| !matches!(item, ScriptItem::Table(_))) {
        report(&format!("{} are", script_item(item)), *span);
    }
    for probe in ast.probes.iter().filter(|probe| probe.is_of_rows()) {
        let header = probe.attach_points.first().map_or(probe.span, |point| point.span);
        report("actions for the rows of a table are", header);
    }
    for name in ast
        .probes
        .iter()
        .filter(|probe| !probe.user)
        .flat_map(|probe| &probe.attach_points)
        .flat_map(|point| &point.params)
    {
        report("parameters in probes are", name.span);
    }
    out
}

/// What a message calls such items.
fn script_item(item: &ScriptItem) -> &'static str {
    match item {
        ScriptItem::Needs(_) => "conditions of a script (`needs`)",
        ScriptItem::Param(_) => "script parameters",
        ScriptItem::Exclusive(_) => "parameters that exclude each other",
        ScriptItem::Example { .. } => "examples in a script",
        ScriptItem::Test { .. } => "tests in a script",
        ScriptItem::Table(_) => "tables",
        ScriptItem::File(_) => "files as tables",
        ScriptItem::Actor(_) => "actors",
    }
}

/// The names that such items declare.
pub(super) fn declared_names(ast: &Ast) -> HashSet<String> {
    let name = |(item, _): &(ScriptItem, Span)| match item {
        ScriptItem::Param(param) => Some(param.name.text.clone()),
        ScriptItem::File(file) => Some(file.name.text.clone()),
        ScriptItem::Actor(actor) => Some(actor.name.text.clone()),
        _ => None,
    };
    ast.script.iter().filter_map(name).collect()
}
