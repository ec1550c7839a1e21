//! Rows of tables. They have one way out, wherever they come from: a table, and a value for each of its columns.

mod cell;
mod csv;
mod devices;
mod errors;
mod json;
mod number;
mod show;
mod text;

pub use cell::{Cell, Row};
pub use csv::Csv;
pub use devices::Devices;
pub(crate) use json::write_row as write_json_row;
pub(crate) use text::write_row as write_text_row;

use crate::error::RunError;
use crate::maps::Screen;
use crate::output::Output;
use crate::value::Value;
use lt_lang::manifest::{RowTable, TableId};

/// The tables of a script, and what was shown of them.
pub struct Rows<'m> {
    tables: &'m [RowTable],
    /// For each table the titles of its columns as they are shown, and their least widths.
    heads: Vec<Vec<(String, usize)>>,
    devices: Devices,
    /// The table of the last row.
    last: Option<TableId>,
    /// A map is shown, none of whose rows was yet.
    block: bool,
}

impl<'m> Rows<'m> {
    /// Nothing was shown yet.
    pub fn new(tables: &'m [RowTable]) -> Rows<'m> {
        let heads = tables.iter().map(text::heads).collect();
        Rows { tables, heads, devices: Devices::default(), last: None, block: false }
    }

    /// The table of this number.
    pub fn table(&self, id: TableId) -> Result<&'m RowTable, RunError> {
        let missing = || RunError::Inconsistent(format!("table {} does not exist", id.0));
        self.tables.get(id.0 as usize).ok_or_else(missing)
    }

    /// Shows the heading of the only table before any row, in forms that have one even without rows.
    pub fn begin(&mut self, output: &mut dyn Output, out: &mut Vec<u8>) {
        if let [table] = self.tables
            && output.heading(table, out)
        {
            self.last = Some(TableId(0));
        }
    }

    /// The rows that follow are those of a map.
    fn begin_block(&mut self) {
        self.block = true;
    }

    /// Shows a row: a value for each column, or none where the row has none. The heading comes before the first row, and
    /// again when rows of another table came in between.
    pub fn show(&mut self, id: TableId, values: &[Option<Value<'_>>], screen: &mut Screen<'_>) -> Result<(), RunError> {
        let table = self.table(id)?;
        let heading = self.last.replace(id) != Some(id);
        let values = table.columns.iter().zip(values.iter().map(Option::as_ref).chain(std::iter::repeat(None)));
        let cells = values.map(|(column, value)| match value {
            Some(value) => Cell::of(&column.kind, value, screen.symbolizer, &mut self.devices),
            None => Cell::Empty,
        });
        let heads = self.heads.get(id.0 as usize).map(Vec::as_slice).unwrap_or_default();
        let mut row = Row {
            heads,
            table,
            cells: cells.collect(),
            heading,
            block: std::mem::take(&mut self.block),
            times: &screen.symbolizer.times,
        };
        let start = screen.sink.buffer().len();
        screen.output.row(&row, screen.sink.buffer());
        if !row.heading && screen.sink.is_file_full() {
            // the row is the first of the next file
            screen.sink.buffer().truncate(start);
            row.heading = true;
            screen.output.row(&row, screen.sink.buffer());
        }
        Ok(())
    }
}

/// What would move the cursor of a terminal or end a line becomes `\x1b` and the like, and so does what is no UTF-8: the
/// text stays within its cell, whatever the traced system called its things.
pub(crate) fn guarded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                spell(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut out);
            } else {
                out.push(c);
            }
        }
        spell(chunk.invalid(), &mut out);
    }
    out
}

fn spell(bytes: &[u8], out: &mut String) {
    use std::fmt::Write;
    for byte in bytes {
        // writing to a String cannot fail
        let _ = write!(out, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests;
