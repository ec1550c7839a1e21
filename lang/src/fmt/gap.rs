//! What stands between tokens: blanks, line ends, comments, lines of the preprocessor.

/// A comment, or a line of the preprocessor.
pub(super) struct Comment<'t> {
    /// Without the line's end.
    pub(super) text: &'t str,
    /// Line ends between it and what is before.
    pub(super) newlines: usize,
    /// Nothing else can follow on its line.
    pub(super) ends_line: bool,
    /// It stands at the beginning of its line, whatever is around it.
    pub(super) flush: bool,
}

/// The space between two tokens.
pub(super) struct Gap<'t> {
    pub(super) comments: Vec<Comment<'t>>,
    /// Line ends behind the last comment.
    pub(super) newlines: usize,
}

impl<'t> Gap<'t> {
    pub(super) fn read(text: &'t str) -> Gap<'t> {
        let mut gap = Gap { comments: Vec::new(), newlines: 0 };
        let mut rest = text;
        loop {
            let content = rest.trim_start();
            let blank = rest.get(..rest.len() - content.len()).unwrap_or_default();
            gap.newlines += blank.matches('\n').count();
            if content.is_empty() {
                return gap;
            }
            let (length, line) = comment_length(content);
            let (comment, behind) = content.split_at(length);
            let newlines = std::mem::take(&mut gap.newlines);
            let flush = comment.starts_with('#');
            gap.comments.push(Comment { text: comment.trim_end(), newlines, ends_line: line, flush });
            rest = behind;
        }
    }

    pub(super) fn has_newline(&self) -> bool {
        self.newlines > 0 || self.comments.iter().any(|comment| comment.newlines > 0 || comment.ends_line)
    }
}

/// The length of the comment or line that a text begins with, and whether it reaches to the line's end.
fn comment_length(text: &str) -> (usize, bool) {
    if let Some(inside) = text.strip_prefix("/*") {
        return (inside.find("*/").map_or(text.len(), |length| length + 4), false);
    }
    (text.find('\n').unwrap_or(text.len()), true)
}

/// Prints what stands before an item or at the end: comments and lines of the preprocessor, each on a line of its own.
/// `behind` tells whether an item stands before; what begins on its line stays there.
pub(super) fn between_items(out: &mut String, text: &str, behind: bool) {
    let mut blank = false;
    let mut in_comment = false;
    let mut first = behind;
    for line in text.split('\n') {
        let was_in_comment = in_comment;
        in_comment = leaves_comment_open(line, in_comment);
        let content = if was_in_comment { line } else { line.trim_start_matches([';', ' ', '\t', '\r']) };
        let same_line = std::mem::take(&mut first);
        if content.trim().is_empty() && !was_in_comment {
            blank |= !same_line;
            continue;
        }
        if same_line {
            out.push(' ');
        } else {
            end_line(out, blank);
        }
        blank = false;
        let code = !was_in_comment && !content.starts_with("//") && !content.starts_with("/*");
        out.push_str(if code { line } else { content }.trim_end());
    }
    // the piece behind the last line end is the beginning of the item's own line, not a blank line
    let blanks = text.rsplit('\n').skip(1).take_while(|line| line.trim().is_empty()).count();
    let own_line = text.contains('\n') && blanks > usize::from(behind && text.matches('\n').count() == blanks);
    end_line(out, own_line);
}

/// Ends the line, and leaves one blank when asked to.
fn end_line(out: &mut String, blank: bool) {
    if out.is_empty() {
        return;
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    if blank && !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// Whether a block comment is open at the end of a line.
fn leaves_comment_open(line: &str, mut open: bool) -> bool {
    let mut rest = line;
    loop {
        let sign = if open { "*/" } else { "/*" };
        let Some(at) = rest.find(sign) else { return open };
        if !open && rest.find("//").is_some_and(|comment| comment <= at) {
            return false;
        }
        open = !open;
        rest = rest.get(at + 2..).unwrap_or_default();
    }
}
