//! Types and their byte layout: the single truth that checker, code generator and decoder share.

use serde::{Deserialize, Serialize};

/// An integer of 8, 16, 32 or 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IntType {
    /// Width: 8, 16, 32 or 64.
    pub bits: u8,
    /// Two's complement when true.
    pub signed: bool,
}

/// Which memory an address points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AddressSpace {
    /// Read with `bpf_probe_read_kernel`.
    Kernel,
    /// Read with `bpf_probe_read_user`.
    User,
    /// A bare number: decided at run time by the address itself (kernel addresses have the top bit set).
    Unknown,
}

/// `struct` or `union`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordKind {
    /// `struct`
    Struct,
    /// `union`
    Union,
}

/// A record of the kernel or of the script: its name, and an id for it (anonymous records have nothing else).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// `struct` or `union`.
    pub kind: RecordKind,
    /// Empty for an anonymous record.
    pub name: String,
    /// As [`crate::kernel::KernelTypes`] numbers it.
    pub id: KernelTypeId,
    /// Bytes; 0 for what was only declared where it was named ([`crate::kernel::KernelTypes::record_size`] may know).
    pub size: u32,
}

/// An enumeration of the kernel or of the script.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnumRef {
    /// Empty for an anonymous one.
    pub name: String,
    /// As [`crate::kernel::KernelTypes`] numbers it.
    pub id: KernelTypeId,
    /// The integer that holds a value.
    pub int: IntType,
}

/// A named value of a [`Type::Fields`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamedType {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: Type,
}

/// A type of the kernel as the one [`crate::kernel::KernelTypes`] that made it numbers it (BTF id; module in the high bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KernelTypeId(pub u64);

/// How a stack is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StackMode {
    /// `        function+offset`, one frame a line (bpftrace's own form).
    Bpftrace,
    /// `\tffffffff81000000 function+offset (module)`, as perf script prints it.
    Perf,
    /// Bare addresses.
    Raw,
    /// Build id of the file and offset in it, without names (user stacks only).
    BuildId,
}

impl StackMode {
    /// The words for the modes.
    pub const WORDS: &'static [(&'static str, StackMode)] = &[
        ("bpftrace", StackMode::Bpftrace),
        ("perf", StackMode::Perf),
        ("raw", StackMode::Raw),
        ("build_id", StackMode::BuildId),
    ];

    /// The mode of this name.
    pub fn of_word(word: &str) -> Option<StackMode> {
        StackMode::WORDS.iter().find(|row| row.0 == word).map(|row| row.1)
    }
}

/// A captured stack; its value is 8 bytes: its key in the stack map (a u64, 0 when there is no stack). Two stacks have the
/// same key when they have the same frames and, in user space, belong to the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StackType {
    /// Kernel or user frames.
    pub space: AddressSpace,
    /// Shown how.
    pub mode: StackMode,
    /// At most so many frames are taken, innermost first.
    pub frames: u32,
}

/// Where the name of a number is looked up when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NameKind {
    /// Error numbers.
    Error,
    /// Signals.
    Signal,
    /// System calls.
    SystemCall,
    /// Users.
    User,
    /// Processes: the name of their first thread.
    Process,
    /// Addresses of hardware: six bytes, the first in the low bits.
    HardwareAddress,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// Wrong already; silences further messages.
    Error,
    /// No value.
    Void,
    /// `true` or `false`; one byte.
    Bool,
    /// An integer.
    Int(IntType),
    /// An integer that is shown by the name that an enumeration has for it.
    Enum(EnumRef),
    /// NUL-terminated bytes in a buffer of `size` bytes, NUL included; unused bytes are zero wherever the string is a map key.
    String {
        /// Capacity in bytes.
        size: u32,
    },
    /// Any bytes: their number (u32), then room for `size` of them, zero behind the number.
    Buffer {
        /// Capacity in bytes.
        size: u32,
    },
    /// An address of a value of another type ([`Type::Void`] when unknown).
    Pointer {
        /// What it points to.
        to: Box<Type>,
        /// Where.
        space: AddressSpace,
    },
    /// A struct or union, laid out as C has it.
    Record(RecordRef),
    /// `len` elements in a row.
    Array {
        /// Of this type.
        element: Box<Type>,
        /// Number of elements.
        len: u32,
    },
    /// Several values, laid out as a C struct would be; padding is zero.
    Tuple(Vec<Type>),
    /// Several values with names, laid out likewise.
    Fields(Vec<NamedType>),
    /// A stack id.
    Stack(StackType),
    /// A kernel address (u64) that is shown as the name of the symbol it lies in.
    KernelSymbol,
    /// An address (u64) in a process (its number, u64) that is shown as the name of the symbol it lies in.
    UserSymbol,
    /// A time that is shown as a format says: nanoseconds since boot (u64), then the format's index in
    /// [`crate::manifest::Manifest::time_formats`] (u64).
    Timestamp,
    /// A number (u64) that is shown by name.
    Named(NameKind),
    /// An address of the network: its family (u64), then 16 bytes, of which IPv4 uses the first four.
    Inet,
    /// A control group that is shown as its paths: its id (u64), then the filter's index in
    /// [`crate::manifest::Manifest::group_filters`] (u64), counted from 1; 0 for none.
    GroupPath,
}

