//! The front end, from text to tree: what parses to what, which message a mistake gets, and that nothing makes it fail.

mod errors;
mod printer;
mod reference;
mod robust;
mod script_printer;
mod tree;

use lt_lang::ast::Ast;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::source::SourceMap;

/// Parses a text by itself.
fn parse(text: &str) -> (SourceMap, Ast, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("test", text);
    let (ast, diagnostics) = lt_lang::parse(&sources, file);
    (sources, ast, diagnostics.into_sorted())
}
