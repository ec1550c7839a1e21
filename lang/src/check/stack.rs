//! Stacks: their forms and the number of frames.

use super::{Checker, MapContent, literal_int};
use crate::ast::{Expr, ExprKind};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::Span;
use crate::stacks::MAX_FRAMES;
use crate::types::{AddressSpace, StackMode, StackType, Type};

/// Most frames that may be asked for.
const MOST_ASKED: i64 = 1024;

impl Checker<'_> {
    /// The stack without further words.
    pub(super) fn default_stack(&mut self, space: AddressSpace, span: Span) -> Type {
        self.stack(StackType { space, mode: self.options.stack_mode, frames: MAX_FRAMES }, span)
    }

    fn stack(&mut self, stack: StackType, span: Span) -> Type {
        if stack.mode == StackMode::BuildId && stack.space != AddressSpace::User {
            let message = "the stack mode `build_id` is for user stacks only";
            let diagnostic = Diagnostic::error(Code::BadArgument, message).at(span, "a stack of the kernel");
            return self.report(diagnostic.help("`raw` shows addresses without names"));
        }
        Type::Stack(stack)
    }

    /// `kstack(perf)`, `ustack(perf, 3)`
    pub(super) fn stack_call(&mut self, space: AddressSpace, args: &[Expr], span: Span) -> Type {
        let mut stack = StackType { space, mode: self.options.stack_mode, frames: MAX_FRAMES };
        for arg in args {
            match &arg.kind {
                ExprKind::Name(word) => stack.mode = StackMode::of_word(word).unwrap_or(stack.mode),
                _ => stack.frames = literal_int(arg).map_or(stack.frames, |frames| (frames as u32).min(MAX_FRAMES)),
            }
        }
        self.stack(stack, span)
    }

    /// A mode, or a number of frames; false after a message.
    pub(super) fn stack_option(&mut self, arg: &Expr) -> bool {
        if let ExprKind::Name(word) = &arg.kind {
            if StackMode::of_word(word).is_some() {
                return true;
            }
            let words = || StackMode::WORDS.iter().map(|row| row.0);
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("no stack mode `{word}`"));
            let diagnostic = diagnostic.at(arg.span, "not a mode").suggest(arg.span, nearest(word, words()));
            let all: Vec<_> = words().collect();
            self.report(diagnostic.help(format!("the modes are: {}", all.join(", "))));
            return false;
        }
        self.expr(arg);
        match literal_int(arg) {
            Some(0..=MOST_ASKED) => true,
            Some(frames) => {
                let message = format!("a stack has from 0 to {MOST_ASKED} frames");
                self.error(Code::BadArgument, arg.span, message, format!("this is {frames}"));
                false
            }
            None => {
                let message = "a stack takes a mode and a literal number of frames";
                self.error(Code::NotALiteral, arg.span, message, "neither");
                false
            }
        }
    }

    /// What `len` takes; false after a message. A map without keys may hold a stack.
    pub(super) fn map_or_stack(&mut self, name: &str, arg: &Expr) -> bool {
        if let ExprKind::Map { name: map, keys } = &arg.kind
            && keys.is_empty()
        {
            let content = self.whole_map(map, arg.span);
            let holds = content.as_ref().map(|content| match content {
                MapContent::Plain(value) => &value.ty,
                _ => &Type::Void,
            });
            if self.is_keyed(map) || !matches!(holds, Some(Type::Stack(_))) {
                return content.is_some();
            }
        }
        let ty = self.value(arg);
        if !matches!(ty, Type::Error | Type::Stack(_)) {
            let message = format!("`{name}` takes a map or a stack");
            self.error(Code::TypeMismatch, arg.span, message, format!("this is `{ty}`"));
            return false;
        }
        ty != Type::Error
    }
}
