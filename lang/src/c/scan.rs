//! Reading the definitions that a script holds.

use super::Definitions;
use super::declare::Parser;
use super::token::{Macros, token_at};
use crate::ast::CDefinition;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// Reads all definitions of a text, in their order.
pub(crate) fn read_definitions(
    text: &str,
    file: FileId,
    written: &[CDefinition],
    macros: &Macros,
    out: &mut Diagnostics,
) -> Definitions {
    let mut definitions = Definitions::default();
    // what is a line of the preprocessor still is none that is understood
    for found in written.iter().filter(|found| !found.text.trim_start().starts_with('#')) {
        let (start, end) = (found.span.start as usize, found.span.end as usize);
        let mut parser = Parser::new(text, start, file, macros, &mut definitions);
        let wrong = match parser.definition() {
            Err(wrong) => Some((wrong.at, wrong.message)),
            Ok(()) => token_at(text, parser.at)
                .filter(|next| next.start < end)
                .map(|next| (next.start, "something that is not part of it".to_string())),
        };
        if let Some((at, message)) = wrong {
            let (from, to) = token_at(text, at).map_or((at, at), |found| (found.start, found.end));
            let diagnostic = Diagnostic::error(Code::BadDefinition, format!("{message} in a C definition"));
            out.push(diagnostic.at(Span::new(file, from, to), "here"));
        }
    }
    definitions
}
