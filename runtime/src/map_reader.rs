//! Reading and clearing the kernel's maps: raw bytes in, entries with the values of all CPUs combined out.

use crate::error::RunError;
use crate::table::Table;
use lt_lang::aggregations::Reduce;
use lt_lang::manifest::{Aggregate, Map, MapKind, MapValue, Part};
use std::collections::HashMap;
use std::ffi::c_void;
use std::io;
use std::os::fd::RawFd;

/// Bytes that one batch of a large map may take.
const BATCH_BYTES: usize = 256 * 1024;
/// Entries of the first batch; later ones grow. (A bucket of a hash table, which is read as a whole, rarely has more.)
const FIRST_BATCH: usize = 64;

/// An open map and what the manifest says about it.
pub struct MapReader<'m> {
    /// Its description.
    pub map: &'m Map,
    fd: RawFd,
    cpus: usize,
    table: Option<Table>,
}

/// The entries of a map: `count` keys and values in a row.
pub struct Entries {
    key_size: usize,
    value_size: usize,
    keys: Vec<u8>,
    values: Vec<u8>,
}

impl Entries {
    /// No entries yet, of keys and values of these sizes.
    pub fn new(key_size: u32, value_size: u32) -> Entries {
        Entries { key_size: key_size as usize, value_size: value_size as usize, keys: Vec::new(), values: Vec::new() }
    }

    /// Lets `change` write each key and value anew.
    pub fn rewrite(&mut self, mut change: impl FnMut(&mut [u8], &mut [u8])) {
        let mut keys = self.keys.chunks_exact_mut(self.key_size.max(1));
        for value in self.values.chunks_exact_mut(self.value_size.max(1)) {
            change(keys.next().unwrap_or_default(), value);
        }
    }

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.values.len() / self.value_size.max(1)
    }

    /// Key of entry `at`.
    pub fn key(&self, at: usize) -> &[u8] {
        self.keys.get(at * self.key_size..(at + 1) * self.key_size).unwrap_or_default()
    }

    /// Value of entry `at`, all CPUs combined.
    pub fn value(&self, at: usize) -> &[u8] {
        self.values.get(at * self.value_size..(at + 1) * self.value_size).unwrap_or_default()
    }
}

impl Entries {
    /// No entries, for keys and values of a map.
    pub fn none(map: &Map) -> Entries {
        let key_size = if map.keys.is_empty() { 0 } else { map.key_size as usize };
        Entries { key_size, value_size: map.value_size as usize, keys: Vec::new(), values: Vec::new() }
    }

    /// Adds entries of the same map; keys may come twice then.
    pub fn append(&mut self, more: &Entries) {
        self.keys.extend_from_slice(&more.keys);
        self.values.extend_from_slice(&more.values);
    }

    /// Makes all values zero.
    pub fn zero(&mut self) {
        self.values.fill(0);
    }

    /// Adds a zero to those of a map without a key, which always has a value.
    pub fn with_element(mut self, map: &Map) -> Entries {
        if map.keys.is_empty() {
            self.values.resize(self.values.len() + self.value_size, 0);
        }
        self
    }

    /// Combines entries whose keys are the same once `rewrite` has changed them.
    #[must_use]
    pub fn regrouped(&self, value: &MapValue, mut rewrite: impl FnMut(&mut [u8])) -> Entries {
        let (key_size, value_size) = (self.key_size, self.value_size);
        let mut merged = Entries { key_size, value_size, keys: Vec::new(), values: Vec::new() };
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        for at in 0..self.count() {
            let mut key = self.key(at).to_vec();
            rewrite(&mut key);
            match places.get(&key) {
                Some(place) => merged.add_to(*place, value, self.value(at)),
                None => {
                    merged.keys.extend_from_slice(&key);
                    merged.values.extend_from_slice(self.value(at));
                    places.insert(key, merged.count() - 1);
                }
            }
        }
        merged
    }

