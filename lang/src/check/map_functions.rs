//! Functions that look into maps.

use super::infer::Inferred;
use super::{Checker, MapContent};
use crate::ast::{Expr, ExprKind, Ident};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn not_a_variable(&mut self, function: &str, arg: &Expr) -> bool {
        if !matches!(arg.kind, ExprKind::Error) {
            let diagnostic =
                Diagnostic::error(Code::NotAssignable, format!("`{function}` assigns to a scratch variable"));
            self.report(diagnostic.at(arg.span, "not one").help("scratch variables start with `$`"));
        }
        false
    }

    /// `find(@map, key, $variable)`
    pub(super) fn check_find(&mut self, args: &[Expr]) -> Type {
        let [map, key, variable] = args else { return Type::Bool };
        let (ExprKind::Map { name, .. }, ExprKind::Var(var)) = (&map.kind, &variable.kind) else { return Type::Bool };
        let at = self.map_at(name, map.span);
        self.map_keys(at, std::slice::from_ref(key), map.span.to(key.span));
        let value = match self.maps.get(at).and_then(|map| map.value.clone()) {
            Some(MapContent::Plain(value)) => value,
            Some(MapContent::Aggregate(aggregate)) => Inferred::fixed(&self.number(name, aggregate, map.span)),
            Some(MapContent::Figures(figures)) => Inferred::fixed(&self.figures(name, &figures, map.span)),
            None => Inferred::fixed(&Type::Error),
        };
        let ident = Ident { text: var.clone(), span: variable.span };
        let var = self.find_variable(var, variable.span).unwrap_or_else(|| self.declare(&ident));
        self.merge_variable(var, &value, variable.span);
        Type::Bool
    }

    /// `len(@map)`, `len(stack)`
    pub(super) fn check_length(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::I64 };
        let Expr { kind: ExprKind::Map { name, .. }, span, .. } = first else { return Type::I64 };
        if matches!(self.program.ty(first), Type::Stack(_)) {
            return Type::I64;
        }
        let keyed = self.maps.iter().find(|map| map.name == *name).and_then(|map| map.keys.as_ref());
        if keyed.is_some_and(Vec::is_empty) {
            return self.error(Code::KeyMismatch, *span, format!("`@{name}` has no keys"), "holds one value");
        }
        if self.can_loop_over_maps(*span).is_none() {
            return Type::Error;
        }
        Type::I64
    }
}
