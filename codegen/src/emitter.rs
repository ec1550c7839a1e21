//! The emission of one program: its frame (entry checks, scratch memory, exit) and its state.

use crate::debug::Debug;
use crate::error::{Emit, Failure};
use crate::flow::frame;
use crate::helpers::Helper;
use crate::llvm::{Block, Int, Llvm, Memory, Ptr};
use crate::pages;
use inkwell::debug_info::DISubprogram;
use inkwell::values::FunctionValue;
use lt_lang::hir::{Place, Probe, SlotId, VarId};
use lt_lang::kernel::Kernel;
use lt_lang::manifest::{Attach, LossCause, Manifest, Map, MapId, MapRole, Program, state};
use lt_lang::source::{SourceMap, Span};
use std::cell::{Cell, OnceCell, RefCell};

/// Everything that the programs of a script share.
pub(crate) struct Unit<'a, 'c> {
    pub(crate) llvm: Llvm<'c>,
    pub(crate) debug: Debug<'c>,
    pub(crate) manifest: &'a Manifest,
    pub(crate) kernel: &'a dyn Kernel,
    pub(crate) sources: &'a SourceMap,
    /// Addresses of the maps, in the manifest's order.
    pub(crate) maps: Vec<Ptr<'c>>,
    /// Addresses of their tables.
    pub(crate) tables: Vec<Option<Ptr<'c>>>,
    /// `lt_state`
    pub(crate) state: Ptr<'c>,
    /// `lt_start`
    pub(crate) start: Ptr<'c>,
    /// Read-only zeros, made when first needed, and how many.
    pub(crate) zeros: OnceCell<Ptr<'c>>,
    pub(crate) zeros_size: u32,
    /// The longest literals are read-only data; this is how many there are.
    pub(crate) texts: Cell<u32>,
    /// Loops are functions of their own; this is how many there are.
    pub(crate) callbacks: Cell<u32>,
    /// See [`Emitter::idle_callback`].
    pub(crate) idle_callback: OnceCell<FunctionValue<'c>>,
}

/// Where `continue` and `break` go.
#[derive(Clone, Copy)]
pub(crate) struct Flow<'c> {
    pub(crate) next: Block<'c>,
    pub(crate) over: Block<'c>,
}

/// A program while it is emitted.
pub(crate) struct Emitter<'u, 'c> {
    pub(crate) unit: &'u Unit<'u, 'c>,
    pub(crate) llvm: &'u Llvm<'c>,
    pub(crate) probe: &'u Probe,
    pub(crate) program: &'u Program,
    /// The program's argument.
    pub(crate) ctx: Ptr<'c>,
    /// Holds the stack memory; control goes on in the next block.
    pub(crate) entry: Block<'c>,
    /// Ends the action: returns 0 (in a callback, see [`crate::flow`]).
    pub(crate) exit: Block<'c>,
    scope: DISubprogram<'c>,
    vars: Vec<Memory<'c>>,
    slots: Vec<Memory<'c>>,
    /// Eight bytes for what a helper reads or writes at once; nothing in it survives the next helper.
    pub(crate) temp: Memory<'c>,
    /// The key 0 of scalar maps.
    zero_key: Memory<'c>,
    /// Holds the page of maps that have two, in programs that aggregate into such maps.
    page: Option<Memory<'c>>,
    /// What the callbacks of loops are handed; only in programs with such loops.
    pub(crate) frame: Option<Memory<'c>>,
    /// Loops around the statement that is emitted, in this function.
    pub(crate) loops: RefCell<Vec<Flow<'c>>>,
    /// Direct reads of the context so far, in this function.
    pub(crate) context_reads: Cell<u32>,
    /// What cannot be read is not counted: it is known to be there for some of the values only.
    pub(crate) quiet: Cell<bool>,
    /// Reads that failed so far, in programs that read.
    faults: OnceCell<Memory<'c>>,
}

