//! Context, module and builder in a bundle, with small named functions that emit. The only file with `unsafe`.

use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::context::Context;
use inkwell::debug_info::DIFile;
use inkwell::intrinsics::Intrinsic;
use inkwell::llvm_sys::prelude::LLVMDiagnosticInfoRef;
use inkwell::llvm_sys::{LLVMDiagnosticSeverity, core};
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::module::{Linkage, Module};
use inkwell::types::{BasicMetadataTypeEnum, BasicType, IntType, PointerType};
use inkwell::values::{
    AsValueRef, BasicValueEnum, FunctionValue, GlobalValue, IntValue, MetadataValue, PhiValue, PointerValue,
};
use inkwell::{AddressSpace, AtomicOrdering, AtomicRMWBinOp, IntPredicate};
use std::cell::RefCell;
use std::ffi::{CStr, c_void};

/// A number; i64 unless said otherwise.
pub(crate) type Int<'c> = IntValue<'c>;
/// An address.
pub(crate) type Ptr<'c> = PointerValue<'c>;
/// A basic block.
pub(crate) type Block<'c> = BasicBlock<'c>;

/// Memory with what is known of its alignment.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'c> {
    /// Where it begins.
    pub(crate) ptr: Ptr<'c>,
    /// 1, 2, 4 or 8.
    pub(crate) align: u32,
    /// On the program's stack, of which kernels before 6.3 let only bytes be read that the program wrote.
    pub(crate) stack: bool,
}

impl<'c> Memory<'c> {
    /// What maps, rings and contexts give.
    pub(crate) fn aligned(ptr: Ptr<'c>) -> Self {
        Memory { ptr, align: 8, stack: false }
    }
}

/// What LLVM has to say beside its results; without a listener it ends the process.
#[derive(Default)]
struct Complaints(RefCell<Vec<String>>);

impl Complaints {
    /// An error or warning of LLVM's becomes a failure. Back ends warn only of code that the kernel would refuse.
    fn into_result(self) -> Emit {
        match self.0.into_inner().into_iter().next() {
            None => Ok(()),
            Some(text) if text.contains("stack limit") => {
                Err(Failure::limit("a program needs more than the 512 bytes of stack that BPF has"))
            }
            Some(text) => Err(Failure::internal(text)),
        }
    }
}

extern "C" fn hear(info: LLVMDiagnosticInfoRef, complaints: *mut c_void) {
    // SAFETY: LLVM calls with a live `info`, whose description is a fresh C string that is ours to dispose of.
    let (severity, text) = unsafe {
        let description = core::LLVMGetDiagInfoDescription(info);
        let text = CStr::from_ptr(description).to_string_lossy().into_owned();
        core::LLVMDisposeMessage(description);
        (core::LLVMGetDiagInfoSeverity(info), text)
    };
    // SAFETY: `with_context` registered a `Complaints` that outlives the context.
    let complaints: &Complaints = unsafe { &*complaints.cast() };
    if matches!(severity, LLVMDiagnosticSeverity::LLVMDSError | LLVMDiagnosticSeverity::LLVMDSWarning) {
        complaints.0.borrow_mut().push(text);
    }
}

/// Does something with a fresh context; what LLVM complains of is a failure.
pub(crate) fn with_context<T>(act: impl FnOnce(&Context) -> Emit<T>) -> Emit<T> {
    let complaints = Complaints::default();
    let result = {
        let context = Context::create();
        let sink = (&raw const complaints).cast_mut().cast();
        // SAFETY: the context is live, and it is dropped at the end of this block, before `complaints`, which is only
        // read through the pointer (it is a cell).
        unsafe { core::LLVMContextSetDiagnosticHandler(context.raw(), Some(hear), sink) };
        act(&context)
    };
    complaints.into_result()?;
    result
}

/// The largest of 1, 2, 4, 8 that divides `offset` and is no larger than `align`.
fn alignment_at(align: u32, offset: u32) -> u32 {
    if offset == 0 { align } else { align.min(1 << offset.trailing_zeros().min(3)) }
}

/// See the module.
pub(crate) struct Llvm<'c> {
    pub(crate) context: &'c Context,
    pub(crate) module: Module<'c>,
    pub(crate) builder: Builder<'c>,
}

