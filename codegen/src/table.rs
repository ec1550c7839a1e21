//! Finding a counter in a map's table; see [`lt_lang::table`].

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Block, Int, Memory, Ptr};
use inkwell::IntPredicate;
use lt_lang::manifest::MapId;
use lt_lang::table::{PROBES, SLOTS, Table};

/// 2^64 divided by the golden ratio: products with it differ in their top bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl<'c> Emitter<'_, 'c> {
    /// Looks for the key's value, making it where there is room: what is found goes to `found`, with the block that it
    /// comes from. Goes on where nothing was found.
    pub(crate) fn table_values(
        &self,
        id: MapId,
        table: Table,
        key: Memory<'c>,
        found: Block<'c>,
    ) -> Emit<Vec<(Ptr<'c>, Block<'c>)>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let nowhere = llvm.new_block("nowhere")?;
        let words = self.key_words(table, key, nowhere)?;
        let index = self.table_index(&words)?;
        let base = self.own_slots(id, table)?;
        let slot_bytes = table.slot_words() * 8;
        let mut values = Vec::with_capacity(PROBES as usize);
        for probe in 0..PROBES {
            let next = if probe + 1 == PROBES { nowhere } else { llvm.new_block("probe")? };
            let at = builder.build_int_add(index, llvm.uint(u64::from(probe)), "")?;
            let at = builder.build_and(at, llvm.uint(u64::from(SLOTS - 1)), "")?;
            let at = builder.build_int_mul(at, llvm.uint(u64::from(slot_bytes)), "")?;
            let slot = Memory::aligned(llvm.offset(base, at)?);
            for (number, word) in (0..).zip(&words) {
                self.claim(llvm.at(slot, number * 8)?, *word, next)?;
            }
            values.push((llvm.at(slot, table.key_words * 8)?.ptr, llvm.block()?));
            llvm.branch(found)?;
            llvm.position(next);
        }
        Ok(values)
    }

    /// The words of the key as slots have them; zero stands for no word, so that keys with the largest go `nowhere`.
    fn key_words(&self, table: Table, key: Memory<'c>, nowhere: Block<'c>) -> Emit<Vec<Int<'c>>> {
        let llvm = self.llvm;
        let mut words = Vec::with_capacity(table.key_words as usize);
        for number in 0..table.key_words {
            let word = llvm.load(llvm.at(key, number * 8)?, 8)?;
            let word = llvm.builder.build_int_add(word, llvm.int(1), "")?;
            llvm.leave_if(llvm.compare(IntPredicate::EQ, word, llvm.int(0))?, nowhere, "word")?;
            words.push(word);
        }
        Ok(words)
    }

    /// The first slot to look at, below [`SLOTS`].
    fn table_index(&self, words: &[Int<'c>]) -> Emit<Int<'c>> {
        let builder = &self.llvm.builder;
        let mut hash = self.llvm.int(0);
        for word in words {
            let sum = builder.build_int_add(hash, *word, "")?;
            hash = builder.build_int_mul(sum, self.llvm.uint(GOLDEN), "")?;
        }
        let shift = self.llvm.uint(u64::from(64 - SLOTS.trailing_zeros()));
        Ok(builder.build_right_shift(hash, shift, false, "")?)
    }

    /// This CPU's slots. A program that is moved to another CPU behind this goes on here, which does no harm.
    fn own_slots(&self, id: MapId, table: Table) -> Emit<Ptr<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let variable = self.unit.tables.get(id.0 as usize).copied().flatten();
        let variable = variable.ok_or_else(|| Failure::internal("a map without its table"))?;
        let cpu = llvm.call(Helper::ProcessorId, &[])?;
        let mut cpu = builder.build_and(cpu, llvm.uint(u64::from(table.cpus - 1)), "")?;
        if table.pages > 1 {
            let before = builder.build_int_mul(self.page()?, llvm.uint(u64::from(table.cpus)), "")?;
            // multiplied as it is: LLVM would negate the page's bit to mask the size, which verifiers of 6.1 cannot follow
            cpu = llvm.opaque(builder.build_int_add(cpu, before, "")?)?;
            cpu =
                builder.build_and(cpu, llvm.uint(u64::from((table.cpus * table.pages).next_power_of_two() - 1)), "")?;
        }
        let bytes = builder.build_int_mul(cpu, llvm.uint(u64::from(table.cpu_words() * 8)), "")?;
        llvm.offset(variable, bytes)
    }

    /// Goes on when the word in memory is `word`, written right now if there was none; to `next` when it is another.
    fn claim(&self, at: Memory<'c>, word: Int<'c>, next: Block<'c>) -> Emit {
        let llvm = self.llvm;
        let [free, taken] = [llvm.new_block("free")?, llvm.new_block("taken")?];
        let seen = llvm.load_volatile(at, 8)?;
        let before = llvm.block()?;
        llvm.branch_if(llvm.is_true(seen)?, taken, free)?;
        llvm.position(free);
        llvm.compare_exchange(at.ptr, llvm.int(0), word)?;
        // Whoever wrote it, it stays.
        let written = llvm.load_volatile(at, 8)?;
        llvm.branch(taken)?;
        llvm.position(taken);
        let seen = llvm.phi(&[(seen, before), (written, free)])?;
        llvm.leave_if(llvm.compare(IntPredicate::NE, seen, word)?, next, "same")
    }
}
