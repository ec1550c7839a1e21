//! Literals, and what operators make of nothing but literals.

use crate::ast::{BinaryOp, Block, Expr, ExprKind, UnaryOp};
use crate::types::{IntType, Type};

/// A number that is known when the script is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Fits in an int64, or in a uint64 when `unsigned`.
    pub(crate) value: i128,
    /// Said so, or needs it.
    pub(crate) unsigned: bool,
}

impl Folded {
    fn new(value: i128, unsigned: bool) -> Option<Folded> {
        let small = i64::try_from(value).is_ok();
        let large = u64::try_from(value).is_ok();
        (small || large).then_some(Folded { value, unsigned: large && (unsigned || !small) })
    }

    /// Its 64 bits.
    pub(crate) fn bits(self) -> i64 {
        self.value as i64
    }

    /// The smallest signed type that holds it; uint64 for what is unsigned.
    pub(crate) fn ty(self) -> Type {
        let fits = |bits: u32| self.value >= -(1 << (bits - 1)) && self.value < 1 << (bits - 1);
        if self.unsigned {
            return Type::U64;
        }
        let bits = [8, 16, 32].into_iter().find(|bits| fits(*bits)).unwrap_or(64);
        Type::Int(IntType { bits: bits as u8, signed: true })
    }
}

/// The value of an expression of nothing but number literals; `None` for everything else, for what does not fit in 64
/// bits and for divisions by zero.
pub(crate) fn fold(expr: &Expr) -> Option<Folded> {
    match &expr.kind {
        ExprKind::Int { bits, unsigned } => Folded::new(i128::from(*bits), *unsigned),
        ExprKind::Unary(UnaryOp::Negate, operand) => {
            let found = fold(operand)?;
            Folded::new(-found.value, false)
        }
        ExprKind::Unary(UnaryOp::Complement, operand) => {
            let found = fold(operand)?;
            Folded::new(i128::from(!(found.value as u64)), true)
        }
        ExprKind::Binary(op, left, right) => {
            let (left, right) = (fold(left)?, fold(right)?);
            Folded::new(operate(*op, left.value, right.value)?, left.unsigned || right.unsigned)
        }
        ExprKind::Comptime(inner) => fold(inner),
        _ => None,
    }
}

fn operate(op: BinaryOp, left: i128, right: i128) -> Option<i128> {
    let count = || u32::try_from(right).ok().filter(|count| *count < 64);
    match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Sub => left.checked_sub(right),
        BinaryOp::Mul => left.checked_mul(right),
        BinaryOp::Div => left.checked_div(right),
        BinaryOp::Rem => left.checked_rem(right),
        BinaryOp::BitAnd => Some(left & right),
        BinaryOp::BitOr => Some(left | right),
        BinaryOp::BitXor => Some(left ^ right),
        BinaryOp::ShiftLeft => left.checked_mul(1 << count()?),
        BinaryOp::ShiftRight => Some(left >> count()?),
        _ => None,
    }
}

/// The value of a literal, or of an expression of literals, that fits in an int64.
pub(crate) fn literal_int(expr: &Expr) -> Option<i64> {
    fold(expr).and_then(|found| i64::try_from(found.value).ok())
}

/// Whether the expression is a literal that both int64 and uint64 can hold, or a block whose value is one.
pub(crate) fn is_flexible(expr: &Expr) -> bool {
    let value = |block: &Block| block.value().is_some_and(is_flexible);
    match &expr.kind {
        ExprKind::Block(block) => value(block),
        ExprKind::If { then, otherwise, .. } => value(then) && otherwise.as_ref().is_some_and(value),
        _ => fold(expr).is_some_and(|found| found.value >= 0 && !found.unsigned),
    }
}
