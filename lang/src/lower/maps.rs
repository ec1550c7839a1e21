//! Maps of the manifest: the script's, then lt's own; and keys.

use super::{Body, Session};
use crate::ast::{Expr, ExprKind};
use crate::check::{CheckedMap, CheckedScript, Inferred, MapContent, key_exprs};
use crate::hir::{self, Buffered};
use crate::kernel::{Feature, KernelVersion};
use crate::manifest::{Map, MapId, MapKind, MapRole, MapValue, numbers};
use crate::source::Span;
use crate::table::Table;
use crate::types::{Layout, Type};

/// Largest value of a per-CPU map or array, and largest sensible value of any map.
const MAX_VALUE: u32 = 32 << 10;

/// Largest key of a hash map on kernels before [`LARGE_KEYS`].
const MAX_KEY: u32 = 512;

/// Kernels from here on have no such limit of keys.
const LARGE_KEYS: KernelVersion = KernelVersion::new(5, 11);

impl Session<'_> {
    /// Adds the script's maps; [`MapId`] is the index in the checked script.
    pub(super) fn add_user_maps(&mut self) {
        let checked: &CheckedScript = self.checked;
        for map in &checked.maps {
            let made = self.user_map(map);
            self.maps.push(made);
        }
        // a map that is known from before may be all that has stacks
        if self.maps.iter().any(Map::has_stacks) {
            self.stacks();
        }
    }

    fn user_map(&mut self, map: &CheckedMap) -> Map {
        let keys: Vec<Type> = map.keys.iter().flatten().map(|key| key.ty.clone()).collect();
        let plain = || MapContent::Plain(Inferred { ty: Type::I64, flexible: true });
        let (value, size) = match map.value.clone().unwrap_or_else(plain) {
            MapContent::Plain(value) => {
                let size = value.ty.size();
                (MapValue::Plain(value.ty), size)
            }
            MapContent::Aggregate(aggregate) => (MapValue::Aggregate(aggregate), aggregate.words() * 8),
            MapContent::Figures(figures) => {
                let words: u32 = figures.iter().map(|(figure, _)| figure.aggregate.words()).sum();
                (MapValue::Figures(figures.into_iter().map(|(figure, _)| figure).collect()), words * 8)
            }
        };
        let per_cpu = value.aggregates();
        let scalar = keys.is_empty();
        let kind = match (per_cpu, scalar) {
            (true, true) => MapKind::PerCpuArray,
            (true, false) => MapKind::PerCpuHash,
            (false, true) => MapKind::Array,
            (false, false) => MapKind::Hash,
        };
        // a map without keys has one element, whatever was declared
        let declared = map.declared.filter(|_| !scalar);
        let (kind, max_entries) = declared.unwrap_or((kind, self.options.max_map_keys.max(1)));
        let presence = (scalar && !per_cpu).then(|| size.next_multiple_of(8));
        let key_size = if scalar { 4 } else { Layout::of(&keys).size };
        let made = Map {
            name: format!("@{}", map.name),
            symbol: format!("AT_{}", map.name),
            role: MapRole::User,
            kind,
            keys,
            key_size,
            value_size: presence.map_or(size, |offset| offset + 8),
            max_entries: if scalar { 1 } else { max_entries },
            no_prealloc: !scalar && !kind.is_lru() && self.kernel.has(Feature::MapWithoutPreallocation),
            value,
            presence,
            table: None,
            second: None,
        };
        self.check_sizes(&made, map.keys_span, map.value_span);
        made
    }

    fn check_sizes(&mut self, map: &Map, key: Span, value: Span) {
        if map.key_size > MAX_KEY && self.kernel.version() < LARGE_KEYS {
            let message = format!("the key of `{}` has {} bytes; this kernel allows {MAX_KEY}", map.name, map.key_size);
            self.limit(key, message, "too long a key", "shorten its strings: `str(x, n)` has at most n bytes");
        }
        if map.value_size > MAX_VALUE {
            let message = format!("a value of `{}` has {} bytes; a map takes {MAX_VALUE}", map.name, map.value_size);
            self.limit(value, message, "too large a value", "shorten its strings: `str(x, n)` has at most n bytes");
        }
    }

    /// Adds the maps that the programs turned out to need.
    pub(super) fn add_own_maps(&mut self, scratch_size: u32) {
        if !self.events.is_empty() {
            let bytes = self.ring_bytes();
            self.maps.push(own_map("events", MapRole::Events, MapKind::RingBuffer, (0, 0), bytes));
        }
        if self.exits {
            self.maps.push(own_map("wakeup", MapRole::Wakeup, MapKind::RingBuffer, (0, 0), PAGE));
        }
        if scratch_size > 0 {
            let count = self.checked.programs.len() as u32;
            self.maps.push(own_map("scratch", MapRole::Scratch, MapKind::PerCpuArray, (4, scratch_size), count));
        }
    }

    /// Puts tables in front of the maps that programs only add to.
    pub(super) fn add_tables(&mut self) {
        if !self.kernel.has(Feature::AtomicFetch) {
            return;
        }
        let cpus = self.kernel.possible_cpus();
        for (at, map) in self.maps.iter_mut().enumerate() {
            // a declared number of entries is exact
            let declared = self.checked.maps.get(at).is_some_and(|map| map.declared.is_some());
            if !declared && !self.read_maps.contains(&MapId(at as u32)) {
                map.table = Table::of(map, cpus);
            }
        }
    }

    /// Size of the event ring: a power of two, at least a page.
    pub(super) fn ring_bytes(&self) -> u32 {
        let wanted = if self.options.ring_pages > 0 { self.options.ring_pages * PAGE } else { self.options.ring_bytes };
        wanted.clamp(PAGE, 1 << 30).next_power_of_two()
    }

    /// Checks what the program of the attach point at `span` needs.
    pub(super) fn check_scratch(&mut self, size: u32, span: Span) {
        if size > MAX_VALUE {
            let message = format!("the strings and tuples of a program take {size} bytes; there are {MAX_VALUE}");
            self.limit(span, message, "in this action", "shorten its strings: `str(x, n)` has at most n bytes");
        }
    }

    /// The type of a map's values where programs read them.
    pub(super) fn value_type(&self, map: MapId) -> Type {
        match self.maps.get(map.0 as usize).map(|map| &map.value) {
            Some(MapValue::Plain(ty)) => ty.clone(),
            Some(MapValue::Aggregate(aggregate)) => aggregate.number().unwrap_or(Type::I64),
            Some(MapValue::Figures(figures)) => numbers(figures),
            _ => Type::I64,
        }
    }
}

