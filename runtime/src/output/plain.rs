//! Values as plain text, as both forms of output use them (JSON for keys and printf).

use crate::value::{Frame, StackStyle, Value};
use std::io::Write;
use std::rc::Rc;

/// What stands before each frame of a stack.
pub const INDENT: &str = "        ";

/// Appends `value` as text; frames of stacks are preceded by `indent`.
pub fn write_value(value: &Value<'_>, indent: &str, out: &mut Vec<u8>) {
    // writing to a Vec cannot fail
    let _ = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(int) => write!(out, "{int}"),
        Value::Str(bytes) => out.write_all(bytes),
        Value::Text(text) => out.write_all(text),
        Value::Pointer(address) | Value::Symbol(address, None) => write!(out, "{address:#x}"),
        Value::Symbol(_, Some(symbol)) => out.write_all(symbol.name.as_bytes()),
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
        Value::Stats { count, average, total } => {
            write!(out, "{{ .count = {count}, .average = {average}, .total = {total} }}")
        }
        Value::Histogram(histogram) => {
            super::histogram::write_rows(histogram, out);
            Ok(())
        }
    };
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

/// A newline, then one line a frame.
fn write_stack(style: StackStyle, frames: &[Frame], indent: &str, out: &mut Vec<u8>) {
    out.push(b'\n');
    for frame in frames {
        match style {
            StackStyle::Bpftrace => {
                out.extend_from_slice(indent.as_bytes());
                write_place(frame, out);
            }
            StackStyle::Perf => {
                let _ = write!(out, "\t{:x} ", frame.address);
                write_place(frame, out);
                if let Some(module) = frame.symbol.as_ref().and_then(|symbol| symbol.module.as_ref()) {
                    let _ = write!(out, " ({module})");
                }
            }
            StackStyle::Raw => {
                let _ = write!(out, "{:x}", frame.address);
            }
        }
        out.push(b'\n');
    }
}

/// `function+offset`, or the address.
fn write_place(frame: &Frame, out: &mut Vec<u8>) {
    let _ = match &frame.symbol {
        Some(symbol) => write!(out, "{}+{}", symbol.name, symbol.offset),
        None => write!(out, "{:#x}", frame.address),
    };
}
