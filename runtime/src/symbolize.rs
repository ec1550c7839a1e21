//! Kernel addresses become names, stack ids become frames. Nothing is read before the first address; results are kept
//! within a bound.

use crate::names::Names;
use crate::shapes::Shapes;
use crate::times::Times;
use crate::value::{Frame, Symbol};
use blazesym::MaybeDefault;
use blazesym::symbolize::source::{Kernel, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer as Blazesym};
use std::collections::HashMap;
use std::os::fd::RawFd;
use std::rc::Rc;

/// Most addresses that are remembered; beyond it the memory starts over.
const MOST_SYMBOLS: usize = 65_536;
/// Most stacks that are remembered.
const MOST_STACKS: usize = 16_384;

/// Where the kernel keeps stacks.
#[derive(Clone, Copy, Debug)]
pub struct StackMap {
    /// The map.
    pub fd: RawFd,
    /// Bytes of a value: 8 for each frame.
    pub value_size: u32,
}

/// Names places in the running kernel.
pub struct Symbolizer {
    blazesym: Option<Blazesym>,
    available: bool,
    stack_map: Option<StackMap>,
    symbols: HashMap<u64, Option<Symbol>>,
    names: HashMap<String, Rc<str>>,
    stacks: HashMap<(i64, u32), Rc<[Frame]>>,
    representatives: HashMap<Vec<u64>, i64>,
    /// For values that are times.
    pub times: Times,
    /// For values that are records or enumerations.
    pub shapes: Shapes,
    /// For numbers that are shown by name.
    pub numbers: Names,
    /// Bytes of the strings that are marked when they are full, and the mark.
    pub cut: (u32, Vec<u8>),
}

impl Symbolizer {
    /// One that reads the running kernel's symbols when it first needs them.
    pub fn new(stack_map: Option<StackMap>) -> Symbolizer {
        Symbolizer {
            blazesym: None,
            available: true,
            stack_map,
            symbols: HashMap::new(),
            names: HashMap::new(),
            stacks: HashMap::new(),
            representatives: HashMap::new(),
            times: Times::default(),
            shapes: Shapes::default(),
            numbers: Names::default(),
            cut: (0, Vec::new()),
        }
    }

    /// One that knows no symbol and no stack.
    #[cfg(test)]
    pub fn without_kernel() -> Symbolizer {
        Symbolizer { available: false, ..Symbolizer::new(None) }
    }

    /// The symbol that holds `address`, if there is one.
    pub fn symbol(&mut self, address: u64) -> Option<Symbol> {
        // user addresses and small numbers are nobody's symbol: do not read 200,000 lines for them
        if !self.available || address >> 63 == 0 {
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

    /// The innermost `limit` frames of the stack with this id; none when there is no such stack.
    pub fn stack(&mut self, id: i64, limit: u32) -> Rc<[Frame]> {
        if let Some(known) = self.stacks.get(&(id, limit)) {
            return Rc::clone(known);
        }
        let addresses = self.read_stack(id);
        let innermost = addresses.into_iter().take(limit as usize);
        let frames: Rc<[Frame]> =
            innermost.map(|address| Frame { address, symbol: self.symbol(address) }).collect::<Vec<_>>().into();
        if self.stacks.len() >= MOST_STACKS {
            self.stacks.clear();
        }
        self.stacks.insert((id, limit), Rc::clone(&frames));
        frames
    }

    /// The id that stands for all stacks with the same innermost `limit` frames as this one. The kernel's ids tell whole
    /// stacks apart.
    pub fn representative(&mut self, id: i64, limit: u32) -> i64 {
        let deepest = self.stack_map.map_or(0, |map| map.value_size / 8);
        if id < 0 || limit >= deepest {
            return id;
        }
        let mut addresses = self.read_stack(id);
        addresses.truncate(limit as usize);
        if self.representatives.len() >= MOST_STACKS {
            self.representatives.clear();
        }
        *self.representatives.entry(addresses).or_insert(id)
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
        Some(Symbol { name, offset, module })
    }

    fn shared(&mut self, name: String) -> Rc<str> {
        Rc::clone(self.names.entry(name).or_insert_with_key(|name| Rc::from(name.as_str())))
    }

    fn read_stack(&self, id: i64) -> Vec<u64> {
        let (Some(map), Ok(key)) = (self.stack_map, u32::try_from(id)) else {
            return Vec::new();
        };
        let mut addresses = vec![0u64; (map.value_size / 8) as usize];
        // SAFETY: the key is a u32 and the buffer has the map's value size, as the kernel reads and writes them.
        let status =
            unsafe { libbpf_sys::bpf_map_lookup_elem(map.fd, (&raw const key).cast(), addresses.as_mut_ptr().cast()) };
        if status != 0 {
            return Vec::new();
        }
        let used = addresses.iter().position(|address| *address == 0).unwrap_or(addresses.len());
        addresses.truncate(used);
        addresses
    }
}
