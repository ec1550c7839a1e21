//! Declarations of maps: `let @m = lruhash(100);`

use super::{Checker, MapContent, literal_int, positional_number};
use crate::ast::{Ast, Expr, ExprKind, MapDeclaration};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::manifest::MapKind;

/// What a script can declare: its word, the kernel's type of map.
const KINDS: &[(&str, MapKind)] = &[
    ("hash", MapKind::Hash),
    ("lruhash", MapKind::LruHash),
    ("percpuhash", MapKind::PerCpuHash),
    ("percpulruhash", MapKind::LruPerCpuHash),
];

/// Most entries of a map.
const MOST: i64 = 1 << 26;

impl Checker<'_> {
    /// Checks all declarations against what the maps turned out to hold.
    pub(super) fn declared_maps(&mut self, ast: &Ast) {
        for (at, declaration) in ast.maps.iter().enumerate() {
            let name = &declaration.name.text;
            if let Some(first) = ast.maps.iter().take(at).find(|first| first.name.text == *name) {
                let diagnostic = Diagnostic::error(Code::DuplicateVariable, format!("`@{name}` is declared already"))
                    .at(declaration.name.span, "declared again")
                    .at(first.name.span, "declared here");
                self.report(diagnostic);
                continue;
            }
            let (kind, entries) = (self.map_kind(declaration), self.map_entries(declaration));
            let Some(map) = self.maps.iter().position(|map| map.name == *name) else {
                if !self.incomplete {
                    let diagnostic = Diagnostic::warning(Code::UnusedMap, format!("Unused map: @{name}"));
                    self.report(diagnostic.at(declaration.name.span, "declared, but never used"));
                }
                continue;
            };
            if let (Some(kind), Some(entries)) = (kind, entries) {
                self.declare_map(map, declaration, kind, entries);
            }
        }
    }

    fn declare_map(&mut self, at: usize, declaration: &MapDeclaration, kind: MapKind, entries: u32) {
        let Some(map) = self.maps.get_mut(at) else { return };
        let wanted = match &map.value {
            Some(MapContent::Aggregate(_) | MapContent::Figures(_)) if !kind.is_per_cpu() => {
                "`percpuhash` or `percpulruhash`"
            }
            Some(MapContent::Plain(_)) if kind.is_per_cpu() => "`hash` or `lruhash`",
            _ => {
                map.declared = Some((kind, entries));
                return;
            }
        };
        let aggregation = map.value.as_ref().and_then(MapContent::aggregation);
        let holds = aggregation.unwrap_or_else(|| "plain values".to_string());
        let message = format!("`@{}` holds {holds} and cannot be a `{}`", map.name, declaration.kind.text);
        let diagnostic = Diagnostic::error(Code::AggregationMisused, message)
            .at(declaration.kind.span, "not this kind of map")
            .at(map.value_span, "assigned here");
        self.report(diagnostic.help(format!("write {wanted}")));
    }

    fn map_kind(&mut self, declaration: &MapDeclaration) -> Option<MapKind> {
        let word = &declaration.kind.text;
        let found = KINDS.iter().find(|row| row.0 == word).map(|row| row.1);
        if found.is_none() {
            let words: Vec<&str> = KINDS.iter().map(|row| row.0).collect();
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("unknown kind of map `{word}`"))
                .at(declaration.kind.span, "no kind of this name")
                .note(format!("the kinds are: {}", words.join(", ")));
            self.report(diagnostic.suggest(declaration.kind.span, nearest(word, words)));
        }
        found
    }

    fn map_entries(&mut self, declaration: &MapDeclaration) -> Option<u32> {
        let [entries] = declaration.args.as_slice() else {
            let message =
                format!("a map is declared with its number of entries alone, not {} values", declaration.args.len());
            self.error(Code::WrongArgumentCount, declaration.span, message, "in this declaration");
            return None;
        };
        match self.known_number(entries) {
            Some(number @ 1..=MOST) => u32::try_from(number).ok(),
            Some(number) => {
                let message = format!("a map has from 1 to {MOST} entries");
                self.error(Code::BadArgument, entries.span, message, format!("this is {number}"));
                None
            }
            None => {
                let message = "the number of entries of a map must be an integer literal";
                self.error(Code::NotALiteral, entries.span, message, "not a literal");
                None
            }
        }
    }

    /// A literal or a parameter of the command line.
    fn known_number(&self, expr: &Expr) -> Option<i64> {
        match expr.kind {
            ExprKind::Positional(number) => {
                let at = (number as usize).checked_sub(1)?;
                self.options.positional.get(at).and_then(|text| positional_number(text))
            }
            _ => literal_int(expr),
        }
    }
}
