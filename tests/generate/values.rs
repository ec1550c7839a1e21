//! Expressions of integers and what lt makes of them on this kernel, compared with an evaluator of our own.

use super::evaluate::{evaluate, hold, shown, type_of};
use super::numbers::{self, Leaves};
use super::rng::Rng;
use super::tree::{Node, Op, Ty};
use super::{seed, setting, shrink};
use crate::support;
use std::fmt::Write as _;

/// Scripts of a run.
const SCRIPTS: u64 = 12;
/// Expressions of each.
const EXPRESSIONS: usize = 50;

/// Known values: maps that one action sets and another reads, so that nothing can be computed before the run.
struct Known {
    rng: Rng,
    names: Vec<(String, Ty, i64)>,
}

impl Known {
    fn new(seed: u64, number: u64) -> Known {
        let mut rng = Rng::new(seed, number);
        let mut names = Vec::new();
        for at in 0..10 {
            let ty = Ty::int(64, at % 2 == 0);
            let value = rng.number() as i64;
            let value = if at % 4 == 0 { value.wrapping_neg() } else { value };
            let name = if at < 6 { format!("@x{at}") } else { format!("@k[{at}]") };
            let ty = if at < 6 { ty } else { Ty::I64 };
            names.push((name, ty, value));
        }
        for (at, width) in [8, 8, 16, 16, 32, 32].into_iter().enumerate() {
            let ty = Ty::int(width, at % 2 == 0);
            names.push((format!("$v{at}"), ty, hold(rng.next() as i64, ty)));
        }
        Known { rng, names }
    }

    fn value(&self, name: &str) -> Option<i64> {
        self.names.iter().find(|known| known.0 == name).map(|known| known.2)
    }

    /// The actions up to the expressions.
    fn preamble(&self) -> String {
        let mut text = String::from("begin {\n");
        let maps = self.names.iter().filter(|known| known.0.starts_with('@'));
        for (name, ty, value) in maps {
            let _ = writeln!(text, "  {name} = ({}){}u;", ty.name(), *value as u64);
        }
        text.push_str("}\nbegin {\n");
        for (at, (name, ty, value)) in self.names.iter().filter(|known| known.0.starts_with('$')).enumerate() {
            let written = Ty::int([8, 16, 32][at / 2], ty.is_signed());
            let _ = writeln!(text, "  @o{at} = {}u;\n  let {name}: {} = @o{at};", *value as u64, written.name());
        }
        text
    }

    fn script(&self, expressions: &[Node]) -> String {
        let mut text = self.preamble();
        for expression in expressions {
            text.push_str("  print((");
            expression.render(&mut text);
            text.push_str("));\n");
        }
        text + "}\n"
    }

    /// The first expression that is wrong, or that a script fails with, and what it says.
    fn find_wrong(&self, expressions: &[Node]) -> Option<(usize, String)> {
        match (self.first_wrong(expressions), expressions) {
            (Ok(found), _) => found,
            (Err(why), [_]) => Some((0, why)),
            (Err(_), _) => (expressions.iter().enumerate())
                .find_map(|(at, alone)| Some((at, self.find_wrong(std::slice::from_ref(alone))?.1))),
        }
    }

    /// The first expression that lt computes otherwise, and what it says. The error is a run that fails.
    fn first_wrong(&self, expressions: &[Node]) -> Result<Option<(usize, String)>, String> {
        let script = self.script(expressions);
        let ran = support::lt(["-q", "-e", &script]);
        support::expect(ran.status == 0, "it does not run", &ran)?;
        let mut lines = ran.stdout.lines();
        for (at, expression) in expressions.iter().enumerate() {
            let value = evaluate(expression, &|name| self.value(name)).ok_or("no number")?;
            let expected = shown(value, type_of(expression));
            let seen = lines.next().unwrap_or_default();
            if seen != expected {
                return Ok(Some((at, format!("expected {expected}, saw {seen}"))));
            }
        }
        Ok(None)
    }
}

impl Leaves for Known {
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    fn leaf(&mut self) -> Node {
        let (name, ty, _) = self.rng.pick(&self.names).clone();
        Node { op: Op::Name(name), ty, kids: Vec::new() }
    }
}

/// All expressions are what they should be.
pub fn values() -> Result<(), String> {
    let seed = seed();
    for number in 0..setting("LT_VALUES", SCRIPTS) {
        let mut known = Known::new(seed, number);
        let expressions: Vec<Node> = (0..EXPRESSIONS).map(|_| expression(&mut known)).collect();
        let Some((at, what)) = known.find_wrong(&expressions) else { continue };
        let (small, what) = smallest(&known, expressions[at].clone(), what);
        let script = known.script(&[small]);
        return Err(format!("seed {seed}, script {number}: {what}\n{script}"));
    }
    Ok(())
}

fn expression(known: &mut Known) -> Node {
    let depth = 1 + known.rng.below(5);
    let node = numbers::number(known, depth);
    // a map alone would be printed as a map
    if matches!(node.op, Op::Name(_)) { node.cast(Ty::I64) } else { node }
}

/// Shrinks a wrong expression.
fn smallest(known: &Known, wrong: Node, what: String) -> (Node, String) {
    let (mut node, mut what) = (wrong, what);
    loop {
        let simpler = shrink::nodes(&node).into_iter().filter(|node| !matches!(node.op, Op::Name(_) | Op::Text(_)));
        let next = simpler.into_iter().find_map(|simpler| {
            let (_, what) = known.find_wrong(std::slice::from_ref(&simpler))?;
            Some((simpler, what))
        });
        match next {
            Some((simpler, why)) => (node, what) = (simpler, why),
            None => return (node, what),
        }
    }
}
