//! Where the parts of a composed source came from.

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// A part of a composed source that is, byte for byte, a part of another one.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where it begins in the composed source.
    start: u32,
    /// Its length in bytes.
    length: u32,
    /// The source it is from, from its first byte on.
    file: FileId,
}

/// The parts of a composed source, in order; what stands between them was added and belongs to the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    parts: Vec<Part>,
}

impl Origins {
    /// A part that ends where the composed source, so far, does.
    pub(super) fn add(&mut self, start: usize, length: usize, file: FileId) {
        self.parts.push(Part { start: start as u32, length: length as u32, file });
    }

    /// The place in its own source.
    fn locate(&self, span: Span) -> Span {
        let inside = |part: &&Part| (part.start..part.start + part.length).contains(&span.start);
        let Some(part) = self.parts.iter().find(inside).or(self.parts.last()) else { return span };
        let cut = |at: u32| at.saturating_sub(part.start).min(part.length);
        Span { file: part.file, start: cut(span.start), end: cut(span.end).max(cut(span.start)) }
    }

    /// Lets a diagnostic point to where its parts came from. `of` gives the parts of a source that is composed.
    pub(super) fn relocate<'o>(diagnostic: &mut Diagnostic, of: impl Fn(FileId) -> Option<&'o Origins>) {
        let edits = diagnostic.edit.iter_mut().map(|edit| &mut edit.span);
        for span in diagnostic.labels.iter_mut().map(|label| &mut label.span).chain(edits) {
            if let Some(origins) = of(span.file) {
                *span = origins.locate(*span);
            }
        }
    }
}