    /// Combines a value with that of entry `at`; of plain values the later one stays.
    fn add_to(&mut self, at: usize, value: &MapValue, bytes: &[u8]) {
        let combined = match value {
            MapValue::Aggregate(_) | MapValue::Figures(_) => {
                let sum = combine_parts(value, &[words(self.value(at)), words(bytes)]);
                sum.into_iter().flat_map(u64::to_ne_bytes).collect()
            }
            MapValue::Plain(_) | MapValue::Opaque => bytes.to_vec(),
        };
        let start = at * self.value_size;
        if let Some(place) = self.values.get_mut(start..start + combined.len()) {
            place.copy_from_slice(&combined);
        }
    }
}

impl<'m> MapReader<'m> {
    /// `cpus`: number of possible CPUs.
    pub fn new(map: &'m Map, fd: RawFd, cpus: usize, table: Option<Table>) -> MapReader<'m> {
        MapReader { map, fd, cpus: if map.kind.is_per_cpu() { cpus } else { 1 }, table }
    }

    /// Bytes of one CPU's value as user space sees it.
    fn stride(&self) -> usize {
        let size = self.map.value_size as usize;
        if self.map.kind.is_per_cpu() { size.next_multiple_of(8) } else { size }
    }

    fn raw_size(&self) -> usize {
        self.stride() * self.cpus
    }

    /// All entries; a scalar map has its one element.
    pub fn read(&self) -> Result<Entries, RunError> {
        self.gather(Batch::Read)
    }

    /// Reads all entries and leaves an empty map. No program may use it.
    pub fn take(&self) -> Result<Entries, RunError> {
        let entries = self.gather(Batch::Take)?;
        if let Some(table) = &self.table {
            table.reset();
        }
        self.clear()?;
        Ok(entries)
    }

    fn gather(&self, batch: Batch) -> Result<Entries, RunError> {
        let (key_size, value_size) = (self.map.key_size as usize, self.map.value_size as usize);
        let mut entries = Entries { key_size, value_size, keys: Vec::new(), values: Vec::new() };
        if matches!(self.map.kind, MapKind::Array | MapKind::PerCpuArray) {
            entries.key_size = 0;
            if let Some(value) = self.look_up(&0u32.to_ne_bytes()) {
                entries.values = value;
            }
            return Ok(entries);
        }
        let mut add = |key: &[u8], raw: &[u8]| {
            entries.keys.extend_from_slice(key);
            self.combine(raw, &mut entries.values);
        };
        let done = self.read_batches(batch, &mut add)?;
        if !done {
            self.read_one_by_one(&mut add)?;
        }
        if self.map.keys.is_empty() {
            // a map without a key that programs delete: its one element may be missing
            entries.key_size = 0;
            entries.values.resize(value_size, 0);
            return Ok(entries);
        }
        let Some(table) = &self.table else { return Ok(entries) };
        table.each(&mut |key, value| {
            entries.keys.extend_from_slice(key);
            entries.values.extend_from_slice(value);
        });
        Ok(entries.regrouped(&self.map.value, |_| {}))
    }

    /// The combined value of one key; `None` when the map does not have it.
    pub fn look_up(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (MapValue::Aggregate(aggregate), Some(table)) = (&self.map.value, &self.table) else {
            return self.look_up_in_map(key);
        };
        let mut found: Vec<Vec<u64>> = self.look_up_in_map(key).iter().map(|value| words(value)).collect();
        table.each(&mut |other, value| found.extend((other == key).then(|| words(value))));
        let combined = || combine_words(*aggregate, &found).into_iter().flat_map(u64::to_ne_bytes).collect();
        (!found.is_empty()).then(combined)
    }

    fn look_up_in_map(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut raw = vec![0u8; self.raw_size()];
        // SAFETY: the key has the map's key size and the buffer takes the values of all CPUs.
        let status = unsafe {
            debug_assert_eq!(key.len(), self.map.key_size as usize);
            libbpf_sys::bpf_map_lookup_elem(self.fd, key.as_ptr().cast(), raw.as_mut_ptr().cast())
        };
        let mut value = Vec::new();
        (status == 0).then(|| {
            self.combine(&raw, &mut value);
            value
        })
    }

    /// Appends the combination of all CPUs' values.
    fn combine(&self, raw: &[u8], out: &mut Vec<u8>) {
        let size = self.map.value_size as usize;
        match &self.map.value {
            of @ (MapValue::Aggregate(_) | MapValue::Figures(_)) => {
                let values: Vec<Vec<u64>> = raw.chunks(self.stride()).map(|value| unranked(of, value)).collect();
                let start = out.len();
                out.extend(combine_parts(of, &values).into_iter().flat_map(u64::to_ne_bytes));
                out.resize(start + size, 0);
            }
            MapValue::Plain(_) | MapValue::Opaque => out.extend_from_slice(&raw[..size]),
        }
    }

    /// Reads with BPF_MAP_LOOKUP_BATCH or its sister that deletes; `false`: the kernel cannot do that with this map,
    /// nothing was read.
    fn read_batches(&self, batch: Batch, add: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, RunError> {
        let (key_size, raw_size) = (self.map.key_size as usize, self.raw_size());
        let fitting = (BATCH_BYTES / (key_size + raw_size).max(1)).max(FIRST_BATCH);
        let mut room = FIRST_BATCH;
        let (mut cursor, mut next) = (vec![0u8; key_size.max(8)], vec![0u8; key_size.max(8)]);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let mut first = true;
        loop {
            keys.resize(room * key_size, 0);
            values.resize(room * raw_size, 0);
            let mut count = room as u32;
            let from = if first { std::ptr::null_mut() } else { cursor.as_mut_ptr().cast::<c_void>() };
            // SAFETY: keys and values have room for `count` entries, the cursors for a key of this map.
            let status = unsafe {
                batch.call()(
                    self.fd,
                    from,
                    next.as_mut_ptr().cast(),
                    keys.as_mut_ptr().cast(),
                    values.as_mut_ptr().cast(),
                    &raw mut count,
                    std::ptr::null(),
                )
            };
            match -status {
                0 | libc::ENOENT => {}
                // a bucket of the hash table holds more entries than the buffer
                libc::ENOSPC => {
                    room *= 2;
                    continue;
                }
                libc::EINTR | libc::EAGAIN => continue,
                _ if first => return Ok(false),
                errno => return Err(self.failed(&io::Error::from_raw_os_error(errno))),
            }
            for at in 0..(count as usize).min(room) {
                add(&keys[at * key_size..(at + 1) * key_size], &values[at * raw_size..(at + 1) * raw_size]);
            }
            if status != 0 {
                return Ok(true);
            }
            first = false;
            room = (room * 4).min(fitting.max(room));
            std::mem::swap(&mut cursor, &mut next);
        }
    }

    fn read_one_by_one(&self, add: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), RunError> {
        let mut raw = vec![0u8; self.raw_size()];
        let mut previous: Option<Vec<u8>> = None;
        // programs may add entries meanwhile: twice the capacity is more than can be there
        for _ in 0..u64::from(self.map.max_entries) * 2 {
            let Some(key) = self.next_key(previous.as_deref()) else { break };
            // SAFETY: the key has the map's key size and the buffer takes the values of all CPUs.
            let status =
                unsafe { libbpf_sys::bpf_map_lookup_elem(self.fd, key.as_ptr().cast(), raw.as_mut_ptr().cast()) };
            if status == 0 {
                add(&key, &raw);
            }
            previous = Some(key);
        }
        Ok(())
    }

    fn next_key(&self, previous: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut key = vec![0u8; self.map.key_size as usize];
        let from = previous.map_or(std::ptr::null(), |previous| previous.as_ptr().cast());
        // SAFETY: both keys have the map's key size.
        let status = unsafe { libbpf_sys::bpf_map_get_next_key(self.fd, from, key.as_mut_ptr().cast()) };
        (status == 0).then_some(key)
    }

    /// Removes all entries; a scalar map's element becomes zero.
    pub fn clear(&self) -> Result<(), RunError> {
        if let Some(table) = &self.table {
            table.clear();
        }
        if matches!(self.map.kind, MapKind::Array | MapKind::PerCpuArray) {
            let (key, zero) = (0u32, vec![0u8; self.raw_size()]);
            // SAFETY: the key is that of an array, the value has the size of all CPUs' values.
            let status =
                unsafe { libbpf_sys::bpf_map_update_elem(self.fd, (&raw const key).cast(), zero.as_ptr().cast(), 0) };
            return if status == 0 { Ok(()) } else { Err(self.failed(&io::Error::from_raw_os_error(-status))) };
        }
        for _ in 0..u64::from(self.map.max_entries) * 2 {
            let Some(key) = self.next_key(None) else { break };
            // SAFETY: the key has the map's key size; a program may have deleted it first, which is as good.
            unsafe { libbpf_sys::bpf_map_delete_elem(self.fd, key.as_ptr().cast()) };
        }
        Ok(())
    }

    /// Removes a key, or what a map without one holds; whether it was there.
    pub fn delete(&self, key: &[u8]) -> Result<bool, RunError> {
        if matches!(self.map.kind, MapKind::Array | MapKind::PerCpuArray) {
            let present = self.look_up(key).is_some_and(|value| is_present(self.map, &value));
            return self.clear().map(|()| present);
        }
        debug_assert_eq!(key.len(), self.map.key_size as usize);
        // SAFETY: the key has the map's key size.
        let status = unsafe { libbpf_sys::bpf_map_delete_elem(self.fd, key.as_ptr().cast()) };
        match -status {
            0 => Ok(true),
            libc::ENOENT => Ok(false),
            errno => Err(self.failed(&io::Error::from_raw_os_error(errno))),
        }
    }

    /// Sets all values to zero; what has no value stays without. Tells whether a scalar map had one.
    pub fn zero(&self) -> Result<bool, RunError> {
        let entries = self.read()?;
        if entries.key_size == 0 {
            let present = is_present(self.map, entries.value(0));
            let mut zero = vec![0u8; self.raw_size()];
            if let Some(word) = self.map.presence.and_then(|at| zero.get_mut(at as usize)) {
                *word = u8::from(present);
            }
            return self.replace(&0u32.to_ne_bytes(), &zero).map(|()| present);
        }
        let zero = vec![0u8; self.raw_size()];
        (0..entries.count()).try_for_each(|at| self.replace(entries.key(at), &zero)).map(|()| false)
    }

    /// Replaces the value of a key, as long as the map has it.
    fn replace(&self, key: &[u8], value: &[u8]) -> Result<(), RunError> {
        debug_assert_eq!((key.len(), value.len()), (self.map.key_size as usize, self.raw_size()));
        let exists = u64::from(libbpf_sys::BPF_EXIST);
        // SAFETY: the key has the map's key size, the value the size of all CPUs' values.
        let status =
            unsafe { libbpf_sys::bpf_map_update_elem(self.fd, key.as_ptr().cast(), value.as_ptr().cast(), exists) };
        match -status {
            // a program may have deleted it meanwhile
            0 | libc::ENOENT => Ok(()),
            errno => Err(self.failed(&io::Error::from_raw_os_error(errno))),
        }
    }

    /// Puts an entry, as [`MapReader::read`] gives it, into the map. `false`: the map has no room for it.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<bool, RunError> {
        let mut raw = vec![0u8; self.raw_size()];
        // one CPU gets all of it, the others nothing
        if let Some(place) = raw.get_mut(..value.len()) {
            place.copy_from_slice(value);
        }
        let held = words(value);
        for part in self.map.value.parts() {
            let (at, word) = (part.word as usize, held.get(part.word as usize).copied().unwrap_or(0));
            let something = held.get(part.range()).is_some_and(|words| words.iter().any(|word| *word != 0));
            if let (Some(first), true) = (raw.get_mut(at * 8..at * 8 + 8), something) {
                first.copy_from_slice(&part.aggregate.rank(word).to_ne_bytes());
            }
        }
        let index = 0u32.to_ne_bytes();
        let key = if key.is_empty() { &index } else { key };
        debug_assert_eq!(key.len(), self.map.key_size as usize);
        // SAFETY: the key has the map's key size, the value the size of all CPUs' values.
        let status = unsafe { libbpf_sys::bpf_map_update_elem(self.fd, key.as_ptr().cast(), raw.as_ptr().cast(), 0) };
        match -status {
            0 => Ok(true),
            libc::E2BIG | libc::ENOMEM | libc::ENOSPC => Ok(false),
            errno => Err(self.failed(&io::Error::from_raw_os_error(errno))),
        }
    }

    fn failed(&self, error: &io::Error) -> RunError {
        RunError::System {
            what: format!("map {} cannot be read", self.map.name),
            source: io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(0)),
        }
    }
}

