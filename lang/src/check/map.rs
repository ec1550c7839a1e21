//! Maps: what their keys and values are follows from their uses.

use super::infer::{Inferred, merge};
use super::{CheckedMap, Checker, MapContent};
use crate::ast::{Expr, ExprKind};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::Feature;
use crate::manifest::Aggregate;
use crate::source::Span;
use crate::types::Type;

/// The keys of `@x[a, b]` and of `@x[(a, b)]`, which means the same.
pub(crate) fn key_exprs(keys: &[Expr]) -> &[Expr] {
    match keys {
        [Expr { kind: ExprKind::Tuple(values), .. }] => values,
        _ => keys,
    }
}

impl Checker<'_> {
    /// The map of this name; a new one on first use.
    pub(super) fn map_at(&mut self, name: &str, span: Span) -> usize {
        if let Some(at) = self.maps.iter().position(|map| map.name == name) {
            return at;
        }
        self.changed = true;
        let fresh = || CheckedMap {
            name: name.to_string(),
            keys: None,
            keys_span: span,
            value: None,
            value_span: span,
            declared: None,
        };
        self.maps.push(self.options.known_maps.get(name).cloned().unwrap_or_else(fresh));
        self.maps.len() - 1
    }

    /// Checks the key of a use, which takes part in finding its type.
    pub(super) fn map_keys(&mut self, at: usize, keys: &[Expr], span: Span) {
        let mut found: Vec<Inferred> = Vec::new();
        for key in keys {
            let ty = self.value(key);
            found.push(Inferred::key(key, &ty));
        }
        if let ([Inferred { ty: Type::Tuple(types), .. }], [key]) = (found.as_slice(), keys) {
            let literals = key_exprs(keys);
            let flexible = |at: usize| {
                let literal = literals.get(at).filter(|_| matches!(key.kind, ExprKind::Tuple(_)));
                literal.is_some_and(super::literal::is_flexible)
            };
            let parts = types.iter().enumerate();
            found = parts.map(|(at, ty)| Inferred { ty: ty.clone(), flexible: flexible(at) }).collect();
        }
        self.merge_keys(at, &found, span);
    }

    pub(super) fn merge_keys(&mut self, at: usize, found: &[Inferred], span: Span) {
        let Some(map) = self.maps.get_mut(at) else { return };
        let Some(old) = &map.keys else {
            map.keys = Some(found.to_vec());
            map.keys_span = span;
            self.changed = true;
            return;
        };
        let merged: Option<Vec<Inferred>> = if old.len() == found.len() {
            old.iter().zip(found).map(|(old, new)| merge(old, new)).collect()
        } else {
            None
        };
        match merged {
            Some(merged) if merged == *old => {}
            Some(merged) => {
                map.keys = Some(merged);
                self.changed = true;
            }
            None => {
                let diagnostic = key_mismatch(map, old, found, span);
                self.report(diagnostic);
            }
        }
    }

    /// A map read as a value.
    pub(super) fn read_map(&mut self, name: &str, keys: &[Expr], span: Span) -> Type {
        let at = self.map_at(name, span);
        self.map_keys(at, keys, span);
        match self.maps.get(at).and_then(|map| map.value.clone()) {
            None => self.undefined_map(name, span),
            Some(MapContent::Plain(value)) => value.ty,
            Some(MapContent::Aggregate(aggregate)) => self.number(name, aggregate, span),
            Some(MapContent::Figures(figures)) => self.figures(name, &figures, span),
        }
    }

    /// The type of the number that an aggregation is, or a message.
    pub(super) fn number(&mut self, name: &str, aggregate: Aggregate, span: Span) -> Type {
        let function = aggregate.name();
        let Some(ty) = aggregate.number() else {
            let message = format!("`@{name}` holds {function}(), which is no number");
            let diagnostic = Diagnostic::error(Code::AggregationMisused, message).at(span, "used as a value here");
            return self.report(diagnostic.help(format!("print it: `print(@{name})`")));
        };
        let shared = matches!(aggregate, Aggregate::Min { .. } | Aggregate::Max { .. });
        if shared && !self.kernel.has(Feature::PerCpuRead) {
            let row = Feature::PerCpuRead.row();
            let version = self.kernel.version();
            let diagnostic = Diagnostic::error(Code::MissingFeature, format!("this kernel has no {}", row.doc))
                .at(span, format!("reads a {function}()"))
                .note(format!("Linux has them since {}; the kernel compiled for is {version}", row.since))
                .help("count(), sum() and avg() can be read on all kernels");
            return self.report(diagnostic);
        }
        ty
    }

    /// Reports that nothing is ever assigned to a map (a later walk of the script may know better).
    pub(super) fn undefined_map(&mut self, name: &str, span: Span) -> Type {
        if self.incomplete {
            return Type::Error;
        }
        let diagnostic = Diagnostic::error(Code::UndefinedMap, format!("map `@{name}` is not defined"));
        let diagnostic = diagnostic.at(span, "nothing in the script assigns to it");
        let known = self.maps.iter().filter(|map| map.value.is_some() && map.name != name);
        let known = known.map(|map| map.name.as_str()).chain(self.options.known_maps.names());
        let found = nearest(name, known).map(|found| format!("@{found}"));
        let written = Span { end: (span.start + 1 + name.len() as u32).min(span.end), ..span };
        self.report(diagnostic.suggest(written, found.as_deref()))
    }

    /// Assigns a plain value.
    pub(super) fn assign_map(&mut self, name: &str, keys: &[Expr], value: &Inferred, span: Span, value_span: Span) {
        let at = self.map_at(name, span);
        self.map_keys(at, keys, span);
        self.merge_value(at, value, value_span);
    }

    pub(super) fn merge_value(&mut self, at: usize, value: &Inferred, span: Span) {
        let Some(map) = self.maps.get_mut(at) else { return };
        if value.ty == Type::Error {
            // Known to be assigned, with a type that a message was given for.
            if map.value.is_none() {
                map.value = Some(MapContent::Plain(value.clone()));
                map.value_span = span;
                self.changed = true;
            }
            return;
        }
        let old = match &map.value {
            Some(MapContent::Plain(Inferred { ty: Type::Error, .. })) | None => {
                map.value = Some(MapContent::Plain(value.clone()));
                map.value_span = span;
                self.changed = true;
                return;
            }
            Some(MapContent::Plain(old)) => old,
            Some(content) => {
                let (holds, first) = (content.aggregation().unwrap_or_default(), map.value_span);
                let message = format!("`@{}` holds {holds} and takes no plain value", map.name);
                let diagnostic = Diagnostic::error(Code::AggregationMisused, message).at(span, "assigned here");
                let label = if let MapContent::Aggregate(_) = content {
                    format!("{holds} first here")
                } else {
                    "first use is here".into()
                };
                self.report(diagnostic.at(first, label));
                return;
            }
        };
        match merge(old, value) {
            Some(merged) if merged == *old => {}
            Some(merged) => {
                map.value = Some(MapContent::Plain(merged));
                self.changed = true;
            }
            None => {
                let message = format!("`@{}` holds `{}` values and takes no `{}`", map.name, old.ty, value.ty);
                let diagnostic = Diagnostic::error(Code::TypeMismatch, message)
                    .at(span, format!("this is `{}`", value.ty))
                    .at(map.value_span, format!("first assigned here, `{}`", old.ty));
                self.report(diagnostic);
            }
        }
    }

    /// `@x[k] += value`, `@x++`: a map that need not be there before. Gives the type of its values.
    pub(super) fn change_map(
        &mut self,
        name: &str,
        keys: &[Expr],
        span: Span,
        value: &Inferred,
        value_span: Span,
    ) -> Type {
        let at = self.map_at(name, span);
        self.map_keys(at, keys, span);
        let pointer = matches!(
            self.maps.get(at).and_then(|map| map.value.as_ref()),
            Some(MapContent::Plain(Inferred { ty: Type::Pointer { .. }, .. }))
        );
        if !pointer {
            self.merge_value(at, value, value_span);
        }
        match self.maps.get(at).and_then(|map| map.value.as_ref()) {
            Some(MapContent::Plain(value)) => value.ty.clone(),
            _ => Type::Error,
        }
    }

    /// `@x[k] = count()`
    pub(super) fn assign_aggregate(
        &mut self,
        name: &str,
        keys: &[Expr],
        aggregate: Aggregate,
        place: Span,
        call: Span,
    ) {
        let at = self.map_at(name, place);
        self.map_keys(at, keys, place);
        let Some(map) = self.maps.get_mut(at) else { return };
        let problem = match &map.value {
            // what the first walk could not tell yet stands as an unknown value
            None | Some(MapContent::Plain(Inferred { ty: Type::Error, .. })) => {
                map.value = Some(MapContent::Aggregate(aggregate));
                map.value_span = call;
                self.changed = true;
                return;
            }
            Some(MapContent::Plain(_)) => format!("`@{name}` holds plain values and takes no {}()", aggregate.name()),
            Some(MapContent::Aggregate(old)) => match merge_aggregates(*old, aggregate) {
                Some(merged) if merged == *old => return,
                Some(merged) => {
                    map.value = Some(MapContent::Aggregate(merged));
                    self.changed = true;
                    return;
                }
                None if old.name() == aggregate.name() => {
                    format!("`@{name}` is a {}() with other limits elsewhere", old.name())
                }
                None => format!("`@{name}` holds {}() and takes no {}()", old.name(), aggregate.name()),
            },
            Some(content @ MapContent::Figures(_)) => {
                let holds = content.aggregation().unwrap_or_default();
                format!("`@{name}` holds {holds} and takes no {}() without a name", aggregate.name())
            }
        };
        let first = map.value_span;
        let diagnostic = Diagnostic::error(Code::AggregationMisused, problem).at(call, "assigned here");
        self.report(diagnostic.at(first, "first use is here"));
    }

    /// A map named as a whole; what it holds, or a message.
    pub(super) fn whole_map(&mut self, name: &str, span: Span) -> Option<MapContent> {
        let at = self.map_at(name, span);
        let content = self.maps.get(at).and_then(|map| map.value.clone());
        if content.is_none() {
            self.undefined_map(name, span);
        }
        content
    }

    /// Whether the map has keys, as far as is known.
    pub(super) fn is_keyed(&self, name: &str) -> bool {
        let map = self.maps.iter().find(|map| map.name == name);
        map.and_then(|map| map.keys.as_ref()).is_some_and(|keys| !keys.is_empty())
    }
}

