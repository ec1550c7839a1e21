//! Statements.

use super::Body;
use super::expr::{binary, has_effects, int, mentions, nothing};
use super::slots::Release;
use crate::ast::{self, Block, Expr, ExprKind, Probe, Stmt, StmtKind};
use crate::check::aggregation_call;
use crate::hir::{self, FieldPath, FieldStep};
use crate::probes::TargetSyntax;
use crate::source::Span;
use crate::types::{AddressSpace, RecordKind, Type};

impl Body<'_, '_> {
    /// The action, inside of its predicate.
    pub(super) fn probe(&mut self, probe: &Probe) -> Vec<hir::Stmt> {
        let mut out: Vec<hir::Stmt> = self.end_of_objects(probe.span).into_iter().collect();
        let Some(predicate) = &probe.predicate else {
            out.extend(self.block(&probe.action));
            return out;
        };
        let condition = self.condition(predicate);
        let then = self.block(&probe.action);
        let kind = hir::StmtKind::If { condition, then, otherwise: Vec::new() };
        out.push(hir::Stmt { kind, span: predicate.span });
        out
    }

    /// An iterator's program runs once more behind the last object, with none.
    fn end_of_objects(&mut self, span: Span) -> Option<hir::Stmt> {
        let name = self.program.point.context_record()?;
        let found = self.session.kernel.record(RecordKind::Struct, &name).ok()??;
        let Type::Record(record) = found else { return None };
        let members = self.session.kernel.members(record.id);
        let object = members.into_iter().find(|row| row.bit_offset > 0 && matches!(row.ty, Type::Pointer { .. }))?;
        let base = Box::new(hir::Expr { kind: hir::ExprKind::Context, ty: Type::U64, span });
        let step = FieldStep::Member { record: record.id, name: object.name };
        let path = FieldPath { root: record, steps: vec![step] };
        let kind = hir::ExprKind::LoadField { base, path, space: AddressSpace::Kernel };
        let object = hir::Expr { kind, ty: Type::U64, span };
        let condition = binary(hir::BinaryOp::Equal, object, int(0, Type::U64, span), Type::Bool, span);
        let then = vec![hir::Stmt { kind: hir::StmtKind::Return, span }];
        Some(hir::Stmt { kind: hir::StmtKind::If { condition, then, otherwise: Vec::new() }, span })
    }

    pub(super) fn block(&mut self, block: &Block) -> Vec<hir::Stmt> {
        let mut out = Vec::with_capacity(block.stmts.len());
        for stmt in &block.stmts {
            self.stmt(stmt, &mut out);
        }
        out
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt, out: &mut Vec<hir::Stmt>) {
        let before = std::mem::replace(&mut self.blocks_before, self.blocks);
        self.lower_stmt(stmt, out);
        self.blocks_before = before;
    }

