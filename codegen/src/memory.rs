//! Filling and copying memory whose size is known: unrolled when short, by helper when long. Never `llvm.memcpy` or
//! `llvm.memset`, which the BPF back end turns into calls of functions that do not exist.

use crate::emitter::Emitter;
use crate::error::Emit;
use crate::helpers::Helper;
use crate::llvm::{Memory, Ptr};

/// Most accesses that are unrolled.
const UNROLLED: usize = 32;

/// Cuts `from..size` into accesses `(offset, bytes)` of at most `align` bytes, naturally aligned.
pub(crate) fn chunks(align: u32, from: u32, size: u32) -> Vec<(u32, u32)> {
    let mut list = Vec::with_capacity((size / align.max(1)) as usize + 3);
    let mut at = from;
    while at < size {
        let natural = if at == 0 { 8 } else { 1 << at.trailing_zeros().min(3) };
        let mut bytes = align.min(natural);
        while bytes > size - at {
            bytes /= 2;
        }
        list.push((at, bytes));
        at += bytes;
    }
    list
}

/// The little-endian number in `bytes`, with zeros behind their end.
pub(crate) fn word(bytes: &[u8], at: u32, width: u32) -> u64 {
    let byte = |i: u32| u64::from(bytes.get((at + i) as usize).copied().unwrap_or(0));
    (0..width).fold(0, |word, i| word | byte(i) << (8 * i))
}

impl<'c> Emitter<'_, 'c> {
    /// Zeros the bytes `from..size`.
    pub(crate) fn zero(&self, to: Memory<'c>, from: u32, size: u32) -> Emit {
        let list = chunks(to.align, from, size);
        if list.len() > UNROLLED && size - from <= self.unit.zeros_size {
            return self.copy_by_helper(self.llvm.at(to, from)?, self.zeros()?, size - from);
        }
        for (offset, bytes) in list {
            self.llvm.store(self.llvm.at(to, offset)?, self.llvm.int(0), bytes)?;
        }
        Ok(())
    }

    /// Copies `size` bytes.
    pub(crate) fn copy(&self, to: Memory<'c>, from: Memory<'c>, size: u32) -> Emit {
        let list = chunks(to.align.min(from.align), 0, size);
        if list.len() > UNROLLED {
            return self.copy_by_helper(to, from.ptr, size);
        }
        for (offset, bytes) in list {
            let value = self.llvm.load(self.llvm.at(from, offset)?, bytes)?;
            self.llvm.store(self.llvm.at(to, offset)?, value, bytes)?;
        }
        Ok(())
    }

    /// Stores `bytes` and as many zeros as it takes to fill `size`.
    pub(crate) fn store_bytes(&self, to: Memory<'c>, bytes: &[u8], size: u32) -> Emit {
        let filled = (bytes.len() as u32).min(size);
        let list = chunks(to.align, 0, filled);
        if list.len() > UNROLLED {
            self.copy_by_helper(to, self.read_only(bytes.get(..filled as usize).unwrap_or(bytes))?, filled)?;
        } else {
            for (offset, width) in list {
                let value = self.llvm.uint(word(bytes, offset, width));
                self.llvm.store(self.llvm.at(to, offset)?, value, width)?;
            }
        }
        self.zero(to, filled, size)
    }

    fn copy_by_helper(&self, to: Memory<'c>, from: Ptr<'c>, size: u32) -> Emit {
        let size = self.llvm.uint(u64::from(size));
        self.llvm.call(Helper::ReadKernel, &[to.ptr.into(), size.into(), from.into()])?;
        Ok(())
    }

    /// Read-only zeros, as many as the largest thing has that is ever zeroed.
    pub(crate) fn zeros(&self) -> Emit<Ptr<'c>> {
        if let Some(zeros) = self.unit.zeros.get() {
            return Ok(*zeros);
        }
        let size = self.unit.zeros_size;
        let global = self.llvm.zeroed_global("lt_zeros", None, size);
        global.set_constant(true);
        self.unit.debug.variable(self.llvm, global, 0, size)?;
        Ok(*self.unit.zeros.get_or_init(|| global.as_pointer_value()))
    }

    /// These bytes, in memory that programs can only read.
    pub(crate) fn read_only(&self, bytes: &[u8]) -> Emit<Ptr<'c>> {
        let number = self.unit.texts.replace(self.unit.texts.get() + 1);
        let global = self.llvm.zeroed_global(&format!("lt_text_{number}"), None, bytes.len() as u32);
        global.set_initializer(&self.llvm.context.const_string(bytes, false));
        global.set_constant(true);
        self.unit.debug.variable(self.llvm, global, 0, bytes.len() as u32)?;
        Ok(global.as_pointer_value())
    }
}
