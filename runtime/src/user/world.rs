//! What actions in user space act on: the script's maps and output. Maps with two pages are read at the action's cut, all
//! others in place.

use super::functions::Functions;
use super::run::World;
use super::value::{Val, slot};
use crate::cuts::Request;
use crate::error::RunError;
use crate::events::Requests;
use crate::map_reader::{Entries, words};
use crate::maps::by_keys;
use crate::signals::Signals;
use crate::state::State;
use crate::value::Value;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::format::Format;
use lt_lang::manifest::{Map, MapId, MapValue, TableId, state};
use lt_lang::source::Span;
use lt_lang::types::Layout;
use lt_lang::user::UserFunction;
use std::collections::HashMap;

/// Requests of an action that lt runs: no program has this number, and none of its requests waits in the ring.
const REQUEST: Request = Request { program: u32::MAX, action: None, position: u64::MAX };

/// The script that an action belongs to.
pub struct Script<'a, 'm> {
    requests: &'a mut Requests<'m>,
    state: &'a State,
    functions: &'a mut Functions,
    warn: &'a dyn Fn(Diagnostic),
    /// What maps with two pages held at the action's cut.
    held: HashMap<MapId, Held>,
    /// The signal that had come when the action began.
    signal: Option<i32>,
}

/// Entries, and where each key's is.
struct Held {
    entries: Entries,
    places: HashMap<Vec<u8>, usize>,
}

impl<'a, 'm> Script<'a, 'm> {
    /// For one run of one action.
    pub fn new(
        requests: &'a mut Requests<'m>,
        state: &'a State,
        functions: &'a mut Functions,
        warn: &'a dyn Fn(Diagnostic),
    ) -> Script<'a, 'm> {
        Script { requests, state, functions, warn, held: HashMap::new(), signal: Signals::came() }
    }

    fn map(&self, id: MapId) -> Result<&'m Map, RunError> {
        self.requests.map(id).map(|reader| reader.map)
    }

    fn held(&mut self, id: MapId) -> Result<&Held, RunError> {
        if !self.held.contains_key(&id) {
            let entries = self.requests.entries_at(id, REQUEST)?;
            let places = (0..entries.count()).map(|at| (entries.key(at).to_vec(), at)).collect();
            self.held.insert(id, Held { entries, places });
        }
        let missing = || RunError::Inconsistent("a map was not held".into());
        self.held.get(&id).ok_or_else(missing)
    }

    /// The bytes of an entry.
    fn bytes(&mut self, id: MapId, keys: &[Val]) -> Result<Option<Vec<u8>>, RunError> {
        let map = self.map(id)?;
        if self.requests.cuts.has(id) {
            let key = if map.keys.is_empty() { Vec::new() } else { key_bytes(map, keys) };
            let held = self.held(id)?;
            return Ok(held.places.get(&key).map(|at| held.entries.value(*at).to_vec()));
        }
        Ok(self.requests.map(id)?.look_up(&key_bytes(map, keys)))
    }

    fn value(&self, map: &Map, bytes: &[u8]) -> Val {
        match &map.value {
            MapValue::Plain(ty) => Val::from_bytes(ty, bytes, self.requests.symbolizer.cut.0),
            MapValue::Aggregate(aggregate) => Val::from_words(*aggregate, &words(bytes)),
            MapValue::Figures(figures) => Val::from_figures(figures, &words(bytes)),
            MapValue::Opaque => Val::int(0),
        }
    }

    /// Shows what a request has made.
    fn done(&mut self) -> Result<(), RunError> {
        self.requests.sink.event_done()
    }
}

/// The key in the map's form; zeros for a map without one.
fn key_bytes(map: &Map, keys: &[Val]) -> Vec<u8> {
    let mut bytes = vec![0; map.key_size as usize];
    let parts: &[Val] = match keys {
        [Val::Tuple(parts)] => parts,
        _ => keys,
    };
    let offsets = Layout::of(&map.keys).offsets;
    for ((ty, at), value) in map.keys.iter().zip(offsets).zip(parts) {
        value.to_bytes(ty, slot(&mut bytes, at, ty.size()));
    }
    bytes
}

impl World for Script<'_, '_> {
    fn entry(&mut self, id: MapId, keys: &[Val]) -> Result<Val, RunError> {
        let map = self.map(id)?;
        let bytes = self.bytes(id, keys)?.unwrap_or_else(|| vec![0; map.value_size as usize]);
        Ok(self.value(map, &bytes))
    }