    fn lower_stmt(&mut self, stmt: &Stmt, out: &mut Vec<hir::Stmt>) {
        let span = stmt.span;
        let first = self.slots.len();
        let kind = match &stmt.kind {
            StmtKind::Expr(expr) | StmtKind::Discard(expr) => self.discard(expr, out),
            StmtKind::Let { name, value, .. } => self.set_var(name.span, value.as_ref(), span),
            StmtKind::Assign { place, op, value } => self.assign(place, *op, value, span),
            StmtKind::If { condition, then, otherwise } => {
                Some(self.discard_choice(condition, then, otherwise.as_ref()))
            }
            StmtKind::Block(block) => {
                out.extend(self.block(block));
                None
            }
            StmtKind::While { condition, body } => Some(self.while_loop(condition, body)),
            StmtKind::Unroll { count, body } => self.unroll(count, body, out),
            StmtKind::For { name, from, to: Some(to), body } => self.range_loop(name.span, from, to, body, out),
            StmtKind::For { name, from, to: None, body } => self.map_loop(name.span, from, body),
            StmtKind::Break => Some(hir::StmtKind::Break),
            StmtKind::Continue => Some(hir::StmtKind::Continue),
            StmtKind::Emit { table, args } => self.row(&table.text, args, span),
            StmtKind::Show { map, table, order } => self.show(map, table.as_ref(), order, span),
            StmtKind::MapLoop(_) => None,
            StmtKind::Return(None) => Some(hir::StmtKind::Return),
            StmtKind::Return(Some(value)) if self.program.point.row.target == TargetSyntax::Label => {
                let value = self.expr(value);
                let value = self.coerce(value, &Type::I64);
                out.push(hir::Stmt { kind: hir::StmtKind::SetResult { value }, span });
                Some(hir::StmtKind::Return)
            }
            StmtKind::Return(Some(value)) => {
                let done = self.discard(value, out);
                out.extend(done.map(|kind| hir::Stmt { kind, span }));
                Some(hir::StmtKind::Return)
            }
            StmtKind::Error => None,
        };
        out.extend(kind.map(|kind| hir::Stmt { kind, span }));
        if self.expressions == 0 {
            self.releases.push(Release { first, made: self.slots.len() });
            self.stack_buffer = self.stack_buffer.filter(|buffer| (buffer.0 as usize) < first);
        }
    }

    /// An expression for what it does; nothing when it does nothing.
    fn discard(&mut self, expr: &Expr, out: &mut Vec<hir::Stmt>) -> Option<hir::StmtKind> {
        match &expr.kind {
            ExprKind::Block(block) => {
                out.extend(self.block(block));
                return None;
            }
            ExprKind::If { condition, then, otherwise } => {
                return Some(self.discard_choice(condition, then, otherwise.as_ref()));
            }
            _ => {}
        }
        if let Some(request) = self.request(expr) {
            return Some(request);
        }
        if let (ExprKind::Ternary { condition, then, otherwise }, Type::Void) = (&expr.kind, self.program.ty(expr)) {
            let condition = self.condition(condition);
            let mut side = |expr: &Expr| {
                let mut stmts = Vec::new();
                let kind = self.discard(expr, &mut stmts);
                stmts.extend(kind.map(|kind| hir::Stmt { kind, span: expr.span }));
                stmts
            };
            let then = then.as_deref().map_or_else(Vec::new, &mut side);
            let otherwise = side(otherwise);
            return Some(hir::StmtKind::If { condition, then, otherwise });
        }
        if !has_effects(expr) {
            return None;
        }
        let value = self.expr(expr);
        if value.ty.is_scalar() {
            return Some(hir::StmtKind::Eval(value));
        }
        // A memory value needs a place even when nobody looks at it.
        let ty = value.ty.clone();
        let slot = self.slot(&ty);
        self.vars.push(hir::Var { name: "$".into(), ty, slot: Some(slot) });
        Some(hir::StmtKind::SetVar { var: hir::VarId(self.vars.len() as u32 - 1), value })
    }

    fn set_var(&mut self, at: Span, value: Option<&Expr>, span: Span) -> Option<hir::StmtKind> {
        let index = *self.program.var_at.get(&at)?;
        let ty = self.vars.get(index)?.ty.clone();
        let itself =
            value.is_some_and(|value| self.program.vars.get(index).is_some_and(|var| mentions(value, &var.name)));
        let value = match value {
            Some(value) => {
                let value = self.expr(value);
                self.narrow(index, value)
            }
            None => nothing(&ty, span),
        };
        let mut value = self.coerce(value, &ty);
        if itself && !ty.is_scalar() && !matches!(ty, Type::String { .. }) {
            // Its old elements are read while the new ones are written.
            let base = self.buffered(value, &ty);
            value = hir::Expr { kind: hir::ExprKind::Element { base, offset: 0 }, ty, span };
        }
        Some(hir::StmtKind::SetVar { var: hir::VarId(index as u32), value })
    }

