//! The kernel's types with those of a script in front of them.

use super::layout::{Layout, layouts};
use super::{CType, Definitions, Enum};
use crate::diagnostic::Diagnostics;
use crate::kernel::{
    Feature, FunctionProto, Kernel, KernelError, KernelTypes, KernelVersion, Lookup, Member, ProbeTargets,
    TracepointFormat, UserFile, UserFunction,
};
use crate::types::{AddressSpace, EnumRef, IntType, KernelTypeId, RecordKind, RecordRef, Type};
use std::rc::Rc;

/// Ids of the script's own records have this number where the kernel's have that of a module.
const RECORDS: u64 = 0x8000_0000;

/// The same for its enumerations.
const ENUMS: u64 = 0x8000_0001;

/// The id of what has this index.
fn id(family: u64, at: usize) -> KernelTypeId {
    KernelTypeId(family << 32 | at as u64)
}

/// The index of what has this id.
fn index(family: u64, id: KernelTypeId) -> Option<usize> {
    (id.0 >> 32 == family).then_some(id.0 as u32 as usize)
}

/// A kernel as a script sees it: its own definitions win over the kernel's of the same name.
pub struct WithDefinitions<'k> {
    kernel: &'k dyn Kernel,
    definitions: Definitions,
    layouts: Vec<Layout>,
}

impl Enum {
    /// An enumeration has 32 bits, or 64 when a member needs more.
    pub(super) fn bits(&self) -> u8 {
        let wide = |value: &i64| *value > i64::from(u32::MAX) || *value < i64::from(i32::MIN);
        if self.members.iter().any(|member| wide(&member.1)) { 64 } else { 32 }
    }

    fn int(&self) -> IntType {
        IntType { bits: self.bits(), signed: self.members.iter().any(|member| member.1 < 0) }
    }
}

impl<'k> WithDefinitions<'k> {
    /// Lays out the definitions; what is wrong with them is reported.
    pub fn new(definitions: Definitions, kernel: &'k dyn Kernel) -> (Self, Diagnostics) {
        let mut out = Diagnostics::default();
        let layouts = layouts(&definitions, kernel, &mut out);
        (WithDefinitions { kernel, definitions, layouts }, out)
    }

    fn own_record(&self, at: usize) -> Type {
        let Some(record) = self.definitions.records.get(at) else { return Type::Void };
        let size = self.layouts.get(at).map_or(0, |layout| layout.size);
        Type::Record(RecordRef { kind: record.kind, name: record.name.clone(), id: id(RECORDS, at), size })
    }

    fn own_enum(&self, at: usize) -> Type {
        let Some(found) = self.definitions.enums.get(at) else { return Type::I32 };
        if found.name.is_empty() {
            return Type::Int(found.int());
        }
        Type::Enum(EnumRef { name: found.name.clone(), id: id(ENUMS, at), int: found.int() })
    }

    /// The language's type for one of C.
    fn ty(&self, ty: &CType) -> Type {
        match ty {
            CType::Void | CType::Function => Type::Void,
            CType::Int { bits, signed } => Type::Int(IntType { bits: *bits, signed: *signed }),
            CType::Char => Type::Int(IntType { bits: 8, signed: true }),
            CType::Float(bytes) => {
                let byte = Type::Int(IntType { bits: 8, signed: false });
                Type::Array { element: Box::new(byte), len: *bytes }
            }
            CType::Pointer(to) => Type::kernel_pointer(self.ty(to)),
            CType::Array(element, len @ 1..) if **element == CType::Char => Type::String { size: *len },
            CType::Array(element, len) => Type::Array { element: Box::new(self.ty(element)), len: *len },
            CType::Record(at) => self.own_record(*at),
            CType::Tagged(kind, name) => self.record(*kind, name).ok().flatten().unwrap_or(Type::Void),
            CType::Enum(at) => self.own_enum(*at),
            CType::TaggedEnum(name) => self.kernel.enumeration(name).ok().flatten().unwrap_or(Type::U32),
            CType::Named(name, _) => self.kernel.typedef(name).ok().flatten().unwrap_or(Type::Void),
        }
    }

    /// All members of a record of the script, anonymous records replaced by theirs.
    fn own_members(&self, at: usize, start: u32, members: &mut Vec<Member>) {
        let (Some(record), Some(layout)) = (self.definitions.records.get(at), self.layouts.get(at)) else { return };
        for (declared, place) in record.members.iter().zip(&layout.places) {
            let bit_offset = start + place.bit_offset;
            match (&declared.ty, declared.name.is_empty()) {
                (CType::Record(inner), true) => self.own_members(*inner, bit_offset, members),
                // unnamed bit-fields only fill
                (_, true) => {}
                (ty, false) => members.push(Member {
                    name: declared.name.clone(),
                    ty: self.ty(ty),
                    bit_offset,
                    bit_size: declared.bits,
                }),
            }
        }
    }
}

