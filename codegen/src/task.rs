//! What is read from the current task itself, which spares the program a helper.

use crate::emitter::Emitter;
use crate::error::Emit;
use crate::helpers::Helper;
use crate::llvm::{Int, Memory, Ptr};
use inkwell::IntPredicate;
use lt_lang::kernel::Feature;
use lt_lang::types::{RecordKind, Type};

impl<'c> Emitter<'_, 'c> {
    /// Where the current task's name lies in it, when a program can read it there: two loads, where the helper costs as
    /// much as the rest of a short program.
    pub(crate) fn name_offset(&self) -> Option<u32> {
        let kernel = self.unit.kernel;
        if !kernel.has(Feature::CurrentTaskBtf) {
            return None;
        }
        let Ok(Some(Type::Record(task))) = kernel.record(RecordKind::Struct, "task_struct") else { return None };
        let name = kernel.member(task.id, "comm")?;
        (name.ty.size() == 16 && name.bit_offset.is_multiple_of(8)).then_some(name.bit_offset / 8)
    }

    /// The 16 bytes of the current task's name, with zeros behind its NUL. Kernels before 5.17 leave the rest of a
    /// longer name there, and later ones do while they write a new one.
    pub(crate) fn read_name(&self, offset: u32, to: Memory<'c>) -> Emit {
        let llvm = self.llvm;
        let task = llvm.call_for_pointer(Helper::CurrentTaskBtf, &[])?;
        let (first, goes_on) = self.up_to_nul(self.task_word(task, offset)?)?;
        let (second, _) = self.up_to_nul(self.task_word(task, offset + 8)?)?;
        let second = llvm.select(goes_on, second, llvm.int(0))?;
        llvm.store(to, first, 8)?;
        llvm.store(llvm.at(to, 8)?, second, 8)
    }

    /// One load, whatever the alignment: the verifier knows the memory's type, and both architectures can.
    fn task_word(&self, task: Ptr<'c>, offset: u32) -> Emit<Int<'c>> {
        let at = self.llvm.offset(task, self.llvm.uint(u64::from(offset)))?;
        self.llvm.load_volatile(Memory::aligned(at), 8)
    }

    /// Eight characters with zeros from the first NUL on, and whether there is none (an i1).
    fn up_to_nul(&self, word: Int<'c>) -> Emit<(Int<'c>, Int<'c>)> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        // The lowest bit that is left is the top bit of the first zero byte; those above it may be wrong.
        let nuls = self.nuls(word)?;
        let first = builder.build_and(nuls, builder.build_int_neg(nuls, "")?, "")?;
        // Ones below that byte; nothing but ones without a NUL.
        let below =
            builder.build_int_sub(builder.build_right_shift(first, llvm.int(7), false, "")?, llvm.int(1), "")?;
        let goes_on = llvm.compare(IntPredicate::EQ, nuls, llvm.int(0))?;
        Ok((builder.build_and(word, below, "")?, goes_on))
    }
}
