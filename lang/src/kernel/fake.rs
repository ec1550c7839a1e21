//! A small kernel made of tables, for tests: it answers like a real one, can lack BTF, tracefs or features, and counts
//! how often it was asked.

use super::{
    Feature, FunctionProto, Kernel, KernelError, KernelTypes, KernelVersion, Lookup, Marker, Member, Parameter,
    ProbeTargets, Segment, TracepointField, TracepointFormat, UserFile, UserFunction, wildcard_match,
};
use crate::types::{AddressSpace, IntType, KernelTypeId, RecordKind, RecordRef, Type};
use std::cell::Cell;
use std::rc::Rc;

/// A kernel for tests.
#[derive(Debug)]
pub struct FakeKernel {
    /// Its version.
    pub version: KernelVersion,
    /// Has BTF.
    pub btf: bool,
    /// Has tracefs.
    pub tracefs: bool,
    /// What it can do.
    pub features: Vec<Feature>,
    /// How often it was asked anything.
    pub asked: Cell<u32>,
}

impl Default for FakeKernel {
    fn default() -> Self {
        let features = super::FEATURES.iter().map(|row| row.feature).collect();
        FakeKernel { version: KernelVersion::new(6, 1), btf: true, tracefs: true, features, asked: Cell::new(0) }
    }
}

struct FakeRecord {
    id: u64,
    name: &'static str,
    members: Vec<Member>,
}

/// Sizes of the records by their ids.
const SIZES: &[(u64, u32)] =
    &[(1, 96), (2, 48), (3, 16), (4, 64), (5, 16), (6, 8), (7, 16), (8, 24), (9, 16), (10, 16), (11, 8)];

const CHAR: Type = Type::Int(IntType { bits: 8, signed: true });

fn record_type(id: u64, name: &str) -> Type {
    let size = SIZES.iter().find(|row| row.0 == id).map_or(0, |row| row.1);
    Type::Record(RecordRef { kind: RecordKind::Struct, name: name.into(), id: KernelTypeId(id), size })
}

fn pointer(id: u64, name: &str) -> Type {
    Type::kernel_pointer(record_type(id, name))
}

fn member(name: &str, offset: u32, ty: Type) -> Member {
    Member { name: name.into(), ty, bit_offset: offset * 8, bit_size: None }
}

fn bits(name: &str, bit_offset: u32, bit_size: u32) -> Member {
    Member { name: name.into(), ty: Type::U32, bit_offset, bit_size: Some(bit_size) }
}

fn string(size: u32) -> Type {
    Type::String { size }
}

fn file_records() -> Vec<FakeRecord> {
    let file = vec![
        member("f_mode", 0, Type::U32),
        member("f_count", 8, Type::U64),
        member("f_path", 16, record_type(3, "path")),
        member("f_flags", 32, Type::U32),
        member("f_pos", 40, Type::I64),
    ];
    let path = vec![member("mnt", 0, pointer(6, "vfsmount")), member("dentry", 8, pointer(4, "dentry"))];
    let dentry = vec![
        member("d_flags", 0, Type::U32),
        member("d_name", 8, record_type(5, "qstr")),
        member("d_iname", 24, string(32)),
        member("d_parent", 56, pointer(4, "dentry")),
    ];
    // `hash` and `len` stand in an anonymous struct of the real kernel.
    let qstr =
        vec![member("hash", 0, Type::U32), member("len", 4, Type::U32), member("name", 8, Type::kernel_pointer(CHAR))];
    vec![
        FakeRecord { id: 2, name: "file", members: file },
        FakeRecord { id: 3, name: "path", members: path },
        FakeRecord { id: 4, name: "dentry", members: dentry },
        FakeRecord { id: 5, name: "qstr", members: qstr },
        FakeRecord { id: 6, name: "vfsmount", members: vec![member("mnt_flags", 0, Type::I32)] },
    ]
}

