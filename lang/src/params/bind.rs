//! Puts the values of parameters in their places.
//!
//! A parameter becomes a constant of its type: `(uint64)5`, `"text"`, of a `const param` a bare literal. One that was left
//! out decides as false; nothing is equal to it; elsewhere it is 0 or empty. A list equals each of its values.

use super::Values;
use super::declare::{Declared, Parameter};
use super::kind::{Kind, NumberOf, Value};
use crate::ast::visit::{Visitor, walk_ast, walk_expr};
use crate::ast::{Ast, AttachPoint, BinaryOp, Expr, ExprKind, Ident, NodeId, ScriptItem, TypeBase, TypeName, UnaryOp};
use crate::builtins;
use crate::check::is_comparison;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::source::Span;
use std::collections::HashSet;

/// The script with these values in place of its parameters. Probes at which an attach point names a parameter without a
/// value are left out.
pub fn bind(mut ast: Ast, declared: &Declared, values: &Values) -> (Ast, Diagnostics) {
    let is_own = |item: &ScriptItem| {
        matches!(item, ScriptItem::Param(_) | ScriptItem::Exclusive(_) | ScriptItem::Example { .. })
    };
    ast.script.retain(|(item, _)| !is_own(item));
    let next = ast.node_count;
    let mut binder = Binder { declared, values, out: Diagnostics::default(), next, used: HashSet::new() };
    walk_ast(&mut binder, &mut ast);
    // sizes of maps are numbers of any type
    for arg in ast.maps.iter_mut().flat_map(|map| &mut map.args) {
        if let ExprKind::Cast { value, .. } = &arg.kind {
            *arg = (**value).clone();
        }
    }
    ast.node_count = binder.next;
    ast.probes.retain(|probe| !probe.attach_points.is_empty());
    binder.report_unused();
    (ast, binder.out)
}

struct Binder<'a> {
    declared: &'a Declared,
    values: &'a Values,
    out: Diagnostics,
    next: u32,
    used: HashSet<String>,
}

impl Visitor for Binder<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::Binary(op, left, right) = &mut expr.kind
            && is_comparison(*op)
            && let Some(found) = self.comparison(*op, left, right, expr.span)
        {
            *expr = found;
            return;
        }
        if let ExprKind::Field { base, field } = &expr.kind
            && matches!(&base.kind, ExprKind::Name(name) if name == "param")
            && self.parameter(&field.text).is_none()
        {
            return self.unknown(expr, &field.clone());
        }
        match self.meant(expr) {
            Some(one) => *expr = self.first_value(one, expr.span),
            None => walk_expr(self, expr),
        }
    }

    fn condition(&mut self, expr: &mut Expr) {
        match self.meant(expr) {
            Some(one) if one.is_many() => {
                let some = self.values.get(&one.name).is_some_and(|values| !values.is_empty());
                *expr = self.node(ExprKind::Bool(some), expr.span);
            }
            Some(one) if one.optional => {
                let given = self.values.contains_key(&one.name);
                *expr = self.node(ExprKind::Bool(given), expr.span);
            }
            _ => self.expr(expr),
        }
    }

    fn attach_points(&mut self, points: &mut Vec<AttachPoint>) {
        let written = std::mem::take(points);
        for point in written {
            let mut found = self.point(point);
            points.append(&mut found);
        }
    }
}

impl<'a> Binder<'a> {
    fn node(&mut self, kind: ExprKind, span: Span) -> Expr {
        let id = NodeId(self.next);
        self.next += 1;
        Expr { id, kind, span }
    }

