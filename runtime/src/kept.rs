//! Maps that outlive a run: what they held at its end is put into the maps of a later run that have their names.
//!
//! Their contents are kept here, not in the kernel, so that a later run can give a map another size, or longer strings.
//! Only the map of stacks stays in the kernel as it is: keys hold its numbers of stacks.

use crate::decode::{part, unsigned};
use crate::error::RunError;
use crate::events::Requests;
use crate::map_reader::{Entries, MapReader, is_present};
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Manifest, Map, MapId, MapRole, MapValue};
use lt_lang::types::{EnumRef, Layout, Type};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The maps that the runs so far have left behind.
#[derive(Default)]
pub struct KeptMaps {
    maps: Vec<(Map, Entries)>,
    stacks: Option<OwnedFd>,
    /// Formats of times, by the numbers that kept values have for them.
    formats: Vec<Vec<u8>>,
}

impl KeptMaps {
    /// The maps by name, each with the number of its entries; a map without keys has one when it has a value.
    pub fn rows(&self) -> Vec<(&Map, usize)> {
        let count = |map: &Map, entries: &Entries| {
            if map.keys.is_empty() { usize::from(is_present(map, entries.value(0))) } else { entries.count() }
        };
        let mut rows: Vec<_> = self.maps.iter().map(|(map, entries)| (map, count(map, entries))).collect();
        rows.sort_by(|left, right| left.0.name.cmp(&right.0.name));
        rows
    }

    /// Forgets a map (`@x`). `false`: there is none of this name.
    pub fn forget(&mut self, name: &str) -> bool {
        let before = self.maps.len();
        self.maps.retain(|(map, _)| map.name != name);
        self.maps.len() < before
    }

    /// Removes the entries of a map (`@x`), whose type stays. `false`: there is none of this name.
    pub fn clear(&mut self, name: &str) -> bool {
        let found = self.maps.iter_mut().find(|(map, _)| map.name == name);
        found.map(|(map, entries)| *entries = Entries::new(map.key_size, map.value_size)).is_some()
    }

    /// The map of stacks that keys of kept maps refer to.
    pub(crate) fn stacks(&self) -> Option<BorrowedFd<'_>> {
        self.stacks.as_ref().map(OwnedFd::as_fd)
    }

    /// All formats of times of a run that begins: the script's own, then those of kept values.
    pub(crate) fn all_formats(&self, manifest: &Manifest) -> Vec<Vec<u8>> {
        manifest.time_formats.iter().chain(&self.formats).cloned().collect()
    }

    /// Puts what was kept into the maps of a run that begins; warnings about what could not be.
    pub(crate) fn restore(
        &self,
        manifest: &Manifest,
        readers: &[MapReader<'_>],
        warn: &dyn Fn(Diagnostic),
    ) -> Result<(), RunError> {
        let own_formats = manifest.time_formats.len() as u64;
        for reader in readers.iter().filter(|reader| reader.map.role == MapRole::User) {
            let Some((map, entries)) = self.maps.iter().find(|(map, _)| map.name == reader.map.name) else { continue };
            let mut lost = 0;
            for at in 0..entries.count() {
                let fits = match converted(map, reader.map, entries, at) {
                    Some((mut key, mut value)) => {
                        renumber(reader.map, &mut key, &mut value, &mut |format| format + own_formats);
                        reader.put(&key, &value)?
                    }
                    None => false,
                };
                lost += usize::from(!fits);
            }
            if lost > 0 {
                let message = format!("{lost} entries of `{}` found no place in its new map and are gone", map.name);
                warn(Diagnostic::warning(Code::LostEvents, message));
            }
        }
        Ok(())
    }

    /// Takes what the maps of a run hold at its end. `stacks` is its map of stacks.
    pub(crate) fn take(
        &mut self,
        manifest: &Manifest,
        requests: &Requests<'_>,
        stacks: Option<BorrowedFd<'_>>,
    ) -> Result<(), RunError> {
        let formats = self.all_formats(manifest);
        for (at, reader) in requests.readers().iter().enumerate() {
            if reader.map.role != MapRole::User {
                continue;
            }
            let mut entries = requests.held(MapId(at as u32))?;
            entries.rewrite(|key, value| {
                renumber(reader.map, key, value, &mut |format| self.number_of(formats.get(format as usize)));
            });
            self.forget(&reader.map.name);
            self.maps.push((reader.map.clone(), entries));
        }
        if !self.maps.iter().any(|(map, _)| map.has_stacks()) {
            self.stacks = None;
        } else if let (Some(stacks), None) = (stacks, &self.stacks) {
            let failed = |source| RunError::System { what: "the stacks cannot be kept".into(), source };
            self.stacks = Some(stacks.try_clone_to_owned().map_err(failed)?);
        }
        Ok(())
    }
}

impl KeptMaps {
    /// The number that kept values have for a format.
    fn number_of(&mut self, format: Option<&Vec<u8>>) -> u64 {
        let Some(format) = format else { return u64::from(u32::MAX) };
        let known = self.formats.iter().position(|known| known == format);
        known.unwrap_or_else(|| {
            self.formats.push(format.clone());
            self.formats.len() - 1
        }) as u64
    }
}

/// Changes the numbers of the formats of all times in an entry.
fn renumber(map: &Map, key: &mut [u8], value: &mut [u8], change: &mut dyn FnMut(u64) -> u64) {
    renumber_all(&map.keys.iter().collect::<Vec<_>>(), key, change);
    if let MapValue::Plain(ty) = &map.value {
        renumber_all(&[ty], value, change);
    }
}

