//! Wording: what could have stood where the grammar refused a token, and the comparison in an angle block.

use std::fmt;

use lalrpop_util::ParseError;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::SpannedToken;
use crate::source::{FileId, Span};
use crate::token::Token;

/// What could have stood there, in the user's terms.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The beginning of a statement.
    pub(super) statement: bool,
    /// The beginning of an expression.
    pub(super) expression: bool,
    /// A binary operator.
    operator: bool,
    /// The end of a statement.
    pub(super) semicolon: bool,
    others: Vec<String>,
}

/// Terminals that begin expressions, beside names.
const OPERANDS: &[&str] = &[
    "INT",
    "FLOAT",
    "STR",
    "VAR",
    "MAP",
    "NAME",
    "POSITIONAL",
    "CAST",
    "RECORD_OPEN",
    "VALUE_OPEN",
    "VALUE_IF",
    "(",
    "-",
    "!",
    "~",
    "*",
    "&",
    "++",
    "--",
    "true",
    "false",
    "sizeof",
    "offsetof",
    "typeof",
    "typeinfo",
    "comptime",
    "struct",
    "union",
    "enum",
];

/// Terminals that begin statements.
const STATEMENTS: &[&str] = &[
    "emit",
    "show",
    "let",
    "if",
    "while",
    "for",
    "unroll",
    "return",
    "break",
    "continue",
    "{",
    ";",
    "}",
    "VALUE_CLOSE",
    "ANGLE_CLOSE",
];

/// Terminals that go on with an operand.
const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "<<",
    ">>",
    "?",
    ".",
    "->",
    "[",
    "++",
    "--",
    "(",
    "CALL_BANG",
    "=",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "&=",
    "|=",
    "^=",
    "<<=",
    ">>=",
];

/// Translates the grammar's terminals.
pub(super) fn expected(error: ParseError<usize, Token<'_>, ()>) -> Expected {
    let terminals = match error {
        ParseError::UnrecognizedToken { expected, .. } | ParseError::UnrecognizedEof { expected, .. } => expected,
        ParseError::InvalidToken { .. } | ParseError::ExtraToken { .. } | ParseError::User { .. } => vec![],
    };
    let names: Vec<&str> = terminals.iter().map(|name| name.trim_matches('"')).collect();
    let has = |name: &str| names.contains(&name);
    let (statement, expression, operator) = (has("let"), has("INT") && has("VAR"), has("+") && has("=="));
    let known = |name: &&str| {
        (statement && STATEMENTS.contains(name))
            || (expression && OPERANDS.contains(name))
            || (operator && OPERATORS.contains(name))
    };
    if (has("{") || has("VALUE_OPEN")) && has("[") && !statement {
        // behind a condition: going on with it is possible, but hardly what is missing
        return Expected { others: vec!["`{`".to_string()], ..Expected::default() };
    }
    let others = names.iter().filter(|name| !known(name)).filter_map(|name| in_words(name)).collect();
    Expected { statement, expression, operator, semicolon: has(";"), others }
}

/// A terminal in a message; none when the structure pass alone decides about it.
fn in_words(terminal: &str) -> Option<String> {
    Some(match terminal {
        "NAME" => "a name".to_string(),
        "VAR" => "a variable".to_string(),
        "MAP" => "a map".to_string(),
        "VALUE_CLOSE" => "`}`".to_string(),
        "INT" => "a number".to_string(),
        "TARGET" => "a probe".to_string(),
        "ANGLE_CLOSE" => "`>`".to_string(),
        "ANGLE_OPEN" => "`<`".to_string(),
        "PREDICATE_OPEN" | "PREDICATE_CLOSE" => "`/`".to_string(),
        "FLOAT" | "ERROR_EXPR" | "ERROR_STMT" | "CAST" | "RECORD_OPEN" | "TYPE_OPEN" | "VALUE_OPEN" | "VALUE_IF"
        | "CALL_BANG" => {
            return None;
        }
        _ => format!("`{terminal}`"),
    })
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list: Vec<&str> = Vec::new();
        match (self.statement, self.expression) {
            (true, _) => list.push("a statement"),
            (false, true) => list.push("an expression"),
            (false, false) => {}
        }
        list.extend(self.others.iter().map(String::as_str));
        if self.operator {
            list.push("an operator");
        }
        match list.split_last() {
            None => f.write_str("something else"),
            Some((last, [])) => f.write_str(last),
            Some((last, rest)) => write!(f, "{} or {last}", rest.join(", ")),
        }
    }
}

