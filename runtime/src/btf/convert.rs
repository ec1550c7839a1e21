//! BTF types to the language's types.

use super::{KernelBtf, MAX_DEPTH, TypeAt};
use btf_rs::{BtfType, Type as BtfKind};
use lt_lang::kernel::{FunctionProto, Parameter};
use lt_lang::types::{AddressSpace, EnumRef, IntType, RecordKind, RecordRef, Type};

/// A type without its names and qualifiers.
pub(super) struct Bare {
    pub(super) at: TypeAt,
    pub(super) kind: BtfKind,
    /// A type tag said that it lies in user memory.
    user: bool,
}

impl KernelBtf {
    /// Skips typedefs, qualifiers and type tags.
    pub(super) fn bare(&self, module: u32, id: u32) -> Option<Bare> {
        let mut at = self.at(module, id);
        let mut user = false;
        for _ in 0..MAX_DEPTH {
            let kind = self.resolve(at)?;
            let next = match &kind {
                BtfKind::Typedef(ty) => ty.get_type_id(),
                BtfKind::Volatile(ty) | BtfKind::Const(ty) | BtfKind::Restrict(ty) => ty.get_type_id(),
                BtfKind::TypeTag(tag) => {
                    user |= !tag.is_attribute() && self.name_of(at.module, tag) == "user";
                    tag.get_type_id()
                }
                _ => return Some(Bare { at, kind, user }),
            };
            at = self.at(module, next?);
        }
        None
    }

    /// The language's type for a BTF type; what it has no type for becomes an array of bytes, a broken one `Void`.
    pub(super) fn convert(&self, module: u32, id: u32) -> Type {
        self.convert_to_depth(module, id, MAX_DEPTH)
    }

    fn convert_to_depth(&self, module: u32, id: u32, depth: u32) -> Type {
        let (Some(bare), Some(depth)) = (self.bare(module, id), depth.checked_sub(1)) else { return Type::Void };
        match &bare.kind {
            BtfKind::Int(int) if int.is_bool() && int.size() == 1 => Type::Bool,
            BtfKind::Int(int) => integer(int.size(), int.is_signed()),
            BtfKind::Enum(ty) => self.enumeration_type(bare.at, ty, integer(ty.size(), ty.is_signed())),
            BtfKind::Enum64(ty) => self.enumeration_type(bare.at, ty, integer(ty.size(), ty.is_signed())),
            BtfKind::Float(ty) => bytes(ty.size()),
            BtfKind::Ptr(pointer) => self.convert_pointer(module, pointer.get_type_id(), depth),
            BtfKind::Array(array) => {
                let element = array.get_type_id().unwrap_or(0);
                self.convert_array(module, element, u32::try_from(array.len()).unwrap_or(0), depth)
            }
            BtfKind::Struct(ty) => self.reference(bare.at, RecordKind::Struct, ty, ty.size()),
            BtfKind::Union(ty) => self.reference(bare.at, RecordKind::Union, ty, ty.size()),
            BtfKind::Fwd(ty) if ty.is_union() => self.reference(bare.at, RecordKind::Union, ty, 0),
            BtfKind::Fwd(ty) => self.reference(bare.at, RecordKind::Struct, ty, 0),
            _ => Type::Void,
        }
    }

    fn reference(&self, at: TypeAt, kind: RecordKind, named: &dyn BtfType, size: usize) -> Type {
        let size = u32::try_from(size).unwrap_or(0);
        Type::Record(RecordRef { kind, name: self.name_of(at.module, named), id: at.public(), size })
    }

    /// A named enumeration; without a name it is the integer.
    pub(super) fn enumeration_type(&self, at: TypeAt, named: &dyn BtfType, integer: Type) -> Type {
        let name = self.name_of(at.module, named);
        match integer {
            Type::Int(int) if !name.is_empty() => Type::Enum(EnumRef { name, id: at.public(), int }),
            other => other,
        }
    }

    fn convert_pointer(&self, module: u32, target: Option<u32>, depth: u32) -> Type {
        let target = target.unwrap_or(0);
        let user = self.bare(module, target).is_some_and(|bare| bare.user);
        Type::Pointer {
            to: Box::new(self.convert_to_depth(module, target, depth)),
            space: if user { AddressSpace::User } else { AddressSpace::Kernel },
        }
    }

    /// `char` in a row is a string; one without a length is kept as an array, which stands for its address.
    fn convert_array(&self, module: u32, element: u32, len: u32, depth: u32) -> Type {
        if len > 0 && self.is_char(module, element) {
            return Type::String { size: len };
        }
        Type::Array { element: Box::new(self.convert_to_depth(module, element, depth)), len }
    }

    fn is_char(&self, module: u32, id: u32) -> bool {
        let Some(Bare { at, kind: BtfKind::Int(int), .. }) = self.bare(module, id) else { return false };
        int.size() == 1 && (int.is_char() || self.name_of(at.module, &int) == "char")
    }

    pub(super) fn convert_prototype(&self, module: u32, proto: &btf_rs::FuncProto) -> FunctionProto {
        let named = proto.parameters.iter().filter(|parameter| !parameter.is_variadic());
        let params = named.map(|parameter| Parameter {
            name: self.name_of(module, parameter),
            ty: self.convert(module, parameter.get_type_id().unwrap_or(0)),
        });
        FunctionProto { params: params.collect(), returns: self.convert(module, proto.return_type_id()) }
    }
}

fn integer(size: usize, signed: bool) -> Type {
    match size {
        1 | 2 | 4 | 8 => Type::Int(IntType { bits: size as u8 * 8, signed }),
        _ => bytes(size),
    }
}

fn bytes(size: usize) -> Type {
    let byte = Type::Int(IntType { bits: 8, signed: false });
    Type::Array { element: Box::new(byte), len: u32::try_from(size).unwrap_or(0) }
}
