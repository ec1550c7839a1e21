//! Statements and scratch variables.

use super::infer::{Inferred, merge};
use super::{CheckedVar, Checker};
use crate::ast::{BinaryOp, Block, Expr, ExprKind, Ident, Stmt, StmtKind, TypeName};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::{IntType, Type};
use std::collections::HashMap;

impl Checker<'_> {
    pub(super) fn block(&mut self, block: &Block) {
        self.scopes.push(HashMap::new());
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        self.close_scope();
    }

    /// Leaves the innermost block; its variables are remembered for messages.
    pub(super) fn close_scope(&mut self) {
        for (name, at) in self.scopes.pop().unwrap_or_default() {
            if let Some(var) = self.program.vars.get(at) {
                self.closed.insert(name, var.span);
            }
        }
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                self.expr(expr);
            }
            StmtKind::Let { name, ty, value } => self.declaration(name, ty.as_ref(), value.as_ref()),
            StmtKind::Assign { place, op, value } => self.assign(place, *op, value, stmt.span),
            StmtKind::If { condition, then, otherwise } => {
                self.condition(condition);
                if let Some(answer) = self.answer(condition) {
                    if let Some(taken) = if answer { Some(then) } else { otherwise.as_ref() } {
                        self.block(taken);
                    }
                    return;
                }
                let known = self.constant(condition).map(|value| value.is_true());
                self.branch(then, known == Some(false));
                if let Some(otherwise) = otherwise {
                    self.branch(otherwise, known == Some(true));
                }
            }
            StmtKind::Block(block) => self.block(block),
            StmtKind::While { condition, body } => {
                self.condition(condition);
                self.steps(body, None);
            }
            StmtKind::Unroll { count, body } => self.unroll(count, body),
            StmtKind::For { name, from, to: Some(to), body } => self.range_loop(name, from, to, body),
            StmtKind::For { name, from, to: None, body } => self.map_loop(name, from, body),
            StmtKind::Break => self.needs_loop("break", stmt.span),
            StmtKind::Continue => self.needs_loop("continue", stmt.span),
            StmtKind::Return(None) => {}
            StmtKind::Return(Some(value)) => {
                let ty = self.value(value);
                if !matches!(ty, Type::Error | Type::Int(_) | Type::Bool) {
                    self.error(Code::TypeMismatch, value.span, "only a number can be returned", format!("`{ty}`"));
                }
            }
            StmtKind::Discard(value) => {
                self.value(value);
            }
            StmtKind::MapLoop(inner) => {
                self.unsupported("loops over maps with two names or an order are", inner.map.span);
            }
            StmtKind::Emit { table, args } => self.emit(table, args, stmt.span),
            StmtKind::Show { map, table, order } => self.show(map, table.as_ref(), order),
            StmtKind::Error => self.incomplete = true,
        }
    }

    /// A branch, perhaps one that is never taken.
    fn branch(&mut self, block: &Block, dead: bool) {
        self.dead += u32::from(dead);
        self.block(block);
        self.dead -= u32::from(dead);
    }

    fn declaration(&mut self, name: &Ident, ty: Option<&TypeName>, value: Option<&Expr>) {
        let written = ty.map(|ty| self.type_name(ty).unwrap_or(Type::Error));
        let inferred = value.map(|value| {
            let ty = self.value(value);
            Inferred::of(value, &ty)
        });
        if self.already_declared(name) {
            return;
        }
        let at = self.declare(name);
        if let (Some(written), Some(var)) = (written, self.program.vars.get_mut(at)) {
            if var.value.is_none() {
                var.value = Some(Inferred::fixed(&written));
                self.changed = true;
            }
            var.written = Some(written);
        }
        if let Some(inferred) = inferred {
            self.merge_variable(at, &inferred, value.map_or(name.span, |value| value.span));
        }
    }

    /// Whether a visible variable has this name, with a message.
    pub(super) fn already_declared(&mut self, name: &Ident) -> bool {
        let found = self.scopes.iter().rev().find_map(|scope| scope.get(&name.text).copied());
        if let Some(at) = found {
            let message = format!("scratch variable `${}` is declared already", name.text);
            let mut diagnostic = Diagnostic::error(Code::DuplicateVariable, message).at(name.span, "declared again");
            if let Some(var) = self.program.vars.get(at) {
                diagnostic = diagnostic.at(var.span, "declared here");
            }
            self.report(diagnostic.help("variables of an enclosing block cannot be hidden; assign without `let`"));
        }
        found.is_some()
    }

    /// Declares a variable in the innermost block. Each walk declares the same ones in the same order.
    pub(super) fn declare(&mut self, name: &Ident) -> usize {
        let at = self.declared;
        self.declared += 1;
        if self.program.vars.len() <= at {
            self.program.vars.push(CheckedVar { name: name.text.clone(), written: None, value: None, span: name.span });
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.text.clone(), at);
        }
        self.program.var_at.insert(name.span, at);
        at
    }

    fn assign(&mut self, place: &Expr, op: Option<BinaryOp>, value: &Expr, span: Span) {
        match (&place.kind, op) {
            (ExprKind::Map { name, keys }, None) => self.assign_to_map(place, name, keys, value),
            (ExprKind::Map { name, keys }, Some(op)) => self.change(place, name, keys, (op, value), span),
            (ExprKind::Var(name), None) => {
                let ty = self.value(value);
                let ident = Ident { text: name.clone(), span: place.span };
                let at = self.find_variable(name, place.span).unwrap_or_else(|| self.declare(&ident));
                self.merge_variable(at, &Inferred::of(value, &ty), value.span);
            }
            (ExprKind::Var(name), Some(op)) => {
                let ty = self.value(value);
                let Some(at) = self.find_variable(name, place.span) else {
                    self.undefined_variable(name, place.span);
                    return;
                };
                let old = self.value(place);
                let result = self.operation(op, (place, &old), (value, &ty), span);
                self.merge_variable(at, &compound(&old, value, &result), span);
            }
            (ExprKind::Error, _) => {
                self.value(value);
            }
            (ExprKind::Field { base, field }, _) if matches!(base.kind, ExprKind::Map { .. }) => {
                self.assign_figure((place, base, field), op.is_some(), value);
            }
            _ => {
                self.value(value);
                self.not_assignable(place);
            }
        }
    }

    fn assign_to_map(&mut self, place: &Expr, name: &str, keys: &[Expr], value: &Expr) {
        if let Some((function, args)) = super::call::aggregation_call(value) {
            let aggregate = self.aggregate(function, args, value);
            if let Some(aggregate) = aggregate {
                self.assign_aggregate(name, keys, aggregate, place.span, value.span);
                return;
            }
            // The mistake in the call was told; the map counts as assigned.
            self.assign_map(name, keys, &Inferred::fixed(&Type::Error), place.span, value.span);
            return;
        }
        let ty = self.value(value);
        self.assign_map(name, keys, &Inferred::of(value, &ty), place.span, value.span);
        self.set_type(place.id, &ty);
    }

    /// `@x[k] op= value`
    fn change(&mut self, place: &Expr, name: &str, keys: &[Expr], (op, value): (BinaryOp, &Expr), span: Span) {
        let ty = self.value(value);
        let unset = Inferred::step();
        let old = self.change_map(name, keys, place.span, &unset, value.span);
        self.set_type(place.id, &old);
        if old == Type::Error {
            return;
        }
        let result = self.operation(op, (place, &old), (value, &ty), span);
        let merged = self.change_map(name, keys, place.span, &compound(&old, value, &result), value.span);
        self.set_type(place.id, &merged);
    }

    /// Takes an assigned value into a variable's type.
    pub(super) fn merge_variable(&mut self, at: usize, value: &Inferred, span: Span) {
        let Some(var) = self.program.vars.get_mut(at) else { return };
        let old = match &var.value {
            Some(old) if old.ty != Type::Error => old,
            Some(_) if value.ty == Type::Error => return,
            _ => {
                var.value = Some(value.clone());
                self.changed = true;
                return;
            }
        };
        if value.ty == Type::Error {
            return;
        }
        match merge(old, value) {
            Some(merged) if merged == *old => {}
            // An integer's written type stays; what is assigned is converted.
            Some(_) if matches!(var.written, Some(Type::Int(_))) => {}
            Some(merged) if var.written.as_ref().is_some_and(|written| is_shorter(written, &merged.ty)) => {
                let message = format!("`${}` is `{}` and cannot hold `{}`", var.name, old.ty, value.ty);
                let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(span, "too long");
                let help = format!("cut it: `({})VALUE`", old.ty);
                let diagnostic = diagnostic.at(var.span, format!("declared here as `{}`", old.ty));
                self.report(diagnostic.help(help));
            }
            Some(merged) => {
                var.value = Some(merged);
                self.changed = true;
            }
            None => {
                let message = format!("`${}` is `{}` and takes no `{}`", var.name, old.ty, value.ty);
                let diagnostic = Diagnostic::error(Code::TypeMismatch, message)
                    .at(span, format!("this is `{}`", value.ty))
                    .at(var.span, format!("declared here as `{}`", old.ty));
                self.report(diagnostic);
            }
        }
    }
}

/// Whether what was written says a length that is not enough.
fn is_shorter(written: &Type, needed: &Type) -> bool {
    match (written, needed) {
        (Type::String { size: written @ 2.. }, Type::String { size }) => size > written,
        (Type::Buffer { size: written @ 2.. }, Type::Buffer { size }) => size > written,
        _ => false,
    }
}

/// What a compound assignment makes of a place of type `old`: a literal that is not negative does not change its sign.
fn compound(old: &Type, value: &Expr, result: &Type) -> Inferred {
    match old {
        Type::Int(int) if super::literal::is_flexible(value) => {
            Inferred { ty: Type::Int(IntType { bits: 64, ..*int }), flexible: true }
        }
        _ => Inferred { ty: result.clone(), flexible: false },
    }
}
