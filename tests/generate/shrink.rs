//! Making a failing script small: every script that is one step simpler, best ones first.

use super::tree::{Action, Node, Op, Script, Stmt, Ty};
use std::time::{Duration, Instant};

/// Most scripts that one round tries.
const MOST: usize = 60;
/// After so many seconds what is reached is small enough.
const PATIENCE: u64 = 40;

/// Shrinks while `first_failing` finds one that still fails among simpler scripts.
pub fn shrink(script: Script, mut first_failing: impl FnMut(&[Script]) -> Option<usize>) -> Script {
    let mut script = script;
    let end = Instant::now() + Duration::from_secs(super::setting("LT_SHRINK", PATIENCE));
    while Instant::now() < end {
        let mut simpler = simpler(&script);
        simpler.truncate(MOST);
        match first_failing(&simpler) {
            Some(at) => script = simpler.swap_remove(at),
            None => break,
        }
    }
    script
}

/// The first simpler scripts. No more are made than are tried: each is a copy, and a large script has thousands.
fn simpler(script: &Script) -> Vec<Script> {
    let mut found = Vec::new();
    let probes = script.actions.len() + script.examples.len();
    for at in 0..script.actions.len() {
        if probes > 1 {
            let mut without = script.clone();
            without.actions.remove(at);
            found.push(without);
        }
    }
    for at in 0..script.examples.len() {
        if probes > 1 {
            let mut without = script.clone();
            without.examples.remove(at);
            found.push(without);
        }
    }
    for at in 0..script.settings.len() {
        let mut without = script.clone();
        without.settings.remove(at);
        found.push(without);
    }
    for (at, action) in script.actions.iter().enumerate() {
        for changed in actions(action) {
            if found.len() >= MOST {
                return found;
            }
            let mut other = script.clone();
            other.actions[at] = changed;
            found.push(other);
        }
    }
    found
}

fn actions(action: &Action) -> Vec<Action> {
    let mut found = Vec::new();
    if action.angle {
        found.push(Action { angle: false, ..action.clone() });
    }
    if let Some(predicate) = &action.predicate {
        found.push(Action { predicate: None, ..action.clone() });
        found.extend(nodes(predicate).into_iter().map(|node| Action { predicate: Some(node), ..action.clone() }));
    }
    found.extend(blocks(&action.body).into_iter().map(|body| Action { body, ..action.clone() }));
    found
}

fn blocks(block: &[Stmt]) -> Vec<Vec<Stmt>> {
    let replaced = |at: usize, with: &[Stmt]| [&block[..at], with, &block[at + 1..]].concat();
    let mut found: Vec<Vec<Stmt>> = Vec::new();
    if block.len() > 2 {
        found.push(block[block.len() / 2..].to_vec());
        found.push(block[..block.len() / 2].to_vec());
    }
    found.extend((0..block.len().min(MOST)).map(|at| replaced(at, &[])));
    for (at, stmt) in block.iter().enumerate() {
        if found.len() >= MOST {
            break;
        }
        match stmt {
            Stmt::Line(node) => {
                found.extend(nodes(node).into_iter().map(|node| replaced(at, &[Stmt::Line(node)])));
            }
            Stmt::Loop(head, steps) => {
                found.push(replaced(at, steps));
                let other = |head: &Node, steps: &[Stmt]| replaced(at, &[Stmt::Loop(head.clone(), steps.to_vec())]);
                found.extend(blocks(steps).iter().map(|steps| other(head, steps)));
                found.extend(nodes(head).iter().map(|head| other(head, steps)));
            }
            Stmt::If(condition, then, otherwise) => {
                found.extend([replaced(at, then), replaced(at, otherwise)]);
                let other =
                    |c: &Node, t: &[Stmt], o: &[Stmt]| replaced(at, &[Stmt::If(c.clone(), t.to_vec(), o.to_vec())]);
                found.extend(blocks(then).iter().map(|then| other(condition, then, otherwise)));
                found.extend(blocks(otherwise).iter().map(|otherwise| other(condition, then, otherwise)));
                found.extend(nodes(condition).iter().map(|condition| other(condition, then, otherwise)));
            }
        }
    }
    found
}

/// Every expression that is one step simpler.
pub fn nodes(node: &Node) -> Vec<Node> {
    let mut found: Vec<Node> = node.kids.iter().filter(|kid| kid.ty == node.ty).cloned().collect();
    if let Some(plain) = plainest(node) {
        found.push(plain);
    }
    for (at, kid) in node.kids.iter().enumerate() {
        if found.len() >= MOST {
            break;
        }
        for simpler in nodes(kid) {
            let mut other = node.clone();
            other.kids[at] = simpler;
            found.push(other);
        }
    }
    found
}

/// The simplest expression of the same type, unless the node is as simple.
fn plainest(node: &Node) -> Option<Node> {
    match node.ty {
        Ty::Int { .. } if !matches!(node.op, Op::Literal(_) | Op::Name(_)) => Some(Node::literal(1, true)),
        Ty::Bool if !node.kids.is_empty() => Some(Node::text("true", Ty::Bool)),
        Ty::Str if node.kids.is_empty() => None,
        Ty::Str => Some(Node::text("\"a\"", Ty::Str)),
        _ => None,
    }
}
