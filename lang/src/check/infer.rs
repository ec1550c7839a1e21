//! How the types of several uses become one.

use crate::ast::{Block, Expr, ExprKind};
use crate::types::{AddressSpace, IntType, Type};

/// A type in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inferred {
    /// In stored form.
    pub(crate) ty: Type,
    /// Only literals that are not negative were seen: takes the signedness of what comes.
    pub(crate) flexible: bool,
}

impl Inferred {
    /// What storing a value of this expression asks for.
    pub(crate) fn of(expr: &Expr, ty: &Type) -> Inferred {
        Inferred { ty: ty.stored(), flexible: is_flexible(expr) }
    }

    /// Of a type that is certain.
    pub(crate) fn fixed(ty: &Type) -> Inferred {
        Inferred { ty: ty.stored(), flexible: false }
    }
}

/// Whether the expression is an integer literal that both int64 and uint64 can hold, or a block whose value is one.
pub(crate) fn is_flexible(expr: &Expr) -> bool {
    let value = |block: &Block| block.value().is_some_and(is_flexible);
    match &expr.kind {
        ExprKind::Int { unsigned, .. } => !unsigned,
        ExprKind::Comptime(inner) => is_flexible(inner),
        ExprKind::Block(block) => value(block),
        ExprKind::If { then, otherwise, .. } => value(then) && otherwise.as_ref().is_some_and(value),
        _ => false,
    }
}

/// The type that holds both, if one does.
pub(crate) fn merge(old: &Inferred, new: &Inferred) -> Option<Inferred> {
    // what is not known yet decides nothing
    if let (Type::Error, _) | (_, Type::Error) = (&old.ty, &new.ty) {
        return Some(if old.ty == Type::Error { new.clone() } else { old.clone() });
    }
    let ty = match (&old.ty, &new.ty) {
        (Type::Int(_), Type::Int(_)) if old.flexible && !new.flexible => new.ty.clone(),
        (Type::Int(_), Type::Int(_)) if new.flexible => old.ty.clone(),
        (left, right) => merge_types(left, right)?,
    };
    Some(Inferred { ty, flexible: old.flexible && new.flexible })
}

/// The same without literals.
pub(crate) fn merge_types(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (Type::Error, other) | (other, Type::Error) => other.clone(),
        (Type::Int(a), Type::Int(b)) => Type::Int(IntType { bits: a.bits.max(b.bits), signed: a.signed || b.signed }),
        (Type::String { size: a }, Type::String { size: b }) => Type::String { size: *a.max(b) },
        (Type::Pointer { to: a, space: x }, Type::Pointer { to: b, space: y }) => {
            let space = if x == y { *x } else { AddressSpace::Unknown };
            let to = if a == b { a.clone() } else { Box::new(merge_pointees(a, b)?) };
            Type::Pointer { to, space }
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Type::Tuple(a.iter().zip(b).map(|(a, b)| merge_types(a, b)).collect::<Option<_>>()?)
        }
        (a, b) if a == b => a.clone(),
        _ => return None,
    })
}

fn merge_pointees(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Void, other) | (other, Type::Void) => Some(other.clone()),
        _ => None,
    }
}

/// The type in which two scalars are compared: unsigned when both are (a literal that is not negative is what the
/// other is), signed otherwise; addresses are unsigned.
pub(crate) fn comparison_type(left: (&Expr, &Type), right: (&Expr, &Type)) -> Type {
    let signed = |(expr, ty): (&Expr, &Type)| ty.is_signed() && !is_flexible(expr);
    match (left.1, right.1) {
        (Type::Bool, Type::Bool) => Type::Bool,
        (Type::Pointer { .. }, _) | (_, Type::Pointer { .. }) => Type::U64,
        _ if is_flexible(left.0) && is_flexible(right.0) => Type::I64,
        _ => Type::Int(IntType { bits: 64, signed: signed(left) || signed(right) }),
    }
}

/// The type of an operation on two integers: as for comparing them, except that bools count as unsigned numbers.
pub(crate) fn arithmetic_type(left: (&Expr, &Type), right: (&Expr, &Type)) -> Type {
    match comparison_type(left, right) {
        Type::Bool => Type::U64,
        common => common,
    }
}

/// A pointer that was read from memory of this space.
pub(crate) fn read_from(space: AddressSpace, ty: Type) -> Type {
    match ty {
        Type::Pointer { to, .. } if space != AddressSpace::Kernel => Type::Pointer { to, space },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_strings_widen() {
        let literal = Inferred { ty: Type::I64, flexible: true };
        let unsigned = Inferred::fixed(&Type::U32);
        assert_eq!(merge(&literal, &unsigned).map(|merged| merged.ty), Some(Type::U64));
        assert_eq!(merge(&unsigned, &literal).map(|merged| merged.ty), Some(Type::U64));
        assert_eq!(merge(&unsigned, &Inferred::fixed(&Type::I32)).map(|merged| merged.ty), Some(Type::I64));
        let (short, long) = (Type::String { size: 3 }, Type::String { size: 16 });
        assert_eq!(merge_types(&short, &long), Some(long.clone()));
        assert_eq!(merge_types(&short, &Type::I64), None);
        let pair = |ty: Type| Type::Tuple(vec![Type::I64, ty]);
        assert_eq!(merge_types(&pair(short), &pair(long.clone())), Some(pair(long)));
    }
}
