//! Strings: reading them, and comparing them.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::llvm::{Block, Int, Memory};
use crate::memory::{chunks, word};
use crate::reads::{BYTES, STRING};
use inkwell::IntPredicate;
use lt_lang::hir::{Buffered, Expr, ExprKind, StringOperand};
use lt_lang::manifest::LossCause;
use lt_lang::types::AddressSpace;

/// Longest strings that a loop compares: the verifier follows each step.
const MAX_LOOP: u32 = 16 << 10;
/// A byte of 1 in each place.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte.
const TOPS: u64 = ONES << 7;

impl<'c> Emitter<'_, 'c> {
    /// The string at an address, of at most `limit` and `size` bytes; gives the bytes used, at least 1.
    pub(crate) fn place_string(
        &self,
        address: &Expr,
        limit: Option<&Expr>,
        space: AddressSpace,
        size: u32,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit<Int<'c>> {
        let address = self.address(address)?;
        let Some(limit) = limit else {
            let used = self.place_string_at(address, space, size, to, zeroed)?;
            self.count_cut(address, space, used, size)?;
            return Ok(used);
        };
        if let ExprKind::Int(most @ 1..) = limit.kind {
            let most = most.min(i64::from(size)) as u32;
            if zeroed {
                self.zero(to, 0, size)?;
            }
            return self.place_string_at(address, space, most, to, false);
        }
        let limit = self.scalar(limit)?;
        // The verifier does not know how much the helper writes.
        if zeroed || to.stack {
            self.zero(to, 0, size)?;
        } else {
            // A limit of 0 makes the helper write nothing.
            self.llvm.store(to, self.llvm.int(0), 1)?;
        }
        let limit = self.bounded(limit, size)?;
        let used = self.read(STRING, space, to, limit, address)?;
        self.at_least_one(used)
    }

    /// The same without a limit: the helper writes a NUL even when it fails.
    pub(crate) fn place_string_at(
        &self,
        address: Int<'c>,
        space: AddressSpace,
        size: u32,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit<Int<'c>> {
        if zeroed {
            self.zero(to, 0, size)?;
        }
        let used = self.read(STRING, space, to, self.llvm.uint(u64::from(size)), address)?;
        self.at_least_one(used)
    }

    /// Counts a string that filled all `size` bytes and goes on, where nobody asked for so many: what stands where the helper
    /// put the NUL tells it from one that just fits.
    pub(crate) fn count_cut(&self, address: Int<'c>, space: AddressSpace, used: Int<'c>, size: u32) -> Emit {
        let llvm = self.llvm;
        if self.quiet.get() || size != self.unit.manifest.cut_size {
            return Ok(());
        }
        let [full, rest] = [llvm.new_block("string_full")?, llvm.new_block("string_read")?];
        llvm.branch_if(llvm.compare(IntPredicate::EQ, used, llvm.uint(u64::from(size)))?, full, rest)?;
        llvm.position(full);
        llvm.store(self.temp, llvm.int(0), 8)?;
        let next = llvm.builder.build_int_add(address, llvm.uint(u64::from(size - 1)), "")?;
        self.read_quietly(BYTES, space, self.temp, llvm.int(1), next)?;
        let goes_on = llvm.compare(IntPredicate::NE, llvm.load(self.temp, 1)?, llvm.int(0))?;
        self.count_loss_if(goes_on, LossCause::StringCut)?;
        llvm.branch(rest)?;
        llvm.position(rest);
        Ok(())
    }

    pub(crate) fn at_least_one(&self, used: Int<'c>) -> Emit<Int<'c>> {
        let good = self.llvm.compare(IntPredicate::SGT, used, self.llvm.int(0))?;
        self.llvm.select(good, used, self.llvm.int(1))
    }

    /// The value, but no more than `most`, so that the verifier sees it.
    pub(crate) fn bounded(&self, value: Int<'c>, most: u32) -> Emit<Int<'c>> {
        let (value, most) = (self.llvm.opaque(value)?, self.llvm.uint(u64::from(most)));
        let fits = self.llvm.compare(IntPredicate::ULE, value, most)?;
        self.llvm.select(fits, value, most)
    }

    /// Bytes before the NUL. The helper that copies strings counts them fastest: it copies the string onto itself.
    pub(crate) fn string_length(&self, string: &Buffered) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let memory = self.buffered(string)?;
        let size = llvm.uint(u64::from(string.value.ty.size()));
        let address = llvm.builder.build_ptr_to_int(memory.ptr, llvm.i64(), "")?;
        let used = self.read_quietly(STRING, AddressSpace::Kernel, memory, size, address)?;
        Ok(llvm.builder.build_int_sub(self.at_least_one(used)?, llvm.int(1), "")?)
    }

    /// `==` and `!=`, of at most `limit` bytes.
    pub(crate) fn compare_strings(
        &self,
        limit: Option<u32>,
        negate: bool,
        left: &Buffered,
        right: &StringOperand,
    ) -> Emit<Int<'c>> {
        let limit = limit.unwrap_or(u32::MAX);
        let llvm = self.llvm;
        let memory = self.buffered(left)?;
        let size = left.value.ty.size();
        let [same, differ, done] = [llvm.new_block("same")?, llvm.new_block("differ")?, llvm.new_block("compared")?];
        match right {
            StringOperand::Literal(bytes) => self.compare_literal(memory, size, bytes, limit, same, differ)?,
            StringOperand::Value(right) => {
                let other = self.buffered(right)?;
                let size = size.min(right.value.ty.size()).min(limit);
                if left.zeroed && right.zeroed && size <= 256 {
                    self.compare_words(memory, other, size, same, differ)?;
                } else if size <= MAX_LOOP {
                    self.compare_loop(memory, other, size, same, differ)?;
                } else {
                    let message = format!("strings of more than {MAX_LOOP} bytes cannot be compared");
                    return Err(Failure::limit(message).at(left.value.span));
                }
            }
        }
        for block in [same, differ] {
            llvm.position(block);
            llvm.branch(done)?;
        }
        llvm.position(done);
        llvm.phi(&[(llvm.int(i64::from(!negate)), same), (llvm.int(i64::from(negate)), differ)])
    }

    /// With a literal: its bytes and the NUL behind, as far as the limit goes.
    fn compare_literal(
        &self,
        memory: Memory<'c>,
        size: u32,
        literal: &[u8],
        limit: u32,
        same: Block<'c>,
        differ: Block<'c>,
    ) -> Emit {
        let llvm = self.llvm;
        let literal = literal.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let length = (literal.len() as u32 + 1).min(limit);
        if length > size {
            return llvm.branch(differ);
        }
        for (offset, bytes) in chunks(memory.align, 0, length) {
            let found = llvm.load(llvm.at(memory, offset)?, bytes)?;
            let wanted = llvm.uint(word(literal, offset, bytes));
            llvm.leave_if(llvm.compare(IntPredicate::NE, found, wanted)?, differ, "equal")?;
        }
        llvm.branch(same)
    }

    /// Two strings with zeros behind their NULs, which lie within the first `size` bytes of at least one.
    pub(crate) fn compare_words(
        &self,
        left: Memory<'c>,
        right: Memory<'c>,
        size: u32,
        same: Block<'c>,
        differ: Block<'c>,
    ) -> Emit {
        let llvm = self.llvm;
        for (offset, bytes) in chunks(left.align.min(right.align), 0, size) {
            let one = llvm.load(llvm.at(left, offset)?, bytes)?;
            let other = llvm.load(llvm.at(right, offset)?, bytes)?;
            llvm.leave_if(llvm.compare(IntPredicate::NE, one, other)?, differ, "equal")?;
        }
        llvm.branch(same)
    }

    /// Eight bytes at a time up to a NUL: each step leaves the verifier one branch to come back to, of at most 8192.
    fn compare_loop(&self, left: Memory<'c>, right: Memory<'c>, size: u32, same: Block<'c>, differ: Block<'c>) -> Emit {
        let llvm = self.llvm;
        let before = llvm.block()?;
        let [step, next, ended, rest] =
            [llvm.new_block("words")?, llvm.new_block("next")?, llvm.new_block("ended")?, llvm.new_block("rest")?];
        llvm.branch(step)?;
        llvm.position(step);
        let at = llvm.builder.build_phi(llvm.i64(), "")?;
        at.add_incoming(&[(&llvm.int(0), before)]);
        let index = at.as_basic_value().into_int_value();
        let read = |memory: Memory<'c>| llvm.load(Memory { ptr: llvm.offset(memory.ptr, index)?, ..memory }, 8);
        let (one, other) = (read(left)?, read(right)?);
        let difference = llvm.builder.build_xor(one, other, "")?;
        let nuls = self.nuls(one)?;
        let stops = llvm.builder.build_or(difference, nuls, "")?;
        llvm.branch_if(llvm.is_true(stops)?, ended, next)?;
        llvm.position(next);
        let more = llvm.builder.build_int_add(index, llvm.int(8), "")?;
        at.add_incoming(&[(&more, next)]);
        let words = llvm.uint(u64::from(size / 8 * 8));
        llvm.branch_if(llvm.compare(IntPredicate::ULT, more, words)?, step, rest)?;
        llvm.position(ended);
        let counts = llvm.builder.build_and(difference, self.up_to_first(nuls)?, "")?;
        llvm.branch_if(llvm.is_true(counts)?, differ, same)?;
        llvm.position(rest);
        for offset in size / 8 * 8..size {
            let byte = |memory: Memory<'c>| llvm.load(llvm.at(memory, offset)?, 1);
            let (one, other) = (byte(left)?, byte(right)?);
            llvm.leave_if(llvm.compare(IntPredicate::NE, one, other)?, differ, "equal")?;
            llvm.leave_if(llvm.compare(IntPredicate::EQ, one, llvm.int(0))?, same, "byte")?;
        }
        llvm.branch(same)
    }

    /// Not 0 when one of the eight bytes is; the lowest bit that is set is the top bit of the first of them.
    pub(crate) fn nuls(&self, word: Int<'c>) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let borrowed = builder.build_int_sub(word, llvm.uint(ONES), "")?;
        let unset = builder.build_and(borrowed, builder.build_not(word, "")?, "")?;
        Ok(builder.build_and(unset, llvm.uint(TOPS), "")?)
    }

    /// Ones up to the lowest bit that is set; nothing but ones without any.
    fn up_to_first(&self, bits: Int<'c>) -> Emit<Int<'c>> {
        let builder = &self.llvm.builder;
        let below = builder.build_int_sub(bits, self.llvm.int(1), "")?;
        Ok(builder.build_xor(bits, below, "")?)
    }
}
