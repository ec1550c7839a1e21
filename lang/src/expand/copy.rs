//! Copies of trees, with calls expanded and parameters replaced.

use super::{Expander, Frame, own_name};
use crate::aggregations;
use crate::ast::{Argument, Block, Expr, ExprKind, MacroParamKind, MapLoop, Order, Stmt, StmtKind, TypeOperand};
use crate::builtins;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Expander<'_> {
    pub(super) fn block(&mut self, block: &Block, frame: Option<&Frame>) -> Block {
        self.depth += 1;
        let stmts = block.stmts.iter().map(|stmt| self.stmt(stmt, frame)).collect();
        self.depth -= 1;
        Block { stmts, span: self.span(block.span, frame), ..*block }
    }

    fn stmt(&mut self, stmt: &Stmt, frame: Option<&Frame>) -> Stmt {
        let kind = match &stmt.kind {
            StmtKind::Expr(value) => StmtKind::Expr(self.expr(value, frame)),
            StmtKind::Let { name, ty, value } => {
                let value = value.as_ref().map(|value| self.expr(value, frame));
                let ty = ty.as_ref().and_then(|ty| self.type_name(ty, frame));
                StmtKind::Let { name: self.variable(name, frame), ty, value }
            }
            StmtKind::Assign { place, op, value } => {
                let (place, value) = (self.expr(place, frame), self.expr(value, frame));
                match op {
                    None => assign(place, value),
                    Some(_) => StmtKind::Assign { place, op: *op, value },
                }
            }
            StmtKind::If { condition, then, otherwise } => StmtKind::If {
                condition: self.expr(condition, frame),
                then: self.block(then, frame),
                otherwise: otherwise.as_ref().map(|block| self.block(block, frame)),
            },
            StmtKind::Block(block) => StmtKind::Block(self.block(block, frame)),
            StmtKind::While { condition, body } => {
                StmtKind::While { condition: self.expr(condition, frame), body: self.block(body, frame) }
            }
            StmtKind::Unroll { count, body } => {
                StmtKind::Unroll { count: self.expr(count, frame), body: self.block(body, frame) }
            }
            StmtKind::For { name, from, to, body } => StmtKind::For {
                name: self.variable(name, frame),
                from: self.expr(from, frame),
                to: to.as_ref().map(|to| self.expr(to, frame)),
                body: self.block(body, frame),
            },
            StmtKind::MapLoop(inner) => StmtKind::MapLoop(Box::new(MapLoop {
                key: self.variable(&inner.key, frame),
                value: inner.value.as_ref().map(|value| self.variable(value, frame)),
                map: self.expr(&inner.map, frame),
                order: self.order(&inner.order, frame),
                body: self.block(&inner.body, frame),
            })),
            StmtKind::Emit { table, args } => {
                StmtKind::Emit { table: self.ident(table, frame), args: self.arguments(args, frame) }
            }
            StmtKind::Show { map, table, order } => StmtKind::Show {
                map: self.expr(map, frame),
                table: table.as_ref().map(|table| self.ident(table, frame)),
                order: self.order(order, frame),
            },
            StmtKind::Return(value) => StmtKind::Return(value.as_ref().map(|value| self.expr(value, frame))),
            StmtKind::Discard(value) => StmtKind::Discard(self.expr(value, frame)),
            StmtKind::Break => StmtKind::Break,
            StmtKind::Continue => StmtKind::Continue,
            StmtKind::Error => StmtKind::Error,
        };
        Stmt { kind, span: self.span(stmt.span, frame) }
    }

    fn order(&mut self, order: &Order, frame: Option<&Frame>) -> Order {
        Order {
            by: order.by.as_ref().map(|by| self.expr(by, frame)),
            descending: order.descending,
            top: order.top.as_ref().map(|top| self.expr(top, frame)),
        }
    }

    fn arguments(&mut self, args: &[Argument], frame: Option<&Frame>) -> Vec<Argument> {
        let one = |arg: &Argument| Argument {
            name: arg.name.as_ref().map(|name| self.ident(name, frame)),
            value: self.expr(&arg.value, frame),
        };
        args.iter().map(one).collect()
    }

    fn exprs(&mut self, list: &[Expr], frame: Option<&Frame>) -> Vec<Expr> {
        list.iter().map(|expr| self.expr(expr, frame)).collect()
    }

    fn boxed(&mut self, expr: &Expr, frame: Option<&Frame>) -> Box<Expr> {
        Box::new(self.expr(expr, frame))
    }

    /// A copy of an expression, with numbers of its own.
    pub(super) fn expr(&mut self, expr: &Expr, frame: Option<&Frame>) -> Expr {
        let span = self.span(expr.span, frame);
        if self.is_full(span) {
            return self.error(span);
        }
        self.depth += 1;
        let made = match &expr.kind {
            ExprKind::Name(name) => self.name(name, frame, span),
            ExprKind::Var(name) => self.var(name, frame, span),
            ExprKind::Map { name, keys } => self.map(name, keys, frame, span),
            ExprKind::Call { name, args } => {
                let (name, args) = (self.ident(name, frame), self.exprs(args, frame));
                if self.is_macro(&name.text) {
                    self.call(&name, args, span)
                } else {
                    let kind = type_argument(&name.text, &args).unwrap_or(ExprKind::Call { name, args });
                    self.node(kind, span)
                }
            }
            kind => {
                let kind = self.plain(kind, frame, span);
                self.node(kind, span)
            }
        };
        self.depth -= 1;
        made
    }

    /// Expressions that neither are parameters nor call anything.
    fn plain(&mut self, kind: &ExprKind, frame: Option<&Frame>, span: Span) -> ExprKind {
        match kind {
            ExprKind::Unary(op, operand) => ExprKind::Unary(*op, self.boxed(operand, frame)),
            ExprKind::Step { place, delta, prefix } => {
                ExprKind::Step { place: self.boxed(place, frame), delta: *delta, prefix: *prefix }
            }
            ExprKind::Binary(op, left, right) => {
                ExprKind::Binary(*op, self.boxed(left, frame), self.boxed(right, frame))
            }
            ExprKind::Ternary { condition, then, otherwise } => ExprKind::Ternary {
                condition: self.boxed(condition, frame),
                then: then.as_ref().map(|then| self.boxed(then, frame)),
                otherwise: self.boxed(otherwise, frame),
            },
            ExprKind::Field { base, field } => {
                ExprKind::Field { base: self.boxed(base, frame), field: self.ident(field, frame) }
            }
            ExprKind::TupleField { base, index } => {
                ExprKind::TupleField { base: self.boxed(base, frame), index: *index }
            }
            ExprKind::Index { base, index } => {
                ExprKind::Index { base: self.boxed(base, frame), index: self.boxed(index, frame) }
            }
            ExprKind::Method { base, name, args } => ExprKind::Method {
                base: self.boxed(base, frame),
                name: self.ident(name, frame),
                args: self.arguments(args, frame),
            },
            ExprKind::Cast { ty, value } => {
                let value = self.boxed(value, frame);
                self.type_name(ty, frame).map_or(ExprKind::Error, |ty| ExprKind::Cast { ty, value })
            }
            ExprKind::SizeOf(_) | ExprKind::OffsetOf { .. } | ExprKind::TypeOf(_) | ExprKind::TypeInfo(_) => {
                self.of_type(kind, frame, span)
            }
            ExprKind::Tuple(list) => ExprKind::Tuple(self.exprs(list, frame)),
            ExprKind::Record(fields) => {
                let field =
                    |(name, value): &(crate::ast::Ident, Expr)| (self.ident(name, frame), self.expr(value, frame));
                ExprKind::Record(fields.iter().map(field).collect())
            }
            ExprKind::Block(block) => ExprKind::Block(self.block(block, frame)),
            ExprKind::If { condition, then, otherwise } => ExprKind::If {
                condition: self.boxed(condition, frame),
                then: self.block(then, frame),
                otherwise: otherwise.as_ref().map(|block| self.block(block, frame)),
            },
            ExprKind::Comptime(value) => ExprKind::Comptime(self.boxed(value, frame)),
            ExprKind::Int { .. }
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Positional(_)
            | ExprKind::Name(_)
            | ExprKind::Var(_)
            | ExprKind::Map { .. }
            | ExprKind::Call { .. }
            | ExprKind::Error => kind.clone(),
        }
    }

    /// What asks for a type.
    fn of_type(&mut self, kind: &ExprKind, frame: Option<&Frame>, span: Span) -> ExprKind {
        match kind {
            ExprKind::SizeOf(ty) => self.size_of(ty, frame, span),
            ExprKind::OffsetOf { of, path } => {
                let path = self.path(path, frame);
                self.operand(of, frame).map_or(ExprKind::Error, |of| ExprKind::OffsetOf { of, path })
            }
            ExprKind::TypeOf(of) => self.operand(of, frame).map_or(ExprKind::Error, ExprKind::TypeOf),
            ExprKind::TypeInfo(of) => self.operand(of, frame).map_or(ExprKind::Error, ExprKind::TypeInfo),
            kind => kind.clone(),
        }
    }

    fn name(&mut self, name: &str, frame: Option<&Frame>, span: Span) -> Expr {
        if let Some(given) = frame.and_then(|frame| frame.given(MacroParamKind::Expr, name)) {
            return self.expr(given, None);
        }
        if self.is_bare_call(name) || self.is_macro(name) && builtins::lookup(name).is_none() {
            let name = crate::ast::Ident { text: name.to_string(), span };
            return self.call(&name, Vec::new(), span);
        }
        self.node(ExprKind::Name(name.to_string()), span)
    }

    fn var(&mut self, name: &str, frame: Option<&Frame>, span: Span) -> Expr {
        let Some(frame) = frame else { return self.node(ExprKind::Var(name.to_string()), span) };
        match frame.given(MacroParamKind::Variable, name) {
            Some(given) => self.node(given.kind.clone(), span),
            None => self.node(ExprKind::Var(own_name(name, frame)), span),
        }
    }

    fn map(&mut self, name: &str, keys: &[Expr], frame: Option<&Frame>, span: Span) -> Expr {
        let keys = self.exprs(keys, frame);
        let Some(frame) = frame else { return self.node(ExprKind::Map { name: name.to_string(), keys }, span) };
        match frame.given(MacroParamKind::Map, name).map(|given| &given.kind) {
            Some(ExprKind::Map { name, .. }) => self.node(ExprKind::Map { name: name.clone(), keys }, span),
            Some(_) => self.error(span),
            None => {
                let message = format!("macro `{}` has no parameter `@{name}`", frame.name);
                let diagnostic = Diagnostic::error(Code::UndefinedMap, message).at(span, "a map of the script");
                self.out.push(diagnostic.help("a macro sees only the maps and variables that it is given"));
                self.error(span)
            }
        }
    }
}

