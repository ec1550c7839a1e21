//! Fields, elements and what pointers point to: paths that stay names until code generation.

use super::Body;
use super::expr::{bytes, nothing};
use crate::ast::{Expr, ExprKind, Ident, UnaryOp};
use crate::check::{CHARACTER, in_memory, is_argument_record, literal_int};
use crate::hir::{self, BinaryOp, FieldPath, FieldStep};
use crate::kernel::TracepointField;
use crate::source::Span;
use crate::types::{AddressSpace, IntType, RecordRef, Type};

/// Arrays of so many elements have as many as they say; of one of none or one, more follow behind the record.
const MIN_CHECKED: u32 = 2;

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
        if let Some(value) = self.argument_of(expr).or_else(|| self.setting_of(expr)).or_else(|| self.figure_of(expr)) {
            return value;
        }
        if !in_memory(self.program, expr) {
            return self.part(expr);
        }
        let Some(place) = self.place(expr) else { return nothing(&ty, span) };
        let (base, space) = (Box::new(place.base), place.space);
        let kind = match place.path {
            Some(path) => hir::ExprKind::LoadField { base, path, space },
            None if matches!(ty, Type::String { .. }) => {
                hir::ExprKind::ReadString { address: base, limit: None, space }
            }
            None => hir::ExprKind::Load { address: base, space },
        };
        hir::Expr { kind, ty, span }
    }

    /// Part of a copy.
    fn part(&mut self, expr: &Expr) -> hir::Expr {
        let (ty, span) = (self.program.ty(expr).clone(), expr.span);
        let kind = match &expr.kind {
            ExprKind::Field { base, field } => {
                let whole = self.expr(base);
                match whole.ty.clone() {
                    Type::Record(record) => {
                        let step = FieldStep::Member { record: record.id, name: field.text.clone() };
                        let path = FieldPath { root: record.clone(), steps: vec![step] };
                        hir::ExprKind::Part { base: self.buffered(whole, &Type::Record(record)), path }
                    }
                    Type::Fields(fields) => {
                        let at = fields.iter().position(|known| known.name == field.text).unwrap_or(0);
                        let ty = Type::Fields(fields);
                        let offset = ty.layout().offsets.get(at).copied().unwrap_or(0);
                        hir::ExprKind::Element { base: self.buffered(whole, &ty), offset }
                    }
                    _ => return nothing(&ty, span),
                }
            }
            ExprKind::Index { base, index } => match self.program.ty(base).clone() {
                Type::Tuple(_) => {
                    let at = literal_int(index).and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
                    return self.tuple_field(base, at, ty, span);
                }
                whole => return self.element_of_copy(base, &whole, index, ty, span),
            },
            _ => return nothing(&ty, span),
        };
        hir::Expr { kind, ty, span }
    }

    fn element_of_copy(&mut self, base: &Expr, whole: &Type, index: &Expr, ty: Type, span: Span) -> hir::Expr {
        let len = match whole {
            Type::Array { len, .. } => *len,
            Type::String { size } => *size,
            _ => return nothing(&ty, span),
        };
        let value = self.expr(base);
        let base = self.buffered(value, whole);
        let literal = literal_int(index).and_then(|at| u32::try_from(at).ok());
        let kind = match literal {
            // a string in an array may lack its NUL
            Some(at) if !matches!(ty, Type::String { .. }) => {
                hir::ExprKind::Element { base, offset: at.saturating_mul(ty.size()) }
            }
            _ => {
                let index = self.expr(index);
                let index = Box::new(self.coerce(index, &Type::U64));
                hir::ExprKind::Indexed { base, index, len }
            }
        };
        hir::Expr { kind, ty, span }
    }

    /// `args` as a value.
    pub(super) fn all_arguments(&mut self, ty: &Type, span: Span) -> hir::Expr {
        let Type::Fields(fields) = ty else { return nothing(ty, span) };
        let values = fields.iter().map(|field| {
            let name = Ident { text: field.name.clone(), span };
            let kind = match self.record_field(&name) {
                Some(found) => hir::ExprKind::TracepointField(found),
                None => hir::ExprKind::Argument(self.parameter(&name).unwrap_or(0)),
            };
            hir::Expr { kind, ty: field.ty.clone(), span }
        });
        hir::Expr { kind: hir::ExprKind::Tuple(values.collect()), ty: ty.clone(), span }
    }

    /// `offsetof(type, a.b)`: the address that the field of a record at address 0 has.
    pub(super) fn offset_of(&mut self, expr: &Expr, path: &[Ident]) -> hir::Expr {
        let (ty, span) = (Type::U64, expr.span);
        let Some(Type::Record(root)) = self.program.measured.get(&expr.id).cloned() else { return nothing(&ty, span) };
        let mut place = Place::at(super::expr::int(0, Type::U64, span), AddressSpace::Kernel);
        let mut record = root;
        for field in path {
            place = place.push(&record, field);
            match self.session.kernel.member(record.id, &field.text).map(|member| member.ty) {
                Some(Type::Record(inner)) => record = inner,
                _ => break,
            }
        }
        place.address(span)
    }

    /// `&place`
    pub(super) fn address_of(&mut self, operand: &Expr, ty: Type, span: Span) -> hir::Expr {
        let own = match &operand.kind {
            ExprKind::Map { name, keys } => {
                let map = self.map(name);
                Some(hir::ExprKind::MapAddress { map, key: self.key(map, keys) })
            }
            ExprKind::Var(_) => match self.program.var_at.get(&operand.span) {
                Some(at) => Some(hir::ExprKind::VarAddress(hir::VarId(*at as u32))),
                None => return nothing(&ty, span),
            },
            _ => None,
        };
        if let Some(kind) = own {
            return cast(hir::Expr { kind, ty: Type::U64, span }, ty);
        }
        match self.place(operand) {
            Some(place) => cast(place.address(span), ty),
            None => nothing(&ty, span),
        }
    }

    /// The address of a place and the memory it lies in; `None` for what is no place in memory.
    pub(super) fn place_address(&mut self, expr: &Expr) -> Option<(hir::Expr, AddressSpace)> {
        if !in_memory(self.program, expr) {
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
        let point = &self.program.point;
        let prototype = match point.user_prototype(self.session.kernel) {
            Some(found) => found,
            None => point.prototype(self.session.kernel).ok()??,
        };
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
                    let (address, index) = (self.expr(base), self.expr(index));
                    Some(Place::at(self.element(address, index, &to), space))
                }
                Type::Array { element, len } => {
                    let place = self.place(base)?;
                    Some(self.array_element(place, index, (&element, len), expr.span))
                }
                Type::String { size } => {
                    let place = self.place(base)?;
                    Some(self.array_element(place, index, (&CHARACTER, size), expr.span))
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

    fn array_element(&mut self, mut place: Place, index: &Expr, (element, len): (&Type, u32), span: Span) -> Place {
        let literal = literal_int(index).and_then(|at| u32::try_from(at).ok());
        if let (Some(index), Some(path)) = (literal, &mut place.path) {
            path.steps.push(FieldStep::Element { index, size: element.size() });
            return place;
        }
        let space = place.space;
        let address = place.address(span);
        let index = self.expr(index);
        let index = match literal {
            None if len >= MIN_CHECKED => {
                let (span, index) = (index.span, Box::new(self.coerce(index, &Type::U64)));
                hir::Expr { kind: hir::ExprKind::Bounded { index, len }, ty: Type::U64, span }
            }
            _ => index,
        };
        Place::at(self.element(address, index, element), space)
    }

    /// The address of an element behind an address.
    fn element(&mut self, address: hir::Expr, index: hir::Expr, element: &Type) -> hir::Expr {
        let span = address.span.to(index.span);
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

    /// `buf(address[, length])`
    pub(super) fn read_buffer(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(first) = args.first() else { return nothing(&ty, span) };
        let from = self.program.ty(first).clone();
        let length = args.get(1).filter(|length| literal_int(length).is_none()).map(|length| {
            let length = self.expr(length);
            Box::new(self.coerce(length, &Type::U64))
        });
        let (address, space) = match (&from, self.place_address(first)) {
            (Type::String { .. } | Type::Array { .. }, Some(found)) => found,
            (Type::String { .. } | Type::Array { .. }, None) => {
                let value = as_array(self.expr(first));
                let from = value.ty.clone();
                let base = self.buffered(value, &from);
                return hir::Expr { kind: hir::ExprKind::BufferOf { base, length }, ty, span };
            }
            (Type::Pointer { space, .. }, _) => (self.expr(first), *space),
            _ => (self.expr(first), self.program.point.row.space),
        };
        let address = Box::new(cast(address, Type::U64));
        hir::Expr { kind: hir::ExprKind::ReadBuffer { address, length, space }, ty, span }
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

/// A literal with all of its bytes: as a string it would end at its first NUL.
fn as_array(value: hir::Expr) -> hir::Expr {
    let Type::String { size } = value.ty else { return value };
    match &value.kind {
        hir::ExprKind::Bytes(_) => {
            let element = Box::new(Type::Int(IntType { bits: 8, signed: false }));
            hir::Expr { ty: Type::Array { element, len: size }, ..value }
        }
        _ => value,
    }
}
