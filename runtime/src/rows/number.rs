//! Numbers as people read them: with a unit, and as many digits as the column says.

use crate::value::Int;
use lt_lang::manifest::ColumnKind;

/// A number of a cell.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// Exact.
    Whole(i128),
    /// With a fraction.
    Real(f64),
}

impl From<Int> for Number {
    fn from(int: Int) -> Number {
        Number::Whole(int.number())
    }
}

/// Prefixes of amounts of memory, each 1024 of the one before.
const BINARY: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/// Prefixes of rates, each 1000 of the one before.
const DECIMAL: [&str; 6] = ["", "k", "M", "G", "T", "P"];

impl Number {
    /// The number as a column of this kind shows it.
    pub fn shown(self, kind: &ColumnKind) -> String {
        match kind {
            ColumnKind::Duration { unit, digits } => self.over(*unit, *digits),
            ColumnKind::Float { digits } => self.over(1, *digits),
            ColumnKind::Percent { digits } => self.over(1, *digits) + "%",
            ColumnKind::Bytes { digits } => self.scaled(1024, &BINARY, *digits, 0),
            ColumnKind::Rate { digits } => self.scaled(1000, &DECIMAL, *digits, *digits) + "/s",
            ColumnKind::Hex => match self {
                Number::Whole(number) => format!("{:#x}", number as u64),
                Number::Real(number) => number.to_string(),
            },
            _ => match self {
                Number::Whole(number) => number.to_string(),
                Number::Real(number) => number.to_string(),
            },
        }
    }

    /// Divided by this, with so many digits behind the point, rounded to the nearest.
    fn over(self, divisor: u64, digits: u32) -> String {
        match self {
            Number::Whole(number) => {
                let (scale, divisor) = (10u128.pow(digits.min(18)), u128::from(divisor.max(1)));
                let shown = (number.unsigned_abs() * scale + divisor / 2) / divisor;
                let sign = if number < 0 && shown > 0 { "-" } else { "" };
                if digits == 0 {
                    return format!("{sign}{shown}");
                }
                format!("{sign}{}.{:0width$}", shown / scale, shown % scale, width = digits as usize)
            }
            Number::Real(number) => format!("{:.*}", digits as usize, number / divisor as f64),
        }
    }

    fn magnitude(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Real(number) => number,
        }
        .abs()
    }

    /// In the largest unit of which there is at least one; `plain` digits for the first.
    fn scaled(self, step: u64, units: &[&str], digits: u32, plain: u32) -> String {
        // what would be rounded up to a whole step is shown in the next unit
        let most = step as f64 - 0.5 / 10f64.powi(digits as i32);
        let (mut at, mut divisor) = (0, 1u64);
        while self.magnitude() / divisor as f64 >= if at == 0 { step as f64 } else { most } && at + 1 < units.len() {
            at += 1;
            divisor = divisor.saturating_mul(step);
        }
        let shown = self.over(divisor, if at == 0 { plain } else { digits });
        shown + units.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(kind: ColumnKind, number: i128) -> String {
        Number::Whole(number).shown(&kind)
    }

    #[test]
    fn durations_are_rounded_exactly() {
        let ms = |digits| ColumnKind::Duration { unit: 1_000_000, digits };
        for (digits, number, expected) in [
            (3, 1_234_567, "1.235"),
            (3, 1_234_499, "1.234"),
            (0, 1_499_999, "1"),
            (0, 1_500_000, "2"),
            (3, -1_234_567, "-1.235"),
            (1, -1, "0.0"),
            (9, i128::from(u64::MAX), "18446744073709.551615000"),
        ] {
            assert_eq!(show(ms(digits), number), expected);
        }
        assert_eq!(Number::Real(2_500_000.0).shown(&ms(2)), "2.50");
    }

    #[test]
    fn amounts_and_rates() {
        let bytes = ColumnKind::Bytes { digits: 1 };
        for (number, expected) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0KiB"),
            (1536, "1.5KiB"),
            (1_048_575, "1.0MiB"),
            (1 << 40, "1.0TiB"),
            (-2048, "-2.0KiB"),
            (i128::from(u64::MAX), "16.0EiB"),
        ] {
            assert_eq!(show(bytes.clone(), number), expected);
        }
        let rate = ColumnKind::Rate { digits: 1 };
        assert_eq!(show(rate.clone(), 950), "950.0/s");
        assert_eq!(Number::Real(1234.5).shown(&rate), "1.2k/s");
        assert_eq!(Number::Real(65.909).shown(&ColumnKind::Percent { digits: 2 }), "65.91%");
        assert_eq!(show(ColumnKind::Percent { digits: 2 }, 7), "7.00%");
        assert_eq!(show(ColumnKind::Hex, -1), "0xffffffffffffffff");
    }
}
