//! Formats of the user side.

use super::UserChecker;
use super::kind::Kind;
use crate::ast::{Expr, ExprKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::format::{Conversion, ConversionKind, Format};
use crate::source::Span;
use crate::types::Type;
use crate::user;

impl UserChecker<'_, '_> {
    /// A format and its values; `None` after a message.
    pub(super) fn format(&mut self, args: &[Expr], span: Span) -> Option<(Format, Vec<user::Expr>)> {
        let typed: Vec<_> = args.iter().skip(1).map(|value| self.value(value)).collect();
        let Some(Expr { kind: ExprKind::Str(bytes), span: place, .. }) = args.first() else {
            self.error(Code::NotALiteral, span, "a format is a string literal", "without one");
            return None;
        };
        let format = match Format::parse(bytes) {
            Ok(format) => format,
            Err(error) => {
                let diagnostic = Diagnostic::error(Code::BadFormat, format!("unknown conversion `{}`", error.text));
                let help = "printf knows %d %i %u %o %x %X %p %c %s %r %rx %rh %gr %f %e and %%";
                self.report(diagnostic.at(*place, "in this format").help(help));
                return None;
            }
        };
        let count = format.conversions().count();
        if count != typed.len() {
            let message = format!("the format has {count} conversions, but {} values follow", typed.len());
            self.error(Code::FormatMismatch, *place, message, "in this format");
            return None;
        }
        for ((conversion, (_, kind)), value) in format.conversions().zip(&typed).zip(args.iter().skip(1)) {
            self.conversion(conversion, kind, value.span);
        }
        Some((format, typed.into_iter().map(|(value, _)| value).collect()))
    }

    fn conversion(&mut self, conversion: &Conversion, kind: &Kind, span: Span) {
        let bytes = matches!(conversion.kind, ConversionKind::Buffer | ConversionKind::Bytes { .. });
        let fine = match (kind, conversion.kind) {
            (Kind::Error, _) => true,
            (Kind::Other(Type::Buffer { .. }), _) if bytes => true,
            _ if bytes => false,
            (_, ConversionKind::Str) => true,
            (Kind::Float, kind) => {
                matches!(kind, ConversionKind::Signed | ConversionKind::Fixed | ConversionKind::Scientific)
            }
            (kind, _) => kind.is_number(),
        };
        if !fine {
            let letter = conversion.kind.letter();
            let message = format!("`%{letter}` cannot show `{kind}`");
            let diagnostic = Diagnostic::error(Code::FormatMismatch, message).at(span, format!("this is `{kind}`"));
            let help = if bytes { "it shows what `buf` gives" } else { "`%s` can" };
            self.report(diagnostic.help(help));
        }
    }
}
