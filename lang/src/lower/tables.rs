//! Rows of tables, and maps shown as tables.

use super::Body;
use crate::ast::{Argument, Expr, ExprKind, Ident, Order};
use crate::check::{literal_int, view};
use crate::columns;
use crate::hir::StmtKind;
use crate::manifest::{EventAction, MapView, RowTable, TableId};
use crate::source::Span;

impl<'a> Body<'_, 'a> {
    /// `emit t(a, b)`
    pub(super) fn row(&mut self, name: &str, args: &[Argument], span: Span) -> Option<StmtKind> {
        let (at, table) = self.declared_table(name)?;
        let given = columns::arrange(&table.columns, args).ok()?;
        let (mut cells, mut fields) = (Vec::with_capacity(given.len()), Vec::new());
        for value in given {
            cells.push(value.map(|_| fields.len() as u32));
            fields.extend(value.map(|value| self.expr(value)));
        }
        Some(self.emit(EventAction::Row { table: at, cells }, fields, span))
    }

    /// `show @m as t sort x desc top 20`
    pub(super) fn show(&mut self, map: &Expr, table: Option<&Ident>, order: &Order, span: Span) -> Option<StmtKind> {
        let ExprKind::Map { name, .. } = &map.kind else { return None };
        let declared = table.and_then(|name| self.declared_table(&name.text));
        let checked = self.session.checked;
        let known = checked.maps.iter().find(|known| known.name == *name)?;
        let view = view(known, declared.map(|(_, table)| table))?;
        let by = match order.by.as_ref().map(|by| &by.kind) {
            Some(ExprKind::Name(name)) => view.table.columns.iter().position(|column| column.name == *name),
            _ => None,
        };
        let top = order.top.as_ref().and_then(literal_int).map(|top| top as u64);
        let table = declared.map_or_else(|| self.own_table(view.table), |(at, _)| at);
        let by = by.map(|at| at as u32);
        let shown = MapView { table, parts: view.parts, by, descending: order.descending, top };
        let action = EventAction::ShowMap { map: self.map_to_show(name), view: shown };
        let stamp = self.stamp();
        Some(self.emit(action, stamp, span))
    }

    fn declared_table(&self, name: &str) -> Option<(TableId, &'a RowTable)> {
        let tables = &self.session.checked.tables;
        let at = tables.iter().position(|table| table.name == name)?;
        tables.get(at).map(|table| (TableId(at as u32), table))
    }

    /// A table that was made for a map; one for all places that show it.
    fn own_table(&mut self, table: RowTable) -> TableId {
        let tables = &mut self.session.tables;
        let at = tables.iter().position(|known| known.name == table.name).unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        });
        TableId(at as u32)
    }
}