    fn has(&mut self, id: MapId, keys: &[Val]) -> Result<bool, RunError> {
        self.bytes(id, keys).map(|found| found.is_some())
    }

    fn entries(&mut self, id: MapId) -> Result<Vec<(Val, Val)>, RunError> {
        let map = self.map(id)?;
        let entries = self.requests.entries_at(id, REQUEST)?;
        let offsets = Layout::of(&map.keys).offsets;
        let cut = self.requests.symbolizer.cut.0;
        let key = |bytes: &[u8]| {
            let parts = map.keys.iter().zip(&offsets);
            let mut parts: Vec<Val> =
                parts.map(|(ty, at)| Val::from_bytes(ty, crate::decode::part(bytes, *at, ty.size()), cut)).collect();
            if parts.len() == 1 { parts.remove(0) } else { Val::Tuple(parts.into()) }
        };
        let order = by_keys(map, &entries);
        Ok(order.into_iter().map(|at| (key(entries.key(at)), self.value(map, entries.value(at)))).collect())
    }

    fn put(&mut self, id: MapId, keys: &[Val], value: &Val) -> Result<bool, RunError> {
        let map = self.map(id)?;
        let MapValue::Plain(ty) = &map.value else { return Ok(true) };
        let mut bytes = vec![0; map.value_size as usize];
        value.to_bytes(ty, slot(&mut bytes, 0, ty.size()));
        if let Some(presence) = map.presence {
            slot(&mut bytes, presence, 8).copy_from_slice(&1u64.to_ne_bytes());
        }
        let key = if map.keys.is_empty() { Vec::new() } else { key_bytes(map, keys) };
        self.requests.map(id)?.put(&key, &bytes)
    }

    fn delete(&mut self, id: MapId, keys: &[Val]) -> Result<bool, RunError> {
        let map = self.map(id)?;
        self.requests.map(id)?.delete(&key_bytes(map, keys))
    }

    fn clear(&mut self, id: MapId) -> Result<(), RunError> {
        self.held.remove(&id);
        self.requests.clear_map(id, REQUEST)
    }

    fn zero(&mut self, id: MapId) -> Result<(), RunError> {
        self.held.remove(&id);
        self.requests.zero_map(id, REQUEST)
    }

    fn printf(&mut self, format: &Format, values: &[Val]) -> Result<(), RunError> {
        let shown: Vec<Value<'_>> = values.iter().map(|value| value.show(&mut self.requests.symbolizer)).collect();
        self.requests.printf(format, &shown);
        self.done()
    }

    fn message(&mut self, error: bool, format: &Format, values: &[Val], span: Span) -> Result<(), RunError> {
        let shown: Vec<Value<'_>> = values.iter().map(|value| value.show(&mut self.requests.symbolizer)).collect();
        self.requests.message(error, format, &shown, span);
        // what was printed before the message stands before it
        self.requests.sink.flush()?;
        self.requests.messages.drain(..).for_each(self.warn);
        Ok(())
    }

    fn print_value(&mut self, value: &Val) -> Result<(), RunError> {
        let shown = value.show(&mut self.requests.symbolizer);
        self.requests.print_value(&shown);
        self.done()
    }

    fn print_map(&mut self, map: MapId, top: Option<u64>, div: Option<u64>) -> Result<(), RunError> {
        self.requests.print_map(map, REQUEST, top, div)?;
        self.done()
    }

    fn row(&mut self, table: TableId, cells: &[Option<Val>]) -> Result<(), RunError> {
        let symbolizer = &mut self.requests.symbolizer;
        let shown: Vec<Option<Value<'_>>> =
            cells.iter().map(|cell| cell.as_ref().map(|cell| cell.show(symbolizer))).collect();
        self.requests.row(table, &shown)?;
        self.done()
    }

    fn time(&mut self, format: &[u8]) -> Result<(), RunError> {
        self.requests.time(format);
        self.done()
    }

    fn exit(&mut self, status: u64) {
        self.state.set_word(state::EXIT_CODE, status);
        self.state.set_word(state::EXIT_CALLED, 1);
        self.state.set_stopped(true);
    }

    fn call(&mut self, function: UserFunction, args: &[Val]) -> Val {
        self.functions.call(function, args, &mut self.requests.symbolizer)
    }

    fn interrupted(&self) -> bool {
        Signals::came() != self.signal
    }
}
