//! Functions that look into maps, and what they ask of the kind of map.

use super::expr::nothing;
use super::{Body, Session};
use crate::ast::{Expr, ExprKind};
use crate::hir;
use crate::kernel::Feature;
use crate::manifest::{MapId, MapKind};
use crate::source::Span;
use crate::types::Type;

impl Session<'_> {
    /// Chooses the kinds of the maps that aggregate by what programs do with them.
    pub(super) fn settle_kinds(&mut self) {
        let (reads_others, no_prealloc) =
            (self.kernel.has(Feature::PerCpuRead), self.kernel.has(Feature::MapWithoutPreallocation));
        for (at, map) in self.maps.iter_mut().enumerate() {
            let id = MapId(at as u32);
            if !map.value.aggregates() {
                continue;
            }
            if self.deleted_scalars.contains(&id) {
                // Of an array a program could only delete what its own CPU has.
                map.kind = MapKind::PerCpuHash;
                map.no_prealloc = no_prealloc;
            }
            if self.numbers.contains(&id) && !reads_others {
                // One value for all CPUs, updated atomically.
                map.kind = match map.kind {
                    MapKind::PerCpuArray => MapKind::Array,
                    MapKind::LruPerCpuHash => MapKind::LruHash,
                    _ => MapKind::Hash,
                };
            }
        }
    }
}

impl Body<'_, '_> {
    /// The map of this name, whose values are read.
    pub(super) fn map_to_read(&mut self, name: &str) -> MapId {
        let map = self.map(name);
        self.session.numbers.insert(map);
        map
    }

    /// `find(@map, key, $variable)`
    pub(super) fn find(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let missing = nothing(&Type::Bool, span);
        let [map, key, variable] = args else { return missing };
        let ExprKind::Map { name, .. } = &map.kind else { return missing };
        let map = self.map_to_read(name);
        let Some(key) = self.key(map, std::slice::from_ref(key)) else { return missing };
        let Some(at) = self.program.var_at.get(&variable.span).copied() else { return missing };
        let Some(held) = self.vars.get(at).map(|var| var.ty.clone()) else { return missing };
        let value = self.session.value_type(map);
        let fits = match (&value, &held) {
            (Type::Int(_), Type::Int(_)) => true,
            (Type::String { size }, Type::String { size: room }) => size <= room,
            (value, held) => value == held,
        };
        if !fits {
            self.not_supported(variable.span, "a variable that holds other types, too, cannot be found into yet");
        }
        if self.program.vars.get(at).is_some_and(|var| var.span == variable.span) {
            self.declared_by_find.push(at);
        }
        let ty = if matches!(value, Type::Int(_)) { self.written_int(at).unwrap_or(held) } else { value };
        let kind = hir::ExprKind::MapFind { map, key, var: hir::VarId(at as u32), ty };
        hir::Expr { kind, ty: Type::Bool, span }
    }

    /// Variables that `find` declares have a value when it finds nothing.
    pub(super) fn preset(&mut self) -> Vec<hir::Stmt> {
        let declared = std::mem::take(&mut self.declared_by_find);
        let set = |at: usize| {
            let (var, span) = (self.vars.get(at)?, self.program.vars.get(at)?.span);
            let kind = hir::StmtKind::SetVar { var: hir::VarId(at as u32), value: nothing(&var.ty, span) };
            Some(hir::Stmt { kind, span })
        };
        declared.into_iter().filter_map(set).collect()
    }

    /// `len(@map)`, `len(stack)`
    pub(super) fn length(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        if let Some(stack) = args.first().filter(|arg| matches!(self.program.ty(arg), Type::Stack(_))) {
            return self.stack_length(stack, span);
        }
        let Some(Expr { kind: ExprKind::Map { name, .. }, .. }) = args.first() else {
            return nothing(&Type::I64, span);
        };
        let map = self.map(name);
        hir::Expr { kind: hir::ExprKind::MapLength(map), ty: Type::I64, span }
    }
}
