//! Loops.

use super::infer::{Inferred, merge};
use super::{Checker, MapContent, SessionOptions, literal_int, positional_number};
use crate::ast::{Block, Expr, ExprKind, Ident};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::Feature;
use crate::source::Span;
use crate::types::Type;
use std::collections::HashMap;

/// Most steps of `unroll`.
pub(super) const MAX_UNROLL: i64 = 100;

/// The number of steps that `unroll` was given, when it is a literal or a positional parameter.
pub(crate) fn unroll_count(count: &Expr, options: &SessionOptions) -> Option<i64> {
    match count.kind {
        ExprKind::Positional(number) => {
            let at = (number as usize).checked_sub(1)?;
            options.positional.get(at).and_then(|text| positional_number(text))
        }
        _ => literal_int(count),
    }
}

impl Checker<'_> {
    /// The body of a loop, with the loop's own variable and its type.
    pub(super) fn steps(&mut self, body: &Block, variable: Option<(&Ident, Inferred)>) {
        self.scopes.push(HashMap::new());
        if let Some((name, value)) = variable
            && !self.already_declared(name)
        {
            let at = self.declare(name);
            self.merge_variable(at, &value, name.span);
        }
        self.loops += 1;
        self.block(body);
        self.loops -= 1;
        for (name, at) in self.scopes.pop().unwrap_or_default() {
            if let Some(var) = self.program.vars.get(at) {
                self.closed.insert(name, var.span);
            }
        }
    }

    pub(super) fn unroll(&mut self, count: &Expr, body: &Block) {
        self.value(count);
        match unroll_count(count, self.options) {
            Some(1..=MAX_UNROLL) => {}
            Some(number) => {
                let message = format!("`unroll` takes 1 to {MAX_UNROLL} steps, not {number}");
                self.error(Code::BadArgument, count.span, message, "out of range");
            }
            None => {
                let message = "`unroll` takes a literal number of steps";
                self.error(Code::NotALiteral, count.span, message, "known only when the probe fires");
            }
        }
        self.steps(body, None);
    }

    /// `for ($x : from..to) { }`
    pub(super) fn range_loop(&mut self, name: &Ident, from: &Expr, to: &Expr, body: &Block) {
        let mut ends = Vec::with_capacity(2);
        for end in [from, to] {
            let ty = self.value(end);
            if matches!(ty, Type::Int(_)) {
                ends.push(Inferred::key(end, &ty));
            } else if ty != Type::Error {
                let message = "a range goes from one integer to another";
                self.error(Code::TypeMismatch, end.span, message, format!("this is `{ty}`"));
            }
        }
        let value = match ends.as_slice() {
            [from, to] => merge(from, to),
            _ => None,
        };
        self.steps(body, Some((name, value.unwrap_or_else(|| Inferred::fixed(&Type::Error)))));
    }

    /// `for ($kv : @map) { }`
    pub(super) fn map_loop(&mut self, name: &Ident, over: &Expr, body: &Block) {
        let entry = self.entry_type(over).unwrap_or(Type::Error);
        self.steps(body, Some((name, Inferred::fixed(&entry))));
    }

    /// Key and value of the map that a loop goes over; `None` after a message.
    fn entry_type(&mut self, over: &Expr) -> Option<Type> {
        let ExprKind::Map { name, keys } = &over.kind else {
            self.value(over);
            let message = "a loop goes over a range or a map";
            let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(over.span, "neither of them");
            self.report(diagnostic.help("write a range as `0..10`, a map without a key"));
            return None;
        };
        if !keys.is_empty() {
            self.value(over);
            let message = "a loop goes over a whole map";
            self.error(Code::KeyMismatch, over.span, message, "this names one entry");
            return None;
        }
        let content = self.whole_map(name, over.span)?;
        let keys = self.maps.iter().find(|map| map.name == *name)?.keys.clone()?;
        if keys.is_empty() {
            self.error(Code::KeyMismatch, over.span, format!("`@{name}` has no keys"), "holds one value");
            return None;
        }
        self.can_loop_over_maps(over.span)?;
        let value = match content {
            MapContent::Plain(value) => value.ty,
            MapContent::Aggregate(aggregate) => self.number(name, aggregate, over.span),
            MapContent::Figures(figures) => self.figures(name, &figures, over.span),
        };
        let mut keys: Vec<Type> = keys.into_iter().map(|key| key.ty).collect();
        let key = if keys.len() == 1 { keys.pop()? } else { Type::Tuple(keys) };
        Some(if value == Type::Error { Type::Error } else { Type::Tuple(vec![key, value]) })
    }

    pub(super) fn can_loop_over_maps(&mut self, span: Span) -> Option<()> {
        if self.kernel.has(Feature::MapLoop) {
            return Some(());
        }
        let row = Feature::MapLoop.row();
        let note = format!("Linux has them since {}; the kernel compiled for is {}", row.since, self.kernel.version());
        let message = format!("this kernel has no {}", row.doc);
        self.report(Diagnostic::error(Code::MissingFeature, message).at(span, "needs them").note(note));
        None
    }

    /// Reports a `break` or `continue` outside of all loops.
    pub(super) fn needs_loop(&mut self, word: &str, span: Span) {
        if self.loops == 0 {
            self.error(Code::UnexpectedToken, span, format!("`{word}` stands outside of all loops"), "no loop here");
        }
    }
}
