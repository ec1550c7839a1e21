//! The table of map functions: what they are called, what they take, how their values are laid out and combined.
//!
//! A value is a row of u64 words. Programs update it in place with atomic operations (a per-CPU value too: programs
//! nest); the runtime combines the values of all CPUs word by word as [`Reduce`] says.

use crate::builtins::{Param, ParamClass};
use crate::manifest::Aggregate;
use crate::types::{IntType, Type};

/// How the same word of two CPUs' values becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Added, wrapping.
    Add,
    /// The smaller of those CPUs whose word 1 (`set`) is non-zero.
    Min,
    /// The larger of those CPUs whose word 1 (`set`) is non-zero.
    Max,
}

/// A row of the table.
#[derive(Debug)]
pub struct Aggregation {
    /// As it is called.
    pub name: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// For the reference page and completion.
    pub doc: &'static str,
    /// A script that uses it.
    pub example: &'static str,
}

/// All map functions.
pub const ALL: &[Aggregation] = &[
    Aggregation {
        name: "count",
        params: &[],
        doc: "Number of times it was called.",
        example: "interval:s:1 { @n = count(); exit() }",
    },
    Aggregation {
        name: "sum",
        params: &[Param::required("n", ParamClass::Integer)],
        doc: "Sum of the values.",
        example: "interval:s:1 { @total = sum(3); exit() }",
    },
    Aggregation {
        name: "avg",
        params: &[Param::required("n", ParamClass::Integer)],
        doc: "Average of the values, rounded towards zero.",
        example: "interval:s:1 { @mean = avg(3); exit() }",
    },
    Aggregation {
        name: "min",
        params: &[Param::required("n", ParamClass::Integer)],
        doc: "Smallest of the values.",
        example: "interval:s:1 { @low = min(3); exit() }",
    },
    Aggregation {
        name: "max",
        params: &[Param::required("n", ParamClass::Integer)],
        doc: "Largest of the values.",
        example: "interval:s:1 { @high = max(3); exit() }",
    },
    Aggregation {
        name: "stats",
        params: &[Param::required("n", ParamClass::Integer)],
        doc: "Count, average and total of the values.",
        example: "interval:s:1 { @s = stats(3); exit() }",
    },
    Aggregation {
        name: "hist",
        params: &[
            Param::required("n", ParamClass::Integer),
            Param::optional("k", ParamClass::LiteralInt { min: 0, max: 5 }),
        ],
        doc: "Histogram by powers of two; with k, each power has 2^k buckets.",
        example: "interval:s:1 { @h = hist(100); exit() }",
    },
    Aggregation {
        name: "lhist",
        params: &[
            Param::required("n", ParamClass::Integer),
            Param::required("min", ParamClass::LiteralInt { min: i64::MIN, max: i64::MAX }),
            Param::required("max", ParamClass::LiteralInt { min: i64::MIN, max: i64::MAX }),
            Param::required("step", ParamClass::LiteralInt { min: 1, max: i64::MAX }),
        ],
        doc: "Histogram with buckets of equal width from min to max, and one below and one above.",
        example: "interval:s:1 { @l = lhist(7, 0, 10, 2); exit() }",
    },
];

/// Finds a map function by name.
pub fn lookup(name: &str) -> Option<&'static Aggregation> {
    ALL.iter().find(|row| row.name == name)
}

/// Most buckets a linear histogram may have.
pub const MAX_LINEAR_BUCKETS: i64 = 1000;

impl Aggregation {
    /// The aggregation that a call of this function with these literal arguments (those behind the value, missing
    /// ones as `None`) and a value of this signedness makes; an error is a sentence for the user.
    pub fn instance(&self, signed: bool, literals: &[Option<i64>]) -> Result<Aggregate, String> {
        let literal = |at: usize| literals.get(at).copied().flatten();
        Ok(match self.name {
            "count" => Aggregate::Count,
            "sum" => Aggregate::Sum { signed },
            "avg" => Aggregate::Avg { signed },
            "min" => Aggregate::Min { signed },
            "max" => Aggregate::Max { signed },
            "stats" => Aggregate::Stats { signed },
            "hist" => Aggregate::Hist { k: literal(0).unwrap_or(0).clamp(0, 5) as u8 },
            _ => {
                let (min, max, step) =
                    (literal(0).unwrap_or(0), literal(1).unwrap_or(0), literal(2).unwrap_or(1).max(1));
                let range = i128::from(max) - i128::from(min);
                if range <= 0 {
                    return Err(format!("max ({max}) must be above min ({min})"));
                }
                if range % i128::from(step) != 0 {
                    return Err(format!("the range of {range} is not a multiple of the step ({step})"));
                }
                if range / i128::from(step) > i128::from(MAX_LINEAR_BUCKETS) {
                    return Err(format!("more than {MAX_LINEAR_BUCKETS} buckets; a larger step makes fewer"));
                }
                Aggregate::LinearHist { min, max, step }
            }
        })
    }
}