/// How a batch of entries is asked for.
#[derive(Clone, Copy)]
enum Batch {
    /// They stay.
    Read,
    /// They are removed.
    Take,
}

/// What both functions of libbpf look like.
type BatchCall = unsafe extern "C" fn(
    i32,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut u32,
    *const libbpf_sys::bpf_map_batch_opts,
) -> i32;

impl Batch {
    fn call(self) -> BatchCall {
        match self {
            Batch::Read => libbpf_sys::bpf_map_lookup_batch,
            Batch::Take => libbpf_sys::bpf_map_lookup_and_delete_batch,
        }
    }
}

/// The words of a value.
pub fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |chunk: &[u8]| chunk.try_into().map_or(0, u64::from_ne_bytes);
    bytes.chunks_exact(8).map(word).collect()
}

/// The words of one CPU's value, with the values themselves in the places of ranks.
fn unranked(value: &MapValue, bytes: &[u8]) -> Vec<u64> {
    let mut words = words(bytes);
    for part in value.parts() {
        if let Some(first) = words.get_mut(part.word as usize) {
            *first = part.aggregate.rank(*first);
        }
    }
    words
}

/// Combines the values of all CPUs, each aggregation as it is.
fn combine_parts(value: &MapValue, values: &[Vec<u64>]) -> Vec<u64> {
    let parts = value.parts();
    if let [only] = parts.as_slice() {
        return combine_words(only.aggregate, values);
    }
    let own = |part: &Part| {
        let values: Vec<_> = values.iter().map(|words| words.get(part.range()).unwrap_or_default().to_vec()).collect();
        combine_words(part.aggregate, &values)
    };
    parts.iter().flat_map(own).collect()
}

