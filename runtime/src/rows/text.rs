//! Rows for people: one heading, columns side by side, stacks below.

use super::cell::{Cell, Row};
use super::guarded;
use super::number::Number;
use crate::output::plain::{self, INDENT};
use lt_lang::manifest::{RowColumn, RowTable};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// What stands for a value that a row does not have.
const NOTHING: &str = "-";
/// Between two stacks of one row.
const BETWEEN: &str = "--";

/// Appends a row, and the heading before it when it is due.
pub(crate) fn write_row(row: &Row<'_>, out: &mut Vec<u8>) {
    if row.heading || row.block {
        write_line(row, row.heads.iter().map(|head| Cow::Borrowed(head.0.as_str())), out);
    }
    let cells = row.table.columns.iter().zip(&row.cells);
    write_line(row, cells.map(|(column, cell)| Cow::Owned(shown(column, cell, row))), out);
    let mut stacks = 0;
    for cell in &row.cells {
        let Cell::Stack(style, frames) = cell else { continue };
        if frames.is_empty() {
            continue;
        }
        if stacks > 0 {
            out.extend_from_slice(format!("{INDENT}{BETWEEN}\n").as_bytes());
        }
        stacks += 1;
        for line in plain::stack_lines(*style, frames, INDENT) {
            // the sign between address and name in perf's form is a tab
            let parts: Vec<String> = line.split(|byte| *byte == b'\t').map(guarded).collect();
            out.extend_from_slice(parts.join("\t").as_bytes());
            out.push(b'\n');
        }
    }
}

/// A cell without its padding.
fn shown(column: &RowColumn, cell: &Cell<'_>, row: &Row<'_>) -> String {
    match cell {
        _ if column.kind.is_below() => String::new(),
        Cell::Empty => NOTHING.into(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(int) => Number::from(*int).shown(&column.kind),
        Cell::Float(number) => Number::Real(*number).shown(&column.kind),
        Cell::Text(text) => guarded(text),
        Cell::Time(nanoseconds) => guarded(&row.times.in_format(super::cell::time_format(&column.kind), *nanoseconds)),
        Cell::Stack(style, frames) => {
            let frames = plain::stack_lines(*style, frames, "");
            frames.map(|frame| guarded(&frame)).collect::<Vec<_>>().join(";")
        }
        Cell::Any(value) => {
            let mut text = Vec::new();
            plain::write_value(value, "", &mut text);
            guarded(&text)
        }
    }
}

/// Titles as they are shown, and least widths of columns.
pub(super) fn heads(table: &RowTable) -> Vec<(String, usize)> {
    let head = |column: &RowColumn| {
        let title = guarded(column.title.as_bytes());
        let width = title.width().max(column.width as usize);
        (title, width)
    };
    table.columns.iter().map(head).collect()
}

/// Cells side by side, each as wide as its column at least; no blanks at the end.
fn write_line<'t>(row: &Row<'_>, cells: impl Iterator<Item = Cow<'t, str>>, out: &mut Vec<u8>) {
    let (start, mut first) = (out.len(), true);
    for ((column, (_, width)), text) in row.table.columns.iter().zip(row.heads).zip(cells) {
        if column.kind.is_below() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        let missing = width.saturating_sub(text.width());
        let (before, after) = if column.left { (0, missing) } else { (missing, 0) };
        out.resize(out.len() + before, b' ');
        out.extend_from_slice(text.as_bytes());
        out.resize(out.len() + after, b' ');
    }
    let end = out.iter().rposition(|byte| *byte != b' ').map_or(start, |at| (at + 1).max(start));
    out.truncate(end);
    out.push(b'\n');
}
