//! Format strings of `printf`: parsed once, checked against the values' types, carried in the manifest, rendered by
//! the runtime.

use serde::{Deserialize, Serialize};

/// A parsed format string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Literal text and conversions in order.
    pub pieces: Vec<Piece>,
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// Printed as it is (`%%` is a `%` here).
    Text(Vec<u8>),
    /// Takes the next value.
    Conversion(Conversion),
}

/// `%-08.3lld` and the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// `-`: pad on the right.
    pub left: bool,
    /// `0`: pad with zeros.
    pub zero: bool,
    /// `+`: show the sign of positive numbers.
    pub plus: bool,
    /// ` `: a blank for the sign of positive numbers.
    pub blank: bool,
    /// `#`: 0x or 0 before the digits.
    pub alternate: bool,
    /// Least number of characters.
    pub width: u32,
    /// Most characters of a string, least digits of a number.
    pub precision: Option<u32>,
    /// How to show it.
    pub kind: ConversionKind,
    /// Length modifier `hh`, `h` narrow the value to 8 or 16 bits first; 0 without, 32 and 64 are not narrowed.
    pub bits: u8,
}

/// The letter of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversionKind {
    /// `%d %i`
    Signed,
    /// `%u`
    Unsigned,
    /// `%o`
    Octal,
    /// `%x`
    Hex,
    /// `%X`
    HexUpper,
    /// `%p`
    Pointer,
    /// `%c`
    Char,
    /// `%f`: digits behind the point, six or as many as the precision says; in user space.
    Fixed,
    /// `%e`: the same with an exponent.
    Scientific,
    /// `%gr`: flags of the kernel's memory allocation, by name.
    GfpFlags,
    /// `%s`: strings, symbols, stacks, and by name whatever has one.
    Str,
    /// `%r`: a buffer, with what is not printable as `\xNN`.
    Buffer,
    /// `%rx`, `%rh`: all bytes of a buffer as `\xNN`, or as `NN` with blanks between them.
    Bytes {
        /// `%rh`
        pairs: bool,
    },
}

/// What is wrong with a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Byte offset of the `%` in the (unescaped) string.
    pub at: usize,
    /// The conversion as written.
    pub text: String,
}

impl Format {
    /// Parses the bytes of a format string.
    pub fn parse(bytes: &[u8]) -> Result<Format, FormatError> {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            if *first != b'%' {
                text.push(*first);
                rest = after;
            } else if let Some(after) = after.strip_prefix(b"%") {
                text.push(b'%');
                rest = after;
            } else {
                let (conversion, used) = parse_conversion(after).map_err(|used| FormatError {
                    at: bytes.len() - rest.len(),
                    text: String::from_utf8_lossy(rest.get(..used + 1).unwrap_or(rest)).into_owned(),
                })?;
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Conversion(conversion));
                rest = after.get(used..).unwrap_or_default();
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Format { pieces })
    }

    /// The conversions in order: one for each value.
    pub fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Conversion(conversion) => Some(conversion),
            Piece::Text(_) => None,
        })
    }
}

impl Conversion {
    /// A conversion without flags.
    pub fn plain(kind: ConversionKind) -> Conversion {
        Conversion {
            left: false,
            zero: false,
            plus: false,
            blank: false,
            alternate: false,
            width: 0,
            precision: None,
            kind,
            bits: 0,
        }
    }
}

impl ConversionKind {
    fn of(letter: u8) -> Option<Self> {
        Some(match letter {
            b'd' | b'i' => ConversionKind::Signed,
            b'u' => ConversionKind::Unsigned,
            b'o' => ConversionKind::Octal,
            b'x' => ConversionKind::Hex,
            b'X' => ConversionKind::HexUpper,
            b'p' => ConversionKind::Pointer,
            b'c' => ConversionKind::Char,
            b's' => ConversionKind::Str,
            b'r' => ConversionKind::Buffer,
            b'f' => ConversionKind::Fixed,
            b'e' => ConversionKind::Scientific,
            _ => return None,
        })
    }

    /// The letter.
    pub fn letter(self) -> char {
        match self {
            ConversionKind::Signed => 'd',
            ConversionKind::Unsigned => 'u',
            ConversionKind::Octal => 'o',
            ConversionKind::Hex => 'x',
            ConversionKind::HexUpper => 'X',
            ConversionKind::Pointer => 'p',
            ConversionKind::Char => 'c',
            ConversionKind::GfpFlags => 'g',
            ConversionKind::Fixed => 'f',
            ConversionKind::Scientific => 'e',
            ConversionKind::Str => 's',
            ConversionKind::Buffer | ConversionKind::Bytes { .. } => 'r',
        }
    }
}

/// Parses what follows a `%`. Gives the conversion and its length; on error the length up to the offending byte.
fn parse_conversion(bytes: &[u8]) -> Result<(Conversion, usize), usize> {
    let mut conversion = Conversion::plain(ConversionKind::Str);
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(b'-') => conversion.left = true,
            Some(b'0') => conversion.zero = true,
            Some(b'+') => conversion.plus = true,
            Some(b' ') => conversion.blank = true,
            Some(b'#') => conversion.alternate = true,
            _ => break,
        }
        at += 1;
    }
    conversion.width = parse_number(bytes, &mut at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        conversion.precision = Some(parse_number(bytes, &mut at));
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(b"gr") {
        conversion.kind = ConversionKind::GfpFlags;
        return Ok((conversion, at + 2));
    }
    let modifiers: [(&[u8], u8); 7] =
        [(b"hh", 8), (b"h", 16), (b"ll", 64), (b"l", 64), (b"j", 64), (b"z", 64), (b"t", 64)];
    if let Some((modifier, bits)) = modifiers.iter().find(|(modifier, _)| rest.starts_with(modifier)) {
        at += modifier.len();
        conversion.bits = *bits;
    }
    let letter = bytes.get(at).copied().ok_or(at)?;
    conversion.kind = ConversionKind::of(letter).ok_or(at + 1)?;
    at += 1;
    if conversion.kind == ConversionKind::Buffer
        && let Some(form @ (b'x' | b'h')) = bytes.get(at)
    {
        conversion.kind = ConversionKind::Bytes { pairs: *form == b'h' };
        at += 1;
    }
    Ok((conversion, at))
}

/// Reads digits, at most 9999.
fn parse_number(bytes: &[u8], at: &mut usize) -> u32 {
    let mut number = 0u32;
    while let Some(digit) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
        number = (number * 10 + u32::from(digit - b'0')).min(9999);
        *at += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_conversions() {
        let format = Format::parse(b"100%% %-5s|%08llx\n").expect("a good format");
        assert_eq!(format.pieces.len(), 5);
        let conversions: Vec<_> = format.conversions().collect();
        assert_eq!((conversions[0].left, conversions[0].width, conversions[0].kind), (true, 5, ConversionKind::Str));
        assert_eq!((conversions[1].zero, conversions[1].width, conversions[1].bits), (true, 8, 64));
    }

    #[test]
    fn bad_conversions_are_located() {
        assert_eq!(Format::parse(b"ab %y"), Err(FormatError { at: 3, text: "%y".into() }));
        assert_eq!(Format::parse(b"%"), Err(FormatError { at: 0, text: "%".into() }));
    }
}
