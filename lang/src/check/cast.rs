//! Types as written: casts and `sizeof`.

use super::{Checker, suggest};
use crate::ast::{Expr, ExprKind, TypeBase, TypeName, TypeSuffix, TypeTag, UnaryOp};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::{Kernel, KernelError};
use crate::source::Span;
use crate::types::{AddressSpace, IntType, RecordKind, Type};

/// Names of the integer types: the language's own, C's and the kernel's.
const INTEGERS: &[(&str, u8, bool)] = &[
    ("int8", 8, true),
    ("int16", 16, true),
    ("int32", 32, true),
    ("int64", 64, true),
    ("uint8", 8, false),
    ("uint16", 16, false),
    ("uint32", 32, false),
    ("uint64", 64, false),
    ("int8_t", 8, true),
    ("int16_t", 16, true),
    ("int32_t", 32, true),
    ("int64_t", 64, true),
    ("uint8_t", 8, false),
    ("uint16_t", 16, false),
    ("uint32_t", 32, false),
    ("uint64_t", 64, false),
    ("s8", 8, true),
    ("s16", 16, true),
    ("s32", 32, true),
    ("s64", 64, true),
    ("u8", 8, false),
    ("u16", 16, false),
    ("u32", 32, false),
    ("u64", 64, false),
    ("char", 8, true),
    ("short", 16, true),
    ("int", 32, true),
    ("long", 64, true),
    ("unsigned", 32, false),
    ("size_t", 64, false),
    ("ssize_t", 64, true),
    ("uintptr_t", 64, false),
    ("intptr_t", 64, true),
];

/// Why a type name means nothing.
pub(crate) enum TypeNameError {
    /// The language has it, but not yet here.
    NotSupported(&'static str),
    /// There is no such thing.
    Unknown,
    /// The kernel could not be asked.
    Kernel(KernelError),
}

/// The type that a type name means; pointers point into memory of `space`.
pub(crate) fn resolve(name: &TypeName, kernel: &dyn Kernel, space: AddressSpace) -> Result<Type, TypeNameError> {
    let TypeBase::Name { tag, name: word } = &name.base else {
        return Err(TypeNameError::NotSupported("types as `typeof`"));
    };
    let record = |kind| match kernel.record(kind, &word.text) {
        Ok(found) => found.ok_or(TypeNameError::Unknown),
        Err(error) => Err(TypeNameError::Kernel(error)),
    };
    let mut ty = match tag {
        Some(TypeTag::Struct) => record(RecordKind::Struct)?,
        Some(TypeTag::Union) => record(RecordKind::Union)?,
        Some(TypeTag::Enum) => return Err(TypeNameError::NotSupported("casts to an enum")),
        None => plain_type(&word.text).ok_or(TypeNameError::Unknown)?,
    };
    for suffix in &name.suffixes {
        ty = match (suffix, ty) {
            (TypeSuffix::Pointer, ty) => Type::Pointer { to: Box::new(ty), space },
            (TypeSuffix::AnyArray, element) => array_of(element, 0),
            (TypeSuffix::Array(_), Type::Array { .. }) => {
                return Err(TypeNameError::NotSupported("arrays of arrays"));
            }
            (TypeSuffix::Array(len), element) => array_of(element, *len),
        };
    }
    Ok(ty)
}

fn array_of(element: Type, len: u32) -> Type {
    match element {
        Type::Int(IntType { bits: 8, signed: true }) | Type::String { .. } => Type::String { size: len.max(1) },
        element => Type::Array { element: Box::new(element), len },
    }
}

fn plain_type(name: &str) -> Option<Type> {
    match name {
        "bool" => Some(Type::Bool),
        "void" => Some(Type::Void),
        "string" => Some(Type::String { size: 1 }),
        _ => {
            let row = INTEGERS.iter().find(|row| row.0 == name)?;
            Some(Type::Int(IntType { bits: row.1, signed: row.2 }))
        }
    }
}

/// The value of an integer literal, perhaps with a sign.
pub(crate) fn literal_int(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Int { bits, .. } => i64::try_from(*bits).ok(),
        ExprKind::Unary(UnaryOp::Negate, operand) => match operand.kind {
            ExprKind::Int { bits, .. } if bits <= 1 << 63 => Some((bits as i64).wrapping_neg()),
            _ => None,
        },
        _ => None,
    }
}

impl Checker<'_> {
    /// The type that a name means; `None` after a message. A pointer is taken to point where bare addresses of the
    /// probe do.
    pub(super) fn type_name(&mut self, name: &TypeName) -> Option<Type> {
        let error = match resolve(name, self.kernel, self.point().row.space) {
            Ok(ty) => return Some(ty),
            Err(error) => error,
        };
        let (tag, text) = match &name.base {
            TypeBase::Name { tag, name } => (*tag, name.text.as_str()),
            TypeBase::TypeOf(_) => (None, "typeof"),
        };
        let diagnostic = match error {
            TypeNameError::Kernel(error) => suggest::kernel_error(&error, name.span, "a type of the kernel"),
            TypeNameError::NotSupported(what) => {
                Diagnostic::error(Code::NotSupported, format!("{what} are not supported yet")).at(name.span, "here")
            }
            TypeNameError::Unknown if tag.is_some() => {
                let word = if tag == Some(TypeTag::Union) { "union" } else { "struct" };
                let version = self.kernel.version();
                Diagnostic::error(Code::UnknownName, format!("no `{word} {text}` in this kernel"))
                    .at(name.span, "not in its BTF")
                    .note(format!("the kernel compiled for is {version}; the type may belong to a module"))
            }
            TypeNameError::Unknown => unknown_plain_type(text, name.span),
        };
        self.report(diagnostic);
        None
    }

    pub(super) fn cast(&mut self, name: &TypeName, value: &Expr) -> Type {
        let from = self.value(value);
        let Some(to) = self.type_name(name) else { return Type::Error };
        let scalar = |ty: &Type| matches!(ty, Type::Int(_) | Type::Bool | Type::Pointer { .. });
        let from_ok = scalar(&from) || from == Type::KernelSymbol;
        if from == Type::Error {
            // The cast says what it would be: what follows can be checked.
            return if scalar(&to) { to } else { Type::Error };
        }
        match (&to, &from) {
            (Type::Pointer { to: pointee, .. }, Type::Pointer { space, .. }) => {
                Type::Pointer { to: pointee.clone(), space: *space }
            }
            (to, _) if scalar(to) && from_ok => to.clone(),
            (Type::Record(_), _) if from_ok => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, format!("`{from}` is no `{to}`"));
                self.report(diagnostic.at(name.span, "not a pointer").help(format!("cast to a pointer: `({to} *)`")))
            }
            (Type::Array { .. } | Type::String { .. }, _) => {
                let message = format!("casts to `{to}` are not supported yet");
                self.error(Code::NotSupported, name.span, message, "cast here")
            }
            _ => {
                let message = format!("`{from}` cannot be cast to `{to}`");
                self.error(Code::TypeMismatch, value.span, message, format!("this is `{from}`"))
            }
        }
    }
}

/// The message for a word that is no type.
fn unknown_plain_type(text: &str, span: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(Code::UnknownName, format!("unknown type `{text}`")).at(span, "no type of this name");
    let words = INTEGERS.iter().map(|row| row.0).chain(["bool", "void", "string"]);
    match nearest(text, words) {
        Some(found) => diagnostic.suggest(span, Some(found)),
        None => diagnostic.help(format!("a structure of the kernel is written `struct {text}`")),
    }
}
