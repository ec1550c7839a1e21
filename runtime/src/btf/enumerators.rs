//! Members of enumerations by name. Nothing is read before the first one is asked for.

use super::KernelBtf;
use btf_rs::{Btf, BtfType, Type as BtfKind};
use std::collections::HashMap;
use std::ops::RangeInclusive;

impl KernelBtf {
    /// The value of a member of an enumeration, of vmlinux or else of a module; of several of one name, the first one's.
    pub(crate) fn enumerator(&self, name: &str) -> Option<i64> {
        let own = || {
            let mut found = HashMap::new();
            each(&self.base, 1..=self.base_types.saturating_sub(1), &mut |name, value| {
                found.entry(name).or_insert(value);
            });
            found
        };
        self.enumerators.get_or_init(own).get(name).copied().or_else(|| self.enumerator_of_modules(name))
    }

    fn enumerator_of_modules(&self, name: &str) -> Option<i64> {
        self.modules.candidates(name).into_iter().find_map(|at| {
            let btf = self.modules.open(at, &self.base)?;
            let (first, last) = btf.split()?.type_id_range();
            let mut found = None;
            each(btf, first..=last, &mut |member, value| {
                if member == name {
                    found = found.or(Some(value));
                }
            });
            found
        })
    }
}

/// Calls `add` for each member of the enumerations among these types.
fn each(btf: &Btf, ids: RangeInclusive<u32>, add: &mut dyn FnMut(String, i64)) {
    for id in ids {
        match btf.resolve_type_by_id(id) {
            Ok(BtfKind::Enum(ty)) => {
                for member in &ty.members {
                    let value = if ty.is_signed() { i64::from(member.val() as i32) } else { i64::from(member.val()) };
                    add_named(btf, member, value, add);
                }
            }
            Ok(BtfKind::Enum64(ty)) => {
                for member in &ty.members {
                    add_named(btf, member, member.val() as i64, add);
                }
            }
            _ => {}
        }
    }
}

fn add_named(btf: &Btf, member: &dyn BtfType, value: i64, add: &mut dyn FnMut(String, i64)) {
    if let Ok(name) = btf.resolve_name(member) {
        add(name, value);
    }
}
