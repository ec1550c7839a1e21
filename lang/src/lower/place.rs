//! Fields, elements and what pointers point to: paths that stay names until code generation.

use super::Body;
use super::expr::{bytes, nothing};
use crate::ast::{Expr, ExprKind, Ident, UnaryOp};
use crate::check::{is_argument_record, is_place, literal_int};
use crate::hir::{self, BinaryOp, FieldPath, FieldStep};
use crate::kernel::TracepointField;
use crate::source::Span;
use crate::types::{AddressSpace, RecordRef, Type};

/// A place in memory: a base address, and a path from there.
struct Place {
    base: hir::Expr,
    path: Option<FieldPath>,
    space: AddressSpace,
}

impl Place {
    fn at(base: hir::Expr, space: AddressSpace) -> Place {
        Place { base, path: None, space }
    }

    fn push(mut self, record: &RecordRef, field: &Ident) -> Place {
        let step = FieldStep::Member { record: record.id, name: field.text.clone() };
        let mut path = self.path.take().unwrap_or_else(|| FieldPath { root: record.clone(), steps: Vec::new() });
        path.steps.push(step);
        Place { path: Some(path), ..self }
    }

    /// Its address, as a `uint64`.
    fn address(self, span: Span) -> hir::Expr {
        let kind = match self.path {
            Some(path) => hir::ExprKind::FieldAddress { base: Box::new(self.base), path },
            None => return cast(self.base, Type::U64),
        };
        hir::Expr { kind, ty: Type::U64, span }
    }
}

fn cast(value: hir::Expr, ty: Type) -> hir::Expr {
    if value.ty == ty {
        return value;
    }
    let span = value.span;
    hir::Expr { kind: hir::ExprKind::Cast(Box::new(value)), ty, span }
}

impl Body<'_, '_> {
    /// Reads a field, an element, or what a pointer points to.
    pub(super) fn read(&mut self, expr: &Expr) -> hir::Expr {
        let (ty, span) = (self.program.ty(expr).clone(), expr.span);
        if let Some(value) = self.argument_of(expr) {
            return value;
        }
        let Some(place) = self.place(expr) else { return nothing(&ty, span) };
        let (base, space) = (Box::new(place.base), place.space);
        let kind = match place.path {
            Some(path) => hir::ExprKind::LoadField { base, path, space },
            None if ty.is_scalar() => hir::ExprKind::Load { address: base, space },
            None if matches!(ty, Type::String { .. }) => {
                hir::ExprKind::ReadString { address: base, limit: None, space }
            }
            None => {
                if let Type::Array { .. } = ty {
                    self.not_supported(span, "reading an array through a pointer is not supported yet");
                }
                return nothing(&ty, span);
            }
        };
        hir::Expr { kind, ty, span }
    }

    pub(super) fn address_of(&mut self, operand: &Expr, ty: Type, span: Span) -> hir::Expr {
        match self.place(operand) {
            Some(place) => cast(place.address(span), ty),
            None => nothing(&ty, span),
        }
    }

    /// The address of a place and the memory it lies in; `None` for what is no place in memory.
    pub(super) fn place_address(&mut self, expr: &Expr) -> Option<(hir::Expr, AddressSpace)> {
        let argument = matches!(&expr.kind, ExprKind::Field { base, .. } if is_argument_record(base));
        if !is_place(expr) || argument {
            return None;
        }
        let place = self.place(expr)?;
        let space = place.space;
        Some((place.address(expr.span), space))
    }

    /// `args.NAME` and `args.NAME[literal]`, which are no places in memory.
    fn argument_of(&mut self, expr: &Expr) -> Option<hir::Expr> {
        let (ty, span) = (self.program.ty(expr).clone(), expr.span);
        match &expr.kind {
            ExprKind::Field { base, field } if is_argument_record(base) => {
                let kind = match self.record_field(field) {
                    Some(found) => hir::ExprKind::TracepointField(found),
                    None => hir::ExprKind::Argument(self.parameter(field)?),
                };
                Some(hir::Expr { kind, ty, span })
            }
            ExprKind::Index { base, index } => {
                let ExprKind::Field { base: record, field } = &base.kind else { return None };
                let mut found = self.record_field(field).filter(|_| is_argument_record(record))?;
                if !matches!(found.ty, Type::Array { .. }) {
                    return None;
                }
                let at = u32::try_from(literal_int(index)?).ok()?;
                found.offset += at * ty.size();
                found.size = ty.size();
                found.ty = ty.clone();
                Some(hir::Expr { kind: hir::ExprKind::TracepointField(found), ty, span })
            }
            _ => None,
        }
    }

