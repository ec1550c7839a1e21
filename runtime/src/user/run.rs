//! Evaluation of the user side's tree, over whatever [`World`] it is given.

use super::number::{complement, negate, operate};
use super::value::Val;
use crate::error::RunError;
use crate::value::Int;
use lt_lang::format::Format;
use lt_lang::manifest::{LOSSES, LossCause, MapId, TableId};
use lt_lang::source::Span;
use lt_lang::user::{
    Change, Comparison, EntryLoop, Expr, MOST_STEPS, NumberType, Place, Request, StatsPart, Stmt, UserAction,
    UserFunction, Var,
};
use std::cmp::Ordering;
use std::rc::Rc;

/// Steps between two looks at signals.
const LOOK_EVERY: u32 = 1024;

/// What an action acts on: maps, output, the machine.
pub trait World {
    /// The value of an entry, the zero one when there is none.
    fn entry(&mut self, map: MapId, keys: &[Val]) -> Result<Val, RunError>;
    /// Whether a map has an entry.
    fn has(&mut self, map: MapId, keys: &[Val]) -> Result<bool, RunError>;
    /// All entries, key and value, in the order of their keys.
    fn entries(&mut self, map: MapId) -> Result<Vec<(Val, Val)>, RunError>;
    /// Sets an entry. `false`: the map has no room.
    fn put(&mut self, map: MapId, keys: &[Val], value: &Val) -> Result<bool, RunError>;
    /// Removes an entry; whether it was there.
    fn delete(&mut self, map: MapId, keys: &[Val]) -> Result<bool, RunError>;
    /// Removes all entries.
    fn clear(&mut self, map: MapId) -> Result<(), RunError>;
    /// Sets all values to zero.
    fn zero(&mut self, map: MapId) -> Result<(), RunError>;
    /// Formats and shows values.
    fn printf(&mut self, format: &Format, values: &[Val]) -> Result<(), RunError>;
    /// Formats values, and reports them.
    fn message(&mut self, error: bool, format: &Format, values: &[Val], span: Span) -> Result<(), RunError>;
    /// Shows a value.
    fn print_value(&mut self, value: &Val) -> Result<(), RunError>;
    /// Shows a map.
    fn print_map(&mut self, map: MapId, top: Option<u64>, div: Option<u64>) -> Result<(), RunError>;
    /// Shows a row of a table.
    fn row(&mut self, table: TableId, cells: &[Option<Val>]) -> Result<(), RunError>;
    /// Shows the time of day.
    fn time(&mut self, format: &[u8]) -> Result<(), RunError>;
    /// Ends the session.
    fn exit(&mut self, status: u64);
    /// Asks for something.
    fn call(&mut self, function: UserFunction, args: &[Val]) -> Val;
    /// The user wants the session to end.
    fn interrupted(&self) -> bool;
}

/// Why statements are not carried on with.
#[derive(Debug)]
enum Stop {
    Break,
    Continue,
    /// The action is over.
    Return,
    Failed(RunError),
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Stop {
        Stop::Failed(error)
    }
}

/// How often something that deserves a warning happened, by cause.
pub type Counts = [u64; LOSSES.len()];

/// Runs an action once.
pub fn run(action: &UserAction, world: &mut dyn World, counts: &mut Counts) -> Result<(), RunError> {
    let mut run = Run { world, vars: vec![Val::int(0); action.vars as usize], counts, steps: 0 };
    match run.action(action) {
        Err(Stop::Failed(error)) => Err(error),
        _ => Ok(()),
    }
}

struct Run<'w> {
    world: &'w mut dyn World,
    vars: Vec<Val>,
    counts: &'w mut Counts,
    steps: u32,
}

