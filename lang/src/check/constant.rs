//! Values that are known when a script is compiled: literals, parameters of the command line, questions about types, and
//! what is computed of them.

use super::{Checker, is_type, positional_number};
use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::builtins::{self, Lowering, ValueForm};
use crate::types::Type;

/// A known value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    /// A number or bool.
    Int(i64),
    /// A string.
    Text(Vec<u8>),
}

impl Constant {
    /// As a condition.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Constant::Int(value) => *value != 0,
            Constant::Text(text) => !text.is_empty(),
        }
    }
}

impl Checker<'_> {
    /// The value of an expression that was checked, when it is known.
    pub(super) fn constant(&self, expr: &Expr) -> Option<Constant> {
        let number = |value: i64| Some(Constant::Int(value));
        if let Some(answer) = self.answer(expr) {
            return number(i64::from(answer));
        }
        match &expr.kind {
            ExprKind::Int { bits, .. } => number(*bits as i64),
            ExprKind::Bool(value) => number(i64::from(*value)),
            ExprKind::Str(text) => Some(Constant::Text(text.clone())),
            ExprKind::Positional(0) => number(self.options.positional.len() as i64),
            ExprKind::Positional(at) => {
                let text = self.options.positional.get(*at as usize - 1).map_or("", String::as_str);
                match self.program.ty(expr) {
                    Type::String { .. } => Some(Constant::Text(text.as_bytes().to_vec())),
                    _ => number(positional_number(text).unwrap_or(0)),
                }
            }
            ExprKind::Unary(op, inner) => {
                let Constant::Int(value) = self.constant(inner)? else { return None };
                match op {
                    UnaryOp::Negate => number(value.wrapping_neg()),
                    UnaryOp::Not => number(i64::from(value == 0)),
                    UnaryOp::Complement => number(!value),
                    UnaryOp::Deref | UnaryOp::AddressOf => None,
                }
            }
            ExprKind::Binary(op, left, right) => self.constant_binary(*op, left, right),
            ExprKind::SizeOf(_) => {
                let size = self.program.measured.get(&expr.id)?.size().max(1);
                number(i64::from(size))
            }
            ExprKind::Call { name, args } => {
                let (Lowering::Value(ValueForm::Is(test)), [arg]) = (builtins::lookup(&name.text)?.lowering, &args[..])
                else {
                    return None;
                };
                number(i64::from(is_type(test, self.program.ty(arg), arg)))
            }
            _ => None,
        }
    }

    fn constant_binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Constant> {
        let (left, right) = match (self.constant(left)?, op) {
            (left, BinaryOp::And) if !left.is_true() => return Some(Constant::Int(0)),
            (left, BinaryOp::Or) if left.is_true() => return Some(Constant::Int(1)),
            (left, _) => (left, self.constant(right)?),
        };
        let truth = |value: bool| Some(Constant::Int(i64::from(value)));
        let (Constant::Int(a), Constant::Int(b)) = (&left, &right) else {
            return match op {
                BinaryOp::Equal => truth(left == right),
                BinaryOp::NotEqual => truth(left != right),
                _ => None,
            };
        };
        let (a, b) = (*a, *b);
        let value = match op {
            BinaryOp::Add => a.wrapping_add(b),
            BinaryOp::Sub => a.wrapping_sub(b),
            BinaryOp::Mul => a.wrapping_mul(b),
            BinaryOp::Div => a.checked_div(b)?,
            BinaryOp::Rem => a.checked_rem(b)?,
            BinaryOp::BitAnd => a & b,
            BinaryOp::BitOr => a | b,
            BinaryOp::BitXor => a ^ b,
            BinaryOp::ShiftLeft => a.wrapping_shl(b as u32),
            BinaryOp::ShiftRight => a.wrapping_shr(b as u32),
            BinaryOp::Equal => return truth(a == b),
            BinaryOp::NotEqual => return truth(a != b),
            BinaryOp::Less => return truth(a < b),
            BinaryOp::LessEqual => return truth(a <= b),
            BinaryOp::Greater => return truth(a > b),
            BinaryOp::GreaterEqual => return truth(a >= b),
            BinaryOp::And | BinaryOp::Or => return truth(right.is_true()),
        };
        Some(Constant::Int(value))
    }
}
