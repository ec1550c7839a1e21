//! Stacks: taken, hashed, and kept in lt's own map when they are new ([`lt_lang::stacks`]).

use crate::emitter::Emitter;
use crate::error::Emit;
use crate::helpers::{ANY, EEXIST, Helper, NO_EXIST, USER_STACK};
use crate::llvm::{Int, Memory};
use inkwell::IntPredicate;
use lt_lang::hir::Buffered;
use lt_lang::manifest::{LossCause, MapId};
use lt_lang::stacks::{self, ProcessNotice, TakenStack};

/// Where the entry begins in the memory that a stack is put together in; its key stands before.
const ENTRY: u32 = 8;
/// Where a notice is put together, behind the entry: the record's header, then the process.
const NOTICE: u32 = ENTRY + stacks::ENTRY;

/// An odd number whose bits are as good as random: the golden ratio's.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl<'c> Emitter<'_, 'c> {
    /// The key of the current stack, 0 without one. An entry is made when there is none yet.
    pub(crate) fn stack_key(&self, stack: &TakenStack) -> Emit<Int<'c>> {
        let TakenStack { map, frames, process, .. } = *stack;
        let (llvm, buffer) = (self.llvm, self.slot(stack.buffer)?);
        let entry = llvm.at(buffer, ENTRY)?;
        let first = llvm.at(entry, stacks::FRAMES)?;
        let flags = llvm.uint(if process.is_some() { USER_STACK } else { 0 });
        let size = llvm.uint(u64::from(frames) * 8);
        let bytes = llvm.call(Helper::GetStack, &[self.ctx.into(), first.ptr.into(), size.into(), flags.into()])?;
        let some = llvm.compare(IntPredicate::SGE, bytes, llvm.int(8))?;
        self.choose_by(some, || self.known_stack(map, buffer, (bytes, frames), process), || Ok(llvm.int(0)))
    }

    /// The same when there is a stack of so many bytes.
    fn known_stack(
        &self,
        map: MapId,
        buffer: Memory<'c>,
        (bytes, frames): (Int<'c>, u32),
        process: Option<ProcessNotice>,
    ) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let entry = llvm.at(buffer, ENTRY)?;
        let count = llvm.builder.build_right_shift(bytes, llvm.int(3), false, "")?;
        llvm.store(llvm.at(entry, stacks::COUNT)?, count, 4)?;
        let owner = process.as_ref().map_or_else(|| Ok(llvm.int(0)), |notice| self.current_process(notice))?;
        llvm.store(llvm.at(entry, stacks::PROCESS)?, owner, 4)?;
        let key = self.hash_frames(llvm.at(entry, stacks::FRAMES)?, bytes, frames * 8, owner)?;
        llvm.store(buffer, key, 8)?;
        let known = self.lookup(map, buffer.ptr)?;
        let fresh = || self.keep_stack(map, buffer, process);
        self.choose_by(llvm.is_null(known.ptr)?, fresh, || llvm.load(buffer, 8))
    }

    /// Its number where lt looks processes up: in lt's own PID namespace.
    fn current_process(&self, notice: &ProcessNotice) -> Emit<Int<'c>> {
        if let Some((device, inode)) = notice.namespace {
            return self.namespace_pid(false, device, inode);
        }
        let both = self.llvm.call(Helper::PidTgid, &[])?;
        Ok(self.llvm.builder.build_right_shift(both, self.llvm.int(32), false, "")?)
    }

    /// A hash of the words before `bytes`, never 0. The verifier follows each step, and needs to see that none goes beyond
    /// `most` bytes.
    fn hash_frames(&self, first: Memory<'c>, bytes: Int<'c>, most: u32, start: Int<'c>) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let [step, next, done] = [llvm.new_block("frame")?, llvm.new_block("more")?, llvm.new_block("hashed")?];
        let before = llvm.block()?;
        llvm.branch(step)?;
        llvm.position(step);
        let (at, hash) = (builder.build_phi(llvm.i64(), "")?, builder.build_phi(llvm.i64(), "")?);
        at.add_incoming(&[(&llvm.int(0), before)]);
        hash.add_incoming(&[(&start, before)]);
        let offset = at.as_basic_value().into_int_value();
        let frame = llvm.load(Memory { ptr: llvm.offset(first.ptr, offset)?, ..first }, 8)?;
        let mixed = builder.build_xor(hash.as_basic_value().into_int_value(), frame, "")?;
        let mixed = builder.build_int_mul(mixed, llvm.uint(FACTOR), "")?;
        let high = builder.build_right_shift(mixed, llvm.int(32), false, "")?;
        let mixed = builder.build_xor(mixed, high, "")?;
        let after = builder.build_int_add(offset, llvm.int(8), "")?;
        llvm.branch_if(llvm.compare(IntPredicate::ULT, after, bytes)?, next, done)?;
        llvm.position(next);
        at.add_incoming(&[(&after, next)]);
        hash.add_incoming(&[(&mixed, next)]);
        llvm.branch_if(llvm.compare(IntPredicate::ULT, after, llvm.uint(u64::from(most)))?, step, done)?;
        llvm.position(done);
        let hash = llvm.phi(&[(mixed, step), (mixed, next)])?;
        let nothing = llvm.compare(IntPredicate::EQ, hash, llvm.int(0))?;
        llvm.select(nothing, llvm.int(1), hash)
    }

    /// Makes an entry for a new stack; gives its key, or 0 when there is no room.
    fn keep_stack(&self, map: MapId, buffer: Memory<'c>, process: Option<ProcessNotice>) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let entry = llvm.at(buffer, ENTRY)?;
        let now = llvm.call(Helper::KtimeNs, &[])?;
        llvm.store(llvm.at(entry, stacks::TIME)?, now, 8)?;
        let failed = self.update(map, buffer.ptr, entry.ptr, NO_EXIST)?;
        // Another CPU may have made it in the meantime.
        let known = llvm.compare(IntPredicate::EQ, failed, llvm.int(EEXIST))?;
        let failed = llvm.select(known, llvm.int(0), failed)?;
        let lost = || self.count_loss(LossCause::StacksFull).map(|()| llvm.int(0));
        let kept = || {
            if let Some(notice) = process {
                self.noticed_process(notice, buffer)?;
            }
            llvm.load(buffer, 8)
        };
        self.choose_by(llvm.is_true(failed)?, lost, kept)
    }

    /// The current process; lt is told of it the first time.
    pub(crate) fn noticed_process(&self, notice: ProcessNotice, buffer: Memory<'c>) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let owner = self.current_process(&notice)?;
        let record = llvm.at(buffer, NOTICE)?;
        let place = llvm.at(record, 8)?;
        llvm.store(place, owner, 8)?;
        let known = self.lookup(notice.map, place.ptr)?;
        let tell = || {
            // When the ring or the map has no room, the next new stack says it again.
            let failed = self.send_whole(notice.event, record, 16)?;
            let told = || self.update(notice.map, place.ptr, place.ptr, ANY);
            self.choose_by(llvm.is_true(failed)?, || Ok(llvm.int(0)), told)
        };
        self.choose_by(llvm.is_null(known.ptr)?, tell, || Ok(llvm.int(0)))?;
        Ok(owner)
    }

    /// The number of frames of a stack that was kept.
    pub(crate) fn stack_length(&self, map: MapId, stack: &Buffered) -> Emit<Int<'c>> {
        let entry = self.lookup(map, self.buffered(stack)?.ptr)?;
        let count = || self.llvm.load(self.llvm.at(entry, stacks::COUNT)?, 4);
        self.choose_by(self.llvm.is_null(entry.ptr)?, || Ok(self.llvm.int(0)), count)
    }
}
