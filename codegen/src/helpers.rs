//! The table of BPF helpers that programs call: number, name, and the kernel that has had it first.

use lt_lang::kernel::KernelVersion;

macro_rules! helpers {
    ($($variant:ident = $id:literal, $name:literal, $major:literal . $minor:literal;)*) => {
        /// A helper; its discriminant is the kernel's number for it (`enum bpf_func_id`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Helper { $(#[doc = $name] $variant = $id,)* }

        /// All helpers that lt uses, by number.
        pub const ALL: &[HelperRow] = &[$(HelperRow {
            helper: Helper::$variant, name: $name, since: KernelVersion::new($major, $minor),
        },)*];
    };
}

/// A row of the table.
#[derive(Debug)]
pub struct HelperRow {
    /// The helper.
    pub helper: Helper,
    /// Its name without `bpf_`.
    pub name: &'static str,
    /// First kernel that has it (distributions backport some).
    pub since: KernelVersion,
}

helpers! {
    MapLookup = 1, "map_lookup_elem", 3 . 19;
    MapUpdate = 2, "map_update_elem", 3 . 19;
    MapDelete = 3, "map_delete_elem", 3 . 19;
    KtimeNs = 5, "ktime_get_ns", 4 . 1;
    TracePrintk = 6, "trace_printk", 4 . 1;
    Random = 7, "get_prandom_u32", 4 . 1;
    ProcessorId = 8, "get_smp_processor_id", 4 . 1;
    PidTgid = 14, "get_current_pid_tgid", 4 . 2;
    UidGid = 15, "get_current_uid_gid", 4 . 2;
    Comm = 16, "get_current_comm", 4 . 2;
    CurrentTask = 35, "get_current_task", 4 . 8;
    WriteUser = 36, "probe_write_user", 4 . 8;
    NumaNode = 42, "get_numa_node_id", 4 . 10;
    SocketCookie = 46, "get_socket_cookie", 4 . 12;
    OverrideReturn = 58, "override_return", 4 . 16;
    GetStack = 67, "get_stack", 4 . 18;
    CgroupId = 80, "get_current_cgroup_id", 4 . 18;
    SendSignal = 109, "send_signal", 5 . 3;
    ReadUser = 112, "probe_read_user", 5 . 5;
    ReadKernel = 113, "probe_read_kernel", 5 . 5;
    ReadUserStr = 114, "probe_read_user_str", 5 . 5;
    ReadKernelStr = 115, "probe_read_kernel_str", 5 . 5;
    SendSignalThread = 117, "send_signal_thread", 5 . 6;
    Jiffies = 118, "jiffies64", 5 . 6;
    NamespacePidTgid = 120, "get_ns_current_pid_tgid", 5 . 7;
    KtimeBootNs = 125, "ktime_get_boot_ns", 5 . 8;
    SeqWrite = 127, "seq_write", 5 . 7;
    RingbufOutput = 130, "ringbuf_output", 5 . 8;
    RingbufReserve = 131, "ringbuf_reserve", 5 . 8;
    RingbufSubmit = 132, "ringbuf_submit", 5 . 8;
    CurrentTaskBtf = 158, "get_current_task_btf", 5 . 11;
    ForEachMapElem = 164, "for_each_map_elem", 5 . 13;
    Loop = 181, "loop", 5 . 17;
    MapLookupPerCpu = 195, "map_lookup_percpu_elem", 5 . 19;
    KtimeTaiNs = 208, "ktime_get_tai_ns", 6 . 1;
}

/// The name of the helper with this number, if lt uses it.
pub fn name(id: u32) -> Option<&'static str> {
    ALL.iter().find(|row| row.helper as u32 == id).map(|row| row.name)
}

/// `BPF_ANY`: make or replace.
pub const ANY: u64 = 0;
/// `BPF_NOEXIST`: make only.
pub const NO_EXIST: u64 = 1;
/// `BPF_F_USER_STACK`
pub const USER_STACK: u64 = 1 << 8;
/// `BPF_RB_FORCE_WAKEUP`
pub const FORCE_WAKEUP: u64 = 2;
/// `-EEXIST`
pub const EEXIST: i64 = -17;
