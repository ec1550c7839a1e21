//! Values of number and string literals.

/// Reads a number as the lexer cut it: `42`, `0x1f`, `010`, `1e6`, `1_000`, `7ul`, `5ms`. Gives its bits and whether
/// it is unsigned (it says so, or is above the largest int64); durations are nanoseconds. Says what is wrong otherwise.
pub(crate) fn number(text: &str) -> Result<(u64, bool), &'static str> {
    if let Some(rest) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let (digits, suffix) = split(rest, |c| c.is_ascii_hexdigit());
        return integer(digits, 16, suffix);
    }
    let (digits, rest) = split(text, |c| c.is_ascii_digit());
    let (exponent, suffix) = match rest.strip_prefix(['e', 'E']) {
        Some(rest) => {
            let (exponent, suffix) = split(rest, |c| c.is_ascii_digit());
            (Some(exponent), suffix)
        }
        None => (None, rest),
    };
    let unit = nanoseconds(suffix);
    let suffix = if unit.is_some() { "" } else { suffix };
    let (value, unsigned) = match exponent {
        Some(exponent) => scientific(digits, exponent, suffix)?,
        None if digits.len() > 1 && digits.starts_with('0') => integer(digits, 8, suffix)?,
        None => integer(digits, 10, suffix)?,
    };
    let Some(unit) = unit else { return Ok((value, unsigned)) };
    let value = value.checked_mul(unit).filter(|value| *value <= i64::MAX as u64);
    value.map(|value| (value, false)).ok_or("the duration does not fit in 64 bits of nanoseconds")
}

fn split(text: &str, digit: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| c != '_' && !digit(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn integer(digits: &str, radix: u32, suffix: &str) -> Result<(u64, bool), &'static str> {
    let unsigned = unsigned_suffix(suffix)?;
    let mut value = 0u64;
    let mut any = false;
    for c in digits.chars().filter(|c| *c != '_') {
        any = true;
        let digit = c.to_digit(radix).ok_or("a number that begins with 0 is octal: its digits are 0 to 7")?;
        value = append(value, radix, digit)?;
    }
    if any { Ok((value, unsigned || value > i64::MAX as u64)) } else { Err("digits are missing") }
}

fn append(value: u64, radix: u32, digit: u32) -> Result<u64, &'static str> {
    let value = value.checked_mul(radix.into()).and_then(|value| value.checked_add(digit.into()));
    value.ok_or("the number does not fit in 64 bits")
}

fn scientific(digits: &str, exponent: &str, suffix: &str) -> Result<(u64, bool), &'static str> {
    let (mut value, _) = integer(digits, 10, "")?;
    let (exponent, _) = integer(exponent, 10, "").map_err(|_| "the exponent is missing or too large")?;
    let unsigned = unsigned_suffix(suffix)?;
    if value != 0 {
        let power = u32::try_from(exponent).ok().and_then(|exponent| 10u64.checked_pow(exponent));
        value = power.and_then(|power| value.checked_mul(power)).ok_or("the number does not fit in 64 bits")?;
    }
    Ok((value, unsigned || value > i64::MAX as u64))
}

/// Whether the suffix of C (`u`, `l`, `ul`, `ull`, ... in any case) says unsigned.
fn unsigned_suffix(suffix: &str) -> Result<bool, &'static str> {
    match suffix.to_ascii_lowercase().as_str() {
        "" | "l" | "ll" => Ok(false),
        "u" | "ul" | "lu" | "ull" | "llu" => Ok(true),
        _ => Err("no suffix or unit of this name; units are ns us ms s m h d"),
    }
}

fn nanoseconds(unit: &str) -> Option<u64> {
    let seconds = 1_000_000_000;
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => seconds,
        "m" => 60 * seconds,
        "h" => 3600 * seconds,
        "d" => 86400 * seconds,
        _ => return None,
    })
}

/// Resolves the escapes of a string's inside. `bad` is called with the byte range of each escape that is unknown.
pub(super) fn unescape(text: &str, mut bad: impl FnMut(usize, usize)) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(length) = text.get(at..).and_then(|rest| rest.find('\\')) {
        out.extend_from_slice(text.as_bytes().get(at..at + length).unwrap_or_default());
        at += length;
        let rest = text.get(at + 1..).unwrap_or_default();
        match escape(rest) {
            Some((byte, used)) => {
                out.push(byte);
                at += 1 + used;
            }
            None => {
                let used = rest.chars().next().map_or(0, char::len_utf8);
                bad(at, at + 1 + used);
                at += 1 + used;
            }
        }
    }
    out.extend_from_slice(text.as_bytes().get(at..).unwrap_or_default());
    out
}

/// The byte that an escape stands for and the number of characters behind the backslash.
fn escape(rest: &str) -> Option<(u8, usize)> {
    let simple = match rest.bytes().next()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'\\' => b'\\',
        b'"' => b'"',
        b'x' => {
            let digits = rest.get(1..)?;
            let used = digits.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            return u8::from_str_radix(digits.get(..used)?, 16).ok().map(|byte| (byte, used + 1));
        }
        b'0'..=b'7' => {
            let used = rest.bytes().take(3).take_while(|c| (b'0'..=b'7').contains(c)).count();
            return u8::from_str_radix(rest.get(..used)?, 8).ok().map(|byte| (byte, used));
        }
        _ => return None,
    };
    Some((simple, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases: &[(&str, Option<(u64, bool)>)] = &[
            ("0", Some((0, false))),
            ("42", Some((42, false))),
            ("010", Some((8, false))),
            ("0x1f", Some((31, false))),
            ("0XFFull", Some((255, true))),
            ("1e6", Some((1_000_000, false))),
            ("0e99999999999", Some((0, false))),
            ("1_000_000", Some((1_000_000, false))),
            ("7UL", Some((7, true))),
            ("7ll", Some((7, false))),
            ("9223372036854775807", Some((i64::MAX as u64, false))),
            ("9223372036854775808", Some((1 << 63, true))),
            ("18446744073709551615", Some((u64::MAX, true))),
            ("18446744073709551616", None),
            ("5ns", Some((5, false))),
            ("5us", Some((5_000, false))),
            ("100ms", Some((100_000_000, false))),
            ("2s", Some((2_000_000_000, false))),
            ("1m", Some((60_000_000_000, false))),
            ("1h", Some((3_600_000_000_000, false))),
            ("1e3us", Some((1_000_000, false))),
            ("010s", Some((8_000_000_000, false))),
            ("0x10s", None),
            ("1S", None),
            ("1d", Some((86_400_000_000_000, false))),
            ("999999999d", None),
            ("0x", None),
            ("0x_", None),
            ("08", None),
            ("1e", None),
            ("1e20", None),
            ("3q", None),
            ("0xfg", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text).ok(), *expected, "{text}");
        }
    }

    #[test]
    fn escapes() {
        let mut bad = Vec::new();
        let bytes = unescape(r#"a\n\t\r\\\"\0\12\3777\x41\x4\q é"#, |from, to| bad.push((from, to)));
        assert_eq!(bytes, b"a\n\t\r\\\"\0\x0a\xff7A\x04 \xc3\xa9");
        assert_eq!(bad, [(28, 30)]);
        assert_eq!(unescape(r"\400", |_, _| bad.clear()), b"00");
        assert!(bad.is_empty());
    }
}
