//! Where integers become numbers with a fraction.

use super::kind::Kind;
use crate::user::{Arithmetic, Expr, NumberType, Operator};

/// A number as one with a fraction. Arithmetic of integers is done with fractions as a whole then: in
/// `100.0 * (1 - $a / $b)` the quotient is not cut off.
pub(super) fn convert(value: Expr, kind: &Kind) -> Expr {
    if *kind == Kind::Float { value } else { widen(value) }
}

fn widen(value: Expr) -> Expr {
    match value {
        Expr::Int { bits, signed } => Expr::Float(if signed { bits as i64 as f64 } else { bits as f64 }),
        Expr::Operation { operator, arithmetic, left, right } if has_fractions(operator) => {
            // what is arithmetic of fractions already has such operands
            let inner = |side: Box<Expr>| if arithmetic == Arithmetic::Float { side } else { Box::new(widen(*side)) };
            Expr::Operation { operator, arithmetic: Arithmetic::Float, left: inner(left), right: inner(right) }
        }
        Expr::Negate(value) => Expr::Negate(Box::new(widen(*value))),
        Expr::Select { condition, then, otherwise } => {
            Expr::Select { condition, then: Box::new(widen(*then)), otherwise: Box::new(widen(*otherwise)) }
        }
        other => Expr::Convert(Box::new(other), NumberType::Float),
    }
}

/// Whether the operator means something for numbers with a fraction.
pub(super) fn has_fractions(operator: Operator) -> bool {
    matches!(operator, Operator::Add | Operator::Sub | Operator::Mul | Operator::Div | Operator::Rem)
}
