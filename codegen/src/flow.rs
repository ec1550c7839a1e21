//! Loops: blocks that jump back, or callbacks of the kernel's helpers.
//!
//! A callback is a function of its own. What the program keeps lies in one piece of stack then, the *frame*, whose
//! address the helper hands to the callback: the program's context, the address of the scratch memory, how the loop
//! ended, and all variables and slots.

use crate::emitter::{Emitter, Flow};
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Block, Memory, Ptr};
use inkwell::IntPredicate;
use inkwell::values::FunctionValue;
use lt_lang::hir::{Loop, Place, Stmt, VarId};
use lt_lang::manifest::{LossCause, MapId};
use lt_lang::types::{Layout, Type};

/// How the last step of a callback went.
const GOES_ON: i64 = 0;
const LOOP_OVER: i64 = 1;
const ACTION_OVER: i64 = 2;

/// Where things lie in a frame.
pub(crate) mod frame {
    /// The program's context.
    pub(crate) const CONTEXT: u32 = 0;
    /// The program's scratch memory, if it has any.
    pub(crate) const SCRATCH: u32 = 8;
    /// How the last step went.
    pub(crate) const ENDED: u32 = 16;
    /// See [`crate::emitter::Emitter::temp`].
    pub(crate) const TEMP: u32 = 24;
    /// The key 0.
    pub(crate) const ZERO_KEY: u32 = 32;
    /// The page of maps that have two.
    pub(crate) const PAGE: u32 = 40;
    /// See [`crate::emitter::Emitter::count_fault`].
    pub(crate) const FAULTS: u32 = 48;
    /// Variables, eight bytes each, then slots.
    pub(crate) const VARIABLES: u32 = 56;
}

impl<'u, 'c> Emitter<'u, 'c> {
    pub(crate) fn steps(&self, inner: &Loop) -> Emit {
        if inner.called {
            return self.called_loop(inner);
        }
        let llvm = self.llvm;
        let count = llvm.alloca(self.entry, 8, 8)?;
        llvm.store(count, llvm.int(0), 8)?;
        let [head, run, next] = [llvm.new_block("head")?, llvm.new_block("run")?, llvm.new_block("next")?];
        let [bound, after] = [llvm.new_block("bound")?, llvm.new_block("after")?];
        llvm.branch(head)?;
        llvm.position(head);
        let flag = llvm.is_true(self.scalar(&inner.condition)?)?;
        llvm.branch_if(flag, run, after)?;
        llvm.position(run);
        self.loop_body(&inner.body, Flow { next, over: after })?;
        llvm.branch(next)?;
        // Going back by a conditional jump: 5.10 refuses to fall through to the head from anything else.
        llvm.position(next);
        let steps = llvm.builder.build_int_add(llvm.load(count, 8)?, llvm.int(1), "")?;
        llvm.store(count, steps, 8)?;
        let left = llvm.compare(IntPredicate::ULT, steps, llvm.uint(u64::from(inner.bound)))?;
        llvm.branch_if(left, head, bound)?;
        llvm.position(bound);
        let flag = llvm.is_true(self.scalar(&inner.condition)?)?;
        self.count_loss_if(flag, LossCause::LoopBound)?;
        llvm.branch(after)?;
        llvm.position(after);
        Ok(())
    }

    fn loop_body(&self, body: &[Stmt], flow: Flow<'c>) -> Emit {
        self.loops.borrow_mut().push(flow);
        let result = self.block(body);
        self.loops.borrow_mut().pop();
        result
    }

    /// `break` (`over`) and `continue`.
    pub(crate) fn jump(&self, over: bool) -> Emit {
        let flow = self.loops.borrow().last().copied();
        let flow = flow.ok_or_else(|| Failure::internal("a jump outside of all loops"))?;
        self.llvm.branch(if over { flow.over } else { flow.next })?;
        self.llvm.position(self.llvm.new_block("unreachable")?);
        Ok(())
    }

