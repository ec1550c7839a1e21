//! The kernel's types by BTF: [`KernelBtf`] wraps btf-rs's mmap backend, remembers what it found, and turns BTF into
//! the types of the language. Nothing is parsed before it is asked for; module BTF is opened only for a name that
//! vmlinux does not have.

mod convert;
mod declare;
mod enumerators;
mod iterators;
#[cfg(test)]
pub(crate) mod made_up;
mod members;
mod modules;
mod open;
mod raw_tracepoints;

use btf_rs::{Btf, BtfType, Type as BtfKind};
use enumerators::Enumerator;
use lt_lang::kernel::FunctionProto;
use lt_lang::types::{KernelTypeId, RecordKind, RecordRef, Type};
use modules::Modules;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::Path;

/// Where the running kernel shows its BTF.
pub(crate) const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// So many look-ups by name are each answered by a scan of all types (0.6 ms); after that an index pays off.
const SCANS_BEFORE_INDEX: u32 = 24;

/// Longest chain of modifiers, nested arrays or anonymous records that is followed: real ones are shorter than ten, only
/// broken BTF goes in circles.
const MAX_DEPTH: u32 = 32;

/// What kind of thing a name names: C has several name spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameSpace {
    Struct,
    Union,
    Function,
    Enum,
    Typedef,
}

impl NameSpace {
    fn of(ty: &BtfKind) -> Option<NameSpace> {
        match ty {
            BtfKind::Struct(_) => Some(NameSpace::Struct),
            BtfKind::Union(_) => Some(NameSpace::Union),
            BtfKind::Func(_) => Some(NameSpace::Function),
            BtfKind::Enum(_) | BtfKind::Enum64(_) => Some(NameSpace::Enum),
            BtfKind::Typedef(_) => Some(NameSpace::Typedef),
            _ => None,
        }
    }
}

impl From<RecordKind> for NameSpace {
    fn from(kind: RecordKind) -> NameSpace {
        match kind {
            RecordKind::Struct => NameSpace::Struct,
            RecordKind::Union => NameSpace::Union,
        }
    }
}

/// A BTF type: its id, and the module (from 1; 0 is vmlinux) whose BTF has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TypeAt {
    pub(crate) module: u32,
    pub(crate) id: u32,
}

impl TypeAt {
    /// The same as the language knows it: BTF id in the low 32 bits, module in the high 32.
    pub(crate) fn public(self) -> KernelTypeId {
        KernelTypeId((u64::from(self.module) << 32) | u64::from(self.id))
    }

    pub(crate) fn from_public(id: KernelTypeId) -> TypeAt {
        TypeAt { module: (id.0 >> 32) as u32, id: id.0 as u32 }
    }
}

/// BTF of vmlinux and, on demand, of the modules.
pub(crate) struct KernelBtf {
    base: Btf,
    /// Number of types of vmlinux: module types are numbered from here.
    base_types: u32,
    modules: Modules,
    found: RefCell<HashMap<NameSpace, HashMap<String, Option<TypeAt>>>>,
    scans: Cell<u32>,
    index: OnceCell<Index>,
    module_index: OnceCell<Index>,
    /// Members of vmlinux's enumerations.
    enumerators: OnceCell<HashMap<String, Enumerator>>,
}

/// All complete types by name; of several with one name the first.
type Index = HashMap<NameSpace, HashMap<String, TypeAt>>;

impl KernelBtf {
    /// BTF of the running kernel, or the error's text.
    pub(crate) fn running() -> Result<KernelBtf, String> {
        let base = open::system_file(Path::new(VMLINUX))?;
        Ok(KernelBtf::new(base, Modules::running()))
    }

    /// BTF that is `size` bytes of `file` from where it stands; no modules.
    pub(crate) fn from_part(file: &mut File, size: u64) -> Result<KernelBtf, String> {
        Ok(KernelBtf::new(open::copied(file, size)?, Modules::none()))
    }

    /// BTF from a file of the user's choice; no modules.
    pub(crate) fn from_file(path: &Path) -> Result<KernelBtf, String> {
        let at = |error| format!("{}: {error}", path.display());
        let mut file = File::open(path).map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        KernelBtf::from_part(&mut file, size).map_err(|why| format!("{}: {why}", path.display()))
    }

    fn new(base: Btf, modules: Modules) -> KernelBtf {
        let base_types = base.base().type_id_range().1.saturating_add(1);
        KernelBtf {
            base,
            base_types,
            modules,
            found: RefCell::default(),
            scans: Cell::new(0),
            index: OnceCell::new(),
            module_index: OnceCell::new(),
            enumerators: OnceCell::new(),
        }
    }

    /// The BTF that holds a module's types (and those of vmlinux).
    fn btf(&self, module: u32) -> Option<&Btf> {
        match module.checked_sub(1) {
            None => Some(&self.base),
            Some(at) => self.modules.open(at as usize, &self.base),
        }
    }

    fn resolve(&self, at: TypeAt) -> Option<BtfKind> {
        self.btf(at.module)?.resolve_type_by_id(at.id).ok()
    }

    /// Name of a type, member or parameter; empty when it has none.
    fn name_of(&self, module: u32, named: &dyn BtfType) -> String {
        self.btf(module).and_then(|btf| btf.resolve_name(named).ok()).unwrap_or_default()
    }

