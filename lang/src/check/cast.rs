//! Types as written: casts and `sizeof`.

use super::{Checker, literal_int, suggest};
use crate::ast::{Expr, Ident, NodeId, TypeBase, TypeName, TypeOperand, TypeSuffix, TypeTag};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::KernelError;
use crate::source::Span;
use crate::types::{AddressSpace, EnumRef, IntType, RecordKind, Type};

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
    /// Told already.
    Reported,
    /// There is no such thing.
    Unknown,
    /// The kernel could not be asked.
    Kernel(KernelError),
}

/// A type with a suffix behind it. Words in front tell `char[4]`, which is a string, from `int8[4]`.
fn with_suffix(ty: Type, suffix: TypeSuffix, word: &str, space: AddressSpace) -> Type {
    let len = match suffix {
        TypeSuffix::Pointer => return Type::Pointer { to: Box::new(ty), space },
        TypeSuffix::Array(len) => len,
        TypeSuffix::AnyArray => 0,
    };
    match ty {
        Type::String { .. } if word == "string" => Type::String { size: len.max(1) },
        Type::Buffer { .. } => Type::Buffer { size: len },
        Type::Int(IntType { bits: 8, signed: true }) if word == "char" => Type::String { size: len.max(1) },
        element => Type::Array { element: Box::new(element), len },
    }
}

fn plain_type(name: &str) -> Option<Type> {
    match name {
        "bool" => Some(Type::Bool),
        "void" => Some(Type::Void),
        "string" => Some(Type::String { size: 1 }),
        "buffer" => Some(Type::Buffer { size: 1 }),
        _ => {
            let row = INTEGERS.iter().find(|row| row.0 == name)?;
            Some(Type::Int(IntType { bits: row.1, signed: row.2 }))
        }
    }
}