impl NameKind {
    /// As messages call such a number.
    pub fn word(self) -> &'static str {
        match self {
            NameKind::Error => "error",
            NameKind::Signal => "signal",
            NameKind::SystemCall => "syscall",
            NameKind::User => "username",
            NameKind::Process => "process",
            NameKind::HardwareAddress => "mac_address",
        }
    }
}

impl Type {
    /// `uint8`
    pub const U8: Type = Type::Int(IntType { bits: 8, signed: false });
    /// `int64`, the type of literals and arithmetic.
    pub const I64: Type = Type::Int(IntType { bits: 64, signed: true });
    /// `uint64`
    pub const U64: Type = Type::Int(IntType { bits: 64, signed: false });
    /// `int32`
    pub const I32: Type = Type::Int(IntType { bits: 32, signed: true });
    /// `uint32`
    pub const U32: Type = Type::Int(IntType { bits: 32, signed: false });

    /// A pointer to kernel memory.
    pub fn kernel_pointer(to: Type) -> Type {
        Type::Pointer { to: Box::new(to), space: AddressSpace::Kernel }
    }

    /// Size in bytes of a value in maps and events; 0 for [`Type::Void`] and [`Type::Error`].
    pub fn size(&self) -> u32 {
        match self {
            Type::Error | Type::Void => 0,
            Type::Bool => 1,
            Type::Int(int) | Type::Enum(EnumRef { int, .. }) => u32::from(int.bits / 8),
            Type::Record(record) => record.size,
            Type::String { size } => *size,
            Type::Buffer { size } => size.saturating_add(BUFFER_HEADER),
            Type::Pointer { .. } | Type::Stack(_) | Type::KernelSymbol | Type::Named(_) => 8,
            Type::Timestamp | Type::UserSymbol | Type::GroupPath => 16,
            Type::Inet => 24,
            Type::Array { element, len } => element.size().saturating_mul(*len),
            Type::Tuple(_) | Type::Fields(_) => self.layout().size,
        }
    }

    /// Alignment in bytes, at least 1. That of records is not known and need not be: they are copied as bytes, and a
    /// tuple aligns them to half a word at most.
    pub fn align(&self) -> u32 {
        match self {
            Type::Error | Type::Void | Type::Bool | Type::String { .. } | Type::Buffer { .. } => 1,
            Type::Record(record) => 1 << record.size.trailing_zeros().min(2),
            Type::Int(int) | Type::Enum(EnumRef { int, .. }) => u32::from(int.bits / 8),
            Type::Pointer { .. } | Type::Stack(_) | Type::KernelSymbol | Type::UserSymbol | Type::Timestamp => 8,
            Type::Named(_) | Type::Inet | Type::GroupPath => 8,
            Type::Array { element, .. } => element.align(),
            Type::Tuple(_) | Type::Fields(_) => self.layout().align,
        }
    }

    /// The parts of a tuple, with or without names; of everything else none.
    pub fn parts(&self) -> Vec<&Type> {
        match self {
            Type::Tuple(types) => types.iter().collect(),
            Type::Fields(fields) => fields.iter().map(|field| &field.ty).collect(),
            _ => Vec::new(),
        }
    }

    /// Where the parts of a tuple lie.
    pub fn layout(&self) -> Layout {
        Layout::of_parts(0, &self.parts())
    }

    /// The number behind a name: an enumeration's integer; everything else is what it is.
    #[must_use]
    pub fn plain(&self) -> Type {
        match self {
            Type::Enum(found) => Type::Int(found.int),
            other => other.clone(),
        }
    }

    /// Whether the type, or that of an element of a tuple, could not be told.
    pub fn is_unknown(&self) -> bool {
        match self {
            Type::Error => true,
            _ => self.parts().into_iter().any(Type::is_unknown),
        }
    }

    /// Whether a value fits in a register (everything else lives in memory and is handled by address).
    pub fn is_scalar(&self) -> bool {
        matches!(
            self,
            Type::Bool
                | Type::Int(_)
                | Type::Enum(_)
                | Type::Pointer { .. }
                | Type::Stack(_)
                | Type::KernelSymbol
                | Type::Named(_)
        )
    }

    /// Whether stacks are part of it, whose frames stand in a map of their own.
    pub fn has_stack(&self) -> bool {
        match self {
            Type::Stack(_) => true,
            Type::Tuple(_) | Type::Fields(_) => self.parts().into_iter().any(Type::has_stack),
            _ => false,
        }
    }

