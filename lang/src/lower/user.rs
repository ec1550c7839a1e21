//! What actions in user space do with maps: it decides, as what programs do, how maps are kept.

use super::{Session, pages};
use crate::manifest::{Attach, MapId};
use crate::user::{Change, EntryLoop, Expr, Place, Request, Stmt};

impl Session<'_> {
    /// Notes the uses of maps.
    pub(super) fn note_user_actions(&mut self) {
        let checked = self.checked;
        for action in &checked.user {
            let mut uses = Uses { session: self, at_end: action.attach == Attach::End };
            if let Some(predicate) = &action.predicate {
                uses.expr(predicate);
            }
            uses.stmts(&action.body);
        }
    }
}

struct Uses<'s, 'a> {
    session: &'s mut Session<'a>,
    at_end: bool,
}

impl Uses<'_, '_> {
    fn uses(&mut self) -> &mut pages::Uses {
        &mut self.session.uses
    }

    fn shown(&mut self, map: MapId) {
        if !self.at_end {
            self.uses().shown.insert(map);
        }
    }

    fn cleared(&mut self, map: MapId) {
        if !self.at_end {
            self.uses().cleared.insert(map);
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Do(value) | Stmt::Set { value, .. } => self.expr(value),
            Stmt::SetEntry { keys, value, .. } => {
                self.exprs(keys);
                self.expr(value);
            }
            Stmt::If { condition, then, otherwise } => {
                self.expr(condition);
                self.stmts(then);
                self.stmts(otherwise);
            }
            Stmt::While { condition, body } => {
                self.expr(condition);
                self.stmts(body);
            }
            Stmt::Range { from, to, body, .. } => {
                self.expr(from);
                self.expr(to);
                self.stmts(body);
            }
            Stmt::Entries(entries) => {
                let EntryLoop { map, by, top, body, .. } = entries.as_ref();
                self.shown(*map);
                by.iter().chain(top).for_each(|expr| self.expr(expr));
                self.stmts(body);
            }
            Stmt::Break | Stmt::Continue | Stmt::Return => {}
            Stmt::Request(request) => self.request(request),
        }
    }

    fn request(&mut self, request: &Request) {
        match request {
            Request::Printf { values, .. } | Request::Message { values, .. } => self.exprs(values),
            Request::PrintValue(value) | Request::Exit(value) => self.expr(value),
            Request::PrintMap { map, .. } => self.shown(*map),
            Request::Clear(map) => self.cleared(*map),
            Request::Zero(map) => {
                self.cleared(*map);
                self.uses().zeroed.insert(*map);
            }
            Request::Row { cells, .. } => cells.iter().flatten().for_each(|cell| self.expr(cell)),
            Request::Time(_) => {}
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) {
        exprs.iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Int { .. } | Expr::Float(_) | Expr::Text(_) | Expr::Bool(_) | Expr::Var(_) => {}
            Expr::Entry { map, keys } | Expr::Has { map, keys } => {
                self.shown(*map);
                self.exprs(keys);
            }
            Expr::Delete { map, keys } => {
                // entries that go one by one are those of the map itself
                self.session.read_maps.insert(*map);
                if keys.is_empty() {
                    self.session.deleted_scalars.insert(*map);
                }
                self.exprs(keys);
            }
            Expr::Length(map) => self.shown(*map),
            Expr::Change(change) => self.change(change),
            Expr::Negate(inner)
            | Expr::Complement(inner)
            | Expr::Not(inner)
            | Expr::Part(inner, _)
            | Expr::Field(inner, _)
            | Expr::Stats(inner, _)
            | Expr::Convert(inner, _) => self.expr(inner),
            Expr::Operation { left, right, .. }
            | Expr::Compare { left, right, .. }
            | Expr::Logical { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Select { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|expr| self.expr(expr));
            }
            Expr::Block { stmts, value } => {
                self.stmts(stmts);
                self.expr(value);
            }
            Expr::Tuple(values) | Expr::Call { args: values, .. } => self.exprs(values),
            Expr::Record(fields) => fields.iter().for_each(|(_, value)| self.expr(value)),
        }
    }

    fn change(&mut self, change: &Change) {
        if let Place::Entry { keys, .. } = &change.place {
            self.exprs(keys);
        }
        self.expr(&change.value);
    }
}
