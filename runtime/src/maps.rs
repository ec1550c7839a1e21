//! Showing maps: order, selection, decoding.

use crate::decode;
use crate::error::RunError;
use crate::map_reader::{Entries, is_present, words};
use crate::output::{MapForm, MapHead, Output, Sink};
use crate::symbolize::Symbolizer;
use crate::value::Value;
use lt_lang::manifest::{Aggregate, Map, MapValue, Part};
use lt_lang::types::{EnumRef, Layout, Type};
use std::cmp::Ordering;

/// Which part of a map is shown, and how.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// Only so many entries with the largest values.
    pub top: Option<u64>,
    /// Values are divided by this; 1 leaves them.
    pub div: u64,
    /// A scalar map to which nothing was assigned shows a zero (`print(@x)`) or nothing (the end of the run).
    pub absent: bool,
    /// A scalar map whose value was set to zero shows that, whatever it holds.
    pub zeroed: bool,
}

/// Where shown maps go.
pub struct Screen<'a> {
    /// The form.
    pub output: &'a mut dyn Output,
    /// The buffer.
    pub sink: &'a mut Sink,
    /// For keys and values that are addresses or stacks.
    pub symbolizer: &'a mut Symbolizer,
}

/// Shows the entries of a map.
pub fn show(map: &Map, entries: Entries, selection: Selection, screen: &mut Screen<'_>) -> Result<(), RunError> {
    let head = MapHead { name: &map.name, form: form(map), keyed: !map.keys.is_empty() };
    let order = if head.keyed { ordered(map, &entries) } else { (0..entries.count()).collect() };
    let shown_absent = selection.absent && head.form != MapForm::Histogram;
    let missing = !head.keyed && !selection.zeroed && !shown_absent && !is_present(map, entries.value(0));
    if order.is_empty() || missing {
        return Ok(());
    }
    let skipped = selection.top.map_or(0, |top| order.len().saturating_sub(top as usize));
    let layout = Layout::of(&map.keys);
    screen.output.map_begin(&head, screen.sink.buffer());
    for at in order.into_iter().skip(skipped) {
        let keys = decode::values(&map.keys, &layout.offsets, entries.key(at), screen.symbolizer);
        let value = value(map, entries.value(at), selection.div, screen.symbolizer);
        screen.output.map_entry(&head, &keys, &value, screen.sink.buffer());
        screen.sink.event_done()?;
    }
    screen.output.map_end(&head, screen.sink.buffer());
    Ok(())
}

/// The value of one entry; zero when the map does not have the key.
pub fn entry<'a>(map: &Map, bytes: &'a [u8], symbolizer: &mut Symbolizer) -> Value<'a> {
    value(map, bytes, 1, symbolizer)
}

fn value<'a>(map: &Map, bytes: &'a [u8], div: u64, symbolizer: &mut Symbolizer) -> Value<'a> {
    match &map.value {
        MapValue::Plain(ty) => match decode::value(ty, bytes, symbolizer) {
            Value::Int(int) => Value::Int(int.divided(div)),
            other => other,
        },
        MapValue::Aggregate(aggregate) => decode::aggregate(*aggregate, &words(bytes), div),
        MapValue::Figures(figures) => Value::Figures(decode::figures(figures, &words(bytes), div)),
        MapValue::Opaque => Value::Str(&[]),
    }
}

fn form(map: &Map) -> MapForm {
    match map.value {
        MapValue::Aggregate(Aggregate::Hist { .. } | Aggregate::LinearHist { .. }) => MapForm::Histogram,
        MapValue::Aggregate(Aggregate::Avg { .. } | Aggregate::Stats { .. }) => MapForm::Stats,
        MapValue::Aggregate(_) | MapValue::Figures(_) | MapValue::Plain(_) | MapValue::Opaque => MapForm::Plain,
    }
}

/// Indexes of the entries in the order of their values, then of their keys.
pub fn ordered(map: &Map, entries: &Entries) -> Vec<usize> {
    let ranks: Vec<i128> = (0..entries.count()).map(|at| rank(&map.value, entries.value(at))).collect();
    let layout = Layout::of(&map.keys);
    let mut order: Vec<usize> = (0..entries.count()).collect();
    order.sort_by(|left, right| {
        let by_key = || compare_all(&map.keys, &layout.offsets, entries.key(*left), entries.key(*right));
        ranks[*left].cmp(&ranks[*right]).then_with(by_key)
    });
    order
}

