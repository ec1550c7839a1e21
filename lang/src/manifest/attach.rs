//! How programs get to run.

use serde::{Deserialize, Serialize};

/// How a program gets to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attach {
    /// Run once by lt before everything else.
    Begin,
    /// Run once by lt after everything else.
    End,
    /// Run by lt each time this many nanoseconds have passed.
    Interval {
        /// At least 1.
        period_ns: u64,
    },
    /// A tracepoint's perf event.
    Tracepoint {
        /// `syscalls`
        category: String,
        /// `sys_enter_read`
        name: String,
        /// Number of the tracepoint in this kernel.
        id: u64,
    },
    /// Run by lt each time it gets this signal.
    Signal {
        /// Number of the signal.
        number: i32,
    },
    /// Run by lt over and over, to measure it.
    Bench {
        /// What it is called.
        name: String,
    },
    /// Run by lt once, to see what it returns.
    Test {
        /// What it is called.
        name: String,
    },
    /// Run once for each of some objects, when lt asks for them.
    Iterator {
        /// `task`
        objects: String,
        /// Where it stays in the BPF file system, to be run by whoever reads it.
        pin: Option<String>,
    },
    /// Entry or return of a kernel function, or a place in one, by breakpoint.
    Kprobe {
        /// The function.
        function: String,
        /// The module that has it, where the script says it.
        module: Option<String>,
        /// Bytes from the function's entry.
        offset: u64,
        /// In place of the function.
        address: Option<u64>,
        /// At return.
        ret: bool,
    },
    /// Entry or return of many kernel functions at once.
    KprobeMulti {
        /// The functions.
        functions: Vec<String>,
        /// At return.
        ret: bool,
    },
    /// Entry or return of a kernel function, by trampoline.
    Fentry {
        /// The function.
        function: String,
        /// The module that has it, where the script says it.
        module: Option<String>,
        /// At return.
        ret: bool,
    },
    /// A timer on every CPU.
    Profile {
        /// The rate.
        rate: SampleRate,
    },
    /// A tracepoint with the arguments that the kernel passes to it, without the record that a perf event makes of them.
    RawTracepoint {
        /// `sched_switch`
        name: String,
    },
    /// An event that the kernel or the processor counts, on every CPU.
    PerfEvent {
        /// Counted by the processor.
        hardware: bool,
        /// Number of the event among those of its type.
        config: u64,
        /// Fires each time so many have happened; at least 1.
        count: u64,
    },
    /// A place in a program or library, in all processes that run it.
    Uprobe {
        /// The file.
        path: String,
        /// The function; empty when none is known at this address.
        function: String,
        /// Bytes from the start of the file.
        offset: u64,
        /// At the function's return.
        ret: bool,
    },
    /// Places in programs or libraries, in all processes that run them.
    UprobeMulti {
        /// The places.
        places: Vec<UserPlace>,
        /// At the functions' returns.
        ret: bool,
    },
    /// Places of one marker at which its arguments are found in the same way.
    Usdt {
        /// The file.
        path: String,
        /// Bytes from the start of the file.
        offsets: Vec<u64>,
        /// Where the file keeps the number of those who watch, in bytes from its start; 0 for none.
        semaphore: u64,
        /// How its arguments are found.
        arguments: Vec<Operand>,
    },
    /// Accesses to memory.
    Watchpoint {
        /// Where.
        address: u64,
        /// 1, 2, 4 or 8 bytes.
        length: u8,
        /// Bits: 1 reading, 2 writing, 4 executing.
        mode: u8,
    },
}

/// A place in a program or library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPlace {
    /// The file.
    pub path: String,
    /// Bytes from its start.
    pub offset: u64,
}

/// How an argument of a marker is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operand {
    /// Bytes: 1, 2, 4 or 8.
    pub size: u8,
    /// A signed number.
    pub signed: bool,
    /// Where it is.
    pub place: OperandPlace,
}

/// Where an argument of a marker is. Registers are named as the assembler names them, in their full width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperandPlace {
    /// It is this number.
    Constant(i64),
    /// In a register.
    Register(String),
    /// In the process's memory.
    Memory {
        /// A register.
        base: String,
        /// Bytes from there.
        offset: i64,
        /// Another register, with what it is multiplied by.
        index: Option<(String, u8)>,
    },
}

/// How often a profile probe fires on each CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SampleRate {
    /// Times a second.
    Hertz(u64),
    /// Once each so many nanoseconds.
    PeriodNs(u64),
}