/// Combines the values of all CPUs word by word. Minimum and maximum count only CPUs that were updated.
fn combine_words(aggregate: Aggregate, values: &[Vec<u64>]) -> Vec<u64> {
    (0..aggregate.words() as usize)
        .map(|at| {
            let (reduce, signed) = aggregate.reduce(at as u32);
            let word = |value: &Vec<u64>| value.get(at).copied().unwrap_or(0);
            let set = |value: &&Vec<u64>| value.get(1).is_some_and(|set| *set != 0);
            let ordered = |raw: &u64| if signed { i128::from(*raw as i64) } else { i128::from(*raw) };
            match reduce {
                Reduce::Add => values.iter().map(word).fold(0, u64::wrapping_add),
                Reduce::Min => values.iter().filter(set).map(word).min_by_key(ordered).unwrap_or(0),
                Reduce::Max => values.iter().filter(set).map(word).max_by_key(ordered).unwrap_or(0),
            }
        })
        .collect()
}

/// Whether a scalar map's element holds something that a program put there.
pub fn is_present(map: &Map, value: &[u8]) -> bool {
    if let Some(offset) = map.presence {
        return crate::decode::unsigned(crate::decode::part(value, offset, 8), 8) != 0;
    }
    let parts = map.value.parts();
    let words = words(value);
    parts.is_empty() || parts.iter().any(|part| is_set(*part, &words))
}

