//! Raw tracepoints by BTF: for each the kernel has a type `btf_trace_NAME`.

use super::{KernelBtf, NameSpace};
use btf_rs::{Btf, Type as BtfKind};
use lt_lang::kernel::wildcard_match;
use std::ops::RangeInclusive;

/// What the names of these types begin with.
const PREFIX: &str = "btf_trace_";

impl KernelBtf {
    /// `(module, name)` of the raw tracepoints that match, sorted.
    pub(crate) fn raw_tracepoints(&self, module: &str, name: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if name.contains(['*', '?']) {
            let mut add = |owner: String, name: String| {
                if wildcard_match(module, &owner) {
                    found.push((owner, name));
                }
            };
            self.each_matching(name, &mut add);
        } else if let Some(at) = self.find(NameSpace::Typedef, &format!("{PREFIX}{name}")) {
            let owner = self.modules.name(at.module);
            if wildcard_match(module, &owner) {
                found.push((owner, name.to_string()));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn each_matching(&self, pattern: &str, add: &mut dyn FnMut(String, String)) {
        for name in matching(&self.base, 1..=self.base_types.saturating_sub(1), pattern) {
            add(self.modules.name(0), name);
        }
        for at in 0..self.modules.count() {
            let Some(btf) = self.modules.open(at, &self.base) else { continue };
            let Some((first, last)) = btf.split().map(|own| own.type_id_range()) else { continue };
            for name in matching(btf, first..=last, pattern) {
                add(self.modules.name(at as u32 + 1), name);
            }
        }
    }
}

fn matching(btf: &Btf, ids: RangeInclusive<u32>, pattern: &str) -> Vec<String> {
    let named = |id: u32| match btf.resolve_type_by_id(id).ok()? {
        BtfKind::Typedef(ty) => {
            let name = btf.resolve_name(&ty).ok()?;
            let name = name.strip_prefix(PREFIX)?;
            wildcard_match(pattern, name).then(|| name.to_string())
        }
        _ => None,
    };
    ids.filter_map(named).collect()
}