    fn record_field(&self, field: &Ident) -> Option<TracepointField> {
        let format = self.program.point.format.as_ref()?;
        let found = format.fields.iter().find(|row| row.name == field.text)?;
        Some(super::raw::placed(found, self.program))
    }

    fn parameter(&self, field: &Ident) -> Option<u32> {
        let prototype = self.program.point.prototype(self.session.kernel).ok()??;
        prototype.params.iter().position(|row| row.name == field.text).map(|at| at as u32)
    }

    fn place(&mut self, expr: &Expr) -> Option<Place> {
        match &expr.kind {
            ExprKind::Field { base, field } => match self.program.ty(base).clone() {
                Type::Pointer { to, space } => {
                    let Type::Record(record) = *to else { return None };
                    Some(Place::at(self.expr(base), space).push(&record, field))
                }
                Type::Record(record) => Some(self.place(base)?.push(&record, field)),
                _ => None,
            },
            ExprKind::Index { base, index } => match self.program.ty(base).clone() {
                Type::Pointer { to, space } => {
                    let address = self.expr(base);
                    Some(Place::at(self.element(address, index, &to), space))
                }
                Type::Array { element, .. } => {
                    let place = self.place(base)?;
                    Some(self.array_element(place, index, &element, expr.span))
                }
                _ => None,
            },
            ExprKind::Unary(UnaryOp::Deref, operand) => {
                let space = match self.program.ty(operand) {
                    Type::Pointer { space, .. } => *space,
                    _ => self.program.point.row.space,
                };
                Some(Place::at(self.expr(operand), space))
            }
            _ => None,
        }
    }

    fn array_element(&mut self, mut place: Place, index: &Expr, element: &Type, span: Span) -> Place {
        let literal = literal_int(index).and_then(|at| u32::try_from(at).ok());
        if let (Some(index), Some(path)) = (literal, &mut place.path) {
            let size = match element {
                Type::Record(record) => self.session.kernel.record_size(record.id),
                element => element.size(),
            };
            path.steps.push(FieldStep::Element { index, size });
            return place;
        }
        let space = place.space;
        let address = place.address(span);
        Place::at(self.element(address, index, element), space)
    }

    /// The address of an element behind an address.
    fn element(&mut self, address: hir::Expr, index: &Expr, element: &Type) -> hir::Expr {
        let span = address.span.to(index.span);
        let index = self.expr(index);
        let offset = self.scaled(index, element);
        let offset = self.coerce(offset, &Type::U64);
        super::expr::binary(BinaryOp::Add, cast(address, Type::U64), offset, Type::U64, span)
    }

    /// `str(address[, length])`
    pub(super) fn read_string(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(first) = args.first() else { return nothing(&ty, span) };
        let from = self.program.ty(first).clone();
        let mut limit = None;
        if let Some(length) = args.get(1).filter(|length| literal_int(length).is_none()) {
            let value = self.expr(length);
            limit = Some(Box::new(self.coerce(value, &Type::U64)));
        }
        let (address, space) = match from {
            Type::String { .. } if args.len() == 1 => return self.expr(first),
            Type::String { .. } => match self.place_address(first) {
                Some(found) => found,
                None => return self.cut_literal(first, &ty),
            },
            Type::Pointer { space, .. } => (self.expr(first), space),
            Type::KernelSymbol => (self.expr(first), AddressSpace::Kernel),
            _ => (self.expr(first), self.program.point.row.space),
        };
        let address = Box::new(cast(address, Type::U64));
        hir::Expr { kind: hir::ExprKind::ReadString { address, limit, space }, ty, span }
    }

    /// `str("literal", length)`
    fn cut_literal(&mut self, expr: &Expr, ty: &Type) -> hir::Expr {
        let value = self.expr(expr);
        let hir::ExprKind::Bytes(text) = &value.kind else {
            self.not_supported(expr.span, "only strings in memory and literals can be cut to a length yet");
            return nothing(ty, expr.span);
        };
        let cut = (ty.size() as usize).saturating_sub(1).min(text.len());
        hir::Expr { ty: ty.clone(), ..bytes(text.get(..cut).unwrap_or(text), expr.span) }
    }
}