fn key_mismatch(map: &CheckedMap, old: &[Inferred], found: &[Inferred], span: Span) -> Diagnostic {
    let list = |keys: &[Inferred]| {
        let names: Vec<_> = keys.iter().map(|key| key.ty.to_string()).collect();
        names.join(", ")
    };
    let name = &map.name;
    let (message, label, first) = match (old.is_empty(), found.is_empty()) {
        (true, _) => (format!("`@{name}` is used with a key and without"), "with a key".into(), "without a key".into()),
        (_, true) => {
            (format!("`@{name}` is used without a key and with one"), "without a key".into(), "with a key".into())
        }
        _ => {
            let message = format!("`@{name}` has keys `[{}]`, not `[{}]`", list(old), list(found));
            (message, format!("`[{}]`", list(found)), format!("first used here with `[{}]`", list(old)))
        }
    };
    Diagnostic::error(Code::KeyMismatch, message).at(span, label).at(map.keys_span, first)
}

/// The same aggregation; signed when either is.
pub(super) fn merge_aggregates(old: Aggregate, new: Aggregate) -> Option<Aggregate> {
    Some(match (old, new) {
        (Aggregate::Sum { signed: a }, Aggregate::Sum { signed: b }) => Aggregate::Sum { signed: a || b },
        (Aggregate::Avg { signed: a }, Aggregate::Avg { signed: b }) => Aggregate::Avg { signed: a || b },
        (Aggregate::Min { signed: a }, Aggregate::Min { signed: b }) => Aggregate::Min { signed: a || b },
        (Aggregate::Max { signed: a }, Aggregate::Max { signed: b }) => Aggregate::Max { signed: a || b },
        (Aggregate::Stats { signed: a }, Aggregate::Stats { signed: b }) => Aggregate::Stats { signed: a || b },
        (old, new) if old == new => old,
        _ => return None,
    })
}
