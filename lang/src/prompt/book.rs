//! The entries of a prompt: each becomes a script of its own, to which those before it have left their settings,
//! definitions and maps.

use super::defined;
use super::origin::Origins;
use super::shape::{Shape, shape};
use crate::ast::Ast;
use crate::check::{CheckedScript, KnownMaps};
use crate::diagnostic::Diagnostic;
use crate::lexer::next_item;
use crate::source::{FileId, SourceMap};
use std::collections::HashMap;

/// What the entries so far have left behind.
#[derive(Debug, Default)]
pub struct Book {
    /// What scripts are led by: entries with everything that was done at once replaced by blanks.
    kept: Vec<(FileId, String)>,
    /// Of each script that was composed.
    origins: HashMap<FileId, Origins>,
    /// The maps with their types.
    pub maps: KnownMaps,
}

/// An entry as a script.
#[derive(Clone, Copy, Debug)]
pub struct Composed {
    /// The script: what was kept, then the entry with what makes it one.
    pub script: FileId,
    /// The entry as it was entered.
    pub entry: FileId,
    /// What it is.
    pub shape: Shape,
    /// Where the entry begins in the script, in bytes.
    start: usize,
}

impl Book {
    /// Makes a script of an entry. Both get the entry's name; what messages say about the script has to be brought back
    /// to the entries by [`Book::locate`].
    pub fn compose(&mut self, sources: &mut SourceMap, name: &str, text: &str, shape: Shape) -> Composed {
        let entry = sources.add(name, text);
        let (before, behind) = shape.frame();
        let (mut script, mut origins) = self.composed_preface(&defined::names(text));
        script.push_str(before);
        let start = script.len();
        origins.add(start, text.len(), entry);
        script.push_str(&without_shebang(text));
        script.push_str(behind);
        let script = sources.add(name, script);
        self.origins.insert(script, origins);
        Composed { script, entry, shape, start }
    }

    /// All that was kept, one entry after the other, but for what is defined again.
    fn composed_preface(&self, again: &[String]) -> (String, Origins) {
        let (mut text, mut origins) = (String::new(), Origins::default());
        for (file, kept) in &self.kept {
            origins.add(text.len(), kept.len(), *file);
            text.push_str(&defined::without(kept, again));
            text.push('\n');
        }
        (text, origins)
    }

    /// What stands before every entry.
    pub fn preface(&self) -> String {
        self.composed_preface(&[]).0
    }

    /// Tells what an entry is, knowing the macros that were defined before.
    pub fn shape(&self, text: &str) -> Shape {
        let preface = self.preface();
        shape(text, &if preface.is_empty() { Vec::new() } else { defined::parsed(&preface).macros })
    }

    /// Forgets a map (without the sigil), its declaration included.
    pub fn forget_map(&mut self, name: &str) {
        self.maps.forget(name);
        self.forget_definitions(&[defined::map_name(name)]);
    }

    fn forget_definitions(&mut self, names: &[String]) {
        for (_, kept) in &mut self.kept {
            *kept = defined::without(kept, names);
        }
    }

    /// Keeps what an entry that was found right defines.
    pub fn keep_definitions(&mut self, sources: &SourceMap, composed: &Composed, ast: &Ast) {
        let text = sources.get(composed.entry).map_or("", |source| source.text.as_str());
        if !matches!(composed.shape, Shape::Script | Shape::Definitions) {
            return;
        }
        let mut kept = without_shebang(text);
        for probe in ast.probes.iter().filter(|probe| probe.span.file == composed.script) {
            let place = |at: u32| (at as usize).saturating_sub(composed.start).min(text.len());
            kept = defined::blanked(&kept, place(probe.span.start), place(probe.span.end));
        }
        self.forget_definitions(&defined::names(&kept));
        if next_item(&kept, composed.entry, 0, &[]).is_some() || kept.contains('#') {
            self.kept.push((composed.entry, kept));
        }
    }

    /// Keeps the maps of an entry that was run.
    pub fn keep_maps(&mut self, checked: &CheckedScript) {
        self.maps.take_over(checked);
    }

    /// Lets a diagnostic about composed scripts point to the entries.
    pub fn locate(&self, diagnostic: &mut Diagnostic) {
        Origins::relocate(diagnostic, |file| self.origins.get(&file));
    }
}

