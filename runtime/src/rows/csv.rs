//! Rows as comma-separated values: standard output holds nothing else. What other statements print goes to standard
//! error, as text.

use super::cell::{Cell, Row};
use super::guarded;
use crate::loss::Loss;
use crate::output::plain;
use crate::output::{BenchmarkRun, MapHead, Message, Output, TestRun, Text};
use crate::value::Value;
use lt_lang::manifest::RowTable;
use std::io::Write;

/// Between the frames of a stack.
const FRAMES: &str = ";";

/// Comma-separated values.
pub struct Csv {
    text: Text,
    aside: Vec<u8>,
}

impl Csv {
    /// Nothing was printed yet.
    pub fn new() -> Csv {
        Csv { text: Text, aside: Vec::new() }
    }

    fn aside(&mut self, print: impl FnOnce(&mut Text, &mut Vec<u8>)) {
        self.aside.clear();
        print(&mut self.text, &mut self.aside);
        // nobody is left to tell when standard error is gone
        let _ = std::io::stderr().write_all(&self.aside);
    }
}

impl Default for Csv {
    fn default() -> Csv {
        Csv::new()
    }
}

impl Output for Csv {
    fn attached(&mut self, _probes: usize, _out: &mut Vec<u8>) {}

    fn printf(&mut self, text: &[u8], _out: &mut Vec<u8>) {
        self.aside(|form, out| form.printf(text, out));
    }

    fn time(&mut self, text: &[u8], _out: &mut Vec<u8>) {
        self.aside(|form, out| form.time(text, out));
    }

    fn text(&mut self, kind: &str, text: &[u8], _out: &mut Vec<u8>) {
        self.aside(|form, out| form.text(kind, text, out));
    }

    fn join(&mut self, text: &[u8], _out: &mut Vec<u8>) {
        self.aside(|form, out| form.join(text, out));
    }

    fn message(&mut self, _message: &Message<'_>, _out: &mut Vec<u8>) {}

    fn value(&mut self, value: &Value<'_>, _out: &mut Vec<u8>) {
        self.aside(|form, out| form.value(value, out));
    }

    fn map_begin(&mut self, _head: &MapHead<'_>, _out: &mut Vec<u8>) {}

    fn map_entry(&mut self, head: &MapHead<'_>, keys: &[Value<'_>], value: &Value<'_>, _out: &mut Vec<u8>) {
        self.aside(|form, out| form.map_entry(head, keys, value, out));
    }

    fn map_end(&mut self, _head: &MapHead<'_>, _out: &mut Vec<u8>) {}

    /// So that a table without rows is still a table.
    fn heading(&mut self, table: &RowTable, out: &mut Vec<u8>) -> bool {
        write_record(table.columns.iter().map(|column| column.name.clone()), out);
        true
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        if row.heading {
            self.heading(row.table, out);
        }
        write_record(row.cells.iter().map(|cell| shown(cell, row)), out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn test_result(&mut self, run: &TestRun<'_>, _out: &mut Vec<u8>) {
        self.aside(|form, out| form.test_result(run, out));
    }

    fn benchmark_result(&mut self, run: &BenchmarkRun<'_>, _out: &mut Vec<u8>) {
        self.aside(|form, out| form.benchmark_result(run, out));
    }

    fn lost(&mut self, _loss: &Loss<'_>, _out: &mut Vec<u8>) {}
}

/// One line, quoted as RFC 4180 says where it has to be.
fn write_record(fields: impl Iterator<Item = String>, out: &mut Vec<u8>) {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(256).from_writer(out);
    // writing to a Vec cannot fail, and all records have the lengths that they have
    let _ = writer.write_record(fields.map(String::into_bytes)).and_then(|()| writer.flush().map_err(Into::into));
}

/// The value itself; control characters are written as `\x0a`, so that a row is one line.
fn shown(cell: &Cell<'_>, row: &Row<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(int) => int.to_string(),
        Cell::Float(number) if number.is_finite() => number.to_string(),
        Cell::Float(_) => String::new(),
        Cell::Text(text) => guarded(text),
        Cell::Time(nanoseconds) => row.times.utc(*nanoseconds),
        Cell::Stack(style, frames) => {
            let frames = plain::stack_lines(*style, frames, "");
            frames.map(|frame| guarded(&frame)).collect::<Vec<_>>().join(FRAMES)
        }
        Cell::Any(value) => {
            let mut text = Vec::new();
            plain::write_value(value, "", &mut text);
            guarded(&text)
        }
    }
}
