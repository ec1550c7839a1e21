//! Whether this process may load programs into the kernel, found out before the kernel is asked.

use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;

const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// An error with the remedy when loading cannot succeed.
pub fn check() -> Result<(), Diagnostic> {
    let capabilities = effective_capabilities();
    let has = |number: u32| capabilities & (1 << number) != 0;
    if has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)) { Ok(()) } else { Err(refused()) }
}

/// The message for an operation that the kernel did not permit.
pub fn refused() -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::NoPrivilege, "tracing needs privileges that this process does not have")
        .help("run lt as root (sudo lt ...), or give it CAP_BPF and CAP_PERFMON");
    if lockdown_is_confidentiality() {
        return diagnostic.note("the kernel is locked down to confidentiality, which refuses tracing even to root");
    }
    diagnostic
}

/// Bit n is set when capability n is effective.
fn effective_capabilities() -> u64 {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let mut header = Header { version: VERSION_3, pid: 0 };
    // effective, permitted, inheritable: low words, then high words
    let mut sets = [[0u32; 3]; 2];
    // SAFETY: the header asks for version 3, for which the kernel writes two sets of three words.
    let status = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
    if status == 0 { u64::from(sets[0][0]) | u64::from(sets[1][0]) << 32 } else { 0 }
}

fn lockdown_is_confidentiality() -> bool {
    std::fs::read_to_string("/sys/kernel/security/lockdown").is_ok_and(|text| text.contains("[confidentiality]"))
}
