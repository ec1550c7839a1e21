//! What an expression's value is, computed without lt: 64 bits, extended by the sign of the type.
//!
//! Operations are of 64 bits; signed when an operand is, where a literal that is not negative is what the other one is. A
//! difference is signed when a literal takes part. Shifts take the type of their left side, and the low six bits of the
//! right. Division by zero gives 1. A narrower type is made by casts, and kept by `-`, `~` and `?:`. What is made of nothing
//! but literals is a literal, as long as it fits.

use super::tree::{Node, Op, Ty};

/// A literal, or what operators make of literals: its value, and whether it is a uint64.
fn fold(node: &Node) -> Option<(i128, bool)> {
    let kid = |at: usize| fold(&node.kids[at]);
    let (value, unsigned) = match &node.op {
        Op::Literal(bits) => (i128::from(*bits), !node.ty.is_signed()),
        Op::Unary('-') => (-kid(0)?.0, false),
        Op::Unary('~') => (i128::from(!(kid(0)?.0 as u64)), true),
        Op::Binary(sign) => {
            let ((left, a), (right, b)) = (kid(0)?, kid(1)?);
            let shift = (0..64).contains(&right).then_some(right as u32);
            let value = match *sign {
                "+" => left + right,
                "-" => left - right,
                "*" => left.checked_mul(right)?,
                "/" => left.checked_div(right)?,
                "%" => left.checked_rem(right)?,
                "&" => left & right,
                "|" => left | right,
                "^" => left ^ right,
                "<<" => left.checked_mul(1 << shift?)?,
                ">>" => left >> shift?,
                _ => return None,
            };
            (value, a || b)
        }
        _ => return None,
    };
    let (small, large) = (i64::try_from(value).is_ok(), u64::try_from(value).is_ok());
    (small || large).then_some((value, large && (unsigned || !small)))
}

fn is_flexible(node: &Node) -> bool {
    fold(node).is_some_and(|(value, unsigned)| value >= 0 && !unsigned)
}

/// The type of an expression.
pub fn type_of(node: &Node) -> Ty {
    if let Some((value, unsigned)) = fold(node) {
        let bits = [8, 16, 32].into_iter().find(|bits| value >= -(1 << (bits - 1)) && value < 1 << (bits - 1));
        return if unsigned { Ty::U64 } else { Ty::int(bits.unwrap_or(64), true) };
    }
    let kid = |at: usize| type_of(&node.kids[at]);
    match &node.op {
        Op::Unary('!') | Op::Binary("&&" | "||" | "==" | "!=" | "<" | "<=" | ">" | ">=") => Ty::Bool,
        Op::Unary(_) if kid(0) == Ty::Bool => Ty::I64,
        Op::Unary(_) => kid(0),
        Op::Binary("<<" | ">>") => Ty::int(64, kid(0).is_signed()),
        // a difference may be negative: here a literal counts as signed
        Op::Binary("-") => Ty::int(64, kid(0).is_signed() || kid(1).is_signed()),
        Op::Binary(_) => common(&node.kids[0], &node.kids[1]),
        Op::Ternary => either(&node.kids[1], &node.kids[2]),
        _ => node.ty,
    }
}

/// The type that holds both.
fn either(left: &Node, right: &Node) -> Ty {
    let (Ty::Int { bits: a, signed: s }, Ty::Int { bits: b, signed: t }) = (type_of(left), type_of(right)) else {
        return type_of(left);
    };
    match (is_flexible(left), is_flexible(right)) {
        (true, false) => Ty::int(a.max(b), t),
        (_, true) => Ty::int(a.max(b), s),
        _ if s == t => Ty::int(a.max(b), s),
        _ => {
            let unsigned = if s { b } else { a };
            Ty::int(if unsigned == a.max(b) { (unsigned * 2).min(64) } else { a.max(b) }, true)
        }
    }
}

/// The type of an operation on two numbers.
pub fn common(left: &Node, right: &Node) -> Ty {
    if is_flexible(left) && is_flexible(right) {
        return Ty::I64;
    }
    let signed = |node: &Node| type_of(node).is_signed() && !is_flexible(node);
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
    if let Some((value, _)) = fold(node) {
        return Some(value as i64);
    }
    let kid = |at: usize| evaluate(&node.kids[at], known);
    let ty = type_of(node);
    let value = match &node.op {
        Op::Literal(bits) => *bits as i64,
        Op::Name(name) => known(name)?,
        Op::Unary('-') => hold(kid(0)?.wrapping_neg(), ty),
        Op::Unary('~') => hold(!kid(0)?, ty),
        Op::Unary(_) => i64::from(kid(0)? == 0),
        Op::Binary("&&") => i64::from(kid(0)? != 0 && kid(1)? != 0),
        Op::Binary("||") => i64::from(kid(0)? != 0 || kid(1)? != 0),
        Op::Binary(sign) => binary(sign, node, kid(0)?, kid(1)?)?,
        Op::Cast => hold(kid(0)?, node.ty),
        Op::Ternary => hold(if kid(0)? != 0 { kid(1)? } else { kid(2)? }, ty),
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
    let signed = type_of(node).is_signed();
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