/// Whether the token behind a bare word looks like the first argument of a call without parentheses.
pub(super) fn begins_with_list(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Str(_) | Token::Int(..) | Token::Name(_) | Token::Var(_) | Token::Map(_) | Token::Positional(_)
    )
}

/// The messages for the `>` at the offsets of `forced`, which closed an action and were meant to compare. `tokens` are
/// those of the item with each of them read as an operator.
pub(super) fn comparisons(text: &str, file: FileId, tokens: &[SpannedToken<'_>], forced: &[usize]) -> Vec<Diagnostic> {
    let at = |offset: &usize| tokens.iter().position(|(start, ..)| start == offset);
    forced.iter().filter_map(at).map(|at| comparison(text, file, tokens, at)).collect()
}

fn comparison(text: &str, file: FileId, tokens: &[SpannedToken<'_>], at: usize) -> Diagnostic {
    let left = operand_edge(tokens.get(..at).unwrap_or_default().iter().rev(), true);
    let right = operand_edge(tokens.get(at + 1..).unwrap_or_default().iter(), false);
    let offset_of = |index: usize| tokens.get(index).map_or((0, 0), |(start, _, end)| (*start, *end));
    let (start, end) = (offset_of(at - left.min(at)).0, offset_of(at + right).1);
    let replacement = format!("({})", text.get(start..end).unwrap_or_default());
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line_end = text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| end + newline);
    let before = text.get(line_start..start).unwrap_or_default().trim_start();
    let after = text.get(end..line_end).unwrap_or_default().trim_end();
    let (sign, sign_end) = offset_of(at);
    let mut diagnostic =
        Diagnostic::error(Code::AngleComparison, "this `>` closes the action, but seems meant to compare")
            .at(Span::new(file, sign, sign_end), "closes the action here")
            .note("in an action written as < ... > a bare `>` ends it")
            .help(format!("put the comparison in parentheses: {before}{replacement}{after}"));
    diagnostic.edit = Some(Edit { span: Span::new(file, start, end), replacement });
    diagnostic
}

/// Counts the tokens up to one that binds looser than a comparison, or leads out of the parentheses.
fn operand_edge<'t, 'a: 't>(tokens: impl Iterator<Item = &'t SpannedToken<'a>>, backwards: bool) -> usize {
    let mut depth = 0usize;
    let inside = |(_, token, _): &&SpannedToken<'_>| {
        let closes = matches!(token, Token::ParenClose | Token::BracketClose | Token::BraceClose | Token::ValueClose);
        let opens = matches!(
            token,
            Token::ParenOpen
                | Token::BracketOpen
                | Token::CastOpen
                | Token::RecordOpen
                | Token::TypeOpen
                | Token::BraceOpen
                | Token::ValueOpen
        );
        let (deeper, higher) = if backwards { (closes, opens) } else { (opens, closes) };
        if depth == 0 && (higher || binds_looser(token)) {
            return false;
        }
        depth = if deeper { depth + 1 } else { depth - usize::from(higher) };
        true
    };
    tokens.take_while(inside).count()
}

fn binds_looser(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Semicolon
            | Token::Comma
            | Token::Colon
            | Token::Question
            | Token::AndAnd
            | Token::OrOr
            | Token::Amp
            | Token::Pipe
            | Token::Caret
            | Token::EqualEqual
            | Token::NotEqual
            | Token::Assign
            | Token::PlusAssign
            | Token::MinusAssign
            | Token::StarAssign
            | Token::SlashAssign
            | Token::PercentAssign
            | Token::AmpAssign
            | Token::PipeAssign
            | Token::CaretAssign
            | Token::ShiftLeftAssign
            | Token::ShiftRightAssign
            | Token::AngleOpen
            | Token::AngleClose
    )
}