    fn parameter(&self, name: &str) -> Option<&'a Parameter> {
        self.declared.parameters.iter().find(|one| one.name == name)
    }

    /// The parameter that an expression is: `name`, unless a builtin has the name, or `param.name`.
    fn meant(&mut self, expr: &Expr) -> Option<&'a Parameter> {
        let found = match &expr.kind {
            ExprKind::Name(name) if builtins::lookup(name).is_none() => self.parameter(name),
            ExprKind::Field { base, field } if matches!(&base.kind, ExprKind::Name(name) if name == "param") => {
                self.parameter(&field.text)
            }
            _ => None,
        }?;
        self.used.insert(found.name.clone());
        Some(found)
    }

    fn unknown(&mut self, expr: &mut Expr, name: &Ident) {
        let names = self.declared.parameters.iter().map(|one| one.name.as_str());
        let message = format!("the script has no parameter `{}`", name.text);
        let diagnostic = Diagnostic::error(Code::UnknownName, message).at(name.span, "");
        self.out.push(diagnostic.suggest(name.span, nearest(&name.text, names)));
        expr.kind = ExprKind::Error;
    }

    /// A comparison in which one side is a parameter that has no value or several, or a choice.
    fn comparison(&mut self, op: BinaryOp, left: &mut Expr, right: &mut Expr, span: Span) -> Option<Expr> {
        let (one, other, first) = match (self.meant(left), self.meant(right)) {
            (Some(one), _) => (one, right, true),
            (None, Some(one)) => (one, left, false),
            _ => return None,
        };
        let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        if let Kind::Choice(words) = &one.kind {
            self.word(words, one, other);
        }
        self.expr(other);
        let values = self.values.get(&one.name).map_or(&[][..], Vec::as_slice);
        if one.is_many() && !equality {
            let message = format!("`{}` is a list: a value can be equal to one of it, or differ from all", one.name);
            self.out.push(Diagnostic::error(Code::BadOperand, message).at(span, "this has no order"));
        }
        if one.is_many() && values.len() > 1 && crate::lower::has_effects(other) {
            let message = "what is compared with a list must not change anything";
            self.out
                .push(Diagnostic::error(Code::NotSupported, message).at(other.span, "it is evaluated for each value"));
        }
        let mut compared: Vec<Expr> = Vec::new();
        for value in values.iter().map(Some).chain(values.is_empty().then_some(None)) {
            let value = self.constant(one, value, span);
            let (other, value) = (Box::new(other.clone()), Box::new(value));
            let kind = if first { ExprKind::Binary(op, value, other) } else { ExprKind::Binary(op, other, value) };
            compared.push(self.node(kind, span));
        }
        let differs = op == BinaryOp::NotEqual;
        let join = if differs { BinaryOp::And } else { BinaryOp::Or };
        let all = compared.into_iter().reduce(|all, next| {
            let kind = ExprKind::Binary(join, Box::new(all), Box::new(next));
            self.node(kind, span)
        })?;
        if !values.is_empty() {
            return Some(all);
        }
        // nothing is equal to a value that is not there; the comparison stays to be checked
        let known = Box::new(self.node(ExprKind::Bool(differs), span));
        let join = if differs { BinaryOp::Or } else { BinaryOp::And };
        Some(self.node(ExprKind::Binary(join, known, Box::new(all)), span))
    }

    /// What a choice is compared with: one of its words, with or without quotes.
    fn word(&mut self, words: &[String], one: &Parameter, other: &mut Expr) {
        if self.meant(other).is_some() {
            return;
        }
        let text = match &other.kind {
            ExprKind::Name(name) => name.clone(),
            ExprKind::Str(text) => String::from_utf8_lossy(text).into_owned(),
            _ => return,
        };
        if words.contains(&text) {
            other.kind = ExprKind::Str(text.into_bytes());
            return;
        }
        let message = format!("`{}` is never `{text}`: it is one of {}", one.name, words.join(", "));
        let near = nearest(&text, words.iter().map(String::as_str));
        let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(other.span, "");
        self.out.push(diagnostic.suggest(other.span, near));
        other.kind = ExprKind::Error;
    }

    /// The value of a parameter where a single one is needed.
    fn first_value(&mut self, one: &Parameter, span: Span) -> Expr {
        if one.is_many() {
            let message = format!("`{}` is a list: it can be compared with `==` and `!=`, and tested", one.name);
            self.out.push(Diagnostic::error(Code::TypeMismatch, message).at(span, "a single value is needed here"));
        }
        let value = self.values.get(&one.name).and_then(|values| values.first());
        self.constant(one, value, span)
    }

    /// A constant of the parameter's type; 0 or empty without a value.
    fn constant(&mut self, one: &Parameter, value: Option<&Value>, span: Span) -> Expr {
        let nothing = match &one.kind {
            Kind::Number(_) | Kind::Duration(_) | Kind::Size(_) => Value::Uint(0),
            Kind::Float => Value::Float(0.0),
            Kind::Bool => Value::Bool(false),
            Kind::Text | Kind::Path | Kind::Choice(_) => Value::Text(String::new()),
            Kind::Ip => Value::Ip(core::net::Ipv4Addr::UNSPECIFIED.into()),
        };
        match value.unwrap_or(&nothing) {
            Value::Int(value) => self.number(*value < 0, value.unsigned_abs(), "int64", one.constant, span),
            Value::Uint(value) => self.number(false, *value, "uint64", one.constant, span),
            Value::Float(value) => self.node(ExprKind::Float(format!("{value:?}")), span),
            Value::Bool(value) => self.node(ExprKind::Bool(*value), span),
            Value::Text(text) => self.node(ExprKind::Str(text.clone().into_bytes()), span),
            Value::Ip(address) => {
                let text = self.node(ExprKind::Str(address.to_string().into_bytes()), span);
                let name = Ident { text: "pton".into(), span };
                self.node(ExprKind::Call { name, args: vec![text] }, span)
            }
        }
    }

    fn number(&mut self, negative: bool, magnitude: u64, ty: &str, bare: bool, span: Span) -> Expr {
        let unsigned = magnitude > i64::MAX as u64;
        let mut value = self.node(ExprKind::Int { bits: magnitude, unsigned }, span);
        if negative {
            value = self.node(ExprKind::Unary(UnaryOp::Negate, Box::new(value)), span);
        }
        if bare {
            return value;
        }
        let name = Ident { text: ty.into(), span };
        let ty = TypeName { base: TypeBase::Name { tag: None, name }, suffixes: vec![], span };
        self.node(ExprKind::Cast { ty, value: Box::new(value) }, span)
    }

    /// The attach points that one stands for: one for each value of a list, none without a value.
    fn point(&mut self, mut point: AttachPoint) -> Vec<AttachPoint> {
        let alternatives = std::mem::take(&mut point.alternatives);
        let alternatives: Vec<AttachPoint> = alternatives.into_iter().flat_map(|one| self.point(one)).collect();
        let names = std::mem::take(&mut point.params);
        let mut points = vec![point];
        for name in names {
            let Some(one) = self.parameter(&name.text) else {
                let mut nothing = Expr { id: NodeId(0), kind: ExprKind::Error, span: name.span };
                self.unknown(&mut nothing, &name);
                continue;
            };
            self.used.insert(one.name.clone());
            let values = self.values.get(&one.name).map_or(&[][..], Vec::as_slice);
            points = points.iter().flat_map(|point| values.iter().map(|value| put(point, one, value))).collect();
        }
        match points.first_mut() {
            Some(first) => first.alternatives = alternatives,
            None => return split_alternatives(alternatives),
        }
        points
    }

    fn report_unused(&mut self) {
        for one in self.declared.parameters.iter().filter(|one| !self.used.contains(&one.name)) {
            let message = format!("parameter `{}` is never used", one.name);
            let mut diagnostic = Diagnostic::warning(Code::UnusedParameter, message).at(one.span, "");
            if builtins::lookup(&one.name).is_some() {
                let help = format!("`{0}` alone is the builtin; the parameter is `param.{0}`", one.name);
                diagnostic = diagnostic.help(help);
            }
            self.out.push(diagnostic);
        }
    }
}

