//! C integer types by name, as the declarations of tracepoint fields use them.

use lt_lang::types::{IntType, Type};

/// Names of integer types that have one width on all 64-bit kernels: bits, signed, names.
const INTEGERS: &[(u8, bool, &[&str])] = &[
    (8, true, &["char", "signed char", "s8", "__s8", "int8_t"]),
    (8, false, &["unsigned char", "u8", "__u8", "uint8_t", "u_char"]),
    (16, true, &["short", "short int", "s16", "__s16", "int16_t"]),
    (
        16,
        false,
        &[
            "unsigned short",
            "short unsigned int",
            "u16",
            "__u16",
            "uint16_t",
            "umode_t",
            "old_uid_t",
            "old_gid_t",
            "__be16",
            "__le16",
            "sa_family_t",
        ],
    ),
    (
        32,
        true,
        &[
            "int",
            "signed",
            "signed int",
            "s32",
            "__s32",
            "int32_t",
            "pid_t",
            "clockid_t",
            "key_t",
            "mqd_t",
            "rwf_t",
            "timer_t",
            "key_serial_t",
        ],
    ),
    (
        32,
        false,
        &[
            "unsigned",
            "unsigned int",
            "uint",
            "u32",
            "__u32",
            "uint32_t",
            "uid_t",
            "gid_t",
            "qid_t",
            "dev_t",
            "gfp_t",
            "__be32",
            "__le32",
            "fmode_t",
        ],
    ),
    (
        64,
        true,
        &[
            "long",
            "long int",
            "long long",
            "long long int",
            "s64",
            "__s64",
            "int64_t",
            "ssize_t",
            "loff_t",
            "off_t",
            "time64_t",
            "ktime_t",
        ],
    ),
    (
        64,
        false,
        &[
            "unsigned long",
            "long unsigned int",
            "unsigned long long",
            "long long unsigned int",
            "u64",
            "__u64",
            "uint64_t",
            "size_t",
            "sector_t",
            "ino_t",
            "uintptr_t",
            "aio_context_t",
            "__be64",
            "__le64",
        ],
    ),
];

/// The type of this name, when it is an integer or `bool`.
pub(super) fn integer(name: &str) -> Option<Type> {
    if name == "bool" || name == "_Bool" {
        return Some(Type::Bool);
    }
    let row = INTEGERS.iter().find(|(_, _, names)| names.contains(&name))?;
    Some(Type::Int(IntType { bits: row.0, signed: row.1 }))
}
