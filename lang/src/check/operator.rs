//! Operators.

use super::Checker;
use super::infer::{arithmetic_type, merge_types};
use crate::ast::{BinaryOp, Expr, UnaryOp};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::{IntType, Type};

impl Checker<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &Expr) -> Type {
        if op == UnaryOp::Not {
            self.condition(operand);
            return Type::Bool;
        }
        let ty = self.value(operand).plain();
        match ty {
            Type::Error | Type::Int(_) => ty,
            Type::Bool => Type::I64,
            other => {
                let sign = if op == UnaryOp::Negate { "-" } else { "~" };
                let message = format!("`{sign}` cannot be applied to `{other}`");
                self.error(Code::BadOperand, operand.span, message, "not a number")
            }
        }
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Type {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            self.condition(left);
            if self.answer(left) != Some(op == BinaryOp::Or) {
                self.condition(right);
            }
            return Type::Bool;
        }
        if let Some(ty) = self.version_condition(op, left, right) {
            return ty;
        }
        let (mut left_type, mut right_type) = (self.value(left), self.value(right));
        if matches!(right_type, Type::String { .. }) {
            left_type = self.as_text(left, left_type);
        }
        if matches!(left_type, Type::String { .. }) {
            right_type = self.as_text(right, right_type);
        }
        self.operation(op, (left, &left_type), (right, &right_type), span)
    }

    /// The type of an operation on values of these types.
    pub(super) fn operation(&mut self, op: BinaryOp, left: (&Expr, &Type), right: (&Expr, &Type), span: Span) -> Type {
        if *left.1 == Type::Error || *right.1 == Type::Error {
            return if is_comparison(op) { Type::Bool } else { Type::Error };
        }
        if is_comparison(op) {
            return self.comparison(op, left, right, span);
        }
        let number = |ty: &Type| matches!(ty, Type::Int(_) | Type::Bool);
        let (left_type, right_type) = (left.1.plain(), right.1.plain());
        let (left, right) = ((left.0, &left_type), (right.0, &right_type));
        match (op, left.1, right.1) {
            (BinaryOp::ShiftLeft | BinaryOp::ShiftRight, l, r) if number(l) && number(r) => {
                Type::Int(IntType { bits: 64, signed: l.is_signed() })
            }
            // a difference may be negative: here a literal counts as signed, as in bpftrace
            (BinaryOp::Sub, l, r) if number(l) && number(r) => {
                Type::Int(IntType { bits: 64, signed: l.is_signed() || r.is_signed() })
            }
            (_, l, r) if number(l) && number(r) => arithmetic_type(left, right),
            (BinaryOp::Add | BinaryOp::Sub, Type::Pointer { .. }, r) if number(r) => left.1.clone(),
            (BinaryOp::Add, l, Type::Pointer { .. }) if number(l) => right.1.clone(),
            (BinaryOp::Sub, Type::Pointer { to: a, .. }, Type::Pointer { to: b, .. }) if a == b => Type::I64,
            _ => self.bad_operands(op, left, right, span),
        }
    }

    fn comparison(&mut self, op: BinaryOp, left: (&Expr, &Type), right: (&Expr, &Type), span: Span) -> Type {
        let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        let scalar = |ty: &Type| matches!(ty, Type::Int(_) | Type::Enum(_) | Type::Bool | Type::Pointer { .. });
        match (left.1, right.1) {
            (l, r) if scalar(l) && scalar(r) => Type::Bool,
            (Type::String { .. }, Type::String { .. }) | (Type::Stack(_), Type::Stack(_)) if equality => Type::Bool,
            (l, r) if equality && merge_types(l, r).is_some_and(|common| is_comparable(&common)) => Type::Bool,
            _ => self.bad_operands(op, left, right, span),
        }
    }

    fn bad_operands(&mut self, op: BinaryOp, left: (&Expr, &Type), right: (&Expr, &Type), span: Span) -> Type {
        let sign = op.symbol();
        let diagnostic =
            Diagnostic::error(Code::BadOperand, format!("`{sign}` cannot take `{}` and `{}`", left.1, right.1))
                .at(span, "in this operation")
                .at(left.0.span, format!("this is `{}`", left.1))
                .at(right.0.span, format!("this is `{}`", right.1));
        let strings = matches!((left.1, right.1), (Type::String { .. }, Type::String { .. }));
        self.report(if strings { diagnostic.help("strings can be compared with `==` and `!=`") } else { diagnostic })
    }
}

/// Whether values can be compared by their bytes: nothing in them is left to chance.
fn is_comparable(ty: &Type) -> bool {
    match ty {
        Type::Array { element, .. } => element.is_scalar() || is_comparable(element) && element.parts().is_empty(),
        Type::Buffer { .. } => true,
        Type::Tuple(_) | Type::Fields(_) => ty.parts().into_iter().all(|part| {
            part.is_scalar() || matches!(part, Type::String { .. } | Type::Timestamp) || is_comparable(part)
        }),
        _ => false,
    }
}

pub(crate) fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
    )
}
