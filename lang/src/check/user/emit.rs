//! Rows of tables on the user side.

use super::kind::Kind;
use super::{UserChecker, float};
use crate::ast::{Argument, Expr, Ident};
use crate::codes::Code;
use crate::columns;
use crate::diagnostic::Diagnostic;
use crate::manifest::{ColumnKind, RowColumn, TableId};
use crate::source::Span;
use crate::types::Type;
use crate::user::{self, Request};

impl UserChecker<'_, '_> {
    /// `emit t(a, b = c)`
    pub(super) fn emit(&mut self, name: &Ident, args: &[Argument], span: Span, out: &mut Vec<user::Stmt>) {
        let Some(table) = self.checker.row_table(name) else {
            args.iter().for_each(|arg| drop(self.value(&arg.value)));
            return;
        };
        let cells = match columns::arrange(&table.columns, args) {
            Ok(cells) => cells,
            Err((arg, why)) => return self.checker.no_cell(&table, arg, why, args.len()),
        };
        self.checker.missing_cells(&table, &cells, span);
        let cells = table.columns.iter().zip(cells);
        let cells: Vec<Option<user::Expr>> = cells.map(|(column, value)| Some(self.cell(column, value?))).collect();
        if let Some(at) = self.checker.tables.iter().position(|known| known.name == table.name) {
            out.push(user::Stmt::Request(Request::Row { table: TableId(at as u32), cells }));
        }
    }

    fn cell(&mut self, column: &RowColumn, expr: &Expr) -> user::Expr {
        let (value, kind) = self.value(expr);
        if !shows(&column.kind, &kind) {
            let message = format!("the column `{}` cannot show `{kind}`", column.name);
            let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(expr.span, format!("this is `{kind}`"));
            let help = "a fraction is shown by the types float, percent, rate, bytes and those of time";
            self.report(if kind == Kind::Float { diagnostic.help(help) } else { diagnostic });
        }
        // arithmetic whose result is a fraction to whoever reads it is done with fractions
        let fraction =
            matches!(column.kind, ColumnKind::Float { .. } | ColumnKind::Rate { .. } | ColumnKind::Percent { .. });
        let operation = matches!(value, user::Expr::Operation { .. });
        if fraction && operation && matches!(kind, Kind::Int { .. }) { float::convert(value, &kind) } else { value }
    }
}

/// Whether a column shows such values.
fn shows(column: &ColumnKind, kind: &Kind) -> bool {
    match kind {
        Kind::Error => true,
        Kind::Float => matches!(
            column,
            ColumnKind::Any
                | ColumnKind::Float { .. }
                | ColumnKind::Duration { .. }
                | ColumnKind::Bytes { .. }
                | ColumnKind::Rate { .. }
                | ColumnKind::Percent { .. }
        ),
        Kind::Bool => columns::shows(column, &Type::Bool),
        Kind::Int { .. } => columns::shows(column, &Type::I64),
        Kind::Text(_) => columns::shows(column, &Type::String { size: 1 }),
        Kind::Other(ty) => columns::shows(column, ty),
        Kind::Void | Kind::Tuple(_) | Kind::Record(_) | Kind::Stats | Kind::Histogram => *column == ColumnKind::Any,
    }
}
