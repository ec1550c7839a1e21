//! Members of records.

use super::{KernelBtf, MAX_DEPTH, NameSpace, TypeAt};
use btf_rs::{BtfType, Type as BtfKind};
use lt_lang::kernel::Member;
use lt_lang::types::KernelTypeId;

/// So many anonymous records are looked into for one question: more than any real record has.
const MAX_RECORDS: u32 = 2_000;

impl KernelBtf {
    /// Size in bytes of a record; 0 when it is declared nowhere.
    pub(crate) fn record_size(&self, record: KernelTypeId) -> u32 {
        let body = self.body(TypeAt::from_public(record));
        body.and_then(|(_, body)| u32::try_from(body.size()).ok()).unwrap_or(0)
    }

    /// A member by name, through anonymous members.
    pub(crate) fn member(&self, record: KernelTypeId, name: &str) -> Option<Member> {
        let mut found = None;
        self.walk(TypeAt::from_public(record), &mut |member| {
            if self.name_of(member.module, member.btf) != name {
                return true;
            }
            found = Some(self.describe(&member, name.to_string()));
            false
        });
        found
    }

    /// All members, anonymous records replaced by theirs.
    pub(crate) fn members(&self, record: KernelTypeId) -> Vec<Member> {
        let mut all = Vec::new();
        self.walk(TypeAt::from_public(record), &mut |member| {
            all.push(self.describe(&member, self.name_of(member.module, member.btf)));
            true
        });
        all
    }

    fn describe(&self, member: &Found<'_>, name: String) -> Member {
        // Encodings without the kind flag put bit-fields into special integers; no kernel from 5.10 on has these.
        let bit_size = member.btf.bitfield_size().filter(|bits| *bits > 0);
        let ty = self.convert(member.module, member.btf.get_type_id().unwrap_or(0));
        Member { name, ty, bit_offset: member.bit_offset, bit_size }
    }

    /// Calls `each` for every named member in the order of the declaration until it returns false.
    fn walk(&self, record: TypeAt, each: &mut dyn FnMut(Found<'_>) -> bool) {
        Walk { btf: self, records: MAX_RECORDS, each }.record(record, 0, MAX_DEPTH);
    }

    /// The body of a struct or union, and the module whose names it uses; a mere declaration is resolved by its name.
    fn body(&self, at: TypeAt) -> Option<(u32, btf_rs::Struct)> {
        match self.resolve(at)? {
            BtfKind::Struct(body) | BtfKind::Union(body) => Some((at.module, body)),
            BtfKind::Fwd(declared) => {
                let space = if declared.is_union() { NameSpace::Union } else { NameSpace::Struct };
                let complete = self.find(space, &self.name_of(at.module, &declared))?;
                match self.resolve(complete)? {
                    BtfKind::Struct(body) | BtfKind::Union(body) => Some((complete.module, body)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

struct Found<'a> {
    module: u32,
    btf: &'a btf_rs::Member,
    bit_offset: u32,
}

/// A walk through a record and the anonymous records in it.
struct Walk<'a> {
    btf: &'a KernelBtf,
    /// Records that may still be looked into.
    records: u32,
    each: &'a mut dyn FnMut(Found<'_>) -> bool,
}

impl Walk<'_> {
    /// Returns whether to go on.
    fn record(&mut self, record: TypeAt, start: u32, depth: u32) -> bool {
        let (Some(depth), Some(records)) = (depth.checked_sub(1), self.records.checked_sub(1)) else { return true };
        self.records = records;
        let Some((module, body)) = self.btf.body(record) else { return true };
        body.members.iter().all(|btf| {
            let bit_offset = start.saturating_add(btf.bit_offset());
            if !self.btf.name_of(module, btf).is_empty() {
                return (self.each)(Found { module, btf, bit_offset });
            }
            match self.btf.bare(module, btf.get_type_id().unwrap_or(0)) {
                Some(inner) => self.record(inner.at, bit_offset, depth),
                None => true,
            }
        })
    }
}
