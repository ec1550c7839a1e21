//! Values as plain text, as both forms of output use them (JSON for keys and printf).

use crate::value::{Frame, Place, StackStyle, Value};
use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What stands before each frame of a stack.
pub const INDENT: &str = "        ";

/// Whether strings are written so that a terminal obeys none of their bytes.
static GUARDED: AtomicBool = AtomicBool::new(false);

/// Lets strings be written so that a terminal obeys none of their bytes, or as they are.
pub fn guard(guarded: bool) {
    GUARDED.store(guarded, Ordering::Relaxed);
}

/// Whether a terminal is written to, so that strings are written in a form of which it obeys nothing.
pub(super) fn is_guarded() -> bool {
    GUARDED.load(Ordering::Relaxed)
}

/// Text of the traced system as it is shown.
pub fn shown_text(bytes: Vec<u8>) -> Vec<u8> {
    if !is_guarded() {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    write_text(&bytes, &mut out);
    out
}

/// Appends text of the traced system: as it is, or in that form.
pub(super) fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    if is_guarded() {
        // writing to a Vec cannot fail
        let _ = write_guarded(bytes, out);
    } else {
        out.extend_from_slice(bytes);
    }
}

/// What a terminal would obey becomes `\x1b` and the like; what is no UTF-8 too.
fn write_guarded(bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && c != '\n' && c != '\t' {
                c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(out, "\\x{byte:02x}"))?;
            } else {
                write!(out, "{c}")?;
            }
        }
        chunk.invalid().iter().try_for_each(|byte| write!(out, "\\x{byte:02x}"))?;
    }
    Ok(())
}

/// Appends `value` as text; frames of stacks are preceded by `indent`.
pub fn write_value(value: &Value<'_>, indent: &str, out: &mut Vec<u8>) {
    // writing to a Vec cannot fail
    let _ = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(int) => write!(out, "{int}"),
        Value::Float(number) => write!(out, "{}", float(*number)),
        Value::Str(bytes) => {
            write_text(bytes, out);
            Ok(())
        }
        Value::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Value::Pointer(address) => write!(out, "{address:#x}"),
        Value::Symbol(address, None) => {
            write_address(*address, out);
            Ok(())
        }
        Value::Symbol(_, Some(symbol)) => {
            write_text(symbol.name.as_bytes(), out);
            Ok(())
        }
        Value::Stack(style, frames) => {
            write_stack(*style, frames, indent, out);
            Ok(())
        }
        Value::Tuple(values) => {
            write_list(values, "(", ")", ", ", indent, out);
            Ok(())
        }
        Value::Array(values) => {
            write_list(values, "[", "]", ",", indent, out);
            Ok(())
        }
        Value::Record(fields) => {
            write_record(fields, indent, out);
            Ok(())
        }
        Value::Enum(_, Some(name)) => out.write_all(name.as_bytes()),
        Value::Enum(int, None) => write!(out, "{int}"),
        Value::Buffer(bytes) => {
            write_bytes(bytes, out);
            Ok(())
        }
        Value::Figures(figures) => {
            write_all_figures(figures, indent, out);
            Ok(())
        }
        Value::Stats { count, average, total } => {
            write!(out, "{{ .count = {count}, .average = {average}, .total = {total} }}")
        }
        Value::Histogram(histogram) => {
            super::histogram::write_rows(histogram, out);
            Ok(())
        }
    };
}

/// A number with a fraction, with as many digits as it takes to tell it from all others.
fn float(number: f64) -> String {
    if number.is_nan() { "nan".into() } else { format!("{number:?}") }
}

