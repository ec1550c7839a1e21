//! Diagnostics as people and programs read them; the only user of ariadne.

use ariadne::{Cache, Color, Config, IndexType, Label, Report, ReportKind, Source};
use lt_lang::diagnostic::{Diagnostic, Severity};
use lt_lang::source::{FileId, SourceFile, SourceMap, Span};
use std::fmt::Write as _;

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colors.
    pub color: bool,
    /// With the details that `-v` shows.
    pub verbose: bool,
}

/// Source lines above this many bytes are shown as an excerpt around the place.
const LONGEST_LINE: usize = 200;

/// Draws one diagnostic, with a newline at its end.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let located = diagnostic.span().and_then(|span| sources.get(span.file).map(|file| (span, file)));
    let mut text = match located {
        Some((span, file)) => draw(diagnostic, span, file, sources, style),
        None => plain(diagnostic, style),
    };
    if let Some(detail) = diagnostic.detail.as_ref().filter(|_| style.verbose) {
        let _ = writeln!(text, "{}", detail.trim_end());
    }
    text
}

fn kind_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A message that has no place in a source.
fn plain(diagnostic: &Diagnostic, style: Style) -> String {
    let kind = kind_name(diagnostic.severity);
    let head = format!("{kind}[{}]", diagnostic.code);
    let paint = match diagnostic.severity {
        Severity::Error => "\x1b[31m",
        Severity::Warning => "\x1b[33m",
    };
    let head = if style.color { format!("{paint}{head}\x1b[0m") } else { head };
    let mut text = format!("{head}: {}\n", printable(&diagnostic.message));
    for note in &diagnostic.notes {
        let _ = writeln!(text, "  note: {}", printable(note));
    }
    for help in &diagnostic.helps {
        let _ = writeln!(text, "  help: {}", printable(help));
    }
    text
}

/// A message drawn upon its source lines.
fn draw(diagnostic: &Diagnostic, primary: Span, file: &SourceFile, sources: &SourceMap, style: Style) -> String {
    let view = View::of(file, primary);
    let color = match diagnostic.severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    };
    let config = Config::new().with_index_type(IndexType::Byte).with_color(style.color).with_tab_width(4);
    // the kinds of one's own ignore the wish for no color
    let kind = match diagnostic.severity {
        Severity::Error => ReportKind::Error,
        Severity::Warning => ReportKind::Warning,
    };
    let mut report = Report::build(kind, (view.name.clone(), view.range(primary)))
        .with_code(diagnostic.code)
        .with_message(printable(&diagnostic.message))
        .with_config(config);
    let mut views = vec![(primary.file, view)];
    for (at, label) in diagnostic.labels.iter().enumerate() {
        let Some(view) = view_of(&mut views, label.span, sources) else { continue };
        let Some(range) = view.visible(label.span) else { continue };
        let mut mark = Label::new((view.name.clone(), range)).with_order(at as i32);
        mark = mark.with_color(if at == 0 { color } else { Color::Blue });
        // ariadne draws no underline for a label without a message
        mark = mark.with_message(if label.text.is_empty() { "here".into() } else { printable(&label.text) });
        report.add_label(mark);
    }
    diagnostic.notes.iter().for_each(|note| report.add_note(printable(note)));
    diagnostic.helps.iter().for_each(|help| report.add_help(printable(help)));
    let mut bytes = Vec::new();
    match report.finish().write(Drawn::of(&views), &mut bytes) {
        Ok(()) => trim_line_ends(&String::from_utf8_lossy(&bytes)),
        Err(_) => plain(diagnostic, style),
    }
}

/// The view of the source that a span lies in; made for the first one of each source.
fn view_of<'v>(views: &'v mut Vec<(FileId, View)>, span: Span, sources: &SourceMap) -> Option<&'v View> {
    if !views.iter().any(|(file, _)| *file == span.file) {
        views.push((span.file, View::of(sources.get(span.file)?, span)));
    }
    views.iter().find(|(file, _)| *file == span.file).map(|(_, view)| view)
}

/// The views as ariadne asks for them: by name.
struct Drawn(Vec<(String, Source<String>)>);

impl Drawn {
    fn of(views: &[(FileId, View)]) -> Drawn {
        let source = |view: &View| Source::from(view.text.clone()).with_display_line_offset(view.line_offset);
        Drawn(views.iter().map(|(_, view)| (view.name.clone(), source(view))).collect())
    }
}

impl Cache<String> for Drawn {
    type Storage = String;

    fn fetch(&mut self, name: &String) -> Result<&Source<String>, impl std::fmt::Debug> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, source)| source).ok_or("no such source")
    }

    fn display<'a>(&self, name: &'a String) -> Option<impl std::fmt::Display + 'a> {
        Some(name)
    }
}

/// The part of a source that is drawn: all of it, or an excerpt of a line too long to show.
struct View {
    name: String,
    text: String,
    /// Bytes of the source in front of `text`.
    skipped: usize,
    /// Lines of the source in front of `text`.
    line_offset: usize,
}

impl View {
    fn of(file: &SourceFile, span: Span) -> View {
        let (line, column) = file.line_column(span.start);
        if file.line(line).len() <= LONGEST_LINE {
            return View { name: file.name.clone(), text: printable_source(&file.text), skipped: 0, line_offset: 0 };
        }
        let line_start = span.start as usize + 1 - column as usize;
        let line_end = line_start + file.line(line).len();
        let start = floor_boundary(&file.text, (span.start as usize).saturating_sub(60).max(line_start));
        let end = floor_boundary(&file.text, (start + 160).min(line_end));
        View {
            name: format!("{} (excerpt of line {line} from column {})", file.name, start - line_start + 1),
            text: printable_source(file.text.get(start..end).unwrap_or_default()),
            skipped: start,
            line_offset: line as usize - 1,
        }
    }

    /// The span as a range of `text`, cut to it.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let cut = |at: u32| (at as usize).saturating_sub(self.skipped).min(self.text.len());
        cut(span.start)..cut(span.end).max(cut(span.start))
    }

    /// The same for a label, unless it lies outside.
    fn visible(&self, span: Span) -> Option<std::ops::Range<usize>> {
        let inside = span.start as usize >= self.skipped && span.start as usize <= self.skipped + self.text.len();
        inside.then(|| self.range(span))
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Replaces control characters, which could play tricks on a terminal, by as many question marks as they have bytes,
/// so that spans stay right.
fn printable_source(text: &str) -> String {
    let hidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(hidden) {
        return text.to_string();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if hidden(c) {
            (0..c.len_utf8()).for_each(|_| clean.push('?'))
        } else {
            clean.push(c)
        }
        clean
    })
}

/// A message with control characters escaped (it may quote names from the script).
fn printable(text: &str) -> String {
    if !text.contains(|c: char| c.is_control() && c != '\n') {
        return text.to_string();
    }
    text.chars().fold(String::new(), |mut clean, c| {
        if c.is_control() && c != '\n' {
            clean.extend(c.escape_default())
        } else {
            clean.push(c)
        }
        clean
    })
}

/// ariadne leaves blanks at the ends of lines.
fn trim_line_ends(text: &str) -> String {
    let mut trimmed: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if !trimmed.ends_with('\n') {
        trimmed.push('\n');
    }
    trimmed
}
