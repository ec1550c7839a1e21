//! Expressions of the user side.

use super::kind::Kind;
use super::{Typed, UserChecker, float, wrong};
use crate::ast::{BinaryOp, Block, Expr, ExprKind, Ident, TypeName, UnaryOp};
use crate::builtins::{self, Form, Side, UserForm};
use crate::check::{fold, positional_number, suggest};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::Type;
use crate::user::{self, Arithmetic, Comparison, NumberType, Operator, StatsPart};
use std::collections::HashMap;

/// The operator of arithmetic.
pub(super) fn operator(op: BinaryOp) -> Option<Operator> {
    Some(match op {
        BinaryOp::Add => Operator::Add,
        BinaryOp::Sub => Operator::Sub,
        BinaryOp::Mul => Operator::Mul,
        BinaryOp::Div => Operator::Div,
        BinaryOp::Rem => Operator::Rem,
        BinaryOp::BitAnd => Operator::And,
        BinaryOp::BitOr => Operator::Or,
        BinaryOp::BitXor => Operator::Xor,
        BinaryOp::ShiftLeft => Operator::ShiftLeft,
        BinaryOp::ShiftRight => Operator::ShiftRight,
        _ => return None,
    })
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Equal => Comparison::Equal,
        BinaryOp::NotEqual => Comparison::NotEqual,
        BinaryOp::Less => Comparison::Less,
        BinaryOp::LessEqual => Comparison::LessEqual,
        BinaryOp::Greater => Comparison::Greater,
        BinaryOp::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}

/// Whether it is an integer as it stands there; what operators make of several is left to them, since where a fraction is
/// wanted they calculate with fractions.
fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Int { .. } => true,
        ExprKind::Unary(_, operand) => is_literal(operand),
        _ => false,
    }
}

/// The arithmetic that gives this kind.
pub(super) fn arithmetic(kind: &Kind) -> Arithmetic {
    match kind {
        Kind::Float => Arithmetic::Float,
        Kind::Int { signed: false, .. } => Arithmetic::Unsigned,
        _ => Arithmetic::Signed,
    }
}

impl UserChecker<'_, '_> {
    /// An expression wherever a value is needed.
    pub(super) fn value(&mut self, expr: &Expr) -> Typed {
        match self.expr(expr) {
            (_, Kind::Void) => self.error(Code::NoValue, expr.span, "this gives no value", "used as a value here"),
            typed => typed,
        }
    }

    /// Any expression; it may give nothing.
    pub(super) fn expr(&mut self, expr: &Expr) -> Typed {
        if let Some(found) = fold(expr).filter(|_| is_literal(expr)) {
            let kind = Kind::Int { signed: !found.unsigned, flexible: found.value >= 0 && !found.unsigned };
            return (user::Expr::Int { bits: found.bits() as u64, signed: !found.unsigned }, kind);
        }
        match &expr.kind {
            ExprKind::Int { .. } | ExprKind::Error => wrong(),
            ExprKind::Float(text) => self.float(text, expr.span),
            ExprKind::Str(bytes) => (user::Expr::Text(bytes.clone()), Kind::Text(Some(bytes.len() as u32 + 1))),
            ExprKind::Bool(value) => (user::Expr::Bool(*value), Kind::Bool),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Var(name) => self.variable(name, expr.span),
            ExprKind::Positional(number) => self.positional(*number),
            ExprKind::Map { name, keys } => self.entry(name, keys, expr.span),
            ExprKind::Call { name, args } => self.call(name, args, expr.span),
            ExprKind::Unary(op, operand) => self.unary(*op, operand, expr.span),
            ExprKind::Step { place, delta, prefix } => {
                let op = if *delta < 0 { BinaryOp::Sub } else { BinaryOp::Add };
                let one = (user::Expr::Int { bits: 1, signed: true }, Kind::Int { signed: true, flexible: true });
                self.change_by(place, op, one, (place.span, !prefix)).unwrap_or_else(wrong)
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Ternary { condition, then, otherwise } => {
                self.ternary(condition, then.as_deref(), otherwise, expr.span)
            }
            ExprKind::Field { base, field } => self.field(base, field),
            ExprKind::TupleField { base, index } => self.tuple_field(base, *index, expr.span),
            ExprKind::Cast { ty, value } => self.cast(ty, value),
            ExprKind::Tuple(values) => {
                let (values, kinds) = values.iter().map(|value| self.value(value)).unzip();
                (user::Expr::Tuple(values), Kind::Tuple(kinds))
            }
            ExprKind::Record(fields) => self.record(fields),
            ExprKind::Block(block) => self.block_value(block),
            ExprKind::If { condition, then, otherwise } => self.choice(condition, then, otherwise.as_ref(), expr.span),
            ExprKind::Comptime(value) => self.expr(value),
            ExprKind::Method { .. } => self.unsupported("calls of actors are", expr.span),
            ExprKind::Index { .. } => self.unsupported("arrays in user space are", expr.span),
            ExprKind::SizeOf(_) | ExprKind::OffsetOf { .. } | ExprKind::TypeOf(_) | ExprKind::TypeInfo(_) => {
                self.unsupported("questions about types in user space are", expr.span)
            }
        }
    }

    fn float(&mut self, text: &str, span: Span) -> Typed {
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => (user::Expr::Float(number), Kind::Float),
            _ => self.error(Code::BadNumber, span, format!("`{text}` is no number"), "too large, or malformed"),
        }
    }