impl Run<'_> {
    fn action(&mut self, action: &UserAction) -> Result<(), Stop> {
        if let Some(predicate) = &action.predicate
            && !self.expr(predicate)?.is_true()
        {
            return Ok(());
        }
        self.stmts(&action.body)
    }

    fn count(&mut self, cause: LossCause) {
        if let Some(count) = self.counts.get_mut(cause as usize) {
            *count += 1;
        }
    }

    fn set(&mut self, var: Var, value: Val) {
        if let Some(place) = self.vars.get_mut(var as usize) {
            *place = value;
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) -> Result<(), Stop> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Stop> {
        match stmt {
            Stmt::Do(value) => self.expr(value).map(drop),
            Stmt::Set { var, value } => {
                let value = self.expr(value)?;
                self.set(*var, value);
                Ok(())
            }
            Stmt::SetEntry { map, keys, value } => {
                let keys = self.exprs(keys)?;
                let value = self.expr(value)?;
                self.put(*map, &keys, &value)
            }
            Stmt::If { condition, then, otherwise } => {
                let taken = if self.expr(condition)?.is_true() { then } else { otherwise };
                self.stmts(taken)
            }
            Stmt::While { condition, body } => {
                while self.expr(condition)?.is_true() {
                    self.step()?;
                    if self.body(body)? {
                        break;
                    }
                }
                Ok(())
            }
            Stmt::Range { var, from, to, body } => self.range(*var, from, to, body),
            Stmt::Entries(entries) => self.entries(entries),
            Stmt::Break => Err(Stop::Break),
            Stmt::Continue => Err(Stop::Continue),
            Stmt::Return => Err(Stop::Return),
            Stmt::Request(request) => self.request(request),
        }
    }

    fn put(&mut self, map: MapId, keys: &[Val], value: &Val) -> Result<(), Stop> {
        if !self.world.put(map, keys, value)? {
            self.count(LossCause::MapFull);
        }
        Ok(())
    }

    /// One more step of a loop that need not end by itself.
    fn step(&mut self) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            self.count(LossCause::LoopBound);
            return Err(Stop::Return);
        }
        if self.steps.is_multiple_of(LOOK_EVERY) && self.world.interrupted() {
            return Err(Stop::Return);
        }
        Ok(())
    }

    /// Runs the body of a loop once. Says whether it ends the loop.
    fn body(&mut self, body: &[Stmt]) -> Result<bool, Stop> {
        match self.stmts(body) {
            Ok(()) | Err(Stop::Continue) => Ok(false),
            Err(Stop::Break) => Ok(true),
            Err(stop) => Err(stop),
        }
    }

    fn range(&mut self, var: Var, from: &Expr, to: &Expr, body: &[Stmt]) -> Result<(), Stop> {
        let (from, to) = (self.expr(from)?, self.expr(to)?);
        let number = |value: &Val| value.as_int().unwrap_or(Int::wide(0, true));
        let (mut at, end) = (number(&from), number(&to));
        while super::value::wide(at) < super::value::wide(end) {
            self.step()?;
            self.set(var, Val::Int(Int { bits: 64, ..at }));
            if self.body(body)? {
                break;
            }
            at.raw = at.raw.wrapping_add(1);
        }
        Ok(())
    }

    fn entries(&mut self, entries: &EntryLoop) -> Result<(), Stop> {
        let top = entries.top.as_ref().map(|top| self.expr(top)).transpose()?;
        let mut found = self.world.entries(entries.map)?;
        if let Some(by) = &entries.by {
            found = self.ordered(entries, by, found)?;
        }
        if let Some(top) = top.and_then(|top| top.as_int()) {
            found.truncate(usize::try_from(super::value::wide(top).max(0)).unwrap_or(usize::MAX));
        }
        for (at, entry) in (1..).zip(found) {
            if u32::is_multiple_of(at, LOOK_EVERY) && self.world.interrupted() {
                return Err(Stop::Return);
            }
            self.name_entry(entries, entry);
            if self.body(&entries.body)? {
                break;
            }
        }
        Ok(())
    }

    fn name_entry(&mut self, entries: &EntryLoop, (key, value): (Val, Val)) {
        match entries.value {
            Some(var) => {
                self.set(entries.key, key);
                self.set(var, value);
            }
            None => self.set(entries.key, Val::Tuple(Rc::from([key, value]))),
        }
    }

    /// Entries by what the loop says; those that are the same stay in the order of their keys.
    fn ordered(&mut self, entries: &EntryLoop, by: &Expr, found: Vec<(Val, Val)>) -> Result<Vec<(Val, Val)>, Stop> {
        let mut ranked = Vec::with_capacity(found.len());
        for entry in found {
            self.name_entry(entries, entry.clone());
            ranked.push((self.expr(by)?, entry));
        }
        ranked.sort_by(|(left, _), (right, _)| {
            let order = rank(left, right);
            if entries.descending { order.reverse() } else { order }
        });
        Ok(ranked.into_iter().map(|(_, entry)| entry).collect())
    }

    fn request(&mut self, request: &Request) -> Result<(), Stop> {
        match request {
            Request::Printf { format, values } => {
                let values = self.exprs(values)?;
                self.world.printf(format, &values)?;
            }
            Request::Message { error, format, values, span } => {
                let values = self.exprs(values)?;
                self.world.message(*error, format, &values, *span)?;
            }
            Request::PrintValue(value) => {
                let value = self.expr(value)?;
                self.world.print_value(&value)?;
            }
            Request::PrintMap { map, top, div } => self.world.print_map(*map, *top, *div)?,
            Request::Clear(map) => self.world.clear(*map)?,
            Request::Zero(map) => self.world.zero(*map)?,
            Request::Row { table, cells } => {
                let cells = cells.iter().map(|cell| cell.as_ref().map(|cell| self.expr(cell)).transpose());
                let cells = cells.collect::<Result<Vec<_>, Stop>>()?;
                self.world.row(*table, &cells)?;
            }
            Request::Time(format) => self.world.time(format)?,
            Request::Exit(status) => {
                let status = self.expr(status)?.as_int().map_or(0, |int| int.raw);
                self.world.exit(status);
                return Err(Stop::Return);
            }
        }
        Ok(())
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Result<Vec<Val>, Stop> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&mut self, expr: &Expr) -> Result<Val, Stop> {
        Ok(match expr {
            Expr::Int { bits, signed } => Val::Int(Int::wide(*bits, *signed)),
            Expr::Float(number) => Val::Float(*number),
            Expr::Text(text) => Val::text(text),
            Expr::Bool(value) => Val::Bool(*value),
            Expr::Var(var) => self.vars.get(*var as usize).cloned().unwrap_or_else(|| Val::int(0)),
            Expr::Entry { map, keys } => {
                let keys = self.exprs(keys)?;
                self.world.entry(*map, &keys)?
            }
            Expr::Has { map, keys } => {
                let keys = self.exprs(keys)?;
                Val::Bool(self.world.has(*map, &keys)?)
            }
            Expr::Delete { map, keys } => {
                let keys = self.exprs(keys)?;
                Val::Bool(self.world.delete(*map, &keys)?)
            }
            Expr::Length(map) => Val::int(self.world.entries(*map)?.len() as i64),
            Expr::Change(change) => self.change(change)?,
            Expr::Negate(_)
            | Expr::Complement(_)
            | Expr::Not(_)
            | Expr::Operation { .. }
            | Expr::Compare { .. }
            | Expr::Logical { .. }
            | Expr::Select { .. } => self.operator(expr)?,
            Expr::Block { stmts, value } => {
                self.stmts(stmts)?;
                self.expr(value)?
            }
            Expr::Tuple(values) => Val::Tuple(self.exprs(values)?.into()),
            Expr::Record(fields) => {
                let fields = fields.iter().map(|(name, value)| Ok((Rc::from(name.as_str()), self.expr(value)?)));
                Val::Record(fields.collect::<Result<Vec<_>, Stop>>()?.into())
            }
            Expr::Part(base, at) => match self.expr(base)? {
                Val::Tuple(values) => values.get(*at as usize).cloned().unwrap_or_else(|| Val::int(0)),
                _ => Val::int(0),
            },
            Expr::Field(base, name) => field(&self.expr(base)?, name),
            Expr::Stats(base, part) => stats(&self.expr(base)?, *part),
            Expr::Convert(value, to) => convert(&self.expr(value)?, *to),
            Expr::Call { function, args } => {
                let args = self.exprs(args)?;
                self.world.call(*function, &args)
            }
        })
    }

    /// Operators and choices.
    fn operator(&mut self, expr: &Expr) -> Result<Val, Stop> {
        Ok(match expr {
            Expr::Negate(value) => negate(&self.expr(value)?),
            Expr::Complement(value) => complement(&self.expr(value)?),
            Expr::Not(value) => Val::Bool(!self.expr(value)?.is_true()),
            Expr::Operation { operator, arithmetic, left, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                let (value, by_zero) = operate(*operator, *arithmetic, &left, &right);
                self.divided(value, by_zero)
            }
            Expr::Compare { comparison, left, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Val::Bool(holds(*comparison, left.compare(&right)))
            }
            Expr::Logical { and, left, right } => {
                let left = self.expr(left)?.is_true();
                Val::Bool(if left == *and { self.expr(right)?.is_true() } else { left })
            }
            Expr::Select { condition, then, otherwise } => {
                if self.expr(condition)?.is_true() {
                    self.expr(then)?
                } else {
                    self.expr(otherwise)?
                }
            }
            // everything else is no operator
            _ => Val::int(0),
        })
    }

    fn divided(&mut self, value: Val, by_zero: bool) -> Val {
        if by_zero {
            self.count(LossCause::DivisionByZero);
        }
        value
    }

    fn change(&mut self, change: &Change) -> Result<Val, Stop> {
        let value = self.expr(&change.value)?;
        let keys = match &change.place {
            Place::Var(_) => Vec::new(),
            Place::Entry { keys, .. } => self.exprs(keys)?,
        };
        let old = match &change.place {
            Place::Var(var) => self.vars.get(*var as usize).cloned().unwrap_or_else(|| Val::int(0)),
            Place::Entry { map, .. } => self.world.entry(*map, &keys)?,
        };
        let (new, by_zero) = operate(change.operator, change.arithmetic, &old, &value);
        let new = self.divided(new, by_zero);
        match &change.place {
            Place::Var(var) => self.set(*var, new.clone()),
            Place::Entry { map, .. } => self.put(*map, &keys, &new)?,
        }
        Ok(if change.old { old } else { new })
    }
}

