//! Expressions: scalars into registers, memory values into a place.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::llvm::{Int, Memory};
use inkwell::IntPredicate;
use lt_lang::hir::{BinaryOp, Buffered, Expr, ExprKind, LoadConst, UnaryOp};
use lt_lang::manifest::LossCause;
use lt_lang::types::{AddressSpace, Layout, Type};

impl<'c> Emitter<'_, 'c> {
    /// A scalar: 64 bits, extended by the sign of its type.
    pub(crate) fn scalar(&self, expr: &Expr) -> Emit<Int<'c>> {
        match &expr.kind {
            ExprKind::Int(value) => Ok(self.llvm.int(*value)),
            ExprKind::Const(LoadConst::RecordSize(record)) => {
                Ok(self.llvm.uint(u64::from(self.unit.kernel.record_size(record.id))))
            }
            ExprKind::Var(var) => self.llvm.load(self.var(*var)?, 8),
            ExprKind::Unary(op, value) => self.unary(*op, value, &expr.ty),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, &expr.ty),
            ExprKind::Logical { and, left, right } => self.logical(*and, left, right),
            ExprKind::Cast(value) => self.cast(value, &expr.ty),
            ExprKind::Block { stmts, value } => {
                self.block(stmts)?;
                self.scalar(value)
            }
            ExprKind::Select { condition, then, otherwise } => {
                self.choose(condition, || self.scalar(then), || self.scalar(otherwise))
            }
            ExprKind::CompareStrings { limit, negate, left, right } => {
                self.compare_strings(*limit, *negate, left, right)
            }
            ExprKind::StringLength(string) => self.string_length(string),
            ExprKind::CompareBytes { negate, left, right } => self.compare_bytes(*negate, left, right),
            ExprKind::Bounded { index, len } => self.bounded_index(index, *len),
            ExprKind::VarAddress(var) => self.var_address(*var),
            ExprKind::MapAddress { map, key } => self.map_address_of(*map, key.as_ref()),
            ExprKind::Part { base, path } => self.part(base, path, &expr.ty),
            ExprKind::Indexed { base, index, len } => self.indexed(base, index, *len, &expr.ty),
            ExprKind::Load { address, space } => self.read_scalar(self.address(address)?, *space, &expr.ty),
            ExprKind::LoadField { base, path, space } => self.read_field(base, path, *space, &expr.ty),
            ExprKind::FieldAddress { base, path } => self.field_address(base, path),
            ExprKind::TracepointField(field) => self.tracepoint_scalar(field, &expr.ty),
            ExprKind::Context => self.context_value(),
            ExprKind::Argument(number) => self.argument(*number, &expr.ty),
            ExprKind::ReturnValue { params } => self.return_value(*params, &expr.ty),
            ExprKind::Intrinsic(intrinsic) => self.intrinsic(*intrinsic),
            ExprKind::MapFigure { map, key, part } => self.aggregate_number(*map, self.key(key.as_ref())?, *part),
            ExprKind::MapGet { map, key } => self.map_get(*map, key.as_ref(), &expr.ty),
            ExprKind::MapHas { map, key } => self.map_has(*map, key),
            ExprKind::MapFind { map, key, var, ty } => self.map_find(*map, key, *var, ty),
            ExprKind::MapLength(map) => self.map_length(*map),
            ExprKind::MapDelete { map, key } => self.map_delete(*map, key.as_ref()),
            ExprKind::MapAdd { map, key, delta, new } => self.map_add(*map, key.as_ref(), delta, Some(*new)),
            ExprKind::VarAdd { var, delta, new } => self.var_add(self.var(*var)?, delta, *new, &expr.ty),
            ExprKind::StackKey(stack) => self.stack_key(stack),
            ExprKind::StackLength { map, stack } => self.stack_length(*map, stack),
            ExprKind::NoticedProcess(notice, buffer) => self.noticed_process(*notice, self.slot(*buffer)?),
            ExprKind::Element { base, offset } => {
                let part = self.llvm.at(self.buffered(base)?, *offset)?;
                self.normalize(self.llvm.load(part, expr.ty.size())?, &expr.ty)
            }
            _ => self.special(expr),
        }
    }

    /// An address that only goes to a helper: what the verifier knows as a typed pointer may stay one.
    pub(crate) fn address(&self, expr: &Expr) -> Emit<Int<'c>> {
        match &expr.kind {
            ExprKind::Argument(number) => self.raw_argument(*number),
            ExprKind::ReturnValue { params } => self.raw_return_value(*params),
            ExprKind::FieldAddress { base, path } => self.field_address(base, path),
            _ => self.scalar(expr),
        }
    }

    /// Evaluates any value into memory. Bytes behind a string's NUL are zero when `zeroed`. Scalars take the width of
    /// their type, or eight bytes when `wide` (variables). For strings of which that is known, gives the bytes that
    /// they really take, NUL included.
    pub(crate) fn place(&self, expr: &Expr, to: Memory<'c>, zeroed: bool, wide: bool) -> Emit<Option<Int<'c>>> {
        let size = expr.ty.size();
        if expr.ty.is_scalar() {
            self.llvm.store(to, self.scalar(expr)?, if wide { 8 } else { size })?;
            return Ok(None);
        }
        match &expr.kind {
            ExprKind::Bytes(bytes) => self.place_bytes(bytes, &expr.ty, to, zeroed).map(Some),
            ExprKind::Var(var) => self.copy(to, self.var(*var)?, size).map(|()| None),
            ExprKind::Block { stmts, value } => {
                self.block(stmts)?;
                self.place(value, to, zeroed, wide)
            }
            ExprKind::Select { condition, then, otherwise } => self
                .choose(
                    condition,
                    || self.place_counted(then, to, zeroed),
                    || self.place_counted(otherwise, to, zeroed),
                )
                .map(Some),
            ExprKind::LoadField { base, path, space } => {
                self.place_field(base, path, *space, &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::Load { address, space } => {
                self.place_read(*space, self.address(address)?, &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::ReadBuffer { address, length, space } => {
                let (address, length) = (self.address(address)?, length.as_deref());
                self.place_buffer(address, length, *space, &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::BufferOf { base, length } => {
                let address = self.llvm.address(self.buffered(base)?.ptr)?;
                self.place_buffer(address, length.as_deref(), AddressSpace::Kernel, &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::Part { base, path } => self.place_part(base, path, &expr.ty, to, zeroed).map(|()| None),
            ExprKind::Indexed { base, index, len } => {
                self.place_indexed(base, index, *len, &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::Convert(base) => self.place_converted(base, &expr.ty, to).map(|()| None),
            ExprKind::Scalar(value) => self.llvm.store(to, self.scalar(value)?, size).map(|()| None),
            ExprKind::ReadString { address, limit, space } => {
                self.place_string(address, limit.as_deref(), *space, size, to, zeroed).map(Some)
            }
            ExprKind::TracepointField(field) => self.place_tracepoint(field, &expr.ty, to, zeroed),
            ExprKind::Intrinsic(intrinsic) => self.place_intrinsic(*intrinsic, size, to, zeroed).map(|()| None),
            ExprKind::MapGet { map, key } => {
                self.place_map_value(*map, key.as_ref(), &expr.ty, to, zeroed).map(|()| None)
            }
            ExprKind::Tuple(items) => self.place_tuple(items, &expr.ty, to, zeroed).map(|()| None),
            ExprKind::Padded(inner) => {
                let used = self.place(inner, to, zeroed, false)?;
                self.zero(to, inner.ty.size(), size).map(|()| used)
            }
            ExprKind::Element { base, offset } => {
                let whole = self.buffered(base)?;
                self.copy(to, self.llvm.at(whole, *offset)?, size).map(|()| None)
            }
            _ => self.place_special(expr, to),
        }
    }

    fn place_counted(&self, expr: &Expr, to: Memory<'c>, zeroed: bool) -> Emit<Int<'c>> {
        let used = self.place(expr, to, zeroed, false)?;
        Ok(used.unwrap_or_else(|| self.llvm.uint(u64::from(expr.ty.size()))))
    }

    fn place_bytes(&self, bytes: &[u8], ty: &Type, to: Memory<'c>, zeroed: bool) -> Emit<Int<'c>> {
        let size = ty.size();
        let is_string = matches!(ty, Type::String { .. });
        let room = if is_string { size.saturating_sub(1) } else { size };
        let kept = bytes.get(..room as usize).unwrap_or(bytes);
        // what stands behind a NUL is no part of a string
        let kept = if is_string { kept.split(|byte| *byte == 0).next().unwrap_or(kept) } else { kept };
        let used = (kept.len() as u32 + u32::from(is_string)).min(size);
        self.store_bytes(to, kept, if zeroed || to.stack || !is_string { size } else { used })?;
        Ok(self.llvm.uint(u64::from(used)))
    }

    fn place_tuple(&self, items: &[Expr], ty: &Type, to: Memory<'c>, zeroed: bool) -> Emit {
        let layout = match ty {
            Type::Tuple(_) | Type::Fields(_) if ty.parts().len() == items.len() => ty.layout(),
            Type::Timestamp | Type::UserSymbol | Type::Inet | Type::GroupPath => {
                Layout::of(&vec![Type::U64; items.len()])
            }
            _ => return Err(Failure::internal("a tuple whose type does not fit")),
        };
        let mut end = 0;
        for (item, offset) in items.iter().zip(&layout.offsets) {
            self.zero(to, end, *offset)?;
            self.place(item, self.llvm.at(to, *offset)?, zeroed, false)?;
            end = *offset + item.ty.size();
        }
        self.zero(to, end, layout.size)
    }

    /// A value in its slot; a variable's is where it is.
    pub(crate) fn buffered(&self, buffered: &Buffered) -> Emit<Memory<'c>> {
        if let ExprKind::Var(var) = buffered.value.kind
            && !buffered.value.ty.is_scalar()
        {
            return self.var(var);
        }
        let slot = self.slot(buffered.slot)?;
        self.place(&buffered.value, slot, buffered.zeroed, false)?;
        Ok(slot)
    }

    /// Makes any 64 bits a value of a type.
    pub(crate) fn normalize(&self, value: Int<'c>, ty: &Type) -> Emit<Int<'c>> {
        match ty {
            Type::Bool => {
                let byte = self.llvm.extend(value, 8, false)?;
                self.llvm.truth(self.llvm.is_true(byte)?)
            }
            _ => self.llvm.extend(value, ty.bits(), ty.is_signed()),
        }
    }

    fn cast(&self, value: &Expr, ty: &Type) -> Emit<Int<'c>> {
        self.converted(self.scalar(value)?, ty)
    }

    /// A scalar as one of another type.
    pub(crate) fn converted(&self, from: Int<'c>, ty: &Type) -> Emit<Int<'c>> {
        match ty {
            Type::Bool => self.llvm.truth(self.llvm.is_true(from)?),
            _ => self.normalize(from, ty),
        }
    }

    fn unary(&self, op: UnaryOp, value: &Expr, ty: &Type) -> Emit<Int<'c>> {
        let value = self.scalar(value)?;
        let builder = &self.llvm.builder;
        match op {
            UnaryOp::Negate => self.normalize(builder.build_int_neg(value, "")?, ty),
            UnaryOp::Complement => self.normalize(builder.build_not(value, "")?, ty),
            UnaryOp::Not => self.llvm.truth(self.llvm.compare(IntPredicate::EQ, value, self.llvm.int(0))?),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, ty: &Type) -> Emit<Int<'c>> {
        let signed = left.ty.is_signed();
        let (left, right) = (self.scalar(left)?, self.scalar(right)?);
        let builder = &self.llvm.builder;
        if op.is_comparison() {
            return self.llvm.truth(self.llvm.compare(predicate(op, signed), left, right)?);
        }
        let count = || builder.build_and(right, self.llvm.int(63), "");
        let value = match op {
            BinaryOp::Sub => builder.build_int_sub(left, right, "")?,
            BinaryOp::Mul => builder.build_int_mul(left, right, "")?,
            BinaryOp::Div | BinaryOp::Rem => self.divide(op, left, right, signed)?,
            BinaryOp::And => builder.build_and(left, right, "")?,
            BinaryOp::Or => builder.build_or(left, right, "")?,
            BinaryOp::Xor => builder.build_xor(left, right, "")?,
            BinaryOp::ShiftLeft => builder.build_left_shift(left, count()?, "")?,
            BinaryOp::ShiftRight => builder.build_right_shift(left, count()?, signed, "")?,
            _ => builder.build_int_add(left, right, "")?,
        };
        self.normalize(value, ty)
    }

    /// By 0 the result is 1, and counted: what bpftrace gives.
    fn divide(&self, op: BinaryOp, left: Int<'c>, right: Int<'c>, signed: bool) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        if right.get_zero_extended_constant().is_some_and(|divisor| divisor != 0) {
            return self.divide_by_nonzero(op, left, right, signed);
        }
        let zero = llvm.compare(IntPredicate::EQ, right, llvm.int(0))?;
        self.count_loss_if(zero, LossCause::DivisionByZero)?;
        let divisor = llvm.select(zero, llvm.int(1), right)?;
        let value = self.divide_by_nonzero(op, left, divisor, signed)?;
        llvm.select(zero, llvm.int(1), value)
    }

    /// BPF divides unsigned numbers only.
    pub(crate) fn divide_by_nonzero(
        &self,
        op: BinaryOp,
        left: Int<'c>,
        divisor: Int<'c>,
        signed: bool,
    ) -> Emit<Int<'c>> {
        let (llvm, builder) = (self.llvm, &self.llvm.builder);
        let unsigned = |left, right| match op {
            BinaryOp::Div => builder.build_int_unsigned_div(left, right, ""),
            _ => builder.build_int_unsigned_rem(left, right, ""),
        };
        if !signed {
            return Ok(unsigned(left, divisor)?);
        }
        let negative = |value| llvm.compare(IntPredicate::SLT, value, llvm.int(0));
        let negate_if = |flag, value| llvm.select(flag, builder.build_int_neg(value, "")?, value);
        let (left_negative, right_negative) = (negative(left)?, negative(divisor)?);
        let size = unsigned(negate_if(left_negative, left)?, negate_if(right_negative, divisor)?)?;
        let flip = match op {
            BinaryOp::Div => builder.build_xor(left_negative, right_negative, "")?,
            _ => left_negative,
        };
        negate_if(flip, size)
    }

    fn logical(&self, and: bool, left: &Expr, right: &Expr) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let flag = llvm.is_true(self.scalar(left)?)?;
        let first = llvm.block()?;
        let (more, done) = (llvm.new_block("right")?, llvm.new_block("decided")?);
        if and {
            llvm.branch_if(flag, more, done)?
        } else {
            llvm.branch_if(flag, done, more)?
        }
        llvm.position(more);
        let second = self.scalar(right)?;
        let last = llvm.block()?;
        llvm.branch(done)?;
        llvm.position(done);
        llvm.phi(&[(llvm.int(i64::from(!and)), first), (second, last)])
    }

    /// One of two ways to a number.
    pub(crate) fn choose(
        &self,
        condition: &Expr,
        then: impl FnOnce() -> Emit<Int<'c>>,
        otherwise: impl FnOnce() -> Emit<Int<'c>>,
    ) -> Emit<Int<'c>> {
        let flag = self.llvm.is_true(self.scalar(condition)?)?;
        self.choose_by(flag, then, otherwise)
    }

    /// The same by an i1.
    pub(crate) fn choose_by(
        &self,
        flag: Int<'c>,
        then: impl FnOnce() -> Emit<Int<'c>>,
        otherwise: impl FnOnce() -> Emit<Int<'c>>,
    ) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let [yes, no, rest] = [llvm.new_block("yes")?, llvm.new_block("no")?, llvm.new_block("chosen")?];
        llvm.branch_if(flag, yes, no)?;
        llvm.position(yes);
        let first = then()?;
        let yes = llvm.block()?;
        llvm.branch(rest)?;
        llvm.position(no);
        let second = otherwise()?;
        let no = llvm.block()?;
        llvm.branch(rest)?;
        llvm.position(rest);
        llvm.phi(&[(first, yes), (second, no)])
    }

    /// The sum is kept as `ty` holds it.
    fn var_add(&self, var: Memory<'c>, delta: &Expr, new: bool, ty: &Type) -> Emit<Int<'c>> {
        let delta = self.scalar(delta)?;
        let old = self.llvm.load(var, 8)?;
        let sum = self.normalize(self.llvm.builder.build_int_add(old, delta, "")?, ty)?;
        self.llvm.store(var, sum, 8)?;
        Ok(if new { sum } else { old })
    }
}

fn predicate(op: BinaryOp, signed: bool) -> IntPredicate {
    match (op, signed) {
        (BinaryOp::NotEqual, _) => IntPredicate::NE,
        (BinaryOp::Less, true) => IntPredicate::SLT,
        (BinaryOp::Less, false) => IntPredicate::ULT,
        (BinaryOp::LessEqual, true) => IntPredicate::SLE,
        (BinaryOp::LessEqual, false) => IntPredicate::ULE,
        (BinaryOp::Greater, true) => IntPredicate::SGT,
        (BinaryOp::Greater, false) => IntPredicate::UGT,
        (BinaryOp::GreaterEqual, true) => IntPredicate::SGE,
        (BinaryOp::GreaterEqual, false) => IntPredicate::UGE,
        _ => IntPredicate::EQ,
    }
}
