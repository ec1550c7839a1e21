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
