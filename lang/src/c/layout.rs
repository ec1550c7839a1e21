//! Where the members of records lie, by the rules of the x86-64 ABI (System V), which x86-64's C compilers share.

use super::{CType, Declared, Definitions, Record};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::kernel::{Kernel, KernelError};
use crate::types::{RecordKind, Type};

/// A record that was laid out.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Bytes, a multiple of `align`.
    pub(super) size: u32,
    /// Bytes, at least 1.
    pub(super) align: u32,
    /// One for each declared member; unnamed bit-fields have a name that nobody can write.
    pub(super) places: Vec<Place>,
}

/// Where a member lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// From the start of the record.
    pub(super) bit_offset: u32,
}

/// Largest record, in bytes.
const MAX_SIZE: u64 = 1 << 28;

/// Chains of records inside of the kernel's records that are followed for their alignment.
const MAX_DEPTH: u32 = 16;

/// Lays out all records; those that cannot be are empty, and reported.
pub(super) fn layouts(definitions: &Definitions, kernel: &dyn Kernel, out: &mut Diagnostics) -> Vec<Layout> {
    let mut done = Vec::with_capacity(definitions.records.len());
    for record in &definitions.records {
        let layout = Layouter { definitions, kernel, done: &done }.record(record);
        done.push(layout.unwrap_or_else(|diagnostic| {
            out.push(diagnostic);
            Layout { align: 1, ..Layout::default() }
        }));
    }
    done
}

struct Layouter<'a> {
    definitions: &'a Definitions,
    kernel: &'a dyn Kernel,
    /// Records before this one, in the order of the source.
    done: &'a [Layout],
}

impl Layouter<'_> {
    fn record(&self, record: &Record) -> Result<Layout, Diagnostic> {
        let (mut places, mut end, mut align) = (Vec::new(), 0u64, 1);
        for member in &record.members {
            let (size, natural) = self.size_and_align(&member.ty, member)?;
            let packed = record.packed || member.packed;
            let wanted = if packed { 1 } else { natural }.max(member.aligned.unwrap_or(1));
            let from = if record.kind == RecordKind::Union { 0 } else { end };
            let (at, after) = match member.bits {
                Some(bits) => bit_field(from, bits, size, packed, member)?,
                None => {
                    let at = from.next_multiple_of(u64::from(wanted) * 8);
                    (at, at + u64::from(size) * 8)
                }
            };
            // An unnamed bit-field moves what follows, but does not align the whole.
            if member.bits.is_none() || !member.name.is_empty() {
                align = align.max(wanted);
            }
            end = end.max(after);
            if end / 8 > MAX_SIZE {
                return Err(wrong(member, "a record of more than 256 MiB"));
            }
            places.push(Place { bit_offset: at as u32 });
        }
        let align = align.max(record.aligned.unwrap_or(1));
        let size = end.div_ceil(8).next_multiple_of(u64::from(align)) as u32;
        Ok(Layout { size, align, places })
    }

    /// Both in bytes.
    fn size_and_align(&self, ty: &CType, member: &Declared) -> Result<(u32, u32), Diagnostic> {
        Ok(match ty {
            CType::Int { bits, .. } => (u32::from(bits / 8), u32::from(bits / 8)),
            CType::Char => (1, 1),
            CType::Float(bytes) => (*bytes, *bytes),
            CType::Pointer(_) => (8, 8),
            CType::Enum(at) => {
                let bytes = u32::from(self.definitions.enums.get(*at).map_or(32, super::Enum::bits) / 8);
                (bytes, bytes)
            }
            CType::TaggedEnum(_) => (4, 4),
            CType::Array(element, len) => {
                let (size, align) = self.size_and_align(element, member)?;
                let size = size.checked_mul(*len).filter(|size| u64::from(*size) <= MAX_SIZE);
                (size.ok_or_else(|| wrong(member, "an array of more than 256 MiB"))?, align)
            }
            CType::Record(at) => self.known(*at, member)?,
            CType::Tagged(kind, name) => match self.definitions.tags.get(&(*kind, name.clone())) {
                Some(at) => self.known(*at, member)?,
                None => self.of_kernel(self.kernel.record(*kind, name), name, member)?,
            },
            CType::Named(name, _) => self.of_kernel(self.kernel.typedef(name), name, member)?,
            CType::Void | CType::Function => return Err(wrong(member, "a member without a size")),
        })
    }

    fn known(&self, at: usize, member: &Declared) -> Result<(u32, u32), Diagnostic> {
        let layout = self.done.get(at).ok_or_else(|| wrong(member, "a record inside of itself"))?;
        Ok((layout.size, layout.align))
    }

    fn of_kernel(
        &self,
        found: Result<Option<Type>, KernelError>,
        name: &str,
        member: &Declared,
    ) -> Result<(u32, u32), Diagnostic> {
        match found {
            Ok(Some(ty)) => Ok((size_of(&ty, self.kernel), alignment(&ty, self.kernel, MAX_DEPTH))),
            Ok(None) => {
                let diagnostic = Diagnostic::error(Code::UnknownName, format!("unknown type `{name}`"));
                Err(diagnostic.at(member.span, "neither the script nor the kernel's BTF defines it"))
            }
            Err(_) => {
                let message = format!("the type `{name}` is only known to the kernel, whose types cannot be read");
                Err(Diagnostic::error(Code::NoBtf, message).at(member.span, "needs BTF"))
            }
        }
    }
}

fn wrong(member: &Declared, what: &str) -> Diagnostic {
    Diagnostic::error(Code::BadDefinition, format!("{what} in a C definition")).at(member.span, "this member")
}

/// The place of a bit-field behind bit `from`, and where it ends: it never crosses the bounds of a value of its type,
/// unless it is packed; one of no width ends the value that it would have been put into.
fn bit_field(from: u64, bits: u32, size: u32, packed: bool, member: &Declared) -> Result<(u64, u64), Diagnostic> {
    let unit = u64::from(size) * 8;
    let width = u64::from(bits);
    if !matches!(size, 1 | 2 | 4 | 8) || width > unit {
        return Err(wrong(member, "a bit-field that is wider than its type"));
    }
    if width == 0 {
        let at = from.next_multiple_of(unit);
        return Ok((at, at));
    }
    let crosses = from / unit != (from + width - 1) / unit;
    let from = match member.aligned {
        Some(align) => from.next_multiple_of(u64::from(align) * 8),
        None if crosses && !packed => from.next_multiple_of(unit),
        None => from,
    };
    Ok((from, from + width))
}

fn size_of(ty: &Type, kernel: &dyn Kernel) -> u32 {
    match ty {
        Type::Record(record) => kernel.record_size(record.id),
        Type::Array { element, len } => size_of(element, kernel).saturating_mul(*len),
        ty => ty.size(),
    }
}

/// BTF does not tell the alignment of records: it is the largest of their members'.
fn alignment(ty: &Type, kernel: &dyn Kernel, depth: u32) -> u32 {
    match ty {
        Type::Record(record) if depth > 0 => {
            let members = kernel.members(record.id);
            members.iter().map(|member| alignment(&member.ty, kernel, depth - 1)).max().unwrap_or(1)
        }
        Type::Array { element, .. } => alignment(element, kernel, depth),
        ty => ty.align(),
    }
}
