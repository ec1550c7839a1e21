//! What lang and codegen know of the kernel that a script is compiled for: traits that the runtime's `KernelProfile`
//! implements from the running kernel or from a file, so that the kernel compiled for need not be the kernel running.

#[doc(hidden)]
pub mod fake;
mod user;

use crate::types::{AddressSpace, KernelTypeId, RecordKind, Type};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
pub use user::{Marker, Segment, UserFile, UserFunction};

/// `major.minor.patch` of a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KernelVersion {
    /// 6 of 6.12.3
    pub major: u16,
    /// 12 of 6.12.3
    pub minor: u16,
    /// 3 of 6.12.3
    pub patch: u16,
}

impl KernelVersion {
    /// Version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        KernelVersion { major, minor, patch: 0 }
    }

    /// Reads the front of a release such as `6.1.0-50-cloud-amd64`.
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>().ok());
        let major = numbers.next()??;
        let minor = numbers.next()??;
        let patch = numbers.next().flatten().unwrap_or(0);
        Some(KernelVersion { major, minor, patch })
    }
}

impl std::fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

macro_rules! features {
    ($($name:ident since $major:literal . $minor:literal, $detect:expr, $word:expr, $doc:literal;)*) => {
        /// Something that not every kernel from 5.10 on can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Feature { $(#[doc = $doc] $name,)* }

        /// The table of features: since when upstream has it, and how it is detected.
        pub const FEATURES: &[FeatureRow] = &[$(FeatureRow {
            feature: Feature::$name, since: KernelVersion::new($major, $minor), detect: $detect, word: $word, doc: $doc,
        },)*];
    };
}

/// A row of [`FEATURES`].
#[derive(Debug)]
pub struct FeatureRow {
    /// The feature.
    pub feature: Feature,
    /// First upstream version that has it.
    pub since: KernelVersion,
    /// How the runtime finds out.
    pub detect: Detect,
    /// What bpftrace calls it, where it has a name for it.
    pub word: Option<&'static str>,
    /// What it is.
    pub doc: &'static str,
}

/// How a feature is detected (never by trial loads: they cost start-up time).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detect {
    /// By the kernel's version alone.
    Version,
    /// By a member of `enum bpf_func_id` in the kernel's BTF (distributions backport helpers); by version without BTF.
    Helper(&'static str),
    /// A function that the kernel has when it can do it (kallsyms).
    Symbol(&'static str),
}

features! {
    CurrentTaskBtf since 5 . 11, Detect::Helper("BPF_FUNC_get_current_task_btf"), None, "the current task as a typed pointer";
    AtomicFetch since 5 . 12, Detect::Version, None, "atomic operations that return the old value, compare-and-exchange";
    MapLoop since 5 . 13, Detect::Helper("BPF_FUNC_for_each_map_elem"), None, "loops over the entries of a map";
    SocketCookie since 5 . 12, Detect::Symbol("bpf_get_socket_ptr_cookie"), None, "number for a socket in programs that trace";
    PerCpuRead since 5 . 19, Detect::Helper("BPF_FUNC_map_lookup_percpu_elem"), Some("lookup_percpu_elem"), "programs that read what other CPUs counted";
    StepLoop since 5 . 17, Detect::Helper("BPF_FUNC_loop"), Some("loop"), "loops of millions of steps";
    PlainPointerArguments since 5 . 17, Detect::Version, None, "direct reads of trampoline arguments that point to something else than a structure";
    MapWithoutPreallocation since 6 . 1, Detect::Version, None, "hash maps that allocate on demand from any context";
    AtomicClock since 6 . 1, Detect::Helper("BPF_FUNC_ktime_get_tai_ns"), Some("get_tai_ns"), "clock of atomic time for programs";
    Override since 5 . 10, Detect::Symbol("bpf_override_return"), None, "way to keep functions from running (CONFIG_BPF_KPROBE_OVERRIDE)";
    Kprobes since 5 . 10, Detect::Symbol("register_kprobe"), None, "kprobes (CONFIG_KPROBES)";
    Trampolines since 5 . 10, Detect::Symbol("bpf_trampoline_link_prog"), None, "fentry and fexit (BPF trampolines)";
    KprobeMulti since 5 . 18, Detect::Symbol("bpf_kprobe_multi_link_release"), Some("kprobe_multi"), "many kprobes with one program";
    UprobeMulti since 6 . 6, Detect::Symbol("bpf_uprobe_multi_link_release"), Some("uprobe_multi"), "many uprobes with one program";
}

impl Feature {
    /// The row of this feature.
    pub fn row(self) -> &'static FeatureRow {
        FEATURES.get(self as usize).unwrap_or(&FEATURES[0])
    }
}

