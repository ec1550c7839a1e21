//! Numbers of C: their words, and the names that everybody knows.

use super::CType;

/// Words that make up the names of number types.
const WORDS: &[&str] = &[
    "void",
    "char",
    "short",
    "int",
    "long",
    "signed",
    "unsigned",
    "__signed__",
    "float",
    "double",
    "_Bool",
    "__int128",
];

/// Whether the word is part of a number type's name.
pub(super) fn is_number_word(word: &str) -> bool {
    WORDS.contains(&word)
}

/// The type that these words mean in any order.
pub(super) fn number_type(words: &[&str]) -> Option<CType> {
    let count = |word: &str| words.iter().filter(|found| **found == word).count();
    let signed = count("unsigned") == 0;
    let plain = count("signed") + count("__signed__") + count("unsigned") == 0;
    let int = |bits| Some(CType::Int { bits, signed });
    let longs = count("long");
    let rest: Vec<&str> =
        words.iter().copied().filter(|word| !matches!(*word, "signed" | "unsigned" | "__signed__" | "long")).collect();
    match (rest.as_slice(), longs) {
        (["void"], 0) if plain => Some(CType::Void),
        (["_Bool"], 0) if plain => Some(CType::Int { bits: 8, signed: false }),
        (["char"], 0) if plain => Some(CType::Char),
        (["char"], 0) => int(8),
        (["short"] | ["short", "int"] | ["int", "short"], 0) => int(16),
        ([] | ["int"], 0) => int(32),
        ([] | ["int"], 1 | 2) => int(64),
        (["float"], 0) if plain => Some(CType::Float(4)),
        (["double"], 0) if plain => Some(CType::Float(8)),
        (["double"], 1) if plain => Some(CType::Float(16)),
        (["__int128"], 0) => Some(CType::Float(16)),
        _ => None,
    }
}

/// Names that stand in headers which scripts include.
const NAMED: &[(&str, u8, bool)] = &[
    ("int8_t", 8, true),
    ("int16_t", 16, true),
    ("int32_t", 32, true),
    ("int64_t", 64, true),
    ("uint8_t", 8, false),
    ("uint16_t", 16, false),
    ("uint32_t", 32, false),
    ("uint64_t", 64, false),
    ("s8", 8, true),
    ("s16", 16, true),
    ("s32", 32, true),
    ("s64", 64, true),
    ("u8", 8, false),
    ("u16", 16, false),
    ("u32", 32, false),
    ("u64", 64, false),
    ("__s8", 8, true),
    ("__s16", 16, true),
    ("__s32", 32, true),
    ("__s64", 64, true),
    ("__u8", 8, false),
    ("__u16", 16, false),
    ("__u32", 32, false),
    ("__u64", 64, false),
    ("__be16", 16, false),
    ("__be32", 32, false),
    ("__be64", 64, false),
    ("__le16", 16, false),
    ("__le32", 32, false),
    ("__le64", 64, false),
    ("size_t", 64, false),
    ("ssize_t", 64, true),
    ("uintptr_t", 64, false),
    ("intptr_t", 64, true),
    ("off_t", 64, true),
    ("loff_t", 64, true),
    ("time_t", 64, true),
    ("pid_t", 32, true),
    ("uid_t", 32, false),
    ("gid_t", 32, false),
    ("mode_t", 32, false),
    ("dev_t", 64, false),
    ("bool", 8, false),
];

/// A number type by the name that a header gives it.
pub(super) fn named(name: &str) -> Option<CType> {
    let row = NAMED.iter().find(|row| row.0 == name)?;
    Some(CType::Int { bits: row.1, signed: row.2 })
}
