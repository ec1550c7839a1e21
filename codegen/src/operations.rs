//! Single helpers that act on a few values.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Int, Memory};
use lt_lang::hir::{Buffered, Expr, ExprKind, Operation, Traced};
use lt_lang::types::Type;

impl<'c> Emitter<'_, 'c> {
    /// Scalars that few scripts have.
    pub(crate) fn special(&self, expr: &Expr) -> Emit<Int<'c>> {
        match &expr.kind {
            ExprKind::Search { haystack, needle } => self.search(haystack, needle),
            ExprKind::OrderBytes { left, right, count } => self.order_bytes(left, right, *count),
            ExprKind::Operation(operation, values) => self.operation(*operation, values, &expr.ty),
            ExprKind::WriteUser { address, value, length } => self.write_user(address, value, length),
            _ => Err(Failure::internal("a memory value where a scalar is needed")),
        }
    }

    /// Memory values that few scripts have.
    pub(crate) fn place_special(&self, expr: &Expr, to: Memory<'c>) -> Emit<Option<Int<'c>>> {
        match &expr.kind {
            ExprKind::Concatenate(left, right) => self.place_concatenated(left, right, to).map(|()| None),
            _ => Err(Failure::internal(format_args!("a value of type {} cannot be in memory", expr.ty))),
        }
    }

    /// What a helper or an instruction makes of scalars.
    pub(crate) fn operation(&self, operation: Operation, values: &[Expr], ty: &Type) -> Emit<Int<'c>> {
        let [value] = values else { return Err(Failure::internal("an operation of one value with others")) };
        let llvm = self.llvm;
        match operation {
            Operation::SwapBytes => {
                let swapped = llvm.swap_bytes(self.scalar(value)?)?;
                let unused = llvm.uint(u64::from(64 - ty.bits()));
                Ok(llvm.builder.build_right_shift(swapped, unused, false, "")?)
            }
            Operation::SocketCookie => self.socket_cookie(value),
            Operation::Signal => llvm.call(Helper::SendSignal, &[self.scalar(value)?.into()]),
            Operation::SignalThread => llvm.call(Helper::SendSignalThread, &[self.scalar(value)?.into()]),
            Operation::Override => {
                let value = self.scalar(value)?;
                llvm.call(Helper::OverrideReturn, &[self.ctx.into(), value.into()])
            }
        }
    }

    /// The verifier wants the argument as it stands in the context. It may be null for some functions: 0 then.
    fn socket_cookie(&self, socket: &Expr) -> Emit<Int<'c>> {
        let ExprKind::Argument(number) = socket.kind else {
            return Err(Failure::internal("a socket that is no argument"));
        };
        let socket = self.context(number * 8, 8)?;
        let there = self.llvm.is_true(socket)?;
        let cookie = || self.llvm.call(Helper::SocketCookie, &[socket.into()]);
        self.choose_by(there, cookie, || Ok(self.llvm.int(0)))
    }

    /// Writes to user memory; no more than the value has.
    pub(crate) fn write_user(&self, address: &Expr, value: &Buffered, length: &Expr) -> Emit<Int<'c>> {
        let address = self.scalar(address)?;
        let length = self.scalar(length)?;
        let memory = self.buffered(value)?;
        let length = self.bounded(length, value.value.ty.size())?;
        self.llvm.call(Helper::WriteUser, &[address.into(), memory.ptr.into(), length.into()])
    }

    /// A line in the kernel's trace.
    pub(crate) fn trace(&self, format: &[u8], values: &[Traced]) -> Emit {
        let mut text = format.to_vec();
        text.push(0);
        let size = self.llvm.uint(text.len() as u64);
        let mut words = Vec::with_capacity(values.len());
        for value in values {
            words.push(match value {
                Traced::Scalar(value) => self.scalar(value)?,
                Traced::Text(value) => self.llvm.address(self.buffered(value)?.ptr)?,
            });
        }
        let text = self.read_only(&text)?;
        let mut arguments = vec![text.into(), size.into()];
        for word in words {
            arguments.push(word.into());
        }
        self.llvm.call(Helper::TracePrintk, &arguments).map(drop)
    }
}
