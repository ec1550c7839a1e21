//! Builtins: what the lowering of their rows says.

use super::Body;
use super::expr::{bytes, int, nothing, size_of};
use crate::aggregations::Aggregation;
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::{self, Builtin, Lowering, ParamClass};
use crate::check::{MapArgument, PrintKind, literal_int, print_kind};
use crate::format::Format;
use crate::hir::{self, StmtKind};
use crate::manifest::{Aggregate, EventAction, MapId};
use crate::source::Span;
use crate::types::Type;

impl Body<'_, '_> {
    /// A builtin as a value.
    pub(super) fn builtin(&mut self, expr: &Expr, args: &[Expr]) -> hir::Expr {
        let (ty, span) = (self.program.ty(expr).clone(), expr.span);
        let Some((row, name)) = row_of(expr) else { return nothing(&ty, span) };
        let kind = match row.lowering {
            Lowering::Intrinsic(intrinsic) => hir::ExprKind::Intrinsic(intrinsic),
            Lowering::Argument => hir::ExprKind::Argument(builtins::argument_number(name).unwrap_or(0)),
            Lowering::ReturnValue => {
                let prototype = self.program.point.prototype(self.session.kernel).ok().flatten();
                hir::ExprKind::ReturnValue { params: prototype.map_or(0, |prototype| prototype.params.len() as u32) }
            }
            Lowering::ProbeName => return bytes(self.program.point.text.as_bytes(), span),
            Lowering::FunctionName => {
                return bytes(self.program.point.function().unwrap_or_default().as_bytes(), span);
            }
            Lowering::SizeOf => {
                let measured = args.first().map_or(Type::Error, |arg| self.program.ty(arg).clone());
                return size_of(&measured, span);
            }
            Lowering::ReadString => return self.read_string(args, ty, span),
            Lowering::ReadBuffer => return self.read_buffer(args, ty, span),
            Lowering::KernelSymbol => {
                let Some(address) = args.first() else { return nothing(&ty, span) };
                let address = self.expr(address);
                return self.coerce(address, &Type::KernelSymbol);
            }
            Lowering::Stack(space) => return self.stack(space, ty, span),
            Lowering::UserSymbol => return self.user_symbol(args, span),
            Lowering::Delete => {
                let Some(found) = MapArgument::of(args) else { return nothing(&ty, span) };
                let map = self.map(found.name);
                let key = self.key(map, found.keys);
                if key.is_none() {
                    self.session.deleted_scalars.insert(map);
                }
                hir::ExprKind::MapDelete { map, key }
            }
            Lowering::HasKey => return self.has_key(args, span),
            Lowering::Find => return self.find(args, span),
            Lowering::Length => return self.length(args, span),
            Lowering::FormatTime => return self.format_time(args, span),
            Lowering::CompareText => return self.compare_text(args, span),
            Lowering::TextLength => return self.text_length(args, span),
            Lowering::Context => hir::ExprKind::Context,
            // of the other side, which the checker told
            Lowering::User(_) => return nothing(&ty, span),
            Lowering::ArgumentRecord => return self.all_arguments(&ty, span),
            Lowering::Value(form) => return self.form_value(form, args, ty, span),
            Lowering::Request(_)
            | Lowering::Printf
            | Lowering::Print
            | Lowering::Clear
            | Lowering::Zero
            | Lowering::Time
            | Lowering::Exit => {
                return nothing(&ty, span);
            }
        };
        hir::Expr { kind, ty, span }
    }

    /// A call for what it does; `None` when it is a value that is not used.
    pub(super) fn request(&mut self, expr: &Expr) -> Option<StmtKind> {
        let (row, _) = row_of(expr)?;
        let args: &[Expr] = if let ExprKind::Call { args, .. } = &expr.kind { args } else { &[] };
        match row.lowering {
            Lowering::Printf => self.printf(args, expr.span),
            Lowering::Print => self.print(args, expr.span),
            Lowering::Clear => {
                let map = self.map_to_clear(MapArgument::of(args)?.name);
                let stamp = self.stamp();
                Some(self.emit(EventAction::ClearMap { map }, stamp, expr.span))
            }
            Lowering::Zero => {
                let map = self.map_to_zero(MapArgument::of(args)?.name);
                let stamp = self.stamp();
                Some(self.emit(EventAction::ZeroMap { map }, stamp, expr.span))
            }
            Lowering::Time => self.time(args, expr.span),
            Lowering::Request(form) => self.form_request(form, args, expr.span),
            Lowering::Exit => {
                self.session.exits = true;
                let code = args.first().map(|code| self.expr(code));
                let code = code.unwrap_or_else(|| int(0, Type::I64, expr.span));
                Some(StmtKind::Exit { code: self.coerce(code, &Type::I64) })
            }
            _ => None,
        }
    }