/// `{ .x = 1, .y = 2 }`
fn write_record(fields: &[(Rc<str>, Value<'_>)], indent: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{ ");
    for (at, (name, value)) in fields.iter().enumerate() {
        // writing to a Vec cannot fail
        let _ = write!(out, "{}.{name} = ", if at > 0 { ", " } else { "" });
        write_value(value, indent, out);
    }
    out.extend_from_slice(b" }");
}

/// Whether a value takes several lines.
pub fn is_long(value: &Value<'_>) -> bool {
    matches!(value, Value::Histogram(_))
}

/// What fits in a line, then each histogram under its name.
fn write_all_figures(figures: &[(Rc<str>, Value<'_>)], indent: &str, out: &mut Vec<u8>) {
    write_figures(figures, out);
    for (name, figure) in figures.iter().filter(|figure| is_long(&figure.1)) {
        out.extend_from_slice(format!("\n{name}:\n").as_bytes());
        write_value(figure, indent, out);
    }
}

/// `(reads 1, bytes 2)`: those that fit in a line.
pub fn write_figures(figures: &[(Rc<str>, Value<'_>)], out: &mut Vec<u8>) {
    out.push(b'(');
    for (at, (name, value)) in figures.iter().filter(|figure| !is_long(&figure.1)).enumerate() {
        // writing to a Vec cannot fail
        let _ = write!(out, "{}{name} ", if at > 0 { ", " } else { "" });
        write_value(value, "", out);
    }
    out.push(b')');
}

/// Printable characters as they are, everything else as `\xNN`.
pub fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b' '..=b'~' => out.push(*byte),
            // writing to a Vec cannot fail
            byte => drop(write!(out, "\\x{byte:02x}")),
        }
    }
}

/// Appends the keys of a map entry, separated by `separator`.
pub fn write_keys(keys: &[Value<'_>], separator: &str, indent: &str, out: &mut Vec<u8>) {
    write_list(keys, "", "", separator, indent, out);
}

fn write_list(values: &[Value<'_>], open: &str, close: &str, separator: &str, indent: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(open.as_bytes());
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        write_value(value, indent, out);
    }
    out.extend_from_slice(close.as_bytes());
}

/// The lines of a stack, one a frame.
pub(crate) fn stack_lines(style: StackStyle, frames: &[Frame], indent: &str) -> impl Iterator<Item = Vec<u8>> {
    let mut text = Vec::new();
    write_stack(style, frames, indent, &mut text);
    let lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.into_iter().filter(|line| !line.is_empty())
}

/// A newline, then one line a frame.
fn write_stack(style: StackStyle, frames: &[Frame], indent: &str, out: &mut Vec<u8>) {
    out.push(b'\n');
    for frame in frames {
        match style {
            StackStyle::Bpftrace => {
                out.extend_from_slice(indent.as_bytes());
                guard_since(out.len(), out, |out| write_place(frame, out));
            }
            StackStyle::Perf => guard_since(out.len(), out, |out| write_perf(frame, out)),
            StackStyle::Raw | StackStyle::BuildId => {
                let _ = match &frame.place {
                    Place::InFile { build_id, offset } => write!(out, "{build_id} 0x{offset:02x}"),
                    _ => write!(out, "{:x}", frame.address),
                };
            }
        }
        out.push(b'\n');
    }
}

/// Files and functions have names of the traced system too.
fn guard_since(start: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write(out);
    if is_guarded() {
        let written = out.split_off(start);
        write_text(&written, out);
    }
}

/// An address without a name; zero has no prefix.
fn write_address(address: u64, out: &mut Vec<u8>) {
    let _ = if address == 0 { write!(out, "0") } else { write!(out, "{address:#x}") };
}

/// `function+offset`, or the address; with file and line, where they are known.
fn write_place(frame: &Frame, out: &mut Vec<u8>) {
    let (_, line) = match &frame.place {
        Place::Function(symbol) => (write!(out, "{}+{}", symbol.name, symbol.offset), &symbol.line),
        Place::Inlined { name, line } => (write!(out, "[inlined] {name}"), line),
        Place::Unknown | Place::InFile { .. } => return write_address(frame.address, out),
    };
    if let Some(line) = line {
        let _ = write!(out, "@{line}");
    }
}

/// `\taddress function+offset (file)`; of the kernel, only modules are named.
fn write_perf(frame: &Frame, out: &mut Vec<u8>) {
    let _ = write!(out, "\t{:x} ", frame.address);
    let (_, module) = match &frame.place {
        Place::Function(symbol) => (write!(out, "{}+{}", symbol.name, symbol.offset), symbol.module.as_deref()),
        Place::Inlined { name, .. } => (write!(out, "{name}"), Some("inlined")),
        Place::Unknown | Place::InFile { .. } => {
            write_address(frame.address, out);
            (Ok(()), None)
        }
    };
    if let Some(module) = module.or(frame.user.then_some("[unknown]")) {
        let _ = write!(out, " ({module})");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guarded_strings_move_no_cursor() {
        let mut out = Vec::new();
        let written = write_guarded("a\x1b[2J\u{9b}é\tb\n".as_bytes(), &mut out)
            .and_then(|()| write_guarded(b"\xff\0", &mut out));
        assert!(written.is_ok());
        assert_eq!(String::from_utf8_lossy(&out), "a\\x1b[2J\\xc2\\x9bé\tb\n\\xff\\x00");
    }
}