    /// A variable whose integer type is written holds only values of that type.
    fn narrow(&mut self, var: usize, value: hir::Expr) -> hir::Expr {
        match self.written_int(var) {
            Some(written) => self.coerce(value, &written),
            None => value,
        }
    }

    /// The integer type that a variable was declared with, if it was with one.
    pub(super) fn written_int(&self, var: usize) -> Option<Type> {
        let written = self.program.vars.get(var)?.written.clone();
        written.filter(|written| matches!(written, Type::Int(_)))
    }

    fn assign(&mut self, place: &Expr, op: Option<ast::BinaryOp>, value: &Expr, span: Span) -> Option<hir::StmtKind> {
        match (&place.kind, op) {
            (ExprKind::Map { name, keys }, op) => match (aggregation_call(value), op) {
                (Some(call), _) => {
                    let map = self.map_to_aggregate(name);
                    self.aggregate(map, keys, None, call)
                }
                (None, Some(op)) => self.change_map(place, keys, op, value, span),
                (None, None) => {
                    let value = self.expr(value);
                    Some(self.set_map(name, keys, value))
                }
            },
            (ExprKind::Field { base, field }, None) => {
                let ExprKind::Map { name, keys } = &base.kind else { return None };
                let map = self.map_to_aggregate(name);
                self.aggregate(map, keys, Some(field), aggregation_call(value)?)
            }
            (ExprKind::Var(_), None) => self.set_var(place.span, Some(value), span),
            (ExprKind::Var(_), Some(op)) => {
                let index = *self.program.var_at.get(&place.span)?;
                let ty = self.vars.get(index)?.ty.clone();
                let (old, value) = (self.expr(place), self.expr(value));
                let result = self.arithmetic(op, old, value, ty.clone(), span);
                let result = self.narrow(index, result);
                let value = self.coerce(result, &ty);
                Some(hir::StmtKind::SetVar { var: hir::VarId(index as u32), value })
            }
            _ => None,
        }
    }

    fn set_map(&mut self, name: &str, keys: &[Expr], value: hir::Expr) -> hir::StmtKind {
        let map = self.map(name);
        let ty = self.session.value_type(map);
        let value = self.coerce(value, &ty);
        let value = self.buffered(value, &ty);
        hir::StmtKind::SetMap { map, key: self.key(map, keys), value }
    }

    /// `@x[k] += n`: sums are added in place, everything else is read and written back.
    fn change_map(
        &mut self,
        place: &Expr,
        keys: &[Expr],
        op: ast::BinaryOp,
        value: &Expr,
        span: Span,
    ) -> Option<hir::StmtKind> {
        let ExprKind::Map { name, .. } = &place.kind else { return None };
        let map = self.map(name);
        let ty = self.session.value_type(map);
        let right = self.expr(value);
        if let (ast::BinaryOp::Add | ast::BinaryOp::Sub, Type::Int(_)) = (op, &ty) {
            let mut delta = self.coerce(right, &ty);
            if op == ast::BinaryOp::Sub {
                delta = match delta.kind {
                    hir::ExprKind::Int(bits) => int(bits.wrapping_neg(), ty.clone(), delta.span),
                    _ => {
                        let span = delta.span;
                        let kind = hir::ExprKind::Unary(hir::UnaryOp::Negate, Box::new(delta));
                        hir::Expr { kind, ty: ty.clone(), span }
                    }
                };
            }
            let key = self.key(map, keys);
            let kind = hir::ExprKind::MapAdd { map, key, delta: Box::new(delta), new: true };
            return Some(hir::StmtKind::Eval(hir::Expr { kind, ty, span }));
        }
        let key = self.key(map, keys);
        let old = hir::Expr { kind: hir::ExprKind::MapGet { map, key }, ty: ty.clone(), span: place.span };
        let result = self.arithmetic(op, old, right, ty, span);
        Some(self.set_map(name, keys, result))
    }
}
