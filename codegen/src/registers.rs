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
}

const TABLE: &[Registers] = &[
    Registers { arch: "x86_64", arguments: &[112, 104, 96, 88, 72, 64], stack: 152, stack_skip: 8, result: 80 },
    Registers { arch: "aarch64", arguments: &[0, 8, 16, 24, 32, 40, 48, 56], stack: 248, stack_skip: 0, result: 0 },
];

/// The registers of the machine that lt was built for, if it is in the table.
pub fn host() -> Option<&'static Registers> {
    TABLE.iter().find(|row| row.arch == std::env::consts::ARCH)
}

/// Both architectures are little endian.
pub fn triple() -> TargetTriple {
    TargetTriple::create("bpfel")
}
