//! Where generated actions stand, and what can be read there. Fields are those that all kernels from 5.10 have.

/// Values of one kind of place: expressions and their types (`s` signed, `u` unsigned, bits), and strings.
pub struct Place {
    pub probe: &'static str,
    pub ints: &'static [(&'static str, u32, bool)],
    pub strings: &'static [&'static str],
}

/// Everywhere.
pub const ANYWHERE: Place = Place {
    probe: "",
    ints: &[
        ("pid", 32, false),
        ("tid", 32, false),
        ("uid", 64, false),
        ("gid", 64, false),
        ("cpu", 32, false),
        ("nsecs", 64, false),
        ("elapsed", 64, false),
        ("rand", 32, false),
        ("sizeof(uint32)", 64, false),
        ("sizeof(comm)", 64, false),
        ("len(kstack)", 64, true),
        ("len(ustack(5))", 64, true),
        ("curtask.pid", 32, true),
        ("curtask.tgid", 32, true),
        ("curtask->flags", 32, false),
        ("curtask.prio", 32, true),
        ("curtask.policy", 32, false),
        ("curtask.start_time", 64, false),
        ("curtask.in_execve", 32, false),
        ("curtask.se.vruntime", 64, false),
        ("curtask.se.load.weight", 64, false),
        ("curtask.real_parent.tgid", 32, true),
        ("curtask.parent.parent.pid", 32, true),
        ("curtask.mm.total_vm", 64, false),
        ("((uint64)curtask.mm->pgd)", 64, false),
        ("curtask.cred.uid.val", 32, false),
        ("curtask.signal.nr_threads", 32, true),
        ("curtask.fs.umask", 32, true),
        ("((struct task_struct *)curtask.group_leader).prio", 32, true),
        ("((struct task_struct *)(uint64)curtask).policy", 32, false),
        ("curtask.signal.rlim[3].rlim_cur", 64, false),
        ("curtask.signal.rlim[cpu].rlim_max", 64, false),
        ("*(int32 *)(uint64)curtask.mm", 32, true),
    ],
    strings: &[
        "comm",
        "probe",
        "curtask.comm",
        "curtask.group_leader.comm",
        "curtask.real_parent.comm",
        "curtask.nsproxy.uts_ns.name.nodename",
        "str(curtask.fs.pwd.dentry.d_name.name)",
        "str(curtask.fs.root.dentry.d_name.name, 8)",
        "str(curtask.mm.arg_start)",
        "str(nsecs, pid)",
    ],
};

const READ: &[(&str, u32, bool)] = &[
    ("args.count", 64, false),
    ("arg2", 64, false),
    ("args.file.f_flags", 32, false),
    ("args.file.f_mode", 32, false),
    ("args.file.f_inode.i_ino", 64, false),
    ("args.file.f_inode.i_size", 64, true),
    ("args.file.f_path.dentry.d_parent.d_inode.i_sb.s_dev", 32, false),
    ("*args.pos", 64, true),
    ("*(args.pos + 1)", 64, true),
];
const FILE: &[&str] = &[
    "str(args.file.f_path.dentry.d_name.name)",
    "str(args.file.f_path.dentry.d_parent.d_name.name, 20)",
    "str(args.file.f_inode.i_sb.s_type.name)",
    "args.file.f_inode.i_sb.s_id",
    "func",
    "str(args.buf, 12)",
    "str(arg1, arg2)",
];
const NETWORK: &[(&str, u32, bool)] = &[
    ("args.skb.len", 32, false),
    ("args.skb.data_len", 32, false),
    ("args.dev.ifindex", 32, true),
    ("args.skb.dev.mtu", 32, false),
    ("args.skb.protocol", 16, false),
    ("args.skb.pkt_type", 8, false),
    ("*args.skb.data", 8, false),
    ("args.skb.data[pid % 20]", 8, false),
    ("args.skb.dev.nd_net.net.ns.inum", 32, false),
];
const RETURNED: &[(&str, u32, bool)] = &[("retval", 64, true)];

