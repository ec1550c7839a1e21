//! Functions of the user side.

use super::kind::Kind;
use super::{Typed, UserChecker, float, wrong};
use crate::aggregations;
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::{self, Builtin, Param, ParamClass, Returns, Side};
use crate::check::suggest;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::user::{self, Clock, UserFunction};

impl UserChecker<'_, '_> {
    pub(super) fn call(&mut self, name: &Ident, args: &[Expr], span: Span) -> Typed {
        let Some(row) = builtins::lookup(&name.text) else {
            if let Some(row) = aggregations::lookup(&name.text) {
                let message = format!("{}() must be assigned to a map", row.name);
                return self.error(Code::AggregationMisused, span, message, "stands alone here");
            }
            let diagnostic = Diagnostic::error(Code::UnknownFunction, format!("unknown function `{}`", name.text));
            let found = suggest::function(&name.text);
            return self.report(diagnostic.at(name.span, "no function of this name").suggest(name.span, found));
        };
        match row.lowering.in_user_space() {
            Some(form) => self.builtin(row, form, name, args),
            None => self.report(super::wrong_side(&name.text, Side::Kernel, name.span)),
        }
    }

    /// Whether so many arguments fit; says so if not.
    pub(super) fn fits(&mut self, params: &[Param], name: &Ident, args: &[Expr]) -> bool {
        let required = params.iter().filter(|param| !param.optional).count();
        let variadic = params.iter().any(|param| param.class == ParamClass::Format);
        if args.len() >= required && (variadic || args.len() <= params.len()) {
            return true;
        }
        let names: Vec<String> = params
            .iter()
            .map(|param| if param.optional { format!("[{}]", param.name) } else { param.name.into() })
            .collect();
        let message = format!("`{}` does not take {} arguments", name.text, args.len());
        let diagnostic = Diagnostic::error(Code::WrongArgumentCount, message).at(name.span, "in this call");
        self.report(diagnostic.help(format!("it is written `{}({})`", name.text, names.join(", "))));
        false
    }

    /// A function that is asked when the action runs.
    pub(super) fn function(&mut self, row: &Builtin, function: UserFunction, name: &Ident, args: &[Expr]) -> Typed {
        if !self.fits(row.params, name, args) {
            return wrong();
        }
        let mut values = Vec::with_capacity(args.len());
        let mut fine = true;
        for (param, arg) in row.params.iter().zip(args) {
            let (value, kind) = self.value(arg);
            fine &= self.accepts(param, &kind, name, arg);
            values.push(if param.class == ParamClass::Number { float::convert(value, &kind) } else { value });
        }
        if !fine {
            return wrong();
        }
        let kind = match &row.returns {
            Returns::Text | Returns::SessionString => Kind::Text(None),
            Returns::Float => Kind::Float,
            Returns::Fixed(ty) => match Kind::of(ty) {
                // what programs keep as numbers is text here
                Kind::Other(_) => Kind::Text(None),
                kind => kind,
            },
            // of strings: an intrinsic's own memory
            _ => Kind::Text(None),
        };
        (user::Expr::Call { function, args: values }, kind)
    }

    fn accepts(&mut self, param: &Param, kind: &Kind, name: &Ident, arg: &Expr) -> bool {
        let (fine, wanted) = match param.class {
            ParamClass::Integer | ParamClass::LiteralInt { .. } => {
                (kind.is_number() && *kind != Kind::Float, "an integer")
            }
            ParamClass::Number => (kind.is_number(), "a number"),
            ParamClass::String | ParamClass::Text => (matches!(kind, Kind::Text(_)), "a string"),
            ParamClass::Histogram => (*kind == Kind::Histogram, "a histogram"),
            ParamClass::Any | ParamClass::Key => (true, "a value"),
            _ => {
                self.unsupported("such arguments in user space are", arg.span);
                return false;
            }
        };
        if fine || *kind == Kind::Error {
            return fine;
        }
        let message = format!("`{}` of `{}` must be {wanted}", param.name, name.text);
        self.error(Code::TypeMismatch, arg.span, message, format!("this is `{kind}`"));
        false
    }

    /// `nsecs`, `nsecs(clock)`
    pub(super) fn clock(&mut self, args: &[Expr]) -> Typed {
        let clock = match args {
            [] => Some(Clock::Boot),
            [Expr { kind: ExprKind::Name(word), .. }] => CLOCKS.iter().find(|row| row.0 == word).map(|row| row.1),
            _ => None,
        };
        match (clock, args.first()) {
            (Some(clock), _) => {
                (user::Expr::Call { function: UserFunction::Clock(clock), args: Vec::new() }, Kind::UINT)
            }
            (None, Some(arg)) => {
                let words: Vec<&str> = CLOCKS.iter().map(|row| row.0).collect();
                let message = format!("a clock is one of {}", words.join(", "));
                self.error(Code::BadArgument, arg.span, message, "no clock")
            }
            (None, None) => wrong(),
        }
    }

    /// `str(text)`: strings are there; what an address points to is not.
    pub(super) fn text(&mut self, args: &[Expr]) -> Typed {
        let [arg] = args else {
            let span = args.last().map_or_else(Span::default, |arg| arg.span);
            return self.unsupported("lengths of strings in user space are", span);
        };
        if let ExprKind::Positional(number @ 1..) = arg.kind {
            let text = self.checker.options.positional.get(number as usize - 1).cloned().unwrap_or_default();
            let size = text.len() as u32 + 1;
            return (user::Expr::Text(text.into_bytes()), Kind::Text(Some(size)));
        }
        match self.value(arg) {
            (value, kind @ (Kind::Text(_) | Kind::Error)) => (value, kind),
            _ => {
                let diagnostic = Diagnostic::error(Code::WrongSide, "memory is not there in an action in user space");
                let help = "let the probe's program read the string, and keep it in a map";
                self.report(diagnostic.at(arg.span, "an address").help(help))
            }
        }
    }

    /// `strftime(format, nanoseconds)`
    pub(super) fn format_time(&mut self, args: &[Expr]) -> Typed {
        let [Expr { kind: ExprKind::Str(format), .. }, time] = args else {
            let span = args.first().map_or_else(Span::default, |arg| arg.span);
            return self.error(
                Code::NotALiteral,
                span,
                "a time has a format, which is a literal, and nanoseconds",
                "here",
            );
        };
        let (value, kind) = self.value(time);
        if kind != Kind::Error && (!kind.is_number() || kind == Kind::Float) {
            let message = "a time is a number of nanoseconds since boot";
            return self.error(Code::TypeMismatch, time.span, message, format!("this is `{kind}`"));
        }
        let args = vec![user::Expr::Text(format.clone()), value];
        (user::Expr::Call { function: UserFunction::FormatTime, args }, Kind::Text(None))
    }
}

/// Words of clocks.
const CLOCKS: &[(&str, Clock)] =
    &[("boot", Clock::Boot), ("monotonic", Clock::Monotonic), ("tai", Clock::Tai), ("sw_tai", Clock::Tai)];
