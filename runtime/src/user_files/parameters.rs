//! Parameters of functions of programs and their types, by debug information.

use super::dwarf::{Dwarf, Entry, Unit, name, reference, units, with_dwarf};
use gimli::{
    AttributeValue, DW_AT_bit_size, DW_AT_byte_size, DW_AT_count, DW_AT_data_bit_offset, DW_AT_data_member_location,
    DW_AT_declaration, DW_AT_encoding, DW_AT_linkage_name, DW_AT_type, DW_AT_upper_bound, DW_TAG_formal_parameter,
    DW_TAG_member, DW_TAG_subprogram, DW_TAG_subrange_type, UnitOffset, constants,
};
use lt_lang::kernel::{FunctionProto, Member, Parameter};
use lt_lang::types::{AddressSpace, IntType, KernelTypeId, RecordKind, RecordRef, Type};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Longest chain of modifiers that is followed.
const MOST_STEPS: usize = 32;

/// Records of programs that have been met, numbered in that order.
#[derive(Default)]
pub(crate) struct UserRecords {
    /// What makes a number an id.
    base: u64,
    known: RefCell<Vec<Rc<Known>>>,
}

struct Known {
    path: PathBuf,
    unit: gimli::DebugInfoOffset,
    entry: UnitOffset,
    size: u32,
    members: RefCell<Option<Rc<Vec<Member>>>>,
}

/// A function as debug information has it.
pub(crate) struct UserPrototype {
    /// For programs.
    pub(crate) proto: FunctionProto,
    /// Declarations of its parameters, for people: `const char* name`.
    pub(crate) declarations: Vec<String>,
}

/// A type: for programs, and as C writes it.
struct Found {
    ty: Type,
    text: String,
    /// Passed in a register for integers.
    in_register: bool,
}

/// Where a unit is read from, and where its records are remembered.
#[derive(Clone, Copy)]
struct Place<'r, 'd, 'a> {
    records: &'r UserRecords,
    path: &'r Path,
    dwarf: &'d Dwarf<'a>,
    unit: &'d Unit<'a>,
}

impl UserRecords {
    /// Ids are `base` and what follows.
    pub(crate) fn new(base: u64) -> UserRecords {
        UserRecords { base, known: RefCell::default() }
    }

    fn get(&self, id: KernelTypeId) -> Option<Rc<Known>> {
        self.known.borrow().get(usize::try_from(id.0.checked_sub(self.base)?).ok()?).cloned()
    }

    /// Bytes of a record; `None` when it is none of these.
    pub(crate) fn size(&self, id: KernelTypeId) -> Option<u32> {
        self.get(id).map(|known| known.size)
    }

    /// A record's members; `None` when it is none of these.
    pub(crate) fn members(&self, id: KernelTypeId) -> Option<Rc<Vec<Member>>> {
        let known = self.get(id)?;
        if let Some(members) = &*known.members.borrow() {
            return Some(members.clone());
        }
        let found = with_dwarf(&known.path, |dwarf| {
            let header = dwarf.debug_info.header_from_offset(known.unit).ok()?;
            let unit = dwarf.unit(header).ok()?;
            let place = Place { records: self, path: &known.path, dwarf, unit: &unit };
            let mut members = Vec::new();
            place.add_members(known.entry, 0, &mut members, 0);
            Some(members)
        });
        let members = Rc::new(found.unwrap_or_default());
        *known.members.borrow_mut() = Some(members.clone());
        Some(members)
    }

    /// The function of this name (the source's or the linker's) in a file; `None` without debug information.
    pub(crate) fn function(&self, path: &Path, function: &str) -> Option<UserPrototype> {
        with_dwarf(path, |dwarf| {
            for unit in units(dwarf) {
                let place = Place { records: self, path, dwarf, unit: &unit };
                if let Some(found) = place.function(function) {
                    return Some(found);
                }
            }
            None
        })
    }

    fn remember(&self, place: &Place<'_, '_, '_>, entry: UnitOffset, size: u32) -> Option<KernelTypeId> {
        let unit = place.unit.header.debug_info_offset()?;
        let mut known = self.known.borrow_mut();
        let same = |known: &Rc<Known>| known.entry == entry && known.unit == unit && known.path == place.path;
        let at = known.iter().position(same).unwrap_or_else(|| {
            let path = place.path.to_path_buf();
            known.push(Rc::new(Known { path, unit, entry, size, members: RefCell::default() }));
            known.len() - 1
        });
        Some(KernelTypeId(self.base + at as u64))
    }
}

