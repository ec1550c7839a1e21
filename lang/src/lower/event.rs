//! Events: what programs send, laid out once for sender and receiver.

use super::Body;
use crate::hir::{self, StmtKind};
use crate::manifest::{EVENT_HEADER, Event, EventAction, EventId};
use crate::source::Span;
use crate::types::Type;

/// Records up to this size are put together in the ring itself, whose space is reserved at full size.
const RESERVED: u32 = 256;

impl Body<'_, '_> {
    /// Sends an event with these fields.
    pub(super) fn emit(&mut self, action: EventAction, fields: Vec<hir::Expr>, span: Span) -> StmtKind {
        let types: Vec<Type> = fields.iter().map(|field| field.ty.clone()).collect();
        let (offsets, end) = layout(&types);
        let size = end.next_multiple_of(8);
        let last = last_placed(&types);
        // what a block within a field does must not happen while space in the ring is reserved
        let buffered = size > RESERVED || self.blocks > self.blocks_before;
        let trimmed = buffered && last.is_some();
        let event = Event { action, fields: types, offsets, size, trimmed, span };
        self.check_event(&event);
        let buffer = buffered.then(|| self.slot_of(size, 8));
        StmtKind::Emit { event: self.event(event), fields, buffer }
    }

    /// The event's number; the attach points of one probe share theirs.
    fn event(&mut self, event: Event) -> EventId {
        let events = &mut self.session.events;
        let at = events.iter().position(|known| *known == event).unwrap_or_else(|| {
            events.push(event);
            events.len() - 1
        });
        EventId(at as u32)
    }

    fn check_event(&mut self, event: &Event) {
        let limit = self.session.ring_bytes() / 4;
        if event.size > limit {
            let message = format!("an event of {} bytes is too large for the event ring", event.size);
            let label = format!("at most {limit} bytes fit");
            self.session.limit(event.span, message, &label, "shorten its strings: `str(x, n)` has at most n bytes");
        }
    }
}

/// The longest string: it is placed last, so that a record can end behind its NUL.
fn last_placed(types: &[Type]) -> Option<usize> {
    let strings = types.iter().enumerate().filter(|(_, ty)| matches!(ty, Type::String { .. }));
    strings.max_by_key(|(_, ty)| ty.size()).map(|(at, _)| at)
}

/// Offsets of the fields (in their own order) and the end of the record.
fn layout(types: &[Type]) -> (Vec<u32>, u32) {
    let last = last_placed(types);
    let order = (0..types.len()).filter(|at| Some(*at) != last).chain(last);
    let mut offsets = vec![0; types.len()];
    let mut end = EVENT_HEADER;
    for at in order {
        let (Some(ty), Some(offset)) = (types.get(at), offsets.get_mut(at)) else { continue };
        *offset = end.next_multiple_of(ty.align());
        end = offset.saturating_add(ty.size());
    }
    (offsets, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_string_is_placed_last() {
        let types = [Type::String { size: 100 }, Type::U32, Type::String { size: 16 }, Type::U64];
        assert_eq!(layout(&types), (vec![40, 8, 12, 32], 140));
        assert_eq!(layout(&[]), (vec![], 8));
    }
}
