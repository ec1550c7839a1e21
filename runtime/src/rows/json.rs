//! Rows for programs: an object a line, with the values themselves.

use super::cell::{Cell, Row};
use super::guarded;
use crate::output::json::write_json;
use crate::output::plain;
use std::io::Write;

/// Appends a row as one line.
pub(crate) fn write_row(row: &Row<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type": "row", "table": "#);
    write_text(row.table.name.as_bytes(), out);
    out.extend_from_slice(br#", "data": {"#);
    for (at, (column, cell)) in row.table.columns.iter().zip(&row.cells).enumerate() {
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        write_text(column.name.as_bytes(), out);
        out.extend_from_slice(b": ");
        write_cell(cell, row, out);
    }
    out.extend_from_slice(b"}}\n");
}

fn write_cell(cell: &Cell<'_>, row: &Row<'_>, out: &mut Vec<u8>) {
    // writing to a Vec cannot fail
    let _ = match cell {
        Cell::Empty => out.write_all(b"null"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Int(int) => write!(out, "{int}"),
        Cell::Float(number) if number.is_finite() => write!(out, "{number}"),
        Cell::Float(_) => out.write_all(b"null"),
        Cell::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Cell::Time(nanoseconds) => write!(out, "\"{}\"", row.times.utc(*nanoseconds)),
        Cell::Stack(style, frames) => {
            out.push(b'[');
            for (at, frame) in plain::stack_lines(*style, frames, "").enumerate() {
                out.extend_from_slice(if at > 0 { b", " } else { b"" });
                write_text(guarded(&frame).as_bytes(), out);
            }
            out.push(b']');
            Ok(())
        }
        Cell::Any(value) => {
            let mut text = Vec::new();
            write_json(value, &mut text);
            // within JSON all control characters stand in strings
            String::from_utf8_lossy(&text).chars().try_for_each(|c| match c {
                c if c.is_control() => write!(out, "\\u{:04x}", c as u32),
                c => write!(out, "{c}"),
            })
        }
    };
}

/// A string in which nothing is left that a terminal obeys; what is no UTF-8 becomes U+FFFD.
fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for c in String::from_utf8_lossy(bytes).chars() {
        // writing to a Vec cannot fail
        let _ = match c {
            '"' => out.write_all(b"\\\""),
            '\\' => out.write_all(b"\\\\"),
            '\n' => out.write_all(b"\\n"),
            '\r' => out.write_all(b"\\r"),
            '\t' => out.write_all(b"\\t"),
            c if c.is_control() => write!(out, "\\u{:04x}", c as u32),
            c => write!(out, "{c}"),
        };
    }
    out.push(b'"');
}
