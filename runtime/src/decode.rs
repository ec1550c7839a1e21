//! Bytes and a type become a value. Nothing here fails: bytes that are missing (a record that was cut off) read as zero.

use crate::names;
use crate::shapes;
use crate::symbolize::Symbolizer;
use crate::value::{Bucket, Histogram, Int, Value};
use lt_lang::aggregations::log2_range;
use lt_lang::manifest::{Aggregate, Figure};
use lt_lang::types::{BUFFER_HEADER, IntType, Layout, Type};
use std::rc::Rc;

/// The `size` bytes of `bytes` from `offset` as far as they exist.
pub fn part(bytes: &[u8], offset: u32, size: u32) -> &[u8] {
    let from = (offset as usize).min(bytes.len());
    let to = (offset as usize).saturating_add(size as usize).min(bytes.len());
    &bytes[from..to]
}

/// The first `size` (at most 8) bytes as a little-endian number.
pub fn unsigned(bytes: &[u8], size: u32) -> u64 {
    let mut word = [0; 8];
    let used = bytes.len().min(size.min(8) as usize);
    word[..used].copy_from_slice(&bytes[..used]);
    u64::from_le_bytes(word)
}

/// The bytes before the first NUL.
pub fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

/// Decodes a value of type `ty` that begins at `bytes[0]`.
pub fn value<'a>(ty: &Type, bytes: &'a [u8], symbolizer: &mut Symbolizer) -> Value<'a> {
    match ty {
        Type::Error | Type::Void => Value::Str(&[]),
        Type::Bool => Value::Bool(unsigned(bytes, 1) != 0),
        Type::Int(int) => Value::Int(integer(*int, bytes)),
        Type::Enum(of) => symbolizer.shapes.enumerator(of, integer(of.int, bytes)),
        Type::Record(of) => shapes::record(of.id, bytes, symbolizer),
        Type::Buffer { size } => {
            let used = unsigned(part(bytes, 0, BUFFER_HEADER), BUFFER_HEADER) as u32;
            Value::Buffer(part(bytes, BUFFER_HEADER, used.min(*size)))
        }
        Type::String { size } => {
            let text = text(part(bytes, 0, *size));
            let (cut, mark) = &symbolizer.cut;
            // The last byte is the NUL's: what fills the rest was cut off, or just fits.
            if size == cut && text.len() + 1 == *size as usize && !mark.is_empty() {
                return Value::Text([text, mark].concat());
            }
            Value::Str(text)
        }
        Type::Named(kind) => Value::Text(symbolizer.numbers.show(*kind, unsigned(bytes, 8))),
        Type::GroupPath => Value::Text(symbolizer.numbers.group(unsigned(bytes, 8), unsigned(part(bytes, 8, 8), 8))),
        Type::Inet => {
            let mut address = [0; 16];
            let given = part(bytes, 8, 16);
            address[..given.len()].copy_from_slice(given);
            Value::Text(names::address(unsigned(bytes, 8), address))
        }
        Type::Pointer { .. } => Value::Pointer(unsigned(bytes, 8)),
        Type::Timestamp => Value::Text(symbolizer.times.show(unsigned(part(bytes, 8, 8), 8), unsigned(bytes, 8))),
        Type::KernelSymbol => {
            let address = unsigned(bytes, 8);
            Value::Symbol(address, symbolizer.symbol(address))
        }
        Type::UserSymbol => {
            let address = unsigned(bytes, 8);
            Value::Symbol(address, symbolizer.user_symbol(unsigned(part(bytes, 8, 8), 8), address))
        }
        Type::Stack(stack) => {
            let frames = symbolizer.stack(unsigned(bytes, 8), *stack);
            Value::Stack(stack.mode, frames)
        }
        Type::Tuple(types) => Value::Tuple(values(types, &Layout::of(types).offsets, bytes, symbolizer)),
        Type::Fields(fields) => {
            let offsets = ty.layout().offsets;
            let parts = fields.iter().zip(offsets).map(|(field, offset)| {
                (field.name.as_str().into(), value(&field.ty, part(bytes, offset, field.ty.size()), symbolizer))
            });
            Value::Record(parts.collect())
        }
        Type::Array { element, len } => {
            let size = element.size();
            Value::Array((0..*len).map(|at| value(element, part(bytes, at * size, size), symbolizer)).collect())
        }
    }
}

/// The integer that begins at `bytes[0]`.
pub fn integer(int: IntType, bytes: &[u8]) -> Int {
    let raw = unsigned(bytes, u32::from(int.bits / 8));
    let unused = 64 - u32::from(int.bits).clamp(8, 64);
    let raw = if int.signed { (((raw << unused) as i64) >> unused) as u64 } else { raw };
    Int { raw, signed: int.signed, bits: int.bits }
}

/// Decodes several values, each at its offset.
pub fn values<'a>(types: &[Type], offsets: &[u32], bytes: &'a [u8], symbolizer: &mut Symbolizer) -> Vec<Value<'a>> {
    let fields = types.iter().zip(offsets);
    fields.map(|(ty, offset)| value(ty, part(bytes, *offset, ty.size()), symbolizer)).collect()
}

