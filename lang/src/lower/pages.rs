//! Which maps have two pages: those that probes only aggregate into, and that are shown or cleared while they do, when
//! the script clears such maps at all. Each update is in exactly one *cut* of them then; see [`Map::second`].

use super::{Body, Session};
use crate::hir;
use crate::manifest::{Attach, Map, MapId, MapKind, MapRole};
use crate::source::Span;
use crate::types::Type;
use std::collections::HashSet;

/// What the script does with its maps.
#[derive(Default)]
pub(super) struct Uses {
    /// Probes that the kernel runs aggregate into them.
    pub(super) aggregated: HashSet<MapId>,
    /// They are printed before the end.
    pub(super) shown: HashSet<MapId>,
    /// They are cleared before the end.
    pub(super) cleared: HashSet<MapId>,
    /// Their values are set to zero at any time.
    pub(super) zeroed: HashSet<MapId>,
}

impl Session<'_> {
    /// Gives second pages to maps; what is set to zero without one has no table either, whose keys would be gone.
    pub(super) fn add_pages(&mut self) {
        let fits = |map: &Map, id: MapId| {
            let own = matches!(map.kind, MapKind::PerCpuHash | MapKind::PerCpuArray);
            own && map.value.aggregates() && !self.read_maps.contains(&id)
        };
        let maps = self.maps.iter().enumerate().map(|(at, map)| (MapId(at as u32), map));
        let fitting: Vec<MapId> =
            maps.filter(|(id, map)| self.uses.aggregated.contains(id) && fits(map, *id)).map(|(id, _)| id).collect();
        if fitting.iter().any(|id| self.uses.cleared.contains(id)) {
            for id in fitting {
                if self.uses.cleared.contains(&id) || self.uses.shown.contains(&id) {
                    self.add_page(id);
                }
            }
        }
        let single = |id: &&MapId| self.maps.get(id.0 as usize).is_some_and(|map| map.second.is_none());
        let zeroed: Vec<MapId> = self.uses.zeroed.iter().filter(single).copied().collect();
        self.read_maps.extend(zeroed);
    }

    fn add_page(&mut self, id: MapId) {
        let second = MapId(self.maps.len() as u32);
        let Some(map) = self.maps.get_mut(id.0 as usize) else { return };
        let page = Map { role: MapRole::Page, symbol: format!("lt_page_{}", map.symbol), ..map.clone() };
        map.second = Some(second);
        self.maps.push(page);
    }
}

impl Body<'_, '_> {
    fn is_at_end(&self) -> bool {
        self.program.point.attach == Attach::End
    }

    /// The map of this name, of which an action shows what it holds.
    pub(super) fn map_to_show(&mut self, name: &str) -> MapId {
        let map = self.map_to_add_to(name);
        if !self.is_at_end() {
            self.session.uses.shown.insert(map);
        }
        map
    }

    /// The map of this name, which an action clears.
    pub(super) fn map_to_clear(&mut self, name: &str) -> MapId {
        let map = self.map_to_add_to(name);
        if !self.is_at_end() {
            self.session.uses.cleared.insert(map);
        }
        map
    }

    /// The map of this name, whose values an action sets to zero.
    pub(super) fn map_to_zero(&mut self, name: &str) -> MapId {
        let map = self.map_to_clear(name);
        self.session.uses.zeroed.insert(map);
        map
    }

    /// What tells the actions of a program that the kernel runs apart: the time when each began.
    pub(super) fn stamp(&mut self) -> Vec<hir::Expr> {
        if self.program.point.attach.is_driver() {
            return Vec::new();
        }
        let var = *self.stamp.get_or_insert_with(|| {
            self.vars.push(hir::Var { name: "$".into(), ty: Type::U64, slot: None });
            hir::VarId(self.vars.len() as u32 - 1)
        });
        vec![hir::Expr { kind: hir::ExprKind::Var(var), ty: Type::U64, span: Span::default() }]
    }

    /// Sets it.
    pub(super) fn take_stamp(&self, span: Span) -> Option<hir::Stmt> {
        let now = hir::ExprKind::Intrinsic(hir::Intrinsic::NanosecondsMonotonic);
        let value = hir::Expr { kind: now, ty: Type::U64, span };
        self.stamp.map(|var| hir::Stmt { kind: hir::StmtKind::SetVar { var, value }, span })
    }

    /// The map of this name, into which an action aggregates.
    pub(super) fn map_to_aggregate(&mut self, name: &str) -> MapId {
        let map = self.map_to_add_to(name);
        self.aggregates.push(map);
        if !self.program.point.attach.is_driver() {
            self.session.uses.aggregated.insert(map);
        }
        map
    }
}