/// Emits the function of a probe.
pub(crate) fn emit_program<'c>(unit: &Unit<'_, 'c>, probe: &Probe) -> Emit {
    let program = unit.manifest.programs.get(probe.program.0 as usize);
    let program = program.ok_or_else(|| Failure::internal("a probe without a program"))?;
    let llvm = &unit.llvm;
    let function = llvm.function(&program.symbol, &program.attach.section());
    let scope = unit.debug.function(function, &program.symbol, probe.span, unit.sources)?;
    let ctx = function.get_nth_param(0).ok_or_else(|| Failure::internal("a program without a context"))?;
    let [entry, start, exit] = ["entry", "start", "exit"].map(|name| llvm.context.append_basic_block(function, name));
    llvm.position(start);
    let location = unit.debug.location(llvm, scope, probe.span, probe.span, unit.sources)?;
    llvm.builder.set_current_debug_location(location);
    let frame = match frame_size(probe) {
        0 => None,
        size => Some(llvm.alloca(entry, size, 8)?),
    };
    let part = |offset, size| frame.map_or_else(|| llvm.alloca(entry, size, size), |frame| llvm.at(frame, offset));
    let mut emitter = Emitter {
        unit,
        llvm,
        probe,
        program,
        ctx: ctx.into_pointer_value(),
        entry,
        exit,
        scope,
        vars: vec![],
        slots: vec![],
        temp: part(frame::TEMP, 8)?,
        zero_key: part(frame::ZERO_KEY, 4)?,
        page: if pages::are_used(unit.manifest, probe) { Some(part(frame::PAGE, 8)?) } else { None },
        frame,
        loops: RefCell::default(),
        context_reads: Cell::default(),
        quiet: Cell::default(),
        faults: OnceCell::default(),
    };
    if let Some(frame) = frame {
        emitter.keep_faults(llvm.at(frame, frame::FAULTS)?)?;
    }
    emitter.prologue()?;
    emitter.block(&probe.body)?;
    emitter.epilogue(location, start)
}

/// Bytes of the frame; 0 for a program without callbacks.
fn frame_size(probe: &Probe) -> u32 {
    if !probe.framed {
        return 0;
    }
    let slots = probe.slots.iter().filter(|slot| slot.place == Place::Stack);
    let slots: u32 = slots.map(|slot| slot.size.next_multiple_of(8)).sum();
    frame::VARIABLES + own_words(probe) * 8 + slots
}

/// Variables that have eight bytes of their own on the stack.
fn own_words(probe: &Probe) -> u32 {
    probe.vars.iter().filter(|var| var.slot.is_none()).count() as u32
}

impl<'u, 'c> Emitter<'u, 'c> {
    /// The same program inside of a callback.
    pub(crate) fn inside(
        &self,
        frame: Memory<'c>,
        entry: Block<'c>,
        exit: Block<'c>,
        scope: DISubprogram<'c>,
    ) -> Emit<Emitter<'u, 'c>> {
        let llvm = self.llvm;
        let mut emitter = Emitter {
            unit: self.unit,
            llvm,
            probe: self.probe,
            program: self.program,
            ctx: llvm.load_pointer(llvm.at(frame, frame::CONTEXT)?)?,
            entry,
            exit,
            scope,
            vars: vec![],
            slots: vec![],
            temp: llvm.at(frame, frame::TEMP)?,
            zero_key: llvm.at(frame, frame::ZERO_KEY)?,
            page: self.page.map(|_| llvm.at(frame, frame::PAGE)).transpose()?,
            frame: Some(frame),
            loops: RefCell::default(),
            context_reads: Cell::default(),
            quiet: Cell::default(),
            faults: OnceCell::from(llvm.at(frame, frame::FAULTS)?),
        };
        let scratch = llvm.at(frame, frame::SCRATCH)?;
        let scratch = if self.has_scratch() { Some(Memory::aligned(llvm.load_pointer(scratch)?)) } else { None };
        emitter.make_slots(scratch)?;
        emitter.make_vars()?;
        Ok(emitter)
    }

