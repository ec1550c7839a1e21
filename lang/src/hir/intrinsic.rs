//! What helpers and single instructions give.

use super::{Buffered, Expr};

/// What is made of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The only argument with its bytes in reverse order, in the width of the expression's type.
    SwapBytes,
    /// `bpf_get_socket_cookie`; the argument is a typed pointer.
    SocketCookie,
    /// `bpf_send_signal` with this number; i64.
    Signal,
    /// `bpf_send_signal_thread`; i64.
    SignalThread,
    /// `bpf_override_return`; i64.
    Override,
}

/// A value in a line of the kernel's trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Traced {
    /// A number.
    Scalar(Expr),
    /// A string.
    Text(Buffered),
}

/// What code generation must know how to emit (class C of the builtin table). Everything is unsigned unless said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intrinsic {
    /// Upper half of `bpf_get_current_pid_tgid`: the process.
    Pid,
    /// Lower half: the thread.
    Tid,
    /// Lower half of `bpf_get_current_uid_gid`.
    Uid,
    /// Upper half.
    Gid,
    /// Memory value, `string[16]`: the name of the current thread.
    Comm,
    /// `bpf_get_smp_processor_id`
    Cpu,
    /// `bpf_ktime_get_boot_ns`: nanoseconds since boot.
    NanosecondsBoot,
    /// `bpf_ktime_get_ns`: nanoseconds since boot without suspends.
    NanosecondsMonotonic,
    /// Nanoseconds (as [`Intrinsic::NanosecondsBoot`]) since the loader set the global variable `lt_start`.
    Elapsed,
    /// `bpf_get_current_task`: address of the current `struct task_struct`.
    CurrentTask,
    /// `bpf_get_prandom_u32`
    Random,
    /// `bpf_get_numa_node_id`
    NumaNode,
    /// `bpf_jiffies64`
    Jiffies,
    /// `bpf_get_current_cgroup_id`
    Cgroup,
    /// `bpf_ktime_get_tai_ns`; needs [`crate::kernel::Feature::AtomicClock`].
    NanosecondsTai,
    /// Nanoseconds from the clock of boot to that of atomic time, as the loader set them.
    TaiOffset,
    /// Process id of the command of `-c`, 0 without one, as the loader set it.
    CommandPid,
    /// A word of `struct pt_regs`, which is the program's context, at this offset.
    Register(u32),
    /// The current process in a PID namespace; 0 when it is none of it.
    NamespacePid {
        /// The thread instead.
        thread: bool,
        /// Of the namespace's file.
        device: u64,
        /// Of the namespace's file.
        inode: u64,
    },
}
