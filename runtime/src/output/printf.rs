//! `printf`: a parsed format and its values become text, as bpftrace renders them: precisions and the blank flag are accepted
//! and have no effect, `0` pads strings too, integers of at most 32 bits are shown as 32-bit numbers.

use super::gfp;
use super::plain::{INDENT, write_text, write_value};
use crate::value::{Int, Value};
use lt_lang::format::{Conversion, ConversionKind, Format, Piece};
use std::io::Write;

/// Most digits behind a point.
const MOST_DIGITS: u32 = 60;

/// Appends the format filled with `values`; values that are missing are left out.
pub fn format(format: &Format, values: &[Value<'_>], out: &mut Vec<u8>) {
    let mut values = values.iter();
    for piece in &format.pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Conversion(conversion) => {
                if let Some(value) = values.next() {
                    convert(conversion, value, out);
                }
            }
        }
    }
}

fn convert(conversion: &Conversion, value: &Value<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    match (conversion.kind, value) {
        (ConversionKind::Bytes { pairs: true }, Value::Buffer(bytes)) => {
            let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            out.extend_from_slice(pairs.join(" ").as_bytes());
        }
        (ConversionKind::Bytes { .. }, Value::Buffer(bytes)) => {
            bytes.iter().for_each(|byte| out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()));
        }
        (ConversionKind::Str | ConversionKind::Buffer | ConversionKind::Bytes { .. }, _) | (_, Value::Str(_)) => {
            write_value(value, INDENT, out);
        }
        (ConversionKind::Fixed | ConversionKind::Scientific, _) => write_float(conversion, value, out),
        (ConversionKind::GfpFlags, _) => gfp::write(number(value).raw, out),
        (ConversionKind::Char, _) => match number(value).raw as u8 {
            byte @ 0x80.. => out.push(byte),
            byte => write_text(&[byte], out),
        },
        _ => write_number(conversion, narrowed(number(value), conversion.bits), out),
    }
    let numeric = !matches!(
        conversion.kind,
        ConversionKind::Str
            | ConversionKind::Char
            | ConversionKind::GfpFlags
            | ConversionKind::Buffer
            | ConversionKind::Bytes { .. }
    );
    pad(conversion, numeric, start, out);
}

/// The value as a number: what has none is 0.
fn number(value: &Value<'_>) -> Int {
    match value {
        Value::Bool(value) => Int { raw: u64::from(*value), signed: false, bits: 8 },
        Value::Int(int) | Value::Enum(int, _) => *int,
        Value::Float(number) => Int::wide(*number as i64 as u64, true),
        Value::Pointer(address) | Value::Symbol(address, _) => Int::wide(*address, false),
        _ => Int::wide(0, false),
    }
}

/// Cut to the width that a length modifier or else the value's type gives it.
fn narrowed(int: Int, modifier: u8) -> Int {
    let bits = match modifier {
        8 | 16 => u32::from(modifier),
        64 => 64,
        _ => u32::from(int.bits).max(32),
    };
    let unused = 64 - bits.clamp(8, 64);
    Int { raw: (int.raw << unused) >> unused, signed: int.signed, bits: bits as u8 }
}

fn write_number(conversion: &Conversion, int: Int, out: &mut Vec<u8>) {
    let prefixed = conversion.alternate && int.raw != 0;
    // writing to a Vec cannot fail
    let _ = match conversion.kind {
        ConversionKind::Signed => {
            let unused = 64 - u32::from(int.bits).clamp(8, 64);
            let number = ((int.raw << unused) as i64) >> unused;
            if number >= 0 && conversion.plus {
                out.push(b'+');
            }
            write!(out, "{number}")
        }
        ConversionKind::Octal => write!(out, "{}{:o}", if prefixed { "0" } else { "" }, int.raw),
        ConversionKind::Hex => write!(out, "{}{:x}", if prefixed { "0x" } else { "" }, int.raw),
        ConversionKind::HexUpper => write!(out, "{}{:X}", if prefixed { "0X" } else { "" }, int.raw),
        ConversionKind::Pointer => write!(out, "{}{:x}", if int.raw == 0 { "" } else { "0x" }, int.raw),
        ConversionKind::Unsigned
        | ConversionKind::Char
        | ConversionKind::Str
        | ConversionKind::GfpFlags
        | ConversionKind::Buffer
        | ConversionKind::Fixed
        | ConversionKind::Scientific
        | ConversionKind::Bytes { .. } => write!(out, "{}", int.raw),
    };
}