impl Attach {
    /// The ELF section that tells libbpf the program type (and, for trampolines, the function).
    pub fn section(&self) -> String {
        match self {
            Attach::Begin
            | Attach::End
            | Attach::Interval { .. }
            | Attach::Signal { .. }
            | Attach::Bench { .. }
            | Attach::Test { .. }
            | Attach::RawTracepoint { .. } => "raw_tp".into(),
            Attach::Iterator { objects, .. } => format!("iter/{objects}"),
            Attach::KprobeMulti { .. } => "kprobe.multi".into(),
            Attach::UprobeMulti { .. } => "uprobe.multi".into(),
            Attach::Usdt { .. } => "uprobe".into(),
            Attach::Watchpoint { .. } => "perf_event".into(),
            Attach::Tracepoint { .. } => "tracepoint".into(),
            Attach::Kprobe { ret: false, .. } => "kprobe".into(),
            Attach::Kprobe { ret: true, .. } => "kretprobe".into(),
            Attach::Fentry { function, module, ret } => {
                let kind = if *ret { "fexit" } else { "fentry" };
                match module.as_deref().filter(|module| *module != "vmlinux") {
                    Some(module) => format!("{kind}/{module}:{function}"),
                    None => format!("{kind}/{function}"),
                }
            }
            Attach::Profile { .. } | Attach::PerfEvent { .. } => "perf_event".into(),
            Attach::Uprobe { ret: false, .. } => "uprobe".into(),
            Attach::Uprobe { ret: true, .. } => "uretprobe".into(),
        }
    }

    /// How the kernel gets to run the program, in its own words.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Attach::Begin | Attach::End | Attach::Interval { .. } | Attach::Signal { .. } => "run by lt",
            Attach::Bench { .. } | Attach::Test { .. } => "run by lt",
            Attach::Iterator { .. } => "iterator",
            Attach::Tracepoint { .. } => "tracepoint",
            Attach::RawTracepoint { .. } => "raw tracepoint",
            Attach::Kprobe { ret: false, .. } => "kprobe",
            Attach::Kprobe { ret: true, .. } => "kretprobe",
            Attach::KprobeMulti { ret: false, .. } => "kprobe.multi",
            Attach::KprobeMulti { ret: true, .. } => "kretprobe.multi",
            Attach::Fentry { ret: false, .. } => "fentry",
            Attach::Fentry { ret: true, .. } => "fexit",
            Attach::Profile { .. } | Attach::PerfEvent { .. } => "perf event",
            Attach::Watchpoint { .. } => "hardware breakpoint",
            Attach::Uprobe { ret: false, .. } | Attach::Usdt { .. } => "uprobe",
            Attach::Uprobe { ret: true, .. } => "uretprobe",
            Attach::UprobeMulti { ret: false, .. } => "uprobe.multi",
            Attach::UprobeMulti { ret: true, .. } => "uretprobe.multi",
        }
    }

    /// Whether the kernel runs the programs of one place in the opposite order of their attaching.
    pub fn runs_last_first(&self) -> bool {
        match self {
            Attach::Kprobe { ret, .. } | Attach::KprobeMulti { ret, .. } => !ret,
            Attach::Fentry { .. } | Attach::Uprobe { .. } | Attach::UprobeMulti { .. } | Attach::Usdt { .. } => true,
            _ => false,
        }
    }

    /// Whether lt itself runs the program (with `BPF_PROG_TEST_RUN`) instead of attaching it.
    pub fn is_driver(&self) -> bool {
        matches!(
            self,
            Attach::Begin
                | Attach::End
                | Attach::Interval { .. }
                | Attach::Signal { .. }
                | Attach::Bench { .. }
                | Attach::Test { .. }
        )
    }

    /// Whether the program's context is the registers of what was interrupted at a place in code.
    pub fn has_registers(&self) -> bool {
        matches!(
            self,
            Attach::Kprobe { .. }
                | Attach::KprobeMulti { .. }
                | Attach::Uprobe { .. }
                | Attach::UprobeMulti { .. }
                | Attach::Usdt { .. }
        )
    }

    /// Whether the program runs in code of a process, whose memory the registers point into.
    pub fn is_user(&self) -> bool {
        matches!(self, Attach::Uprobe { .. } | Attach::UprobeMulti { .. } | Attach::Usdt { .. })
    }
}
