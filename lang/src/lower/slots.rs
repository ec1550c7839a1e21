//! Where the memory of a program lies: small slots on its stack, the rest in the scratch map.

use crate::hir::{FRAME_ROOM, Place, Slot, SlotId, Var};

/// Bytes of the program's stack (512) that slots may take; code generation spills to the rest.
const STACK_BUDGET: u32 = 200;

/// Largest slot that may lie on the stack.
const STACK_SLOT: u32 = 64;

/// The slots from one on are not needed any more once there are so many slots: the statement that made them is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    pub(super) first: usize,
    pub(super) made: usize,
}

/// Gives all that a program keeps its place; returns the bytes of scratch memory that are needed. See
/// [`crate::hir::Probe::framed`].
pub(super) fn settle(vars: &mut [Var], slots: &mut Vec<Slot>, releases: &[Release], framed: bool) -> u32 {
    let scalars = vars.iter().filter(|var| var.slot.is_none()).count() as u32;
    if framed && scalars * 8 > FRAME_ROOM / 2 {
        let kept = scalars * 8;
        let size = place(slots, releases, (STACK_BUDGET, kept));
        for (at, var) in (0..).zip(vars.iter_mut().filter(|var| var.slot.is_none())) {
            var.slot = Some(SlotId(slots.len() as u32));
            slots.push(Slot { size: 8, align: 8, place: Place::Scratch(at * 8) });
        }
        return size;
    }
    // Without a frame they are in registers where they can be, and spilled where not.
    let room =
        if framed { FRAME_ROOM - scalars * 8 } else { STACK_BUDGET.saturating_sub(scalars.saturating_sub(16) * 8) };
    place(slots, releases, (room.min(STACK_BUDGET), 0))
}

/// Gives each slot its place: on the stack as far as the budget goes, or in scratch memory behind what is kept there.
/// Statements that follow each other use the same scratch memory. `releases` are in order of `made`.
fn place(slots: &mut [Slot], releases: &[Release], (budget, kept): (u32, u32)) -> u32 {
    let (mut stack, mut scratch, mut most) = (0, kept, kept);
    // where the scratch memory of each slot would begin
    let mut tops = Vec::with_capacity(slots.len());
    let mut releases = releases.iter().peekable();
    for (at, slot) in slots.iter_mut().enumerate() {
        while let Some(release) = releases.next_if(|release| release.made <= at) {
            scratch = tops.get(release.first).copied().unwrap_or(scratch);
        }
        tops.push(scratch);
        let size = slot.size.next_multiple_of(8);
        if slot.size <= STACK_SLOT && stack + size <= budget {
            stack += size;
            slot.place = Place::Stack;
        } else {
            slot.place = Place::Scratch(scratch);
            scratch += size;
            most = most.max(scratch);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slots_are_on_the_stack_until_it_is_full() {
        let slot = |size| Slot { size, align: 1, place: Place::Stack };
        let mut slots = [slot(1024), slot(16), slot(64), slot(64), slot(64), slot(5)];
        assert_eq!(place(&mut slots, &[], (STACK_BUDGET, 0)), 1024 + 64);
        let places: Vec<_> = slots.iter().map(|slot| slot.place).collect();
        let stack = Place::Stack;
        assert_eq!(places, [Place::Scratch(0), stack, stack, stack, Place::Scratch(1024), stack]);
    }

    #[test]
    fn statements_share_scratch_memory() {
        let slot = |size| Slot { size, align: 1, place: Place::Stack };
        // a variable; a condition, around a statement of two values and one of one; another statement
        let mut slots = [slot(100), slot(200), slot(300), slot(400), slot(500), slot(600)];
        let releases = [(2, 4), (4, 5), (1, 5), (5, 6)].map(|(first, made)| Release { first, made });
        assert_eq!(place(&mut slots, &releases, (STACK_BUDGET, 0)), 104 + 200 + 304 + 400);
        let places: Vec<_> = slots.iter().map(|slot| slot.place).collect();
        assert_eq!(places, [0, 104, 304, 608, 304, 104].map(Place::Scratch));
    }
}
