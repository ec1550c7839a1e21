//! Cuts of the maps that have two pages ([`Map::second`]): programs are turned to the other page, those that still use
//! this one are waited for, and what they left here becomes a layer in our own memory. So each update is in exactly one
//! cut, no value is half updated, and all maps are cut at the same moment.
//!
//! Requests of one action belong to one cut: an action that prints and clears a map clears what it printed. What is
//! aggregated meanwhile waits for the next one.

use crate::error::RunError;
use crate::grace;
use crate::map_reader::{Entries, MapReader, is_present};
use crate::state::State;
use lt_lang::manifest::MapId;
use std::collections::{BTreeMap, VecDeque};

/// Actions that are kept in mind: more than run at a time.
const OPEN: usize = 16;

/// A map with two pages, and what was cut from it and not cleared yet, oldest first, by the number of the cut.
struct Paged<'m> {
    pages: [MapReader<'m>; 2],
    layers: Vec<(u64, Entries)>,
}

/// A request as the event ring has it.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The program that made it.
    pub program: u32,
    /// Tells the program's actions apart; `None` for one that lt runs itself.
    pub action: Option<u64>,
    /// Where in the ring it ends.
    pub position: u64,
}

/// All maps with two pages.
pub struct Cuts<'m> {
    state: &'m State,
    maps: BTreeMap<MapId, Paged<'m>>,
    /// The page that programs use.
    page: usize,
    /// Number of the last cut.
    last: u64,
    /// Requests that end before this were made before the last cut.
    covered: u64,
    /// The last actions (program, number), and their cuts; oldest first.
    open: VecDeque<((u32, u64), u64)>,
    /// Number of the action that lt runs itself.
    own: u64,
    /// Programs are running.
    active: bool,
    /// Where records in the ring end by now.
    pub ring_end: u64,
}

impl<'m> Cuts<'m> {
    /// No maps yet.
    pub fn new(state: &'m State) -> Cuts<'m> {
        let (maps, open) = (BTreeMap::new(), VecDeque::new());
        Cuts { state, maps, page: 0, last: 0, covered: 0, open, own: 0, active: false, ring_end: 0 }
    }

    /// Adds a map.
    pub fn add(&mut self, id: MapId, first: MapReader<'m>, second: MapReader<'m>) {
        self.maps.insert(id, Paged { pages: [first, second], layers: Vec::new() });
    }

    /// Whether the map has two pages.
    pub fn has(&self, id: MapId) -> bool {
        self.maps.contains_key(&id)
    }

    /// Programs may run from now on.
    pub fn activate(&mut self) {
        self.active = true;
    }

    /// No program runs any more, and none will.
    pub fn deactivate(&mut self) {
        self.active = false;
    }

    /// Another action that lt runs itself begins.
    pub fn begin_action(&mut self) {
        self.own += 1;
    }

    /// The cut to which a request belongs; made now, when its action has none yet. Requests that were waiting in the ring
    /// already when the last cut was made take that one: under a flood of them, one wait serves all.
    pub fn of(&mut self, request: Request) -> Result<u64, RunError> {
        let action = (request.program, request.action.unwrap_or(self.own));
        if let Some(open) = self.open.iter().find(|open| open.0 == action) {
            return Ok(open.1);
        }
        if self.open.len() >= OPEN {
            self.open.pop_front();
        }
        let waited = self.last > 0 && request.position <= self.covered;
        let cut = if waited { self.last } else { self.cut()? };
        self.open.push_back((action, cut));
        Ok(cut)
    }

    /// Cuts all maps.
    pub fn cut(&mut self) -> Result<u64, RunError> {
        let old = self.page;
        self.page = 1 - old;
        self.covered = self.ring_end;
        self.state.set_page(self.page as u64);
        if self.active {
            grace::wait_for_programs()
                .map_err(|source| RunError::System { what: "running programs cannot be waited for".into(), source })?;
        }
        self.last += 1;
        let settled = self.open.iter().map(|open| open.1).min().unwrap_or(self.last);
        for map in self.maps.values_mut() {
            let Some(page) = map.pages.get(old) else { continue };
            map.layers.push((self.last, page.take()?));
            map.settle(settled);
        }
        Ok(self.last)
    }

    /// What a map holds at a cut.
    pub fn entries(&self, id: MapId, cut: u64) -> Option<Entries> {
        self.maps.get(&id).map(|map| map.entries(cut))
    }

    /// Removes what a map holds at a cut.
    pub fn clear(&mut self, id: MapId, cut: u64) {
        if let Some(map) = self.maps.get_mut(&id) {
            map.layers.retain(|layer| layer.0 > cut);
        }
    }

    /// Makes the values at a cut zero. Tells whether a map without a key had one.
    pub fn zero(&mut self, id: MapId, cut: u64) -> bool {
        let Some(map) = self.maps.get_mut(&id) else { return false };
        let [first, _] = &map.pages;
        let present = first.map.keys.is_empty() && is_present(first.map, map.entries(cut).value(0));
        map.layers.iter_mut().filter(|layer| layer.0 <= cut).for_each(|layer| layer.1.zero());
        present
    }
}

impl Paged<'_> {
    fn entries(&self, cut: u64) -> Entries {
        let [first, _] = &self.pages;
        let mut all = Entries::none(first.map).with_element(first.map);
        self.layers.iter().filter(|layer| layer.0 <= cut).for_each(|layer| all.append(&layer.1));
        all.regrouped(&first.map.value, |_| {})
    }

    /// Makes one layer of all up to a cut that nobody will ask for parts of.
    fn settle(&mut self, cut: u64) {
        let [first, _] = &self.pages;
        let mut all = Entries::none(first.map);
        let mut end = 0;
        for (number, layer) in self.layers.iter().filter(|layer| layer.0 <= cut) {
            all.append(layer);
            end = *number;
        }
        let value = &first.map.value;
        self.layers.retain(|layer| layer.0 > cut);
        if all.count() > 0 {
            self.layers.insert(0, (end, all.regrouped(value, |_| {})));
        }
    }
}
