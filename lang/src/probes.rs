//! The table of probe kinds: names, targets, what their programs can see.

pub mod operands;
mod perf_events;

use crate::kernel::Feature;
use crate::types::AddressSpace;
pub use perf_events::{HARDWARE, PerfEventRow, SOFTWARE};

/// The kinds of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Before everything else.
    Begin,
    /// After everything else.
    End,
    /// A timer in lt.
    Interval,
    /// A timer on every CPU.
    Profile,
    /// A static tracepoint of the kernel.
    Tracepoint,
    /// Entry of a kernel function.
    Kprobe,
    /// Return of a kernel function.
    Kretprobe,
    /// Entry of a kernel function by trampoline.
    Fentry,
    /// Return of a kernel function by trampoline.
    Fexit,
    /// A static tracepoint of the kernel, with the arguments that the kernel passes to it.
    RawTracepoint,
    /// An event that the kernel counts.
    Software,
    /// An event that the processor counts.
    Hardware,
    /// Entry of, or place in, a function of a program or library.
    Uprobe,
    /// Return of a function of a program or library.
    Uretprobe,
    /// Entry of a kernel function, by the cheapest mechanism.
    Function,
    /// Return of a kernel function, by the cheapest mechanism.
    FunctionReturn,
    /// A marker that a program or library was built with.
    Usdt,
    /// Each of some objects of the kernel, once.
    Iter,
    /// An access to memory.
    Watchpoint,
    /// Something that happens to lt itself.
    Itself,
    /// Run over and over to measure it, with `--bench`.
    Bench,
    /// Run once to see whether it passes, with `--test`.
    Test,
}

/// Where the names of wildcards come from, and how the parts of a target are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSyntax {
    /// No target.
    None,
    /// `s:1`, `ms:100`, `us:50`, `hz:99`, or a duration: `1s`.
    Period,
    /// `CATEGORY:NAME`, wild.
    Tracepoint,
    /// `FUNCTION`, wild; `MODULE:FUNCTION`.
    Function,
    /// `NAME`, wild; `MODULE:NAME`.
    RawTracepoint,
    /// `EVENT` of a table, or `EVENT:COUNT`.
    PerfEvent(&'static [PerfEventRow]),
    /// `FILE:FUNCTION`, the function wild; `FILE:FUNCTION+OFFSET`, `FILE:ADDRESS`. The file is a path, or the name of a
    /// program or library; its functions may have C++ names.
    UserFunction,
    /// `FILE:PROVIDER:NAME`, wild; `FILE:NAME`.
    Marker,
    /// `OBJECTS`, `OBJECTS:PIN`
    Iterator,
    /// `ADDRESS:LENGTH:MODE`
    Watchpoint,
    /// `signal:NAME`
    Itself,
    /// A name of its own.
    Label,
}

/// What `arg0`, `args` and `retval` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// There are none.
    None,
    /// Fields of the tracepoint's record.
    TracepointFields,
    /// Parameters of the function.
    Parameters,
    /// Only its return value.
    ReturnValue,
    /// Parameters and return value.
    ParametersAndReturnValue,
    /// Arguments by number only.
    Operands,
    /// The object, as fields of `ctx`.
    Object,
}

/// A row of the table.
#[derive(Debug)]
pub struct ProbeRow {
    /// The kind.
    pub kind: ProbeKind,
    /// Its name, as printed.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its target.
    pub target: TargetSyntax,
    /// What its programs see of the event.
    pub arguments: Arguments,
    /// Memory that a bare number as an address is taken to point to.
    pub space: AddressSpace,
    /// Needed of the kernel.
    pub needs: Option<Feature>,
    /// For the reference page and completion.
    pub doc: &'static str,
    /// A script that uses it.
    pub example: &'static str,
}

impl ProbeRow {
    /// What `probetype` says.
    pub fn word(&self) -> &'static str {
        match self.kind {
            ProbeKind::Begin | ProbeKind::End => "special",
            _ => self.name,
        }
    }

    /// Whether pointers among its arguments are known to the verifier by their types.
    pub fn has_typed_arguments(&self) -> bool {
        matches!(self.kind, ProbeKind::Fentry | ProbeKind::Fexit)
    }

    /// Whether its programs are handed the registers of what was interrupted.
    pub fn has_registers(&self) -> bool {
        match self.kind {
            ProbeKind::Kprobe
            | ProbeKind::Kretprobe
            | ProbeKind::Uprobe
            | ProbeKind::Uretprobe
            | ProbeKind::Profile
            | ProbeKind::Software
            | ProbeKind::Usdt
            | ProbeKind::Watchpoint
            | ProbeKind::Hardware => true,
            ProbeKind::Begin
            | ProbeKind::End
            | ProbeKind::Interval
            | ProbeKind::Tracepoint
            | ProbeKind::Fentry
            | ProbeKind::Fexit
            | ProbeKind::Function
            | ProbeKind::FunctionReturn
            | ProbeKind::Iter
            | ProbeKind::Itself
            | ProbeKind::Bench
            | ProbeKind::Test
            | ProbeKind::RawTracepoint => false,
        }
    }
}

