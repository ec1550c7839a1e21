//! How stacks are kept: the layout that programs write and the runtime reads.
//!
//! Each distinct stack is an entry of a hash map of lt's own. Its key is a hash of the frames (and of the process, for user
//! stacks), which also stands for the stack in the script's maps and events. The kernel's own map of stacks
//! (BPF_MAP_TYPE_STACK_TRACE) is a table without chains: of two stacks whose hashes agree in a few bits it loses one.

use crate::hir::SlotId;
use crate::manifest::{EventId, MapId};

/// Most frames of a stack (the kernel's `perf_event_max_stack`, unless somebody raised it).
pub const MAX_FRAMES: u32 = 127;

/// Offset in an entry of the number of frames (u32).
pub const COUNT: u32 = 0;
/// Offset in an entry of the process, as the initial PID namespace numbers it (u32); 0 for a stack of the kernel.
pub const PROCESS: u32 = 4;
/// Offset in an entry of when the stack was first seen, in nanoseconds of the monotonic clock (u64).
pub const TIME: u32 = 8;
/// Offset in an entry of the frames, innermost first (u64 each).
pub const FRAMES: u32 = 16;

/// Bytes of an entry.
pub const ENTRY: u32 = FRAMES + 8 * MAX_FRAMES;

/// Bytes of the memory that a stack takes on its way: its key, its entry, and the record of a [`ProcessNotice`].
pub const BUFFER: u32 = 8 + ENTRY + 16;

/// How lt is told of a process whose addresses will have to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessNotice {
    /// The map with role [`crate::manifest::MapRole::Processes`].
    pub map: MapId,
    /// The event with [`crate::manifest::EventAction::ProcessSeen`].
    pub event: EventId,
    /// Device and inode of the PID namespace in which processes are numbered, when it is not the first one: lt's own.
    pub namespace: Option<(u64, u64)>,
}

/// A stack that a program takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenStack {
    /// The map with role [`crate::manifest::MapRole::Stacks`].
    pub map: MapId,
    /// At most so many frames, from 1 to [`MAX_FRAMES`].
    pub frames: u32,
    /// Memory to put the entry together in: [`BUFFER`] bytes.
    pub buffer: SlotId,
    /// For user stacks: how lt learns of the process.
    pub process: Option<ProcessNotice>,
}
