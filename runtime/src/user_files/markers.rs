//! Markers: notes of the section `.note.stapsdt`, which `<sys/sdt.h>` makes.

use lt_lang::kernel::{Marker, Segment};
use object::Endianness;
use object::read::elf::{FileHeader, SectionHeader, SectionTable};

/// The section with the notes, and the one whose address they are relative to (a linker may move it).
const NOTES: &[u8] = b".note.stapsdt";
const BASE: &[u8] = b".stapsdt.base";
/// Who writes such notes, and the type of those that describe a marker.
const OWNER: &[u8] = b"stapsdt";
const KIND: u32 = 3;

/// The markers of a file, in the order of its notes. What is malformed is left out.
pub(super) fn read<H: FileHeader<Endian = Endianness>>(
    sections: &SectionTable<'_, H>,
    endian: Endianness,
    data: &[u8],
    loaded: &[Segment],
) -> object::Result<Vec<Marker>> {
    let Some((_, section)) = sections.section_by_name(endian, NOTES) else { return Ok(Vec::new()) };
    let Some(mut notes) = section.notes(endian, data)? else { return Ok(Vec::new()) };
    let base = sections.section_by_name(endian, BASE).map(|(_, section)| section.sh_addr(endian).into());
    let wide = H::is_type_64_sized();
    let mut markers = Vec::new();
    while let Some(note) = notes.next()? {
        if note.n_type(endian) == KIND && note.name() == OWNER {
            markers.extend(marker(note.desc(), endian, wide, base, loaded));
        }
    }
    Ok(markers)
}

/// Three addresses (place, base, semaphore), then three texts (provider, name, arguments).
fn marker(desc: &[u8], endian: Endianness, wide: bool, base: Option<u64>, loaded: &[Segment]) -> Option<Marker> {
    let size = if wide { 8 } else { 4 };
    let word = |at: usize| {
        let bytes = desc.get(at * size..(at + 1) * size)?;
        let mut word = [0; 8];
        word.get_mut(..size)?.copy_from_slice(bytes);
        Some(if endian == Endianness::Little { u64::from_le_bytes(word) } else { u64::from_be_bytes(word) })
    };
    let mut texts = desc.get(3 * size..)?.split(|byte| *byte == 0);
    let mut text = || texts.next().map(|text| String::from_utf8_lossy(text).into_owned());
    let (place, written_base, semaphore) = (word(0)?, word(1)?, word(2)?);
    let moved = base.map_or(0, |base| base.wrapping_sub(written_base));
    let (provider, name, arguments) = (text()?, text()?, text()?);
    let semaphore = if semaphore == 0 { 0 } else { file_offset(semaphore.wrapping_add(moved), loaded)? };
    Some(Marker { provider, name, address: place.wrapping_add(moved), semaphore, arguments })
}

fn file_offset(address: u64, loaded: &[Segment]) -> Option<u64> {
    let inside = |part: &&Segment| address >= part.address && address - part.address < part.size;
    loaded.iter().find(inside).map(|part| address - part.address + part.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_become_markers() {
        let mut desc = Vec::new();
        for word in [0x1010u64, 0x2000, 0x3008] {
            desc.extend(word.to_le_bytes());
        }
        desc.extend(b"lib\0setjmp\x008@%rdi -4@%esi\0");
        let loaded = [Segment { address: 0x3000, size: 0x100, offset: 0x500 }];
        let found = marker(&desc, Endianness::Little, true, Some(0x2000), &loaded).unwrap();
        assert_eq!((found.provider.as_str(), found.name.as_str()), ("lib", "setjmp"));
        assert_eq!((found.address, found.semaphore), (0x1010, 0x508));
        assert_eq!(found.arguments, "8@%rdi -4@%esi");
        assert_eq!(marker(&desc, Endianness::Little, true, Some(0x2010), &loaded).unwrap().address, 0x1020);
        for end in 0..desc.len() - 1 {
            // Cut off anywhere, it is left out or has what is there.
            let _ = marker(&desc[..end], Endianness::Little, true, None, &loaded);
        }
    }
}
