//! The evaluator over maps in memory.

use super::run::{Counts, World, run};
use super::value::Val;
use crate::error::RunError;
use crate::value::Int;
use lt_lang::format::Format;
use lt_lang::manifest::{Attach, LossCause, MapId, TableId};
use lt_lang::source::Span;
use lt_lang::user::{
    Arithmetic, Change, Comparison, EntryLoop, Expr, MOST_STEPS, Operator, Place, Request, Stmt, UserAction,
    UserFunction,
};

/// One map, and what was shown.
#[derive(Default)]
struct Fake {
    entries: Vec<(Vec<Val>, Val)>,
    shown: Vec<Val>,
    exited: Option<u64>,
    room: Option<usize>,
    interrupted: bool,
}

impl Fake {
    fn find(&self, keys: &[Val]) -> Option<usize> {
        self.entries.iter().position(|(known, _)| known == keys)
    }
}

impl World for Fake {
    fn entry(&mut self, _: MapId, keys: &[Val]) -> Result<Val, RunError> {
        Ok(self.find(keys).map_or_else(|| Val::int(0), |at| self.entries[at].1.clone()))
    }
    fn has(&mut self, _: MapId, keys: &[Val]) -> Result<bool, RunError> {
        Ok(self.find(keys).is_some())
    }
    fn entries(&mut self, _: MapId) -> Result<Vec<(Val, Val)>, RunError> {
        Ok(self.entries.iter().map(|(keys, value)| (keys[0].clone(), value.clone())).collect())
    }
    fn put(&mut self, _: MapId, keys: &[Val], value: &Val) -> Result<bool, RunError> {
        match self.find(keys) {
            Some(at) => self.entries[at].1 = value.clone(),
            None if self.room.is_some_and(|room| self.entries.len() >= room) => return Ok(false),
            None => self.entries.push((keys.to_vec(), value.clone())),
        }
        Ok(true)
    }
    fn delete(&mut self, _: MapId, keys: &[Val]) -> Result<bool, RunError> {
        Ok(self.find(keys).map(|at| self.entries.remove(at)).is_some())
    }
    fn clear(&mut self, _: MapId) -> Result<(), RunError> {
        self.entries.clear();
        Ok(())
    }
    fn zero(&mut self, _: MapId) -> Result<(), RunError> {
        self.entries.iter_mut().for_each(|entry| entry.1 = Val::int(0));
        Ok(())
    }
    fn printf(&mut self, _: &Format, values: &[Val]) -> Result<(), RunError> {
        self.shown.extend_from_slice(values);
        Ok(())
    }
    fn message(&mut self, _: bool, _: &Format, values: &[Val], _: Span) -> Result<(), RunError> {
        self.shown.extend_from_slice(values);
        Ok(())
    }
    fn print_value(&mut self, value: &Val) -> Result<(), RunError> {
        self.shown.push(value.clone());
        Ok(())
    }
    fn print_map(&mut self, _: MapId, _: Option<u64>, _: Option<u64>) -> Result<(), RunError> {
        Ok(())
    }
    fn row(&mut self, _: TableId, cells: &[Option<Val>]) -> Result<(), RunError> {
        self.shown.extend(cells.iter().flatten().cloned());
        Ok(())
    }
    fn time(&mut self, _: &[u8]) -> Result<(), RunError> {
        Ok(())
    }
    fn exit(&mut self, status: u64) {
        self.exited = Some(status);
    }
    fn call(&mut self, _: UserFunction, _: &[Val]) -> Val {
        Val::int(0)
    }
    fn interrupted(&self) -> bool {
        self.interrupted
    }
}

const MAP: MapId = MapId(0);

fn int(value: i64) -> Expr {
    Expr::Int { bits: value as u64, signed: true }
}

fn print(value: Expr) -> Stmt {
    Stmt::Request(Request::PrintValue(value))
}

fn operation(operator: Operator, arithmetic: Arithmetic, left: Expr, right: Expr) -> Expr {
    Expr::Operation { operator, arithmetic, left: Box::new(left), right: Box::new(right) }
}

fn change(var: u32, by: i64, old: bool) -> Expr {
    let (operator, arithmetic) = (Operator::Add, Arithmetic::Signed);
    Expr::Change(Box::new(Change { place: Place::Var(var), operator, arithmetic, value: int(by), old }))
}

/// What running the statements shows, and what was counted.
fn shown(fake: &mut Fake, body: Vec<Stmt>) -> Counts {
    let (probe, span) = (String::new(), Span::default());
    let action = UserAction { attach: Attach::Begin, probe, before: 0, vars: 4, predicate: None, body, span };
    let mut counts = Counts::default();
    run(&action, fake, &mut counts).expect("the fake never fails");
    counts
}

fn numbers(fake: &Fake) -> Vec<i64> {
    fake.shown.iter().map(|value| value.as_int().map_or(i64::MIN, |int| int.raw as i64)).collect()
}

