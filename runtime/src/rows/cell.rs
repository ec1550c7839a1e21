//! A cell: a value with everything looked up that its column needs, in no form of output yet.

use super::devices::Devices;
use super::errors;
use crate::names;
use crate::output::plain;
use crate::symbolize::Symbolizer;
use crate::times::Times;
use crate::value::{Frame, Int, StackStyle, Value};
use lt_lang::manifest::{ColumnKind, RowTable};
use lt_lang::types::NameKind;
use std::borrow::Cow;
use std::rc::Rc;

/// A row on its way out.
pub struct Row<'a> {
    /// Its table.
    pub table: &'a RowTable,
    /// Of each column its title as it is shown, and its least width.
    pub heads: &'a [(String, usize)],
    /// One for each column.
    pub cells: Vec<Cell<'a>>,
    /// Rows of another table were shown before, or none.
    pub heading: bool,
    /// It is the first row of a map that is shown as a whole.
    pub block: bool,
    /// For cells that are times.
    pub times: &'a Times,
}

/// The value of a cell.
#[derive(Debug)]
pub enum Cell<'a> {
    /// None.
    Empty,
    /// A truth value.
    Bool(bool),
    /// A whole number in the unit that the column's kind has.
    Int(Int),
    /// The same with a fraction.
    Float(f64),
    /// Text as the traced system has it: any bytes.
    Text(Cow<'a, [u8]>),
    /// Nanoseconds since boot.
    Time(u64),
    /// A stack, innermost frame first.
    Stack(StackStyle, Rc<[Frame]>),
    /// Anything, of a column that takes anything.
    Any(&'a Value<'a>),
}

impl<'a> Cell<'a> {
    /// The cell of a value. A value that the kind has no form for is shown as `print` shows it.
    pub fn of(kind: &ColumnKind, value: &'a Value<'a>, symbolizer: &mut Symbolizer, devices: &mut Devices) -> Cell<'a> {
        if let Some(number) = number(value) {
            return Cell::of_number(kind, number, value, symbolizer, devices);
        }
        match (kind, value) {
            (ColumnKind::Any, value) => Cell::Any(value),
            (_, Value::Float(number)) => Cell::Float(*number),
            (_, Value::Str(text)) => Cell::Text(Cow::Borrowed(text)),
            (_, Value::Text(text)) => Cell::Text(Cow::Borrowed(text)),
            (ColumnKind::String, Value::Buffer(bytes)) => Cell::Text(Cow::Borrowed(bytes)),
            (ColumnKind::Bool, Value::Bool(value)) => Cell::Bool(*value),
            (ColumnKind::Address, Value::Array(bytes)) => Cell::Text(Cow::Owned(address(bytes))),
            (_, Value::Stack(style, frames)) => Cell::Stack(*style, Rc::clone(frames)),
            _ => Cell::Text(Cow::Owned(shown(value))),
        }
    }

    fn of_number(
        kind: &ColumnKind,
        number: Int,
        value: &'a Value<'a>,
        symbolizer: &mut Symbolizer,
        devices: &mut Devices,
    ) -> Cell<'a> {
        let text = match kind {
            ColumnKind::Any => return Cell::Any(value),
            ColumnKind::Time(_) => return Cell::Time(number.raw),
            ColumnKind::Bool => return Cell::Bool(number.raw != 0),
            ColumnKind::String | ColumnKind::Path => shown(value),
            ColumnKind::Address => names::address(names::INET, first_four(number.raw)),
            ColumnKind::Device => devices.name(number.raw).to_vec(),
            ColumnKind::SystemCall => symbolizer.numbers.show(NameKind::SystemCall, number.raw),
            ColumnKind::Error => errors::name(number.raw as i64),
            ColumnKind::Enum(of) => shown(&symbolizer.shapes.enumerator(of, number)),
            _ => return Cell::Int(number),
        };
        Cell::Text(Cow::Owned(text))
    }
}

/// The number that a value is.
fn number(value: &Value<'_>) -> Option<Int> {
    match value {
        Value::Int(int) | Value::Enum(int, _) => Some(*int),
        Value::Pointer(address) | Value::Symbol(address, None) => Some(Int::wide(*address, false)),
        _ => None,
    }
}

pub(super) fn shown(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    plain::write_value(value, "", &mut out);
    out
}

/// The bytes of an address as they lie in memory.
fn first_four(raw: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(raw as u32).to_ne_bytes());
    bytes
}

fn address(values: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = [0; 16];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = number(value).map_or(0, |number| number.raw as u8);
    }
    names::address(if values.len() == 4 { names::INET } else { names::INET6 }, bytes)
}

/// The format of a column of times.
pub(super) fn time_format(kind: &ColumnKind) -> &[u8] {
    if let ColumnKind::Time(format) = kind { format } else { b"%H:%M:%S" }
}
