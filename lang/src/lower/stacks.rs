//! Stacks and addresses of processes.

use super::expr::{int, nothing};
use super::maps::own_map;
use super::{Body, Session};
use crate::ast::Expr;
use crate::hir::{self, SlotId};
use crate::kernel::Feature;
use crate::manifest::{Event, EventAction, EventId, Map, MapId, MapKind, MapRole};
use crate::source::Span;
use crate::stacks::{self, ProcessNotice, TakenStack};
use crate::types::{AddressSpace, StackType, Type};

/// Distinct stacks that are kept, where the kernel allocates them when they come.
const STACKS: u32 = 1 << 16;

/// The same where it allocates all of them at the start.
const PREALLOCATED_STACKS: u32 = 1 << 12;

/// Processes that lt is told of but once.
const PROCESSES: u32 = 1 << 14;

/// What stacks need, as far as it is made.
#[derive(Default)]
pub(super) struct Kept {
    stacks: Option<MapId>,
    processes: Option<ProcessNotice>,
}

impl Session<'_> {
    fn add_map(&mut self, map: Map) -> MapId {
        self.maps.push(map);
        MapId(self.maps.len() as u32 - 1)
    }

    /// The map of stacks; made on first use.
    pub(super) fn stacks(&mut self) -> MapId {
        if let Some(map) = self.kept.stacks {
            return map;
        }
        let on_demand = self.kernel.has(Feature::MapWithoutPreallocation);
        let entries = if on_demand { STACKS } else { PREALLOCATED_STACKS };
        let map = own_map("stacks", MapRole::Stacks, MapKind::Hash, (8, stacks::ENTRY), entries);
        let map = self.add_map(Map { no_prealloc: on_demand, ..map });
        *self.kept.stacks.insert(map)
    }

    /// How lt learns of processes; made on first use.
    fn processes(&mut self, span: Span) -> ProcessNotice {
        if let Some(notice) = self.kept.processes {
            return notice;
        }
        let map = own_map("processes", MapRole::Processes, MapKind::Hash, (4, 4), PROCESSES);
        let no_prealloc = self.kernel.has(Feature::MapWithoutPreallocation);
        let map = self.add_map(Map { no_prealloc, ..map });
        let fields = vec![Type::U64];
        let (action, offsets) = (EventAction::ProcessSeen, vec![8]);
        self.events.push(Event { action, fields, offsets, size: 16, trimmed: false, span });
        let event = EventId(self.events.len() as u32 - 1);
        let namespace = self.kernel.pid_namespace();
        *self.kept.processes.insert(ProcessNotice { map, event, namespace })
    }
}

impl Body<'_, '_> {
    fn stack_buffer(&mut self) -> SlotId {
        let known = self.stack_buffer.unwrap_or_else(|| self.slot_of(stacks::BUFFER, 8));
        *self.stack_buffer.insert(known)
    }

    /// `kstack`, `ustack`
    pub(super) fn stack(&mut self, space: AddressSpace, ty: Type, span: Span) -> hir::Expr {
        let Type::Stack(StackType { frames, .. }) = ty else { return nothing(&ty, span) };
        if frames == 0 {
            return int(0, ty, span);
        }
        let process = (space == AddressSpace::User).then(|| self.session.processes(span));
        let (map, buffer) = (self.session.stacks(), self.stack_buffer());
        hir::Expr { kind: hir::ExprKind::StackKey(TakenStack { map, frames, buffer, process }), ty, span }
    }

    /// `len(stack)`
    pub(super) fn stack_length(&mut self, stack: &Expr, span: Span) -> hir::Expr {
        let value = self.expr(stack);
        let ty = value.ty.clone();
        let stack = self.buffered(value, &ty);
        let map = self.session.stacks();
        hir::Expr { kind: hir::ExprKind::StackLength { map, stack }, ty: Type::I64, span }
    }

    /// `usym(address)`
    pub(super) fn user_symbol(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let Some(address) = args.first() else { return nothing(&Type::UserSymbol, span) };
        let address = self.expr(address);
        let address = self.coerce(address, &Type::U64);
        let (notice, buffer) = (self.session.processes(span), self.stack_buffer());
        let process = hir::ExprKind::NoticedProcess(notice, buffer);
        let process = hir::Expr { kind: process, ty: Type::U64, span };
        hir::Expr { kind: hir::ExprKind::Tuple(vec![address, process]), ty: Type::UserSymbol, span }
    }
}
