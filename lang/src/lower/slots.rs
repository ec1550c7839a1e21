//! Where the memory of a program lies: small slots on its stack, the rest in the scratch map.

use crate::hir::{Place, Slot};

/// Bytes of the program's stack (512) that slots may take; code generation spills to the rest.
const STACK_BUDGET: u32 = 200;

/// Largest slot that may lie on the stack.
const STACK_SLOT: u32 = 64;

/// Gives each slot its place; returns the bytes of scratch memory that are needed.
pub(super) fn place(slots: &mut [Slot]) -> u32 {
    let (mut stack, mut scratch) = (0, 0);
    for slot in slots {
        let size = slot.size.next_multiple_of(8);
        if slot.size <= STACK_SLOT && stack + size <= STACK_BUDGET {
            stack += size;
            slot.place = Place::Stack;
        } else {
            slot.place = Place::Scratch(scratch);
            scratch += size;
        }
    }
    scratch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slots_are_on_the_stack_until_it_is_full() {
        let slot = |size| Slot { size, align: 1, place: Place::Stack };
        let mut slots = [slot(1024), slot(16), slot(64), slot(64), slot(64), slot(5)];
        assert_eq!(place(&mut slots), 1024 + 64);
        let places: Vec<_> = slots.iter().map(|slot| slot.place).collect();
        let stack = Place::Stack;
        assert_eq!(places, [Place::Scratch(0), stack, stack, stack, Place::Scratch(1024), stack]);
    }
}
