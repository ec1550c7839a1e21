//! Calls: one check for all functions, driven by their rows.

use super::{Checker, MapContent, literal_int, suggest};
use crate::aggregations::{self, Aggregation};
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::{self, Builtin, Lowering, Param, ParamClass};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::format::{Conversion, ConversionKind, Format};
use crate::manifest::Aggregate;
use crate::source::Span;
use crate::types::Type;

/// A map as an argument.
pub(crate) struct MapArgument<'a> {
    /// Without the sigil.
    pub(crate) name: &'a str,
    /// In brackets, or behind the map.
    pub(crate) keys: &'a [Expr],
}

impl<'a> MapArgument<'a> {
    /// The map of `f(@x[k])` or `f(@x, k)`.
    pub(crate) fn of(args: &'a [Expr]) -> Option<MapArgument<'a>> {
        let (first, rest) = args.split_first()?;
        let ExprKind::Map { name, keys } = &first.kind else { return None };
        let keys = if keys.is_empty() { rest } else { keys };
        Some(MapArgument { name, keys })
    }
}

/// What a `print` prints.
pub(crate) enum PrintKind {
    /// A map as it is when the request is carried out.
    Map,
    /// One entry of a map whose aggregation is no number, as it is when the request is carried out.
    Entry,
    /// A copy of a value.
    Value,
}

/// Decides between the three; `content` tells what a map holds.
pub(crate) fn print_kind(arg: &Expr, content: impl FnOnce(&str) -> Option<MapContent>) -> PrintKind {
    match &arg.kind {
        ExprKind::Map { keys, .. } if keys.is_empty() => PrintKind::Map,
        ExprKind::Map { name, .. } if content(name).is_some_and(|content| is_several_numbers(&content)) => {
            PrintKind::Entry
        }
        _ => PrintKind::Value,
    }
}

fn is_several_numbers(content: &MapContent) -> bool {
    match content {
        MapContent::Plain(_) => false,
        MapContent::Aggregate(aggregate) => aggregate.number().is_none(),
        MapContent::Figures(_) => true,
    }
}

/// A call of a map function.
pub(crate) fn aggregation_call(expr: &Expr) -> Option<(&'static Aggregation, &[Expr])> {
    let ExprKind::Call { name, args } = &expr.kind else { return None };
    aggregations::lookup(&name.text).map(|row| (row, args.as_slice()))
}

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &Ident, args: &[Expr], span: Span) -> Type {
        if let Some(row) = builtins::lookup(&name.text) {
            let allowed = self.check_allowed(row, &name.text, name.span);
            let fine = self.arguments(row.params, &name.text, args, span);
            if !allowed || !fine {
                return if allowed { self.fallback_type(row) } else { Type::Error };
            }
            return self.call_type(row, name, args);
        }
        if let Some(row) = aggregations::lookup(&name.text) {
            self.arguments(row.params, row.name, args, span);
            let message = format!("{}() must be assigned to a map", row.name);
            let diagnostic = Diagnostic::error(Code::AggregationMisused, message).at(span, "stands alone here");
            return self.report(diagnostic.help(format!("write `@name = {}(...)`", row.name)));
        }
        for arg in args {
            // It may be a function that takes a map as a whole.
            if !matches!(&arg.kind, ExprKind::Map { keys, .. } if keys.is_empty()) {
                self.expr(arg);
            }
        }
        let diagnostic = Diagnostic::error(Code::UnknownFunction, format!("unknown function `{}`", name.text));
        let found = suggest::function(&name.text);
        self.report(diagnostic.at(name.span, "no function of this name").suggest(name.span, found))
    }

    /// After a mistake in the arguments: nothing for a statement, unknown for a value.
    fn fallback_type(&self, row: &Builtin) -> Type {
        if row.returns == builtins::Returns::Void { Type::Void } else { Type::Error }
    }

    fn call_type(&mut self, row: &Builtin, name: &Ident, args: &[Expr]) -> Type {
        match row.lowering {
            Lowering::ReadString => self.string_call(args),
            Lowering::ReadBuffer => self.buffer_call(args),
            Lowering::Stack(space) => self.stack_call(space, args, name.span),
            Lowering::Printf => self.check_format(args),
            Lowering::Print => self.check_print(args),
            Lowering::Delete => self.check_delete(args),
            Lowering::HasKey => self.check_has_key(args),
            Lowering::Find => self.check_find(args),
            Lowering::Length => self.check_length(args),
            Lowering::FormatTime => self.check_time(args),
            Lowering::Exit => Type::Void,
            Lowering::Value(form) => self.form_type(form, row, name, args),
            Lowering::Request(form) => self.check_request(form, args, name.span),
            _ => self.builtin_type(row, &name.text, name.span),
        }
    }

    /// Checks arguments against parameters; false after a message.
    fn arguments(&mut self, params: &'static [Param], name: &str, args: &[Expr], span: Span) -> bool {
        let required = params.iter().filter(|param| !param.optional).count();
        let variadic = params.iter().any(|param| param.class == ParamClass::Format);
        let fits = args.len() >= required && (variadic || args.len() <= params.len());
        if !fits {
            self.wrong_count(params, name, args, span);
        }
        let mut fine = fits;
        for (at, arg) in args.iter().enumerate() {
            fine &= match params.get(at) {
                Some(param) => self.argument(param, name, arg),
                None => self.value(arg) != Type::Error,
            };
        }
        fine
    }

    fn wrong_count(&mut self, params: &[Param], name: &str, args: &[Expr], span: Span) {
        let names: Vec<_> = params
            .iter()
            .map(|param| if param.optional { format!("[{}]", param.name) } else { param.name.into() })
            .collect();
        let required = params.iter().filter(|param| !param.optional).count();
        let (bound, wanted) = if args.len() < required { ("at least", required) } else { ("at most", params.len()) };
        let plural = if wanted == 1 { "" } else { "s" };
        let given = args.len();
        let diagnostic = Diagnostic::error(
            Code::WrongArgumentCount,
            format!("`{name}` takes {bound} {wanted} argument{plural}, not {given}"),
        );
        self.report(diagnostic.at(span, "in this call").help(format!("it is written `{name}({})`", names.join(", "))));
    }

    fn argument(&mut self, param: &Param, name: &str, arg: &Expr) -> bool {
        match param.class {
            ParamClass::Integer => {
                self.typed(param, name, arg, |ty| matches!(ty, Type::Int(_) | Type::Enum(_) | Type::Bool))
            }
            ParamClass::Address => self.address_argument(param, name, arg),
            ParamClass::LiteralInt { min, max } => self.literal_argument(param, name, arg, min, max),
            ParamClass::String => self.string_argument(param, name, arg),
            ParamClass::Format | ParamClass::Text => {
                matches!(arg.kind, ExprKind::Str(_)) || self.not_a_literal(param, name, arg, "a string")
            }
            ParamClass::Map | ParamClass::MapWithKey => match &arg.kind {
                ExprKind::Map { keys, .. } if keys.is_empty() || param.class == ParamClass::MapWithKey => {
                    self.map_argument(arg)
                }
                _ => {
                    let message = format!("`{name}` takes a map");
                    self.error(Code::TypeMismatch, arg.span, message, "not a map as a whole");
                    false
                }
            },
            ParamClass::MapOrValue => match &arg.kind {
                ExprKind::Map { name, keys } if keys.is_empty() => self.whole_map(name, arg.span).is_some(),
                ExprKind::Map { name, keys } => self.entry_argument(name, keys, arg),
                _ => self.value(arg) != Type::Error,
            },
            ParamClass::Key => self.value(arg) != Type::Error,
            // what they mean is for the function to say
            ParamClass::TypeName | ParamClass::Path => true,
            ParamClass::Variable => matches!(arg.kind, ExprKind::Var(_)) || self.not_a_variable(name, arg),
            ParamClass::Any => self.expr(arg) != Type::Error,
            ParamClass::Number | ParamClass::Histogram => self.value(arg) != Type::Error,
            ParamClass::StackOption => self.stack_option(arg),
            ParamClass::Word(words) => self.word_argument(param, name, arg, words),
            ParamClass::Condition => {
                self.condition(arg);
                *self.program.ty(arg) != Type::Error
            }
            ParamClass::MapOrStack => self.map_or_stack(name, arg),
        }
    }

    fn typed(&mut self, param: &Param, name: &str, arg: &Expr, accepts: impl Fn(&Type) -> bool) -> bool {
        let ty = self.value(arg);
        if ty == Type::Error || accepts(&ty) {
            return ty != Type::Error;
        }
        let what = if param.class == ParamClass::Address { "an address" } else { "an integer" };
        let message = format!("`{}` of `{name}` must be {what}", param.name);
        self.error(Code::TypeMismatch, arg.span, message, format!("this is `{ty}`"));
        false
    }

    /// A positional parameter as an address is the text itself, as is everything that is a string already.
    fn address_argument(&mut self, param: &Param, name: &str, arg: &Expr) -> bool {
        if let ExprKind::Positional(1..) = arg.kind {
            self.as_text(arg, Type::Error);
            return true;
        }
        self.typed(param, name, arg, |ty| {
            matches!(ty, Type::Int(_) | Type::Pointer { .. } | Type::KernelSymbol | Type::String { .. })
        })
    }

    fn literal_argument(&mut self, param: &Param, name: &str, arg: &Expr, min: i64, max: i64) -> bool {
        self.expr(arg);
        let Some(value) = literal_int(arg) else { return self.not_a_literal(param, name, arg, "an integer") };
        if (min..=max).contains(&value) {
            return true;
        }
        let message = if max == i64::MAX {
            format!("`{}` of `{name}` must be at least {min}", param.name)
        } else {
            format!("`{}` of `{name}` must be from {min} to {max}", param.name)
        };
        self.error(Code::BadArgument, arg.span, message, format!("this is {value}"));
        false
    }

    fn not_a_literal(&mut self, param: &Param, name: &str, arg: &Expr, what: &str) -> bool {
        if !matches!(arg.kind, ExprKind::Error) {
            let message = format!("`{}` of `{name}` must be {what} literal", param.name);
            self.error(Code::NotALiteral, arg.span, message, "not a literal");
        }
        false
    }

    fn map_argument(&mut self, arg: &Expr) -> bool {
        let ExprKind::Map { name, .. } = &arg.kind else { return false };
        self.whole_map(name, arg.span).is_some()
    }

    /// `print(@x[k])`
    fn entry_argument(&mut self, name: &str, keys: &[Expr], arg: &Expr) -> bool {
        let content = self.maps.iter().find(|map| map.name == name).and_then(|map| map.value.clone());
        if content.is_some_and(|content| is_several_numbers(&content)) {
            let at = self.map_at(name, arg.span);
            self.map_keys(at, keys, arg.span);
            return true;
        }
        self.value(arg) != Type::Error
    }

    fn string_call(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::Error };
        let limit = self.options.max_strlen.max(1);
        if let found @ Type::String { size } = self.program.ty(first).clone() {
            let cut = args.get(1).and_then(literal_int).map_or(size, |n| (n.max(1) as u32).min(size));
            return if args.len() < 2 { found } else { Type::String { size: cut } };
        }
        let Some(length) = args.get(1) else { return Type::String { size: limit } };
        match literal_int(length) {
            Some(n) if n < 1 => self.error(
                Code::BadArgument,
                length.span,
                "the length of a string is at least 1",
                format!("this is {n}"),
            ),
            Some(n) if n <= i64::from(limit) => Type::String { size: n as u32 },
            _ => Type::String { size: limit },
        }
    }

    fn check_print(&mut self, args: &[Expr]) -> Type {
        let Some((first, rest)) = args.split_first() else { return Type::Void };
        let whole = matches!(&first.kind, ExprKind::Map { keys, .. } if keys.is_empty());
        if whole || rest.is_empty() {
            return Type::Void;
        }
        let message = "only a map as a whole is printed with a limit and a divisor";
        self.error(Code::TypeMismatch, first.span, message, "not a map as a whole")
    }

    fn check_delete(&mut self, args: &[Expr]) -> Type {
        let Some((first, rest)) = args.split_first() else { return Type::Bool };
        let (ExprKind::Map { keys, .. }, Some(map)) = (&first.kind, MapArgument::of(args)) else { return Type::Bool };
        if !keys.is_empty() && !rest.is_empty() {
            let message = "the key is given twice";
            return self.error(Code::KeyMismatch, first.span, message, "a key here and one as the next argument");
        }
        if map.keys.is_empty() && self.is_keyed(map.name) {
            let message = format!("`@{}` has keys; which entry is to be deleted?", map.name);
            let diagnostic = Diagnostic::error(Code::KeyMismatch, message).at(first.span, "without a key");
            return self.report(diagnostic.help(format!("`clear(@{})` removes all entries", map.name)));
        }
        let at = self.map_at(map.name, first.span);
        self.map_keys(at, map.keys, first.span);
        Type::Bool
    }

    pub(super) fn check_format(&mut self, args: &[Expr]) -> Type {
        let Some((first, values)) = args.split_first() else { return Type::Void };
        let ExprKind::Str(bytes) = &first.kind else { return Type::Void };
        let format = match Format::parse(bytes) {
            Ok(format) => format,
            Err(error) => {
                let diagnostic = Diagnostic::error(Code::BadFormat, format!("unknown conversion `{}`", error.text));
                let help = "printf knows %d %i %u %o %x %X %p %c %s %r %rx %rh %gr and %%";
                self.report(diagnostic.at(first.span, "in this format").help(help));
                return Type::Void;
            }
        };
        let count = format.conversions().count();
        if count != values.len() {
            let message = format!("the format has {count} conversions, but {} values follow", values.len());
            let span = values.get(count).map_or(first.span, |extra| extra.span);
            let label = if values.len() > count { "has no conversion" } else { "in this format" };
            self.error(Code::FormatMismatch, span, message, label);
        }
        for (conversion, value) in format.conversions().zip(values) {
            self.check_conversion(conversion, value, first.span);
        }
        Type::Void
    }

    fn check_conversion(&mut self, conversion: &Conversion, value: &Expr, format: Span) {
        let mut ty = self.program.ty(value).clone();
        if conversion.kind == ConversionKind::Str {
            ty = self.as_text(value, ty);
        }
        let fine = match (&ty, conversion.kind) {
            (Type::Error, _) => true,
            (Type::Buffer { .. }, ConversionKind::Buffer | ConversionKind::Bytes { .. }) => true,
            (_, ConversionKind::Buffer | ConversionKind::Bytes { .. }) => false,
            (_, ConversionKind::Fixed | ConversionKind::Scientific) => false,
            (Type::Int(_) | Type::Enum(_) | Type::Bool, _) => true,
            (Type::Pointer { .. }, kind) => kind != ConversionKind::Char && kind != ConversionKind::GfpFlags,
            (_, kind) => kind == ConversionKind::Str,
        };
        if !fine {
            let letter = conversion.kind.letter();
            let diagnostic = Diagnostic::error(Code::FormatMismatch, format!("`%{letter}` cannot show `{ty}`"))
                .at(value.span, format!("this is `{ty}`"))
                .at(format, "in this format");
            self.report(diagnostic.help(match conversion.kind {
                ConversionKind::Buffer | ConversionKind::Bytes { .. } => "it shows what `buf` gives",
                ConversionKind::Fixed | ConversionKind::Scientific => "only actions marked `user` have fractions",
                _ => "`%s` can",
            }));
        }
    }

    /// The aggregation that a call makes; `None` after a message.
    pub(super) fn aggregate(&mut self, row: &'static Aggregation, args: &[Expr], call: &Expr) -> Option<Aggregate> {
        if !self.arguments(row.params, row.name, args, call.span) {
            return None;
        }
        self.set_type(call.id, &Type::Void);
        let value = row.params.iter().position(|param| param.class == ParamClass::Integer).and_then(|at| args.get(at));
        let signed =
            value.is_some_and(|value| self.program.ty(value).is_signed() && !super::literal::is_flexible(value));
        let literals: Vec<Option<i64>> =
            (1..row.params.len().max(1)).map(|at| args.get(at).and_then(literal_int)).collect();
        match row.instance(signed, &literals) {
            Ok(aggregate) => Some(aggregate),
            Err(why) => {
                let span = args.get(1).zip(args.last()).map_or(call.span, |(a, b)| a.span.to(b.span));
                self.error(Code::BadArgument, span, format!("bad arguments of {}()", row.name), why);
                None
            }
        }
    }
}
