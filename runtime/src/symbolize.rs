//! Addresses become names, keys of stacks become frames. Nothing is read before the first address; results are kept within
//! a bound.

mod files;
mod kernel;
mod user;

use crate::names::Names;
use crate::processes::Processes;
use crate::shapes::Shapes;
use crate::times::Times;
use crate::value::{Frame, Place, Symbol};
use kernel::KernelNames;
use lt_lang::stacks;
use lt_lang::types::{AddressSpace, StackMode, StackType};
use std::collections::HashMap;
use std::os::fd::RawFd;
use std::rc::Rc;
use user::UserNames;

/// Most stacks that are remembered; beyond it the memory starts over.
const MOST_STACKS: usize = 16_384;

/// Names places in the running kernel and in processes.
#[derive(Default)]
pub struct Symbolizer {
    kernel: KernelNames,
    user: Option<UserNames>,
    /// Where stacks are kept.
    stack_map: Option<RawFd>,
    stacks: HashMap<(u64, StackMode), Rc<[Frame]>>,
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
    pub fn new(stack_map: Option<RawFd>) -> Symbolizer {
        Symbolizer { stack_map, ..Symbolizer::default() }
    }

    /// One that names addresses of processes too; with files, lines and inlined functions if `debug_info`.
    pub fn with_processes(self, processes: Processes, debug_info: bool) -> Symbolizer {
        Symbolizer { user: Some(UserNames::new(processes, debug_info)), ..self }
    }

    /// One that knows no symbol and no stack.
    #[cfg(test)]
    pub fn without_kernel() -> Symbolizer {
        Symbolizer { kernel: KernelNames::none(), ..Symbolizer::default() }
    }

    /// The kernel's symbol that holds `address`, if there is one.
    pub fn symbol(&mut self, address: u64) -> Option<Symbol> {
        self.kernel.symbol(address)
    }

    /// The symbol of a process that holds `address`, if it is known.
    pub fn user_symbol(&mut self, process: u64, address: u64) -> Option<Symbol> {
        self.user.as_mut()?.symbol(process as u32, address)
    }

    /// Addresses of this process will have to be named.
    pub fn process_seen(&mut self, process: u64) {
        if let Some(user) = &mut self.user {
            user.processes.snapshot(process as u32);
        }
    }

    /// What has to be waited for, so that nothing about processes is lost: [`Symbolizer::catch_up`] then.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.user.as_ref().map_or_else(Vec::new, |user| user.processes.descriptors())
    }

    /// Takes in what processes did meanwhile.
    pub fn catch_up(&mut self) {
        if let Some(user) = &mut self.user {
            user.processes.catch_up();
        }
    }

    /// The frames of the stack with this key; none when there is no such stack.
    pub fn stack(&mut self, key: u64, ty: StackType) -> Rc<[Frame]> {
        if let Some(known) = self.stacks.get(&(key, ty.mode)) {
            return Rc::clone(known);
        }
        let frames: Rc<[Frame]> = self.read_stack(key).map_or_else(Vec::new, |stack| self.frames(&stack, ty)).into();
        if self.stacks.len() >= MOST_STACKS {
            self.stacks.clear();
        }
        self.stacks.insert((key, ty.mode), Rc::clone(&frames));
        frames
    }

    fn frames(&mut self, stack: &Stack, ty: StackType) -> Vec<Frame> {
        let mut frames = Vec::with_capacity(stack.addresses.len());
        for address in stack.addresses.iter().copied() {
            match (ty.mode, ty.space, &mut self.user) {
                (StackMode::Raw, ..) | (_, AddressSpace::User, None) => frames.push(Frame::unknown(address)),
                (StackMode::BuildId, _, Some(user)) => frames.push(user.place_in_file(stack, address)),
                (_, AddressSpace::User, Some(user)) => user.frames(stack, address, &mut frames),
                _ => {
                    let symbol = self.kernel.symbol(address);
                    let place = symbol.map_or(Place::Unknown, Place::Function);
                    frames.push(Frame { address, place, user: false });
                }
            }
        }
        frames
    }

    fn read_stack(&self, key: u64) -> Option<Stack> {
        let fd = self.stack_map.filter(|_| key != 0)?;
        let mut words = [0u64; (stacks::ENTRY / 8) as usize];
        // SAFETY: the key is a u64 and the buffer has the map's value size, as the kernel reads and writes them.
        let status = unsafe { libbpf_sys::bpf_map_lookup_elem(fd, (&raw const key).cast(), words.as_mut_ptr().cast()) };
        (status == 0).then(|| Stack::of(&words))
    }
}

/// A stack as programs keep it.
struct Stack {
    process: u32,
    /// When it was first seen, in nanoseconds of the monotonic clock.
    time: u64,
    addresses: Vec<u64>,
}

impl Stack {
    /// Reads an entry; see [`stacks`].
    fn of(words: &[u64; (stacks::ENTRY / 8) as usize]) -> Stack {
        let half = |at: u32| (words[(at / 8) as usize] >> (8 * (at % 8))) as u32;
        let count = half(stacks::COUNT).min(stacks::MAX_FRAMES) as usize;
        let addresses = words[(stacks::FRAMES / 8) as usize..].iter().take(count).copied().collect();
        Stack { process: half(stacks::PROCESS), time: words[(stacks::TIME / 8) as usize], addresses }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_are_written() {
        let mut words = [0; (stacks::ENTRY / 8) as usize];
        words[0] = 2 | 77 << 32;
        words[1] = 5;
        words[2..5].copy_from_slice(&[10, 20, 30]);
        let stack = Stack::of(&words);
        assert_eq!((stack.process, stack.time, stack.addresses), (77, 5, vec![10, 20]));
    }
}