/// The value that the words of an aggregation stand for, divided by `div`.
pub fn aggregate(aggregate: Aggregate, words: &[u64], div: u64) -> Value<'static> {
    let word = |at: usize| words.get(at).copied().unwrap_or(0);
    let number = |raw: u64, signed: bool| Value::Int(Int::wide(raw, signed).divided(div));
    match aggregate {
        Aggregate::Count => number(word(0), true),
        Aggregate::Sum { signed } | Aggregate::Min { signed } | Aggregate::Max { signed } => number(word(0), signed),
        Aggregate::Avg { signed } => Value::Int(Int::wide(word(0), signed).divided(word(1)).divided(div)),
        Aggregate::Stats { signed } => {
            let total = Int::wide(word(0), signed);
            Value::Stats { count: word(1), average: total.divided(word(1)), total }
        }
        Aggregate::Hist { k } => Value::Histogram(log2_histogram(k, words, div)),
        Aggregate::LinearHist { min, step, .. } => Value::Histogram(linear_histogram(min, step, words, div)),
    }
}

/// The values of several aggregations by their names, from the words of all of them.
pub fn figures(figures: &[Figure], words: &[u64], div: u64) -> Vec<(Rc<str>, Value<'static>)> {
    let mut rest = words;
    let mut value = |figure: &Figure| {
        let (own, behind) = rest.split_at(rest.len().min(figure.aggregate.words() as usize));
        rest = behind;
        (figure.name.as_str().into(), aggregate(figure.aggregate, own, div))
    };
    figures.iter().map(&mut value).collect()
}

/// The non-empty stretch of `words`: index of the first and one past the last.
fn stretch(words: &[u64]) -> std::ops::Range<usize> {
    let first = words.iter().position(|count| *count != 0).unwrap_or(0);
    let last = words.iter().rposition(|count| *count != 0).map_or(first, |at| at + 1);
    first..last
}

fn log2_histogram(k: u8, words: &[u64], div: u64) -> Histogram {
    let bucket = |at: usize| {
        let count = words.get(at).map_or(0, |count| count / div.max(1));
        if at == 0 {
            return Bucket { low: None, high: Some(0), count };
        }
        let (low, high) = log2_range(at as u32, k);
        Bucket { low: Some(i128::from(low)), high: Some(high.map_or(1 << 64, i128::from)), count }
    };
    Histogram { buckets: stretch(words).map(bucket).collect(), log2: Some(k) }
}

fn linear_histogram(min: i64, step: i64, words: &[u64], div: u64) -> Histogram {
    let last = words.len().saturating_sub(1);
    let bound = |steps: usize| i128::from(min) + steps as i128 * i128::from(step);
    let bucket = |at: usize| Bucket {
        low: (at > 0).then(|| bound(at - 1)),
        high: (at < last).then(|| bound(at)),
        count: words.get(at).map_or(0, |count| count / div.max(1)),
    };
    Histogram { buckets: stretch(words).map(bucket).collect(), log2: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(ty: &Type, bytes: &'a [u8]) -> Value<'a> {
        value(ty, bytes, &mut Symbolizer::without_kernel())
    }

    #[test]
    fn integers_by_width_and_sign() {
        let int = |bits, signed| Type::Int(IntType { bits, signed });
        assert_eq!(decode(&int(8, true), &[0xff]), Value::Int(Int { raw: u64::MAX, signed: true, bits: 8 }));
        assert_eq!(decode(&int(8, false), &[0xff]), Value::Int(Int { raw: 255, signed: false, bits: 8 }));
        assert_eq!(
            decode(&int(16, true), &[0xfe, 0xff]),
            Value::Int(Int { raw: -2i64 as u64, signed: true, bits: 16 })
        );
        assert_eq!(
            decode(&int(32, false), &[1, 0, 0, 0x80]),
            Value::Int(Int { raw: 0x8000_0001, signed: false, bits: 32 })
        );
        assert_eq!(decode(&int(64, true), &[7; 3]), Value::Int(Int::wide(0x07_0707, true)));
    }

    #[test]
    fn strings_end_at_the_first_nul() {
        assert_eq!(decode(&Type::String { size: 4 }, b"ab\0c"), Value::Str(b"ab"));
        assert_eq!(decode(&Type::String { size: 2 }, b"abc"), Value::Str(b"ab"));
        assert_eq!(decode(&Type::String { size: 64 }, b"cut"), Value::Str(b"cut"));
    }

    #[test]
    fn tuples_follow_their_layout() {
        let ty = Type::Tuple(vec![Type::Bool, Type::U64, Type::String { size: 4 }]);
        let mut bytes = vec![0u8; ty.size() as usize];
        bytes[0] = 1;
        bytes[8] = 9;
        bytes[16..18].copy_from_slice(b"hi");
        let expected = vec![Value::Bool(true), Value::Int(Int::wide(9, false)), Value::Str(b"hi")];
        assert_eq!(decode(&ty, &bytes), Value::Tuple(expected));
    }

    #[test]
    fn averages_round_towards_zero() {
        let signed = Aggregate::Avg { signed: true };
        assert_eq!(aggregate(signed, &[-7i64 as u64, 2], 1), Value::Int(Int::wide(-3i64 as u64, true)));
        assert_eq!(aggregate(signed, &[0, 0], 1), Value::Int(Int::wide(0, true)));
    }

    #[test]
    fn linear_buckets_have_open_ends() {
        let Value::Histogram(histogram) =
            aggregate(Aggregate::LinearHist { min: 0, max: 10, step: 5 }, &[1, 0, 2, 3], 1)
        else {
            panic!("a histogram");
        };
        let bounds: Vec<_> = histogram.buckets.iter().map(|bucket| (bucket.low, bucket.high, bucket.count)).collect();
        assert_eq!(bounds, [(None, Some(0), 1), (Some(0), Some(5), 0), (Some(5), Some(10), 2), (Some(10), None, 3)]);
    }
}