const PAGE: u32 = 4096;

pub(super) fn own_map(
    name: &str,
    role: MapRole,
    kind: MapKind,
    (key_size, value_size): (u32, u32),
    max_entries: u32,
) -> Map {
    Map {
        name: name.into(),
        symbol: format!("lt_{name}"),
        role,
        kind,
        keys: Vec::new(),
        key_size,
        value_size,
        max_entries,
        no_prealloc: false,
        value: MapValue::Opaque,
        presence: None,
        table: None,
        second: None,
    }
}

impl Body<'_, '_> {
    /// The map of this name, for whatever a program may do with it.
    pub(super) fn map(&mut self, name: &str) -> MapId {
        let map = self.map_to_add_to(name);
        self.session.read_maps.insert(map);
        map
    }

    /// The map of this name, for programs that only add to its values, and for what lt does with it itself.
    pub(super) fn map_to_add_to(&self, name: &str) -> MapId {
        MapId(self.session.checked.maps.iter().position(|map| map.name == name).unwrap_or(0) as u32)
    }

    fn key_types(&self, map: MapId) -> Vec<Type> {
        self.session.maps.get(map.0 as usize).map_or(vec![], |map| map.keys.clone())
    }

    /// The values of a key in stored form, one for each of the map's keys; a single tuple that is no literal comes
    /// alone.
    pub(super) fn key_values(&mut self, map: MapId, keys: &[Expr]) -> Vec<hir::Expr> {
        let types = self.key_types(map);
        let exprs = key_exprs(keys);
        if let [single] = exprs
            && matches!(self.program.ty(single), Type::Tuple(_))
            && !matches!(single.kind, ExprKind::Tuple(_))
        {
            let value = self.expr(single);
            return vec![self.coerce(value, &Type::Tuple(types))];
        }
        exprs
            .iter()
            .zip(&types)
            .map(|(expr, ty)| {
                let value = self.expr(expr);
                self.coerce(value, ty)
            })
            .collect()
    }

    /// `@x[k].figure`, of a map of several aggregations.
    pub(super) fn figure_of(&mut self, expr: &Expr) -> Option<hir::Expr> {
        let ExprKind::Field { base, field } = &expr.kind else { return None };
        let ExprKind::Map { name, keys } = &base.kind else { return None };
        let id = self.map_to_add_to(name);
        let part = self.session.maps.get(id.0 as usize)?.value.figure(&field.text)?;
        let map = self.map_to_read(name);
        let kind = hir::ExprKind::MapFigure { map, key: self.key(map, keys), part };
        Some(hir::Expr { kind, ty: self.program.ty(expr).clone(), span: expr.span })
    }

    /// The key in memory; `None` for a scalar map.
    pub(super) fn key(&mut self, map: MapId, keys: &[Expr]) -> Option<Buffered> {
        let types = self.key_types(map);
        let span = keys.first().zip(keys.last()).map(|(first, last)| first.span.to(last.span))?;
        let mut values = self.key_values(map, keys);
        let (value, ty) = match (values.len(), types.as_slice()) {
            (1, [ty]) => (values.pop()?, ty.clone()),
            (1, _) => (values.pop()?, Type::Tuple(types)),
            _ => {
                let ty = Type::Tuple(types);
                (hir::Expr { kind: hir::ExprKind::Tuple(values), ty: ty.clone(), span }, ty)
            }
        };
        Some(self.buffered(value, &ty))
    }
}
