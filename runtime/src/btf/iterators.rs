//! Iterators by BTF: for each kind of objects the kernel has a record `bpf_iter__NAME`.

use super::{KernelBtf, NameSpace};
use btf_rs::Type as BtfKind;
use lt_lang::kernel::wildcard_match;

/// What the names of these records begin with.
const PREFIX: &str = "bpf_iter__";

impl KernelBtf {
    /// Kinds of objects whose names match, sorted.
    pub(crate) fn iterators(&self, pattern: &str) -> Vec<String> {
        if !pattern.contains(['*', '?']) {
            let found = self.has_in_vmlinux(NameSpace::Struct, &format!("{PREFIX}{pattern}"));
            return if found { vec![pattern.to_string()] } else { Vec::new() };
        }
        let named = |id: u32| match self.base.resolve_type_by_id(id).ok()? {
            BtfKind::Struct(ty) => {
                let name = self.base.resolve_name(&ty).ok()?;
                let name = name.strip_prefix(PREFIX)?;
                (wildcard_match(pattern, name) && !name.contains("__")).then(|| name.to_string())
            }
            _ => None,
        };
        let mut found: Vec<String> = (1..self.base_types).filter_map(named).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
