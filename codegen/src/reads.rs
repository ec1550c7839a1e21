//! Reading the kernel's and processes' memory, the context, and arguments. What cannot be read is zero: the helpers
//! zero their destination when they fail.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Int, Memory};
use crate::registers::{self, Registers};
use inkwell::IntPredicate;
use lt_lang::hir::{Expr, ExprKind, FieldPath, FieldStep};
use lt_lang::kernel::{Feature, TracepointField};
use lt_lang::manifest::{Attach, Operand, OperandPlace};
use lt_lang::types::{AddressSpace, IntType, Type};

/// Where a field lies.
pub(crate) struct Field {
    /// From the start of the record that the path begins in.
    pub(crate) bit_offset: u64,
    /// Width when it is a bit-field.
    pub(crate) bit_size: Option<u32>,
}

/// Reads of the context from one register. LLVM makes one address of equal ones, and folds it back into its reads only when
/// they are at most a hundred; the verifier takes no address but the context's own.
const SHARED_READS: u32 = 64;

/// The two helpers of a kind of read.
#[derive(Clone, Copy)]
pub(crate) struct Readers {
    kernel: Helper,
    user: Helper,
}

/// Reads of a known number of bytes.
pub(crate) const BYTES: Readers = Readers { kernel: Helper::ReadKernel, user: Helper::ReadUser };
/// Reads up to a NUL.
pub(crate) const STRING: Readers = Readers { kernel: Helper::ReadKernelStr, user: Helper::ReadUserStr };

