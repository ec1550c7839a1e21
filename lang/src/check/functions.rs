//! What single functions ask of their arguments beyond their rows.

use super::{Checker, MapArgument, literal_int};
use crate::ast::{Expr, ExprKind};
use crate::builtins::Param;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::types::Type;

impl Checker<'_> {
    /// A string, which a positional parameter always is here.
    pub(super) fn string_argument(&mut self, param: &Param, name: &str, arg: &Expr) -> bool {
        let ty = self.value(arg);
        let ty = self.as_text(arg, ty);
        if matches!(ty, Type::Error | Type::String { .. }) {
            return ty != Type::Error;
        }
        let message = format!("`{}` of `{name}` must be a string", param.name);
        self.error(Code::TypeMismatch, arg.span, message, format!("this is `{ty}`"));
        false
    }

    /// `buf(address[, length])`: of a string or array the length need not be told.
    pub(super) fn buffer_call(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::Error };
        let ty = self.program.ty(first).clone();
        let known = match &ty {
            Type::String { size } => Some(*size),
            Type::Array { .. } => Some(ty.size()),
            Type::Int(_) | Type::Pointer { .. } => None,
            _ => {
                let message = format!("`{ty}` is no memory that could be read");
                return self.error(Code::TypeMismatch, first.span, message, "neither an address nor bytes");
            }
        };
        if let Some(length) = args.get(1)
            && !matches!(self.program.ty(length), Type::Int(_) | Type::Error)
        {
            return self.error(Code::TypeMismatch, length.span, "a length must be an integer", "not an integer");
        }
        let literal = args.get(1).and_then(literal_int);
        if let (Some(length), Some(n)) = (args.get(1), literal.filter(|n| *n < 1)) {
            let message = "the length of a buffer is at least 1";
            return self.error(Code::BadArgument, length.span, message, format!("this is {n}"));
        }
        let most = known.unwrap_or(u32::MAX).min(self.options.max_strlen.max(1));
        Type::Buffer { size: literal.map_or(most, |n| u32::try_from(n).unwrap_or(most).min(most)) }
    }

    /// `has_key(@x, k)`, `has_key(@x[k])`
    pub(super) fn check_has_key(&mut self, args: &[Expr]) -> Type {
        let Some((first, rest)) = args.split_first() else { return Type::Bool };
        let (ExprKind::Map { keys, .. }, Some(map)) = (&first.kind, MapArgument::of(args)) else { return Type::Bool };
        if !keys.is_empty() && !rest.is_empty() {
            let message = "the key is given twice";
            return self.error(Code::KeyMismatch, first.span, message, "a key here and one as the next argument");
        }
        if map.keys.is_empty() {
            let diagnostic = Diagnostic::error(Code::KeyMismatch, "which key is looked for?");
            let diagnostic = diagnostic.at(first.span, "without a key");
            return self.report(diagnostic.help(format!("write `has_key(@{}, KEY)`", map.name)));
        }
        let at = self.map_at(map.name, first.span);
        self.map_keys(at, map.keys, first.span);
        Type::Bool
    }

    /// `strftime(format, nanoseconds)`
    pub(super) fn check_time(&mut self, args: &[Expr]) -> Type {
        if let Some(time) = args.get(1)
            && literal_int(time).is_some_and(|value| value < 0)
        {
            return self.error(Code::BadArgument, time.span, "there is no time before boot", "below 0");
        }
        Type::Timestamp
    }
}
