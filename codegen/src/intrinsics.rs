//! Intrinsics: what the helpers know of the machine and the current task.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Int, Memory};
use lt_lang::hir::Intrinsic;
use lt_lang::manifest::state;

/// Bytes of a task's name in the kernel, NUL included.
const COMM: u32 = 16;

impl<'c> Emitter<'_, 'c> {
    /// A scalar.
    pub(crate) fn intrinsic(&self, intrinsic: Intrinsic) -> Emit<Int<'c>> {
        let call = |helper| self.llvm.call(helper, &[]);
        match intrinsic {
            Intrinsic::Pid => self.upper(call(Helper::PidTgid)?),
            Intrinsic::Tid => self.llvm.extend(call(Helper::PidTgid)?, 32, false),
            Intrinsic::Uid => self.llvm.extend(call(Helper::UidGid)?, 32, false),
            Intrinsic::Gid => self.upper(call(Helper::UidGid)?),
            Intrinsic::Cpu => self.llvm.extend(call(Helper::ProcessorId)?, 32, false),
            Intrinsic::NanosecondsBoot => call(Helper::KtimeBootNs),
            Intrinsic::NanosecondsMonotonic => call(Helper::KtimeNs),
            Intrinsic::Elapsed => {
                let now = call(Helper::KtimeBootNs)?;
                let start = self.llvm.load_volatile(Memory::aligned(self.unit.start), 8)?;
                Ok(self.llvm.builder.build_int_sub(now, start, "")?)
            }
            Intrinsic::CurrentTask => call(Helper::CurrentTask),
            Intrinsic::Random => self.llvm.extend(call(Helper::Random)?, 32, false),
            Intrinsic::NumaNode => self.llvm.extend(call(Helper::NumaNode)?, 32, false),
            Intrinsic::Jiffies => call(Helper::Jiffies),
            Intrinsic::Cgroup => call(Helper::CgroupId),
            Intrinsic::NanosecondsTai => call(Helper::KtimeTaiNs),
            Intrinsic::TaiOffset => self.llvm.load_volatile(self.state_word(state::TAI_OFFSET)?, 8),
            Intrinsic::CommandPid => self.llvm.load_volatile(self.state_word(state::COMMAND_PID)?, 8),
            Intrinsic::Register(offset) => self.context(offset, 8),
            Intrinsic::NamespacePid { thread, device, inode } => self.namespace_pid(thread, device, inode),
            Intrinsic::Comm => Err(Failure::internal("a memory value where a scalar is needed")),
        }
    }

    /// The helper leaves zeros when the process is none of the namespace.
    pub(crate) fn namespace_pid(&self, thread: bool, device: u64, inode: u64) -> Emit<Int<'c>> {
        let (device, inode) = (self.llvm.uint(device), self.llvm.uint(inode));
        let size = self.llvm.int(8);
        let arguments = [device.into(), inode.into(), self.temp.ptr.into(), size.into()];
        self.llvm.call(Helper::NamespacePidTgid, &arguments)?;
        self.llvm.load(self.llvm.at(self.temp, if thread { 0 } else { 4 })?, 4)
    }

    fn upper(&self, value: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.llvm.builder.build_right_shift(value, self.llvm.int(32), false, "")?)
    }

    /// A memory value of `size` bytes.
    pub(crate) fn place_intrinsic(&self, intrinsic: Intrinsic, size: u32, to: Memory<'c>, zeroed: bool) -> Emit {
        if intrinsic != Intrinsic::Comm {
            return Err(Failure::internal("a scalar where a memory value is needed"));
        }
        if let Some(offset) = self.name_offset().filter(|_| size >= COMM) {
            self.read_name(offset, to)?;
            return if zeroed { self.zero(to, COMM, size) } else { Ok(()) };
        }
        // Not every kernel's helper pads the name with zeros (6.1 does not).
        if zeroed {
            self.zero(to, 0, size)?;
        }
        let bytes = self.llvm.uint(u64::from(size.min(COMM)));
        self.llvm.call(Helper::Comm, &[to.ptr.into(), bytes.into()])?;
        Ok(())
    }
}
