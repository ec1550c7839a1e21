//! Functions of the user side.

use super::machine;
use super::value::Val;
use crate::decode;
use crate::poller::since_boot;
use crate::symbolize::Symbolizer;
use crate::times;
use crate::value::{Bucket, Int, Value};
use lt_lang::user::{Clock, UserFunction};

/// What functions remember.
#[derive(Debug, Default)]
pub struct Functions {
    /// When tracing began, in nanoseconds since boot.
    pub start: u64,
}

impl Functions {
    /// What a function gives. What cannot be told is empty or zero.
    pub fn call(&mut self, function: UserFunction, args: &[Val], symbolizer: &mut Symbolizer) -> Val {
        let number = |at: usize| args.get(at).and_then(Val::as_int).map_or(0, |int| int.raw);
        let float = |at: usize| args.get(at).map_or(0.0, Val::as_float);
        let text = |at: usize| args.get(at).map_or(&[][..], Val::bytes);
        let uint = |value: u64| Val::Int(Int::wide(value, false));
        match function {
            UserFunction::Pid => uint(u64::from(std::process::id())),
            UserFunction::Tid => uint(machine::thread()),
            UserFunction::Uid => uint(machine::user()),
            UserFunction::Gid => uint(machine::group()),
            UserFunction::Comm => Val::text(machine::own_name()),
            UserFunction::Cpu => uint(machine::cpu()),
            UserFunction::Clock(clock) => uint(now(clock)),
            UserFunction::Elapsed => uint(since_boot().saturating_sub(self.start)),
            UserFunction::Random => uint(machine::random()),
            UserFunction::FormatTime => Val::text(times::since_boot(text(0), number(1))),
            UserFunction::TextLength => uint(text(0).len() as u64),
            UserFunction::Concatenate => Val::text([text(0), text(1)].concat()),
            UserFunction::Search { index } => found(text(0), text(1), index),
            UserFunction::Named(kind) => Val::text(symbolizer.numbers.show(kind, number(0))),
            UserFunction::GroupPath => {
                let filter = args.get(1).map(|filter| String::from_utf8_lossy(filter.bytes()));
                Val::text(symbolizer.numbers.group_in(number(0), filter.as_deref()))
            }
            UserFunction::GroupName => Val::text(machine::group_name(number(0))),
            UserFunction::Path => Val::text(machine::path(number(0), args.get(1).map(|_| number(1)))),
            UserFunction::Container => Val::text(machine::container(number(0))),
            UserFunction::Disk => Val::text(machine::disk(number(0))),
            UserFunction::Percentile => Val::Float(args.first().map_or(0.0, |values| percentile(values, float(1)))),
            UserFunction::Rate => Val::Float(rate(float(0), float(1))),
            UserFunction::ReadFile => Val::text(machine::read_file(text(0))),
            UserFunction::Protocol => Val::text(machine::protocol(number(0))),
            UserFunction::Family => Val::text(machine::family(number(0))),
        }
    }
}

fn now(clock: Clock) -> u64 {
    times::nanoseconds(match clock {
        Clock::Boot => libc::CLOCK_BOOTTIME,
        Clock::Monotonic => libc::CLOCK_MONOTONIC,
        Clock::Tai => libc::CLOCK_TAI,
    })
}

/// Where a string is found in another, or whether.
fn found(text: &[u8], wanted: &[u8], index: bool) -> Val {
    let at = if wanted.is_empty() { Some(0) } else { text.windows(wanted.len()).position(|part| part == wanted) };
    if index { Val::int(at.map_or(-1, |at| at as i64)) } else { Val::Bool(at.is_some()) }
}

/// So much in so many nanoseconds, for each second.
fn rate(amount: f64, nanoseconds: f64) -> f64 {
    if nanoseconds == 0.0 { 0.0 } else { amount * 1e9 / nanoseconds }
}

/// The value below which so many percent lie, evenly spread within a bucket.
fn percentile(values: &Val, percent: f64) -> f64 {
    let Val::Histogram(aggregate, words) = values else { return 0.0 };
    let Value::Histogram(histogram) = decode::aggregate(*aggregate, words, 1) else { return 0.0 };
    let total: f64 = histogram.buckets.iter().map(|bucket| bucket.count as f64).sum();
    let wanted = total * percent.clamp(0.0, 100.0) / 100.0;
    let mut before = 0.0;
    for bucket in histogram.buckets.iter().filter(|bucket| bucket.count > 0) {
        let count = bucket.count as f64;
        if before + count >= wanted {
            return within(bucket, (wanted - before) / count);
        }
        before += count;
    }
    0.0
}

/// A place between the smallest and the largest integer of a bucket.
fn within(bucket: &Bucket, part: f64) -> f64 {
    match (bucket.low, bucket.high) {
        (Some(low), Some(high)) => low as f64 + (high - 1 - low) as f64 * part,
        (Some(bound), None) | (None, Some(bound)) => bound as f64,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lt_lang::manifest::Aggregate;
    use std::rc::Rc;

    #[test]
    fn percentiles_lie_in_their_buckets() {
        let linear = Aggregate::LinearHist { min: 0, max: 100, step: 1 };
        let mut words = vec![0; linear.words() as usize];
        words[1..=100].fill(1);
        let values = Val::Histogram(linear, Rc::from(words));
        for (percent, expected) in [(50.0, 49.0), (99.0, 98.0), (100.0, 99.0), (0.0, 0.0), (1000.0, 99.0)] {
            assert_eq!(percentile(&values, percent), expected, "{percent}");
        }
        assert_eq!(percentile(&Val::Histogram(linear, Rc::from([])), 50.0), 0.0);
    }

    #[test]
    fn rates_are_for_a_second() {
        assert_eq!(rate(500.0, 2e9), 250.0);
        assert_eq!(rate(500.0, 0.0), 0.0);
    }

    #[test]
    fn strings_are_searched() {
        assert_eq!(found(b"abc", b"bc", true), Val::int(1));
        assert_eq!(found(b"abc", b"x", true), Val::int(-1));
        assert_eq!(found(b"abc", b"", false), Val::Bool(true));
    }
}