/// What entries are ordered by: numbers by themselves (those of min and max by their bits, as bpftrace does), averages
/// and stats by the average, histograms by the number of values, several figures by the first; everything else only by
/// key.
fn rank(value: &MapValue, bytes: &[u8]) -> i128 {
    let number = |raw: u64, signed: bool| if signed { i128::from(raw as i64) } else { i128::from(raw) };
    match value {
        MapValue::Plain(Type::Int(int)) => number(decode::unsigned(bytes, u32::from(int.bits / 8)), int.signed),
        MapValue::Plain(_) | MapValue::Opaque => 0,
        MapValue::Aggregate(_) | MapValue::Figures(_) => {
            let words = words(bytes);
            let parts = value.parts();
            let own = |part: &Part| aggregate_rank(part.aggregate, words.get(part.range()).unwrap_or_default());
            parts.first().map_or(0, own)
        }
    }
}

fn aggregate_rank(aggregate: Aggregate, words: &[u64]) -> i128 {
    let number = |raw: u64, signed: bool| if signed { i128::from(raw as i64) } else { i128::from(raw) };
    match decode::aggregate(aggregate, words, 1) {
        Value::Int(int) => {
            let by_bits = matches!(aggregate, Aggregate::Min { .. } | Aggregate::Max { .. });
            number(int.raw, int.signed && !by_bits)
        }
        Value::Stats { average, .. } => number(average.raw, average.signed),
        _ => words.iter().map(|count| i128::from(*count)).sum(),
    }
}

/// Indexes of the entries in the order of their keys.
pub fn by_keys(map: &Map, entries: &Entries) -> Vec<usize> {
    let layout = Layout::of(&map.keys);
    let mut order: Vec<usize> = (0..entries.count()).collect();
    order.sort_by(|left, right| compare_all(&map.keys, &layout.offsets, entries.key(*left), entries.key(*right)));
    order
}

fn compare_all(types: &[Type], offsets: &[u32], left: &[u8], right: &[u8]) -> Ordering {
    let fields = types.iter().zip(offsets);
    fields
        .map(|(ty, offset)| {
            let size = ty.size();
            compare(ty, decode::part(left, *offset, size), decode::part(right, *offset, size))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Which of two values of a type comes first.
pub fn compare_bytes(ty: &Type, left: &[u8], right: &[u8]) -> Ordering {
    compare(ty, left, right)
}

fn compare(ty: &Type, left: &[u8], right: &[u8]) -> Ordering {
    match ty {
        Type::Int(int) | Type::Enum(EnumRef { int, .. }) if int.signed => {
            let unused = 64 - u32::from(int.bits).clamp(8, 64);
            let number = |bytes: &[u8]| (decode::unsigned(bytes, u32::from(int.bits / 8)) << unused) as i64;
            number(left).cmp(&number(right))
        }
        Type::Timestamp | Type::UserSymbol | Type::GroupPath => {
            decode::unsigned(left, 8).cmp(&decode::unsigned(right, 8))
        }
        Type::String { .. } => decode::text(left).cmp(decode::text(right)),
        ty if ty.is_scalar() => decode::unsigned(left, ty.size()).cmp(&decode::unsigned(right, ty.size())),
        Type::Array { element, .. } => {
            let size = element.size().max(1) as usize;
            let pairs = left.chunks(size).zip(right.chunks(size));
            let mut orders = pairs.map(|(left, right)| compare(element, left, right));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
        Type::Tuple(_) | Type::Fields(_) => {
            let parts: Vec<Type> = ty.parts().into_iter().cloned().collect();
            compare_all(&parts, &ty.layout().offsets, left, right)
        }
        _ => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_their_types() {
        let types = [Type::I64, Type::String { size: 8 }];
        let key = |number: i64, text: &str| {
            let mut bytes = number.to_le_bytes().to_vec();
            bytes.extend_from_slice(text.as_bytes());
            bytes.resize(16, 0);
            bytes
        };
        let order = |left: &[u8], right: &[u8]| compare_all(&types, &[0, 8], left, right);
        assert_eq!(order(&key(-5, "a"), &key(3, "a")), Ordering::Less);
        assert_eq!(order(&key(3, "b"), &key(3, "a")), Ordering::Greater);
        assert_eq!(order(&key(3, "b"), &key(3, "b")), Ordering::Equal);
    }

    #[test]
    fn maximum_is_ranked_by_its_bits() {
        let max = MapValue::Aggregate(Aggregate::Max { signed: true });
        let bytes = |number: i64| [number.to_le_bytes(), 1u64.to_le_bytes()].concat();
        assert!(rank(&max, &bytes(7)) < rank(&max, &bytes(-6)));
        let sum = MapValue::Aggregate(Aggregate::Sum { signed: true });
        assert!(rank(&sum, &bytes(-6)) < rank(&sum, &bytes(7)));
    }
}