#[test]
fn loops_end_at_their_bound() {
    let mut fake = Fake::default();
    let endless = Stmt::While { condition: Expr::Bool(true), body: vec![Stmt::Do(change(0, 1, false))] };
    let counts = shown(&mut fake, vec![endless.clone(), print(int(1))]);
    assert_eq!((counts[LossCause::LoopBound as usize], fake.shown.len()), (1, 0));
    fake.interrupted = true;
    let counts = shown(&mut fake, vec![endless]);
    assert_eq!(counts[LossCause::LoopBound as usize], 0);
    let range = Stmt::Range { var: 0, from: int(0), to: int(i64::MAX), body: vec![Stmt::Continue] };
    fake.interrupted = false;
    assert_eq!(shown(&mut fake, vec![range])[LossCause::LoopBound as usize], 1);
    const { assert!(MOST_STEPS > 1 << 20) }
}

#[test]
fn break_and_continue_are_of_the_innermost_loop() {
    let mut fake = Fake::default();
    let is = |value| Expr::Compare {
        comparison: Comparison::Equal,
        left: Box::new(Expr::Var(1)),
        right: Box::new(int(value)),
    };
    let when = |condition, stmt| Stmt::If { condition, then: vec![stmt], otherwise: Vec::new() };
    let inner = Stmt::Range {
        var: 1,
        from: int(0),
        to: int(9),
        body: vec![when(is(1), Stmt::Continue), when(is(3), Stmt::Break), print(Expr::Var(1))],
    };
    shown(&mut fake, vec![Stmt::Range { var: 0, from: int(0), to: int(2), body: vec![inner] }]);
    assert_eq!(numbers(&fake), [0, 2, 0, 2]);
}

#[test]
fn division_by_zero_is_counted() {
    let mut fake = Fake::default();
    let divide = |arithmetic| operation(Operator::Div, arithmetic, int(5), int(0));
    let counts = shown(&mut fake, vec![print(divide(Arithmetic::Signed)), print(divide(Arithmetic::Float))]);
    assert_eq!(counts[LossCause::DivisionByZero as usize], 1);
    assert_eq!(fake.shown[0].as_int(), Some(Int::wide(1, true)));
    assert!(fake.shown[1].as_float().is_infinite());
}

#[test]
fn changes_give_the_old_or_the_new_value() {
    let mut fake = Fake::default();
    shown(&mut fake, vec![print(change(0, 3, true)), print(change(0, 4, false)), print(Expr::Var(0))]);
    assert_eq!(numbers(&fake), [0, 7, 7]);
}

#[test]
fn entries_come_in_order() {
    let entry = |key: i64, value: i64| (vec![Val::int(key)], Val::int(value));
    let entries = vec![entry(1, 5), entry(2, 9), entry(3, 5), entry(4, 1)];
    let run_loop = |descending, top: Option<i64>| {
        let mut fake = Fake { entries: entries.clone(), ..Fake::default() };
        let by = Some(Expr::Var(1));
        let top = top.map(int);
        let body = vec![print(Expr::Var(0))];
        let entries = EntryLoop { map: MAP, key: 0, value: Some(1), by, descending, top, body };
        shown(&mut fake, vec![Stmt::Entries(Box::new(entries))]);
        numbers(&fake)
    };
    assert_eq!(run_loop(false, None), [4, 1, 3, 2]);
    assert_eq!(run_loop(true, Some(3)), [2, 1, 3]);
    assert_eq!(run_loop(true, Some(-1)), Vec::<i64>::new());
}

#[test]
fn full_maps_are_counted() {
    let mut fake = Fake { room: Some(1), ..Fake::default() };
    let set = |key| Stmt::SetEntry { map: MAP, keys: vec![int(key)], value: int(1) };
    assert_eq!(shown(&mut fake, vec![set(1), set(2), set(1)])[LossCause::MapFull as usize], 1);
}

#[test]
fn exit_ends_the_action() {
    let mut fake = Fake::default();
    shown(&mut fake, vec![Stmt::Request(Request::Exit(int(7))), print(int(1))]);
    assert_eq!((fake.exited, fake.shown.len()), (Some(7), 0));
}

#[test]
fn sides_of_logic_are_asked_when_they_matter() {
    let mut fake = Fake::default();
    let logical = |and, left| {
        let right = Box::new(Expr::Compare {
            comparison: Comparison::Greater,
            left: Box::new(change(0, 1, false)),
            right: Box::new(int(0)),
        });
        Stmt::Do(Expr::Logical { and, left: Box::new(Expr::Bool(left)), right })
    };
    let body = vec![logical(true, false), logical(false, true), logical(true, true), logical(false, false)];
    shown(&mut fake, [body, vec![print(Expr::Var(0))]].concat());
    assert_eq!(numbers(&fake), [2]);
}
