//! Names of registers, and where `struct pt_regs` keeps them.

/// Name and offset in bytes, for the architecture that lt was built for.
#[cfg(target_arch = "x86_64")]
const TABLE: &[(&str, u32)] = &[
    ("r15", 0),
    ("r14", 8),
    ("r13", 16),
    ("r12", 24),
    ("bp", 32),
    ("bx", 40),
    ("r11", 48),
    ("r10", 56),
    ("r9", 64),
    ("r8", 72),
    ("ax", 80),
    ("cx", 88),
    ("dx", 96),
    ("si", 104),
    ("di", 112),
    ("orig_ax", 120),
    ("ip", 128),
    ("cs", 136),
    ("flags", 144),
    ("sp", 152),
    ("ss", 160),
    ("pc", 128),
];
/// Name and offset in bytes, for the architecture that lt was built for.
#[cfg(target_arch = "aarch64")]
const TABLE: &[(&str, u32)] = &[
    ("r0", 0),
    ("r1", 8),
    ("r2", 16),
    ("r3", 24),
    ("r4", 32),
    ("r5", 40),
    ("r6", 48),
    ("r7", 56),
    ("r8", 64),
    ("r9", 72),
    ("r10", 80),
    ("r11", 88),
    ("r12", 96),
    ("r13", 104),
    ("r14", 112),
    ("r15", 120),
    ("r16", 128),
    ("r17", 136),
    ("r18", 144),
    ("r19", 152),
    ("r20", 160),
    ("r21", 168),
    ("r22", 176),
    ("r23", 184),
    ("r24", 192),
    ("r25", 200),
    ("r26", 208),
    ("r27", 216),
    ("r28", 224),
    ("r29", 232),
    ("fp", 232),
    ("r30", 240),
    ("lr", 240),
    ("sp", 248),
    ("pc", 256),
    ("ip", 256),
    ("pstate", 264),
];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const TABLE: &[(&str, u32)] = &[];

/// Where a register is kept: bytes from the start of `struct pt_regs`.
pub fn offset(name: &str) -> Option<u32> {
    TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

/// The register that tells user code from the kernel's, and the bits of it that are 0 in the kernel.
pub const MODE: Option<(u32, i64)> = if cfg!(target_arch = "x86_64") { Some((136, 3)) } else { None };
