//! Blocks and `if` as values.

use super::Body;
use super::expr::{int, nothing};
use crate::ast::{Block, Expr};
use crate::hir;
use crate::source::Span;
use crate::types::Type;

impl Body<'_, '_> {
    /// The value of a block, of this type, behind its statements.
    pub(super) fn block_value(&mut self, block: &Block, ty: &Type, span: Span) -> hir::Expr {
        let (before, value) = block.split_value();
        let mut stmts = Vec::with_capacity(before.len());
        // the statement around may have values in its memory already, so these must not share it
        let releases = self.releases.len();
        before.iter().for_each(|stmt| self.stmt(stmt, &mut stmts));
        self.releases.truncate(releases);
        let value = match value {
            Some(value) => {
                let value = self.expr(value);
                self.coerce(value, ty)
            }
            None => nothing(ty, span),
        };
        if stmts.is_empty() {
            return value;
        }
        self.blocks += 1;
        let ty = value.ty.clone();
        hir::Expr { kind: hir::ExprKind::Block { stmts, value: Box::new(value) }, ty, span }
    }

    /// `if c { a } else { b }`
    pub(super) fn choice(
        &mut self,
        condition: &Expr,
        then: &Block,
        otherwise: Option<&Block>,
        ty: &Type,
        span: Span,
    ) -> hir::Expr {
        if let Some(answer) = self.answer(condition) {
            let taken = if answer { Some(then) } else { otherwise };
            return taken.map_or_else(|| nothing(ty, span), |block| self.block_value(block, ty, span));
        }
        let condition = Box::new(self.condition(condition));
        let then = Box::new(self.block_value(then, ty, span));
        let otherwise = otherwise.map_or_else(|| nothing(ty, span), |block| self.block_value(block, ty, span));
        let kind = hir::ExprKind::Select { condition, then, otherwise: Box::new(otherwise) };
        hir::Expr { kind, ty: ty.clone(), span }
    }

    /// The same for what they do.
    pub(super) fn discard_choice(
        &mut self,
        condition: &Expr,
        then: &Block,
        otherwise: Option<&Block>,
    ) -> hir::StmtKind {
        if let Some(answer) = self.answer(condition) {
            let taken = if answer { Some(then) } else { otherwise };
            let condition = int(1, Type::Bool, condition.span);
            let then = taken.map_or_else(Vec::new, |block| self.block(block));
            return hir::StmtKind::If { condition, then, otherwise: Vec::new() };
        }
        let condition = self.condition(condition);
        let then = self.block(then);
        let otherwise = otherwise.map_or_else(Vec::new, |block| self.block(block));
        hir::StmtKind::If { condition, then, otherwise }
    }
}
