//! Values of the user side: from bytes of maps, to bytes of maps, to what is shown.

use crate::decode::{self, part};
use crate::maps::compare_bytes;
use crate::symbolize::Symbolizer;
use crate::value::{Int, Value};
use lt_lang::manifest::{Aggregate, Figure};
use lt_lang::types::{EnumRef, IntType, Type};
use std::cmp::Ordering;
use std::rc::Rc;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Int(Int),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(Rc<[u8]>),
    /// Several values.
    Tuple(Rc<[Val]>),
    /// Several values with names.
    Record(Rc<[(Rc<str>, Val)]>),
    /// What `stats()` holds.
    Stats {
        /// Number of values.
        count: u64,
        /// Their sum.
        total: Int,
    },
    /// What `hist()` and `lhist()` hold: the buckets.
    Histogram(Aggregate, Rc<[u64]>),
    /// What is kept as it is until it is shown: its bytes.
    Other(Rc<Type>, Rc<[u8]>),
}

impl Val {
    /// A signed integer.
    pub fn int(value: i64) -> Val {
        Val::Int(Int::wide(value as u64, true))
    }

    /// A string.
    pub fn text(bytes: impl AsRef<[u8]>) -> Val {
        Val::Text(Rc::from(bytes.as_ref()))
    }

    /// What lies at `bytes[0]`. Strings of `cut` bytes that fill their memory were cut off, or just fit: they are kept as
    /// they are, to be shown so.
    pub fn from_bytes(ty: &Type, bytes: &[u8], cut: u32) -> Val {
        match ty {
            Type::Bool => Val::Bool(decode::unsigned(bytes, 1) != 0),
            Type::Int(int) => Val::Int(decode::integer(*int, bytes)),
            Type::String { size } => {
                let text = decode::text(part(bytes, 0, *size));
                if *size == cut && text.len() + 1 == *size as usize {
                    return Val::Other(Rc::new(ty.clone()), Rc::from(part(bytes, 0, *size)));
                }
                Val::text(text)
            }
            Type::Tuple(types) => {
                let offsets = ty.layout().offsets;
                let parts = types.iter().zip(offsets);
                Val::Tuple(parts.map(|(ty, at)| Val::from_bytes(ty, part(bytes, at, ty.size()), cut)).collect())
            }
            Type::Fields(fields) => {
                let offsets = ty.layout().offsets;
                let parts = fields.iter().zip(offsets).map(|(field, at)| {
                    let bytes = part(bytes, at, field.ty.size());
                    (Rc::from(field.name.as_str()), Val::from_bytes(&field.ty, bytes, cut))
                });
                Val::Record(parts.collect())
            }
            _ => Val::Other(Rc::new(ty.clone()), Rc::from(part(bytes, 0, ty.size()))),
        }
    }

    /// What the words of an aggregation stand for. An average is the exact one.
    pub fn from_words(aggregate: Aggregate, words: &[u64]) -> Val {
        let word = |at: usize| words.get(at).copied().unwrap_or(0);
        match aggregate {
            Aggregate::Count => Val::Int(Int::wide(word(0), true)),
            Aggregate::Sum { signed } | Aggregate::Min { signed } | Aggregate::Max { signed } => {
                Val::Int(Int::wide(word(0), signed))
            }
            Aggregate::Avg { signed } => Val::Float(average(Int::wide(word(0), signed), word(1))),
            Aggregate::Stats { signed } => Val::Stats { count: word(1), total: Int::wide(word(0), signed) },
            Aggregate::Hist { .. } | Aggregate::LinearHist { .. } => Val::Histogram(aggregate, Rc::from(words)),
        }
    }

    /// What the words of several aggregations stand for, by their names.
    pub fn from_figures(figures: &[Figure], words: &[u64]) -> Val {
        let mut rest = words;
        let mut value = |figure: &Figure| {
            let (own, behind) = rest.split_at(rest.len().min(figure.aggregate.words() as usize));
            rest = behind;
            (Rc::from(figure.name.as_str()), Val::from_words(figure.aggregate, own))
        };
        Val::Record(figures.iter().map(&mut value).collect())
    }

