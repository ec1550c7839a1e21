//! Maps on the user side.

use super::kind::Kind;
use super::{Typed, UserChecker, wrong};
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::UserForm;
use crate::check::MapContent;
use crate::check::call::{MapArgument, aggregation_call};
use crate::check::infer::Inferred;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::manifest::MapId;
use crate::source::Span;
use crate::types::Type;
use crate::user;

impl UserChecker<'_, '_> {
    fn room(&self) -> u32 {
        self.checker.options.max_strlen.max(1)
    }

    /// What a map holds; `None` after a message.
    fn content(&mut self, name: &str, span: Span) -> Option<(MapId, MapContent)> {
        let at = self.checker.map_at(name, span);
        match self.checker.maps.get(at).and_then(|map| map.value.clone()) {
            Some(content) => Some((MapId(at as u32), content)),
            None => {
                self.checker.undefined_map(name, span);
                None
            }
        }
    }

    /// The key of a use, which takes part in finding its type.
    fn keys(&mut self, map: usize, keys: &[Expr], span: Span) -> Vec<user::Expr> {
        let (values, kinds): (Vec<user::Expr>, Vec<Kind>) = keys.iter().map(|key| self.value(key)).unzip();
        let kinds = match kinds.as_slice() {
            [Kind::Tuple(parts)] => parts.clone(),
            _ => kinds,
        };
        let mut found = Vec::with_capacity(kinds.len());
        for (at, kind) in kinds.iter().enumerate() {
            let room = self.known_room(map, at);
            match kind.stored(room) {
                Some(inferred) => found.push(Inferred { ty: inferred.ty.stored(), flexible: inferred.flexible }),
                None => {
                    let span = keys.get(at).map_or(span, |key| key.span);
                    let message = format!("`{kind}` cannot be the key of a map");
                    self.error(Code::KeyMismatch, span, message, "used as a key here");
                    return values;
                }
            }
        }
        self.checker.merge_keys(map, &found, span);
        values
    }

    /// Bytes that strings of no known length have in this part of a map's key: those that it has anyway.
    fn known_room(&self, map: usize, part: usize) -> u32 {
        let keys = self.checker.maps.get(map).and_then(|map| map.keys.as_ref());
        match keys.and_then(|keys| keys.get(part)).map(|key| &key.ty) {
            Some(Type::String { size }) => *size,
            _ => self.room(),
        }
    }

    /// A map read as a value.
    pub(super) fn entry(&mut self, name: &str, keys: &[Expr], span: Span) -> Typed {
        let at = self.checker.map_at(name, span);
        let keys = self.keys(at, keys, span);
        match self.content(name, span) {
            Some((map, content)) => (user::Expr::Entry { map, keys }, Kind::of_content(&content)),
            None => wrong(),
        }
    }

    /// `@x[k] = value`
    pub(super) fn assign_entry(
        &mut self,
        name: &str,
        keys: &[Expr],
        span: Span,
        value: &Expr,
        out: &mut Vec<user::Stmt>,
    ) {
        let at = self.checker.map_at(name, span);
        let keys = self.keys(at, keys, span);
        if aggregation_call(value).is_some() {
            self.unsupported("aggregations in user space are", value.span);
            return;
        }
        let (made, kind) = self.value(value);
        let room = match self.checker.maps.get(at).and_then(|map| map.value.as_ref()) {
            Some(MapContent::Plain(Inferred { ty: Type::String { size }, .. })) => *size,
            _ => self.room(),
        };
        match kind.stored(room) {
            Some(inferred) => self.checker.merge_value(at, &inferred, value.span),
            None if kind == Kind::Float => self.no_fractions(value.span),
            None => {
                let message = format!("a map cannot hold `{kind}`");
                self.error(Code::TypeMismatch, value.span, message, "assigned here");
            }
        }
        out.push(user::Stmt::SetEntry { map: MapId(at as u32), keys, value: made });
    }

    pub(super) fn no_fractions(&mut self, span: Span) {
        let diagnostic = Diagnostic::error(Code::TypeMismatch, "maps hold no numbers with a fraction");
        let help = "cut it off: `(int64)(VALUE)`; or multiply it before, to keep some digits";
        self.report(diagnostic.at(span, "this is `float`").help(help));
    }

