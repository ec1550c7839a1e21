//! How the types of several uses become one.

use super::literal::is_flexible;
use crate::ast::Expr;
use crate::types::{AddressSpace, EnumRef, IntType, NamedType, Type};

/// A type in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inferred {
    /// As wide as the values seen.
    pub(crate) ty: Type,
    /// Only literals that are not negative were seen: takes the signedness of what comes.
    pub(crate) flexible: bool,
}

impl Inferred {
    /// What storing a value of this expression asks for.
    pub(crate) fn of(expr: &Expr, ty: &Type) -> Inferred {
        Inferred { ty: ty.clone(), flexible: is_flexible(expr) }
    }

    /// What a key of this expression asks for: it is the same key however wide it is written.
    pub(crate) fn key(expr: &Expr, ty: &Type) -> Inferred {
        Inferred { ty: ty.stored(), flexible: is_flexible(expr) }
    }

    /// A number that counts up or down: of 64 bits, of either sign.
    pub(crate) fn step() -> Inferred {
        Inferred { ty: Type::I64, flexible: true }
    }

    /// Of a type that is certain.
    pub(crate) fn fixed(ty: &Type) -> Inferred {
        Inferred { ty: ty.clone(), flexible: false }
    }
}

/// The type that holds both, if one does.
pub(crate) fn merge(old: &Inferred, new: &Inferred) -> Option<Inferred> {
    // what is not known yet decides nothing
    if let (Type::Error, _) | (_, Type::Error) = (&old.ty, &new.ty) {
        return Some(if old.ty == Type::Error { new.clone() } else { old.clone() });
    }
    let ty = match (&old.ty, &new.ty) {
        (Type::Int(literal), Type::Int(int)) if old.flexible && !new.flexible => with_literal(*int, *literal),
        (Type::Int(int), Type::Int(literal)) if new.flexible => with_literal(*int, *literal),
        (Type::Enum(found), Type::Int(literal)) if new.flexible => with_literal(found.int, *literal),
        (Type::Int(literal), Type::Enum(found)) if old.flexible => with_literal(found.int, *literal),
        (left, right) => merge_types(left, right)?,
    };
    Some(Inferred { ty, flexible: old.flexible && new.flexible })
}

/// An integer as wide as it takes to hold a literal, too; its sign stays.
fn with_literal(int: IntType, literal: IntType) -> Type {
    Type::Int(IntType { bits: int.bits.max(literal.bits), signed: int.signed })
}

/// The integer that holds both: of mixed signs the next larger signed one, which for 64 bits there is not.
fn wider(a: IntType, b: IntType) -> IntType {
    let bits = a.bits.max(b.bits);
    let unsigned = if a.signed { b } else { a };
    let grows = a.signed != b.signed && unsigned.bits == bits;
    IntType { bits: if grows { bits.saturating_mul(2).min(64) } else { bits }, signed: a.signed || b.signed }
}

/// The same without literals.
pub(crate) fn merge_types(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (Type::Error, other) | (other, Type::Error) => other.clone(),
        (Type::Int(a), Type::Int(b)) => Type::Int(wider(*a, *b)),
        (Type::Enum(a), Type::Enum(b)) if a.id == b.id => Type::Enum(EnumRef { int: wider(a.int, b.int), ..a.clone() }),
        (Type::Enum(EnumRef { int: a, .. }) | Type::Int(a), Type::Enum(EnumRef { int: b, .. }) | Type::Int(b)) => {
            Type::Int(wider(*a, *b))
        }
        (Type::Buffer { size: a }, Type::Buffer { size: b }) => Type::Buffer { size: *a.max(b) },
        (Type::String { size: a }, Type::String { size: b }) => Type::String { size: *a.max(b) },
        (Type::Pointer { to: a, space: x }, Type::Pointer { to: b, space: y }) => {
            let space = if x == y { *x } else { AddressSpace::Unknown };
            let to = if a == b { a.clone() } else { Box::new(merge_pointees(a, b)?) };
            Type::Pointer { to, space }
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Type::Tuple(a.iter().zip(b).map(|(a, b)| merge_types(a, b)).collect::<Option<_>>()?)
        }
        (Type::Fields(a), Type::Fields(b)) if a.len() == b.len() => Type::Fields(
            a.iter()
                .map(|field| {
                    let other = b.iter().find(|other| other.name == field.name)?;
                    Some(NamedType { name: field.name.clone(), ty: merge_types(&field.ty, &other.ty)? })
                })
                .collect::<Option<_>>()?,
        ),
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
        (Type::Pointer { .. } | Type::Stack(_), _) | (_, Type::Pointer { .. }) => Type::U64,
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
        let int = |bits, signed| Type::Int(IntType { bits, signed });
        let literal = Inferred { ty: int(16, true), flexible: true };
        let unsigned = Inferred::fixed(&Type::U32);
        assert_eq!(merge(&literal, &unsigned).map(|merged| merged.ty), Some(Type::U32));
        assert_eq!(merge(&unsigned, &literal).map(|merged| merged.ty), Some(Type::U32));
        assert_eq!(merge(&Inferred::fixed(&int(8, false)), &literal).map(|merged| merged.ty), Some(int(16, false)));
        assert_eq!(merge_types(&int(8, false), &int(16, true)), Some(int(16, true)));
        assert_eq!(merge_types(&Type::U64, &int(8, true)), Some(Type::I64));
        assert_eq!(merge(&unsigned, &Inferred::fixed(&Type::I32)).map(|merged| merged.ty), Some(Type::I64));
        let (short, long) = (Type::String { size: 3 }, Type::String { size: 16 });
        assert_eq!(merge_types(&short, &long), Some(long.clone()));
        assert_eq!(merge_types(&short, &Type::I64), None);
        let pair = |ty: Type| Type::Tuple(vec![Type::I64, ty]);
        assert_eq!(merge_types(&pair(short), &pair(long.clone())), Some(pair(long)));
    }
}