/// The order of what entries are sorted by; what is no number comes first.
fn rank(left: &Val, right: &Val) -> Ordering {
    match (left, right) {
        (Val::Float(a), Val::Float(b)) if a.is_nan() || b.is_nan() => b.is_nan().cmp(&a.is_nan()),
        _ => left.compare(right).unwrap_or(Ordering::Equal),
    }
}

fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterEqual => order.is_some_and(Ordering::is_ge),
    }
}

/// A field of a record.
fn field(base: &Val, name: &str) -> Val {
    match base {
        Val::Record(fields) => {
            let found = fields.iter().find(|(known, _)| **known == *name);
            found.map_or_else(|| Val::int(0), |(_, value)| value.clone())
        }
        _ => Val::int(0),
    }
}

/// Part of what `stats()` gives.
fn stats(base: &Val, part: StatsPart) -> Val {
    let Val::Stats { count, total } = base else { return Val::int(0) };
    match part {
        StatsPart::Count => Val::Int(Int::wide(*count, true)),
        StatsPart::Total => Val::Int(*total),
        StatsPart::Average => Val::Float(super::value::average(*total, *count)),
    }
}

fn convert(value: &Val, to: NumberType) -> Val {
    match to {
        NumberType::Int(int) => value.narrowed(int),
        NumberType::Float => Val::Float(value.as_float()),
        NumberType::Bool => Val::Bool(value.is_true()),
    }
}
