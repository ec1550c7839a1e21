//! Histograms as rows of bars.

use crate::value::{Bucket, Histogram};
use std::io::Write;

/// Width of the longest bar.
const BAR: u128 = 52;
const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// Appends one row a bucket: range, count, bar.
pub fn write_rows(histogram: &Histogram, out: &mut Vec<u8>) {
    let most = histogram.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(1);
    for bucket in &histogram.buckets {
        let length = (u128::from(bucket.count) * BAR / u128::from(most)) as usize;
        let range = range(bucket, histogram.log2);
        // writing to a Vec cannot fail
        let _ = writeln!(out, "{range:<16}{:>8} |{:<52}|", bucket.count, "@".repeat(length));
    }
}

/// `[4, 8)`, `[1]`, `(..., 0)` or `[10, ...)`.
fn range(bucket: &Bucket, log2: Option<u8>) -> String {
    match (bucket.low, bucket.high) {
        (Some(low), Some(high)) if low + 1 == high => format!("[{}]", bound(low, log2)),
        (Some(low), Some(high)) => format!("[{}, {})", bound(low, log2), bound(high, log2)),
        (None, Some(high)) => format!("(..., {})", bound(high, log2)),
        (Some(low), None) => format!("[{}, ...)", bound(low, log2)),
        (None, None) => "(..., ...)".into(),
    }
}

/// A bound with a binary unit.
fn bound(value: i128, log2: Option<u8>) -> String {
    let unit = match log2 {
        // 2^k buckets for each power of two: the unit is that of the step, so that neighbors share it
        Some(k) if value > 0 => ((value.ilog2().saturating_sub(u32::from(k))) / 10) as usize,
        Some(_) => 0,
        None => (1..UNITS.len()).take_while(|unit| value != 0 && value % (1i128 << (10 * unit)) == 0).count(),
    };
    let unit = unit.min(UNITS.len() - 1);
    format!("{}{}", value >> (10 * unit), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::aggregate;
    use crate::value::Value;
    use lt_lang::aggregations::log2_bucket;
    use lt_lang::manifest::Aggregate;

    fn rows(aggregation: Aggregate, counts: &[(usize, u64)]) -> Vec<String> {
        let mut words = vec![0; aggregation.words() as usize];
        counts.iter().for_each(|(at, count)| words[*at] = *count);
        let Value::Histogram(histogram) = aggregate(aggregation, &words, 1) else { panic!("a histogram") };
        let mut out = Vec::new();
        write_rows(&histogram, &mut out);
        String::from_utf8(out).expect("ASCII").lines().map(str::to_owned).collect()
    }

    fn log2(k: u8, counts: &[(u64, u64)]) -> Vec<String> {
        let counts: Vec<_> =
            counts.iter().map(|(value, count)| (log2_bucket(*value, false, k) as usize, *count)).collect();
        rows(Aggregate::Hist { k }, &counts)
    }

    #[test]
    fn powers_of_two() {
        let rows = log2(0, &[(1, 1), (4, 3)]);
        assert_eq!(rows[0], "[1]                    1 |@@@@@@@@@@@@@@@@@                                   |");
        assert_eq!(rows[1], "[2, 4)                 0 |                                                    |");
        assert_eq!(rows[2], "[4, 8)                 3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|");
        assert!(log2(0, &[(1000, 1)])[0].starts_with("[512, 1K)              1 |@"));
        assert!(log2(0, &[(2_000_000, 2)])[0].starts_with("[1M, 2M)               2 |@"));
        assert!(log2(0, &[(i64::MAX as u64, 1)])[0].starts_with("[4E, 8E) "));
        assert!(log2(0, &[(u64::MAX, 1)])[0].starts_with("[8E, 16E) "));
        assert!(log2(0, &[(0, 1)])[0].starts_with("[0]     "));
    }

    #[test]
    fn finer_buckets_share_the_unit_of_their_step() {
        assert!(log2(2, &[(1280, 1)])[0].starts_with("[1280, 1536)           1 |"));
        assert!(log2(2, &[(1_290_000, 1)])[0].starts_with("[1024K, 1280K)         1 |"));
        assert!(log2(2, &[(37, 1)])[0].starts_with("[32, 40) "));
    }

    #[test]
    fn negative_values_and_open_ends() {
        assert!(rows(Aggregate::Hist { k: 0 }, &[(0, 1)])[0].starts_with("(..., 0)               1 |"));
        let linear = Aggregate::LinearHist { min: 0, max: 10, step: 2 };
        let rows = rows(linear, &[(0, 1), (2, 1), (6, 1)]);
        assert!(rows[0].starts_with("(..., 0)               1 |@"));
        assert!(rows[2].starts_with("[2, 4)                 1 |@"));
        assert!(rows[6].starts_with("[10, ...)              1 |@"));
        assert_eq!(rows.len(), 7);
    }

    #[test]
    fn linear_bounds_have_units_when_they_divide() {
        let rows = rows(Aggregate::LinearHist { min: 0, max: 4096, step: 1024 }, &[(3, 1)]);
        assert!(rows[0].starts_with("[2K, 3K)               1 |"));
    }
}
