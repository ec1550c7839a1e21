//! Tables of counters in the object's own memory, in front of a per-CPU hash map whose values programs only ever add
//! to: finding a counter there takes a few loads, where the hash map's helper costs more than the rest of the program.
//!
//! A slot is the words of the key, each plus one, then the words of the value, then padding. A key's word is written
//! once, by compare-and-exchange with zero, and never changes again; all of them non-zero, and only then, the slot is a
//! key's. So it does not matter who comes in between, on this CPU or another one: a program that does not find its key
//! in the slot, or could not write it there, tries the next slot, and the hash map after a few. A key may have several
//! counters, in the map and in the tables of several CPUs; readers add them up.

use crate::manifest::{Aggregate, Map, MapKind, MapValue};
use serde::{Deserialize, Serialize};

/// Slots for each CPU.
pub const SLOTS: u32 = 512;
/// Slots that are tried for a key, one after the other. Each makes the program longer, and compiling it.
pub const PROBES: u32 = 2;
/// Longest key.
const KEY_WORDS: u32 = 2;
/// More CPUs than this would take too much memory: 16 KiB each.
const MAX_CPUS: u32 = 128;

/// The table of a map: a variable of u64 words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// As many as the map has: 1 or 2. The slots of the second page come behind those of the first.
    pub pages: u32,
    /// CPUs that have slots of their own; a power of two.
    pub cpus: u32,
    /// Words of a key.
    pub key_words: u32,
    /// Words of a value.
    pub value_words: u32,
}

impl Table {
    /// The table for a map that programs do nothing with but add to, if it is one that a table serves.
    pub fn of(map: &Map, possible_cpus: u32) -> Option<Table> {
        let MapValue::Aggregate(aggregate @ (Aggregate::Count | Aggregate::Sum { .. })) = map.value else {
            return None;
        };
        let cpus = possible_cpus.max(1).next_power_of_two();
        let key_words = map.key_size / 8;
        // Somebody who wants few keys kept means it: a table would keep some more.
        let fits = map.kind == MapKind::PerCpuHash && map.max_entries >= 8 * SLOTS && cpus <= MAX_CPUS;
        let key_fits = map.key_size.is_multiple_of(8) && (1..=KEY_WORDS).contains(&key_words);
        let pages = if map.second.is_some() { 2 } else { 1 };
        (fits && key_fits).then_some(Table { pages, cpus, key_words, value_words: aggregate.words() })
    }

    /// Name of the variable for the map with this symbol.
    pub fn symbol(map: &str) -> String {
        format!("lt_table_{map}")
    }

    /// Words of a slot; a power of two.
    pub fn slot_words(self) -> u32 {
        (self.key_words + self.value_words).next_power_of_two()
    }

    /// Words of a CPU's slots; a power of two.
    pub fn cpu_words(self) -> u32 {
        SLOTS * self.slot_words()
    }

    /// Words of a page's slots.
    pub fn page_words(self) -> u32 {
        self.cpus * self.cpu_words()
    }

    /// Words of the variable.
    pub fn words(self) -> u32 {
        self.pages * self.page_words()
    }
}
