//! Functions of time, strings and maps.

use super::Body;
use super::expr::{int, nothing, text};
use crate::ast::{Expr, ExprKind};
use crate::check::{MapArgument, literal_int};
use crate::hir::{self, StmtKind};
use crate::manifest::EventAction;
use crate::source::Span;
use crate::types::Type;

/// What `time()` prints.
const TIME_OF_DAY: &[u8] = b"%H:%M:%S\n";

impl Body<'_, '_> {
    /// `has_key(@x, k)`
    pub(super) fn has_key(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let Some(found) = MapArgument::of(args) else { return nothing(&Type::Bool, span) };
        let map = self.map(found.name);
        let Some(key) = self.key(map, found.keys) else { return nothing(&Type::Bool, span) };
        hir::Expr { kind: hir::ExprKind::MapHas { map, key }, ty: Type::Bool, span }
    }

    /// `time([format])`
    pub(super) fn time(&mut self, args: &[Expr], span: Span) -> Option<StmtKind> {
        let format = match args.first() {
            Some(format) => literal(format)?.to_vec(),
            None => TIME_OF_DAY.to_vec(),
        };
        Some(self.emit(EventAction::Time(format), Vec::new(), span))
    }

    /// `strftime(format, nanoseconds)`
    pub(super) fn format_time(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let ty = Type::Timestamp;
        let [format, time] = args else { return nothing(&ty, span) };
        let Some(format) = literal(format) else { return nothing(&ty, span) };
        let formats = &mut self.session.time_formats;
        let at = formats.iter().position(|known| known == format).unwrap_or_else(|| {
            formats.push(format.to_vec());
            formats.len() - 1
        });
        let time = self.expr(time);
        let time = self.coerce(time, &Type::U64);
        let parts = vec![time, int(at as i64, Type::U64, span)];
        hir::Expr { kind: hir::ExprKind::Tuple(parts), ty, span }
    }

    /// `strncmp(left, right, length)`
    pub(super) fn compare_text(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let [left, right, length] = args else { return nothing(&Type::U64, span) };
        let length = literal_int(length).and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
        if length == 0 {
            return int(0, Type::U64, span);
        }
        let (left, right) = (self.expr(left), self.expr(right));
        let differ = self.compare_strings(true, left, right, Some(length), span);
        self.coerce(differ, &Type::U64)
    }

    /// `strlen(text)`
    pub(super) fn text_length(&mut self, args: &[Expr], span: Span) -> hir::Expr {
        let Some(string) = args.first() else { return nothing(&Type::U64, span) };
        let value = self.expr(string);
        if let hir::ExprKind::Bytes(bytes) = &value.kind {
            return int(text(bytes).len() as i64, Type::U64, span);
        }
        let ty = value.ty.clone();
        let string = self.buffered(value, &ty);
        hir::Expr { kind: hir::ExprKind::StringLength(string), ty: Type::U64, span }
    }
}

/// The bytes of a string literal.
fn literal(expr: &Expr) -> Option<&[u8]> {
    if let ExprKind::Str(bytes) = &expr.kind { Some(bytes) } else { None }
}