    /// An entry that is read and written: the map, its keys and what it holds.
    pub(super) fn entry_to_change(
        &mut self,
        name: &str,
        keys: &[Expr],
        span: Span,
    ) -> Option<(MapId, Vec<user::Expr>, Kind)> {
        let at = self.checker.map_at(name, span);
        let keys = self.keys(at, keys, span);
        self.checker.merge_value(at, &Inferred::step(), span);
        let content = self.checker.maps.get(at).and_then(|map| map.value.clone())?;
        if content.aggregation().is_some() {
            return None;
        }
        Some((MapId(at as u32), keys, Kind::of_content(&content)))
    }

    /// Map, kind of the keys and of the values of what a loop goes over; `None` after a message.
    pub(super) fn entry_kinds(&mut self, over: &Expr) -> Option<(MapId, Kind, Kind)> {
        let ExprKind::Map { name, keys } = &over.kind else {
            self.value(over);
            let diagnostic = Diagnostic::error(Code::TypeMismatch, "a loop goes over a range or a map");
            self.report(
                diagnostic.at(over.span, "neither of them").help("write a range as `0..10`, a map without a key"),
            );
            return None;
        };
        if !keys.is_empty() {
            self.error(Code::KeyMismatch, over.span, "a loop goes over a whole map", "this names one entry");
            return None;
        }
        let (map, content) = self.content(name, over.span)?;
        let keys = self.checker.maps.get(map.0 as usize)?.keys.clone()?;
        let mut kinds: Vec<Kind> = keys.iter().map(|key| Kind::of(&key.ty)).collect();
        let key = match kinds.len() {
            0 => {
                self.error(Code::KeyMismatch, over.span, format!("`@{name}` has no keys"), "holds one value");
                return None;
            }
            1 => kinds.pop()?,
            _ => Kind::Tuple(kinds),
        };
        Some((map, key, Kind::of_content(&content)))
    }

    /// `delete(@x, k)`, `has_key(@x, k)`
    pub(super) fn entry_question(&mut self, form: UserForm, name: &Ident, args: &[Expr]) -> Typed {
        let (Some(first), Some(argument)) = (args.first(), MapArgument::of(args)) else {
            let message = format!("`{}` takes a map and a key", name.text);
            return self.error(Code::TypeMismatch, name.span, message, "in this call");
        };
        if args.len() > 2 || self.checker.is_keyed(argument.name) && argument.keys.is_empty() {
            let message = format!("`{}` takes a map and a key", name.text);
            return self.error(Code::WrongArgumentCount, name.span, message, "in this call");
        }
        let at = self.checker.map_at(argument.name, first.span);
        let keys = self.keys(at, argument.keys, first.span);
        if self.content(argument.name, first.span).is_none() {
            return wrong();
        }
        let map = MapId(at as u32);
        let made =
            if form == UserForm::Delete { user::Expr::Delete { map, keys } } else { user::Expr::Has { map, keys } };
        (made, Kind::Bool)
    }

    /// `len(@map)`
    pub(super) fn length(&mut self, name: &Ident, args: &[Expr]) -> Typed {
        match args {
            [Expr { kind: ExprKind::Map { name, keys }, span, .. }] if keys.is_empty() => {
                match self.content(name, *span) {
                    Some((map, _)) => (user::Expr::Length(map), Kind::INT),
                    None => wrong(),
                }
            }
            _ => {
                let message = format!("`{}` takes a map as a whole here", name.text);
                self.error(Code::TypeMismatch, name.span, message, "in this call")
            }
        }
    }

    /// A map as a whole.
    pub(super) fn whole(&mut self, name: &Ident, args: &[Expr]) -> Option<MapId> {
        match args {
            [Expr { kind: ExprKind::Map { name, keys }, span, .. }] if keys.is_empty() => {
                self.content(name, *span).map(|(map, _)| map)
            }
            _ => {
                let message = format!("`{}` takes a map as a whole", name.text);
                self.error(Code::TypeMismatch, name.span, message, "in this call");
                None
            }
        }
    }
}