impl<'a> Place<'_, '_, 'a> {
    fn function(&self, wanted: &str) -> Option<UserPrototype> {
        let mut entries = self.unit.entries();
        while let Some(entry) = entries.next_dfs().ok()? {
            if entry.tag() != DW_TAG_subprogram || entry.attr(DW_AT_declaration).is_some() {
                continue;
            }
            let linked = entry.attr_value(DW_AT_linkage_name).and_then(|value| {
                let text = self.dwarf.attr_string(self.unit, value).ok()?;
                Some(text.to_string_lossy().into_owned())
            });
            let named = name(self.dwarf, self.unit, entry);
            if named.as_deref() == Some(wanted) || linked.as_deref() == Some(wanted) {
                let entry = entry.clone();
                return Some(self.prototype(&entry));
            }
        }
        None
    }

    /// Parameters up to the first that is not passed like a number: those behind it are elsewhere than they seem.
    fn prototype(&self, function: &Entry<'a>) -> UserPrototype {
        let (mut params, mut declarations, mut open) = (Vec::new(), Vec::new(), true);
        for child in self.children(function.offset()) {
            if child.tag() != DW_TAG_formal_parameter {
                continue;
            }
            let found = self.type_of(&child);
            let name = name(self.dwarf, self.unit, &child).unwrap_or_default();
            declarations.push(format!("{} {name}", found.text));
            open &= found.in_register;
            if open {
                params.push(Parameter { name, ty: found.ty });
            }
        }
        let returns = match reference(function, DW_AT_type) {
            Some(_) => self.type_of(function).ty,
            None => Type::Void,
        };
        UserPrototype { proto: FunctionProto { params, returns }, declarations }
    }

