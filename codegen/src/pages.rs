//! Programs that aggregate into maps with two pages; see [`lt_lang::manifest::Map::second`].

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::llvm::Int;
use lt_lang::hir::Probe;
use lt_lang::manifest::{Manifest, state};

/// Whether a program aggregates into maps with two pages.
pub(crate) fn are_used(manifest: &Manifest, probe: &Probe) -> bool {
    let mut maps = probe.aggregates.iter().filter_map(|map| manifest.maps.get(map.0 as usize));
    maps.any(|map| map.second.is_some())
}

impl<'c> Emitter<'_, 'c> {
    /// Reads the page once: all that a program does goes to the same one.
    pub(crate) fn remember_page(&self) -> Emit {
        let Some(memory) = self.page_memory() else { return Ok(()) };
        let page = self.llvm.load_volatile(self.state_word(state::PAGE)?, 8)?;
        self.llvm.store(memory, page, 8)
    }

    /// 0 or 1.
    pub(crate) fn page(&self) -> Emit<Int<'c>> {
        let memory = self.page_memory().ok_or_else(|| Failure::internal("a program that knows no page"))?;
        let page = self.llvm.load(memory, 8)?;
        Ok(self.llvm.builder.build_and(page, self.llvm.int(1), "")?)
    }
}