impl<'c> Emitter<'_, 'c> {
    /// Reads memory that is not lt's own: what cannot be read is counted.
    pub(crate) fn read(
        &self,
        readers: Readers,
        space: AddressSpace,
        to: Memory<'c>,
        size: Int<'c>,
        address: Int<'c>,
    ) -> Emit<Int<'c>> {
        let result = self.read_quietly(readers, space, to, size, address)?;
        if !self.quiet.get() {
            self.count_fault(result)?;
        }
        Ok(result)
    }

    /// Calls the helper that fits the address space; an unknown one is decided by the address's top bit.
    pub(crate) fn read_quietly(
        &self,
        readers: Readers,
        space: AddressSpace,
        to: Memory<'c>,
        size: Int<'c>,
        address: Int<'c>,
    ) -> Emit<Int<'c>> {
        let by = |helper| self.llvm.call(helper, &[to.ptr.into(), size.into(), address.into()]);
        match space {
            AddressSpace::Kernel => by(readers.kernel),
            AddressSpace::User => by(readers.user),
            AddressSpace::Unknown => {
                let in_kernel = self.llvm.compare(IntPredicate::SLT, address, self.llvm.int(0))?;
                self.choose_by(in_kernel, || by(readers.kernel), || by(readers.user))
            }
        }
    }

    /// The scalar at an address.
    pub(crate) fn read_scalar(&self, address: Int<'c>, space: AddressSpace, ty: &Type) -> Emit<Int<'c>> {
        let bytes = ty.size();
        self.read(BYTES, space, self.temp, self.llvm.uint(u64::from(bytes)), address)?;
        let value = self.llvm.load(self.temp, bytes)?;
        self.normalize(value, ty)
    }

    /// The place of a field.
    pub(crate) fn field(&self, path: &FieldPath) -> Emit<Field> {
        let mut field = Field { bit_offset: 0, bit_size: None };
        for step in &path.steps {
            match step {
                FieldStep::Member { record, name } => {
                    let member =
                        self.unit.kernel.member(*record, name).ok_or_else(|| {
                            Failure::internal(format_args!("the kernel has no member `{name}` any more"))
                        })?;
                    field.bit_offset += u64::from(member.bit_offset);
                    field.bit_size = member.bit_size;
                }
                FieldStep::Element { index, size } => {
                    field.bit_offset += u64::from(*index) * u64::from(*size) * 8;
                    field.bit_size = None;
                }
            }
        }
        Ok(field)
    }

    fn displaced(&self, base: &Expr, bytes: u64) -> Emit<Int<'c>> {
        let base = self.address(base)?;
        Ok(self.llvm.builder.build_int_add(base, self.llvm.uint(bytes), "")?)
    }

    /// The address of a field.
    pub(crate) fn field_address(&self, base: &Expr, path: &FieldPath) -> Emit<Int<'c>> {
        let field = self.field(path)?;
        self.displaced(base, field.bit_offset / 8)
    }

    /// A scalar field, bit-fields included.
    pub(crate) fn read_field(&self, base: &Expr, path: &FieldPath, space: AddressSpace, ty: &Type) -> Emit<Int<'c>> {
        let field = self.field(path)?;
        if base.kind == ExprKind::Context && field.bit_size.is_none() {
            return self.context_field((field.bit_offset / 8) as u32, ty);
        }
        let address = self.displaced(base, field.bit_offset / 8)?;
        self.as_field(space, || match field.bit_size {
            None => self.read_scalar(address, space, ty),
            Some(bits) => self.read_bits(address, space, (field.bit_offset % 8) as u32, bits, ty),
        })
    }

    /// Reads of the kernel's own structures, of which a script can have hundreds, are counted where the verifier has room for
    /// that.
    fn as_field<T>(&self, space: AddressSpace, read: impl FnOnce() -> Emit<T>) -> Emit<T> {
        let kept_quiet = space == AddressSpace::Kernel && !self.unit.kernel.has(Feature::UprobeMulti);
        let before = self.quiet.replace(self.quiet.get() || kept_quiet);
        let value = read();
        self.quiet.set(before);
        value
    }

    /// `bits` bits from bit `skip` (below 8) on.
    fn read_bits(&self, address: Int<'c>, space: AddressSpace, skip: u32, bits: u32, ty: &Type) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        llvm.store(self.temp, llvm.int(0), 8)?;
        let bytes = (skip + bits).div_ceil(8).min(8);
        self.read(BYTES, space, self.temp, llvm.uint(u64::from(bytes)), address)?;
        self.cut_bits(llvm.load(self.temp, 8)?, skip, bits, ty)
    }

    /// `bits` bits of a word from bit `skip` (below 8) on.
    pub(crate) fn cut_bits(&self, word: Int<'c>, skip: u32, bits: u32, ty: &Type) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        if bits == 0 || skip + bits > 64 {
            return Err(Failure::internal("a bit-field that spans more than eight bytes"));
        }
        let left = builder.build_left_shift(word, llvm.uint(u64::from(64 - skip - bits)), "")?;
        Ok(builder.build_right_shift(left, llvm.uint(u64::from(64 - bits)), ty.is_signed(), "")?)
    }

    /// A field that is a memory value.
    pub(crate) fn place_field(
        &self,
        base: &Expr,
        path: &FieldPath,
        space: AddressSpace,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let address = self.field_address(base, path)?;
        self.as_field(space, || self.place_read(space, address, ty, to, zeroed))
    }

    /// A string, array or record in memory that is as large as its type.
    pub(crate) fn place_read(
        &self,
        space: AddressSpace,
        address: Int<'c>,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let is_string = matches!(ty, Type::String { .. });
        if is_string && zeroed {
            self.zero(to, 0, ty.size())?;
        }
        let readers = if is_string { STRING } else { BYTES };
        self.read(readers, space, to, self.llvm.uint(u64::from(ty.size())), address)?;
        Ok(())
    }

    /// A scalar at an offset of the context.
    pub(crate) fn context(&self, offset: u32, bytes: u32) -> Emit<Int<'c>> {
        let reads = self.context_reads.replace(self.context_reads.get() + 1);
        let ctx = if reads < SHARED_READS { self.ctx } else { self.llvm.opaque_pointer(self.ctx)? };
        self.llvm.load_context(self.llvm.at(Memory::aligned(ctx), offset)?, bytes)
    }

    /// A field of a context that is a record. The verifier knows what its pointers point to, and that there may be
    /// nothing: as plain numbers they can be read from like any others.
    fn context_field(&self, offset: u32, ty: &Type) -> Emit<Int<'c>> {
        let value = self.context(offset, ty.size())?;
        let value = if ty.size() == 8 { self.forget_type(value)? } else { value };
        self.normalize(value, ty)
    }

    /// The context's address.
    pub(crate) fn context_value(&self) -> Emit<Int<'c>> {
        let address = self.llvm.address(self.ctx)?;
        self.forget_type(address)
    }

    /// An address in the context for helpers; kept apart from direct loads, which the verifier allows only on the
    /// context pointer itself.
    fn context_address(&self, offset: Int<'c>) -> Emit<Int<'c>> {
        let ctx = self.llvm.opaque_pointer(self.ctx)?;
        self.llvm.address(self.llvm.offset(ctx, offset)?)
    }

    /// A scalar field of the tracepoint's record.
    pub(crate) fn tracepoint_scalar(&self, field: &TracepointField, ty: &Type) -> Emit<Int<'c>> {
        let bytes = field.size;
        let direct = matches!(bytes, 1 | 2 | 4 | 8) && field.offset.is_multiple_of(bytes);
        if direct {
            let value = self.context(field.offset, bytes)?;
            let value = self.llvm.extend(value, bytes * 8, ty.is_signed())?;
            return self.normalize(value, ty);
        }
        let address = self.context_address(self.llvm.uint(u64::from(field.offset)))?;
        self.read_scalar(address, AddressSpace::Kernel, ty)
    }

    /// A string or array of the tracepoint's record; gives the bytes used where they are known.
    pub(crate) fn place_tracepoint(
        &self,
        field: &TracepointField,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit<Option<Int<'c>>> {
        let offset = if field.data_loc {
            let location = self.context(field.offset, 4)?;
            self.llvm.builder.build_and(location, self.llvm.int(0xffff), "")?
        } else {
            self.llvm.uint(u64::from(field.offset))
        };
        let address = self.context_address(offset)?;
        if matches!(ty, Type::String { .. }) {
            let used = self.place_string_at(address, AddressSpace::Kernel, ty.size(), to, zeroed)?;
            if field.data_loc {
                self.count_cut(address, AddressSpace::Kernel, used, ty.size())?;
            }
            return Ok(Some(used));
        }
        self.place_read(AddressSpace::Kernel, address, ty, to, zeroed)?;
        Ok(None)
    }

    fn registers(&self) -> Emit<&'static Registers> {
        registers::host().ok_or_else(|| Failure::internal("the registers of this architecture are not known"))
    }

    /// An argument of the traced function as a value of its type; what lies above its width is undefined.
    pub(crate) fn argument(&self, number: u32, ty: &Type) -> Emit<Int<'c>> {
        let value = self.raw_argument(number)?;
        self.traced_value(value, ty)
    }

    /// What the traced function returned, as a value of its type.
    pub(crate) fn return_value(&self, params: u32, ty: &Type) -> Emit<Int<'c>> {
        let value = self.raw_return_value(params)?;
        self.traced_value(value, ty)
    }

    fn traced_value(&self, value: Int<'c>, ty: &Type) -> Emit<Int<'c>> {
        let typed = matches!(self.program.attach, Attach::Fentry { .. }) && matches!(ty, Type::Pointer { .. });
        self.normalize(if typed { self.forget_type(value)? } else { value }, ty)
    }

    /// Makes a plain number of what the verifier knows as a typed pointer, with which it allows little arithmetic: a
    /// number added to memory is a number.
    pub(crate) fn forget_type(&self, pointer: Int<'c>) -> Emit<Int<'c>> {
        self.llvm.store_volatile(self.temp, self.llvm.int(0), 8)?;
        self.llvm.atomic_add(self.temp.ptr, pointer)?;
        self.llvm.load_volatile(self.temp, 8)
    }

    /// 64 bits of an argument.
    pub(crate) fn raw_argument(&self, number: u32) -> Emit<Int<'c>> {
        match &self.program.attach {
            Attach::Fentry { .. } => self.trampoline_word(number),
            Attach::RawTracepoint { .. } => self.context(number * 8, 8),
            Attach::Usdt { arguments, .. } => {
                let operand = arguments.get(number as usize);
                self.operand(operand.ok_or_else(|| Failure::internal("a marker without this argument"))?)
            }
            attach if attach.has_registers() => {
                let registers = self.registers()?;
                match registers.arguments.get(number as usize) {
                    Some(offset) => self.context(*offset, 8),
                    None => self.stack_argument(number - registers.arguments.len() as u32, registers),
                }
            }
            _ => Err(Failure::internal("arguments of a probe that has none")),
        }
    }

    /// A word of a trampoline's context. Kernels that look at the types of arguments and refuse direct loads of most let
    /// a helper read the memory that the context is.
    fn trampoline_word(&self, number: u32) -> Emit<Int<'c>> {
        if self.unit.kernel.has(Feature::PlainPointerArguments) {
            return self.context(number * 8, 8);
        }
        let address = self.context_address(self.llvm.uint(u64::from(number) * 8))?;
        self.read_scalar(address, AddressSpace::Kernel, &Type::U64)
    }

    fn stack_argument(&self, at: u32, registers: &Registers) -> Emit<Int<'c>> {
        let skip = self.llvm.uint(u64::from(registers.stack_skip + at * 8));
        let address = self.llvm.builder.build_int_add(self.context(registers.stack, 8)?, skip, "")?;
        let space = if self.program.attach.is_user() { AddressSpace::User } else { AddressSpace::Kernel };
        self.read_scalar(address, space, &Type::U64)
    }

    /// 64 bits of the return value.
    pub(crate) fn raw_return_value(&self, params: u32) -> Emit<Int<'c>> {
        match self.program.attach {
            Attach::Fentry { .. } => self.trampoline_word(params),
            ref attach if attach.has_registers() => self.context(self.registers()?.result, 8),
            _ => Err(Failure::internal("the return value of a probe that has none")),
        }
    }

    /// An argument of a marker.
    fn operand(&self, operand: &Operand) -> Emit<Int<'c>> {
        let ty = Type::Int(IntType { bits: operand.size * 8, signed: operand.signed });
        let value = match &operand.place {
            OperandPlace::Constant(value) => self.llvm.int(*value),
            OperandPlace::Register(name) => self.register(name)?,
            OperandPlace::Memory { base, offset, index } => {
                let builder = &self.llvm.builder;
                let mut address = builder.build_int_add(self.register(base)?, self.llvm.int(*offset), "")?;
                if let Some((index, scale)) = index {
                    let scaled = builder.build_int_mul(self.register(index)?, self.llvm.uint(u64::from(*scale)), "")?;
                    address = builder.build_int_add(address, scaled, "")?;
                }
                return self.read_scalar(address, AddressSpace::User, &ty);
            }
        };
        let value = self.llvm.extend(value, u32::from(operand.size) * 8, operand.signed)?;
        self.normalize(value, &ty)
    }

    /// 64 bits of a register by its name.
    fn register(&self, name: &str) -> Emit<Int<'c>> {
        let offset = self.registers()?.named(name);
        self.context(offset.ok_or_else(|| Failure::internal(format_args!("no register `{name}`")))?, 8)
    }
}
