//! Reading and clearing a map's table of counters, in the mapped memory of the object; see [`lt_lang::table`].

use crate::error::RunError;
use crate::state;
use libbpf_rs::Object;
use lt_lang::manifest::Map;
use lt_lang::table;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// A view of the table of a map of a loaded object; it must not be used after the object is gone.
pub struct Table {
    shape: table::Table,
    words: NonNull<AtomicU64>,
}

impl Table {
    /// The table of a map, if it has one: this page of it.
    pub fn of(object: &Object, map: &Map, page: u32) -> Result<Option<Table>, RunError> {
        let Some(shape) = map.table.filter(|shape| page < shape.pages) else { return Ok(None) };
        let words = state::variable(object, &table::Table::symbol(&map.symbol), shape.words() as usize)?;
        // SAFETY: the variable has so many words for each of its pages.
        let words = unsafe { words.add((page * shape.page_words()) as usize) };
        Ok(Some(Table { shape, words }))
    }

    fn slots(&self) -> impl Iterator<Item = &[AtomicU64]> {
        // SAFETY: the page has this many words, as was checked; programs access them atomically, too.
        let words = unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.shape.page_words() as usize) };
        words.chunks_exact(self.shape.slot_words() as usize)
    }

    /// Runs through all counters that something was added to: the bytes of key and value. A key may come several times.
    pub fn each(&self, see: &mut dyn FnMut(&[u8], &[u8])) {
        let load = |word: &AtomicU64| word.load(Ordering::SeqCst);
        for slot in self.slots() {
            let (key, rest) = slot.split_at(self.shape.key_words as usize);
            let key: Vec<u64> = key.iter().map(load).collect();
            let value: Vec<u64> = rest.iter().take(self.shape.value_words as usize).map(load).collect();
            if key.iter().all(|word| *word != 0) && value.iter().any(|word| *word != 0) {
                let key = bytes(key.into_iter().map(|word| word.wrapping_sub(1)));
                see(&key, &bytes(value.into_iter()));
            }
        }
    }

    /// Makes the table a fresh one. No program may use it.
    pub fn reset(&self) {
        self.slots().flatten().for_each(|word| word.store(0, Ordering::SeqCst));
    }

    /// Makes all counters zero; keys stay.
    pub fn clear(&self) {
        for slot in self.slots() {
            for word in slot.iter().skip(self.shape.key_words as usize) {
                word.store(0, Ordering::SeqCst);
            }
        }
    }
}

fn bytes(words: impl Iterator<Item = u64>) -> Vec<u8> {
    words.flat_map(u64::to_ne_bytes).collect()
}
