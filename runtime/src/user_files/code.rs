//! Where instructions begin: a breakpoint inside of one would change what the program does.

use super::map::Mapped;
use lt_lang::kernel::{UserFile, UserFunction};
use std::path::Path;

/// Longest function that is decoded.
const MOST_BYTES: u64 = 1 << 20;

/// Whether an instruction begins `offset` bytes behind a function's entry; `None` when that cannot be told.
pub(crate) fn is_instruction(file: &UserFile, function: &UserFunction, offset: u64) -> Option<bool> {
    if offset == 0 {
        return Some(true);
    }
    if cfg!(target_arch = "aarch64") {
        return Some(offset.is_multiple_of(4));
    }
    if !cfg!(target_arch = "x86_64") || function.size == 0 || offset > MOST_BYTES {
        return None;
    }
    let start = usize::try_from(file.offset(function.address)?).ok()?;
    let mapped = Mapped::open(Path::new(&file.path)).ok()?;
    let length = usize::try_from(function.size.min(MOST_BYTES)).ok()?;
    let code = mapped.bytes().get(start..)?;
    Some(begins_at(code.get(..length.min(code.len()))?, offset))
}

/// Whether decoding from the start comes to `offset`.
fn begins_at(code: &[u8], offset: u64) -> bool {
    let mut decoder = iced_x86::Decoder::with_ip(64, code, 0, iced_x86::DecoderOptions::NONE);
    while decoder.can_decode() && decoder.ip() < offset {
        if decoder.decode().is_invalid() {
            return false;
        }
    }
    decoder.ip() == offset
}

#[cfg(test)]
mod tests {
    use super::begins_at;

    #[test]
    fn instructions() {
        // push rbp; mov rbp, rsp; mov eax, 5; ret
        let code = [0x55, 0x48, 0x89, 0xe5, 0xb8, 5, 0, 0, 0, 0xc3];
        let begins: Vec<u64> = (0..10).filter(|offset| begins_at(&code, *offset)).collect();
        assert_eq!(begins, [0, 1, 4, 9]);
    }
}
