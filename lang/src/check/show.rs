//! Maps shown as tables: which column holds which part of an entry.

use super::tables::unknown_column;
use super::{CheckedMap, Checker, MapContent, literal_int};
use crate::ast::{Expr, ExprKind, Ident, Order};
use crate::codes::Code;
use crate::columns;
use crate::diagnostic::Diagnostic;
use crate::manifest::{ColumnKind, ColumnRole, RowColumn, RowPart, RowTable};
use crate::source::Span;
use crate::types::{AddressSpace, Type};

/// A part of an entry of a map.
struct Part {
    /// Of a field or a figure.
    name: Option<String>,
    ty: Type,
    at: RowPart,
}

/// How a map is shown.
pub(crate) struct View {
    /// The table, or one that was made for the map.
    pub(crate) table: RowTable,
    /// What stands in each column.
    pub(crate) parts: Vec<Option<RowPart>>,
}

/// Why a map cannot be shown in a table.
enum Misfit {
    /// A value of this aggregation is no cell.
    NoNumber(String),
    /// No column is left for a key or value of this type.
    TooMany(Type),
    /// Nothing for this column.
    NoPart(String),
    /// This column does not show values of this type.
    Wrong(String, Type),
}

/// How a map whose keys and values are known is shown, in a table of the script or in one that is made for it.
pub(crate) fn view(map: &CheckedMap, table: Option<&RowTable>) -> Option<View> {
    let parts = parts(map).ok()?;
    let table = table.cloned().unwrap_or_else(|| own_table(map, &parts));
    arrange(&table, parts).ok().map(|parts| View { table, parts })
}

/// The keys, then what the value consists of.
fn parts(map: &CheckedMap) -> Result<Vec<Part>, Misfit> {
    let keys = map.keys.iter().flatten().enumerate();
    let mut found: Vec<Part> =
        keys.map(|(at, key)| Part { name: None, ty: key.ty.clone(), at: RowPart::Key(at as u32) }).collect();
    match &map.value {
        None => {}
        Some(MapContent::Plain(value)) => match &value.ty {
            Type::Fields(fields) => found.extend(fields.iter().enumerate().map(|(at, field)| Part {
                name: Some(field.name.clone()),
                ty: field.ty.clone(),
                at: RowPart::Field(at as u32),
            })),
            Type::Tuple(types) => found.extend(types.iter().enumerate().map(|(at, ty)| Part {
                name: None,
                ty: ty.clone(),
                at: RowPart::Field(at as u32),
            })),
            ty => found.push(Part { name: None, ty: ty.clone(), at: RowPart::Value }),
        },
        Some(MapContent::Aggregate(aggregate)) => {
            let Some(ty) = aggregate.number() else { return Err(Misfit::NoNumber(aggregate.name().into())) };
            found.push(Part { name: None, ty, at: RowPart::Value });
        }
        Some(MapContent::Figures(figures)) => {
            // those that are no numbers are no cells
            found.extend(figures.iter().enumerate().filter_map(|(at, (figure, _))| {
                let ty = figure.aggregate.number()?;
                Some(Part { name: Some(figure.name.clone()), ty, at: RowPart::Field(at as u32) })
            }));
        }
    }
    Ok(found)
}

/// Keys take the first columns; parts of the value that have a name take the column of that name, others the next one.
fn arrange(table: &RowTable, parts: Vec<Part>) -> Result<Vec<Option<RowPart>>, Misfit> {
    let mut cells: Vec<Option<RowPart>> = vec![None; table.columns.len()];
    for part in parts {
        let at = match &part.name {
            Some(name) => table.columns.iter().position(|column| column.name == *name),
            None => cells.iter().position(Option::is_none),
        };
        let Some((column, cell)) = at.and_then(|at| table.columns.get(at).zip(cells.get_mut(at))) else {
            // not every figure has to be shown
            if part.name.is_some() {
                continue;
            }
            return Err(Misfit::TooMany(part.ty));
        };
        if !part.ty.is_unknown() && !columns::shows(&column.kind, &part.ty) {
            return Err(Misfit::Wrong(column.name.clone(), part.ty));
        }
        *cell = Some(part.at);
    }
    let empty = table.columns.iter().zip(&cells).find(|(column, cell)| cell.is_none() && !column.optional);
    match empty {
        Some((column, _)) => Err(Misfit::NoPart(column.name.clone())),
        None => Ok(cells),
    }
}

