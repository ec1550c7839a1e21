//! Maps shown as tables.

use super::Rows;
use crate::decode;
use crate::error::RunError;
use crate::map_reader::{Entries, is_present};
use crate::maps::{Screen, entry, ordered};
use crate::symbolize::Symbolizer;
use crate::value::Value;
use lt_lang::manifest::{Map, MapView, RowPart};
use lt_lang::types::Layout;
use std::cmp::Ordering;

impl Rows<'_> {
    /// Shows the entries of a map, a row each.
    pub fn show_map(
        &mut self,
        map: &Map,
        entries: &Entries,
        view: &MapView,
        screen: &mut Screen<'_>,
    ) -> Result<(), RunError> {
        if map.keys.is_empty() && !is_present(map, entries.value(0)) {
            return Ok(());
        }
        self.begin_block();
        for at in order(map, entries, view, screen.symbolizer) {
            let (keys, values) = parts(map, entries, at, screen.symbolizer);
            let mut keys: Vec<Option<Value<'_>>> = keys.into_iter().map(Some).collect();
            let mut values: Vec<Option<Value<'_>>> = values.into_iter().map(Some).collect();
            let cells = view.parts.iter().map(|part| match part {
                Some(RowPart::Key(at)) => keys.get_mut(*at as usize)?.take(),
                Some(RowPart::Value) => values.first_mut()?.take(),
                Some(RowPart::Field(at)) => values.get_mut(*at as usize)?.take(),
                None => None,
            });
            self.show(view.table, &cells.collect::<Vec<_>>(), screen)?;
            screen.sink.event_done()?;
        }
        Ok(())
    }
}

/// The keys of an entry, and its value or values.
fn parts<'e>(
    map: &Map,
    entries: &'e Entries,
    at: usize,
    symbolizer: &mut Symbolizer,
) -> (Vec<Value<'e>>, Vec<Value<'e>>) {
    let keys = decode::values(&map.keys, &Layout::of(&map.keys).offsets, entries.key(at), symbolizer);
    let values = match entry(map, entries.value(at), symbolizer) {
        Value::Record(fields) | Value::Figures(fields) => fields.into_iter().map(|(_, value)| value).collect(),
        Value::Tuple(values) => values,
        value => vec![value],
    };
    (keys, values)
}

/// The entries that are shown, in their order.
fn order(map: &Map, entries: &Entries, view: &MapView, symbolizer: &mut Symbolizer) -> Vec<usize> {
    let mut order = ordered(map, entries);
    let by = view.by.and_then(|by| view.parts.get(by as usize).copied().flatten());
    match by {
        None if view.by.is_none() && view.top.is_some() => order.reverse(),
        None => {}
        Some(part) => {
            let mut ranked: Vec<(Rank, usize)> =
                order.into_iter().map(|at| (rank(map, entries, at, part, symbolizer), at)).collect();
            ranked.sort_by(|left, right| {
                let order = left.0.compare(&right.0);
                if view.descending { order.reverse() } else { order }
            });
            order = ranked.into_iter().map(|(_, at)| at).collect();
        }
    }
    order.truncate(view.top.map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX)));
    order
}

/// What rows are ordered by.
enum Rank {
    Number(i128),
    Float(f64),
    Text(Vec<u8>),
}

impl Rank {
    /// Numbers come before text.
    fn compare(&self, other: &Rank) -> Ordering {
        match (self, other) {
            (Rank::Number(left), Rank::Number(right)) => left.cmp(right),
            (Rank::Text(left), Rank::Text(right)) => left.cmp(right),
            (Rank::Text(_), _) => Ordering::Greater,
            (_, Rank::Text(_)) => Ordering::Less,
            (left, right) => left.float().total_cmp(&right.float()),
        }
    }

    fn float(&self) -> f64 {
        match self {
            Rank::Number(number) => *number as f64,
            Rank::Float(number) => *number,
            Rank::Text(_) => 0.0,
        }
    }
}

fn rank(map: &Map, entries: &Entries, at: usize, part: RowPart, symbolizer: &mut Symbolizer) -> Rank {
    let (keys, values) = parts(map, entries, at, symbolizer);
    let value = match part {
        RowPart::Key(at) => keys.get(at as usize),
        RowPart::Value => values.first(),
        RowPart::Field(at) => values.get(at as usize),
    };
    match value {
        Some(Value::Int(int) | Value::Enum(int, _)) => Rank::Number(int.number()),
        Some(Value::Bool(value)) => Rank::Number(i128::from(*value)),
        Some(Value::Pointer(address)) => Rank::Number(i128::from(*address)),
        Some(Value::Float(number)) => Rank::Float(*number),
        Some(Value::Str(text)) => Rank::Text(text.to_vec()),
        Some(value) => Rank::Text(super::cell::shown(value)),
        None => Rank::Text(Vec::new()),
    }
}