    fn called_loop(&self, inner: &Loop) -> Emit {
        let llvm = self.llvm;
        let callback = self.callback(&["index", "frame"], |emitter, _, flow| {
            let flag = llvm.is_true(emitter.scalar(&inner.condition)?)?;
            llvm.leave_if(llvm.builder.build_not(flag, "")?, flow.over, "step")?;
            emitter.loop_body(&inner.body, flow)
        })?;
        let frame = self.frame()?;
        self.prepare(frame)?;
        let address = callback.as_global_value().as_pointer_value();
        let steps = llvm.uint(u64::from(inner.bound));
        llvm.call(Helper::Loop, &[steps.into(), address.into(), frame.ptr.into(), llvm.int(0).into()])?;
        let ended = self.finish_if_over(frame)?;
        self.count_loss_if(llvm.compare(IntPredicate::EQ, ended, llvm.int(GOES_ON))?, LossCause::LoopBound)
    }

    /// A step for each entry of a map.
    pub(crate) fn map_loop(&self, map: MapId, var: VarId, body: &[Stmt]) -> Emit {
        let llvm = self.llvm;
        let callback = self.callback(&["map", "key", "value", "frame"], |emitter, parameters, flow| {
            let variable = self.probe.vars.get(var.0 as usize).map(|var| &var.ty);
            let (Some(Type::Tuple(types)), [_, key, value, _]) = (variable, parameters) else {
                return Err(Failure::internal("a loop over a map without a tuple"));
            };
            let to = emitter.var(var)?;
            let ([key_type, value_type], [key_at, value_at]) = (types.as_slice(), &Layout::of(types).offsets[..])
            else {
                return Err(Failure::internal("a loop over a map whose variable is no pair"));
            };
            let (own_key, own_value) = (llvm.at(to, *key_at)?, llvm.at(to, *value_at)?);
            emitter.copy(own_key, Memory::aligned(*key), key_type.size())?;
            if emitter.map(map)?.value.aggregates() {
                emitter.place_entry(map, own_key.ptr, Memory::aligned(*value), value_type, own_value)?;
            } else {
                emitter.copy(own_value, Memory::aligned(*value), value_type.size())?;
            }
            emitter.loop_body(body, flow)
        })?;
        let frame = self.frame()?;
        self.prepare(frame)?;
        let address = callback.as_global_value().as_pointer_value();
        let arguments = [self.map_address(map)?.into(), address.into(), frame.ptr.into(), llvm.int(0).into()];
        llvm.call(Helper::ForEachMapElem, &arguments)?;
        self.finish_if_over(frame).map(drop)
    }

