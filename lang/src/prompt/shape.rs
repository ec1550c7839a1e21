//! What an entry is: the parser decides.

use crate::ast::{Expr, ExprKind, Macro, StmtKind};
use crate::builtins::{self, Returns};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::lexer::{last_token_end, next_item, plausible_item};
use crate::source::{FileId, SourceMap};

/// What an entry is, and so what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing, or comments alone.
    Empty,
    /// It ends in the middle of something: more lines belong to it.
    Incomplete,
    /// Probes with their actions; runs until it is ended.
    Script,
    /// Settings, macros, definitions and the like, without a probe.
    Definitions,
    /// Statements, which run once.
    Statements,
    /// An expression, whose value is printed.
    Expression,
}

impl Shape {
    /// What stands before an entry to make a script of it.
    pub fn opening(self) -> &'static str {
        self.frame().0
    }

    /// What stands before and behind an entry to make a script of it.
    pub(super) fn frame(self) -> (&'static str, &'static str) {
        match self {
            Shape::Empty | Shape::Incomplete | Shape::Script => ("", ""),
            Shape::Definitions => ("", "\nbegin { }"),
            Shape::Statements => ("begin { ", "\n}"),
            Shape::Expression => ("begin { print(", "\n)}"),
        }
    }
}

/// Tells what an entry is. What is wrong beyond repair counts as what it resembles most, so that its errors are drawn.
/// `macros`: those that are known.
pub(super) fn shape(text: &str, macros: &[Macro]) -> Shape {
    let whole = FileId::default();
    let start = if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 };
    let Some(first) = next_item(text, whole, start, &[]) else { return empty_or_open(text) };
    if !plausible_item(text, first.start) {
        return statements(text, macros);
    }
    let (ast, messages) = parsed(text.to_string());
    if is_open(&messages, last_token_end(text)) {
        Shape::Incomplete
    } else if ast.probes.is_empty() {
        Shape::Definitions
    } else {
        Shape::Script
    }
}

/// What an entry that ends in the middle of something would have become.
pub fn unfinished(text: &str) -> Shape {
    if plausible_item(text, 0) { Shape::Script } else { Shape::Statements }
}

/// A comment may still be open where no item begins.
fn empty_or_open(text: &str) -> Shape {
    let (_, messages) = parsed(text.to_string());
    if is_open(&messages, text.len() + 1) { Shape::Incomplete } else { Shape::Empty }
}

fn parsed(text: String) -> (crate::ast::Ast, Diagnostics) {
    let mut sources = SourceMap::default();
    let file = sources.add("", text);
    crate::parse(&sources, file)
}

/// Whether all that is wrong is that something is missing behind `end`.
fn is_open(messages: &Diagnostics, end: usize) -> bool {
    let errors = messages.iter().filter(|message| message.severity == Severity::Error);
    let mut errors = errors.filter(|error| error.code != Code::EmptyProgram).peekable();
    let open = |error: &Diagnostic| {
        let span = error.span().unwrap_or_default();
        let opened_there = error.code == Code::UnexpectedEnd && span.start < span.end;
        opened_there || span.start as usize >= end
    };
    in_comment(messages) || errors.peek().is_some() && errors.all(open)
}

fn in_comment(messages: &Diagnostics) -> bool {
    messages.iter().any(|message| message.code == Code::UnterminatedComment)
}

fn statements(text: &str, macros: &[Macro]) -> Shape {
    let (before, behind) = Shape::Statements.frame();
    let (ast, messages) = parsed(format!("{before}{text}{behind}"));
    // more may be closed than was opened
    let closed = ast.probes.first().is_some_and(|probe| probe.span.end as usize <= before.len() + text.len());
    if in_comment(&messages) || !closed && is_open(&messages, before.len() + last_token_end(text)) {
        return Shape::Incomplete;
    }
    let [probe] = ast.probes.as_slice() else { return Shape::Statements };
    match probe.action.stmts.as_slice() {
        [only] if !messages.has_errors() && probe.action.has_value => match &only.kind {
            StmtKind::Expr(expr) if has_value(expr, macros, 0) => Shape::Expression,
            _ => Shape::Statements,
        },
        _ => Shape::Statements,
    }
}

/// Calls of functions and macros that give nothing are statements. What is not known may be imported, and give a value.
fn has_value(expr: &Expr, macros: &[Macro], depth: usize) -> bool {
    let ExprKind::Call { name, args } = &expr.kind else { return true };
    let called = |one: &&Macro| one.name.text == name.text && one.params.len() == args.len();
    match (builtins::lookup(&name.text), macros.iter().find(called)) {
        (Some(row), _) => row.returns != Returns::Void,
        (None, Some(found)) if depth < macros.len() => {
            found.body.split_value().1.is_some_and(|value| has_value(value, macros, depth + 1))
        }
        (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_what_the_parser_says() {
        for (text, expected) in [
            ("", Shape::Empty),
            ("  // a remark", Shape::Empty),
            ("/* a remark", Shape::Incomplete),
            ("kprobe:f { @ = count() }", Shape::Script),
            ("kprobe:f", Shape::Incomplete),
            ("kprobe:f /pid == 1/", Shape::Incomplete),
            ("kprobe:f {", Shape::Incomplete),
            ("kprobe:f < @ = count()", Shape::Incomplete),
            ("kprobe:f < @ = count() >", Shape::Script),
            ("begin { printf(\"{\") }", Shape::Script),
            ("config = { max_map_keys = 7 }", Shape::Definitions),
            ("#define FIVE 5", Shape::Definitions),
            ("@x = 1; print(@x)", Shape::Statements),
            ("@x = 1", Shape::Statements),
            ("printf(\"hi\\n\")", Shape::Statements),
            ("1 + 2", Shape::Expression),
            ("1 + 2;", Shape::Statements),
            ("1 +", Shape::Incomplete),
            ("(1, \"a\")", Shape::Expression),
            ("comm", Shape::Expression),
            ("curtask.pid // mine", Shape::Expression),
            ("@x", Shape::Expression),
            ("@x++", Shape::Expression),
            ("print(", Shape::Incomplete),
            ("print(1;", Shape::Statements),
            ("1 + )", Shape::Statements),
            ("if (1) { // why", Shape::Incomplete),
            ("#ifdef NOT", Shape::Incomplete),
            ("struct s { int a;", Shape::Incomplete),
            ("struct s { int a; }", Shape::Definitions),
            ("macro f(x) {", Shape::Incomplete),
            ("macro f(x) { x + 1 }", Shape::Definitions),
            ("let @m = hash(10);", Shape::Definitions),
            ("let $x = 1", Shape::Statements),
            ("if (1) {", Shape::Incomplete),
            ("if (1) { print(1) }", Shape::Statements),
            ("pid ? 1 : 2", Shape::Expression),
            ("$x", Shape::Expression),
            ("print(\"open", Shape::Statements),
            ("kprob:f { }", Shape::Script),
            ("}", Shape::Statements),
        ] {
            assert_eq!(shape(text, &[]), expected, "{text}");
        }
    }
}
