//! Debug information of programs (DWARF): lines of sources, parameters of functions, their types.

use super::library;
use super::map::Mapped;
use gimli::{AttributeValue, DW_AT_abstract_origin, DW_AT_name, DW_AT_specification, EndianSlice, LittleEndian};
use gimli::{DebuggingInformationEntry, UnitOffset};
use object::{Object, ObjectSection};
use std::path::Path;

pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;
pub(super) type Dwarf<'a> = gimli::Dwarf<Slice<'a>>;
pub(super) type Unit<'a> = gimli::Unit<Slice<'a>>;
pub(super) type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;

/// Most steps from a declaration to where its name stands.
const MOST_STEPS: usize = 8;

/// Reads a file's debug information, or that of the file which keeps what was stripped from it; `None` when there is none
/// or it is compressed.
pub(super) fn with_dwarf<T>(path: &Path, read: impl FnOnce(&Dwarf<'_>) -> Option<T>) -> Option<T> {
    let mapped = Mapped::open(path).ok()?;
    if has_information(mapped.bytes()) {
        return read(&dwarf_of(mapped.bytes())?);
    }
    let separate = library::separate_debug_file(path, mapped.bytes())?;
    let mapped = Mapped::open(&separate).ok()?;
    read(&dwarf_of(mapped.bytes())?)
}

fn has_information(data: &[u8]) -> bool {
    object::File::parse(data).is_ok_and(|file| file.section_by_name(".debug_info").is_some())
}

fn dwarf_of(data: &[u8]) -> Option<Dwarf<'_>> {
    let file = object::File::parse(data).ok()?;
    let section = |id: gimli::SectionId| -> Result<Slice<'_>, gimli::Error> {
        let found = file.section_by_name(id.name()).and_then(|section| section.data().ok());
        Ok(EndianSlice::new(found.unwrap_or_default(), LittleEndian))
    };
    Dwarf::load(section).ok()
}

/// All units.
pub(super) fn units<'a>(dwarf: &Dwarf<'a>) -> impl Iterator<Item = Unit<'a>> {
    let mut headers = dwarf.units();
    std::iter::from_fn(move || headers.next().ok().flatten()).filter_map(|header| dwarf.unit(header).ok())
}

/// An entry's name, perhaps found at the entry that it stands for.
pub(super) fn name<'a>(dwarf: &Dwarf<'a>, unit: &Unit<'a>, entry: &Entry<'a>) -> Option<String> {
    let mut entry = entry.clone();
    for _ in 0..MOST_STEPS {
        if let Some(value) = entry.attr_value(DW_AT_name) {
            let text = dwarf.attr_string(unit, value).ok()?;
            return Some(text.to_string_lossy().into_owned());
        }
        let other = reference(&entry, DW_AT_abstract_origin).or_else(|| reference(&entry, DW_AT_specification))?;
        entry = unit.entry(other).ok()?;
    }
    None
}

/// The entry of the same unit that an attribute refers to.
pub(super) fn reference(entry: &Entry<'_>, attribute: gimli::DwAt) -> Option<UnitOffset> {
    match entry.attr_value(attribute)? {
        AttributeValue::UnitRef(offset) => Some(offset),
        _ => None,
    }
}

/// Addresses at which statements of a line begin, sorted; the file's path may be given in part from its end.
pub(crate) fn addresses_of_line(path: &Path, source: &str, line: u64, column: Option<u64>) -> Option<Vec<u64>> {
    with_dwarf(path, |dwarf| {
        let mut found = Vec::new();
        for unit in units(dwarf) {
            lines_of(dwarf, &unit, (source, line, column), &mut found);
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    })
}

fn lines_of(dwarf: &Dwarf<'_>, unit: &Unit<'_>, wanted: (&str, u64, Option<u64>), found: &mut Vec<u64>) -> Option<()> {
    let (source, line, column) = wanted;
    let mut rows = unit.line_program.clone()?.rows();
    let mut known: Vec<(u64, bool)> = Vec::new();
    while let Some((header, row)) = rows.next_row().ok()? {
        let here = row.is_stmt() && !row.end_sequence() && row.line().is_some_and(|number| number.get() == line);
        let there = match (column, row.column()) {
            (None, _) => true,
            (Some(column), gimli::ColumnType::Column(number)) => number.get() == column,
            (Some(_), gimli::ColumnType::LeftEdge) => false,
        };
        if !here || !there {
            continue;
        }
        let index = row.file_index();
        let same = match known.iter().find(|(known, _)| *known == index) {
            Some((_, same)) => *same,
            None => {
                let same = source_path(dwarf, unit, header, index).is_some_and(|path| is_source(&path, source));
                known.push((index, same));
                same
            }
        };
        if same {
            found.push(row.address());
        }
    }
    Some(())
}

fn source_path(
    dwarf: &Dwarf<'_>,
    unit: &Unit<'_>,
    header: &gimli::LineProgramHeader<Slice<'_>>,
    index: u64,
) -> Option<String> {
    let file = header.file(index)?;
    let text = |value| Some(dwarf.attr_string(unit, value).ok()?.to_string_lossy().into_owned());
    let name = text(file.path_name())?;
    let folder = file.directory(header).and_then(text).unwrap_or_default();
    if name.starts_with('/') || folder.is_empty() {
        return Some(name);
    }
    Some(format!("{folder}/{name}"))
}

/// Whether a path is the one meant: `src/main.c` is `/build/src/main.c`.
fn is_source(path: &str, source: &str) -> bool {
    let source = source.trim_start_matches("./");
    path == source || path.strip_suffix(source).is_some_and(|rest| rest.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::is_source;

    #[test]
    fn sources_by_the_end_of_their_path() {
        for (path, source, is) in [
            ("/build/src/main.c", "main.c", true),
            ("/build/src/main.c", "src/main.c", true),
            ("/build/src/main.c", "./main.c", true),
            ("/build/src/domain.c", "main.c", false),
            ("main.c", "main.c", true),
        ] {
            assert_eq!(is_source(path, source), is, "{path} {source}");
        }
    }
}
