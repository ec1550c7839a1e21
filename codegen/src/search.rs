//! Strings in strings, and bytes before other bytes.

use crate::emitter::Emitter;
use crate::error::Emit;
use crate::llvm::{Block, Int, Memory};
use crate::reads::STRING;
use inkwell::IntPredicate;
use inkwell::values::PhiValue;
use lt_lang::hir::{Buffered, StringOperand};
use lt_lang::types::AddressSpace;

/// Bytes between two looks for the end of a string; a power of two.
const CHUNK: u64 = 32;
/// Longest needle that is compared at once.
const SHORT: usize = 4;

/// A loop that counts from 0; it ends with [`Emitter::count_on`].
struct Counter<'c> {
    phi: PhiValue<'c>,
    head: Block<'c>,
}

impl<'c> Counter<'c> {
    fn value(&self) -> Int<'c> {
        self.phi.as_basic_value().into_int_value()
    }
}

impl<'c> Emitter<'_, 'c> {
    fn count(&self, name: &str) -> Emit<Counter<'c>> {
        let before = self.llvm.block()?;
        let head = self.llvm.new_block(name)?;
        self.llvm.branch(head)?;
        self.llvm.position(head);
        let phi = self.llvm.builder.build_phi(self.llvm.i64(), "")?;
        phi.add_incoming(&[(&self.llvm.int(0), before)]);
        Ok(Counter { phi, head })
    }

    /// The next step, or `end` after so many.
    fn count_on(&self, counter: &Counter<'c>, steps: u32, end: Block<'c>) -> Emit {
        let llvm = self.llvm;
        let next = llvm.builder.build_int_add(counter.value(), llvm.int(1), "")?;
        counter.phi.add_incoming(&[(&next, llvm.block()?)]);
        let more = llvm.compare(IntPredicate::ULT, next, llvm.uint(u64::from(steps)))?;
        llvm.branch_if(more, counter.head, end)
    }

    fn byte(&self, memory: Memory<'c>, at: Int<'c>) -> Emit<Int<'c>> {
        self.llvm.load(Memory { ptr: self.llvm.offset(memory.ptr, at)?, align: 1, ..memory }, 1)
    }

    /// Where one string is found in another, from 0; -1 when it is not.
    pub(crate) fn search(&self, haystack: &Buffered, needle: &StringOperand) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let memory = self.buffered(haystack)?;
        let size = haystack.value.ty.size();
        if matches!(needle, StringOperand::Literal(bytes) if bytes.len() as u32 >= size) {
            // Longer than what it is looked for in.
            return Ok(llvm.int(-1));
        }
        let [missing, found, next, done] = [
            llvm.new_block("missing")?,
            llvm.new_block("found")?,
            llvm.new_block("next")?,
            llvm.new_block("searched")?,
        ];
        let (index, steps) = match needle {
            StringOperand::Literal(bytes) => {
                let index = self.count("at")?;
                self.end_of_chunk(memory, index.value(), missing)?;
                self.match_literal(memory, index.value(), bytes, found, next)?;
                (index, size - bytes.len() as u32)
            }
            StringOperand::Value(needle) => {
                let other = self.buffered(needle)?;
                let index = self.count("at")?;
                self.end_of_chunk(memory, index.value(), missing)?;
                self.match_memory((memory, size), index.value(), (other, needle.value.ty.size()), found, next)?;
                (index, size)
            }
        };
        llvm.position(next);
        self.count_on(&index, steps, missing)?;
        for block in [missing, found] {
            llvm.position(block);
            llvm.branch(done)?;
        }
        llvm.position(done);
        llvm.phi(&[(llvm.int(-1), missing), (index.value(), found)])
    }

    /// Behind a string's NUL are only zeros, in which nothing is found: it is enough to look for its end now and then.
    /// Each look costs the verifier a state that it keeps in mind.
    fn end_of_chunk(&self, memory: Memory<'c>, index: Int<'c>, missing: Block<'c>) -> Emit {
        let llvm = self.llvm;
        let [look, on] = [llvm.new_block("look")?, llvm.new_block("on")?];
        let inside = llvm.builder.build_and(index, llvm.uint(CHUNK - 1), "")?;
        // The first chunk is looked at in any case: an empty needle is found at its start.
        let first = llvm.compare(IntPredicate::EQ, index, llvm.int(0))?;
        let skip = llvm.builder.build_or(llvm.is_true(inside)?, first, "")?;
        llvm.branch_if(skip, on, look)?;
        llvm.position(look);
        let end = self.byte(memory, index)?;
        llvm.branch_if(llvm.compare(IntPredicate::EQ, end, llvm.int(0))?, missing, on)?;
        llvm.position(on);
        Ok(())
    }

    /// A short needle at once, a longer one once its first byte is there: one or two states for each place.
    fn match_literal(
        &self,
        memory: Memory<'c>,
        index: Int<'c>,
        bytes: &[u8],
        found: Block<'c>,
        next: Block<'c>,
    ) -> Emit {
        let llvm = self.llvm;
        let start = Memory { ptr: llvm.offset(memory.ptr, index)?, align: 1, ..memory };
        let first = if bytes.len() > SHORT { 1 } else { bytes.len() };
        let (head, rest) = bytes.split_at(first.min(bytes.len()));
        for (offset, part) in [(0, head), (head.len() as u32, rest)] {
            let mut difference = llvm.int(0);
            for (at, wanted) in (offset..).zip(part) {
                let seen = llvm.load(llvm.at(start, at)?, 1)?;
                let differs = llvm.builder.build_xor(seen, llvm.uint(u64::from(*wanted)), "")?;
                difference = llvm.builder.build_or(difference, differs, "")?;
            }
            if !part.is_empty() {
                // The optimizer would make a branch for each byte of it.
                llvm.leave_if(llvm.is_true(llvm.opaque(difference)?)?, next, "same")?;
            }
        }
        llvm.branch(found)
    }

    /// A needle in memory ends at its NUL.
    fn match_memory(
        &self,
        (memory, size): (Memory<'c>, u32),
        index: Int<'c>,
        (needle, needle_size): (Memory<'c>, u32),
        found: Block<'c>,
        next: Block<'c>,
    ) -> Emit {
        let llvm = self.llvm;
        let at = self.count("in_needle")?;
        let wanted = self.byte(needle, at.value())?;
        llvm.leave_if(llvm.compare(IntPredicate::EQ, wanted, llvm.int(0))?, found, "wanted")?;
        let place = llvm.builder.build_int_add(index, at.value(), "")?;
        let outside = llvm.compare(IntPredicate::UGE, place, llvm.uint(u64::from(size)))?;
        llvm.leave_if(outside, next, "inside")?;
        let seen = self.byte(memory, place)?;
        llvm.leave_if(llvm.compare(IntPredicate::NE, seen, wanted)?, next, "same")?;
        self.count_on(&at, needle_size, found)
    }

    /// 0, or the difference of the first bytes that differ.
    pub(crate) fn order_bytes(&self, left: &Buffered, right: &Buffered, count: u32) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let (left, right) = (self.buffered(left)?, self.buffered(right)?);
        if count == 0 {
            return Ok(llvm.int(0));
        }
        let [differ, same, done] = [llvm.new_block("differ")?, llvm.new_block("same")?, llvm.new_block("compared")?];
        let index = self.count("byte")?;
        let (one, other) = (self.byte(left, index.value())?, self.byte(right, index.value())?);
        let difference = llvm.builder.build_int_sub(one, other, "")?;
        llvm.leave_if(llvm.is_true(difference)?, differ, "equal")?;
        self.count_on(&index, count, same)?;
        for block in [differ, same] {
            llvm.position(block);
            llvm.branch(done)?;
        }
        llvm.position(done);
        llvm.phi(&[(difference, differ), (llvm.int(0), same)])
    }

    /// One string behind the other, in memory that has room for both.
    pub(crate) fn place_concatenated(&self, left: &Buffered, right: &Buffered, to: Memory<'c>) -> Emit {
        let llvm = self.llvm;
        let (first, second) = (self.buffered(left)?, self.buffered(right)?);
        let [first_size, second_size] = [left, right].map(|part| part.value.ty.size());
        self.zero(to, 0, first_size + second_size - 1)?;
        let from = llvm.address(first.ptr)?;
        let used = self.read_quietly(STRING, AddressSpace::Kernel, to, llvm.uint(u64::from(first_size)), from)?;
        let used = llvm.builder.build_int_sub(self.at_least_one(used)?, llvm.int(1), "")?;
        let used = self.bounded(used, first_size - 1)?;
        let rest = Memory { ptr: llvm.offset(to.ptr, used)?, align: 1, ..to };
        let from = llvm.address(second.ptr)?;
        self.read_quietly(STRING, AddressSpace::Kernel, rest, llvm.uint(u64::from(second_size)), from).map(drop)
    }
}
