//! Tables of rows: their declarations, and the rows that actions emit.

use super::{Checker, suggest};
use crate::ast::{Argument, Ast, Column, ColumnAttribute, ColumnDetail, Expr, ExprKind, Ident, ScriptItem, Table};
use crate::codes::Code;
use crate::columns::{self, ArrangeError, ColumnType, Detail};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::kernel::Kernel;
use crate::manifest::{ColumnKind, RowColumn, RowTable};
use crate::source::Span;
use crate::types::{EnumRef, Type};

/// The tables of a script, with messages about their declarations. A column whose type is wrong shows any value, so that
/// nothing more is said of it.
pub(super) fn declared(ast: &Ast, kernel: &dyn Kernel) -> (Vec<RowTable>, Diagnostics) {
    let mut reader = Reader { kernel, out: Diagnostics::default() };
    let mut tables: Vec<RowTable> = Vec::new();
    for (item, span) in &ast.script {
        let ScriptItem::Table(table) = item else { continue };
        if let Some(first) = tables.iter().find(|known| known.name == table.name.text) {
            let message = format!("the table `{}` is declared twice", table.name.text);
            let diagnostic = Diagnostic::error(Code::BadTable, message).at(table.name.span, "declared again");
            reader.out.push(diagnostic.at(first.span, "declared here"));
            continue;
        }
        tables.push(reader.table(table, *span));
    }
    (tables, reader.out)
}

struct Reader<'k> {
    kernel: &'k dyn Kernel,
    out: Diagnostics,
}