/// A table for a map that the script has none for.
fn own_table(map: &CheckedMap, parts: &[Part]) -> RowTable {
    let keys = map.keys.iter().flatten().count();
    let values = parts.len().saturating_sub(keys);
    let numbered =
        |word: &str, at: usize, count: usize| if count == 1 { word.into() } else { format!("{word}{}", at + 1) };
    let function = match &map.value {
        Some(MapContent::Aggregate(aggregate)) => aggregate.name(),
        _ => "value",
    };
    let column = |(at, part): (usize, &Part)| {
        let name = match &part.name {
            Some(name) => name.clone(),
            None if at < keys => numbered("key", at, keys),
            None => numbered(function, at - keys, values),
        };
        let number = matches!(part.ty, Type::Int(_) | Type::Enum(_));
        let kind = match &part.ty {
            Type::Int(_) => ColumnKind::Int,
            Type::Pointer { .. } => ColumnKind::Hex,
            Type::Stack(stack) if stack.space == AddressSpace::User => ColumnKind::UserStack,
            Type::Stack(_) => ColumnKind::KernelStack,
            _ => ColumnKind::Any,
        };
        let role = if at < keys { ColumnRole::Label } else { ColumnRole::Gauge };
        let width = if number { 8 } else { 16 };
        RowColumn { title: name.to_uppercase(), name, kind, optional: true, width, left: !number, role }
    };
    let columns = parts.iter().enumerate().map(column).collect();
    RowTable { name: format!("@{}", map.name), columns, span: map.value_span }
}

impl Checker<'_> {
    /// `show @m as t sort x desc top 20`
    pub(super) fn show(&mut self, map: &Expr, table: Option<&Ident>, order: &Order) {
        let table = match table {
            Some(name) => match self.row_table(name) {
                Some(table) => Some((table, name.span)),
                None => return,
            },
            None => None,
        };
        let ExprKind::Map { name, keys } = &map.kind else {
            self.value(map);
            self.error(Code::TypeMismatch, map.span, "`show` takes a map", "not a map");
            return;
        };
        if !keys.is_empty() {
            let message = "`show` takes a map as a whole";
            self.error(Code::TypeMismatch, map.span, message, "one entry of a map");
            return;
        }
        if self.whole_map(name, map.span).is_none() {
            return;
        }
        let Some(known) = self.maps.iter().find(|known| known.name == *name).cloned() else { return };
        let shown = parts(&known).and_then(|parts| {
            let own = || own_table(&known, &parts);
            let found = table.as_ref().map_or_else(own, |(table, _)| table.clone());
            arrange(&found, parts).map(|_| found)
        });
        match shown {
            Ok(found) => self.order(order, &found),
            Err(why) => self.misfit(&known, table.as_ref(), why, map.span),
        }
    }

    fn misfit(&mut self, map: &CheckedMap, table: Option<&(RowTable, Span)>, why: Misfit, span: Span) {
        let name = &map.name;
        let table_name = table.map_or("", |(table, _)| &table.name);
        let diagnostic = match why {
            Misfit::NoNumber(function) => {
                let message = format!("`@{name}` holds {function}(), which is no cell of a table");
                Diagnostic::error(Code::AggregationMisused, message)
                    .at(span, "shown here")
                    .help(format!("print it: `print(@{name})`"))
            }
            Misfit::TooMany(ty) => {
                let message = format!("the table `{table_name}` has too few columns for `@{name}`");
                Diagnostic::error(Code::TypeMismatch, message).at(span, format!("no column is left for `{ty}`"))
            }
            Misfit::NoPart(column) => {
                let message = format!("`@{name}` has nothing for the column `{column}` of `{table_name}`");
                let help = "the keys fill the first columns; a `?` behind a column's type lets it be empty";
                Diagnostic::error(Code::TypeMismatch, message).at(span, "shown here").help(help)
            }
            Misfit::Wrong(column, ty) => {
                let message = format!("the column `{column}` cannot show `{ty}`");
                Diagnostic::error(Code::TypeMismatch, message).at(span, format!("`@{name}` has a `{ty}` there"))
            }
        };
        self.report(match table {
            Some((table, _)) => diagnostic.at(table.span, "the table"),
            None => diagnostic,
        });
    }

    fn order(&mut self, order: &Order, table: &RowTable) {
        match &order.by {
            None => {}
            Some(Expr { kind: ExprKind::Name(name), span, .. }) => {
                let known = table.columns.iter().any(|column| column.name == *name);
                let unknown = (!known).then(|| unknown_column(table, name, *span));
                unknown.into_iter().for_each(|unknown| self.out.push(unknown));
            }
            Some(by) => {
                self.unsupported("an order by anything but a column is", by.span);
            }
        }
        let Some(top) = &order.top else { return };
        self.value(top);
        match literal_int(top) {
            Some(1..) => {}
            Some(number) => {
                self.error(Code::BadArgument, top.span, "at least one row is shown", format!("this is {number}"));
            }
            None => {
                self.error(Code::NotALiteral, top.span, "the number of rows must be a literal", "not a literal");
            }
        }
    }
}
