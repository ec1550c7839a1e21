//! Memory values: parts of them, other layouts, comparisons, addresses.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::llvm::{Int, Memory, Ptr};
use crate::memory::chunks;
use crate::reads::BYTES;
use inkwell::IntPredicate;
use lt_lang::hir::{Buffered, Expr, FieldPath, VarId};
use lt_lang::manifest::{LossCause, MapId};
use lt_lang::types::{AddressSpace, BUFFER_HEADER, Type};

/// Largest values that are compared: each word takes instructions.
const MAX_COMPARED: u32 = 1024;

impl<'c> Emitter<'_, 'c> {
    /// A field of a record in memory of ours, as a scalar.
    pub(crate) fn part(&self, base: &Buffered, path: &FieldPath, ty: &Type) -> Emit<Int<'c>> {
        let whole = self.buffered(base)?;
        let field = self.field(path)?;
        let at = self.llvm.at(whole, (field.bit_offset / 8) as u32)?;
        match field.bit_size {
            None => self.normalize(self.llvm.load(at, ty.size())?, ty),
            Some(bits) => {
                let skip = (field.bit_offset % 8) as u32;
                let word = self.load_bytes(at, (skip + bits).div_ceil(8))?;
                self.cut_bits(word, skip, bits, ty)
            }
        }
    }

    /// Up to eight bytes as a number.
    fn load_bytes(&self, from: Memory<'c>, bytes: u32) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let mut word = llvm.int(0);
        for (offset, width) in chunks(from.align, 0, bytes.min(8)) {
            let part = llvm.load(llvm.at(from, offset)?, width)?;
            let part = builder.build_left_shift(part, llvm.uint(u64::from(offset) * 8), "")?;
            word = builder.build_or(word, part, "")?;
        }
        Ok(word)
    }

    /// A field of a record in memory of ours that is a memory value.
    pub(crate) fn place_part(
        &self,
        base: &Buffered,
        path: &FieldPath,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let whole = self.buffered(base)?;
        let field = self.field(path)?;
        self.place_from(self.llvm.at(whole, (field.bit_offset / 8) as u32)?, ty, to, zeroed)
    }

    /// Copies a memory value as C has it: an array of characters may lack the NUL, or have something behind it.
    fn place_from(&self, from: Memory<'c>, ty: &Type, to: Memory<'c>, zeroed: bool) -> Emit {
        match ty {
            Type::String { .. } => {
                let address = self.llvm.address(from.ptr)?;
                self.place_read(AddressSpace::Kernel, address, ty, to, zeroed)
            }
            ty => self.copy(to, from, ty.size()),
        }
    }

    /// An address of our own memory as a number that the verifier knows nothing about.
    fn plain_address(&self, ptr: Ptr<'c>) -> Emit<Int<'c>> {
        self.forget_type(self.llvm.address(ptr)?)
    }

    /// Where the element of an array lies, and whether there is one (an i1; counted when not).
    fn element_of(&self, base: &Buffered, index: &Expr, len: u32, size: u32) -> Emit<(Int<'c>, Int<'c>)> {
        let llvm = self.llvm;
        let whole = self.buffered(base)?;
        let index = self.scalar(index)?;
        let inside = self.check_index(index, len)?;
        let offset = llvm.builder.build_int_mul(index, llvm.uint(u64::from(size)), "")?;
        Ok((llvm.builder.build_int_add(self.plain_address(whole.ptr)?, offset, "")?, inside))
    }

    /// Whether an index is below `len` (an i1); counts when it is not.
    fn check_index(&self, index: Int<'c>, len: u32) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let inside = llvm.compare(IntPredicate::ULT, index, llvm.uint(u64::from(len)))?;
        self.count_loss_if(llvm.builder.build_not(inside, "")?, LossCause::OutOfBounds)?;
        Ok(inside)
    }

    /// An index as it is, counted when there is no such element.
    pub(crate) fn bounded_index(&self, index: &Expr, len: u32) -> Emit<Int<'c>> {
        let index = self.scalar(index)?;
        self.check_index(index, len)?;
        Ok(index)
    }

    /// An element of an array in memory of ours, as a scalar.
    pub(crate) fn indexed(&self, base: &Buffered, index: &Expr, len: u32, ty: &Type) -> Emit<Int<'c>> {
        let (address, inside) = self.element_of(base, index, len, ty.size())?;
        let read = || self.read_scalar(address, AddressSpace::Kernel, ty);
        self.choose_by(inside, read, || Ok(self.llvm.int(0)))
    }

    /// The same for a memory value.
    pub(crate) fn place_indexed(
        &self,
        base: &Buffered,
        index: &Expr,
        len: u32,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let (address, inside) = self.element_of(base, index, len, ty.size())?;
        let done = |()| self.llvm.int(0);
        let read = || self.place_read(AddressSpace::Kernel, address, ty, to, zeroed).map(done);
        self.choose_by(inside, read, || self.zero(to, 0, ty.size()).map(done))?;
        Ok(())
    }

    /// A tuple of another layout, or a string or buffer of another size.
    pub(crate) fn place_converted(&self, base: &Buffered, ty: &Type, to: Memory<'c>) -> Emit {
        let whole = self.buffered(base)?;
        self.convert(whole, &base.value.ty, to, ty)
    }

    fn convert(&self, from: Memory<'c>, from_type: &Type, to: Memory<'c>, to_type: &Type) -> Emit {
        let size = to_type.size();
        match (from_type, to_type) {
            (a, b) if a == b => self.copy(to, from, size),
            (a, b) if a.is_scalar() && b.is_scalar() => {
                let value = self.normalize(self.llvm.load(from, a.size())?, a)?;
                self.llvm.store(to, self.converted(value, b)?, size)
            }
            (Type::String { size: a }, Type::String { size: b }) if a > b => {
                self.copy(to, from, b - 1)?;
                self.zero(to, b - 1, *b)
            }
            (Type::String { .. }, Type::String { .. }) | (Type::Buffer { .. }, Type::Buffer { .. }) => {
                let kept = from_type.size().min(size);
                self.copy(to, from, kept)?;
                self.zero(to, kept, size)
            }
            (Type::Tuple(_) | Type::Fields(_), Type::Tuple(_) | Type::Fields(_)) => {
                self.convert_parts(from, from_type, to, to_type)
            }
            _ => Err(Failure::internal(format_args!("a {from_type} cannot become a {to_type}"))),
        }
    }

    fn convert_parts(&self, from: Memory<'c>, from_type: &Type, to: Memory<'c>, to_type: &Type) -> Emit {
        let (source, target) = (from_type.layout(), to_type.layout());
        let mut end = 0;
        for (at, (ty, offset)) in to_type.parts().into_iter().zip(&target.offsets).enumerate() {
            let at = same_part(from_type, to_type, at);
            let (parts, offsets) = (from_type.parts(), &source.offsets);
            let (Some(part), Some(start)) = (parts.get(at), offsets.get(at)) else {
                return Err(Failure::internal("a tuple that lacks a part"));
            };
            self.zero(to, end, *offset)?;
            self.convert(self.llvm.at(from, *start)?, part, self.llvm.at(to, *offset)?, ty)?;
            end = *offset + ty.size();
        }
        self.zero(to, end, target.size)
    }

    /// Whether two memory values are equal.
    pub(crate) fn compare_bytes(&self, negate: bool, left: &Buffered, right: &Buffered) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let size = left.value.ty.size();
        if size > MAX_COMPARED {
            let message = format!("values of more than {MAX_COMPARED} bytes cannot be compared");
            return Err(Failure::limit(message).at(left.value.span));
        }
        let (one, other) = (self.buffered(left)?, self.buffered(right)?);
        let [same, differ, done] = [llvm.new_block("same")?, llvm.new_block("differ")?, llvm.new_block("compared")?];
        self.compare_words(one, other, size, same, differ)?;
        for block in [same, differ] {
            llvm.position(block);
            llvm.branch(done)?;
        }
        llvm.position(done);
        llvm.phi(&[(llvm.int(i64::from(!negate)), same), (llvm.int(i64::from(negate)), differ)])
    }

    /// The address of a variable.
    pub(crate) fn var_address(&self, var: VarId) -> Emit<Int<'c>> {
        self.plain_address(self.var(var)?.ptr)
    }

    /// The address of a map's value; 0 without one.
    pub(crate) fn map_address_of(&self, map: MapId, key: Option<&Buffered>) -> Emit<Int<'c>> {
        let value = self.lookup(map, self.key(key)?)?;
        let absent = self.llvm.is_null(value.ptr)?;
        self.choose_by(absent, || Ok(self.llvm.int(0)), || self.plain_address(value.ptr))
    }

    /// The bytes at an address.
    pub(crate) fn place_buffer(
        &self,
        address: Int<'c>,
        length: Option<&Expr>,
        space: AddressSpace,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let llvm = self.llvm;
        let room = ty.size().saturating_sub(BUFFER_HEADER);
        let length = match length {
            Some(length) => self.bounded(self.scalar(length)?, room)?,
            None => llvm.uint(u64::from(room)),
        };
        // The verifier does not know how much the helper writes.
        if zeroed || to.stack {
            self.zero(to, 0, ty.size())?;
        }
        let failed = self.read(BYTES, space, llvm.at(to, BUFFER_HEADER)?, length, address)?;
        let good = llvm.compare(IntPredicate::EQ, failed, llvm.int(0))?;
        llvm.store(to, llvm.select(good, length, llvm.int(0))?, BUFFER_HEADER)
    }
}

/// Which part of `from` becomes part `at` of `to`.
fn same_part(from: &Type, to: &Type, at: usize) -> usize {
    match (from, to) {
        (Type::Fields(from), Type::Fields(to)) => {
            let name = to.get(at).map(|field| &field.name);
            from.iter().position(|field| Some(&field.name) == name).unwrap_or(at)
        }
        _ => at,
    }
}