fn records() -> Vec<FakeRecord> {
    let task = vec![
        member("state", 0, Type::U32),
        member("pid", 8, Type::I32),
        member("tgid", 12, Type::I32),
        member("comm", 16, string(16)),
        member("real_parent", 32, pointer(1, "task_struct")),
        member("group_leader", 40, pointer(1, "task_struct")),
        member("start_time", 48, Type::U64),
        bits("in_execve", 56 * 8, 1),
        bits("sched_policy", 56 * 8 + 1, 3),
        member("masks", 64, Type::Array { element: Box::new(Type::U64), len: 4 }),
    ];
    let skb =
        vec![member("len", 0, Type::U32), member("data_len", 4, Type::U32), member("dev", 8, pointer(8, "net_device"))];
    let bytes = Type::Array { element: Box::new(Type::U8), len: 32 };
    let device = vec![member("name", 0, string(16)), member("ifindex", 16, Type::I32), member("perm_addr", 24, bytes)];
    let mut all = file_records();
    let meta = member("meta", 0, Type::kernel_pointer(Type::Void));
    let iterated = vec![meta, member("task", 8, pointer(1, "task_struct"))];
    all.push(FakeRecord { id: 9, name: "bpf_iter__task", members: iterated });
    all.push(FakeRecord { id: 1, name: "task_struct", members: task });
    all.push(FakeRecord { id: 7, name: "sk_buff", members: skb });
    all.push(FakeRecord { id: 8, name: "net_device", members: device });
    let socket = vec![member("__sk_common", 0, record_type(11, "sock_common")), member("sk_drops", 8, Type::U32)];
    all.push(FakeRecord { id: 10, name: "sock", members: socket });
    all.push(FakeRecord { id: 11, name: "sock_common", members: vec![member("skc_daddr", 0, Type::U32)] });
    all
}

/// Functions that a kprobe can be set on; the last has no prototype.
const FUNCTIONS: &[&str] = &["vfs_read", "vfs_write", "ip_rcv", "schedule", "tcp_v4_connect", "no_prototype"];

fn prototype(name: &str) -> Option<FunctionProto> {
    let file = || ("file", pointer(2, "file"));
    let (params, returns) = match name {
        "vfs_read" | "vfs_write" => {
            let buf = ("buf", Type::kernel_pointer(CHAR));
            (vec![file(), buf, ("count", Type::U64), ("pos", Type::kernel_pointer(Type::I64))], Type::I64)
        }
        "ip_rcv" => {
            let dev = pointer(8, "net_device");
            let pt = Type::kernel_pointer(Type::Void);
            (vec![("skb", pointer(7, "sk_buff")), ("dev", dev.clone()), ("pt", pt), ("orig_dev", dev)], Type::I32)
        }
        "schedule" => (vec![], Type::Void),
        "tcp_v4_connect" => (vec![("sk", pointer(10, "sock"))], Type::I32),
        "__traceiter_sched_switch" => {
            let data = ("__data", Type::kernel_pointer(Type::Void));
            let task = || pointer(1, "task_struct");
            (vec![data, ("preempt", Type::Bool), ("prev", task()), ("next", task())], Type::I32)
        }
        _ => return None,
    };
    let params = params.into_iter().map(|(name, ty)| Parameter { name: name.into(), ty }).collect();
    Some(FunctionProto { params, returns })
}

/// Members of enumerations.
const ENUMERATORS: &[(&str, i64)] = &[("TCP_ESTABLISHED", 1), ("TCP_LISTEN", 10), ("HRTIMER_BASE_NONE", -1)];

/// Category and name of all tracepoints.
const TRACEPOINTS: &[(&str, &str)] = &[
    ("raw_syscalls", "sys_enter"),
    ("sched", "sched_process_exec"),
    ("sched", "sched_switch"),
    ("syscalls", "sys_enter_execve"),
    ("syscalls", "sys_enter_openat"),
    ("syscalls", "sys_enter_read"),
    ("syscalls", "sys_exit_read"),
];

fn field(name: &str, offset: u32, ty: Type) -> TracepointField {
    let (size, c_type) = (ty.size(), ty.to_string());
    TracepointField { name: name.into(), c_type, ty, offset, size, data_loc: false }
}