fn renumber_all(types: &[&Type], bytes: &mut [u8], change: &mut dyn FnMut(u64) -> u64) {
    for (ty, offset) in types.iter().zip(Layout::of_parts(0, types).offsets) {
        let Some(bytes) = bytes.get_mut(offset as usize..(offset + ty.size()) as usize) else { continue };
        match (ty, bytes.get_mut(8..16)) {
            (Type::Timestamp, Some(format)) => {
                let number = change(unsigned(format, 8));
                format.copy_from_slice(&number.to_ne_bytes());
            }
            _ => renumber_all(&ty.parts(), bytes, change),
        }
    }
}

/// The symbol of the map of stacks.
pub(crate) fn stacks_symbol(manifest: &Manifest) -> Option<&str> {
    manifest.maps.iter().find(|map| map.role == MapRole::Stacks).map(|map| map.symbol.as_str())
}

/// Key and value of an entry as another map of the same name has them: types can have widened. `None` when they are not
/// the same any more.
fn converted(from: &Map, to: &Map, entries: &Entries, at: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = if from.keys.is_empty() && to.keys.is_empty() {
        Vec::new()
    } else {
        let mut key = vec![0; to.key_size as usize];
        let (old, new): (Vec<_>, Vec<_>) = (from.keys.iter().collect(), to.keys.iter().collect());
        widen_all(&old, entries.key(at), &new, &mut key)?;
        key
    };
    let (old, mut value) = (entries.value(at), vec![0; to.value_size as usize]);
    match (&from.value, &to.value) {
        (MapValue::Plain(old_type), MapValue::Plain(new_type)) => {
            let size = new_type.size() as usize;
            widen(old_type, old.get(..old_type.size() as usize)?, new_type, value.get_mut(..size)?)?;
        }
        (MapValue::Aggregate(_), MapValue::Aggregate(_)) if old.len() == value.len() => value.copy_from_slice(old),
        (MapValue::Figures(before), MapValue::Figures(_)) => {
            for (figure, from) in before.iter().zip(from.value.parts()) {
                // one that the script does not have any more is gone
                let Some(place) = to.value.figure(&figure.name) else { continue };
                let size = figure.aggregate.words();
                if place.aggregate.name() == from.aggregate.name() && place.aggregate.words() == size {
                    let start = place.word as usize * 8;
                    let bytes = part(old, from.word * 8, size * 8);
                    value.get_mut(start..start + bytes.len())?.copy_from_slice(bytes);
                }
            }
        }
        _ => return None,
    }
    if let (Some(before), Some(now)) = (from.presence, to.presence) {
        value.get_mut(now as usize..now as usize + 8)?.copy_from_slice(part(old, before, 8));
    }
    Some((key, value))
}

fn widen_all(old: &[&Type], bytes: &[u8], new: &[&Type], to: &mut [u8]) -> Option<()> {
    if old.len() != new.len() {
        return None;
    }
    let (from_places, to_places) = (Layout::of_parts(0, old).offsets, Layout::of_parts(0, new).offsets);
    for ((old, from), (new, place)) in old.iter().zip(from_places).zip(new.iter().zip(to_places)) {
        let size = new.size() as usize;
        widen(old, part(bytes, from, old.size()), new, to.get_mut(place as usize..place as usize + size)?)?;
    }
    Some(())
}

/// Writes a value of type `old` as one of type `new`, which holds all of its values.
fn widen(old: &Type, bytes: &[u8], new: &Type, to: &mut [u8]) -> Option<()> {
    match (old, new) {
        (Type::Tuple(_), Type::Tuple(_)) => widen_all(&old.parts(), bytes, &new.parts(), to),
        (Type::Fields(before), Type::Fields(now)) => {
            let same = before.iter().map(|field| &field.name).eq(now.iter().map(|field| &field.name));
            if same { widen_all(&old.parts(), bytes, &new.parts(), to) } else { None }
        }
        (Type::Int(int) | Type::Enum(EnumRef { int, .. }), Type::Int(_) | Type::Enum(_)) => {
            let negative = int.signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            to.fill(if negative { 0xff } else { 0 });
            to.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(())
        }
        (Type::String { .. }, Type::String { .. }) | (Type::Buffer { .. }, Type::Buffer { .. }) => {
            to.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(())
        }
        _ if bytes.len() == to.len() => {
            to.copy_from_slice(bytes);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lt_lang::types::IntType;

    #[test]
    fn values_widen() {
        let string = |size| Type::String { size };
        let byte = Type::Int(IntType { bits: 8, signed: false });
        let old = [Type::I32, string(3), Type::Tuple(vec![byte, string(2)])];
        let new = [Type::I64, string(8), Type::Tuple(vec![Type::U64, string(4)])];
        let mut bytes = vec![0; Layout::of(&old).size as usize];
        let places = Layout::of(&old).offsets;
        let mut put = |at: usize, part: &[u8]| bytes[places[at] as usize..][..part.len()].copy_from_slice(part);
        put(0, &(-2i32).to_ne_bytes());
        put(1, b"ab");
        put(2, &[200, b'c']);
        let mut wide = vec![0xaa; Layout::of(&new).size as usize];
        wide.fill(0);
        let (before, now): (Vec<_>, Vec<_>) = (old.iter().collect(), new.iter().collect());
        assert!(widen_all(&before, &bytes, &now, &mut wide).is_some());
        let places = Layout::of(&new).offsets;
        assert_eq!(part(&wide, places[0], 8), (-2i64).to_ne_bytes());
        assert_eq!(part(&wide, places[1], 8), b"ab\0\0\0\0\0\0");
        assert_eq!(part(&wide, places[2], 12), [200, 0, 0, 0, 0, 0, 0, 0, b'c', 0, 0, 0]);
        assert!(widen(&string(8), b"abcdefg\0", &string(4), &mut [0; 4]).is_none(), "never shortened");
        assert!(widen_all(&[&Type::I64], &[0; 8], &[], &mut []).is_none());
    }
}