    fn positional(&self, number: u32) -> Typed {
        let given = number.checked_sub(1).map(|at| self.checker.options.positional.get(at as usize));
        let int = |value: i64| (user::Expr::Int { bits: value as u64, signed: true }, Kind::INT);
        match given {
            None => int(self.checker.options.positional.len() as i64),
            Some(None) => int(0),
            Some(Some(text)) => match positional_number(text) {
                Some(value) => int(value),
                None => (user::Expr::Text(text.clone().into_bytes()), Kind::Text(Some(text.len() as u32 + 1))),
            },
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Typed {
        let Some(row) = builtins::lookup(name) else {
            if self.checker.script_names.contains(name) {
                return wrong();
            }
            if let Ok(Some(value)) = self.checker.kernel.enumerator(name) {
                return (user::Expr::Int { bits: value as u64, signed: true }, Kind::INT);
            }
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("unknown name `{name}`"));
            let diagnostic = diagnostic.at(span, "no builtin of this name");
            return self.report(match suggest::value(name) {
                Some(found) => diagnostic.suggest(span, Some(found)),
                None => diagnostic.help("scratch variables start with `$`, maps with `@`"),
            });
        };
        if row.form == Form::Function {
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("`{name}` is a function"));
            return self.report(diagnostic.at(span, "used as a value").help(format!("call it: `{name}(...)`")));
        }
        let ident = Ident { text: name.to_string(), span };
        match row.lowering.in_user_space() {
            Some(form) => self.builtin(row, form, &ident, &[]),
            None => self.report(super::wrong_side(name, Side::Kernel, span)),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> Typed {
        if op == UnaryOp::Not {
            let value = self.condition(operand);
            return (user::Expr::Not(Box::new(value)), Kind::Bool);
        }
        let (value, kind) = self.value(operand);
        let signed = match (&kind, op) {
            (Kind::Error, _) => return wrong(),
            (_, UnaryOp::Deref | UnaryOp::AddressOf) => {
                let diagnostic = Diagnostic::error(Code::WrongSide, "memory is not there in an action in user space");
                return self
                    .report(diagnostic.at(span, "programs in the kernel read it").help("keep what it holds in a map"));
            }
            (Kind::Float, UnaryOp::Negate) => return (user::Expr::Negate(Box::new(value)), Kind::Float),
            (Kind::Int { signed, .. }, _) => *signed,
            (Kind::Bool, _) => true,
            _ => {
                let sign = if op == UnaryOp::Negate { "-" } else { "~" };
                let message = format!("`{sign}` cannot be applied to `{kind}`");
                return self.error(Code::BadOperand, operand.span, message, "not a number for it");
            }
        };
        let made = if op == UnaryOp::Negate { user::Expr::Negate } else { user::Expr::Complement };
        (made(Box::new(value)), Kind::Int { signed, flexible: false })
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Typed {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let (left, right) = (Box::new(self.condition(left)), Box::new(self.condition(right)));
            return (user::Expr::Logical { and: op == BinaryOp::And, left, right }, Kind::Bool);
        }
        let (left_value, left_kind) = self.value(left);
        let (right_value, right_kind) = self.value(right);
        if [&left_kind, &right_kind].contains(&&Kind::Error) {
            return (wrong().0, if comparison(op).is_some() { Kind::Bool } else { Kind::Error });
        }
        let Some(kind) = self.result_kind(op, (&left_kind, left.span), (&right_kind, right.span)) else {
            return wrong();
        };
        if let Some(comparison) = comparison(op) {
            let (left, right) = (Box::new(left_value), Box::new(right_value));
            return (user::Expr::Compare { comparison, left, right }, kind);
        }
        let Some(operator) = operator(op) else { return wrong() };
        let (mut left, mut right) = (left_value, right_value);
        if kind == Kind::Float {
            (left, right) = (float::convert(left, &left_kind), float::convert(right, &right_kind));
        }
        let arithmetic = arithmetic(&kind);
        (user::Expr::Operation { operator, arithmetic, left: Box::new(left), right: Box::new(right) }, kind)
    }

    /// What an operation gives; `None` after a message.
    pub(super) fn result_kind(&mut self, op: BinaryOp, left: (&Kind, Span), right: (&Kind, Span)) -> Option<Kind> {
        let numbers = left.0.is_number() && right.0.is_number();
        if let Some(comparison) = comparison(op) {
            let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            let texts = matches!((left.0, right.0), (Kind::Text(_), Kind::Text(_)));
            let same = equality && left.0.merge(right.0).is_some() && !matches!(left.0, Kind::Stats | Kind::Histogram);
            if numbers || texts || same {
                return Some(Kind::Bool);
            }
        } else if numbers {
            let fraction = [left.0, right.0].contains(&&Kind::Float);
            let operator = operator(op)?;
            if !fraction {
                return Some(integer(operator, left.0, right.0));
            }
            if float::has_fractions(operator) {
                return Some(Kind::Float);
            }
        }
        let message = format!("`{}` cannot take `{}` and `{}`", op.symbol(), left.0, right.0);
        let diagnostic = Diagnostic::error(Code::BadOperand, message)
            .at(left.1, format!("this is `{}`", left.0))
            .at(right.1, format!("this is `{}`", right.0));
        self.report(diagnostic);
        None
    }

    fn ternary(&mut self, condition: &Expr, then: Option<&Expr>, otherwise: &Expr, span: Span) -> Typed {
        let Some(then) = then else {
            // `c ?: b` is `c` when it is not zero, and asked once
            let (value, kind) = self.value(condition);
            let at = self.declare_hidden(condition.span);
            let value = self.merge_variable(at, (value, kind.clone()), condition.span);
            let read = user::Expr::Var(at as u32);
            let other = self.value(otherwise);
            let (value_of, kind) = self.select(read.clone(), (read, kind), other, span);
            let stmts = vec![user::Stmt::Set { var: at as u32, value }];
            return (user::Expr::Block { stmts, value: Box::new(value_of) }, kind);
        };
        let condition = self.condition(condition);
        let (then, otherwise) = (self.expr(then), self.expr(otherwise));
        self.select(condition, then, otherwise, span)
    }

    fn select(&mut self, condition: user::Expr, then: Typed, otherwise: Typed, span: Span) -> Typed {
        let Some(kind) = then.1.merge(&otherwise.1) else {
            let diagnostic = Diagnostic::error(Code::TypeMismatch, "both sides must have one type")
                .at(span, format!("one side is `{}`, the other `{}`", then.1, otherwise.1));
            return self.report(diagnostic);
        };
        let form = |(value, from): Typed| {
            Box::new(if kind == Kind::Float && from != Kind::Error { float::convert(value, &from) } else { value })
        };
        let (then, otherwise) = (form(then), form(otherwise));
        (user::Expr::Select { condition: Box::new(condition), then, otherwise }, kind)
    }

    fn field(&mut self, base: &Expr, field: &Ident) -> Typed {
        let (value, kind) = self.value(base);
        let found = match &kind {
            Kind::Error => return wrong(),
            Kind::Stats => {
                let Some((_, part)) = StatsPart::WORDS.iter().find(|row| row.0 == field.text) else {
                    return self.no_field(&kind, field);
                };
                let kind = if *part == StatsPart::Average { Kind::Float } else { Kind::INT };
                return (user::Expr::Stats(Box::new(value), *part), kind);
            }
            Kind::Record(fields) => fields.iter().find(|(name, _)| *name == field.text).map(|(_, kind)| kind.clone()),
            _ => {
                let message = format!("`{kind}` has no fields");
                return self.error(Code::NotARecord, base.span, message, "no record");
            }
        };
        match found {
            Some(kind) => (user::Expr::Field(Box::new(value), field.text.clone()), kind),
            None => self.no_field(&kind, field),
        }
    }

    fn no_field(&mut self, kind: &Kind, field: &Ident) -> Typed {
        let message = format!("`{kind}` has no field `{}`", field.text);
        self.error(Code::UnknownField, field.span, message, "no field of this name")
    }

    fn tuple_field(&mut self, base: &Expr, index: u32, span: Span) -> Typed {
        let (value, kind) = self.value(base);
        match &kind {
            Kind::Error => wrong(),
            Kind::Tuple(kinds) => match kinds.get(index as usize) {
                Some(kind) => (user::Expr::Part(Box::new(value), index), kind.clone()),
                None => {
                    let message = format!("`{kind}` has no element {index}");
                    self.error(Code::UnknownField, span, message, format!("the last is {}", kinds.len().max(1) - 1))
                }
            },
            _ => self.error(Code::NotARecord, base.span, format!("`{kind}` is no tuple"), "no elements"),
        }
    }

    fn cast(&mut self, ty: &TypeName, value: &Expr) -> Typed {
        let Some(target) = self.checker.type_name(ty) else { return wrong() };
        let (value, kind) = self.value(value);
        let number = match target {
            Type::Int(int) => NumberType::Int(int),
            Type::Bool => NumberType::Bool,
            Type::Error => return wrong(),
            _ => return self.unsupported("conversions in user space to anything but integers are", ty.span),
        };
        if kind == Kind::Error {
            return wrong();
        }
        if !kind.is_number() {
            return self.error(Code::BadOperand, ty.span, format!("`{kind}` is no number"), "converted here");
        }
        (user::Expr::Convert(Box::new(value), number), Kind::of(&target))
    }

    fn record(&mut self, fields: &[(Ident, Expr)]) -> Typed {
        let mut values: Vec<(String, user::Expr)> = Vec::with_capacity(fields.len());
        let mut kinds: Vec<(String, Kind)> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let (value, kind) = self.value(value);
            if kinds.iter().any(|known| known.0 == name.text) {
                let message = format!("the record has two fields `{}`", name.text);
                self.error(Code::UnknownField, name.span, message, "the second one");
                continue;
            }
            values.push((name.text.clone(), value));
            kinds.push((name.text.clone(), kind));
        }
        (user::Expr::Record(values), Kind::Record(kinds))
    }

    fn block_value(&mut self, block: &Block) -> Typed {
        let (before, value) = block.split_value();
        self.scopes.push(HashMap::new());
        let mut stmts = Vec::with_capacity(before.len());
        before.iter().for_each(|stmt| self.stmt(stmt, &mut stmts));
        let (value, kind) = match value {
            Some(value) if matches!(&value.kind, ExprKind::Call { name, .. } if self.request_form(name).is_some()) => {
                self.effect(value, &mut stmts);
                (wrong().0, Kind::Void)
            }
            Some(value) => self.expr(value),
            None => (wrong().0, Kind::Void),
        };
        self.scopes.pop();
        (user::Expr::Block { stmts, value: Box::new(value) }, kind)
    }

    fn choice(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>, span: Span) -> Typed {
        let condition = self.condition(condition);
        let then = self.block_value(then);
        let otherwise = otherwise.map_or_else(|| (wrong().0, Kind::Void), |block| self.block_value(block));
        self.select(condition, then, otherwise, span)
    }

    /// The value of a builtin or function in the form that it has here.
    pub(super) fn builtin(&mut self, row: &builtins::Builtin, form: UserForm, name: &Ident, args: &[Expr]) -> Typed {
        match form {
            UserForm::Value(function) => self.function(row, function, name, args),
            UserForm::Clock => self.clock(args),
            UserForm::ProbeName => {
                let text = self.probe.as_bytes().to_vec();
                let size = text.len() as u32 + 1;
                (user::Expr::Text(text), Kind::Text(Some(size)))
            }
            UserForm::Text => self.text(args),
            UserForm::FormatTime => self.format_time(args),
            UserForm::Delete | UserForm::HasKey => self.entry_question(form, name, args),
            UserForm::Length => self.length(name, args),
            UserForm::Request(_) => {
                let message = format!("`{}` is a statement", name.text);
                self.error(Code::NoValue, name.span, message, "used within an expression here")
            }
        }
    }
}

/// The integer that an operation on two gives, as in the kernel: unsigned when both are; a literal is what the other is,
/// except that a difference may be negative.
fn integer(operator: Operator, left: &Kind, right: &Kind) -> Kind {
    let sign = |kind: &Kind| match kind {
        Kind::Int { signed, flexible } => (*signed, *flexible),
        _ => (false, false),
    };
    let ((a, literal_a), (b, literal_b)) = (sign(left), sign(right));
    let signed = match operator {
        Operator::ShiftLeft | Operator::ShiftRight => a,
        Operator::Sub => a || b,
        _ => (a && !literal_a) || (b && !literal_b) || (literal_a && literal_b),
    };
    Kind::Int { signed, flexible: false }
}