impl KernelTypes for WithDefinitions<'_> {
    fn record(&self, kind: RecordKind, name: &str) -> Lookup<Type> {
        match self.definitions.tags.get(&(kind, name.to_string())) {
            Some(at) => Ok(Some(self.own_record(*at))),
            None => self.kernel.record(kind, name),
        }
    }

    fn record_size(&self, id: KernelTypeId) -> u32 {
        match index(RECORDS, id) {
            Some(at) => self.layouts.get(at).map_or(0, |layout| layout.size),
            None => self.kernel.record_size(id),
        }
    }

    fn member(&self, record: KernelTypeId, name: &str) -> Option<Member> {
        match index(RECORDS, record) {
            Some(_) => self.members(record).into_iter().find(|member| member.name == name),
            None => self.kernel.member(record, name),
        }
    }

    fn members(&self, record: KernelTypeId) -> Vec<Member> {
        let Some(at) = index(RECORDS, record) else { return self.kernel.members(record) };
        let mut members = Vec::new();
        self.own_members(at, 0, &mut members);
        members
    }

    fn function(&self, name: &str) -> Lookup<FunctionProto> {
        self.kernel.function(name)
    }

    fn typedef(&self, name: &str) -> Lookup<Type> {
        match self.definitions.typedefs.get(name) {
            Some(ty) => Ok(Some(self.ty(ty))),
            None => self.kernel.typedef(name),
        }
    }

    fn enumeration(&self, name: &str) -> Lookup<Type> {
        match self.definitions.enums.iter().position(|found| found.name == name && !name.is_empty()) {
            Some(at) => Ok(Some(self.own_enum(at))),
            None => self.kernel.enumeration(name),
        }
    }

    fn enumerator(&self, name: &str) -> Lookup<i64> {
        match self.definitions.enumerator(name) {
            Some((_, value)) => Ok(Some(value)),
            None => self.kernel.enumerator(name),
        }
    }

    fn enumeration_of(&self, enumerator: &str) -> Option<Type> {
        match self.definitions.enumerator(enumerator) {
            Some((at, _)) => Some(self.own_enum(at)),
            None => self.kernel.enumeration_of(enumerator),
        }
    }

    fn enumerators(&self, id: KernelTypeId) -> Vec<(String, i64)> {
        let Some(at) = index(ENUMS, id) else { return self.kernel.enumerators(id) };
        self.definitions.enums.get(at).map_or_else(Vec::new, |found| found.members.clone())
    }

    fn tracepoint(&self, category: &str, name: &str) -> Lookup<TracepointFormat> {
        self.kernel.tracepoint(category, name)
    }
}

impl ProbeTargets for WithDefinitions<'_> {
    fn functions(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        self.kernel.functions(pattern)
    }

    fn functions_of(&self, module: &str, pattern: &str) -> Result<Vec<(String, String)>, KernelError> {
        self.kernel.functions_of(module, pattern)
    }

    fn iterators(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        self.kernel.iterators(pattern)
    }

    fn user_files(&self, pattern: &str) -> Result<Vec<Rc<UserFile>>, KernelError> {
        self.kernel.user_files(pattern)
    }

    fn source_line(&self, file: &UserFile, source: &str, line: u64, column: Option<u64>) -> Option<Vec<u64>> {
        self.kernel.source_line(file, source, line, column)
    }

    fn is_instruction(&self, file: &UserFile, function: &UserFunction, offset: u64) -> Option<bool> {
        self.kernel.is_instruction(file, function, offset)
    }

    fn user_function(&self, path: &str, function: &str) -> Option<FunctionProto> {
        self.kernel.user_function(path, function)
    }

    fn demangle(&self, name: &str) -> Option<String> {
        self.kernel.demangle(name)
    }

    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        self.kernel.tracepoints(category, name)
    }

    fn raw_tracepoints(&self, module: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        self.kernel.raw_tracepoints(module, name)
    }

    fn user_file(&self, name: &str) -> Lookup<Rc<UserFile>> {
        self.kernel.user_file(name)
    }
}

impl Kernel for WithDefinitions<'_> {
    fn symbol(&self, name: &str) -> Lookup<u64> {
        self.kernel.symbol(name)
    }

    fn control_group(&self, path: &str) -> Lookup<u64> {
        self.kernel.control_group(path)
    }

    fn pid_namespace(&self) -> Option<(u64, u64)> {
        self.kernel.pid_namespace()
    }

    fn version(&self) -> KernelVersion {
        self.kernel.version()
    }

    fn has(&self, feature: Feature) -> bool {
        self.kernel.has(feature)
    }

    fn possible_cpus(&self) -> u32 {
        self.kernel.possible_cpus()
    }

    fn tracepoint_space(&self, category: &str) -> AddressSpace {
        self.kernel.tracepoint_space(category)
    }
}