/// `sizeof(typeof(T))` where it was not written so: a type was given for the parameter.
fn type_argument(name: &str, args: &[Expr]) -> Option<ExprKind> {
    match args {
        [Expr { kind: ExprKind::TypeOf(TypeOperand::Type(ty)), .. }] if name == SIZE_OF => {
            Some(ExprKind::SizeOf(ty.clone()))
        }
        _ => None,
    }
}

/// The keyword that is a function when an expression follows it.
pub(super) const SIZE_OF: &str = "sizeof";

/// `place = value`; when an aggregation is the value of a block, it is assigned inside of the block.
pub(crate) fn assign(place: Expr, value: Expr) -> StmtKind {
    let aggregates = |block: &Block| {
        let last = block.stmts.last().map(|stmt| &stmt.kind);
        matches!(last, Some(StmtKind::Expr(Expr { kind: ExprKind::Call { name, .. }, .. }))
            if block.has_value && aggregations::lookup(&name.text).is_some())
    };
    match (&place.kind, value.kind) {
        (ExprKind::Map { .. }, ExprKind::Block(mut block)) if aggregates(&block) => {
            if let Some(Stmt { kind: StmtKind::Expr(value), span }) = block.stmts.pop() {
                block.stmts.push(Stmt { kind: StmtKind::Assign { place, op: None, value }, span });
            }
            block.has_value = false;
            StmtKind::Block(block)
        }
        (_, kind) => StmtKind::Assign { place, op: None, value: Expr { kind, ..value } },
    }
}
