//! What requests ([`RequestForm`]) ask of their arguments beyond their rows.

use super::{Checker, Constant, signal_number};
use crate::ast::{Expr, ExprKind};
use crate::builtins::RequestForm;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::format::{ConversionKind, Format, Piece};
use crate::source::Span;
use crate::types::Type;

/// Values that a line of the kernel's trace takes.
const TRACED: usize = 3;

impl Checker<'_> {
    /// Checks a request whose arguments fit its row.
    pub(super) fn check_request(&mut self, form: RequestForm, args: &[Expr], span: Span) -> Type {
        if !self.options.allow_unsafe && form.changes_system() {
            let diagnostic = Diagnostic::error(Code::Unsafe, "this changes the system that is traced");
            return self.report(diagnostic.at(span, "not allowed").help("allow it with the option --unsafe"));
        }
        match form {
            RequestForm::Message { .. } | RequestForm::Cat | RequestForm::System => self.check_format(args),
            RequestForm::Trace => self.check_trace(args),
            RequestForm::StaticAssert => self.static_assert(args, span),
            RequestForm::Fail => self.fail(args, span),
            RequestForm::Join => self.check_join(args),
            RequestForm::Signal { .. } => self.check_signal(args),
            RequestForm::Override => self.check_override(span),
            RequestForm::WriteUser => self.check_write(args),
            RequestForm::Assert => Type::Void,
        }
    }

    fn check_trace(&mut self, args: &[Expr]) -> Type {
        if let Some(extra) = args.get(TRACED + 1) {
            let message = format!("`debugf` shows at most {TRACED} values");
            return self.error(Code::WrongArgumentCount, extra.span, message, "one too many");
        }
        let [ExprKind::Str(text)] = [&args.first().map_or(&ExprKind::Error, |first| &first.kind)] else {
            return Type::Void;
        };
        let format = Format::parse(text).unwrap_or_default();
        let plain = |kind| {
            matches!(
                kind,
                ConversionKind::Signed
                    | ConversionKind::Unsigned
                    | ConversionKind::Hex
                    | ConversionKind::Pointer
                    | ConversionKind::Str
            )
        };
        for (conversion, value) in format.conversions().zip(args.iter().skip(1)) {
            let ty = self.program.ty(value).clone();
            let text = matches!(ty, Type::String { .. });
            if !plain(conversion.kind) || text != (conversion.kind == ConversionKind::Str) {
                let message = format!("`%{}` of `debugf` cannot show `{ty}`", conversion.kind.letter());
                return self.error(Code::FormatMismatch, value.span, message, "the kernel shows %d %u %x %p and %s");
            }
        }
        self.check_format(args)
    }

    fn static_assert(&mut self, args: &[Expr], span: Span) -> Type {
        let [condition, message] = args else { return Type::Void };
        let known = self.constant(condition);
        match known {
            None => {
                self.error(Code::NotALiteral, condition.span, "this is not known when the script is compiled", "here")
            }
            Some(value) if value.is_true() || self.dead > 0 => Type::Void,
            Some(_) => {
                let text = match &message.kind {
                    ExprKind::Str(text) => String::from_utf8_lossy(text).into_owned(),
                    _ => String::new(),
                };
                self.error(Code::ScriptFailed, span, text, "asserted here")
            }
        }
    }

    /// `fail(format, ...)`, unless it stands where nothing ever comes.
    fn fail(&mut self, args: &[Expr], span: Span) -> Type {
        if self.dead > 0 {
            return Type::Void;
        }
        let Some((first, values)) = args.split_first() else { return Type::Void };
        let ExprKind::Str(text) = &first.kind else { return Type::Void };
        self.check_format(args);
        let mut known = Vec::with_capacity(values.len());
        for value in values {
            match self.constant(value) {
                Some(Constant::Int(number)) => known.push(number.to_string()),
                Some(Constant::Text(text)) => known.push(String::from_utf8_lossy(&text).into_owned()),
                None => {
                    return self.error(
                        Code::NotALiteral,
                        value.span,
                        "this is not known when the script is compiled",
                        "here",
                    );
                }
            }
        }
        let (mut message, mut values) = (String::new(), known.into_iter());
        for piece in Format::parse(text).unwrap_or_default().pieces {
            match piece {
                Piece::Text(text) => message.push_str(&String::from_utf8_lossy(&text)),
                Piece::Conversion(_) => message.push_str(&values.next().unwrap_or_default()),
            }
        }
        self.error(Code::ScriptFailed, span, message.trim_end().to_string(), "the script says so")
    }

    fn check_join(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::Void };
        match self.program.ty(first).clone() {
            Type::Pointer { .. } | Type::Int(_) | Type::Error => Type::Void,
            ty => {
                let message = "`join` takes the address of an array of addresses";
                self.error(Code::TypeMismatch, first.span, message, format!("this is `{ty}`"))
            }
        }
    }

    fn check_signal(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::Void };
        let number = matches!(self.program.ty(first), Type::Int(_));
        match signal_number(first) {
            Some(1..=64) => Type::Void,
            None if number => Type::Void,
            _ => {
                let message = "a signal is a number from 1 to 64, or a name such as SIGTERM";
                self.error(Code::BadArgument, first.span, message, "no signal")
            }
        }
    }

    fn check_override(&mut self, span: Span) -> Type {
        let kernel = self.kernel;
        if kernel.has(crate::kernel::Feature::Override) {
            return Type::Void;
        }
        let row = crate::kernel::Feature::Override.row();
        let diagnostic = Diagnostic::error(Code::MissingFeature, format!("this kernel has no {}", row.doc));
        self.report(diagnostic.at(span, "needs it").help("it is built with CONFIG_BPF_KPROBE_OVERRIDE=y"))
    }

    fn check_write(&mut self, args: &[Expr]) -> Type {
        let [address, value, _] = args else { return Type::Void };
        for arg in [address, value] {
            if matches!(self.program.ty(arg), Type::Record(_) | Type::Void) {
                return self.error(Code::TypeMismatch, arg.span, "this cannot be written", "no value");
            }
        }
        Type::Void
    }
}