    fn prologue(&mut self) -> Emit {
        let llvm = self.llvm;
        if !self.program.attach.is_driver() {
            let stopped = llvm.load_volatile(self.state_word(state::STOPPED)?, 8)?;
            llvm.leave_if(llvm.is_true(stopped)?, self.exit, "running")?;
        }
        llvm.store(self.zero_key, llvm.int(0), 4)?;
        if let Attach::Iterator { .. } = self.program.attach {
            self.mark_object()?;
        }
        self.remember_page()?;
        let scratch = if self.has_scratch() { Some(self.scratch_memory()?) } else { None };
        if let Some(frame) = self.frame {
            llvm.store_pointer(llvm.at(frame, frame::CONTEXT)?, self.ctx)?;
            if let Some(scratch) = scratch {
                llvm.store_pointer(llvm.at(frame, frame::SCRATCH)?, scratch.ptr)?;
            }
        }
        self.make_slots(scratch)?;
        self.make_vars()?;
        for (var, memory) in self.probe.vars.iter().zip(&self.vars) {
            let slot = var.slot.and_then(|slot| self.probe.slots.get(slot.0 as usize));
            match slot {
                None => llvm.store(*memory, llvm.int(0), 8)?,
                Some(_) if var.ty.is_scalar() => llvm.store(*memory, llvm.int(0), 8)?,
                // Callbacks must find them written.
                Some(slot) if self.frame.is_some() && slot.place == Place::Stack => {
                    self.zero(*memory, 0, slot.size.next_multiple_of(8))?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Writes a byte to the iterator's file, so that whoever reads it can count the objects.
    fn mark_object(&self) -> Emit {
        let llvm = self.llvm;
        let meta = llvm.load_pointer(Memory::aligned(self.ctx))?;
        let file = llvm.load_pointer(Memory::aligned(meta))?;
        llvm.call(Helper::SeqWrite, &[file.into(), self.zero_key.ptr.into(), llvm.int(1).into()])?;
        Ok(())
    }

    fn has_scratch(&self) -> bool {
        self.probe.slots.iter().any(|slot| matches!(slot.place, Place::Scratch(_)))
    }

    /// A variable's memory is its slot, or eight bytes of its own.
    fn make_vars(&mut self) -> Emit {
        let mut next = frame::VARIABLES;
        for var in &self.probe.vars {
            let memory = match (var.slot, self.frame) {
                (Some(slot), _) => self.slot(slot)?,
                (None, Some(frame)) => {
                    let at = next;
                    next += 8;
                    self.llvm.at(frame, at)?
                }
                (None, None) => self.llvm.alloca(self.entry, 8, 8)?,
            };
            self.vars.push(memory);
        }
        Ok(())
    }

    fn make_slots(&mut self, scratch: Option<Memory<'c>>) -> Emit {
        let mut next = frame::VARIABLES + own_words(self.probe) * 8;
        for slot in &self.probe.slots {
            let memory = match (slot.place, scratch, self.frame) {
                (Place::Scratch(offset), Some(scratch), _) => self.llvm.at(scratch, offset)?,
                (_, _, Some(frame)) => {
                    let at = next;
                    next += slot.size.next_multiple_of(8);
                    self.llvm.at(frame, at)?
                }
                // Stack memory costs whole words anyway, and aligned it is filled and copied by words.
                _ if slot.size >= 8 => self.llvm.alloca(self.entry, slot.size, 8)?,
                _ => self.llvm.alloca(self.entry, slot.size.max(1), slot.align.clamp(1, 8))?,
            };
            self.slots.push(memory);
        }
        Ok(())
    }

    /// The program's element of the scratch map; the program ends without it (which no kernel lets happen).
    fn scratch_memory(&self) -> Emit<Memory<'c>> {
        let llvm = self.llvm;
        let map = self.map_with_role(MapRole::Scratch).ok_or_else(|| Failure::internal("no scratch map"))?;
        llvm.store(self.temp, llvm.uint(u64::from(self.probe.program.0)), 4)?;
        let arguments = [self.map_address(map)?.into(), self.temp.ptr.into()];
        let ptr = llvm.call_for_pointer(Helper::MapLookup, &arguments)?;
        llvm.leave_if(llvm.is_null(ptr)?, self.exit, "scratch")?;
        Ok(Memory::aligned(ptr))
    }

    fn epilogue(&self, location: inkwell::debug_info::DILocation<'c>, start: Block<'c>) -> Emit {
        let llvm = self.llvm;
        llvm.builder.set_current_debug_location(location);
        llvm.branch(self.exit)?;
        llvm.position(self.exit);
        self.report_faults()?;
        llvm.builder.build_return(Some(&llvm.context.i32_type().const_zero()))?;
        llvm.position(self.entry);
        llvm.branch(start)?;
        llvm.builder.unset_current_debug_location();
        Ok(())
    }

    /// What is emitted from here on comes from this place of the source.
    pub(crate) fn at(&self, span: Span) -> Emit {
        let unit = self.unit;
        let location = unit.debug.location(self.llvm, self.scope, self.probe.span, span, unit.sources)?;
        self.llvm.builder.set_current_debug_location(location);
        Ok(())
    }

    /// A variable's memory.
    pub(crate) fn var(&self, id: VarId) -> Emit<Memory<'c>> {
        self.vars.get(id.0 as usize).copied().ok_or_else(|| Failure::internal("an unknown variable"))
    }

    /// A slot's memory.
    pub(crate) fn slot(&self, id: SlotId) -> Emit<Memory<'c>> {
        self.slots.get(id.0 as usize).copied().ok_or_else(|| Failure::internal("an unknown slot"))
    }

    /// A map's entry in the manifest.
    pub(crate) fn map(&self, id: MapId) -> Emit<&Map> {
        self.unit.manifest.maps.get(id.0 as usize).ok_or_else(|| Failure::internal("an unknown map"))
    }

    /// A map as helpers take it.
    pub(crate) fn map_address(&self, id: MapId) -> Emit<Ptr<'c>> {
        self.unit.maps.get(id.0 as usize).copied().ok_or_else(|| Failure::internal("an unknown map"))
    }

