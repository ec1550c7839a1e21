//! Arithmetic of the user side.

use super::value::Val;
use crate::value::Int;
use lt_lang::user::{Arithmetic, Operator};

/// What an operation gives, and whether it divided an integer by zero.
pub fn operate(operator: Operator, arithmetic: Arithmetic, left: &Val, right: &Val) -> (Val, bool) {
    if arithmetic == Arithmetic::Float {
        return (Val::Float(fractions(operator, left.as_float(), right.as_float())), false);
    }
    let raw = |value: &Val| value.as_int().map_or(0, |int| int.raw);
    let signed = arithmetic == Arithmetic::Signed;
    let (left, right) = (raw(left), raw(right));
    let by_zero = right == 0 && matches!(operator, Operator::Div | Operator::Rem);
    let raw = if by_zero { 1 } else { integers(operator, signed, left, right) };
    (Val::Int(Int::wide(raw, signed)), by_zero)
}

fn fractions(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Sub => left - right,
        Operator::Mul => left * right,
        Operator::Div => left / right,
        Operator::Rem => left % right,
        // the checker lets only integers come here
        Operator::And | Operator::Or | Operator::Xor | Operator::ShiftLeft | Operator::ShiftRight => f64::NAN,
    }
}

/// The divisor is not 0.
fn integers(operator: Operator, signed: bool, left: u64, right: u64) -> u64 {
    let (a, b) = (left as i64, right as i64);
    match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Sub => left.wrapping_sub(right),
        Operator::Mul => left.wrapping_mul(right),
        Operator::Div if signed => a.wrapping_div(b) as u64,
        Operator::Div => left / right,
        Operator::Rem if signed => a.wrapping_rem(b) as u64,
        Operator::Rem => left % right,
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.wrapping_shl(right as u32),
        Operator::ShiftRight if signed => a.wrapping_shr(right as u32) as u64,
        Operator::ShiftRight => left.wrapping_shr(right as u32),
    }
}

/// `-x`
pub fn negate(value: &Val) -> Val {
    match value {
        Val::Float(number) => Val::Float(-number),
        other => {
            let int = other.as_int().unwrap_or(Int::wide(0, true));
            let signed = int.signed || int.bits < 64;
            Val::Int(Int::wide(int.raw.wrapping_neg(), signed))
        }
    }
}

/// `~x`
pub fn complement(value: &Val) -> Val {
    let int = value.as_int().unwrap_or(Int::wide(0, true));
    Val::Int(Int::wide(!int.raw, int.signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(operator: Operator, arithmetic: Arithmetic, left: i64, right: i64) -> (String, bool) {
        let (value, by_zero) = operate(operator, arithmetic, &Val::int(left), &Val::int(right));
        (value.as_int().map_or(String::new(), |int| int.to_string()), by_zero)
    }

    #[test]
    fn integers_wrap_and_never_panic() {
        use Arithmetic::{Signed, Unsigned};
        assert_eq!(int(Operator::Add, Signed, i64::MAX, 1), (i64::MIN.to_string(), false));
        assert_eq!(int(Operator::Div, Signed, i64::MIN, -1), (i64::MIN.to_string(), false));
        assert_eq!(int(Operator::Rem, Signed, i64::MIN, -1), ("0".into(), false));
        assert_eq!(int(Operator::Div, Signed, -7, 2), ("-3".into(), false));
        assert_eq!(int(Operator::Div, Unsigned, -1, 2), ((u64::MAX / 2).to_string(), false));
        assert_eq!(int(Operator::Div, Signed, 5, 0), ("1".into(), true));
        assert_eq!(int(Operator::Rem, Unsigned, 5, 0), ("1".into(), true));
        assert_eq!(int(Operator::ShiftLeft, Signed, 1, 65), ("2".into(), false));
        assert_eq!(int(Operator::ShiftRight, Signed, -8, 1), ("-4".into(), false));
    }

    #[test]
    fn fractions_follow_their_own_rules() {
        let divide = |left: f64, right: f64| {
            let (value, by_zero) = operate(Operator::Div, Arithmetic::Float, &Val::Float(left), &Val::Float(right));
            assert!(!by_zero);
            value.as_float()
        };
        assert_eq!(divide(1.0, 4.0), 0.25);
        assert!(divide(1.0, 0.0).is_infinite() && divide(0.0, 0.0).is_nan());
    }
}