    fn printf(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let (first, values) = args.split_first()?;
        let ExprKind::Str(text) = &first.kind else { return None };
        let format = Format::parse(text).ok()?;
        let fields = values.iter().map(|value| self.expr(value)).collect();
        Some(self.emit(EventAction::Printf(format), fields, span))
    }

    fn print(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let (first, rest) = args.split_first()?;
        let maps = &self.session.checked.maps;
        let content = |name: &str| maps.iter().find(|map| map.name == name).and_then(|map| map.value.clone());
        let kind = print_kind(first, content);
        let (action, fields) = match (kind, &first.kind) {
            (PrintKind::Map, ExprKind::Map { name, .. }) => {
                let number = |at: usize| rest.get(at).and_then(literal_int).map(|value| value as u64);
                (EventAction::PrintMap { map: self.map_to_show(name), top: number(0), div: number(1) }, self.stamp())
            }
            (PrintKind::Entry, ExprKind::Map { name, keys }) => {
                let map = self.map(name);
                let fields = self.key_values(map, keys);
                (EventAction::PrintEntry { map }, self.single_keys(map, fields))
            }
            _ => (EventAction::PrintValue, vec![self.expr(first)]),
        };
        Some(self.emit(action, fields, span))
    }

    /// The fields of a printed entry are the map's keys, one by one: a tuple that comes alone is taken apart.
    fn single_keys(&mut self, map: MapId, mut fields: Vec<hir::Expr>) -> Vec<hir::Expr> {
        let keys = self.session.maps.get(map.0 as usize).map_or(0, |map| map.keys.len());
        if fields.len() == keys {
            return fields;
        }
        let Some(whole) = fields.pop() else { return fields };
        let (ty, span) = (whole.ty.clone(), whole.span);
        let base = self.buffered(whole, &ty);
        let parts = ty.parts().into_iter().cloned().zip(ty.layout().offsets);
        let part = |(ty, offset)| hir::Expr { kind: hir::ExprKind::Element { base: base.clone(), offset }, ty, span };
        parts.map(part).collect()
    }

    /// `@x[key] = count()`, `@x[key].figure = count()`
    pub(super) fn aggregate(
        &mut self,
        map: MapId,
        keys: &[Expr],
        figure: Option<&Ident>,
        (row, args): (&Aggregation, &[Expr]),
    ) -> Option<StmtKind> {
        let held = &self.session.maps.get(map.0 as usize)?.value;
        let part = match figure {
            Some(name) => held.figure(&name.text)?,
            None => held.parts().first().copied()?,
        };
        let aggregate = part.aggregate;
        let at = row.params.iter().position(|param| param.class == ParamClass::Integer);
        let value = at.and_then(|at| args.get(at)).map(|arg| {
            let value = self.expr(arg);
            // `hist` tells negative from large numbers by the value's own type.
            let ty = if let Aggregate::Hist { .. } = aggregate { value.ty.plain().stored() } else { wide(aggregate) };
            self.coerce(value, &ty)
        });
        let key = self.key(map, keys);
        Some(StmtKind::Aggregate { map, key, part, value })
    }
}

/// The type of the values that an aggregation takes.
fn wide(aggregate: Aggregate) -> Type {
    match aggregate {
        Aggregate::Sum { signed: false }
        | Aggregate::Avg { signed: false }
        | Aggregate::Min { signed: false }
        | Aggregate::Max { signed: false }
        | Aggregate::Stats { signed: false }
        | Aggregate::Count => Type::U64,
        _ => Type::I64,
    }
}

fn row_of(expr: &Expr) -> Option<(&'static Builtin, &str)> {
    let name = match &expr.kind {
        ExprKind::Name(name) => name,
        ExprKind::Call { name, .. } => &name.text,
        _ => return None,
    };
    builtins::lookup(name).map(|row| (row, name.as_str()))
}