impl<'c> Llvm<'c> {
    /// An empty module.
    pub(crate) fn new(context: &'c Context) -> Self {
        Llvm { context, module: context.create_module("lt"), builder: context.create_builder() }
    }

    /// The type of numbers.
    pub(crate) fn i64(&self) -> IntType<'c> {
        self.context.i64_type()
    }

    /// The type of addresses.
    pub(crate) fn pointer(&self) -> PointerType<'c> {
        self.context.ptr_type(AddressSpace::default())
    }

    fn width(&self, bytes: u32) -> Emit<IntType<'c>> {
        match bytes {
            1 => Ok(self.context.i8_type()),
            2 => Ok(self.context.i16_type()),
            4 => Ok(self.context.i32_type()),
            8 => Ok(self.context.i64_type()),
            _ => Err(Failure::internal(format_args!("no integer of {bytes} bytes"))),
        }
    }

    /// A constant.
    pub(crate) fn int(&self, value: i64) -> Int<'c> {
        self.i64().const_int(value as u64, true)
    }

    /// An unsigned constant.
    pub(crate) fn uint(&self, value: u64) -> Int<'c> {
        self.i64().const_int(value, false)
    }

    /// A bool as a number.
    pub(crate) fn truth(&self, flag: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.builder.build_int_z_extend(flag, self.i64(), "")?)
    }

    /// A bool (i1) that says whether a number is not zero.
    pub(crate) fn is_true(&self, value: Int<'c>) -> Emit<Int<'c>> {
        self.compare(IntPredicate::NE, value, self.int(0))
    }

    /// A comparison; an i1.
    pub(crate) fn compare(&self, predicate: IntPredicate, left: Int<'c>, right: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.builder.build_int_compare(predicate, left, right, "")?)
    }

    /// `flag ? then : otherwise`, both evaluated.
    pub(crate) fn select(&self, flag: Int<'c>, then: Int<'c>, otherwise: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.builder.build_select(flag, then, otherwise, "")?.into_int_value())
    }

    /// The low `bits` of a number, extended to 64 by sign or zeros.
    pub(crate) fn extend(&self, value: Int<'c>, bits: u32, signed: bool) -> Emit<Int<'c>> {
        if bits >= 64 {
            return Ok(value);
        }
        let narrow = self.builder.build_int_truncate(value, self.width(bits / 8)?, "")?;
        Ok(if signed {
            self.builder.build_int_s_extend(narrow, self.i64(), "")?
        } else {
            self.builder.build_int_z_extend(narrow, self.i64(), "")?
        })
    }

    /// Reads a number of 1, 2, 4 or 8 bytes; the rest of the 64 bits is zero.
    pub(crate) fn load(&self, from: Memory<'c>, bytes: u32) -> Emit<Int<'c>> {
        self.load_as(from, bytes, false)
    }

    /// The same; the optimizer neither changes its width nor moves or drops it.
    pub(crate) fn load_volatile(&self, from: Memory<'c>, bytes: u32) -> Emit<Int<'c>> {
        self.load_as(from, bytes, true)
    }

    fn load_as(&self, from: Memory<'c>, bytes: u32, volatile: bool) -> Emit<Int<'c>> {
        let value = self.load_narrow(from, bytes, volatile)?;
        Ok(self.builder.build_int_z_extend(value, self.i64(), "")?)
    }

    fn load_narrow(&self, from: Memory<'c>, bytes: u32, volatile: bool) -> Emit<Int<'c>> {
        let value = self.builder.build_load(self.width(bytes)?, from.ptr, "")?.into_int_value();
        if let Some(instruction) = value.as_instruction() {
            instruction.set_alignment(bytes.min(from.align))?;
            instruction.set_volatile(volatile)?;
        }
        Ok(value)
    }

    /// Reads a number of the program's context, as [`Llvm::load_volatile`] does. Even where control flow joins, the
    /// optimizer makes no single read of two, whose address would be chosen at run time: the verifier takes only constant
    /// offsets from the context. The back end removes the call before it selects instructions.
    pub(crate) fn load_context(&self, from: Memory<'c>, bytes: u32) -> Emit<Int<'c>> {
        let value = self.load_narrow(from, bytes, true)?;
        let ty = value.get_type();
        let missing = || Failure::internal("LLVM has no llvm.bpf.passthrough");
        let intrinsic = Intrinsic::find("llvm.bpf.passthrough").ok_or_else(missing)?;
        let function = intrinsic.get_declaration(&self.module, &[ty.into(), ty.into()]).ok_or_else(missing)?;
        let number = self.context.i32_type().const_zero();
        let call = self.builder.build_call(function, &[number.into(), value.into()], "")?;
        let kept = call.try_as_basic_value().basic().ok_or_else(missing)?.into_int_value();
        Ok(self.builder.build_int_z_extend(kept, self.i64(), "")?)
    }

    /// The eight bytes of a number in reverse order.
    pub(crate) fn swap_bytes(&self, value: Int<'c>) -> Emit<Int<'c>> {
        let missing = || Failure::internal("LLVM has no llvm.bswap");
        let intrinsic = Intrinsic::find("llvm.bswap").ok_or_else(missing)?;
        let function = intrinsic.get_declaration(&self.module, &[self.i64().into()]).ok_or_else(missing)?;
        let call = self.builder.build_call(function, &[value.into()], "")?;
        Ok(call.try_as_basic_value().basic().ok_or_else(missing)?.into_int_value())
    }

    /// Writes the low `bytes` of a number.
    pub(crate) fn store(&self, to: Memory<'c>, value: Int<'c>, bytes: u32) -> Emit {
        self.store_as(to, value, bytes, false)
    }

    /// The same for memory that others read.
    pub(crate) fn store_volatile(&self, to: Memory<'c>, value: Int<'c>, bytes: u32) -> Emit {
        self.store_as(to, value, bytes, true)
    }

    fn store_as(&self, to: Memory<'c>, value: Int<'c>, bytes: u32, volatile: bool) -> Emit {
        let narrow = self.builder.build_int_truncate(value, self.width(bytes)?, "")?;
        let instruction = self.builder.build_store(to.ptr, narrow)?;
        instruction.set_alignment(bytes.min(to.align))?;
        instruction.set_volatile(volatile)?;
        Ok(())
    }

    /// Reads an address.
    pub(crate) fn load_pointer(&self, from: Memory<'c>) -> Emit<Ptr<'c>> {
        Ok(self.builder.build_load(self.pointer(), from.ptr, "")?.into_pointer_value())
    }

    /// Writes an address.
    pub(crate) fn store_pointer(&self, to: Memory<'c>, value: Ptr<'c>) -> Emit {
        self.builder.build_store(to.ptr, value)?;
        Ok(())
    }

    /// The memory `offset` bytes further.
    pub(crate) fn at(&self, memory: Memory<'c>, offset: u32) -> Emit<Memory<'c>> {
        let ptr = self.offset(memory.ptr, self.uint(u64::from(offset)))?;
        Ok(Memory { ptr, align: alignment_at(memory.align, offset), ..memory })
    }

    /// The address `offset` bytes further.
    pub(crate) fn offset(&self, ptr: Ptr<'c>, offset: Int<'c>) -> Emit<Ptr<'c>> {
        // SAFETY: the element type is i8 and the index one i64, which is all that LLVM requires to build the
        // instruction; it does not touch the memory. That the address is in bounds is the verifier's to check.
        Ok(unsafe { self.builder.build_gep(self.context.i8_type(), ptr, &[offset], "")? })
    }

    /// An address as a number.
    pub(crate) fn address(&self, ptr: Ptr<'c>) -> Emit<Int<'c>> {
        Ok(self.builder.build_ptr_to_int(ptr, self.i64(), "")?)
    }

    /// A bool (i1): the address is 0.
    pub(crate) fn is_null(&self, ptr: Ptr<'c>) -> Emit<Int<'c>> {
        Ok(self.builder.build_is_null(ptr, "")?)
    }

    /// A new block at the end of the current function.
    pub(crate) fn new_block(&self, name: &str) -> Emit<Block<'c>> {
        let function = self.block()?.get_parent().ok_or_else(|| Failure::internal("a block without a function"))?;
        Ok(self.context.append_basic_block(function, name))
    }

    /// The block that is being emitted into.
    pub(crate) fn block(&self) -> Emit<Block<'c>> {
        self.builder.get_insert_block().ok_or_else(|| Failure::internal("no block to emit into"))
    }

    /// Goes on in `block`.
    pub(crate) fn position(&self, block: Block<'c>) {
        self.builder.position_at_end(block);
    }

    /// Ends the current block with a jump.
    pub(crate) fn branch(&self, to: Block<'c>) -> Emit {
        self.builder.build_unconditional_branch(to)?;
        Ok(())
    }

    /// Ends the current block with a jump that depends on an i1.
    pub(crate) fn branch_if(&self, flag: Int<'c>, then: Block<'c>, otherwise: Block<'c>) -> Emit {
        self.builder.build_conditional_branch(flag, then, otherwise)?;
        Ok(())
    }

    /// Jumps to `to` and goes on in a new block that is reached when `flag` is false.
    pub(crate) fn leave_if(&self, flag: Int<'c>, to: Block<'c>, name: &str) -> Emit {
        let rest = self.new_block(name)?;
        self.branch_if(flag, to, rest)?;
        self.position(rest);
        Ok(())
    }

    /// A number that depends on the block that control comes from.
    pub(crate) fn phi(&self, incoming: &[(Int<'c>, Block<'c>)]) -> Emit<Int<'c>> {
        let phi: PhiValue<'c> = self.builder.build_phi(self.i64(), "")?;
        for (value, block) in incoming {
            phi.add_incoming(&[(value, *block)]);
        }
        Ok(phi.as_basic_value().into_int_value())
    }

    /// Stack memory, allocated in `entry` (which must not have its terminator yet) wherever the builder is.
    pub(crate) fn alloca(&self, entry: Block<'c>, size: u32, align: u32) -> Emit<Memory<'c>> {
        let here = self.block()?;
        self.position(entry);
        let ptr = self.builder.build_alloca(self.context.i8_type().array_type(size), "")?;
        self.position(here);
        if let Some(instruction) = ptr.as_instruction() {
            instruction.set_alignment(align)?;
        }
        Ok(Memory { ptr, align, stack: true })
    }

    /// Calls a helper that gives a number.
    pub(crate) fn call(&self, helper: Helper, arguments: &[BasicValueEnum<'c>]) -> Emit<Int<'c>> {
        Ok(self.call_as(helper, self.i64(), arguments)?.into_int_value())
    }

    /// Calls a helper that gives an address.
    pub(crate) fn call_for_pointer(&self, helper: Helper, arguments: &[BasicValueEnum<'c>]) -> Emit<Ptr<'c>> {
        Ok(self.call_as(helper, self.pointer(), arguments)?.into_pointer_value())
    }

    fn call_as(
        &self,
        helper: Helper,
        returns: impl BasicType<'c>,
        arguments: &[BasicValueEnum<'c>],
    ) -> Emit<BasicValueEnum<'c>> {
        let types: Vec<BasicMetadataTypeEnum> = arguments.iter().map(|value| value.get_type().into()).collect();
        let values: Vec<_> = arguments.iter().map(|value| (*value).into()).collect();
        // A call of a constant "address" is how the BPF back end spells a call of a helper.
        let target = self.uint(helper as u64).const_to_pointer(self.pointer());
        let call = self.builder.build_indirect_call(returns.fn_type(&types, false), target, &values, "")?;
        call.try_as_basic_value().basic().ok_or_else(|| Failure::internal("a helper without a result"))
    }

    /// A number that the optimizer knows nothing about, so that a bounds check on it survives on the very register
    /// that is used, where the verifier looks for it.
    pub(crate) fn opaque(&self, value: Int<'c>) -> Emit<Int<'c>> {
        Ok(self.opaque_value(value.into())?.into_int_value())
    }

    /// The same for an address.
    pub(crate) fn opaque_pointer(&self, ptr: Ptr<'c>) -> Emit<Ptr<'c>> {
        Ok(self.opaque_value(ptr.into())?.into_pointer_value())
    }

    fn opaque_value(&self, value: BasicValueEnum<'c>) -> Emit<BasicValueEnum<'c>> {
        let ty = value.get_type().fn_type(&[value.get_type().into()], false);
        let nothing = self.context.create_inline_asm(ty, String::new(), "=r,0".into(), true, false, None, false);
        let call = self.builder.build_indirect_call(ty, nothing, &[value.into()], "")?;
        call.try_as_basic_value().basic().ok_or_else(|| Failure::internal("inline assembly without a result"))
    }

    /// Adds to a u64 atomically; gives the old value. Where that is unused, kernels without fetching atomics can do it.
    /// LLVM makes an `or` of adding 0, which those kernels do not have: it is not told what is added.
    pub(crate) fn atomic_add(&self, to: Ptr<'c>, value: Int<'c>) -> Emit<Int<'c>> {
        let plain = value.get_zero_extended_constant().is_some_and(|value| value != 0);
        let value = if plain { value } else { self.opaque(value)? };
        Ok(self.builder.build_atomicrmw(AtomicRMWBinOp::Add, to, value, AtomicOrdering::Monotonic)?)
    }

    /// Replaces `old` by `new` atomically; an i1 that says whether `old` was there.
    pub(crate) fn compare_exchange(&self, at: Ptr<'c>, old: Int<'c>, new: Int<'c>) -> Emit<Int<'c>> {
        let order = AtomicOrdering::SequentiallyConsistent;
        let pair = self.builder.build_cmpxchg(at, old, new, order, order)?;
        Ok(self.builder.build_extract_value(pair, 1, "")?.into_int_value())
    }

    /// A function `int name(ctx)` in a section.
    pub(crate) fn function(&self, name: &str, section: &str) -> FunctionValue<'c> {
        let ty = self.context.i32_type().fn_type(&[self.pointer().into()], false);
        let function = self.module.add_function(name, ty, Some(Linkage::External));
        function.set_section(Some(section));
        self.set_attributes(function)
    }

    /// A function `long name(pointer, ...)` that only this module knows, for helpers to call.
    pub(crate) fn static_function(&self, name: &str, parameters: usize) -> FunctionValue<'c> {
        let ty = self.i64().fn_type(&vec![self.pointer().into(); parameters], false);
        self.set_attributes(self.module.add_function(name, ty, Some(Linkage::Internal)))
    }

    fn set_attributes(&self, function: FunctionValue<'c>) -> FunctionValue<'c> {
        use inkwell::attributes::{Attribute, AttributeLoc};
        let nounwind = self.context.create_enum_attribute(Attribute::get_named_enum_kind_id("nounwind"), 0);
        function.add_attribute(AttributeLoc::Function, nounwind);
        // Without this the optimizer makes calls of memset and memcpy out of stores and loops.
        let no_builtins = self.context.create_string_attribute("no-builtins", "");
        function.add_attribute(AttributeLoc::Function, no_builtins);
        function
    }

    /// A global variable with external linkage, whose bytes are `bytes` zeros.
    pub(crate) fn zeroed_global(&self, name: &str, section: Option<&str>, bytes: u32) -> GlobalValue<'c> {
        let ty = self.context.i8_type().array_type(bytes);
        let global = self.module.add_global(ty, None, name);
        global.set_initializer(&ty.const_zero());
        global.set_linkage(Linkage::External);
        global.set_alignment(8);
        global.set_section(section);
        global
    }

    /// Metadata nodes that a piece of textual IR gives the name `name`.
    pub(crate) fn parse_metadata(&self, text: &str, name: &str) -> Emit<Vec<MetadataValue<'c>>> {
        let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "metadata");
        let module = self.context.create_module_from_ir(buffer)?;
        Ok(module.get_global_metadata(name))
    }
}

/// The `DIFile` that a metadata node made from text is.
pub(crate) fn as_file<'c>(node: MetadataValue<'c>) -> Emit<DIFile<'c>> {
    use inkwell::llvm_sys::prelude::LLVMMetadataRef;
    // SAFETY: `node` is a live value of the context; the call only unwraps it.
    let metadata: LLVMMetadataRef = unsafe { core::LLVMValueAsMetadata(node.as_value_ref()) };
    if metadata.is_null() {
        return Err(Failure::internal("a source file's metadata is missing"));
    }
    // SAFETY: `DIFile` is a transparent wrapper of a non-null `LLVMMetadataRef`, checked above; `node` was made from
    // the text `!DIFile(...)`, and it lives as long as the context, which is what the lifetime says.
    Ok(unsafe { std::mem::transmute::<LLVMMetadataRef, DIFile<'c>>(metadata) })
}
