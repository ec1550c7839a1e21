//! Events: records for the ring buffer.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Int, Memory, Ptr};
use lt_lang::hir::{Expr, SlotId};
use lt_lang::manifest::{EVENT_HEADER, Event, EventAction, EventId, LossCause, MapRole};

impl<'c> Emitter<'_, 'c> {
    /// Sends an event.
    pub(crate) fn emit_event(&self, id: EventId, fields: &[Expr], buffer: Option<SlotId>) -> Emit {
        let event = self.unit.manifest.events.get(id.0 as usize);
        let event = event.ok_or_else(|| Failure::internal("an unknown event"))?;
        if event.offsets.len() != fields.len() {
            return Err(Failure::internal("an event whose fields do not fit"));
        }
        let ring = self.map_with_role(MapRole::Events).ok_or_else(|| Failure::internal("no event ring"))?;
        let ring = self.map_address(ring)?;
        // behind the last string of a list is nothing
        self.quiet.set(matches!(event.action, EventAction::Join(_)));
        match buffer {
            None => self.emit_reserved(ring, id, event, fields)?,
            Some(slot) => self.emit_buffered(ring, id, event, fields, self.slot(slot)?)?,
        }
        self.quiet.set(false);
        Ok(())
    }

    /// Directly in the ring: whatever needs no memory is computed before, to hold the record as short as possible.
    fn emit_reserved(&self, ring: Ptr<'c>, id: EventId, event: &Event, fields: &[Expr]) -> Emit {
        let llvm = self.llvm;
        let scalars: Vec<Option<Int<'c>>> = fields
            .iter()
            .map(|field| field.ty.is_scalar().then(|| self.scalar(field)).transpose())
            .collect::<Emit<_>>()?;
        let size = llvm.uint(u64::from(event.size));
        let arguments = [ring.into(), size.into(), llvm.int(0).into()];
        let record = llvm.call_for_pointer(Helper::RingbufReserve, &arguments)?;
        let [full, fill, sent] = [llvm.new_block("full")?, llvm.new_block("fill")?, llvm.new_block("sent")?];
        llvm.branch_if(llvm.is_null(record)?, full, fill)?;
        llvm.position(full);
        self.count_loss(LossCause::RingFull)?;
        llvm.branch(sent)?;
        llvm.position(fill);
        let memory = Memory::aligned(record);
        self.store_header(memory, id)?;
        for ((field, scalar), offset) in fields.iter().zip(scalars).zip(&event.offsets) {
            let to = llvm.at(memory, *offset)?;
            match scalar {
                Some(value) => llvm.store(to, value, field.ty.size())?,
                None => self.place(field, to, false, false).map(drop)?,
            }
        }
        llvm.call(Helper::RingbufSubmit, &[record.into(), llvm.int(0).into()])?;
        llvm.branch(sent)?;
        llvm.position(sent);
        Ok(())
    }

    /// In other memory, then copied, as much as is used.
    fn emit_buffered(&self, ring: Ptr<'c>, id: EventId, event: &Event, fields: &[Expr], memory: Memory<'c>) -> Emit {
        let llvm = self.llvm;
        self.store_header(memory, id)?;
        let (mut last, mut end) = ((0, None), EVENT_HEADER);
        for (field, offset) in fields.iter().zip(&event.offsets) {
            if memory.stack {
                self.zero(memory, end, *offset)?;
            }
            end = *offset + field.ty.size();
            let used = self.place(field, llvm.at(memory, *offset)?, false, false)?;
            if *offset >= last.0 {
                last = (*offset, used);
            }
        }
        if memory.stack {
            self.zero(memory, end, event.size)?;
        }
        let whole = llvm.uint(u64::from(event.size));
        let size = match last {
            (offset, Some(used)) if event.trimmed => {
                let end = llvm.builder.build_int_add(used, llvm.uint(u64::from(offset)), "")?;
                self.bounded(end, event.size)?
            }
            _ => whole,
        };
        let arguments = [ring.into(), memory.ptr.into(), size.into(), llvm.int(0).into()];
        let failed = llvm.call(Helper::RingbufOutput, &arguments)?;
        self.count_loss_if(llvm.is_true(failed)?, LossCause::RingFull)
    }

    /// Sends a record of `size` bytes that is complete but for its header; 0, or a negative errno when the ring is full.
    pub(crate) fn send_whole(&self, id: EventId, record: Memory<'c>, size: u32) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let ring = self.map_with_role(MapRole::Events).ok_or_else(|| Failure::internal("no event ring"))?;
        self.store_header(record, id)?;
        let size = llvm.uint(u64::from(size));
        let arguments = [self.map_address(ring)?.into(), record.ptr.into(), size.into(), llvm.int(0).into()];
        llvm.call(Helper::RingbufOutput, &arguments)
    }

    /// Event id and program id as one word.
    fn store_header(&self, record: Memory<'c>, id: EventId) -> Emit {
        let word = u64::from(id.0) | u64::from(self.probe.program.0) << 32;
        self.llvm.store(record, self.llvm.uint(word), 8)
    }
}
