//! Members of enumerations by name. Nothing is read before the first one is asked for.

use super::{KernelBtf, NameSpace, TypeAt};
use btf_rs::{Btf, BtfType, Type as BtfKind};
use lt_lang::types::{KernelTypeId, Type};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A member of an enumeration.
#[derive(Clone, Copy)]
pub(crate) struct Enumerator {
    value: i64,
    of: TypeAt,
}

impl KernelBtf {
    /// The value of a member of an enumeration, of vmlinux or else of a module; of several of one name, the first one's.
    pub(crate) fn enumerator(&self, name: &str) -> Option<i64> {
        self.find_enumerator(name).map(|found| found.value)
    }

    /// The enumeration that a member belongs to.
    pub(crate) fn enumeration_of(&self, enumerator: &str) -> Option<Type> {
        let of = self.find_enumerator(enumerator)?.of;
        Some(self.convert(of.module, of.id))
    }

    /// `enum NAME`
    pub(crate) fn enumeration(&self, name: &str) -> Option<Type> {
        let at = self.find(NameSpace::Enum, name)?;
        Some(self.convert(at.module, at.id))
    }

    /// What a name of a type stands for.
    pub(crate) fn typedef(&self, name: &str) -> Option<Type> {
        let at = self.find(NameSpace::Typedef, name)?;
        Some(self.convert(at.module, at.id))
    }

    /// Names and values of an enumeration's members.
    pub(crate) fn enumerators(&self, id: KernelTypeId) -> Vec<(String, i64)> {
        let at = TypeAt::from_public(id);
        let mut all = Vec::new();
        if let Some(btf) = self.btf(at.module) {
            each(btf, at.id..=at.id, &mut |name, value, _| all.push((name, value)));
        }
        all
    }

    fn find_enumerator(&self, name: &str) -> Option<Enumerator> {
        let own = || {
            let mut found = HashMap::new();
            each(&self.base, 1..=self.base_types.saturating_sub(1), &mut |name, value, id| {
                found.entry(name).or_insert(Enumerator { value, of: TypeAt { module: 0, id } });
            });
            found
        };
        self.enumerators.get_or_init(own).get(name).copied().or_else(|| self.enumerator_of_modules(name))
    }

    fn enumerator_of_modules(&self, name: &str) -> Option<Enumerator> {
        self.modules.candidates(name).into_iter().find_map(|at| {
            let btf = self.modules.open(at, &self.base)?;
            let (first, last) = btf.split()?.type_id_range();
            let mut found = None;
            each(btf, first..=last, &mut |member, value, id| {
                if member == name {
                    found = found.or(Some(Enumerator { value, of: TypeAt { module: at as u32 + 1, id } }));
                }
            });
            found
        })
    }
}

/// Calls `add` with name, value and enumeration for each member of the enumerations among these types.
fn each(btf: &Btf, ids: RangeInclusive<u32>, add: &mut dyn FnMut(String, i64, u32)) {
    for id in ids {
        match btf.resolve_type_by_id(id) {
            Ok(BtfKind::Enum(ty)) => {
                for member in &ty.members {
                    let value = if ty.is_signed() { i64::from(member.val() as i32) } else { i64::from(member.val()) };
                    add_named(btf, member, value, id, add);
                }
            }
            Ok(BtfKind::Enum64(ty)) => {
                for member in &ty.members {
                    add_named(btf, member, member.val() as i64, id, add);
                }
            }
            _ => {}
        }
    }
}

fn add_named(btf: &Btf, member: &dyn BtfType, value: i64, id: u32, add: &mut dyn FnMut(String, i64, u32)) {
    if let Ok(name) = btf.resolve_name(member) {
        add(name, value, id);
    }
}