    /// Whether the value is two's complement.
    pub fn is_signed(&self) -> bool {
        match self {
            Type::Int(int) | Type::Enum(EnumRef { int, .. }) => int.signed,
            _ => false,
        }
    }

    /// Width in bits of a scalar; 64 for everything that is no integer or bool.
    pub fn bits(&self) -> u32 {
        match self {
            Type::Int(int) | Type::Enum(EnumRef { int, .. }) => u32::from(int.bits),
            Type::Bool => 8,
            _ => 64,
        }
    }

    /// The form in which a value is a map's key: integers are widened to 64 bits (their sign stays), tuples element by
    /// element; everything else is kept as it is.
    #[must_use]
    pub fn stored(&self) -> Type {
        match self {
            Type::Int(int) => Type::Int(IntType { bits: 64, signed: int.signed }),
            Type::Enum(found) => {
                let int = IntType { bits: 64, signed: found.int.signed };
                Type::Enum(EnumRef { int, ..found.clone() })
            }
            Type::Tuple(types) => Type::Tuple(types.iter().map(Type::stored).collect()),
            Type::Fields(fields) => {
                let stored = |field: &NamedType| NamedType { name: field.name.clone(), ty: field.ty.stored() };
                Type::Fields(fields.iter().map(stored).collect())
            }
            other => other.clone(),
        }
    }
}

impl std::fmt::Display for Type {
    /// As a message names the type: `uint32`, `string[16]`, `struct file *`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Error => f.write_str("unknown"),
            Type::Void => f.write_str("void"),
            Type::Bool => f.write_str("bool"),
            Type::Int(int) => write!(f, "{}int{}", if int.signed { "" } else { "u" }, int.bits),
            Type::Enum(found) if found.name.is_empty() => f.write_str("enum"),
            Type::Enum(found) => write!(f, "enum {}", found.name),
            Type::String { size } => write!(f, "string[{size}]"),
            Type::Buffer { size } => write!(f, "buffer[{size}]"),
            Type::Pointer { to, .. } => write!(f, "{to} *"),
            Type::Record(record) => {
                let kind = if record.kind == RecordKind::Struct { "struct" } else { "union" };
                if record.name.is_empty() { write!(f, "{kind}") } else { write!(f, "{kind} {}", record.name) }
            }
            Type::Array { element, len } => write!(f, "{element}[{len}]"),
            Type::Tuple(types) => {
                let types: Vec<_> = types.iter().map(Type::to_string).collect();
                write!(f, "({})", types.join(", "))
            }
            Type::Fields(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
                write!(f, "({})", fields.join(", "))
            }
            Type::Stack(stack) => f.write_str(if stack.space == AddressSpace::User { "ustack" } else { "kstack" }),
            Type::KernelSymbol => f.write_str("ksym"),
            Type::UserSymbol => f.write_str("usym"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Named(kind) => f.write_str(kind.word()),
            Type::Inet => f.write_str("inet"),
            Type::GroupPath => f.write_str("cgroup_path"),
        }
    }
}

/// Bytes in front of those of a [`Type::Buffer`].
pub const BUFFER_HEADER: u32 = 4;

/// Where each of several values lies when they stand in a row as a C struct would hold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Byte offset of each value.
    pub offsets: Vec<u32>,
    /// Whole size, a multiple of `align`.
    pub size: u32,
    /// Alignment of the whole, at least 1.
    pub align: u32,
}

impl Layout {
    /// Lays out `types` in their order with natural alignment.
    pub fn of(types: &[Type]) -> Layout {
        Layout::after(0, types)
    }

    /// The same, beginning behind `header` bytes that are taken (offsets count from the header's start).
    pub fn after(header: u32, types: &[Type]) -> Layout {
        Layout::of_parts(header, &types.iter().collect::<Vec<_>>())
    }

    /// The same of values whose types lie apart.
    pub fn of_parts(header: u32, types: &[&Type]) -> Layout {
        let mut layout = Layout { offsets: Vec::with_capacity(types.len()), size: header, align: 1 };
        for ty in types {
            let at = layout.size.next_multiple_of(ty.align());
            layout.offsets.push(at);
            layout.size = at.saturating_add(ty.size());
            layout.align = layout.align.max(ty.align());
        }
        layout.size = layout.size.next_multiple_of(layout.align);
        layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_is_laid_out_like_a_c_struct() {
        let types = [Type::U32, Type::U64, Type::String { size: 16 }, Type::Bool];
        let layout = Layout::of(&types);
        assert_eq!(layout.offsets, [0, 8, 16, 32]);
        assert_eq!((layout.size, layout.align), (40, 8));
        assert_eq!(Type::Tuple(types.to_vec()).size(), 40);
    }

    #[test]
    fn stored_integers_are_wide() {
        assert_eq!(Type::U32.stored(), Type::U64);
        assert_eq!(Type::Tuple(vec![Type::I32, Type::Bool]).stored(), Type::Tuple(vec![Type::I64, Type::Bool]));
    }
}
