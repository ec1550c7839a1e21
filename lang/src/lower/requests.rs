//! Requests that have a form ([`RequestForm`]).

use super::Body;
use super::expr::{binary, int};
use crate::ast::{Expr, ExprKind};
use crate::builtins::RequestForm;
use crate::check::signal_number;
use crate::format::{Conversion, ConversionKind, Format, Piece};
use crate::hir::{self, BinaryOp, Operation, StmtKind, Traced};
use crate::manifest::EventAction;
use crate::source::Span;
use crate::types::Type;

/// Most strings that `join` prints.
const JOINED: u32 = 16;
/// Most bytes of each, NUL included.
const JOINED_SIZE: u32 = 512;
/// What ends the session when an assertion does not hold.
const FAILED: i64 = 1;

impl Body<'_, '_> {
    pub(super) fn form_request(&mut self, form: RequestForm, args: &[Expr], span: Span) -> Option<StmtKind> {
        match form {
            RequestForm::Message { error } => {
                let (format, fields) = self.formatted(args)?;
                Some(self.emit(EventAction::Message { error, format }, fields, span))
            }
            RequestForm::Cat => {
                let (format, fields) = self.formatted(args)?;
                let most = self.session.options.max_cat_bytes;
                Some(self.emit(EventAction::Cat { format, most }, fields, span))
            }
            RequestForm::System => {
                let (format, fields) = self.formatted(args)?;
                Some(self.emit(EventAction::System(format), fields, span))
            }
            RequestForm::Assert => self.assert(args, span),
            RequestForm::StaticAssert | RequestForm::Fail => None,
            RequestForm::Join => self.join(args, span),
            RequestForm::Trace => self.trace(args),
            RequestForm::Signal { thread } => self.signal(thread, args, span),
            RequestForm::Override => {
                let value = self.operation(Operation::Override, args, Type::I64, span);
                Some(StmtKind::Eval(value))
            }
            RequestForm::WriteUser => self.write_user(args, span),
        }
    }

    fn formatted(&mut self, args: &[Expr]) -> Option<(Format, Vec<hir::Expr>)> {
        let (first, values) = args.split_first()?;
        let ExprKind::Str(text) = &first.kind else { return None };
        let format = Format::parse(text).ok()?;
        Some((format, values.iter().map(|value| self.expr(value)).collect()))
    }

    /// A message and the end of the session, unless the condition holds.
    fn assert(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let [condition, message] = args else { return None };
        let condition = self.condition(condition);
        let text = Piece::Text(b"assert failed: ".to_vec());
        let format = Format { pieces: vec![text, Piece::Conversion(Conversion::plain(ConversionKind::Str))] };
        let message = self.expr(message);
        let message = self.emit(EventAction::Message { error: true, format }, vec![message], span);
        self.session.exits = true;
        let exit = StmtKind::Exit { code: int(FAILED, Type::I64, span) };
        let otherwise = [message, exit].into_iter().map(|kind| hir::Stmt { kind, span }).collect();
        Some(StmtKind::If { condition, then: Vec::new(), otherwise })
    }

    /// Addresses and strings by turns; the receiver stops at the first address that is 0.
    fn join(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let first = args.first()?;
        let separator = match args.get(1).map(|separator| &separator.kind) {
            Some(ExprKind::Str(text)) => text.clone(),
            _ => b" ".to_vec(),
        };
        let space = match self.program.ty(first) {
            Type::Pointer { space, .. } => *space,
            _ => self.program.point.row.space,
        };
        let size = self.session.options.max_strlen.clamp(1, JOINED_SIZE);
        let mut fields = Vec::with_capacity(2 * JOINED as usize);
        for at in 0..JOINED {
            let array = self.expr(first);
            let array = self.coerce(array, &Type::U64);
            let place = binary(BinaryOp::Add, array, int(i64::from(8 * at), Type::U64, span), Type::U64, span);
            let address = hir::ExprKind::Load { address: Box::new(place), space };
            let address = hir::Expr { kind: address, ty: Type::U64, span };
            let text = hir::ExprKind::ReadString { address: Box::new(address.clone()), limit: None, space };
            fields.extend([address, hir::Expr { kind: text, ty: Type::String { size }, span }]);
        }
        Some(self.emit(EventAction::Join(separator), fields, span))
    }

    fn trace(&mut self, args: &[Expr]) -> Option<StmtKind> {
        let (first, values) = args.split_first()?;
        let ExprKind::Str(text) = &first.kind else { return None };
        let values = values.iter().map(|value| {
            let value = self.expr(value);
            match value.ty.clone() {
                ty @ Type::String { .. } => Traced::Text(self.buffered(value, &ty)),
                ty if ty.is_signed() => Traced::Scalar(self.coerce(value, &Type::I64)),
                _ => Traced::Scalar(self.coerce(value, &Type::U64)),
            }
        });
        Some(StmtKind::Trace { values: values.collect(), format: wide(text) })
    }

    fn signal(&mut self, thread: bool, args: &[Expr], span: Span) -> Option<StmtKind> {
        let first = args.first()?;
        let number = match signal_number(first) {
            Some(number) => int(number, Type::U64, span),
            None => {
                let value = self.expr(first);
                self.coerce(value, &Type::U64)
            }
        };
        let operation = if thread { Operation::SignalThread } else { Operation::Signal };
        let kind = hir::ExprKind::Operation(operation, vec![number]);
        Some(StmtKind::Eval(hir::Expr { kind, ty: Type::I64, span }))
    }

    fn write_user(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let [address, value, length] = args else { return None };
        let address = match self.program.ty(address) {
            Type::String { .. } => self.place_address(address)?.0,
            _ => self.expr(address),
        };
        let address = Box::new(self.coerce(address, &Type::U64));
        let value = self.expr(value);
        let ty = value.ty.clone();
        let value = self.buffered(value, &ty);
        let length = self.expr(length);
        let length = Box::new(self.coerce(length, &Type::U64));
        let kind = hir::ExprKind::WriteUser { address, value, length };
        Some(StmtKind::Eval(hir::Expr { kind, ty: Type::I64, span }))
    }
}

/// All values of a line of the trace have 64 bits, which its conversions have to say.
fn wide(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for piece in Format::parse(text).unwrap_or_default().pieces {
        match piece {
            Piece::Text(text) => {
                for byte in text {
                    out.extend_from_slice(if byte == b'%' { b"%%" } else { std::slice::from_ref(&byte) });
                }
            }
            Piece::Conversion(conversion) => out.extend_from_slice(match conversion.kind {
                ConversionKind::Str => b"%s",
                ConversionKind::Unsigned => b"%llu",
                ConversionKind::Hex | ConversionKind::Pointer => b"%llx",
                _ => b"%lld",
            }),
        }
    }
    out
}
