//! Statements of the user side.

use super::kind::Kind;
use super::{UserChecker, float};
use crate::ast::{BinaryOp, Block, Expr, ExprKind, Ident, MapLoop, Order, Stmt, StmtKind};
use crate::check::flow::MAX_UNROLL;
use crate::check::unroll_count;
use crate::codes::Code;
use crate::manifest::MapId;
use crate::source::Span;
use crate::user;
use std::collections::HashMap;

impl UserChecker<'_, '_> {
    pub(super) fn block(&mut self, block: &Block) -> Vec<user::Stmt> {
        self.scopes.push(HashMap::new());
        let mut out = Vec::with_capacity(block.stmts.len());
        block.stmts.iter().for_each(|stmt| self.stmt(stmt, &mut out));
        self.scopes.pop();
        out
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt, out: &mut Vec<user::Stmt>) {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.effect(expr, out),
            StmtKind::Let { name, ty: Some(_), .. } => {
                self.unsupported("variables with a written type in user space are", name.span);
            }
            StmtKind::Let { name, ty: None, value } => self.declaration(name, value.as_ref(), out),
            StmtKind::Assign { place, op, value } => self.assign(place, *op, value, out),
            StmtKind::If { condition, then, otherwise } => {
                let condition = self.condition(condition);
                let then = self.block(then);
                let otherwise = otherwise.as_ref().map_or_else(Vec::new, |block| self.block(block));
                out.push(user::Stmt::If { condition, then, otherwise });
            }
            StmtKind::Block(block) => out.extend(self.block(block)),
            StmtKind::While { condition, body } => {
                let condition = self.condition(condition);
                let body = self.steps(body);
                out.push(user::Stmt::While { condition, body });
            }
            StmtKind::Unroll { count, body } => self.unroll(count, body, out),
            StmtKind::For { name, from, to: Some(to), body } => self.range_loop(name, from, to, body, out),
            StmtKind::For { name, from, to: None, body } => {
                self.entry_loop(name, None, from, &Order { by: None, descending: false, top: None }, body, out);
            }
            StmtKind::MapLoop(inner) => {
                let MapLoop { key, value, map, order, body } = inner.as_ref();
                self.entry_loop(key, value.as_ref(), map, order, body, out);
            }
            StmtKind::Break => self.leave("break", user::Stmt::Break, stmt.span, out),
            StmtKind::Continue => self.leave("continue", user::Stmt::Continue, stmt.span, out),
            StmtKind::Return(None) => out.push(user::Stmt::Return),
            StmtKind::Return(Some(value)) | StmtKind::Discard(value) => {
                let (value, _) = self.value(value);
                out.push(user::Stmt::Do(value));
                if matches!(stmt.kind, StmtKind::Return(_)) {
                    out.push(user::Stmt::Return);
                }
            }
            StmtKind::Emit { table, args } => self.emit(table, args, stmt.span, out),
            StmtKind::Show { .. } => {
                self.unsupported("`show` in user space is", stmt.span);
            }
            StmtKind::Error => self.checker.incomplete = true,
        }
    }

    pub(super) fn unsupported(&mut self, what: &str, span: Span) -> super::Typed {
        self.checker.unsupported(what, span);
        super::wrong()
    }

    /// An expression for what it does.
    pub(super) fn effect(&mut self, expr: &Expr, out: &mut Vec<user::Stmt>) {
        if let ExprKind::Call { name, args } = &expr.kind
            && let Some(form) = self.request_form(name)
        {
            self.request(form, name, args, expr.span, out);
            return;
        }
        let (value, _) = self.expr(expr);
        out.push(user::Stmt::Do(value));
    }

    fn declaration(&mut self, name: &Ident, value: Option<&Expr>, out: &mut Vec<user::Stmt>) {
        let typed = value.map(|value| self.value(value));
        let at = self.declare_new(name);
        let value = match typed {
            Some(typed) => self.merge_variable(at, typed, value.map_or(name.span, |value| value.span)),
            // what is assigned later says what it is
            None => user::Expr::Int { bits: 0, signed: true },
        };
        out.push(user::Stmt::Set { var: at as u32, value });
    }

    fn assign(&mut self, place: &Expr, op: Option<BinaryOp>, value: &Expr, out: &mut Vec<user::Stmt>) {
        if let Some(op) = op {
            if let Some((change, _)) = self.change(place, op, value, false) {
                out.push(user::Stmt::Do(change));
            }
            return;
        }
        match &place.kind {
            ExprKind::Var(name) => {
                let typed = self.value(value);
                let ident = Ident { text: name.clone(), span: place.span };
                let at = self.find(name).unwrap_or_else(|| self.declare(&ident));
                let value = self.merge_variable(at, typed, value.span);
                out.push(user::Stmt::Set { var: at as u32, value });
            }
            ExprKind::Map { name, keys } => self.assign_entry(name, keys, place.span, value, out),
            ExprKind::Error => {
                self.value(value);
            }
            _ => {
                self.value(value);
                self.checker.not_assignable(place);
            }
        }
    }

    /// The body of a loop.
    fn steps(&mut self, body: &Block) -> Vec<user::Stmt> {
        self.loops += 1;
        let body = self.block(body);
        self.loops -= 1;
        body
    }

    fn leave(&mut self, word: &str, stmt: user::Stmt, span: Span, out: &mut Vec<user::Stmt>) {
        if self.loops == 0 {
            let message = format!("`{word}` stands outside of all loops");
            self.error(Code::UnexpectedToken, span, message, "no loop here");
        }
        out.push(stmt);
    }

    fn unroll(&mut self, count: &Expr, body: &Block, out: &mut Vec<user::Stmt>) {
        let number = unroll_count(count, self.checker.options);
        let Some(number @ 1..=MAX_UNROLL) = number else {
            let message = format!("`unroll` takes a literal number of steps, from 1 to {MAX_UNROLL}");
            self.error(Code::BadArgument, count.span, message, "not one");
            return;
        };
        let var = self.declare_hidden(count.span) as u32;
        let int = |bits| user::Expr::Int { bits, signed: true };
        let body = self.steps(body);
        out.push(user::Stmt::Range { var, from: int(0), to: int(number as u64), body });
    }

    fn range_loop(&mut self, name: &Ident, from: &Expr, to: &Expr, body: &Block, out: &mut Vec<user::Stmt>) {
        let mut ends = Vec::with_capacity(2);
        let mut kind = Kind::Error;
        for end in [from, to] {
            let (value, found) = self.value(end);
            match (&found, kind.merge(&found)) {
                (Kind::Int { .. } | Kind::Error, Some(merged)) => kind = merged,
                _ => {
                    let message = "a range goes from one integer to another";
                    self.error(Code::TypeMismatch, end.span, message, format!("this is `{found}`"));
                }
            }
            ends.push(value);
        }
        self.scopes.push(HashMap::new());
        let at = self.declare_new(name);
        self.merge_variable(at, (super::wrong().0, kind), name.span);
        let body = self.steps(body);
        self.scopes.pop();
        if let (Some(to), Some(from)) = (ends.pop(), ends.pop()) {
            out.push(user::Stmt::Range { var: at as u32, from, to, body });
        }
    }

    /// `for ($kv : @map)`, `for ($k, $v : @map sort $v desc top 10)`
    fn entry_loop(
        &mut self,
        key: &Ident,
        value: Option<&Ident>,
        over: &Expr,
        order: &Order,
        body: &Block,
        out: &mut Vec<user::Stmt>,
    ) {
        let entry = self.entry_kinds(over);
        let top = order.top.as_ref().map(|top| self.count(top));
        let (map, key_kind, value_kind) = match entry {
            Some((map, key, value)) => (map, key, value),
            None => (MapId(0), Kind::Error, Kind::Error),
        };
        self.scopes.push(HashMap::new());
        let key_at = self.declare_new(key);
        let first = if value.is_some() { key_kind } else { Kind::Tuple(vec![key_kind, value_kind.clone()]) };
        self.merge_variable(key_at, (super::wrong().0, first), key.span);
        let value_at = value.map(|value| {
            let at = self.declare_new(value);
            self.merge_variable(at, (super::wrong().0, value_kind), value.span);
            at as u32
        });
        let by = order.by.as_ref().map(|by| self.rank(by));
        let body = self.steps(body);
        self.scopes.pop();
        let descending = order.descending;
        let entries = user::EntryLoop { map, key: key_at as u32, value: value_at, by, descending, top, body };
        out.push(user::Stmt::Entries(Box::new(entries)));
    }

    /// What entries are ordered by.
    fn rank(&mut self, by: &Expr) -> user::Expr {
        let (value, kind) = self.value(by);
        if !matches!(kind, Kind::Error | Kind::Text(_) | Kind::Tuple(_)) && !kind.is_number() {
            let message = format!("entries cannot be ordered by `{kind}`");
            self.error(Code::TypeMismatch, by.span, message, "neither a number nor a string");
        }
        value
    }

    /// How many.
    fn count(&mut self, expr: &Expr) -> user::Expr {
        let (value, kind) = self.value(expr);
        if !matches!(kind, Kind::Error | Kind::Int { .. }) {
            self.error(Code::TypeMismatch, expr.span, "this must be an integer", format!("this is `{kind}`"));
        }
        value
    }

    /// `place op= value`; with `old` its value is that from before.
    pub(super) fn change(&mut self, place: &Expr, op: BinaryOp, value: &Expr, old: bool) -> Option<super::Typed> {
        let typed = self.value(value);
        self.change_by(place, op, typed, (value.span, old))
    }

    pub(super) fn change_by(
        &mut self,
        place: &Expr,
        op: BinaryOp,
        (value, kind): super::Typed,
        (span, old): (Span, bool),
    ) -> Option<super::Typed> {
        let (place_kind, at, target) = self.place(place)?;
        if [&place_kind, &kind].contains(&&Kind::Error) {
            return None;
        }
        let result = self.result_kind(op, (&place_kind, place.span), (&kind, span))?;
        let operator = super::expr::operator(op)?;
        let arithmetic = super::expr::arithmetic(&result);
        let value = if result == Kind::Float { float::convert(value, &kind) } else { value };
        match at {
            Some(at) => {
                self.merge_variable(at, (super::wrong().0, result.clone()), place.span);
            }
            None if result == Kind::Float => {
                self.no_fractions(place.span);
                return None;
            }
            None => {}
        }
        let change = user::Change { place: target, operator, arithmetic, value, old };
        Some((user::Expr::Change(Box::new(change)), result))
    }

    /// What can be changed: its kind, the variable when it is one.
    fn place(&mut self, place: &Expr) -> Option<(Kind, Option<usize>, user::Place)> {
        match &place.kind {
            ExprKind::Var(name) => {
                let (_, kind) = self.variable(name, place.span);
                let at = self.find(name)?;
                Some((kind, Some(at), user::Place::Var(at as u32)))
            }
            ExprKind::Map { name, keys } => {
                let (map, keys, kind) = self.entry_to_change(name, keys, place.span)?;
                Some((kind, None, user::Place::Entry { map, keys }))
            }
            ExprKind::Error => None,
            _ => {
                self.checker.not_assignable(place);
                None
            }
        }
    }
}
