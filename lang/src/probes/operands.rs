//! Where the arguments of markers are: the notes that compilers write, in the assembler's words.

use crate::manifest::{Operand, OperandPlace};

/// Reads `8@%rax -4@-20(%rbp)`; the error is the operand that is not understood.
pub fn parse(text: &str) -> Result<Vec<Operand>, String> {
    let mut rest = text.trim();
    let mut operands = Vec::new();
    while !rest.is_empty() {
        let (word, behind) = split(rest);
        operands.push(operand(word).ok_or_else(|| word.to_string())?);
        rest = behind.trim_start();
    }
    Ok(operands)
}

/// The first operand, and what stands behind it: blanks inside of brackets belong to it.
fn split(text: &str) -> (&str, &str) {
    let mut depth = 0u32;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

/// `SIZE@PLACE`; without a size eight bytes.
fn operand(word: &str) -> Option<Operand> {
    let (size, place) = word.split_once('@').unwrap_or(("8", word));
    // floating point arguments are `4f`, `8f`: their bits are what there is
    let size: i32 = size.trim_end_matches('f').parse().ok()?;
    let bytes = u8::try_from(size.unsigned_abs()).ok().filter(|bytes| matches!(bytes, 1 | 2 | 4 | 8))?;
    let place = if let Some(bracketed) = place.strip_prefix('[') {
        arm_memory(bracketed.strip_suffix(']')?)?
    } else if let Some((offset, inside)) = place.split_once('(') {
        x86_memory(offset, inside.strip_suffix(')')?)?
    } else if let Some(name) = place.strip_prefix('%') {
        OperandPlace::Register(register(name)?)
    } else if let Some(value) = number(place.trim_start_matches('$')) {
        OperandPlace::Constant(value)
    } else {
        OperandPlace::Register(register(place)?)
    };
    Some(Operand { size: bytes, signed: size < 0, place })
}

/// `OFFSET(BASE)`, `OFFSET(BASE,INDEX,SCALE)`
fn x86_memory(offset: &str, inside: &str) -> Option<OperandPlace> {
    let offset = if offset.is_empty() { 0 } else { number(offset)? };
    let mut parts = inside.split(',').map(str::trim);
    let base = register(parts.next()?.strip_prefix('%')?)?;
    let index = match parts.next() {
        None => None,
        Some(index) => {
            let scale = parts.next().map_or(Some(1), |scale| scale.parse().ok())?;
            Some((register(index.strip_prefix('%')?)?, scale)).filter(|(_, scale)| matches!(scale, 1 | 2 | 4 | 8))
        }
    };
    // relative to the instruction: only the linker knows what is there
    let known = base != "rip" && (index.is_some() || !inside.contains(','));
    known.then_some(OperandPlace::Memory { base, offset, index })
}

/// `BASE`, `BASE, OFFSET`, `BASE, INDEX`
fn arm_memory(inside: &str) -> Option<OperandPlace> {
    let (base, rest) = inside.split_once(',').map_or((inside, None), |(base, rest)| (base, Some(rest.trim())));
    let base = register(base.trim())?;
    let place = |offset, index| OperandPlace::Memory { base, offset, index };
    match rest {
        None => Some(place(0, None)),
        Some(text) => match number(text.trim_start_matches('#')) {
            Some(offset) => Some(place(offset, None)),
            None => Some(place(0, Some((register(text)?, 1)))),
        },
    }
}

fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { (value as i64).wrapping_neg() } else { value as i64 })
}

/// Names of x86's registers of all widths, the full one first. (The high bytes `ah`... are not read.)
const X86: &[&[&str]] = &[
    &["rax", "eax", "ax", "al"],
    &["rbx", "ebx", "bx", "bl"],
    &["rcx", "ecx", "cx", "cl"],
    &["rdx", "edx", "dx", "dl"],
    &["rsi", "esi", "si", "sil"],
    &["rdi", "edi", "di", "dil"],
    &["rbp", "ebp", "bp", "bpl"],
    &["rsp", "esp", "sp", "spl"],
    &["r8", "r8d", "r8w", "r8b"],
    &["r9", "r9d", "r9w", "r9b"],
    &["r10", "r10d", "r10w", "r10b"],
    &["r11", "r11d", "r11w", "r11b"],
    &["r12", "r12d", "r12w", "r12b"],
    &["r13", "r13d", "r13w", "r13b"],
    &["r14", "r14d", "r14w", "r14b"],
    &["r15", "r15d", "r15w", "r15b"],
    &["rip", "eip"],
];

/// A register by its full width's name: `rax` for `eax`, `x3` for `w3`. The name `sp` is both architectures'.
fn register(name: &str) -> Option<String> {
    let arm = name.strip_prefix(['x', 'w']).filter(|digits| digits.parse::<u8>().is_ok_and(|number| number < 31));
    if let Some(digits) = arm {
        return Some(format!("x{digits}"));
    }
    let row = X86.iter().find(|row| row.contains(&name))?;
    row.first().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<OperandPlace> {
        parse(text).ok()?.pop().map(|operand| operand.place)
    }

    fn memory(base: &str, offset: i64, index: Option<(&str, u8)>) -> Option<OperandPlace> {
        let index = index.map(|(name, scale)| (name.to_string(), scale));
        Some(OperandPlace::Memory { base: base.into(), offset, index })
    }

    #[test]
    fn operands_of_all_forms() {
        assert_eq!(place("8@%rax"), Some(OperandPlace::Register("rax".into())));
        assert_eq!(place("-4@%r8d"), Some(OperandPlace::Register("r8".into())));
        assert_eq!(place("-4@$-5"), Some(OperandPlace::Constant(-5)));
        assert_eq!(place("8@-20(%rbp)"), memory("rbp", -20, None));
        assert_eq!(place("8@(%rdi)"), memory("rdi", 0, None));
        assert_eq!(place("4@8(%rax,%rcx,4)"), memory("rax", 8, Some(("rcx", 4))));
        assert_eq!(place("8@(%rax,%rcx)"), memory("rax", 0, Some(("rcx", 1))));
        assert_eq!(place("-4@[x0, 16]"), memory("x0", 16, None));
        assert_eq!(place("8@[x1]"), memory("x1", 0, None));
        assert_eq!(place("4@w2"), Some(OperandPlace::Register("x2".into())));
        assert_eq!(place("8@18446744073709551615"), Some(OperandPlace::Constant(-1)));
    }

    #[test]
    fn sizes_and_lists() {
        let found = parse("8@%rdi -1@%al 2@$61936").unwrap_or_default();
        let sizes: Vec<(u8, bool)> = found.iter().map(|operand| (operand.size, operand.signed)).collect();
        assert_eq!(sizes, [(8, false), (1, true), (2, false)]);
        assert!(parse("").is_ok_and(|operands| operands.is_empty()));
        assert_eq!(parse("8@[sp, 8] 4@w1").map(|operands| operands.len()), Ok(2));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for text in ["8@nonsense", "3@%rax", "8@global(%rip)", "8@8(%rip)", "8@%ah", "x@%rax", "8@(%rax,%rcx,3)"] {
            assert_eq!(parse(&format!("4@%eax {text}")), Err(text.to_string()));
        }
    }
}