    /// Writes the value as this type to the beginning of `out`, which is zeroed and as long as the type.
    pub fn to_bytes(&self, ty: &Type, out: &mut [u8]) {
        match (self, ty) {
            (Val::Other(own, bytes), _) if **own == *ty => copy(bytes, out),
            (_, Type::Bool) => copy(&[u8::from(self.is_true())], out),
            (Val::Tuple(values), Type::Tuple(types)) => {
                for ((value, ty), at) in values.iter().zip(types).zip(ty.layout().offsets) {
                    value.to_bytes(ty, slot(out, at, ty.size()));
                }
            }
            (Val::Record(values), Type::Fields(fields)) => {
                for (field, at) in fields.iter().zip(ty.layout().offsets) {
                    if let Some((_, value)) = values.iter().find(|(name, _)| **name == *field.name) {
                        value.to_bytes(&field.ty, slot(out, at, field.ty.size()));
                    }
                }
            }
            (_, Type::String { size }) => {
                let text = self.bytes();
                let room = (*size as usize).saturating_sub(1).min(text.len());
                copy(decode::text(&text[..room]), out);
            }
            _ => {
                if let Some(int) = self.as_int() {
                    copy(&int.raw.to_le_bytes()[..(ty.size() as usize).min(8)], out);
                }
            }
        }
    }