    /// The type with this id as seen from a module: those of vmlinux keep one identity.
    fn at(&self, module: u32, id: u32) -> TypeAt {
        TypeAt { module: if id < self.base_types { 0 } else { module }, id }
    }

    /// Finds a complete type by name: in vmlinux, then in the modules.
    pub(crate) fn find(&self, space: NameSpace, name: &str) -> Option<TypeAt> {
        if name.is_empty() {
            return None;
        }
        if let Some(known) = self.found.borrow().get(&space).and_then(|names| names.get(name)) {
            return *known;
        }
        let found = self.find_in_vmlinux(space, name).or_else(|| self.find_in_modules(space, name));
        self.found.borrow_mut().entry(space).or_default().insert(name.to_string(), found);
        found
    }

    /// Whether vmlinux itself has a complete type of this name.
    pub(crate) fn has_in_vmlinux(&self, space: NameSpace, name: &str) -> bool {
        match self.found.borrow().get(&space).and_then(|names| names.get(name)) {
            Some(known) => known.is_some_and(|at| at.module == 0),
            None => self.find_in_vmlinux(space, name).is_some(),
        }
    }

    fn find_in_vmlinux(&self, space: NameSpace, name: &str) -> Option<TypeAt> {
        if self.index.get().is_none() && self.scans.replace(self.scans.get().saturating_add(1)) < SCANS_BEFORE_INDEX {
            return first_of(&self.base, space, name).map(|id| TypeAt { module: 0, id });
        }
        let index = self.index.get_or_init(|| {
            let mut index = Index::new();
            add_to_index(&mut index, &self.base, 0, 1..=self.base_types.saturating_sub(1));
            index
        });
        index.get(&space)?.get(name).copied()
    }

    /// A few names are searched for in the modules that can have them; many are looked up in an index of all modules.
    fn find_in_modules(&self, space: NameSpace, name: &str) -> Option<TypeAt> {
        if self.index.get().is_some() {
            return self.module_index.get_or_init(|| self.index_modules()).get(&space)?.get(name).copied();
        }
        self.modules.candidates(name).into_iter().find_map(|at| {
            let id = first_of(self.modules.open(at, &self.base)?, space, name)?;
            Some(TypeAt { module: at as u32 + 1, id })
        })
    }

    fn index_modules(&self) -> Index {
        let mut index = Index::new();
        for at in 0..self.modules.count() {
            let Some(btf) = self.modules.open(at, &self.base) else { continue };
            if let Some((first, last)) = btf.split().map(|own| own.type_id_range()) {
                add_to_index(&mut index, btf, at as u32 + 1, first..=last);
            }
        }
        index
    }

    /// Says that many names will be asked for: the next one builds the index.
    pub(crate) fn expect_many(&self) {
        self.scans.set(SCANS_BEFORE_INDEX);
    }

    /// `struct NAME` or `union NAME`.
    pub(crate) fn record(&self, kind: RecordKind, name: &str) -> Option<Type> {
        let at = self.find(kind.into(), name)?;
        let id = at.public();
        Some(Type::Record(RecordRef { kind, name: name.to_string(), id, size: self.record_size(id) }))
    }

    /// A function's prototype.
    pub(crate) fn function(&self, name: &str) -> Option<FunctionProto> {
        let (module, proto) = self.prototype(name)?;
        Some(self.convert_prototype(module, &proto))
    }

    /// Name of the module that has a function; `vmlinux` for the kernel itself.
    pub(crate) fn module_of_function(&self, name: &str) -> Option<String> {
        Some(self.modules.name(self.find(NameSpace::Function, name)?.module))
    }

    /// Whether an enumeration has a member of this name.
    pub(crate) fn enum_has(&self, enumeration: &str, member: &str) -> bool {
        let Some(at) = self.find(NameSpace::Enum, enumeration) else { return false };
        match self.resolve(at) {
            Some(BtfKind::Enum(ty)) => ty.members.iter().any(|it| self.name_of(at.module, it) == member),
            Some(BtfKind::Enum64(ty)) => ty.members.iter().any(|it| self.name_of(at.module, it) == member),
            _ => false,
        }
    }

    fn prototype(&self, name: &str) -> Option<(u32, btf_rs::FuncProto)> {
        let at = self.find(NameSpace::Function, name)?;
        let BtfKind::Func(function) = self.resolve(at)? else { return None };
        match self.resolve(TypeAt { module: at.module, id: function.get_type_id()? })? {
            BtfKind::FuncProto(proto) => Some((at.module, proto)),
            _ => None,
        }
    }
}

fn add_to_index(index: &mut Index, btf: &Btf, module: u32, ids: RangeInclusive<u32>) {
    for id in ids {
        let Ok(ty) = btf.resolve_type_by_id(id) else { continue };
        let Some(space) = NameSpace::of(&ty) else { continue };
        let name = ty.as_btf_type().and_then(|named| btf.resolve_name(named).ok()).unwrap_or_default();
        if !name.is_empty() {
            index.entry(space).or_default().entry(name).or_insert(TypeAt { module, id });
        }
    }
}

/// The first type of this name and kind (several of one name differ only in what other types of theirs look like).
fn first_of(btf: &Btf, space: NameSpace, name: &str) -> Option<u32> {
    let ids = btf.resolve_ids_by_name(name).ok()?;
    ids.into_iter().find(|id| btf.resolve_type_by_id(*id).is_ok_and(|ty| NameSpace::of(&ty) == Some(space)))
}

#[cfg(test)]
mod tests;
