//! What every room says when something is wrong; rendered once, by the root package.

use crate::codes::Code;
use crate::source::{SourceMap, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the script runs.
    Warning,
    /// The script does not run, or the run failed.
    Error,
}

/// A remark at a place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; may be empty for the primary label.
    pub text: String,
}

/// A replacement that would mend the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What to replace (empty span: insert).
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code, explained by `lt explain`.
    pub code: Code,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// The first label is the primary one; none when there is no place in a source (a missing privilege).
    pub labels: Vec<Label>,
    /// Facts that explain.
    pub notes: Vec<String>,
    /// What to do.
    pub helps: Vec<String>,
    /// The fix, where there is one.
    pub edit: Option<Edit>,
    /// Further text shown with `-v` only (a verifier log).
    pub detail: Option<String>,
    /// All that could stand at the place, for an entry that is completed there.
    pub candidates: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// A warning without a place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: Code, message: String) -> Self {
        let (labels, notes, helps, candidates) = (vec![], vec![], vec![], vec![]);
        Diagnostic { severity, code, message, labels, notes, helps, edit: None, detail: None, candidates }
    }

    /// Adds a label; the first one is the primary.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds an explaining fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Adds "did you mean" with the edit, when there is a near name.
    #[must_use]
    pub fn suggest(mut self, span: Span, nearest: Option<&str>) -> Self {
        if let Some(name) = nearest {
            self.helps.push(format!("did you mean `{name}`?"));
            self.edit = Some(Edit { span, replacement: name.to_string() });
        }
        self
    }

    /// The message in terms of what was written: with the macro calls that led to its place, and without the names
    /// that copies of macros have for themselves.
    #[must_use]
    pub fn resolved(mut self, sources: &SourceMap) -> Self {
        let calls = self.span().map_or_else(Vec::new, |span| sources.expanded_from(span));
        for label in &mut self.labels {
            label.span = sources.real(label.span);
            label.text = plain_names(&label.text);
        }
        self.message = plain_names(&self.message);
        self.notes.iter_mut().chain(&mut self.helps).for_each(|text| *text = plain_names(text));
        let here = self.span().map(|span| span.file);
        for call in calls {
            if Some(call.file) == here {
                self.labels.push(Label { span: call, text: "expanded from here".to_string() });
            } else if let Some(file) = sources.get(call.file) {
                let (line, column) = file.line_column(call.start);
                self.notes.push(format!("expanded from {}:{line}:{column}", file.name));
            }
        }
        self.edit = self.edit.map(|edit| Edit { span: sources.real(edit.span), ..edit });
        self
    }

    /// Sets the text shown with `-v` only.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// Where the primary label points.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// The sink that parsing, checking and lowering write to; they never stop at the first error.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a message, unless the very same one is there.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Takes over all messages of another sink.
    pub fn extend(&mut self, other: Diagnostics) {
        other.list.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is no message at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The messages in terms of what was written, see [`Diagnostic::resolved`]; a mistake in a macro is told once,
    /// however often the macro is called.
    #[must_use]
    pub fn resolved(self, sources: &SourceMap) -> Self {
        let mut list: Vec<Diagnostic> = Vec::with_capacity(self.list.len());
        for diagnostic in self.list {
            let copied = diagnostic.span().is_some_and(|span| sources.real(span) != span);
            let diagnostic = diagnostic.resolved(sources);
            let same = |other: &Diagnostic| other.message == diagnostic.message && other.span() == diagnostic.span();
            if !(copied && list.iter().any(same)) {
                list.push(diagnostic);
            }
        }
        Diagnostics { list }
    }

    /// All messages in source order (those without a place last).
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|diagnostic| diagnostic.span().map_or((1, Span::default()), |span| (0, span)));
        self.list
    }

    /// The messages as they came.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }
}

/// The name of `candidates` that is nearest to a mistyped `name`, if one is near enough to be worth suggesting:
/// Damerau-Levenshtein distance at most a third of the length (at least 1, at most 3).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// Names of scratch variables without what makes those of macros unique: `$x'3` is `$x`.
fn plain_names(text: &str) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let name = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(name);
        let own = rest.strip_prefix('\'').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        out.push('$');
        out.push_str(name);
        out.push_str(own.map_or(rest, |own| own.trim_start_matches(|c: char| c.is_ascii_digit())));
    }
    out
}
