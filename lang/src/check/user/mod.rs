//! Actions in user space: their names and types are checked here, and the tree of [`crate::user`] is made in the same walk,
//! since it says little more than what was written. Maps are the same on both sides: uses here take part in finding the
//! types of their keys and values.

mod call;
mod emit;
mod expr;
mod float;
mod format;
mod kind;
mod map;
mod request;
mod stmt;

use super::Checker;
use super::attach::Point;
use crate::ast::{Ast, Expr, Ident};
use crate::builtins::Side;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::manifest::Attach;
use crate::source::Span;
use crate::user;
use kind::Kind;
use std::collections::HashMap;

/// An action in user space while it is checked.
#[derive(Debug)]
pub(super) struct CheckedAction {
    /// Index into [`Ast::probes`].
    probe: usize,
    point: Point,
    /// So many programs stand before it.
    before: u32,
    vars: Vec<UserVar>,
    /// What it became in the last walk.
    pub(super) action: user::UserAction,
}

/// A scratch variable.
#[derive(Debug)]
struct UserVar {
    /// [`Kind::Error`] until something is assigned.
    kind: Kind,
    span: Span,
}

/// A name that does not belong to this side; `side`: where it does.
pub(super) fn wrong_side(name: &str, side: Side, span: Span) -> Diagnostic {
    let (here, there) = match side {
        Side::User => ("in a program in the kernel", "in actions marked `user`"),
        Side::Kernel | Side::Both => ("in an action in user space", "in programs in the kernel"),
    };
    Diagnostic::error(Code::WrongSide, format!("`{name}` is not available {here}"))
        .at(span, format!("it is there {there}"))
}

impl CheckedAction {
    /// An action that has not been walked.
    pub(super) fn new(probe: usize, point: Point, before: u32) -> CheckedAction {
        let action = user::UserAction {
            attach: point.attach.clone(),
            probe: point.text.clone(),
            before,
            vars: 0,
            predicate: None,
            body: Vec::new(),
            span: point.span,
        };
        CheckedAction { probe, point, before, vars: Vec::new(), action }
    }
}

impl Checker<'_> {
    /// Walks an action once.
    pub(super) fn walk_user(&mut self, ast: &Ast, checked: CheckedAction) -> CheckedAction {
        let Some(probe) = ast.probes.get(checked.probe) else { return checked };
        let CheckedAction { probe: at, point, before, vars, .. } = checked;
        let can_run =
            matches!(point.attach, Attach::Begin | Attach::End | Attach::Interval { .. } | Attach::Signal { .. });
        if point.known && !can_run {
            let message = format!("an action in user space cannot follow `{}`", point.text);
            let diagnostic = Diagnostic::error(Code::WrongSide, message).at(point.span, "this runs in the kernel");
            self.report(
                diagnostic.help("keep what happens in a map, and read the map in an `interval` or `end` action"),
            );
        }
        let mut walk = UserChecker {
            checker: self,
            probe: &point.text,
            vars,
            scopes: vec![HashMap::new()],
            declared: 0,
            loops: 0,
        };
        let predicate = probe.predicate.as_ref().map(|predicate| walk.condition(predicate));
        let body = walk.block(&probe.action);
        let vars = walk.vars;
        let action = user::UserAction {
            attach: point.attach.clone(),
            probe: point.text.clone(),
            before,
            vars: vars.len() as u32,
            predicate,
            body,
            span: point.span,
        };
        CheckedAction { probe: at, point, before, vars, action }
    }
}

/// A value and what it is.
type Typed = (user::Expr, Kind);

struct UserChecker<'c, 'k> {
    checker: &'c mut Checker<'k>,
    /// The attach point.
    probe: &'c str,
    vars: Vec<UserVar>,
    /// Names visible, outermost block first.
    scopes: Vec<HashMap<String, usize>>,
    /// Variables declared so far in this walk.
    declared: usize,
    /// Loops around.
    loops: u32,
}

/// What stands for an expression with a mistake.
fn wrong() -> Typed {
    (user::Expr::Int { bits: 0, signed: true }, Kind::Error)
}

impl UserChecker<'_, '_> {
    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Typed {
        self.report(Diagnostic::error(code, message).at(span, label))
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Typed {
        self.checker.report(diagnostic);
        wrong()
    }

    /// Declares a variable in the innermost block. Each walk declares the same ones in the same order.
    fn declare(&mut self, name: &Ident) -> usize {
        let at = self.declare_hidden(name.span);
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.text.clone(), at);
        }
        at
    }

    /// Declares a variable that has no name.
    fn declare_hidden(&mut self, span: Span) -> usize {
        let at = self.declared;
        self.declared += 1;
        if self.vars.len() <= at {
            self.vars.push(UserVar { kind: Kind::Error, span });
        }
        at
    }

    /// Declares one that must be new.
    fn declare_new(&mut self, name: &Ident) -> usize {
        if let Some(var) = self.find(&name.text).and_then(|at| self.vars.get(at)) {
            let message = format!("scratch variable `${}` is declared already", name.text);
            let diagnostic = Diagnostic::error(Code::DuplicateVariable, message)
                .at(name.span, "declared again")
                .at(var.span, "declared here");
            self.report(diagnostic);
        }
        self.declare(name)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    /// A variable's value.
    fn variable(&mut self, name: &str, span: Span) -> Typed {
        let Some(at) = self.find(name) else {
            let message = format!("scratch variable `${name}` is not defined");
            let diagnostic = Diagnostic::error(Code::UndefinedVariable, message).at(span, "nothing was assigned to it");
            let names = self.scopes.iter().flat_map(|scope| scope.keys()).map(String::as_str);
            let found = nearest(name, names).map(|found| format!("${found}"));
            return self.report(diagnostic.suggest(span, found.as_deref()));
        };
        let kind = self.vars.get(at).map_or(Kind::Error, |var| var.kind.clone());
        (user::Expr::Var(at as u32), kind)
    }

    /// Takes an assigned value into a variable's kind; gives it in the form that the variable has.
    fn merge_variable(&mut self, at: usize, (value, kind): Typed, span: Span) -> user::Expr {
        let Some(var) = self.vars.get_mut(at) else { return value };
        match var.kind.merge(&kind) {
            Some(merged) => {
                if merged != var.kind {
                    var.kind = merged.clone();
                    self.checker.changed = true;
                }
                if merged == Kind::Float { float::convert(value, &kind) } else { value }
            }
            None => {
                let message = format!("the variable is `{}` and takes no `{kind}`", var.kind);
                let diagnostic = Diagnostic::error(Code::TypeMismatch, message)
                    .at(span, format!("this is `{kind}`"))
                    .at(var.span, format!("declared here as `{}`", var.kind));
                self.report(diagnostic);
                value
            }
        }
    }

    /// What decides: a bool or number.
    fn condition(&mut self, expr: &Expr) -> user::Expr {
        let (value, kind) = self.value(expr);
        if kind != Kind::Error && !kind.is_number() {
            let message = format!("`{kind}` is no condition");
            let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(expr.span, "must be a bool or number");
            let text = matches!(kind, Kind::Text(_));
            self.report(if text { diagnostic.help("compare it: `... == \"text\"`") } else { diagnostic });
        }
        value
    }
}
