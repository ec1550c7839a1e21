//! Macros: each call becomes a copy of the macro's body, with what was given in place of the parameters.
//!
//! The copy is hygienic. Scratch variables of the body get names that no script can write (`$x'3`), and maps are only
//! those that were given. Every copy has spans of its own ([`SourceMap::add_expansion`]), so that messages can say from
//! where it was expanded, and places stay unique.

mod call;
mod copy;
mod types;

pub(crate) use copy::assign as assign_value;

use crate::ast::{Ast, Expr, ExprKind, Ident, Macro, MacroParamKind, NodeId, ScriptItem};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, SourceMap, Span};

/// Nodes of a script after expansion.
const MAX_NODES: u32 = 1 << 18;

/// Deepest tree after expansion. The passes behind walk trees by recursion.
const MAX_DEPTH: u32 = 384;

/// Expands the macro calls of a script; the tree that comes out has no macros any more.
pub fn expand(mut ast: Ast, sources: &mut SourceMap) -> (Ast, Diagnostics) {
    if ast.macros.is_empty() {
        return (ast, Diagnostics::default());
    }
    let macros = std::mem::take(&mut ast.macros);
    let mut expander = Expander {
        macros: &macros,
        sources,
        out: Diagnostics::default(),
        next: ast.node_count,
        copies: 0,
        depth: 0,
        full: false,
        chain: Vec::new(),
    };
    expander.check_definitions();
    for probe in &mut ast.probes {
        probe.predicate = probe.predicate.as_ref().map(|predicate| expander.expr(predicate, None));
        probe.action = expander.block(&probe.action, None);
    }
    for function in &mut ast.functions {
        function.body = expander.block(&function.body, None);
    }
    for (item, _) in &mut ast.script {
        if let ScriptItem::Test { body, .. } = item {
            *body = expander.block(body, None);
        }
    }
    ast.node_count = expander.next;
    (ast, expander.out)
}

struct Expander<'a> {
    macros: &'a [Macro],
    sources: &'a mut SourceMap,
    out: Diagnostics,
    /// The next node's number.
    next: u32,
    /// Copies of bodies made so far.
    copies: u32,
    /// Nodes and blocks around the one that is copied.
    depth: u32,
    /// That the script becomes too large was said.
    full: bool,
    /// The macros whose bodies are being copied, outermost first.
    chain: Vec<usize>,
}

/// A body that is being copied.
struct Frame {
    /// What its spans point into.
    file: FileId,
    /// Makes the names of its variables unique.
    number: u32,
    /// The macro's name.
    name: String,
    /// What was given, expanded already.
    given: Vec<(MacroParamKind, String, Expr)>,
}

impl Frame {
    /// What was given for a parameter.
    fn given(&self, kind: MacroParamKind, name: &str) -> Option<&Expr> {
        self.given.iter().find(|(other, text, _)| *other == kind && text == name).map(|(_, _, value)| value)
    }
}

impl Expander<'_> {
    fn node(&mut self, kind: ExprKind, span: Span) -> Expr {
        let id = NodeId(self.next);
        self.next += 1;
        Expr { id, kind, span }
    }

    fn error(&mut self, span: Span) -> Expr {
        self.node(ExprKind::Error, span)
    }

    fn span(&self, span: Span, frame: Option<&Frame>) -> Span {
        frame.map_or(span, |frame| Span { file: frame.file, ..span })
    }

    fn ident(&self, ident: &Ident, frame: Option<&Frame>) -> Ident {
        Ident { text: ident.text.clone(), span: self.span(ident.span, frame) }
    }

    /// A scratch variable where it is declared.
    fn variable(&self, ident: &Ident, frame: Option<&Frame>) -> Ident {
        let Some(frame) = frame else { return ident.clone() };
        match frame.given(MacroParamKind::Variable, &ident.text).map(|given| &given.kind) {
            Some(ExprKind::Var(name)) => Ident { text: name.clone(), ..self.ident(ident, Some(frame)) },
            _ => Ident { text: own_name(&ident.text, frame), ..self.ident(ident, Some(frame)) },
        }
    }

    /// Reports what is wrong with the macros themselves.
    fn check_definitions(&mut self) {
        for (at, one) in self.macros.iter().enumerate() {
            let same = |other: &&Macro| other.name.text == one.name.text && kinds(other).eq(kinds(one));
            if let Some(earlier) = self.macros.iter().take(at).find(same) {
                let message = format!("macro `{}` is defined twice with the same parameters", one.name.text);
                let diagnostic = Diagnostic::error(Code::MacroMisused, message).at(one.name.span, "again here");
                self.out.push(diagnostic.at(earlier.name.span, "first here"));
            }
            for (at, param) in one.params.iter().enumerate() {
                let same = one.params.iter().take(at).any(|o| o.kind == param.kind && o.name.text == param.name.text);
                if same {
                    let message = format!("macro `{}` has two parameters of one name", one.name.text);
                    self.out.push(Diagnostic::error(Code::MacroMisused, message).at(param.name.span, "again here"));
                }
            }
        }
    }
}

fn kinds(one: &Macro) -> impl Iterator<Item = MacroParamKind> + '_ {
    one.params.iter().map(|param| param.kind)
}

/// The name of a body's own variable; see [`crate::diagnostic::Diagnostic::resolved`].
fn own_name(name: &str, frame: &Frame) -> String {
    format!("{name}'{}", frame.number)
}