/// Whether an aggregation was updated, by the words of all of its map's value.
fn is_set(part: Part, words: &[u64]) -> bool {
    let own = words.get(part.range()).unwrap_or_default();
    match part.aggregate.presence_word() {
        Some(at) => own.get(at as usize).is_some_and(|word| *word != 0),
        None => own.iter().any(|word| *word != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lt_lang::manifest::Figure;

    #[test]
    fn entries_of_one_rewritten_key_are_combined() {
        let bytes = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<_>>();
        let entries = Entries { key_size: 8, value_size: 8, keys: bytes(&[1, 2, 3]), values: bytes(&[10, 20, 30]) };
        let odd_even = |key: &mut [u8]| key[0] &= 1;
        let merged = entries.regrouped(&MapValue::Aggregate(Aggregate::Count), odd_even);
        assert_eq!((merged.keys, merged.values), (bytes(&[1, 0]), bytes(&[40, 20])));
    }

    #[test]
    fn ranks_become_values() {
        let bytes = |words: [u64; 2]| [words[0].to_ne_bytes(), words[1].to_ne_bytes()].concat();
        for (aggregate, value) in [
            (Aggregate::Min { signed: true }, -4i64 as u64),
            (Aggregate::Max { signed: true }, 7),
            (Aggregate::Min { signed: false }, u64::MAX),
        ] {
            let of = MapValue::Aggregate(aggregate);
            let values = [unranked(&of, &bytes([aggregate.rank(value), 1])), unranked(&of, &bytes([0, 0]))];
            assert_eq!(combine_parts(&of, &values), [value, 1], "{aggregate:?}");
        }
    }

    #[test]
    fn several_figures_are_combined_each_as_it_is() {
        let figure = |name: &str, aggregate| Figure { name: name.into(), aggregate };
        let min = Aggregate::Min { signed: false };
        let of = MapValue::Figures(vec![figure("n", Aggregate::Count), figure("low", min)]);
        let raw = |words: [u64; 3]| words.into_iter().flat_map(u64::to_ne_bytes).collect::<Vec<_>>();
        let values = [raw([2, min.rank(9), 1]), raw([3, min.rank(4), 1]), raw([0, 0, 0])];
        let values: Vec<_> = values.iter().map(|value| unranked(&of, value)).collect();
        assert_eq!(combine_parts(&of, &values), [5, 4, 2]);
    }

    #[test]
    fn cpus_are_added_up() {
        assert_eq!(combine_words(Aggregate::Count, &[vec![3], vec![4]]), [7]);
        assert_eq!(
            combine_words(Aggregate::Sum { signed: true }, &[vec![-3i64 as u64, 1], vec![1, 1]]),
            [-2i64 as u64, 2]
        );
        assert_eq!(combine_words(Aggregate::Avg { signed: true }, &[vec![10, 2], vec![5, 1]]), [15, 3]);
    }

    #[test]
    fn minimum_and_maximum_skip_cpus_that_saw_nothing() {
        let values = [vec![0, 0], vec![5, 1], vec![-7i64 as u64, 1]];
        assert_eq!(combine_words(Aggregate::Min { signed: true }, &values)[0] as i64, -7);
        assert_eq!(combine_words(Aggregate::Min { signed: false }, &values)[0], 5);
        assert_eq!(combine_words(Aggregate::Max { signed: true }, &values)[0], 5);
        assert_eq!(combine_words(Aggregate::Max { signed: true }, &[vec![0, 0]]), [0, 0]);
    }
}