/// A member of a record, looked up by name; anonymous members have been looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name; empty for an anonymous one (in [`KernelTypes::members`] only).
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bits from the start of the record asked.
    pub bit_offset: u32,
    /// Width in bits when it is a bit-field.
    pub bit_size: Option<u32>,
}

/// A parameter of a kernel function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A kernel function's prototype.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionProto {
    /// In order.
    pub params: Vec<Parameter>,
    /// [`Type::Void`] when it returns nothing.
    pub returns: Type,
}

/// A field of a tracepoint's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracepointField {
    /// Its name.
    pub name: String,
    /// The C declaration's type, for listings (`unsigned int`, `char[16]`).
    pub c_type: String,
    /// Its type; a `__data_loc char[]` is a string of `max_strlen` bytes, a `char[N]` a `string[N]`.
    pub ty: Type,
    /// Bytes from the start of the program's context.
    pub offset: u32,
    /// Bytes it takes there.
    pub size: u32,
    /// The place holds `length << 16 | offset` of the value (`__data_loc`).
    pub data_loc: bool,
}

/// A tracepoint's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracepointFormat {
    /// Number that `perf_event_open` takes.
    pub id: u64,
    /// Without the common fields.
    pub fields: Vec<TracepointField>,
}

/// Why a look-up gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelError {
    /// The kernel has no BTF, or it cannot be read; the text says why.
    NoBtf(String),
    /// Tracefs cannot be reached; the text says why.
    NoTracefs(String),
    /// Another file could not be read; the text says which and why.
    Unreadable(String),
}

/// Result of a look-up: `Ok(None)` means that the kernel has no such thing.
pub type Lookup<T> = Result<Option<T>, KernelError>;

/// The kernel's types and record layouts.
pub trait KernelTypes {
    /// Finds `struct NAME` or `union NAME`.
    fn record(&self, kind: RecordKind, name: &str) -> Lookup<Type>;
    /// Size in bytes of a record.
    fn record_size(&self, id: KernelTypeId) -> u32;
    /// A member by name, through anonymous members.
    fn member(&self, record: KernelTypeId, name: &str) -> Option<Member>;
    /// All members by their own names, anonymous ones replaced by theirs (for suggestions and listings).
    fn members(&self, record: KernelTypeId) -> Vec<Member>;
    /// A function's prototype.
    fn function(&self, name: &str) -> Lookup<FunctionProto>;
    /// What a name of a type stands for.
    fn typedef(&self, name: &str) -> Lookup<Type> {
        let _ = name;
        Ok(None)
    }
    /// Finds `enum NAME`.
    fn enumeration(&self, name: &str) -> Lookup<Type> {
        let _ = name;
        Ok(None)
    }
    /// The enumeration that the member of this name belongs to, as a type.
    fn enumeration_of(&self, enumerator: &str) -> Option<Type> {
        let _ = enumerator;
        None
    }
    /// Names and values of an enumeration's members.
    fn enumerators(&self, id: KernelTypeId) -> Vec<(String, i64)> {
        let _ = id;
        Vec::new()
    }
    /// The value of a member of any enumeration, named or not; of several members of one name, the first one's.
    fn enumerator(&self, name: &str) -> Lookup<i64>;
    /// A tracepoint's record.
    fn tracepoint(&self, category: &str, name: &str) -> Lookup<TracepointFormat>;
}

