//! `needs`: without what a script cannot run.

use super::{SessionOptions, attach};
use crate::ast::{Ast, AttachPoint, Block, Need, Probe, ScriptItem};
use crate::codes::{Code, ExitStatus};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::kernel::Kernel;
use crate::source::Span;
use std::collections::HashSet;

/// Takes the probes that a script needs out of its tree; the messages are about those that this kernel lacks. Needs of
/// another sort stay.
pub fn needs(ast: &mut Ast, kernel: &dyn Kernel, options: &SessionOptions) -> Diagnostics {
    let mut out = Diagnostics::default();
    for (item, _) in &mut ast.script {
        let ScriptItem::Needs(needs) = item else { continue };
        needs.retain(|need| match need {
            Need::Probe(point) => {
                out.extend(lacking(point, kernel, options));
                false
            }
            Need::Condition(_) => true,
        });
    }
    ast.script.retain(|(item, _)| !matches!(item, ScriptItem::Needs(needs) if needs.is_empty()));
    out
}

/// What to say when this kernel lacks a probe.
fn lacking(point: &AttachPoint, kernel: &dyn Kernel, options: &SessionOptions) -> Diagnostics {
    let span = point.span;
    let action = Block { stmts: Vec::new(), span, angle: false, has_value: false };
    let attach_points = vec![point.clone()];
    let probe = Probe { name: None, attach_points, user: false, predicate: None, action, span };
    let alone = Ast { probes: vec![probe], ..Ast::default() };
    let (_, found) = attach::expand(&alone, kernel, options, &HashSet::new());
    let mut out = Diagnostics::default();
    for diagnostic in found.iter() {
        out.push(match diagnostic.code.row().status {
            ExitStatus::Machine => lacks(point, span, diagnostic),
            _ => diagnostic.clone(),
        });
    }
    out
}

fn lacks(point: &AttachPoint, span: Span, why: &Diagnostic) -> Diagnostic {
    let parts = point.parts.iter().map(|part| part.text.as_str());
    let name = std::iter::once(point.kind.text.as_str()).chain(parts).collect::<Vec<_>>().join(":");
    let message = format!("the script needs `{name}`, which this kernel does not have");
    let diagnostic = Diagnostic::error(Code::MissingFeature, message).at(span, "").note(why.message.clone());
    why.helps.iter().fold(diagnostic, |diagnostic, help| diagnostic.help(help))
}