impl Aggregate {
    /// The function that makes it.
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum { .. } => "sum",
            Aggregate::Avg { .. } => "avg",
            Aggregate::Min { .. } => "min",
            Aggregate::Max { .. } => "max",
            Aggregate::Stats { .. } => "stats",
            Aggregate::Hist { .. } => "hist",
            Aggregate::LinearHist { .. } => "lhist",
        }
    }

    /// The type of the number that it is where a program reads it; `None` for those that are several numbers.
    pub fn number(self) -> Option<Type> {
        match self {
            Aggregate::Count => Some(Type::I64),
            Aggregate::Sum { signed }
            | Aggregate::Avg { signed }
            | Aggregate::Min { signed }
            | Aggregate::Max { signed } => Some(Type::Int(IntType { bits: 64, signed })),
            Aggregate::Stats { .. } | Aggregate::Hist { .. } | Aggregate::LinearHist { .. } => None,
        }
    }

    /// Number of u64 words of a value: count: n; sum: total, set; avg and stats: total, count; min and max: rank of the
    /// value ([`Aggregate::rank`]), set; histograms: the buckets.
    pub fn words(self) -> u32 {
        match self {
            Aggregate::Count => 1,
            Aggregate::Sum { .. }
            | Aggregate::Avg { .. }
            | Aggregate::Stats { .. }
            | Aggregate::Min { .. }
            | Aggregate::Max { .. } => 2,
            Aggregate::Hist { k } => log2_buckets(k),
            Aggregate::LinearHist { min, max, step } => {
                ((i128::from(max) - i128::from(min)) / i128::from(step)) as u32 + 2
            }
        }
    }

    /// Whether this word is non-zero on some CPU exactly when the aggregation was updated there; histograms have no
    /// such word: any non-zero bucket tells.
    pub fn presence_word(self) -> Option<u32> {
        match self {
            Aggregate::Count => Some(0),
            Aggregate::Sum { .. }
            | Aggregate::Avg { .. }
            | Aggregate::Stats { .. }
            | Aggregate::Min { .. }
            | Aggregate::Max { .. } => Some(1),
            Aggregate::Hist { .. } | Aggregate::LinearHist { .. } => None,
        }
    }

    /// What word 0 of a `min` or `max` holds for a value: the better a value, the larger its rank as an unsigned number,
    /// and the worst one's is 0, so that fresh memory holds it. It is its own inverse (readers call it on word 0 before
    /// [`Aggregate::reduce`]); everything else keeps its words as they are.
    pub fn rank(self, value: u64) -> u64 {
        const SIGN: u64 = 1 << 63;
        match self {
            Aggregate::Max { signed: true } => value ^ SIGN,
            Aggregate::Min { signed: true } => value ^ !SIGN,
            Aggregate::Min { signed: false } => !value,
            _ => value,
        }
    }

    /// How word `word` of two CPUs' values is combined, and whether as a signed number.
    pub fn reduce(self, word: u32) -> (Reduce, bool) {
        match self {
            Aggregate::Min { signed } if word == 0 => (Reduce::Min, signed),
            Aggregate::Max { signed } if word == 0 => (Reduce::Max, signed),
            _ => (Reduce::Add, false),
        }
    }
}

/// Number of buckets of `hist(n, k)`: one for negative values, one for each value below 2^k, then 2^k for each power
/// of two from 2^k to 2^63.
pub fn log2_buckets(k: u8) -> u32 {
    let per_power = 1u32 << k;
    1 + per_power + (64 - u32::from(k)) * per_power
}

/// The bucket of `hist(n, k)` that `value` falls into; programs compute the same with [`log2_buckets`] as the bound.
/// Unsigned 64-bit values pass `negative = false`.
pub fn log2_bucket(value: u64, negative: bool, k: u8) -> u32 {
    if negative {
        return 0;
    }
    let per_power = 1u64 << k;
    if value < per_power {
        return 1 + value as u32;
    }
    let power = 63 - value.leading_zeros();
    let within = (value >> (power - u32::from(k))) - per_power;
    1 + per_power as u32 + (power - u32::from(k)) * per_power as u32 + within as u32
}

/// The half-open range `[low, high)` of a bucket of `hist(n, k)` for buckets from 1 on; `high` is `None` for the last.
pub fn log2_range(bucket: u32, k: u8) -> (u64, Option<u64>) {
    let per_power = 1u64 << k;
    let at = u64::from(bucket.saturating_sub(1));
    if at < per_power {
        return (at, Some(at + 1));
    }
    let power = (at - per_power) / per_power + u64::from(k);
    let within = (at - per_power) % per_power;
    let width = 1u128 << (power - u64::from(k));
    let low = (u128::from(per_power) + u128::from(within)) * width;
    (low as u64, u64::try_from(low + width).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_buckets_hold_their_values() {
        for k in 0..=5 {
            for value in (0..300).chain([1 << 20, (1 << 20) + 12345, u64::MAX / 2, u64::MAX]) {
                let bucket = log2_bucket(value, false, k);
                assert!(bucket < log2_buckets(k));
                let (low, high) = log2_range(bucket, k);
                assert!(low <= value && high.is_none_or(|high| value < high), "{value} in {low}..{high:?} k={k}");
            }
            assert_eq!(log2_bucket(u64::MAX, false, k), log2_buckets(k) - 1);
        }
        assert_eq!(log2_bucket(5, true, 0), 0);
    }

    #[test]
    fn linear_histograms_are_checked() {
        let lhist = lookup("lhist").expect("a row");
        assert_eq!(
            lhist.instance(true, &[Some(0), Some(10), Some(2)]),
            Ok(Aggregate::LinearHist { min: 0, max: 10, step: 2 })
        );
        assert!(lhist.instance(true, &[Some(10), Some(0), Some(1)]).is_err());
        assert!(lhist.instance(true, &[Some(0), Some(100_000), Some(1)]).is_err());
        assert_eq!(Aggregate::LinearHist { min: 0, max: 10, step: 2 }.words(), 7);
    }
}