    fn children(&self, offset: UnitOffset) -> Vec<Entry<'a>> {
        let mut found = Vec::new();
        let Ok(mut tree) = self.unit.entries_tree(Some(offset)) else { return found };
        let Ok(root) = tree.root() else { return found };
        let mut children = root.children();
        while let Ok(Some(child)) = children.next() {
            found.push(child.entry().clone());
        }
        found
    }

    fn type_of(&self, entry: &Entry<'a>) -> Found {
        self.referred(entry, 0)
    }

    /// The type that an entry's `DW_AT_type` names; void without.
    fn referred(&self, entry: &Entry<'a>, depth: usize) -> Found {
        let unknown = || Found { ty: Type::Error, text: "?".into(), in_register: false };
        let mut origin = entry.clone();
        if origin.attr(DW_AT_type).is_none()
            && let Some(other) = reference(entry, gimli::DW_AT_abstract_origin)
            && let Ok(found) = self.unit.entry(other)
        {
            origin = found;
        }
        let Some(offset) = reference(&origin, DW_AT_type) else {
            return Found { ty: Type::Void, text: "void".into(), in_register: true };
        };
        match self.unit.entry(offset) {
            Ok(entry) if depth < MOST_STEPS => self.convert(&entry, depth + 1),
            _ => unknown(),
        }
    }

    fn convert(&self, entry: &Entry<'a>, depth: usize) -> Found {
        let named = || name(self.dwarf, self.unit, entry);
        match entry.tag() {
            constants::DW_TAG_typedef => {
                let found = self.referred(entry, depth);
                Found { text: named().unwrap_or(found.text), ..found }
            }
            constants::DW_TAG_const_type => {
                let found = self.referred(entry, depth);
                Found { text: format!("const {}", found.text), ..found }
            }
            constants::DW_TAG_volatile_type | constants::DW_TAG_restrict_type | constants::DW_TAG_atomic_type => {
                self.referred(entry, depth)
            }
            constants::DW_TAG_pointer_type
            | constants::DW_TAG_reference_type
            | constants::DW_TAG_rvalue_reference_type => {
                let to = self.referred(entry, depth);
                let sign = if entry.tag() == constants::DW_TAG_pointer_type { '*' } else { '&' };
                // what cannot be expressed is pointed to all the same
                let pointee = if to.ty == Type::Error { Type::Void } else { to.ty };
                let ty = Type::Pointer { to: Box::new(pointee), space: AddressSpace::User };
                Found { ty, text: format!("{}{sign}", to.text), in_register: true }
            }
            constants::DW_TAG_base_type => base_type(entry, named().unwrap_or_default()),
            constants::DW_TAG_enumeration_type => {
                let bits = byte_size(entry).unwrap_or(4) * 8;
                let ty = Type::Int(IntType { bits: bits as u8, signed: false });
                Found { ty, text: format!("enum {}", named().unwrap_or_default()), in_register: true }
            }
            constants::DW_TAG_structure_type | constants::DW_TAG_class_type => {
                self.record(entry, RecordKind::Struct, named())
            }
            constants::DW_TAG_union_type => self.record(entry, RecordKind::Union, named()),
            constants::DW_TAG_array_type => self.array(entry, depth),
            _ => Found { ty: Type::Void, text: "void".into(), in_register: true },
        }
    }

    fn record(&self, entry: &Entry<'a>, kind: RecordKind, named: Option<String>) -> Found {
        let size = byte_size(entry).unwrap_or(0);
        let written = if kind == RecordKind::Struct { "struct" } else { "union" };
        let name = named.unwrap_or_default();
        let text = format!("{written} {name}");
        let id = self.records.remember(self, entry.offset(), size);
        let ty = id.map_or(Type::Error, |id| Type::Record(RecordRef { kind, name, id, size }));
        Found { ty, text, in_register: false }
    }

    fn array(&self, entry: &Entry<'a>, depth: usize) -> Found {
        let element = self.referred(entry, depth);
        let lengths = self.children(entry.offset()).into_iter().filter(|child| child.tag() == DW_TAG_subrange_type);
        let lengths: Vec<u32> = lengths.map(|range| length(&range).unwrap_or(0)).collect();
        let (mut ty, mut text) = (element.ty, element.text);
        for len in lengths.iter().rev() {
            text += &format!("[{len}]");
            ty = match ty {
                Type::Int(IntType { bits: 8, signed: true }) if *len > 0 => Type::String { size: *len },
                Type::Error => Type::Error,
                ty => Type::Array { element: Box::new(ty), len: *len },
            };
        }
        Found { ty, text, in_register: false }
    }

    /// Members with those of anonymous records in place of them.
    fn add_members(&self, record: UnitOffset, base: u32, out: &mut Vec<Member>, depth: usize) {
        for child in self.children(record) {
            if child.tag() != DW_TAG_member {
                continue;
            }
            let bytes = attribute(&child, DW_AT_data_member_location).unwrap_or(0) as u32;
            let bit_size = attribute(&child, DW_AT_bit_size).map(|bits| bits as u32);
            let bits = attribute(&child, DW_AT_data_bit_offset).map_or(bytes * 8, |bits| bits as u32);
            let found = name(self.dwarf, self.unit, &child);
            match found {
                Some(name) => {
                    let ty = self.type_of(&child).ty;
                    out.push(Member { name, ty, bit_offset: base + bits, bit_size });
                }
                None if depth < MOST_STEPS => {
                    if let Some(inner) = reference(&child, DW_AT_type) {
                        self.add_members(inner, base + bits, out, depth + 1);
                    }
                }
                None => {}
            }
        }
    }
}

fn base_type(entry: &Entry<'_>, text: String) -> Found {
    let size = byte_size(entry).unwrap_or(0);
    let encoding = match entry.attr_value(DW_AT_encoding) {
        Some(AttributeValue::Encoding(encoding)) => encoding,
        _ => gimli::DwAte(0),
    };
    let int = |signed| Type::Int(IntType { bits: (size * 8) as u8, signed });
    let ty = match (encoding, size) {
        (constants::DW_ATE_boolean, _) => Type::Bool,
        (constants::DW_ATE_signed | constants::DW_ATE_signed_char, 1 | 2 | 4 | 8) => int(true),
        (constants::DW_ATE_unsigned | constants::DW_ATE_unsigned_char | constants::DW_ATE_UTF, 1 | 2 | 4 | 8) => {
            int(false)
        }
        // wider integers and floating point numbers
        _ => Type::Error,
    };
    Found { in_register: ty != Type::Error, ty, text }
}

fn attribute(entry: &Entry<'_>, attribute: gimli::DwAt) -> Option<u64> {
    entry.attr(attribute)?.udata_value()
}

fn byte_size(entry: &Entry<'_>) -> Option<u32> {
    u32::try_from(attribute(entry, DW_AT_byte_size)?).ok()
}

fn length(range: &Entry<'_>) -> Option<u32> {
    let count = attribute(range, DW_AT_count).or_else(|| attribute(range, DW_AT_upper_bound)?.checked_add(1))?;
    u32::try_from(count).ok()
}