fn tracepoint_fields(name: &str) -> Vec<TracepointField> {
    let user = || Type::Pointer { to: Box::new(CHAR), space: AddressSpace::User };
    let number = field("__syscall_nr", 8, Type::I32);
    match name {
        "sys_enter" => {
            vec![field("id", 8, Type::I64), field("args", 16, Type::Array { element: Box::new(Type::U64), len: 6 })]
        }
        "sched_process_exec" => {
            let filename = TracepointField { size: 4, data_loc: true, ..field("filename", 8, string(1024)) };
            vec![filename, field("pid", 12, Type::I32)]
        }
        "sched_switch" => vec![
            field("prev_comm", 8, string(16)),
            field("prev_pid", 24, Type::I32),
            field("prev_prio", 28, Type::I32),
            field("prev_state", 32, Type::I64),
            field("next_comm", 40, string(16)),
            field("next_pid", 56, Type::I32),
        ],
        "sys_enter_openat" => vec![
            number,
            field("dfd", 16, Type::I64),
            field("filename", 24, user()),
            field("flags", 32, Type::I64),
            field("mode", 40, Type::U64),
        ],
        "sys_enter_execve" => {
            let strings = Type::Pointer { to: Box::new(user()), space: AddressSpace::User };
            vec![number, field("filename", 16, user()), field("argv", 24, strings)]
        }
        "sys_enter_read" => {
            vec![number, field("fd", 16, Type::U64), field("buf", 24, user()), field("count", 32, Type::U64)]
        }
        _ => vec![number, field("ret", 16, Type::I64)],
    }
}

fn markers() -> Vec<Marker> {
    let marker = |name: &str, address, arguments: &str| Marker {
        provider: "libc".into(),
        name: name.into(),
        address,
        semaphore: 0,
        arguments: arguments.into(),
    };
    vec![
        marker("setjmp", 0x1100, "8@%rdi -4@%esi"),
        marker("twice", 0x1200, "8@%rax"),
        marker("twice", 0x1300, "-4@$7"),
    ]
}

impl FakeKernel {
    fn ask(&self) {
        self.asked.set(self.asked.get() + 1);
    }

    fn btf<T>(&self, found: impl FnOnce() -> Option<T>) -> Lookup<T> {
        self.ask();
        if self.btf { Ok(found()) } else { Err(KernelError::NoBtf("/sys/kernel/btf/vmlinux does not exist".into())) }
    }

    fn check_tracefs(&self) -> Result<(), KernelError> {
        self.ask();
        if self.tracefs { Ok(()) } else { Err(KernelError::NoTracefs("tracefs is not mounted".into())) }
    }
}

impl KernelTypes for FakeKernel {
    fn record(&self, kind: RecordKind, name: &str) -> Lookup<Type> {
        let wanted = |record: &FakeRecord| kind == RecordKind::Struct && record.name == name;
        self.btf(|| records().into_iter().find(wanted).map(|record| record_type(record.id, record.name)))
    }

    fn record_size(&self, id: KernelTypeId) -> u32 {
        self.ask();
        SIZES.iter().find(|row| row.0 == id.0).map_or(0, |row| row.1)
    }

    fn member(&self, record: KernelTypeId, name: &str) -> Option<Member> {
        self.members(record).into_iter().find(|member| member.name == name)
    }

    fn members(&self, record: KernelTypeId) -> Vec<Member> {
        self.ask();
        records().into_iter().find(|row| row.id == record.0).map_or(vec![], |row| row.members)
    }

    fn function(&self, name: &str) -> Lookup<FunctionProto> {
        self.btf(|| prototype(name))
    }

    fn enumerator(&self, name: &str) -> Lookup<i64> {
        self.btf(|| ENUMERATORS.iter().find(|row| row.0 == name).map(|row| row.1))
    }

    fn tracepoint(&self, category: &str, name: &str) -> Lookup<TracepointFormat> {
        self.check_tracefs()?;
        let at = TRACEPOINTS.iter().position(|row| *row == (category, name));
        Ok(at.map(|at| TracepointFormat { id: 100 + at as u64, fields: tracepoint_fields(name) }))
    }
}

impl ProbeTargets for FakeKernel {
    fn functions(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        self.ask();
        Ok(FUNCTIONS.iter().filter(|name| wildcard_match(pattern, name)).map(ToString::to_string).collect())
    }

