//! Reading `events/CATEGORY/NAME/format`.

use super::c_types;
use lt_lang::kernel::{TracepointField, TracepointFormat};
use lt_lang::types::{AddressSpace, IntType, RecordKind, RecordRef, Type};

/// What the reader needs to know beside the file.
pub(crate) struct Surroundings<'a> {
    /// The tracepoint belongs to `syscalls`: its fields are system call arguments, each in a register's 8 bytes.
    pub(crate) system_call: bool,
    /// Where pointers point.
    pub(crate) space: AddressSpace,
    /// Bytes of a string that the record holds behind its fields.
    pub(crate) max_strlen: u32,
    /// Gives a record of this name its number without looking it up.
    pub(crate) record: &'a dyn Fn(RecordKind, &str) -> RecordRef,
}

/// Reads a format file; `None` when it has no id. Lines that are no fields are skipped, and so are fields that every
/// tracepoint has.
pub(crate) fn parse(text: &str, around: &Surroundings<'_>) -> Option<TracepointFormat> {
    let id = text.lines().find_map(|line| line.strip_prefix("ID:"))?.trim().parse().ok()?;
    let lines = text.lines().take_while(|line| !line.starts_with("print fmt"));
    Some(TracepointFormat { id, fields: lines.filter_map(|line| field(line, around)).collect() })
}

/// A line such as `field:char comm[16]; offset:8; size:16; signed:0;` taken apart.
struct Line<'a> {
    declaration: &'a str,
    offset: u32,
    size: u32,
    signed: bool,
}

fn field(line: &str, around: &Surroundings<'_>) -> Option<TracepointField> {
    let line = split_line(line)?;
    let declared = Declared::read(line.declaration)?;
    if declared.name.starts_with("common_") {
        return None;
    }
    let data_loc = declared.storage == Storage::DataLoc && declared.base == "char";
    Some(TracepointField {
        name: declared.name.to_string(),
        c_type: declared.c_type(),
        ty: type_of(&declared, &line, around),
        offset: line.offset,
        size: line.size,
        data_loc,
    })
}

fn split_line(line: &str) -> Option<Line<'_>> {
    let mut parts = line.trim().split(';');
    let declaration = parts.next()?.strip_prefix("field:")?.trim();
    let (mut offset, mut size, mut signed) = (None, None, false);
    for part in parts {
        match part.trim().split_once(':') {
            Some(("offset", number)) => offset = number.parse().ok(),
            Some(("size", number)) => size = number.parse().ok(),
            Some(("signed", number)) => signed = number == "1",
            _ => {}
        }
    }
    Some(Line { declaration, offset: offset?, size: size?, signed })
}

/// Where a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    /// At its offset.
    Inline,
    /// The field holds `length << 16 | offset from the record's start`.
    DataLoc,
    /// The same, but counted from the field's end: only user events have these, and they stay raw numbers.
    RelLoc,
}

/// A C declaration taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Declared<'a> {
    storage: Storage,
    /// `char`, `struct file`, `unsigned int`: without qualifiers and stars.
    base: String,
    /// Number of `*`.
    pointers: usize,
    name: &'a str,
    /// What stands between `[` and `]`.
    array: Option<&'a str>,
    /// A pointer to a function.
    function: bool,
    /// The declaration without the name.
    written: String,
}

