//! A walk through a tree that may change it.

use super::{
    Argument, Ast, AttachPoint, Block, Column, ColumnDetail, Expr, ExprKind, Need, Order, ScriptItem, Stmt, StmtKind,
    TypeOperand, UnaryOp,
};
use crate::ast::BinaryOp;

/// What is done to the parts of a tree; each default goes on to what is inside.
pub(crate) trait Visitor: Sized {
    /// An expression whose value is used.
    fn expr(&mut self, expr: &mut Expr) {
        walk_expr(self, expr);
    }

    /// An expression that decides: true or false.
    fn condition(&mut self, expr: &mut Expr) {
        self.expr(expr);
    }

    /// A statement.
    fn stmt(&mut self, stmt: &mut Stmt) {
        walk_stmt(self, stmt);
    }

    /// Statements.
    fn block(&mut self, block: &mut Block) {
        block.stmts.iter_mut().for_each(|stmt| self.stmt(stmt));
    }

    /// The attach points of a probe.
    fn attach_points(&mut self, _points: &mut Vec<AttachPoint>) {}
}

/// Everything in a script that holds expressions.
pub(crate) fn walk_ast<V: Visitor>(v: &mut V, ast: &mut Ast) {
    ast.maps.iter_mut().flat_map(|map| &mut map.args).for_each(|arg| v.expr(arg));
    for probe in &mut ast.probes {
        v.attach_points(&mut probe.attach_points);
        if let Some(predicate) = &mut probe.predicate {
            v.condition(predicate);
        }
        v.block(&mut probe.action);
    }
    ast.functions.iter_mut().for_each(|function| v.block(&mut function.body));
    ast.script.iter_mut().for_each(|(item, _)| script_item(v, item));
}

fn script_item<V: Visitor>(v: &mut V, item: &mut ScriptItem) {
    match item {
        ScriptItem::Needs(needs) => {
            for need in needs {
                if let Need::Condition(condition) = need {
                    v.condition(condition);
                }
            }
        }
        ScriptItem::Test { body, .. } => v.block(body),
        ScriptItem::Table(table) => table.columns.iter_mut().for_each(|one| column(v, one)),
        ScriptItem::File(file) => {
            v.expr(&mut file.path);
            file.columns.iter_mut().for_each(|one| column(v, one));
        }
        ScriptItem::Actor(actor) => arguments(v, &mut actor.args),
        ScriptItem::Param(_) | ScriptItem::Exclusive(_) | ScriptItem::Example { .. } => {}
    }
}

fn column<V: Visitor>(v: &mut V, column: &mut Column) {
    if let ColumnDetail::Arguments(args) = &mut column.detail {
        args.iter_mut().for_each(|arg| v.expr(arg));
    }
    column.value.iter_mut().for_each(|value| v.expr(value));
}

fn arguments<V: Visitor>(v: &mut V, args: &mut [Argument]) {
    args.iter_mut().for_each(|arg| v.expr(&mut arg.value));
}

fn order<V: Visitor>(v: &mut V, order: &mut Order) {
    order.by.iter_mut().chain(&mut order.top).for_each(|expr| v.expr(expr));
}

/// What a statement consists of.
pub(crate) fn walk_stmt<V: Visitor>(v: &mut V, stmt: &mut Stmt) {
    match &mut stmt.kind {
        StmtKind::Expr(value) | StmtKind::Discard(value) | StmtKind::Return(Some(value)) => v.expr(value),
        StmtKind::Let { value, .. } => value.iter_mut().for_each(|value| v.expr(value)),
        StmtKind::Assign { place, value, .. } => {
            v.expr(place);
            v.expr(value);
        }
        StmtKind::If { condition, then, otherwise } => {
            v.condition(condition);
            v.block(then);
            otherwise.iter_mut().for_each(|block| v.block(block));
        }
        StmtKind::Block(block) => v.block(block),
        StmtKind::While { condition, body } => {
            v.condition(condition);
            v.block(body);
        }
        StmtKind::Unroll { count, body } => {
            v.expr(count);
            v.block(body);
        }
        StmtKind::For { from, to, body, .. } => {
            v.expr(from);
            to.iter_mut().for_each(|to| v.expr(to));
            v.block(body);
        }
        StmtKind::MapLoop(inner) => {
            v.expr(&mut inner.map);
            order(v, &mut inner.order);
            v.block(&mut inner.body);
        }
        StmtKind::Emit { args, .. } => arguments(v, args),
        StmtKind::Show { map, order: by, .. } => {
            v.expr(map);
            order(v, by);
        }
        StmtKind::Break | StmtKind::Continue | StmtKind::Return(None) | StmtKind::Error => {}
    }
}

/// What an expression consists of.
pub(crate) fn walk_expr<V: Visitor>(v: &mut V, expr: &mut Expr) {
    match &mut expr.kind {
        ExprKind::Map { keys: list, .. } | ExprKind::Call { args: list, .. } | ExprKind::Tuple(list) => {
            list.iter_mut().for_each(|expr| v.expr(expr));
        }
        ExprKind::Method { base, args, .. } => {
            v.expr(base);
            arguments(v, args);
        }
        ExprKind::Unary(UnaryOp::Not, inner) => v.condition(inner),
        ExprKind::Unary(_, inner)
        | ExprKind::Step { place: inner, .. }
        | ExprKind::Field { base: inner, .. }
        | ExprKind::TupleField { base: inner, .. }
        | ExprKind::Cast { value: inner, .. }
        | ExprKind::Comptime(inner) => v.expr(inner),
        ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
            v.condition(left);
            v.condition(right);
        }
        ExprKind::Binary(_, left, right) | ExprKind::Index { base: left, index: right } => {
            v.expr(left);
            v.expr(right);
        }
        ExprKind::Ternary { condition, then, otherwise } => {
            match then {
                Some(then) => {
                    v.condition(condition);
                    v.expr(then);
                }
                None => v.expr(condition),
            }
            v.expr(otherwise);
        }
        ExprKind::OffsetOf { of: operand, .. } | ExprKind::TypeOf(operand) | ExprKind::TypeInfo(operand) => {
            if let TypeOperand::Value(value) = operand {
                v.expr(value);
            }
        }
        ExprKind::Record(fields) => fields.iter_mut().for_each(|(_, value)| v.expr(value)),
        ExprKind::Block(block) => v.block(block),
        ExprKind::If { condition, then, otherwise } => {
            v.condition(condition);
            v.block(then);
            otherwise.iter_mut().for_each(|block| v.block(block));
        }
        ExprKind::Int { .. }
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Name(_)
        | ExprKind::Var(_)
        | ExprKind::Positional(_)
        | ExprKind::SizeOf(_)
        | ExprKind::Error => {}
    }
}