/// A first line `#!...`, as a file may have it, becomes blanks.
fn without_shebang(text: &str) -> String {
    if !text.starts_with("#!") {
        return text.to_string();
    }
    let (line, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
    " ".repeat(line.len()) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionOptions;
    use crate::kernel::fake::FakeKernel;

    struct Session {
        sources: SourceMap,
        book: Book,
        number: u32,
    }

    impl Session {
        fn new() -> Session {
            Session { sources: SourceMap::default(), book: Book::default(), number: 0 }
        }

        /// What is said about an entry: messages with the text that each of their labels marks, and its source's name.
        fn enter(&mut self, text: &str) -> Vec<String> {
            self.number += 1;
            let shape = self.book.shape(text);
            let composed = self.book.compose(&mut self.sources, &format!("<repl:{}>", self.number), text, shape);
            let (ast, mut messages) = crate::parse(&self.sources, composed.script);
            let options = SessionOptions { known_maps: self.book.maps.clone(), ..SessionOptions::default() };
            let (options, found) = crate::config::configure(&ast.config, &[], options);
            messages.extend(found);
            let (checked, found) = crate::check(&ast, &FakeKernel::default(), &options);
            messages.extend(found);
            if !messages.has_errors() {
                self.book.keep_definitions(&self.sources, &composed, &ast);
                self.book.keep_maps(&checked);
            }
            let mut shown = Vec::new();
            for mut message in messages.into_sorted() {
                self.book.locate(&mut message);
                let marks = message.labels.iter().map(|label| {
                    let name = &self.sources.get(label.span.file).expect("a source of the session").name;
                    format!("{name} `{}`", self.sources.slice(label.span))
                });
                shown.push(format!("{}: {}", message.message, marks.collect::<Vec<_>>().join(", ")));
            }
            shown
        }
    }

    #[test]
    fn maps_are_known_to_later_entries() {
        let mut session = Session::new();
        assert!(session.enter("@x = 5").is_empty());
        assert!(session.enter("@x").is_empty());
        assert!(session.enter("@names[comm] = count()").is_empty());
        assert_eq!(
            session.enter("@x = \"text\""),
            ["`@x` holds `int8` values and takes no `string[5]`: <repl:4> `\"text\"`, <repl:1> `5`"]
        );
        assert_eq!(
            session.enter("begin { @names[1] = count() }"),
            ["`@names` has keys `[string[16]]`, not `[int64]`: <repl:5> `@names[1]`, <repl:3> `@names[comm]`"]
        );
        assert_eq!(session.enter("@y"), ["map `@y` is not defined: <repl:6> `@y`"]);
    }

    #[test]
    fn definitions_lead_later_entries() {
        let mut session = Session::new();
        assert!(session.enter("#define FIVE 5").is_empty());
        assert!(session.enter("config = { max_strlen = 8 }\nbegin { print(FIVE) }").is_empty());
        assert!(session.enter("FIVE + 1").is_empty());
        assert_eq!(session.enter("FIVE + six"), ["unknown name `six`: <repl:4> `six`"]);
        let preface = session.book.preface();
        assert!(preface.contains("max_strlen = 8") && !preface.contains("print(FIVE)"), "{preface}");
    }

    #[test]
    fn definitions_can_be_made_again() {
        let mut session = Session::new();
        assert!(session.enter("macro more(x) { x + 1 }\nmacro none(x) { x; }").is_empty());
        assert_eq!(session.book.shape("more(1)"), Shape::Expression);
        assert_eq!(session.book.shape("none(1)"), Shape::Statements);
        assert!(session.enter("macro more(x) { x + 2 }").is_empty());
        let preface = session.book.preface();
        assert!(preface.contains("none") && preface.contains("x + 2") && !preface.contains("x + 1"), "{preface}");
        session.enter("let @few = hash(10);");
        session.book.forget_map("few");
        assert!(!session.book.preface().contains("few"));
    }

    #[test]
    fn what_is_added_points_into_the_entry() {
        let mut session = Session::new();
        let shown = session.enter("print(1");
        assert!(shown.iter().all(|message| message.contains("<repl:1>")), "{shown:?}");
    }
}
