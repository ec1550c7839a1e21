//! Source texts and places in them.

use serde::{Deserialize, Serialize};

/// Number of a source text in its [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A half-open range of bytes of one source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The text it lies in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span that covers both (of the file of `self`).
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One source text with the name that messages show for it (`-e`, `<stdin>` or a path).
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Shown in messages and in the line information of loaded programs.
    pub name: String,
    /// The whole text.
    pub text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(name: String, text: String) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        SourceFile { name, text, line_starts }
    }

    /// Line and column of a byte offset, both from 1; the column counts bytes.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        (line as u32, offset - start + 1)
    }

    /// The text of a line (from 1) without its newline; empty beyond the end.
    pub fn line(&self, line: u32) -> &str {
        self.text.lines().nth((line as usize).saturating_sub(1)).unwrap_or("")
    }
}

/// A copy of a macro's body: its spans have a [`FileId`] of their own, but lie in the macro's text.
#[derive(Clone, Copy, Debug)]
struct Expansion {
    /// The text that holds the macro.
    file: FileId,
    /// The call, which can stand in such a copy itself.
    call: Span,
}

/// Numbers from here on are those of copies.
const FIRST_EXPANSION: u32 = 1 << 31;

/// All source texts of a session.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    expansions: Vec<Expansion>,
}

impl SourceMap {
    /// Adds a text. Texts of 4 GiB and more are the caller's to refuse (spans are 32 bits wide).
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(SourceFile::new(name.into(), text.into()));
        FileId(self.files.len() as u32 - 1)
    }

    /// A number for the spans of a copy of a macro's body: the macro stands in `file`, the call at `call`.
    pub fn add_expansion(&mut self, file: FileId, call: Span) -> FileId {
        let file = self.real(Span { file, ..Span::default() }).file;
        self.expansions.push(Expansion { file, call });
        FileId(FIRST_EXPANSION + self.expansions.len() as u32 - 1)
    }

    fn expansion(&self, id: FileId) -> Option<&Expansion> {
        self.expansions.get(id.0.checked_sub(FIRST_EXPANSION)? as usize)
    }

    /// The span in the text that was written.
    pub fn real(&self, span: Span) -> Span {
        self.expansion(span.file).map_or(span, |expansion| Span { file: expansion.file, ..span })
    }

    /// The calls of macros that led to this place, innermost first, each in the text that was written.
    pub fn expanded_from(&self, span: Span) -> Vec<Span> {
        let mut calls = Vec::new();
        let mut at = span;
        while let Some(expansion) = self.expansion(at.file) {
            at = expansion.call;
            calls.push(self.real(at));
        }
        calls
    }

    /// The text of `id`, if this map made the id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        let id = self.expansion(id).map_or(id, |expansion| expansion.file);
        self.files.get(id.0 as usize)
    }

    /// All texts, in the order of their ids.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The bytes of a span; empty when it does not lie in the map.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }
}