    /// The bytes of a string; of everything else none.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Val::Text(text) => text,
            Val::Other(ty, bytes) if matches!(**ty, Type::String { .. }) => decode::text(bytes),
            _ => &[],
        }
    }

    /// The integer that a number is; fractions are cut off, what is too large becomes the largest.
    pub fn as_int(&self) -> Option<Int> {
        Some(match self {
            Val::Bool(value) => Int { raw: u64::from(*value), signed: false, bits: 8 },
            Val::Int(int) => *int,
            Val::Float(number) if *number >= 9.3e18 => Int::wide(*number as u64, false),
            Val::Float(number) => Int::wide(*number as i64 as u64, true),
            Val::Other(ty, bytes) => match &**ty {
                Type::Enum(EnumRef { int, .. }) => decode::integer(*int, bytes),
                Type::Pointer { .. } => Int::wide(decode::unsigned(bytes, 8), false),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The number as one with a fraction; 0 for what is none.
    pub fn as_float(&self) -> f64 {
        match self {
            Val::Float(number) => *number,
            other => other.as_int().map_or(0.0, float),
        }
    }

    /// Whether a number is not 0.
    pub fn is_true(&self) -> bool {
        match self {
            Val::Float(number) => *number != 0.0,
            other => other.as_int().is_some_and(|int| int.raw != 0),
        }
    }

    /// The integer, cut to a type.
    pub fn narrowed(&self, ty: IntType) -> Val {
        let int = self.as_int().unwrap_or(Int::wide(0, true));
        Val::Int(decode::integer(ty, &int.raw.to_le_bytes()))
    }

    /// Which comes first; `None` when that cannot be said.
    pub fn compare(&self, other: &Val) -> Option<Ordering> {
        match (self, other) {
            (Val::Float(_), _) | (_, Val::Float(_)) => self.as_float().partial_cmp(&other.as_float()),
            (Val::Tuple(a), Val::Tuple(b)) => compare_all(a.iter().zip(b.iter())),
            (Val::Record(a), Val::Record(b)) => {
                compare_all(a.iter().zip(b.iter()).map(|((_, left), (_, right))| (left, right)))
            }
            _ => match (self.as_int(), other.as_int()) {
                (Some(left), Some(right)) => Some(wide(left).cmp(&wide(right))),
                _ => match (self, other) {
                    (Val::Other(a, left), Val::Other(b, right)) if a == b => Some(compare_bytes(a, left, right)),
                    _ => Some(self.bytes().cmp(other.bytes())),
                },
            },
        }
    }

    /// As it is shown.
    pub fn show(&self, symbolizer: &mut Symbolizer) -> Value<'_> {
        match self {
            Val::Bool(value) => Value::Bool(*value),
            Val::Int(int) => Value::Int(*int),
            Val::Float(number) => Value::Float(*number),
            Val::Text(text) => Value::Str(text),
            Val::Tuple(values) => Value::Tuple(values.iter().map(|value| value.show(symbolizer)).collect()),
            Val::Record(fields) => {
                Value::Record(fields.iter().map(|(name, value)| (name.clone(), value.show(symbolizer))).collect())
            }
            Val::Stats { count, total } => {
                Value::Stats { count: *count, average: total.divided(*count), total: *total }
            }
            Val::Histogram(aggregate, words) => decode::aggregate(*aggregate, words, 1),
            Val::Other(ty, bytes) => decode::value(ty, bytes, symbolizer),
        }
    }
}

/// The mean of so many values; 0 of none.
pub fn average(total: Int, count: u64) -> f64 {
    if count == 0 { 0.0 } else { float(total) / count as f64 }
}

fn float(int: Int) -> f64 {
    if int.signed { int.raw as i64 as f64 } else { int.raw as f64 }
}

/// The number that an integer is.
pub fn wide(int: Int) -> i128 {
    if int.signed { i128::from(int.raw as i64) } else { i128::from(int.raw) }
}

fn compare_all<'v>(mut pairs: impl Iterator<Item = (&'v Val, &'v Val)>) -> Option<Ordering> {
    let differs = |order: &Option<Ordering>| order.is_none_or(Ordering::is_ne);
    pairs.by_ref().map(|(left, right)| left.compare(right)).find(differs).unwrap_or(Some(Ordering::Equal))
}

fn copy(from: &[u8], to: &mut [u8]) {
    let length = from.len().min(to.len());
    to[..length].copy_from_slice(&from[..length]);
}

/// The `size` bytes from `at` as far as they exist.
pub fn slot(bytes: &mut [u8], at: u32, size: u32) -> &mut [u8] {
    let end = (at as usize).saturating_add(size as usize).min(bytes.len());
    let start = (at as usize).min(end);
    &mut bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_to_bytes_and_back() {
        let ty = Type::Tuple(vec![Type::I32, Type::String { size: 8 }, Type::Bool, Type::U64]);
        let value = Val::Tuple(Rc::from([Val::int(-5), Val::text("abc"), Val::Bool(true), Val::int(7)]));
        let mut bytes = vec![0; ty.size() as usize];
        value.to_bytes(&ty, &mut bytes);
        let back = Val::from_bytes(&ty, &bytes, 0);
        assert_eq!(back.compare(&value), Some(Ordering::Equal));
        let mut short = vec![0; 4];
        Val::text("a longer one").to_bytes(&Type::String { size: 4 }, &mut short);
        assert_eq!(short, b"a l\0");
    }

    #[test]
    fn numbers_are_compared_as_what_they_are() {
        let large = Val::Int(Int::wide(u64::MAX, false));
        assert_eq!(large.compare(&Val::int(-1)), Some(Ordering::Greater));
        assert_eq!(Val::Float(f64::NAN).compare(&Val::int(1)), None);
        assert_eq!(Val::Float(0.5).compare(&Val::int(1)), Some(Ordering::Less));
        assert_eq!(Val::text("a").compare(&Val::text("b")), Some(Ordering::Less));
    }

    #[test]
    fn fractions_become_the_nearest_integers() {
        for (number, expected) in [(2.9, 2), (-2.9, -2), (f64::NAN, 0), (-1e300, i64::MIN)] {
            assert_eq!(Val::Float(number).as_int().map(wide), Some(i128::from(expected)), "{number}");
        }
        assert_eq!(Val::Float(1e300).as_int().map(wide), Some(i128::from(u64::MAX)));
    }
}