impl<'a> Declared<'a> {
    fn read(text: &'a str) -> Option<Declared<'a>> {
        let (storage, rest) = match text.split_once(' ') {
            Some(("__data_loc", rest)) => (Storage::DataLoc, rest),
            Some(("__rel_loc", rest)) => (Storage::RelLoc, rest),
            _ => (Storage::Inline, text),
        };
        // `void (*name)(int)`, but not `__u8 name[sizeof(struct x)]`
        if let Some(at) = rest.find(['(', '[']).filter(|at| rest[*at..].starts_with('(')) {
            return Declared::function(storage, rest, at);
        }
        let (before, array, after) = match (rest.find('['), rest.rfind(']')) {
            (Some(open), Some(close)) if open < close => {
                (&rest[..open], Some(&rest[open + 1..close]), &rest[close + 1..])
            }
            _ => (rest, None, ""),
        };
        // `char name[16]`, but `__data_loc char[] name`
        let (ty, name) = match after.trim() {
            "" => split_name(before.trim_end())?,
            name => (before, name),
        };
        let words = ty.split(|c: char| c.is_whitespace() || c == '*').filter(|word| !word.is_empty());
        let base: Vec<&str> = words.filter(|word| !QUALIFIERS.contains(word)).collect();
        let pointers = ty.matches('*').count();
        Some(Declared {
            storage,
            base: base.join(" "),
            pointers,
            name,
            array,
            function: false,
            written: ty.trim().to_string(),
        })
    }

    /// `void (*name)(int)`
    fn function(storage: Storage, text: &'a str, at: usize) -> Option<Declared<'a>> {
        let inside = text.get(at + 1..)?.split(')').next()?;
        let name = inside.trim_start_matches('*').trim();
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let written = text.replacen(name, "", 1);
        Some(Declared { storage, base: String::new(), pointers: 1, name, array: None, function: true, written })
    }

    fn c_type(&self) -> String {
        let storage = match self.storage {
            Storage::Inline => "",
            Storage::DataLoc => "__data_loc ",
            Storage::RelLoc => "__rel_loc ",
        };
        let array = self.array.map(|len| format!("[{len}]")).unwrap_or_default();
        format!("{storage}{}{array}", self.written)
    }
}

/// Words of a declaration that do not matter to its layout.
const QUALIFIERS: &[&str] = &["const", "volatile", "__user", "__rcu", "__percpu", "__seg_gs", "__iomem", "restrict"];

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Splits the last word off, which must not be the only one.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let start = text.rfind(|c: char| !is_name(c))?;
    let at = start + text[start..].chars().next().map_or(1, char::len_utf8);
    let (ty, name) = text.split_at(at);
    (!name.is_empty() && !ty.trim().is_empty()).then_some((ty, name))
}

fn type_of(declared: &Declared<'_>, line: &Line<'_>, around: &Surroundings<'_>) -> Type {
    match declared.storage {
        Storage::DataLoc if declared.base == "char" => return Type::String { size: around.max_strlen },
        Storage::DataLoc | Storage::RelLoc => return Type::U32,
        Storage::Inline => {}
    }
    if let Some(len) = declared.array {
        return array(declared, len, line, around);
    }
    if declared.function {
        return Type::Pointer { to: Box::new(Type::Void), space: AddressSpace::Kernel };
    }
    if declared.pointers > 0 {
        return pointer(declared, around);
    }
    scalar(declared, line, around)
}

fn pointer(declared: &Declared<'_>, around: &Surroundings<'_>) -> Type {
    let target = match record(&declared.base, around) {
        Some(record) => record,
        None => c_types::integer(&declared.base).unwrap_or(Type::Void),
    };
    (0..declared.pointers.min(4)).fold(target, |to, _| Type::Pointer { to: Box::new(to), space: around.space })
}

fn record(base: &str, around: &Surroundings<'_>) -> Option<Type> {
    let (kind, name) = match base.split_once(' ')? {
        ("struct", name) => (RecordKind::Struct, name),
        ("union", name) => (RecordKind::Union, name),
        _ => return None,
    };
    name.chars().all(is_name).then(|| Type::Record((around.record)(kind, name)))
}

fn array(declared: &Declared<'_>, len: &str, line: &Line<'_>, around: &Surroundings<'_>) -> Type {
    if declared.pointers == 0 && declared.base == "char" && line.size > 0 {
        return Type::String { size: line.size };
    }
    let known = match declared.pointers {
        0 => c_types::integer(&declared.base),
        _ => Some(pointer(declared, around)),
    };
    // An unknown name's size follows from the declared number of elements.
    let by_size = || line.size.checked_div(len.trim().parse().ok()?).and_then(|size| integer(size, line.signed));
    let element = known.or_else(by_size).unwrap_or(BYTE);
    let len = line.size.checked_div(element.size()).unwrap_or(0);
    Type::Array { element: Box::new(element), len }
}

const BYTE: Type = Type::Int(IntType { bits: 8, signed: false });

fn scalar(declared: &Declared<'_>, line: &Line<'_>, around: &Surroundings<'_>) -> Type {
    if let Some(known) = c_types::integer(&declared.base) {
        // A system call's argument fills 8 bytes, of which only those of its type count; its sign is not told.
        if known.size() < line.size || (around.system_call && known.size() == line.size) {
            return known;
        }
        if known == Type::Bool && line.size == 1 {
            return known;
        }
    }
    if let Some(number) = integer(line.size, line.signed) {
        return number;
    }
    record(&declared.base, around).unwrap_or(Type::Array { element: Box::new(BYTE), len: line.size })
}

fn integer(size: u32, signed: bool) -> Option<Type> {
    matches!(size, 1 | 2 | 4 | 8).then(|| Type::Int(IntType { bits: size as u8 * 8, signed }))
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
