//! Calls of macros: which one is meant, and its body in place of the call.

use super::{Expander, Frame};
use crate::ast::{Block, Expr, ExprKind, Ident, Macro, MacroParamKind, StmtKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Expander<'_> {
    /// Whether a macro has this name.
    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.iter().any(|one| one.name.text == name)
    }

    /// Whether the bare name calls a macro.
    pub(super) fn is_bare_call(&self, name: &str) -> bool {
        self.macros.iter().any(|one| one.name.text == name && one.params.is_empty())
    }

    /// What a call with these arguments, expanded already, stands for. `span` is that of the call.
    pub(super) fn call(&mut self, name: &Ident, args: Vec<Expr>, span: Span) -> Expr {
        let fitting = self.macros.iter().enumerate().filter(|(_, one)| one.name.text == name.text && fits(one, &args));
        let plain = |one: &Macro| one.params.iter().filter(|param| param.kind == MacroParamKind::Expr).count();
        let Some((at, one)) = fitting.min_by_key(|(_, one)| plain(one)) else {
            self.report_misfit(name, &args, span);
            return self.error(span);
        };
        if self.chain.contains(&at) {
            let names: Vec<&str> = self
                .chain
                .iter()
                .chain([&at])
                .filter_map(|at| Some(self.macros.get(*at)?.name.text.as_str()))
                .collect();
            let message = format!("macro `{}` calls itself: {}", name.text, names.join(" > "));
            self.out.push(Diagnostic::error(Code::MacroMisused, message).at(span, "without an end"));
            return self.error(span);
        }
        if self.is_full(span) {
            return self.error(span);
        }
        let file = self.sources.add_expansion(one.span.file, span);
        self.copies += 1;
        let given =
            one.params.iter().zip(args).map(|(param, arg)| (param.kind, param.name.text.clone(), arg)).collect();
        let frame = Frame { file, number: self.copies, name: name.text.clone(), given };
        self.chain.push(at);
        let mut body = self.block(&one.body, Some(&frame));
        self.chain.pop();
        match body.stmts.pop() {
            Some(stmt) if body.has_value && body.stmts.is_empty() => match stmt.kind {
                StmtKind::Expr(value) => return value,
                kind => body.stmts.push(crate::ast::Stmt { kind, ..stmt }),
            },
            last => body.stmts.extend(last),
        }
        self.node(ExprKind::Block(Block { span, ..body }), span)
    }

    /// Whether the script has become too large; says so once.
    pub(super) fn is_full(&mut self, span: Span) -> bool {
        if self.next < super::MAX_NODES && self.depth < super::MAX_DEPTH {
            return false;
        }
        if !self.full {
            self.full = true;
            let message = "the macros make the script too large";
            self.out.push(Diagnostic::error(Code::MacroMisused, message).at(span, "while this is expanded"));
        }
        true
    }

    fn report_misfit(&mut self, name: &Ident, args: &[Expr], span: Span) {
        let named: Vec<&Macro> = self.macros.iter().filter(|one| one.name.text == name.text).collect();
        let near = named.iter().find(|one| one.params.len() == args.len()).or(named.first());
        let Some(one) = near else { return };
        let mismatch = one.params.iter().zip(args).find(|(param, arg)| !takes(param.kind, arg));
        let diagnostic = match mismatch.filter(|_| one.params.len() == args.len()) {
            Some((param, arg)) => {
                let (sigil, what) = match param.kind {
                    MacroParamKind::Variable => ("$", "a scratch variable"),
                    MacroParamKind::Map => ("@", "a map without a key"),
                    MacroParamKind::Expr => ("", "an expression"),
                };
                let message = format!("`{sigil}{}` of macro `{}` must be {what}", param.name.text, name.text);
                Diagnostic::error(Code::TypeMismatch, message)
                    .at(arg.span, "given here")
                    .at(param.name.span, "the parameter")
            }
            None => {
                let count = one.params.len();
                let plural = if count == 1 { "" } else { "s" };
                let message = format!("macro `{}` takes {count} argument{plural}, not {}", name.text, args.len());
                let diagnostic = Diagnostic::error(Code::WrongArgumentCount, message).at(span, "");
                diagnostic.at(one.name.span, if named.len() > 1 { "one of its definitions" } else { "defined here" })
            }
        };
        self.out.push(diagnostic);
    }
}

/// Whether the macro can be called with these.
fn fits(one: &Macro, args: &[Expr]) -> bool {
    one.params.len() == args.len() && one.params.iter().zip(args).all(|(param, arg)| takes(param.kind, arg))
}

fn takes(kind: MacroParamKind, arg: &Expr) -> bool {
    match (kind, &arg.kind) {
        (MacroParamKind::Expr, _) | (_, ExprKind::Error) => true,
        (MacroParamKind::Variable, ExprKind::Var(_)) => true,
        (MacroParamKind::Map, ExprKind::Map { keys, .. }) => keys.is_empty(),
        (MacroParamKind::Variable | MacroParamKind::Map, _) => false,
    }
}