/// All probe kinds.
pub const ALL: &[ProbeRow] = &[
    ProbeRow {
        kind: ProbeKind::Begin,
        name: "begin",
        aliases: &["BEGIN"],
        target: TargetSyntax::None,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Runs once, before any other probe.",
        example: "begin { printf(\"started\\n\") }",
    },
    ProbeRow {
        kind: ProbeKind::End,
        name: "end",
        aliases: &["END"],
        target: TargetSyntax::None,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Runs once, after all other probes have ended and before maps are printed.",
        example: "begin { exit() } end { printf(\"done\\n\") }",
    },
    ProbeRow {
        kind: ProbeKind::Interval,
        name: "interval",
        aliases: &["i"],
        target: TargetSyntax::Period,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Runs in lt at regular times: interval:s:1, interval:ms:100, interval:1m.",
        example: "interval:ms:10 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Profile,
        name: "profile",
        aliases: &["p"],
        target: TargetSyntax::Period,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Runs on every CPU at regular times: profile:hz:99.",
        example: "profile:hz:99 { @[comm] = count() } interval:s:1 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Tracepoint,
        name: "tracepoint",
        aliases: &["t"],
        target: TargetSyntax::Tracepoint,
        arguments: Arguments::TracepointFields,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "A static tracepoint of the kernel; its fields are args.NAME.",
        example: "tracepoint:sched:sched_switch { @[args.next_pid] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Kprobe,
        name: "kprobe",
        aliases: &["k"],
        target: TargetSyntax::Function,
        arguments: Arguments::Parameters,
        space: AddressSpace::Unknown,
        needs: Some(Feature::Kprobes),
        doc: "Entry of a kernel function; its parameters are arg0... and, with BTF, args.NAME.",
        example: "kprobe:vfs_read { @bytes = sum(args.count); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Kretprobe,
        name: "kretprobe",
        aliases: &["kr"],
        target: TargetSyntax::Function,
        arguments: Arguments::ReturnValue,
        space: AddressSpace::Unknown,
        needs: Some(Feature::Kprobes),
        doc: "Return of a kernel function; what it returned is retval.",
        example: "kretprobe:vfs_read { @[retval < 0] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Fentry,
        name: "fentry",
        aliases: &["f", "kfunc"],
        target: TargetSyntax::Function,
        arguments: Arguments::Parameters,
        space: AddressSpace::Unknown,
        needs: Some(Feature::Trampolines),
        doc: "Entry of a kernel function by trampoline: cheaper than kprobe; its parameters are args.NAME.",
        example: "fentry:vfs_read { @bytes = sum(args.count); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Fexit,
        name: "fexit",
        aliases: &["fr", "kretfunc"],
        target: TargetSyntax::Function,
        arguments: Arguments::ParametersAndReturnValue,
        space: AddressSpace::Unknown,
        needs: Some(Feature::Trampolines),
        doc: "Return of a kernel function by trampoline: parameters as args.NAME and the value as retval.",
        example: "fexit:vfs_read { @[retval < 0] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::RawTracepoint,
        name: "rawtracepoint",
        aliases: &["rt"],
        target: TargetSyntax::RawTracepoint,
        arguments: Arguments::Parameters,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "A static tracepoint with the arguments that the kernel passes to it: arg0... and, with BTF, args.NAME.",
        example: "rawtracepoint:sched_switch { @[args.next.pid] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Software,
        name: "software",
        aliases: &["s"],
        target: TargetSyntax::PerfEvent(SOFTWARE),
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Each COUNT-th event that the kernel counts: software:page-faults:100, software:cs.",
        example: "software:page-faults:1 { @[comm] = count() } interval:s:1 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Hardware,
        name: "hardware",
        aliases: &["h"],
        target: TargetSyntax::PerfEvent(HARDWARE),
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Each COUNT-th event that the processor counts: hardware:cache-misses:1000000, hardware:cycles.",
        example: "hardware:cache-misses:1000 { @[comm] = count() } interval:s:1 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Uprobe,
        name: "uprobe",
        aliases: &["u"],
        target: TargetSyntax::UserFunction,
        arguments: Arguments::Parameters,
        space: AddressSpace::User,
        needs: None,
        doc: "Entry of a function of a program or library, or an address in it; its arguments are arg0...",
        example: "uprobe:libc:malloc { @bytes = hist(arg0); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Uretprobe,
        name: "uretprobe",
        aliases: &["ur"],
        target: TargetSyntax::UserFunction,
        arguments: Arguments::ReturnValue,
        space: AddressSpace::User,
        needs: None,
        doc: "Return of a function of a program or library; what it returned is retval.",
        example: "uretprobe:libc:malloc { @failed[retval == 0] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Function,
        name: "function",
        aliases: &[],
        target: TargetSyntax::Function,
        arguments: Arguments::Parameters,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Entry of a kernel function, by whatever this kernel does most cheaply: fentry, else kprobe.",
        example: "function:vfs_read { @bytes = sum(args.count); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::FunctionReturn,
        name: "function_return",
        aliases: &[],
        target: TargetSyntax::Function,
        arguments: Arguments::ParametersAndReturnValue,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Return of a kernel function, by whatever this kernel does most cheaply: fexit, else kretprobe.",
        example: "function_return:vfs_read { @[retval < 0] = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Usdt,
        name: "usdt",
        aliases: &["U"],
        target: TargetSyntax::Marker,
        arguments: Arguments::Operands,
        space: AddressSpace::User,
        needs: None,
        doc: "A marker in a program or library: usdt:FILE:PROVIDER:NAME; its arguments are arg0...",
        example: "usdt:libc:libc:setjmp { @[comm] = count() } interval:s:1 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Iter,
        name: "iter",
        aliases: &["it"],
        target: TargetSyntax::Iterator,
        arguments: Arguments::Object,
        space: AddressSpace::Kernel,
        needs: None,
        doc: "Runs once for each object of the kernel: iter:task, iter:task_file, iter:task_vma; its fields are ctx.NAME.",
        example: "iter:task { @[ctx.task.comm] = count() }",
    },
    ProbeRow {
        kind: ProbeKind::Watchpoint,
        name: "watchpoint",
        aliases: &["w", "asyncwatchpoint", "aw"],
        target: TargetSyntax::Watchpoint,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Each access to 1, 2, 4 or 8 bytes of memory: watchpoint:ADDRESS:LENGTH:MODE; the mode is of r, w and x.",
        example: "watchpoint:0x10000000:8:rw { @[comm] = count() } interval:s:1 { exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Itself,
        name: "self",
        aliases: &[],
        target: TargetSyntax::Itself,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Runs in lt each time it gets a signal: self:signal:SIGUSR1.",
        example: "self:signal:SIGUSR1 { print(@) } interval:ms:10 { @ = count(); exit() }",
    },
    ProbeRow {
        kind: ProbeKind::Bench,
        name: "bench",
        aliases: &[],
        target: TargetSyntax::Label,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Measures how long its action takes, when lt is run with --bench.",
        example: "begin { } bench:count { @ = count() }",
    },
    ProbeRow {
        kind: ProbeKind::Test,
        name: "test",
        aliases: &[],
        target: TargetSyntax::Label,
        arguments: Arguments::None,
        space: AddressSpace::Unknown,
        needs: None,
        doc: "Passes unless its action returns a number other than 0 or exits with one, when lt is run with --test.",
        example: "begin { } test:sums { $x = 2; if ($x + 2 != 4) { exit(1) } }",
    },
];

