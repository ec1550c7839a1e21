//! Units of time and of bytes, and numbers with them.

/// A unit: how it is written, and how many of the smallest one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `ms`
    pub name: &'static str,
    /// In nanoseconds, or bytes.
    pub factor: i128,
    /// `milliseconds`
    pub plural: &'static str,
}

const fn unit(name: &'static str, factor: i128, plural: &'static str) -> Unit {
    Unit { name, factor, plural }
}

/// Of durations; in nanoseconds.
pub(super) const TIMES: &[Unit] = &[
    unit("ns", 1, "nanoseconds"),
    unit("us", 1_000, "microseconds"),
    unit("ms", 1_000_000, "milliseconds"),
    unit("s", 1_000_000_000, "seconds"),
    unit("m", 60_000_000_000, "minutes"),
    unit("h", 3_600_000_000_000, "hours"),
    unit("d", 86_400_000_000_000, "days"),
];

/// Of sizes; in bytes.
pub(super) const SIZES: &[Unit] = &[
    unit("B", 1, "bytes"),
    unit("KiB", 1 << 10, "KiB"),
    unit("MiB", 1 << 20, "MiB"),
    unit("GiB", 1 << 30, "GiB"),
    unit("TiB", 1 << 40, "TiB"),
    unit("K", 1 << 10, "KiB"),
    unit("M", 1 << 20, "MiB"),
    unit("G", 1 << 30, "GiB"),
    unit("T", 1 << 40, "TiB"),
    unit("kB", 1_000, "kB"),
    unit("KB", 1_000, "kB"),
    unit("MB", 1_000_000, "MB"),
    unit("GB", 1_000_000_000, "GB"),
    unit("TB", 1_000_000_000_000, "TB"),
];

/// What is wrong with the text of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No number of this kind at all.
    Malformed,
    /// A number with something behind it that is no unit.
    UnknownUnit,
    /// A fraction of the smallest unit.
    Fraction,
    /// More than 64 bits hold.
    TooLarge,
}

/// A whole number: decimal, or hexadecimal behind `0x`.
pub(super) fn whole(text: &str) -> Result<i128, Fault> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (digits, radix) = digits.strip_prefix("0x").map_or((digits, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Fault::Malformed);
    }
    let value = i128::from_str_radix(digits, radix).map_err(|_| Fault::TooLarge)?;
    Ok(if negative { -value } else { value })
}

/// A number with a unit of `units`, or a bare one in `unit`, as so many of the smallest: `1.5s` is 1500000000.
pub(super) fn measured(text: &str, unit: Unit, units: &[Unit]) -> Result<i128, Fault> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (integer, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if integer.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(Fault::Malformed);
    }
    let unit = match suffix {
        "" => unit,
        "µs" => *units.iter().find(|unit| unit.name == "us").ok_or(Fault::UnknownUnit)?,
        suffix => *units.iter().find(|unit| unit.name == suffix).ok_or(Fault::UnknownUnit)?,
    };
    let integer: i128 = integer.parse().map_err(|_| Fault::TooLarge)?;
    let digits = fraction.trim_end_matches('0');
    let scale =
        u32::try_from(digits.len()).ok().and_then(|length| 10_i128.checked_pow(length)).ok_or(Fault::Fraction)?;
    let part = if digits.is_empty() { 0 } else { digits.parse::<i128>().map_err(|_| Fault::Fraction)? };
    let part = part.checked_mul(unit.factor).ok_or(Fault::Fraction)?;
    if part % scale != 0 {
        return Err(Fault::Fraction);
    }
    let value = integer.checked_mul(unit.factor).and_then(|value| value.checked_add(part / scale));
    let value = value.filter(|value| u64::try_from(*value).is_ok()).ok_or(Fault::TooLarge)?;
    Ok(if negative { -value } else { value })
}

/// A number of the smallest unit as it is best read: in the largest unit that it is a whole number of.
pub(super) fn shown(value: i128, units: &[Unit]) -> String {
    let fitting = units.iter().filter(|unit| value != 0 && value % unit.factor == 0);
    // of units of one size, the first
    let best = fitting.fold(None, |best: Option<&Unit>, unit| match best {
        Some(best) if best.factor >= unit.factor => Some(best),
        _ => Some(unit),
    });
    match best {
        Some(unit) => format!("{}{}", value / unit.factor, unit.name),
        None => value.to_string(),
    }
}
