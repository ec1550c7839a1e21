//! Records of aggregations as values of maps: `@x[k].reads = count()`.

use super::infer::Inferred;
use super::map::merge_aggregates;
use super::{Checker, MapContent};
use crate::ast::{Expr, ExprKind, Ident};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::manifest::{Aggregate, Figure, numbers};
use crate::source::Span;
use crate::types::Type;

impl Checker<'_> {
    /// `@x[k].name = count()`
    pub(super) fn assign_figure(&mut self, (place, base, field): (&Expr, &Expr, &Ident), compound: bool, value: &Expr) {
        let ExprKind::Map { name, keys } = &base.kind else { return };
        let Some((function, args)) = super::call::aggregation_call(value).filter(|_| !compound) else {
            self.value(value);
            let message = format!("`{}` of `@{name}` takes nothing but an aggregation", field.text);
            let diagnostic = Diagnostic::error(Code::AggregationMisused, message).at(value.span, "not one");
            let help = "write `= count()`, `= sum(n)` and the like; a plain record is assigned as a whole";
            self.report(diagnostic.help(help));
            return;
        };
        let aggregate = self.aggregate(function, args, value);
        let at = self.map_at(name, base.span);
        self.map_keys(at, keys, base.span);
        match aggregate {
            Some(aggregate) => self.merge_figure(at, field, aggregate, place.span, value.span),
            None if self.maps.get(at).is_some_and(|map| map.value.is_none()) => {
                // The mistake in the call was told; the map counts as assigned.
                self.assign_map(name, keys, &Inferred::fixed(&Type::Error), place.span, value.span);
            }
            None => {}
        }
    }

    fn merge_figure(&mut self, at: usize, field: &Ident, aggregate: Aggregate, place: Span, call: Span) {
        let Some(map) = self.maps.get_mut(at) else { return };
        let figure = || (Figure { name: field.text.clone(), aggregate }, call);
        let (problem, first) = match &mut map.value {
            None | Some(MapContent::Plain(Inferred { ty: Type::Error, .. })) => {
                map.value = Some(MapContent::Figures(vec![figure()]));
                map.value_span = place;
                self.changed = true;
                return;
            }
            Some(MapContent::Plain(_)) => {
                (format!("`@{}` holds plain values and takes no aggregation", map.name), map.value_span)
            }
            Some(MapContent::Aggregate(old)) => {
                let message = format!("`@{}` holds {}() and has no field `{}`", map.name, old.name(), field.text);
                (message, map.value_span)
            }
            Some(MapContent::Figures(figures)) => {
                let Some((old, first)) = figures.iter_mut().find(|(old, _)| old.name == field.text) else {
                    figures.push(figure());
                    self.changed = true;
                    return;
                };
                match merge_aggregates(old.aggregate, aggregate) {
                    Some(merged) => {
                        self.changed |= merged != old.aggregate;
                        old.aggregate = merged;
                        return;
                    }
                    None => (disagreement(&map.name, old, aggregate), *first),
                }
            }
        };
        let diagnostic = Diagnostic::error(Code::AggregationMisused, problem).at(call, "assigned here");
        self.report(diagnostic.at(first, "first use is here"));
    }

    /// `@x[k].name` as a value; `None` when it is no field of a record of aggregations.
    pub(super) fn figure(&mut self, base: &Expr, field: &Ident) -> Option<Type> {
        let ExprKind::Map { name, keys } = &base.kind else { return None };
        let content = self.maps.iter().find(|map| map.name == *name)?.value.clone()?;
        let MapContent::Figures(figures) = content else { return None };
        let at = self.map_at(name, base.span);
        self.map_keys(at, keys, base.span);
        if let Some((figure, _)) = figures.iter().find(|(figure, _)| figure.name == field.text) {
            return Some(self.number(name, figure.aggregate, base.span.to(field.span)));
        }
        if self.walks == 0 || self.incomplete {
            self.changed = true;
            return Some(Type::Error);
        }
        let names = || figures.iter().map(|(figure, _)| figure.name.as_str());
        let message = format!("`@{name}` has no field `{}`", field.text);
        let diagnostic = Diagnostic::error(Code::UnknownField, message).at(field.span, "nothing is assigned to it");
        let diagnostic = diagnostic.note(format!("its fields are: {}", names().collect::<Vec<_>>().join(", ")));
        let candidates = names().map(str::to_string).collect();
        let found = nearest(&field.text, names());
        Some(self.report(Diagnostic { candidates, ..diagnostic.suggest(field.span, found) }))
    }

    /// The type of a whole record of aggregations where a program reads it: those that are numbers. Unknown in the first
    /// walk, which has not seen all of them.
    pub(super) fn figures(&mut self, name: &str, figures: &[(Figure, Span)], span: Span) -> Type {
        if self.walks == 0 {
            self.changed = true;
            return Type::Error;
        }
        let list: Vec<Figure> = figures.iter().map(|(figure, _)| figure.clone()).collect();
        for figure in list.iter().filter(|figure| figure.aggregate.number().is_some()) {
            if self.number(name, figure.aggregate, span) == Type::Error {
                return Type::Error;
            }
        }
        let ty = numbers(&list);
        if ty.parts().is_empty() {
            let message = format!("no field of `@{name}` is a number");
            let diagnostic = Diagnostic::error(Code::AggregationMisused, message).at(span, "used as a value here");
            return self.report(diagnostic.help(format!("print it: `print(@{name})`")));
        }
        ty
    }
}

fn disagreement(map: &str, old: &Figure, new: Aggregate) -> String {
    let (name, function) = (&old.name, old.aggregate.name());
    if function == new.name() {
        return format!("`{name}` of `@{map}` is a {function}() with other limits elsewhere");
    }
    format!("`{name}` of `@{map}` is a {function}() and takes no {}()", new.name())
}