    fn functions_of(&self, module: &str, pattern: &str) -> Result<Vec<(String, String)>, KernelError> {
        let found = if wildcard_match(module, "vmlinux") { self.functions(pattern)? } else { Vec::new() };
        Ok(found.into_iter().map(|name| ("vmlinux".to_string(), name)).collect())
    }

    fn iterators(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        let known = ["task", "task_file"].iter().filter(|name| wildcard_match(pattern, name));
        self.btf(|| Some(known.map(ToString::to_string).collect())).map(Option::unwrap_or_default)
    }

    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        self.check_tracefs()?;
        let matches = |row: &&(&str, &str)| wildcard_match(category, row.0) && wildcard_match(name, row.1);
        Ok(TRACEPOINTS.iter().filter(matches).map(|row| (row.0.to_string(), row.1.to_string())).collect())
    }

    fn raw_tracepoints(&self, module: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        let known = ["sched_switch", "sched_wakeup"].into_iter();
        let found = known.filter(|known| wildcard_match(module, "vmlinux") && wildcard_match(name, known));
        self.btf(|| Some(found.map(|name| ("vmlinux".to_string(), name.to_string())).collect()))
            .map(Option::unwrap_or_default)
    }

    fn user_file(&self, name: &str) -> Lookup<Rc<UserFile>> {
        self.ask();
        let path = match name {
            "/bin/sh" | "sh" => "/bin/sh",
            "libc" => "/lib/libc.so.6",
            _ => return Ok(None),
        };
        let function =
            |(name, address): &(&str, u64)| UserFunction { name: (*name).into(), address: *address, size: 32 };
        Ok(Some(Rc::new(UserFile {
            path: path.into(),
            shown: path.into(),
            markers: markers(),
            functions: [("main", 0x1000), ("malloc", 0x1020), ("readline", 0x1040), ("readlink", 0x1080)]
                .iter()
                .map(function)
                .collect(),
            segments: vec![Segment { address: 0x1000, size: 0x1000, offset: 0x400 }],
        })))
    }

    fn source_line(&self, _: &UserFile, source: &str, line: u64, _: Option<u64>) -> Option<Vec<u64>> {
        (source == "main.c").then(|| if line == 7 { vec![0x1004, 0x1008] } else { Vec::new() })
    }

    fn is_instruction(&self, _: &UserFile, _: &UserFunction, offset: u64) -> Option<bool> {
        Some(offset.is_multiple_of(4))
    }

    fn user_function(&self, _: &str, function: &str) -> Option<FunctionProto> {
        let param = |name: &str, ty| Parameter { name: name.into(), ty };
        let text = Type::Pointer { to: Box::new(CHAR), space: AddressSpace::User };
        let params = vec![param("count", Type::I32), param("name", text)];
        (function == "main").then_some(FunctionProto { params, returns: Type::I32 })
    }

    fn demangle(&self, name: &str) -> Option<String> {
        name.strip_prefix("_Z").map(|name| format!("{name}()"))
    }

    fn user_files(&self, pattern: &str) -> Result<Vec<Rc<UserFile>>, KernelError> {
        let known = ["/bin/sh", "libc"].iter().filter(|_| matches!(pattern, "" | "*" | "/*"));
        Ok(known.filter_map(|name| self.user_file(name).ok().flatten()).collect())
    }
}

impl Kernel for FakeKernel {
    fn version(&self) -> KernelVersion {
        self.ask();
        self.version
    }

    fn has(&self, feature: Feature) -> bool {
        self.ask();
        self.features.contains(&feature)
    }

    fn symbol(&self, name: &str) -> Lookup<u64> {
        self.ask();
        Ok(["jiffies", "process_counts", "__per_cpu_offset"]
            .iter()
            .position(|known| *known == name)
            .map(|at| 0x1000 * (at as u64 + 1)))
    }

    fn control_group(&self, path: &str) -> Lookup<u64> {
        self.ask();
        Ok((path == "/sys/fs/cgroup").then_some(1))
    }

    fn pid_namespace(&self) -> Option<(u64, u64)> {
        None
    }

    fn possible_cpus(&self) -> u32 {
        self.ask();
        4
    }
}
