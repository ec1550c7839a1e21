//! What an expression's value is, computed without lt: 64 bits, extended by the sign of the type.
//!
//! Operations are of 64 bits; signed when an operand is, where a bare literal is what the other one is. A difference
//! is signed when a literal is bare. Shifts take the type of their left side, and the low six bits of the right. Division by zero gives 1. A narrower type is made by casts
//! only, and kept by `-` and `~`.

use super::tree::{Node, Op, Ty};

/// The type of an operation on two numbers.
pub fn common(left: &Node, right: &Node) -> Ty {
    if left.is_flexible() && right.is_flexible() {
        return Ty::I64;
    }
    let signed = |node: &Node| node.ty.is_signed() && !node.is_flexible();
    Ty::int(64, signed(left) || signed(right))
}

/// The value as this type holds it.
pub fn hold(value: i64, ty: Ty) -> i64 {
    match ty {
        Ty::Int { bits, signed } => {
            let away = 64 - bits;
            if signed { (value << away) >> away } else { (((value as u64) << away) >> away) as i64 }
        }
        Ty::Bool => i64::from(value != 0),
        _ => value,
    }
}

/// The value; `None` of what is no number, or of a name that is not known.
pub fn evaluate(node: &Node, known: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    let kid = |at: usize| evaluate(&node.kids[at], known);
    let value = match &node.op {
        Op::Literal(bits) => *bits as i64,
        Op::Name(name) => known(name)?,
        Op::Unary('-') => hold(kid(0)?.wrapping_neg(), node.ty),
        Op::Unary('~') => hold(!kid(0)?, node.ty),
        Op::Unary(_) => i64::from(kid(0)? == 0),
        Op::Binary("&&") => i64::from(kid(0)? != 0 && kid(1)? != 0),
        Op::Binary("||") => i64::from(kid(0)? != 0 || kid(1)? != 0),
        Op::Binary(sign) => binary(sign, node, kid(0)?, kid(1)?)?,
        Op::Cast => hold(kid(0)?, node.ty),
        Op::Ternary => hold(if kid(0)? != 0 { kid(1)? } else { kid(2)? }, node.ty),
        Op::Text(_) => return None,
    };
    Some(value)
}

fn binary(sign: &str, node: &Node, left: i64, right: i64) -> Option<i64> {
    let ordering = if common(&node.kids[0], &node.kids[1]).is_signed() {
        left.cmp(&right)
    } else {
        (left as u64).cmp(&(right as u64))
    };
    let signed = node.ty.is_signed();
    Some(match sign {
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" | "%" if right == 0 => 1,
        "/" if signed => left.wrapping_div(right),
        "%" if signed => left.wrapping_rem(right),
        "/" => (left as u64 / right as u64) as i64,
        "%" => (left as u64 % right as u64) as i64,
        "&" => left & right,
        "|" => left | right,
        "^" => left ^ right,
        "<<" => left << (right & 63),
        ">>" if signed => left >> (right & 63),
        ">>" => ((left as u64) >> (right & 63)) as i64,
        "==" => i64::from(ordering.is_eq()),
        "!=" => i64::from(ordering.is_ne()),
        "<" => i64::from(ordering.is_lt()),
        "<=" => i64::from(ordering.is_le()),
        ">" => i64::from(ordering.is_gt()),
        ">=" => i64::from(ordering.is_ge()),
        _ => return None,
    })
}

/// As `print` shows it.
pub fn shown(value: i64, ty: Ty) -> String {
    match ty {
        Ty::Bool => (value != 0).to_string(),
        Ty::Int { signed: false, .. } => (value as u64).to_string(),
        _ => value.to_string(),
    }
}