/// `%f`, `%e`: six digits behind the point, or as many as the precision says.
fn write_float(conversion: &Conversion, value: &Value<'_>, out: &mut Vec<u8>) {
    let float = match value {
        Value::Float(number) => *number,
        other => {
            let int = number(other);
            if int.signed { int.raw as i64 as f64 } else { int.raw as f64 }
        }
    };
    if conversion.plus && float >= 0.0 {
        out.push(b'+');
    }
    let digits = conversion.precision.unwrap_or(6).min(MOST_DIGITS) as usize;
    // writing to a Vec cannot fail
    let _ = match conversion.kind {
        _ if float.is_nan() => write!(out, "nan"),
        ConversionKind::Scientific if float.is_finite() => {
            let text = format!("{float:.digits$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => write!(out, "{float:.digits$}"),
    };
}

/// Widens what was appended since `start`.
fn pad(conversion: &Conversion, numeric: bool, start: usize, out: &mut Vec<u8>) {
    let missing = (conversion.width as usize).saturating_sub(out.len() - start);
    if missing == 0 {
        return;
    }
    if conversion.left {
        out.resize(out.len() + missing, b' ');
        return;
    }
    let (at, fill) = if conversion.zero {
        (start + if numeric { sign_length(&out[start..]) } else { 0 }, b'0')
    } else {
        (start, b' ')
    };
    out.splice(at..at, std::iter::repeat_n(fill, missing));
}

/// Length of the sign and the prefix that zeros go behind.
fn sign_length(text: &[u8]) -> usize {
    match text {
        [b'-' | b'+', ..] => 1,
        [b'0', b'x' | b'X', ..] => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str, values: &[Value<'_>]) -> String {
        let mut out = Vec::new();
        format(&Format::parse(text.as_bytes()).expect("a good format"), values, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn int(value: i64) -> Value<'static> {
        Value::Int(Int::wide(value as u64, true))
    }

    fn narrow(value: i64, bits: u8) -> Value<'static> {
        Value::Int(Int { raw: value as u64, signed: true, bits })
    }

    #[test]
    fn integers() {
        for (format, value, expected) in [
            ("%d", -3, "-3"),
            ("%5d", 42, "   42"),
            ("%-5d|", 42, "42   |"),
            ("%05d", 42, "00042"),
            ("%05d", -42, "-0042"),
            ("%+d", 42, "+42"),
            ("% d", 42, "42"),
            ("%x", 255, "ff"),
            ("%#x", 255, "0xff"),
            ("%#x", 0, "0"),
            ("%X", 255, "FF"),
            ("%o", 8, "10"),
            ("%#o", 8, "010"),
            ("%p", 4096, "0x1000"),
            ("%p", 0, "0"),
            ("%10p|", 5, "       0x5|"),
            ("%.3d", 5, "5"),
            ("%8.4d", 42, "      42"),
            ("%hd", 70000, "4464"),
            ("%hhd", 300, "44"),
            ("%hx", -1, "ffff"),
            ("%llx", -1, "ffffffffffffffff"),
            ("%08x", 48879, "0000beef"),
            ("%-8x|", 48879, "beef    |"),
        ] {
            assert_eq!(print(format, &[int(value)]), expected, "{format} of {value}");
        }
    }

    #[test]
    fn narrow_integers_are_shown_with_32_bits() {
        assert_eq!(print("%x %u", &[narrow(-1, 8), narrow(-1, 8)]), "ffffffff 4294967295");
        assert_eq!(print("%x", &[narrow(-1, 64)]), "ffffffffffffffff");
        assert_eq!(print("%p", &[narrow(-1, 64)]), "0xffffffffffffffff");
        assert_eq!(print("%d", &[Value::Int(Int::wide(u64::MAX, false))]), "-1");
        assert_eq!(print("%s", &[Value::Int(Int::wide(u64::MAX, false))]), "18446744073709551615");
    }

    #[test]
    fn strings_and_characters() {
        let abc = Value::Str(b"abc");
        assert_eq!(
            print("[%s|%10s|%-10s|%.2s]", &[abc.clone(), abc.clone(), abc.clone(), abc]),
            "[abc|       abc|abc       |abc]"
        );
        assert_eq!(print("%s %d", &[Value::Bool(true), Value::Bool(true)]), "true 1");
        assert_eq!(print("%c%5c|%-5c|", &[int(0x141), int(66), int(67)]), "A    B|C    |");
        assert_eq!(print("%05s", &[Value::Str(b"x")]), "0000x");
        assert_eq!(print("100%%", &[]), "100%");
        assert_eq!(print("%s|%d", &[Value::Pointer(5), Value::Pointer(5)]), "0x5|5");
        assert_eq!(print("%s", &[Value::Tuple(vec![int(1), Value::Str(b"a")])]), "(1, a)");
    }

    #[test]
    fn fractions() {
        for (format, value, expected) in [
            ("%f", 2.5, "2.500000"),
            ("%.1f|", 0.25, "0.2|"),
            ("%8.2f|", -1.005, "   -1.00|"),
            ("%-8.2f|", 3.0, "3.00    |"),
            ("%08.2f", -3.25159, "-0003.25"),
            ("%+.0f", 7.0, "+7"),
            ("%e", 12345.678, "1.234568e+04"),
            ("%.2e", 0.00012, "1.20e-04"),
            ("%f", f64::NAN, "nan"),
            ("%.1f", f64::INFINITY, "inf"),
            ("%d", -2.9, "-2"),
            ("%s", 0.1, "0.1"),
            ("%s", 100.0, "100.0"),
        ] {
            assert_eq!(print(format, &[Value::Float(value)]), expected, "{format} of {value}");
        }
        assert_eq!(print("%.1f", &[int(-3)]), "-3.0");
    }

    #[test]
    fn missing_values_are_left_out() {
        assert_eq!(print("a%sb%d", &[]), "ab");
    }
}