/// Functions that the kernel makes for a tracepoint. They take what it passes to programs, behind a pointer of their own;
/// which of them BTF describes depends on the kernel.
pub fn raw_carriers(tracepoint: &str) -> impl Iterator<Item = String> {
    ["__traceiter_", "__probestub_", "__bpf_trace_"].iter().map(move |carrier| format!("{carrier}{tracepoint}"))
}

/// Whether a word is a kind that takes a target.
pub fn takes_target(name: &str) -> bool {
    lookup(name).is_some_and(|row| row.target != TargetSyntax::None)
}

/// Whether a word is a kind that stands alone.
pub fn stands_alone(name: &str) -> bool {
    lookup(name).is_some_and(|row| row.target == TargetSyntax::None)
}

/// Whether targets of this kind can be paths of files: a `/` is part of the target.
pub fn has_path(name: &str) -> bool {
    let path = |target| matches!(target, TargetSyntax::UserFunction | TargetSyntax::Marker | TargetSyntax::Iterator);
    lookup(name).is_some_and(|row| path(row.target))
}

/// Whether targets of this kind can be C++ names: a `<` that touches is part of the target.
pub fn has_cpp_name(name: &str) -> bool {
    lookup(name).is_some_and(|row| matches!(row.target, TargetSyntax::UserFunction | TargetSyntax::Marker))
}

/// Finds a kind by any of its names.
pub fn lookup(name: &str) -> Option<&'static ProbeRow> {
    ALL.iter().find(|row| row.name == name || row.aliases.contains(&name))
}

impl ProbeKind {
    /// The row of this kind.
    pub fn row(self) -> &'static ProbeRow {
        ALL.get(self as usize).unwrap_or(&ALL[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_kinds() {
        for row in ALL {
            assert_eq!(row.kind.row().name, row.name);
        }
    }
}
