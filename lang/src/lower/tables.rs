//! Rows of tables.

use super::Body;
use crate::ast::Argument;
use crate::columns;
use crate::hir::StmtKind;
use crate::manifest::{EventAction, TableId};
use crate::source::Span;

impl Body<'_, '_> {
    /// `emit t(a, b)`
    pub(super) fn row(&mut self, name: &str, args: &[Argument], span: Span) -> Option<StmtKind> {
        let checked = self.session.checked;
        let at = checked.tables.iter().position(|table| table.name == name)?;
        let given = columns::arrange(&checked.tables.get(at)?.columns, args).ok()?;
        let (mut cells, mut fields) = (Vec::with_capacity(given.len()), Vec::new());
        for value in given {
            cells.push(value.map(|_| fields.len() as u32));
            fields.extend(value.map(|value| self.expr(value)));
        }
        let table = TableId(at as u32);
        Some(self.emit(EventAction::Row { table, cells }, fields, span))
    }
}
