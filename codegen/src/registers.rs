//! Where `struct pt_regs` keeps what kprobes ask for, for each architecture.

use inkwell::targets::TargetTriple;

/// Offsets in bytes into `struct pt_regs`.
#[derive(Debug)]
pub struct Registers {
    /// As Rust calls the architecture.
    pub arch: &'static str,
    /// Registers that hold the first arguments.
    pub arguments: &'static [u32],
    /// The stack pointer at function entry, and where the next arguments lie above it.
    pub stack: u32,
    /// Bytes between the stack pointer and the first argument on the stack.
    pub stack_skip: u32,
    /// Return value.
    pub result: u32,
    /// Names that the assembler has for registers, with where they are kept.
    pub names: &'static [(&'static str, u32)],
}

impl Registers {
    /// Where the register of this name is kept.
    pub fn named(&self, name: &str) -> Option<u32> {
        self.names.iter().find(|row| row.0 == name).map(|row| row.1)
    }
}

const X86_NAMES: &[(&str, u32)] = &[
    ("r15", 0),
    ("r14", 8),
    ("r13", 16),
    ("r12", 24),
    ("rbp", 32),
    ("rbx", 40),
    ("r11", 48),
    ("r10", 56),
    ("r9", 64),
    ("r8", 72),
    ("rax", 80),
    ("rcx", 88),
    ("rdx", 96),
    ("rsi", 104),
    ("rdi", 112),
    ("rip", 128),
    ("rsp", 152),
];

const ARM_NAMES: &[(&str, u32)] = &[
    ("x0", 0),
    ("x1", 8),
    ("x2", 16),
    ("x3", 24),
    ("x4", 32),
    ("x5", 40),
    ("x6", 48),
    ("x7", 56),
    ("x8", 64),
    ("x9", 72),
    ("x10", 80),
    ("x11", 88),
    ("x12", 96),
    ("x13", 104),
    ("x14", 112),
    ("x15", 120),
    ("x16", 128),
    ("x17", 136),
    ("x18", 144),
    ("x19", 152),
    ("x20", 160),
    ("x21", 168),
    ("x22", 176),
    ("x23", 184),
    ("x24", 192),
    ("x25", 200),
    ("x26", 208),
    ("x27", 216),
    ("x28", 224),
    ("x29", 232),
    ("x30", 240),
    // the operand reader knows this register by the other architecture's name
    ("rsp", 248),
];

const TABLE: &[Registers] = &[
    Registers {
        arch: "x86_64",
        arguments: &[112, 104, 96, 88, 72, 64],
        stack: 152,
        stack_skip: 8,
        result: 80,
        names: X86_NAMES,
    },
    Registers {
        arch: "aarch64",
        arguments: &[0, 8, 16, 24, 32, 40, 48, 56],
        stack: 248,
        stack_skip: 0,
        result: 0,
        names: ARM_NAMES,
    },
];

/// The registers of the machine that lt was built for, if it is in the table.
pub fn host() -> Option<&'static Registers> {
    TABLE.iter().find(|row| row.arch == std::env::consts::ARCH)
}

/// Both architectures are little endian.
pub fn triple() -> TargetTriple {
    TargetTriple::create("bpfel")
}
