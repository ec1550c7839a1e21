//! Aggregations: words updated in place with atomic operations, per CPU or not (programs interrupt each other on one
//! CPU, too).
//!
//! A fresh value is all zeros, and every update has to be right from there, whoever comes in between. Sums are. For
//! `min` and `max`, word 0 holds a *rank* of which zero is the lowest ([`Aggregate::rank`]); the rank only ever grows,
//! by compare-and-exchange, and word 1 is set behind it.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::NO_EXIST;
use crate::llvm::{Block, Int, Memory, Ptr};
use inkwell::IntPredicate;
use lt_lang::hir::{Buffered, Expr};
use lt_lang::kernel::Feature;
use lt_lang::manifest::{Aggregate, LossCause, MapId, Part};

/// How often a larger rank is tried to be stored; each failure means that another program stored one.
const TRIES: u32 = 4;

impl<'c> Emitter<'_, 'c> {
    /// Updates an aggregation.
    pub(crate) fn aggregate(&self, map: MapId, key: Option<&Buffered>, part: Part, value: Option<&Expr>) -> Emit {
        let (llvm, aggregate) = (self.llvm, part.aggregate);
        let number = match value {
            Some(value) => self.scalar(value)?,
            None => llvm.int(1),
        };
        let signed = value.is_some_and(|value| value.ty.is_signed());
        let index = self.bucket(aggregate, number, signed)?;
        let done = llvm.new_block("aggregated")?;
        let words = llvm.at(self.aggregate_value(map, key, done)?, part.word * 8)?;
        match aggregate {
            Aggregate::Count => self.add_word(words, 0, llvm.int(1))?,
            Aggregate::Sum { .. } => {
                self.add_word(words, 0, number)?;
                llvm.store(llvm.at(words, 8)?, llvm.int(1), 8)?;
            }
            Aggregate::Avg { .. } | Aggregate::Stats { .. } => {
                self.add_word(words, 0, number)?;
                self.add_word(words, 1, llvm.int(1))?;
            }
            Aggregate::Min { .. } | Aggregate::Max { .. } => self.raise(words, self.rank(aggregate, number)?)?,
            Aggregate::Hist { .. } | Aggregate::LinearHist { .. } => {
                self.add_bucket(words, index, aggregate.words(), done)?;
            }
        }
        llvm.branch(done)?;
        llvm.position(done);
        Ok(())
    }

    /// The value under the key, in the map's table or in the map, made when it is missing; goes to `done` when there is
    /// no room.
    fn aggregate_value(&self, id: MapId, key: Option<&Buffered>, done: Block<'c>) -> Emit<Memory<'c>> {
        let llvm = self.llvm;
        let (Some(table), Some(key)) = (self.map(id)?.table, key) else {
            return self.page_value(id, self.key(key)?, done);
        };
        let key = self.buffered(key)?;
        let found = llvm.new_block("found")?;
        let mut values = self.table_values(id, table, key, found)?;
        let value = self.page_value(id, key.ptr, done)?;
        values.push((value.ptr, llvm.block()?));
        llvm.branch(found)?;
        llvm.position(found);
        let value = llvm.builder.build_phi(llvm.pointer(), "")?;
        for (ptr, block) in &values {
            value.add_incoming(&[(ptr, *block)]);
        }
        Ok(Memory::aligned(value.as_basic_value().into_pointer_value()))
    }

    /// The same in the map, in that of its pages which the program uses.
    fn page_value(&self, id: MapId, key: Ptr<'c>, done: Block<'c>) -> Emit<Memory<'c>> {
        let llvm = self.llvm;
        let Some(second) = self.map(id)?.second else { return self.map_value(id, key, done) };
        let pages = [(id, llvm.new_block("first")?), (second, llvm.new_block("second")?)];
        let found = llvm.new_block("page")?;
        llvm.branch_if(llvm.is_true(self.page()?)?, pages[1].1, pages[0].1)?;
        llvm.position(found);
        let value = llvm.builder.build_phi(llvm.pointer(), "")?;
        for (id, page) in pages {
            llvm.position(page);
            let in_page = self.map_value(id, key, done)?;
            value.add_incoming(&[(&in_page.ptr, llvm.block()?)]);
            llvm.branch(found)?;
        }
        llvm.position(found);
        Ok(Memory::aligned(value.as_basic_value().into_pointer_value()))
    }

    /// The same in one map.
    fn map_value(&self, id: MapId, key: Ptr<'c>, done: Block<'c>) -> Emit<Memory<'c>> {
        let llvm = self.llvm;
        let found = self.lookup(id, key)?;
        if !self.map(id)?.kind.is_hash() {
            llvm.leave_if(llvm.is_null(found.ptr)?, done, "element")?;
            return Ok(found);
        }
        let first = llvm.block()?;
        let [missing, lost, update] = [llvm.new_block("missing")?, llvm.new_block("full")?, llvm.new_block("update")?];
        llvm.branch_if(llvm.is_null(found.ptr)?, missing, update)?;
        llvm.position(missing);
        // Whether it was made here or by another program in the meantime is all the same.
        self.update(id, key, self.zeros()?, NO_EXIST)?;
        let made = self.lookup(id, key)?;
        llvm.branch_if(llvm.is_null(made.ptr)?, lost, update)?;
        llvm.position(lost);
        self.count_loss(LossCause::MapFull)?;
        llvm.branch(done)?;
        llvm.position(update);
        let value = llvm.builder.build_phi(llvm.pointer(), "")?;
        value.add_incoming(&[(&found.ptr, first), (&made.ptr, missing)]);
        Ok(Memory::aligned(value.as_basic_value().into_pointer_value()))
    }

    fn add_word(&self, words: Memory<'c>, at: u32, value: Int<'c>) -> Emit {
        self.llvm.atomic_add(self.llvm.at(words, at * 8)?.ptr, value)?;
        Ok(())
    }

    fn add_bucket(&self, words: Memory<'c>, index: Int<'c>, buckets: u32, done: Block<'c>) -> Emit {
        let llvm = self.llvm;
        let index = llvm.opaque(index)?;
        // Never true; the verifier wants it.
        let outside = llvm.compare(IntPredicate::UGE, index, llvm.uint(u64::from(buckets)))?;
        llvm.leave_if(outside, done, "bucket")?;
        let offset = llvm.builder.build_left_shift(index, llvm.int(3), "")?;
        llvm.atomic_add(llvm.offset(words.ptr, offset)?, llvm.int(1))?;
        Ok(())
    }

    /// [`Aggregate::rank`]
    pub(crate) fn rank(&self, aggregate: Aggregate, value: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.llvm.builder.build_xor(value, self.llvm.uint(aggregate.rank(0)), "")?)
    }

    /// Makes word 0 at least `rank`, then sets word 1.
    fn raise(&self, words: Memory<'c>, rank: Int<'c>) -> Emit {
        let llvm = self.llvm;
        let set = llvm.new_block("set")?;
        let exchange = self.unit.kernel.has(Feature::AtomicFetch);
        for _ in 0..if exchange { TRIES } else { 1 } {
            let old = llvm.load_volatile(words, 8)?;
            llvm.leave_if(llvm.compare(IntPredicate::UGE, old, rank)?, set, "raise")?;
            if exchange {
                llvm.leave_if(llvm.compare_exchange(words.ptr, old, rank)?, set, "again")?;
            } else {
                // Without the atomic operation a program that interrupts right here can be overwritten.
                llvm.store_volatile(words, rank, 8)?;
            }
        }
        llvm.branch(set)?;
        llvm.position(set);
        llvm.store(llvm.at(words, 8)?, llvm.int(1), 8)
    }

    fn bucket(&self, aggregate: Aggregate, value: Int<'c>, signed: bool) -> Emit<Int<'c>> {
        match aggregate {
            Aggregate::Hist { k } => self.log2_bucket(value, signed, k),
            Aggregate::LinearHist { min, max, step } => {
                self.linear_bucket(value, signed, (min, max, step), aggregate.words())
            }
            _ => Ok(self.llvm.int(0)),
        }
    }

    /// What [`lt_lang::aggregations::log2_bucket`] computes.
    fn log2_bucket(&self, value: Int<'c>, signed: bool, k: u8) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        if k > 5 {
            return Err(Failure::internal("a histogram with too many buckets"));
        }
        let (k, per_power) = (llvm.int(i64::from(k)), llvm.int(1 << k));
        let power = self.log2(value)?;
        // bucket = 1 + 2^k + (power - k) * 2^k + ((value >> (power - k)) - 2^k), where 2^k and -2^k cancel.
        let above = builder.build_int_sub(power, k, "")?;
        let shift = builder.build_and(above, llvm.int(63), "")?;
        let within = builder.build_right_shift(value, shift, false, "")?;
        let base = builder.build_left_shift(above, k, "")?;
        let large = builder.build_int_add(builder.build_int_add(base, within, "")?, llvm.int(1), "")?;
        let small = builder.build_int_add(value, llvm.int(1), "")?;
        let is_small = llvm.compare(IntPredicate::ULT, value, per_power)?;
        let bucket = llvm.select(is_small, small, large)?;
        if !signed {
            return Ok(bucket);
        }
        let negative = llvm.compare(IntPredicate::SLT, value, llvm.int(0))?;
        llvm.select(negative, llvm.int(0), bucket)
    }

    /// The number of the highest bit set: BPF cannot count leading zeros. The bit is spread to all below it, then the
    /// bits are counted, without a branch, of which the verifier would follow both ways each time.
    fn log2(&self, value: Int<'c>) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let shifted = |value, by| builder.build_right_shift(value, llvm.int(by), false, "");
        let mut bits = shifted(value, 1)?;
        for by in [1, 2, 4, 8, 16, 32] {
            bits = builder.build_or(bits, shifted(bits, by)?, "")?;
        }
        // All bits below the highest are set now: their number is its number.
        let masked = |value, mask| builder.build_and(value, llvm.uint(mask), "");
        let pairs = builder.build_int_sub(bits, masked(shifted(bits, 1)?, 0x5555_5555_5555_5555)?, "")?;
        let nibble = 0x3333_3333_3333_3333;
        let fours = builder.build_int_add(masked(pairs, nibble)?, masked(shifted(pairs, 2)?, nibble)?, "")?;
        let eights = masked(builder.build_int_add(fours, shifted(fours, 4)?, "")?, 0x0f0f_0f0f_0f0f_0f0f)?;
        Ok(shifted(builder.build_int_mul(eights, llvm.uint(0x0101_0101_0101_0101), "")?, 56)?)
    }

    /// 0 below `min`, the last one from `max` on.
    fn linear_bucket(
        &self,
        value: Int<'c>,
        signed: bool,
        (min, max, step): (i64, i64, i64),
        buckets: u32,
    ) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let distance = builder.build_int_sub(value, llvm.int(min), "")?;
        let inside = builder.build_int_unsigned_div(distance, llvm.int(step.max(1)), "")?;
        let inside = builder.build_int_add(inside, llvm.int(1), "")?;
        let is = |predicate, bound| llvm.compare(predicate, value, llvm.int(bound));
        let (below, above) = if signed {
            (is(IntPredicate::SLT, min)?, is(IntPredicate::SGE, max)?)
        } else {
            // Negative bounds are below every unsigned value.
            (is(IntPredicate::ULT, min.max(0))?, is(IntPredicate::UGE, max.max(0))?)
        };
        let bucket = llvm.select(above, llvm.int(i64::from(buckets) - 1), inside)?;
        llvm.select(below, llvm.int(0), bucket)
    }
}