impl Reader<'_> {
    fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) -> Option<ColumnKind> {
        self.out.push(Diagnostic::error(Code::BadTable, message).at(span, label));
        None
    }

    fn table(&mut self, table: &Table, span: Span) -> RowTable {
        if table.columns.is_empty() {
            self.error(span, format!("the table `{}` has no columns", table.name.text), "empty");
        }
        let mut columns: Vec<RowColumn> = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            if columns.iter().any(|known| known.name == column.name.text) {
                let message = format!("the table has two columns `{}`", column.name.text);
                self.error(column.name.span, message, "the second one");
            }
            if let Some(value) = &column.value {
                let diagnostic = Diagnostic::error(Code::NotSupported, "columns with a value are not supported yet");
                self.out.push(diagnostic.at(value.span, "part of the language, but not of this version"));
            }
            columns.push(self.column(column));
        }
        RowTable { name: table.name.text.clone(), columns, span: table.name.span }
    }

    fn column(&mut self, column: &Column) -> RowColumn {
        let name = &column.name.text;
        if name == "_" {
            self.error(column.name.span, "a column of a table has a name", "`_` is for columns of files");
        }
        let Some(row) = columns::lookup(&column.ty.text) else {
            self.unknown_type(&column.ty);
            return RowColumn {
                name: name.clone(),
                title: name.to_uppercase(),
                kind: ColumnKind::Any,
                optional: true,
                width: 0,
                left: true,
                role: crate::manifest::ColumnRole::None,
            };
        };
        let kind = self.kind(row, column);
        let mut found = RowColumn {
            name: name.clone(),
            title: name.to_uppercase(),
            kind: kind.unwrap_or(ColumnKind::Any),
            optional: column.optional,
            width: row.width,
            left: row.left,
            role: row.role,
        };
        for attribute in &column.attributes {
            self.attribute(attribute, &mut found);
        }
        found
    }

    fn unknown_type(&mut self, ty: &Ident) {
        let names = columns::ALL.iter().map(|row| row.name);
        let diagnostic = Diagnostic::error(Code::BadTable, format!("no column has the type `{}`", ty.text))
            .at(ty.span, "no type of columns");
        let diagnostic = match nearest(&ty.text, names.clone()) {
            Some(found) => diagnostic.suggest(ty.span, Some(found)),
            None => diagnostic.help(format!("there are: {}", names.collect::<Vec<_>>().join(", "))),
        };
        self.out.push(diagnostic);
    }

    /// What the type and what stands behind its name make; `None` after a message.
    fn kind(&mut self, row: &ColumnType, column: &Column) -> Option<ColumnKind> {
        let span = column.ty.span;
        match (row.detail, &column.detail) {
            (Detail::Nothing(make), ColumnDetail::None) => Some(make()),
            (Detail::Digits(digits, make), ColumnDetail::None) => Some(make(digits)),
            (Detail::Digits(_, make), ColumnDetail::Digits(digits)) if *digits <= columns::MOST_DIGITS => {
                Some(make(*digits))
            }
            (Detail::Digits(..), ColumnDetail::Digits(digits)) => {
                let most = columns::MOST_DIGITS;
                self.error(span, format!("at most {most} digits are shown"), format!("these are {digits}"))
            }
            (Detail::Format(make), ColumnDetail::Arguments(args)) => match args.as_slice() {
                [Expr { kind: ExprKind::Str(format), .. }] => Some(make(format.clone())),
                _ => self.error(span, "a time takes one format", "written `time(\"%F_%T\")`"),
            },
            (Detail::Enumeration(make), ColumnDetail::Enum(name)) => self.enumeration(name).map(make),
            (Detail::Format(_), _) => self.error(span, "this type needs a format", "written `time(\"%F_%T\")`"),
            (Detail::Enumeration(_), _) => self.error(span, "which enumeration?", "written `enum NAME`"),
            (Detail::Digits(..), _) => self.error(
                span,
                format!("`{}` takes a number of digits", row.name),
                format!("written `{}.3`", row.name),
            ),
            (Detail::Nothing(_), _) => {
                self.error(span, format!("nothing stands behind `{}`", row.name), "it has no digits and takes nothing")
            }
        }
    }

    fn enumeration(&mut self, name: &Ident) -> Option<EnumRef> {
        match self.kernel.enumeration(&name.text) {
            Ok(Some(Type::Enum(found))) => Some(found),
            Ok(_) => {
                let version = self.kernel.version();
                let diagnostic =
                    Diagnostic::error(Code::UnknownName, format!("no `enum {}` in this kernel", name.text))
                        .at(name.span, "not in its BTF")
                        .note(format!("the kernel compiled for is {version}; the type may belong to a module"));
                self.out.push(diagnostic);
                None
            }
            Err(error) => {
                self.out.push(suggest::kernel_error(&error, name.span, "an enumeration of the kernel"));
                None
            }
        }
    }

    fn attribute(&mut self, attribute: &ColumnAttribute, column: &mut RowColumn) {
        let (word, number) = match attribute {
            ColumnAttribute::Title(title) => {
                column.title = String::from_utf8_lossy(title).into_owned();
                return;
            }
            ColumnAttribute::Word(word, number) => (word, *number),
        };
        let side = columns::SIDES.iter().find(|row| row.0 == word.text);
        let role = columns::ROLES.iter().find(|row| row.0 == word.text);
        match (side, role, number) {
            (Some(side), _, None) => column.left = side.1,
            (_, Some(role), None) => column.role = role.1,
            (None, None, Some(width @ 1..=columns::MOST_WIDTH)) if word.text == columns::WIDTH => column.width = width,
            (None, None, width) if word.text == columns::WIDTH => {
                let most = columns::MOST_WIDTH;
                let label = width.map_or("no number".into(), |width| format!("this is {width}"));
                self.error(word.span, format!("a column is 1 to {most} places wide"), label);
            }
            _ => self.unknown_word(word, number),
        }
    }

    fn unknown_word(&mut self, word: &Ident, number: Option<u32>) {
        let words = columns::SIDES.iter().map(|row| row.0).chain(columns::ROLES.iter().map(|row| row.0));
        let words: Vec<&str> = words.chain([columns::WIDTH]).collect();
        if let (true, Some(number)) = (words.contains(&word.text.as_str()), number) {
            self.error(word.span, format!("`{}` takes no number", word.text), format!("{number} stands behind it"));
            return;
        }
        let diagnostic = Diagnostic::error(Code::BadTable, format!("a column has no `{}`", word.text))
            .at(word.span, "not known here")
            .suggest(word.span, nearest(&word.text, words.iter().copied()))
            .help(format!("a type is followed by a title in quotes, `width N`, and {}", words.join(", ")));
        self.out.push(diagnostic);
    }
}