    fn frame(&self) -> Emit<Memory<'c>> {
        self.frame.ok_or_else(|| Failure::internal("a loop without a frame"))
    }

    /// Before the first step. Kernels before 6.7 follow a callback once, with what the variables are then, and remove the
    /// ways that they believe are never taken: what is known of the variables is forgotten.
    fn prepare(&self, frame: Memory<'c>) -> Emit {
        self.llvm.store(self.llvm.at(frame, frame::ENDED)?, self.llvm.int(GOES_ON), 8)?;
        self.forget_variables()
    }

    /// Makes the verifier forget what it knows of the variables: a number that is added to memory atomically leaves there
    /// what the verifier knows nothing about.
    fn forget_variables(&self) -> Emit {
        let llvm = self.llvm;
        let zero = llvm.opaque(llvm.int(0))?;
        for (at, var) in self.probe.vars.iter().enumerate() {
            let slot = var.slot.and_then(|slot| self.probe.slots.get(slot.0 as usize));
            let size = match slot {
                None => 8,
                Some(slot) if slot.place == Place::Stack => slot.size.next_multiple_of(8),
                Some(_) => 0,
            };
            let memory = self.var(VarId(at as u32))?;
            for offset in (0..size).step_by(8) {
                llvm.atomic_add(llvm.at(memory, offset)?.ptr, zero)?;
            }
        }
        Ok(())
    }

    /// Ends the action when the loop did; gives how the last step went.
    fn finish_if_over(&self, frame: Memory<'c>) -> Emit<crate::llvm::Int<'c>> {
        let llvm = self.llvm;
        let ended = llvm.load(llvm.at(frame, frame::ENDED)?, 8)?;
        llvm.leave_if(llvm.compare(IntPredicate::EQ, ended, llvm.int(ACTION_OVER))?, self.exit, "looped")?;
        Ok(ended)
    }

    /// Emits a function for the steps of a loop, whose last parameter is the frame, and goes on where it was.
    fn callback(
        &self,
        parameters: &[&str],
        body: impl FnOnce(&Emitter<'u, 'c>, &[Ptr<'c>], Flow<'c>) -> Emit,
    ) -> Emit<FunctionValue<'c>> {
        let llvm = self.llvm;
        let here = llvm.block()?;
        let location = llvm.builder.get_current_debug_location();
        let number = self.unit.callbacks.replace(self.unit.callbacks.get() + 1);
        let name = format!("lt_loop_{number}");
        let function = llvm.static_function(&name, parameters.len());
        let scope = self.unit.debug.callback(function, &name, parameters, self.probe.span, self.unit.sources)?;
        let [entry, start, next, over, exit] =
            ["entry", "start", "next", "over", "exit"].map(|name| llvm.context.append_basic_block(function, name));
        llvm.position(start);
        let home = self.unit.debug.location(llvm, scope, self.probe.span, self.probe.span, self.unit.sources)?;
        llvm.builder.set_current_debug_location(home);
        let arguments: Vec<Ptr<'c>> = function.get_param_iter().map(|value| value.into_pointer_value()).collect();
        let frame = *arguments.last().ok_or_else(|| Failure::internal("a callback without a frame"))?;
        let frame = Memory { ptr: frame, align: 8, stack: true };
        let emitter = self.inside(frame, entry, exit, scope)?;
        body(&emitter, &arguments, Flow { next, over })?;
        llvm.builder.set_current_debug_location(home);
        llvm.branch(next)?;
        for (block, how) in [(next, GOES_ON), (over, LOOP_OVER), (exit, ACTION_OVER)] {
            emitter.end_step(frame, block, how)?;
        }
        llvm.position(entry);
        llvm.branch(start)?;
        llvm.position(here);
        match location {
            Some(location) => llvm.builder.set_current_debug_location(location),
            None => llvm.builder.unset_current_debug_location(),
        }
        Ok(function)
    }

    /// A function for a loop over a map that does nothing; one for all.
    pub(crate) fn idle_callback(&self) -> Emit<FunctionValue<'c>> {
        if let Some(made) = self.unit.idle_callback.get() {
            return Ok(*made);
        }
        let llvm = self.llvm;
        let here = llvm.block()?;
        let location = llvm.builder.get_current_debug_location();
        let (name, parameters) = ("lt_idle", ["map", "key", "value", "context"]);
        let function = llvm.static_function(name, parameters.len());
        let scope = self.unit.debug.callback(function, name, &parameters, self.probe.span, self.unit.sources)?;
        llvm.position(llvm.context.append_basic_block(function, "entry"));
        let home = self.unit.debug.location(llvm, scope, self.probe.span, self.probe.span, self.unit.sources)?;
        llvm.builder.set_current_debug_location(home);
        llvm.builder.build_return(Some(&llvm.int(0)))?;
        llvm.position(here);
        match location {
            Some(location) => llvm.builder.set_current_debug_location(location),
            None => llvm.builder.unset_current_debug_location(),
        }
        Ok(*self.unit.idle_callback.get_or_init(|| function))
    }

    fn end_step(&self, frame: Memory<'c>, block: Block<'c>, how: i64) -> Emit {
        let llvm = self.llvm;
        llvm.position(block);
        if how == GOES_ON {
            // Kernels from 6.7 on follow a callback until a step teaches them nothing new: every step begins alike.
            self.forget_variables()?;
        }
        llvm.store(llvm.at(frame, frame::ENDED)?, llvm.int(how), 8)?;
        llvm.builder.build_return(Some(&llvm.int(i64::from(how != GOES_ON))))?;
        Ok(())
    }
}
