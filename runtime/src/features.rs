//! Finding out what the running kernel can do, without trying it.

use crate::btf::{KernelBtf, NameSpace};
use crate::kernel_files;
use lt_lang::kernel::{Detect, Feature, KernelVersion};

/// What detection looks at; BTF is opened only when it is needed.
pub(crate) struct Evidence<'a> {
    pub(crate) version: KernelVersion,
    pub(crate) btf: &'a dyn Fn() -> Option<&'a KernelBtf>,
}

impl Evidence<'_> {
    /// Whether the kernel has a feature.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        let row = feature.row();
        let by_version = self.version >= row.since;
        match row.detect {
            Detect::Version => by_version,
            // Distributions add helpers to old kernels, nobody removes them from new ones.
            Detect::Helper(name) => by_version || (self.btf)().is_some_and(|btf| btf.enum_has("bpf_func_id", name)),
            Detect::Symbol(name) => self.has_function(name),
        }
    }

    /// BTF answers in a millisecond, kallsyms, which also has what BTF leaves out, in tens.
    fn has_function(&self, name: &str) -> bool {
        let typed = (self.btf)().is_some_and(|btf| btf.has_in_vmlinux(NameSpace::Function, name));
        typed || kernel_files::has_function(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_btf_the_version_decides() {
        let none: &dyn Fn() -> Option<&'static KernelBtf> = &|| None;
        let old = Evidence { version: KernelVersion::new(5, 10), btf: none };
        let new = Evidence { version: KernelVersion::new(6, 12), btf: none };
        assert!(!old.has(Feature::CurrentTaskBtf) && !old.has(Feature::AtomicFetch));
        assert!(new.has(Feature::CurrentTaskBtf) && new.has(Feature::AtomicFetch));
    }
}