/// Places of kernels that trace functions.
pub const FUNCTIONS: &[Place] = &[
    Place { probe: "kprobe:vfs_read", ints: READ, strings: FILE },
    Place { probe: "fentry:vfs_read", ints: READ, strings: FILE },
    Place { probe: "fexit:vfs_write", ints: READ, strings: FILE },
    Place { probe: "fexit:vfs_read", ints: RETURNED, strings: &["func"] },
    Place { probe: "kretprobe:vfs_read", ints: RETURNED, strings: &["func"] },
    Place { probe: "kprobe:vfs_read,kprobe:vfs_write", ints: READ, strings: FILE },
    Place { probe: "kprobe:ip_rcv", ints: NETWORK, strings: &["args.dev.name", "func"] },
    Place { probe: "fentry:ip_rcv", ints: NETWORK, strings: &["args.dev.name", "func"] },
    Place { probe: "kretprobe:vfs_w*", ints: &[], strings: &["func"] },
    Place { probe: "kprobe:vfs_*", ints: &[("arg0", 64, true), ("arg5", 64, true)], strings: &["func", "str(arg1)"] },
    Place { probe: "fentry:vfs_*", ints: &[], strings: &["func", "probe"] },
];

/// Places that every machine has.
pub const PLACES: &[Place] = &[
    Place { probe: "begin", ints: &[], strings: &[] },
    Place { probe: "end", ints: &[], strings: &[] },
    Place { probe: "interval:ms:100", ints: &[], strings: &[] },
    Place { probe: "interval:s:1", ints: &[], strings: &[] },
    Place { probe: "profile:hz:99", ints: &[], strings: &[] },
    Place {
        probe: "tracepoint:syscalls:sys_enter_read",
        ints: &[("args.fd", 64, false), ("args.count", 64, false), ("*(uint16 *)args.buf", 16, false)],
        strings: &["str(args.buf)", "str(args.buf, args.count)", "str(args.buf, 9)"],
    },
    Place {
        probe: "tracepoint:syscalls:sys_enter_openat",
        ints: &[("args.dfd", 64, true), ("args.flags", 64, true)],
        strings: &["str(args.filename)", "str(args.filename, 32)"],
    },
    Place { probe: "tracepoint:syscalls:sys_exit_read", ints: &[("args.ret", 64, true)], strings: &[] },
    Place {
        probe: "tracepoint:raw_syscalls:sys_enter",
        ints: &[("args.id", 64, true), ("args.args[0]", 64, false), ("args.args[2]", 64, false)],
        strings: &["str(args.args[1], 16)"],
    },
    Place {
        probe: "tracepoint:sched:sched_switch",
        ints: &[("args.prev_pid", 32, true), ("args.next_prio", 32, true), ("args.prev_state", 64, true)],
        strings: &["args.prev_comm", "args.next_comm"],
    },
    Place {
        probe: "tracepoint:sched:sched_process_exec",
        ints: &[("args.pid", 32, true), ("args.old_pid", 32, true)],
        strings: &["args.filename"],
    },
    Place {
        probe: "tracepoint:sched:sched_wakeup,tracepoint:sched:sched_wakeup_new",
        ints: &[("args.pid", 32, true), ("args.target_cpu", 32, true)],
        strings: &["args.comm"],
    },
    Place {
        probe: "rawtracepoint:sched_switch",
        ints: &[("arg0", 64, true), ("args.prev.pid", 32, true), ("args.next.prio", 32, true)],
        strings: &["args.prev.comm", "args.next.comm"],
    },
    Place { probe: "software:page-faults:100", ints: &[], strings: &[] },
    Place { probe: "software:cpu-clock:1000000,software:cs", ints: &[], strings: &["probe"] },
    Place {
        probe: "uprobe:libc:malloc,uprobe:libc:free",
        ints: &[("arg0", 64, true), ("*(uint32 *)arg0", 32, false)],
        strings: &["str(arg0)", "str(arg0, 20)", "func"],
    },
    Place { probe: "uretprobe:libc:getenv", ints: &[("retval", 64, true)], strings: &["str(retval)", "func"] },
    Place { probe: "tracepoint:sched:sched_*", ints: &[], strings: &["probe"] },
    Place { probe: "tracepoint:irq:softirq_entry", ints: &[("args.vec", 32, false)], strings: &[] },
];