impl Checker<'_> {
    /// The type that a name means; `None` after a message. A pointer is taken to point where bare addresses of the
    /// probe do.
    pub(super) fn type_name(&mut self, name: &TypeName) -> Option<Type> {
        let error = match self.resolve(name) {
            Ok(ty) => return Some(ty),
            Err(TypeNameError::Reported) => return None,
            Err(error) => error,
        };
        let (tag, text) = match &name.base {
            TypeBase::Name { tag, name } => (*tag, name.text.as_str()),
            TypeBase::TypeOf(_) => (None, "typeof"),
        };
        let diagnostic = match error {
            TypeNameError::Kernel(error) => suggest::kernel_error(&error, name.span, "a type of the kernel"),
            TypeNameError::Unknown if tag.is_some() => {
                let word = match tag {
                    Some(TypeTag::Union) => "union",
                    Some(TypeTag::Enum) => "enum",
                    _ => "struct",
                };
                let version = self.kernel.version();
                Diagnostic::error(Code::UnknownName, format!("no `{word} {text}` in this kernel"))
                    .at(name.span, "not in its BTF")
                    .note(format!("the kernel compiled for is {version}; the type may belong to a module"))
            }
            _ => unknown_plain_type(text, name.span),
        };
        self.report(diagnostic);
        None
    }

    /// The type that a type name means; pointers point where bare addresses of the probe do.
    pub(super) fn resolve(&mut self, name: &TypeName) -> Result<Type, TypeNameError> {
        let (ty, word) = match &name.base {
            TypeBase::Name { tag, name } => (self.base_type(*tag, &name.text)?, name.text.as_str()),
            TypeBase::TypeOf(operand) => (self.type_operand(operand).ok_or(TypeNameError::Reported)?, "typeof"),
        };
        let space = self.point().row.space;
        Ok(name.suffixes.iter().fold(ty, |ty, suffix| with_suffix(ty, *suffix, word, space)))
    }

    fn base_type(&self, tag: Option<TypeTag>, word: &str) -> Result<Type, TypeNameError> {
        let found = match tag {
            Some(TypeTag::Struct) => self.kernel.record(RecordKind::Struct, word),
            Some(TypeTag::Union) => self.kernel.record(RecordKind::Union, word),
            Some(TypeTag::Enum) => self.kernel.enumeration(word),
            None => match plain_type(word) {
                Some(ty) => return Ok(ty),
                // without BTF there is no such name; `sizeof(NAME)` may mean an enumerator
                None => Ok(self.kernel.typedef(word).ok().flatten().or_else(|| self.kernel.enumeration_of(word))),
            },
        };
        found.map_err(TypeNameError::Kernel)?.ok_or(TypeNameError::Unknown)
    }

    /// The type that stands in `typeof` and `offsetof`, or that of the value there, which is not evaluated.
    pub(super) fn type_operand(&mut self, operand: &TypeOperand) -> Option<Type> {
        match operand {
            TypeOperand::Type(name) => self.type_name(name),
            TypeOperand::Value(value) => Some(self.expr(value)).filter(|ty| *ty != Type::Error),
        }
    }

    pub(super) fn cast(&mut self, name: &TypeName, value: &Expr) -> Type {
        let from = self.value(value);
        let Some(to) = self.type_name(name) else { return Type::Error };
        let scalar = |ty: &Type| matches!(ty, Type::Int(_) | Type::Enum(_) | Type::Bool | Type::Pointer { .. });
        let from_ok = scalar(&from) || from == Type::KernelSymbol;
        if from == Type::Error {
            // The cast says what it would be: what follows can be checked.
            return if scalar(&to) { to } else { Type::Error };
        }
        match (&to, &from) {
            (Type::Pointer { to: pointee, .. }, Type::Pointer { space, .. }) => {
                Type::Pointer { to: pointee.clone(), space: *space }
            }
            (Type::Enum(found), Type::Int(_)) if literal_int(value).is_some() => self.enum_literal(found, value, &to),
            (to, _) if scalar(to) && from_ok => to.clone(),
            (Type::Int(_), Type::Array { element, .. }) if is_bits(element) && from.size() == to.size() => to,
            (Type::Array { element, len }, _) if is_bits(element) => self.array_cast(element, *len, &from, value),
            (Type::String { .. }, Type::String { .. }) => to,
            (Type::Buffer { size: to_size }, Type::Buffer { size }) if size <= to_size => to,
            (Type::Record(_), _) if from_ok => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, format!("`{from}` is no `{to}`"));
                self.report(diagnostic.at(name.span, "not a pointer").help(format!("cast to a pointer: `({to} *)`")))
            }
            _ => self.bad_cast(&from, &to, value),
        }
    }

    fn bad_cast(&mut self, from: &Type, to: &Type, value: &Expr) -> Type {
        let message = format!("`{from}` cannot be cast to `{to}`");
        self.error(Code::TypeMismatch, value.span, message, format!("this is `{from}`"))
    }

    /// An integer, string or other array as an array of integers: as many as it takes when no length is written.
    fn array_cast(&mut self, element: &Type, len: u32, from: &Type, value: &Expr) -> Type {
        let bits = matches!(from, Type::Int(_) | Type::Enum(_) | Type::Bool | Type::String { .. })
            || matches!(from, Type::Array { element, .. } if is_bits(element));
        let to_len = if len == 0 { from.size().div_ceil(element.size().max(1)) } else { len };
        let to = Type::Array { element: Box::new(element.clone()), len: to_len };
        // a literal is as wide as it is wanted
        let wide = literal_int(value).is_some() && matches!(to.size(), 1 | 2 | 4 | 8) && to.size() >= from.size();
        if bits && (from.size() == to.size() || wide) { to } else { self.bad_cast(from, &to, value) }
    }

    /// `(enum color)2`: only a value that the enumeration has.
    fn enum_literal(&mut self, found: &EnumRef, value: &Expr, to: &Type) -> Type {
        let members = self.kernel.enumerators(found.id);
        let wanted = literal_int(value).unwrap_or(0);
        if members.is_empty() || members.iter().any(|member| member.1 == wanted) {
            return to.clone();
        }
        let message = format!("`{to}` has no member of the value {wanted}");
        self.error(Code::BadArgument, value.span, message, "none of its values")
    }

    /// `offsetof(type, a.b)`
    pub(super) fn offset_of(&mut self, of: &TypeOperand, path: &[Ident], node: NodeId) -> Type {
        let Some(root) = self.type_operand(of) else { return Type::Error };
        self.program.measured.insert(node, root.clone());
        let mut ty = root;
        for field in path {
            let Type::Record(record) = &ty else {
                let message = format!("`{ty}` has no fields");
                return self.error(Code::NotARecord, field.span, message, "not a struct");
            };
            ty = match self.member(&record.clone(), field, AddressSpace::Kernel) {
                Type::Error => return Type::Error,
                ty => ty,
            };
        }
        Type::U64
    }
}

/// What arrays of bytes are made of and cast to.
fn is_bits(element: &Type) -> bool {
    matches!(element, Type::Int(_) | Type::Bool)
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