    /// The first map with a role.
    pub(crate) fn map_with_role(&self, role: MapRole) -> Option<MapId> {
        let at = self.unit.manifest.maps.iter().position(|map| map.role == role)?;
        Some(MapId(at as u32))
    }

    /// Where [`crate::pages`] keeps the program's page.
    pub(crate) fn page_memory(&self) -> Option<Memory<'c>> {
        self.page
    }

    /// The key of scalar maps.
    pub(crate) fn zero_key(&self) -> Memory<'c> {
        self.zero_key
    }

    /// A word of `lt_state`.
    pub(crate) fn state_word(&self, word: usize) -> Emit<Memory<'c>> {
        self.llvm.at(Memory::aligned(self.unit.state), word as u32 * 8)
    }

    /// Counts a loss of this program.
    pub(crate) fn count_loss(&self, cause: LossCause) -> Emit {
        self.count_losses(cause, self.llvm.int(1))
    }

    fn count_losses(&self, cause: LossCause, count: Int<'c>) -> Emit {
        let counter = self.state_word(state::counter(self.probe.program, cause))?;
        self.llvm.atomic_add(counter.ptr, count)?;
        Ok(())
    }

    /// Counts a read that failed when this result of a helper is negative. Without a branch, of which the verifier would
    /// follow both ways through all of the rest, and in half a word, of which it remembers no value: it would follow a
    /// loop as often as the number can change.
    pub(crate) fn count_fault(&self, result: Int<'c>) -> Emit {
        let llvm = self.llvm;
        let faults = match self.faults.get() {
            Some(faults) => *faults,
            None => self.keep_faults(llvm.alloca(self.entry, 8, 8)?)?,
        };
        let half = llvm.at(faults, 4)?;
        let failed = llvm.builder.build_right_shift(result, llvm.int(63), false, "")?;
        let sum = llvm.builder.build_int_add(llvm.load_volatile(half, 4)?, failed, "")?;
        llvm.store_volatile(half, sum, 4)
    }

    /// Makes the counter of failed reads, at the very beginning of the program.
    fn keep_faults(&self, memory: Memory<'c>) -> Emit<Memory<'c>> {
        let llvm = self.llvm;
        let here = llvm.block()?;
        llvm.position(self.entry);
        llvm.store_volatile(llvm.at(memory, 4)?, llvm.int(0), 4)?;
        llvm.position(here);
        Ok(*self.faults.get_or_init(|| memory))
    }

    /// Tells lt of the reads that failed.
    fn report_faults(&self) -> Emit {
        let Some(faults) = self.faults.get() else { return Ok(()) };
        let llvm = self.llvm;
        let count = llvm.load_volatile(llvm.at(*faults, 4)?, 4)?;
        let (failed, rest) = (llvm.new_block("failed")?, llvm.new_block("told")?);
        llvm.branch_if(llvm.is_true(count)?, failed, rest)?;
        llvm.position(failed);
        self.count_losses(LossCause::ReadFault, count)?;
        llvm.branch(rest)?;
        llvm.position(rest);
        Ok(())
    }

    /// Counts a loss when an i1 is true.
    pub(crate) fn count_loss_if(&self, flag: Int<'c>, cause: LossCause) -> Emit {
        let (lost, rest) = (self.llvm.new_block("lost")?, self.llvm.new_block("counted")?);
        self.llvm.branch_if(flag, lost, rest)?;
        self.llvm.position(lost);
        self.count_loss(cause)?;
        self.llvm.branch(rest)?;
        self.llvm.position(rest);
        Ok(())
    }
}