impl Checker<'_> {
    /// `emit t(a, b)`
    pub(super) fn emit(&mut self, name: &Ident, args: &[Argument], span: Span) {
        for arg in args {
            self.value(&arg.value);
        }
        let Some(table) = self.row_table(name) else { return };
        let cells = match columns::arrange(&table.columns, args) {
            Ok(cells) => cells,
            Err((arg, why)) => return self.no_cell(&table, arg, why, args.len()),
        };
        self.missing_cells(&table, &cells, span);
        for (column, cell) in table.columns.iter().zip(cells) {
            if let Some(value) = cell {
                self.check_cell(column, value);
            }
        }
    }

    /// Reports columns without a value.
    pub(super) fn missing_cells(&mut self, table: &RowTable, cells: &[Option<&Expr>], span: Span) {
        let missing: Vec<&str> = table
            .columns
            .iter()
            .zip(cells)
            .filter(|(column, cell)| cell.is_none() && !column.optional)
            .map(|(column, _)| column.name.as_str())
            .collect();
        if !missing.is_empty() {
            let plural = if missing.len() == 1 { "" } else { "s" };
            let message = format!("no value for the column{plural} {} of `{}`", quoted(&missing), table.name);
            let diagnostic = Diagnostic::error(Code::WrongArgumentCount, message).at(span, "in this row");
            self.report(
                diagnostic.at(table.span, "the table").help("a `?` behind a column's type lets it be left out"),
            );
        }
    }

    /// The table of this name, or a message.
    pub(super) fn row_table(&mut self, name: &Ident) -> Option<RowTable> {
        let found = self.tables.iter().find(|table| table.name == name.text).cloned();
        if found.is_none() {
            let diagnostic = Diagnostic::error(Code::UnknownTable, format!("no table `{}`", name.text))
                .at(name.span, "the script declares no table of this name");
            let known = nearest(&name.text, self.tables.iter().map(|table| table.name.as_str()));
            let diagnostic = diagnostic.suggest(name.span, known);
            self.report(diagnostic);
        }
        found
    }

    /// Reports a value without a column.
    pub(super) fn no_cell(&mut self, table: &RowTable, arg: &Argument, why: ArrangeError, given: usize) {
        let count = table.columns.len();
        let plural = if count == 1 { "" } else { "s" };
        let diagnostic = match (&arg.name, why) {
            (Some(name), ArrangeError::NoColumn) => unknown_column(table, &name.text, name.span),
            (Some(name), ArrangeError::Twice) => {
                let message = format!("the column `{}` has two values in this row", name.text);
                Diagnostic::error(Code::WrongArgumentCount, message).at(name.span, "the second one")
            }
            (None, _) => {
                let message = format!("the table `{}` has {count} column{plural}, not {given}", table.name);
                Diagnostic::error(Code::WrongArgumentCount, message).at(arg.value.span, "has no column")
            }
        };
        self.report(diagnostic.at(table.span, "the table"));
    }

    fn check_cell(&mut self, column: &RowColumn, value: &Expr) {
        let ty = self.program.ty(value).clone();
        let ty = if column.kind == ColumnKind::String { self.as_text(value, ty) } else { ty };
        if ty == Type::Error || columns::shows(&column.kind, &ty) {
            return;
        }
        let message = format!("the column `{}` cannot show `{ty}`", column.name);
        let diagnostic = Diagnostic::error(Code::TypeMismatch, message).at(value.span, format!("this is `{ty}`"));
        let fitting = columns::ALL.iter().filter(|row| match row.detail {
            Detail::Nothing(make) => columns::shows(&make(), &ty),
            Detail::Digits(digits, make) => columns::shows(&make(digits), &ty),
            Detail::Format(_) | Detail::Enumeration(_) => false,
        });
        let fitting: Vec<&str> = fitting.map(|row| row.name).collect();
        let diagnostic = match fitting.is_empty() {
            true => diagnostic.help("no column shows such a value; emit a part of it"),
            false => diagnostic.help(format!("columns that can are of the types {}", fitting.join(", "))),
        };
        self.report(diagnostic);
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The message about a name that no column of the table has.
pub(super) fn unknown_column(table: &RowTable, name: &str, span: Span) -> Diagnostic {
    let names = || table.columns.iter().map(|column| column.name.as_str());
    let message = format!("the table `{}` has no column `{name}`", table.name);
    let diagnostic = Diagnostic::error(Code::UnknownColumn, message).at(span, "no such column");
    match nearest(name, names()) {
        Some(found) => diagnostic.suggest(span, Some(found)),
        None => diagnostic.help(format!("it has: {}", names().collect::<Vec<_>>().join(", "))),
    }
}