/// Alternatives whose first has no value.
fn split_alternatives(mut alternatives: Vec<AttachPoint>) -> Vec<AttachPoint> {
    if alternatives.is_empty() {
        return Vec::new();
    }
    let rest = alternatives.split_off(1);
    alternatives.iter_mut().for_each(|first| first.alternatives = rest.clone());
    alternatives
}

/// The attach point with a value in place of `{name}`. A duration that is a part of its own is written in the unit before
/// it, or in a smaller one.
fn put(point: &AttachPoint, one: &Parameter, value: &Value) -> AttachPoint {
    let mut point = point.clone();
    let place = format!("{{{}}}", one.name);
    if let (Kind::Duration(_), Value::Uint(nanoseconds)) = (&one.kind, value)
        && let Some(at) = point.parts.iter().position(|part| part.text == place)
    {
        let before = at.checked_sub(1).and_then(|at| point.parts.get(at)).map(|part| part.text.clone());
        let (unit, count) = one.kind.in_unit(*nanoseconds, before.as_deref());
        if let (Some(before), Some(part)) = (at.checked_sub(1), point.parts.get_mut(at)) {
            part.text = count;
            if let Some(part) = point.parts.get_mut(before) {
                part.text = unit;
            }
        } else if let Some(part) = point.parts.get_mut(at) {
            part.text = count + &unit;
        }
        return point;
    }
    let text = match value {
        // sizes are bytes
        Value::Uint(value) => value.to_string(),
        value => one.kind.show(value),
    };
    point.parts.iter_mut().for_each(|part| part.text = part.text.replace(&place, &text));
    point
}

impl Parameter {
    /// What its numbers are to name on this machine.
    pub fn number_of(&self) -> Option<NumberOf> {
        match &self.kind {
            Kind::Number(row) => row.of,
            _ => None,
        }
    }
}
