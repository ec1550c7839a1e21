//! Maps that are there before the script: those of the entries before it.

use super::{CheckedMap, CheckedScript};

/// Maps of a session with the types of their keys and values. Uses in a script take part in finding their types as if
/// the earlier scripts stood before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownMaps {
    maps: Vec<CheckedMap>,
}

impl KnownMaps {
    /// Names of the maps, without the sigil.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.maps.iter().map(|map| map.name.as_str())
    }

    /// The map of this name.
    pub(super) fn get(&self, name: &str) -> Option<&CheckedMap> {
        self.maps.iter().find(|map| map.name == name)
    }

    /// Adds the maps of a script; what it has found out about those that were known takes the old one's place.
    pub(crate) fn take_over(&mut self, checked: &CheckedScript) {
        for map in &checked.maps {
            self.forget(&map.name);
            self.maps.push(map.clone());
        }
    }

    /// Forgets the map of this name (without the sigil).
    pub fn forget(&mut self, name: &str) {
        self.maps.retain(|map| map.name != name);
    }
}
