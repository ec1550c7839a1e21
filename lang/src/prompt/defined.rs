//! What a text defines: macros, functions, declared maps, types. A later definition of the same takes an earlier one's
//! place.

use crate::ast::Ast;
use crate::source::{FileId, SourceMap, Span};

/// The definitions of a text: what each would collide with, and its place.
fn definitions(text: &str) -> Vec<(String, Span)> {
    let ast = parsed(text);
    let macros = ast.macros.iter().map(|one| {
        let kinds: Vec<_> = one.params.iter().map(|param| param.kind).collect();
        (format!("macro {} {kinds:?}", one.name.text), one.span)
    });
    let functions = ast.functions.iter().map(|one| (format!("fn {}", one.name.text), one.span));
    let maps = ast.maps.iter().map(|one| (map_name(&one.name.text), one.span));
    let types = ast.c_definitions.iter().map(|one| {
        let head = one.text.split('{').next().unwrap_or_default();
        (head.split_whitespace().collect::<Vec<_>>().join(" "), one.span)
    });
    macros.chain(functions).chain(maps).chain(types).collect()
}

/// What a declaration of this map (without the sigil) is called here.
pub(super) fn map_name(name: &str) -> String {
    format!("@{name}")
}

/// The tree of a text, as far as it can be read.
pub(super) fn parsed(text: &str) -> Ast {
    let mut sources = SourceMap::default();
    let file = sources.add("", text);
    crate::parse(&sources, file).0
}

/// What a text defines.
pub(super) fn names(text: &str) -> Vec<String> {
    definitions(text).into_iter().map(|(name, _)| name).collect()
}

/// The text without the definitions of these names.
pub(super) fn without(text: &str, names: &[String]) -> String {
    if names.is_empty() {
        return text.to_string();
    }
    let gone = definitions(text).into_iter().filter(|(name, span)| names.contains(name) && span.file == FileId(0));
    gone.fold(text.to_string(), |text, (_, span)| blanked(&text, span.start as usize, span.end as usize))
}

/// The text with the bytes of a range replaced by blanks; line ends stay.
pub(super) fn blanked(text: &str, from: usize, to: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for byte in bytes.get_mut(from..to.min(text.len())).unwrap_or_default() {
        *byte = if *byte == b'\n' { b'\n' } else { b' ' };
    }
    String::from_utf8(bytes).unwrap_or_default()
}
