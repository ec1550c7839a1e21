//! C declarations of functions, with the typedefs' names kept, for listings.

use super::{KernelBtf, MAX_DEPTH};
use btf_rs::{BtfType, Type as BtfKind};

/// Parameters shown of a function that is itself a parameter.
const MAX_PARAMS: usize = 16;

/// Depth left inside of such a function: no other functions are spelled out there, or broken BTF could fan out for ever.
const NESTED: u32 = MAX_DEPTH / 4;

/// A function as C declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// `struct file * file`
    pub(crate) params: Vec<String>,
    /// `ssize_t`; `void` when it returns nothing.
    pub(crate) returns: String,
}

impl KernelBtf {
    /// A function's declaration.
    pub(crate) fn declaration(&self, name: &str) -> Option<Declaration> {
        let (module, proto) = self.prototype(name)?;
        let params = proto.parameters.iter().map(|parameter| {
            if parameter.is_variadic() {
                return "...".to_string();
            }
            let ty = self.c_type(module, parameter.get_type_id().unwrap_or(0), MAX_DEPTH);
            format!("{ty} {}", self.name_of(module, parameter))
        });
        Some(Declaration { params: params.collect(), returns: self.c_type(module, proto.return_type_id(), MAX_DEPTH) })
    }

    fn c_type(&self, module: u32, id: u32, depth: u32) -> String {
        let at = self.at(module, id);
        let (Some(kind), Some(depth)) = (self.resolve(at), depth.checked_sub(1)) else { return "void".to_string() };
        let inner = |ty: &dyn BtfType| self.c_type(module, ty.get_type_id().unwrap_or(0), depth);
        let tagged = |tag: &str, ty: &dyn BtfType| match self.name_of(at.module, ty) {
            name if name.is_empty() => tag.to_string(),
            name => format!("{tag} {name}"),
        };
        match &kind {
            BtfKind::Ptr(ty) => pointer(inner(ty)),
            BtfKind::FuncProto(proto) => self.c_function(at.module, proto, depth),
            BtfKind::Array(ty) => format!("{}[{}]", inner(ty), ty.len()),
            BtfKind::Struct(ty) => tagged("struct", ty),
            BtfKind::Union(ty) => tagged("union", ty),
            BtfKind::Fwd(ty) => tagged(if ty.is_union() { "union" } else { "struct" }, ty),
            BtfKind::Enum(ty) => tagged("enum", ty),
            BtfKind::Enum64(ty) => tagged("enum", ty),
            BtfKind::Const(ty) => qualified("const", &inner(ty)),
            BtfKind::Volatile(ty) => qualified("volatile", &inner(ty)),
            BtfKind::Restrict(ty) => inner(ty),
            BtfKind::TypeTag(ty) => inner(ty),
            BtfKind::Int(_) | BtfKind::Float(_) | BtfKind::Typedef(_) => {
                kind.as_btf_type().map(|ty| self.name_of(at.module, ty)).unwrap_or_default()
            }
            _ => "void".to_string(),
        }
    }

    /// `int (struct file *, ...)`; a pointer to it puts `(*)` in the middle.
    fn c_function(&self, module: u32, proto: &btf_rs::FuncProto, depth: u32) -> String {
        if depth <= NESTED {
            return "void ()".to_string();
        }
        let params = proto.parameters.iter().map(|parameter| match parameter.is_variadic() {
            true => "...".to_string(),
            false => self.c_type(module, parameter.get_type_id().unwrap_or(0), NESTED),
        });
        let params: Vec<String> = params.take(MAX_PARAMS).collect();
        format!("{} ({})", self.c_type(module, proto.return_type_id(), NESTED), params.join(", "))
    }
}

fn pointer(to: String) -> String {
    match to.split_once(" (") {
        Some((returns, params)) if to.ends_with(')') && !params.starts_with('*') => format!("{returns} (*)({params}"),
        _ if to.ends_with('*') => to + "*",
        _ => to + " *",
    }
}

/// A qualifier of a pointer stands behind the `*`.
fn qualified(qualifier: &str, ty: &str) -> String {
    if ty.ends_with('*') { format!("{ty} {qualifier}") } else { format!("{qualifier} {ty}") }
}