/// The kernel's names that probes can name.
pub trait ProbeTargets {
    /// Functions that a kprobe can be set on and whose name matches `pattern` (`*` and `?` wild).
    fn functions(&self, pattern: &str) -> Result<Vec<String>, KernelError>;
    /// The same with their modules, `(module, function)`, of modules whose name matches too; the kernel's own module is
    /// `vmlinux`. Sorted, each function once.
    fn functions_of(&self, module: &str, pattern: &str) -> Result<Vec<(String, String)>, KernelError>;
    /// Kinds of objects that iterators run through (`task`) and whose names match, sorted.
    fn iterators(&self, pattern: &str) -> Result<Vec<String>, KernelError>;
    /// Tracepoints `(category, name)` that match.
    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, KernelError>;
    /// Raw tracepoints `(module, name)` that match; the kernel's own module is `vmlinux`.
    fn raw_tracepoints(&self, module: &str, name: &str) -> Result<Vec<(String, String)>, KernelError>;
    /// The functions of a program or library: a path, or the bare name of one that is searched for where the system
    /// keeps them. `Ok(None)` means that there is no such file.
    fn user_file(&self, name: &str) -> Lookup<Rc<UserFile>>;
    /// The programs and libraries that a pattern of paths matches. `*` alone, or an empty pattern, means all that the
    /// traced process has mapped, or that any process has. Files that are no programs are left out.
    fn user_files(&self, pattern: &str) -> Result<Vec<Rc<UserFile>>, KernelError>;
    /// Addresses, as the file has them, at which statements of a line of the source begin; `None` without debug
    /// information. The source's path may be given in part, from its end.
    fn source_line(&self, file: &UserFile, source: &str, line: u64, column: Option<u64>) -> Option<Vec<u64>>;
    /// Whether an instruction begins so many bytes behind a function's entry; `None` when that cannot be told.
    fn is_instruction(&self, file: &UserFile, function: &UserFunction, offset: u64) -> Option<bool>;
    /// The parameters of a function of a program, by its debug information: those that are passed in registers, up to
    /// the first that is not. `None` without debug information.
    fn user_function(&self, path: &str, function: &str) -> Option<FunctionProto>;
    /// A C++ function's name as the source has it, with its parameters; `None` for names of other languages.
    fn demangle(&self, name: &str) -> Option<String>;
}

/// A kernel as a value.
pub trait Kernel: KernelTypes + ProbeTargets {
    /// Its version.
    fn version(&self) -> KernelVersion;
    /// Whether it can do something; found out when first asked.
    fn has(&self, feature: Feature) -> bool;
    /// Number of possible CPUs (the length of per-CPU values).
    fn possible_cpus(&self) -> u32;
    /// Address of a symbol; for a variable of which each CPU has its own, what is added to the CPU's base.
    fn symbol(&self, name: &str) -> Lookup<u64>;
    /// Id of the control group (version 2) at this path.
    fn control_group(&self, path: &str) -> Lookup<u64>;
    /// Device and inode of the PID namespace in which processes are to be numbered; `None` for the machine's first.
    fn pid_namespace(&self) -> Option<(u64, u64)>;
    /// Address space of a pointer argument of this tracepoint: system call arguments point into user memory.
    fn tracepoint_space(&self, category: &str) -> AddressSpace {
        if category == "syscalls" { AddressSpace::User } else { AddressSpace::Kernel }
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any run of characters and `?` for one.
pub fn wildcard_match(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, matches) in [
            ("vfs_*", "vfs_read", true),
            ("*", "", true),
            ("v?s_read", "vfs_read", true),
            ("*read*", "vfs_readv", true),
            ("vfs_", "vfs_read", false),
            ("a*b*c", "aXbYb", false),
        ] {
            assert_eq!(wildcard_match(pattern, name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn versions() {
        assert_eq!(KernelVersion::parse("6.1.0-50-cloud-amd64"), Some(KernelVersion { major: 6, minor: 1, patch: 0 }));
        assert!(KernelVersion::parse("6.12.107+deb13") > Some(KernelVersion::new(6, 2)));
        assert_eq!(KernelVersion::parse("x"), None);
    }
}
