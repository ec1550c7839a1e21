//! Names in the running kernel.

use crate::value::Symbol;
use blazesym::MaybeDefault;
use blazesym::symbolize::source::{Kernel, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer as Blazesym};
use std::collections::HashMap;
use std::rc::Rc;

/// Most addresses that are remembered; beyond it the memory starts over.
const MOST_SYMBOLS: usize = 65_536;

/// Names places in the running kernel, whose symbols are read when the first is asked for.
#[derive(Default)]
pub struct KernelNames {
    blazesym: Option<Blazesym>,
    unavailable: bool,
    symbols: HashMap<u64, Option<Symbol>>,
    names: HashMap<String, Rc<str>>,
}

impl KernelNames {
    /// Knows nothing.
    #[cfg(test)]
    pub fn none() -> KernelNames {
        KernelNames { unavailable: true, ..KernelNames::default() }
    }

    /// The symbol that holds `address`, if there is one.
    pub fn symbol(&mut self, address: u64) -> Option<Symbol> {
        // user addresses and small numbers are nobody's symbol: do not read 200,000 lines for them
        if self.unavailable || address >> 63 == 0 {
            return None;
        }
        if let Some(known) = self.symbols.get(&address) {
            return known.clone();
        }
        let found = self.look_up(address);
        if self.symbols.len() >= MOST_SYMBOLS {
            self.symbols.clear();
            self.names.clear();
        }
        self.symbols.insert(address, found.clone());
        found
    }

    fn look_up(&mut self, address: u64) -> Option<Symbol> {
        let source = Source::Kernel(Kernel {
            kallsyms: MaybeDefault::Default,
            vmlinux: MaybeDefault::None,
            ..Kernel::default()
        });
        let blazesym = self.blazesym.get_or_insert_with(|| {
            Blazesym::builder().enable_code_info(false).enable_inlined_fns(false).enable_demangling(false).build()
        });
        let Ok(Symbolized::Sym(found)) = blazesym.symbolize_single(&source, Input::AbsAddr(address)) else {
            return None;
        };
        let (name, offset) = (found.name.to_string(), found.offset as u64);
        let module = found.module.as_ref().map(|module| module.to_string_lossy().into_owned());
        let name = self.shared(name);
        let module = module.map(|module| self.shared(module));
        Some(Symbol { name, offset, module, line: None })
    }

    fn shared(&mut self, name: String) -> Rc<str> {
        Rc::clone(self.names.entry(name).or_insert_with_key(|name| Rc::from(name.as_str())))
    }
}
