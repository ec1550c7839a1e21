//! Blocks and `if` as values, `comptime`.

use super::Checker;
use super::infer::{Inferred, merge};
use super::literal::is_flexible;
use crate::ast::{Block, Expr, ExprKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::Type;
use std::collections::HashMap;

impl Checker<'_> {
    /// The type of a block's value; void when it has none.
    pub(super) fn block_value(&mut self, block: &Block) -> Type {
        let (stmts, value) = block.split_value();
        self.scopes.push(HashMap::new());
        stmts.iter().for_each(|stmt| self.stmt(stmt));
        let ty = value.map_or(Type::Void, |value| self.expr(value));
        self.close_scope();
        ty
    }

    /// `if c { a } else { b }` as a value.
    pub(super) fn choice(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>, span: Span) -> Type {
        self.condition(condition);
        if let Some(answer) = self.answer(condition) {
            let taken = if answer { Some(then) } else { otherwise };
            return taken.map_or(Type::Void, |block| self.block_value(block));
        }
        let one = self.block_value(then);
        let other = otherwise.map_or(Type::Void, |block| self.block_value(block));
        if one == Type::Void && other == Type::Void {
            return Type::Void;
        }
        for (block, ty) in [(Some(then), &one), (otherwise, &other)] {
            if *ty == Type::Void {
                let place = block.and_then(|block| block.stmts.last().map(|last| last.span).or(Some(block.span)));
                let diagnostic = Diagnostic::error(Code::NoValue, "this branch of `if` gives no value");
                let diagnostic = diagnostic.at(place.unwrap_or(span), "the other branch has one");
                return self.report(diagnostic.help("a value is the last expression of a block, without `;`"));
            }
        }
        let inferred =
            |block: &Block, ty: &Type| Inferred { ty: ty.clone(), flexible: block.value().is_some_and(is_flexible) };
        let right = otherwise.map_or_else(|| Inferred::fixed(&other), |block| inferred(block, &other));
        match merge(&inferred(then, &one), &right) {
            Some(merged) => merged.ty,
            None => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, "both branches of `if` must have one type");
                self.report(diagnostic.at(span, format!("one branch is `{one}`, the other `{other}`")))
            }
        }
    }

    /// `comptime e`: what is no constant is refused.
    pub(super) fn comptime(&mut self, value: &Expr) -> Type {
        let ty = self.value(value);
        if ty != Type::Error && !is_constant(value) {
            return self.unsupported("`comptime` of what is no constant is", value.span);
        }
        ty
    }
}

/// Whether the value is the same wherever it is computed.
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Int { .. } | ExprKind::Bool(_) | ExprKind::Str(_) | ExprKind::Positional(_) | ExprKind::SizeOf(_) => {
            true
        }
        ExprKind::Unary(_, inner) | ExprKind::Comptime(inner) | ExprKind::Cast { value: inner, .. } => {
            is_constant(inner)
        }
        ExprKind::Binary(_, left, right) => is_constant(left) && is_constant(right),
        _ => false,
    }
}
