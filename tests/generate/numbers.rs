//! Random expressions of integers, over leaves that the caller gives.

use super::evaluate::type_of;
use super::rng::Rng;
use super::tree::{Node, Op, Ty};

/// What stands at the ends of expressions.
pub trait Leaves {
    fn rng(&mut self) -> &mut Rng;
    /// Some number that is no literal.
    fn leaf(&mut self) -> Node;
}

const ARITHMETIC: [&str; 10] = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// A literal or a leaf.
pub fn simple(from: &mut impl Leaves) -> Node {
    if from.rng().chance(35) { literal(from.rng()) } else { from.leaf() }
}

/// A literal of either sign.
pub fn literal(rng: &mut Rng) -> Node {
    let value = rng.number();
    match rng.below(6) {
        0 => Node::literal(value, false),
        1 => typed(Op::Unary('-'), vec![Node::literal(value, true)]),
        _ => Node::literal(value, true),
    }
}

/// Any of the integer types.
pub fn any_type(rng: &mut Rng) -> Ty {
    let bits = *rng.pick(&[8, 16, 32, 64]);
    Ty::int(bits, rng.chance(50))
}

/// A number, at most `depth` operations deep; a bool sometimes.
pub fn number(from: &mut impl Leaves, depth: usize) -> Node {
    if depth == 0 || from.rng().chance(10) {
        return simple(from);
    }
    match from.rng().below(20) {
        0..=9 => arithmetic(from, depth),
        10..=12 => {
            let ty = any_type(from.rng());
            number(from, depth - 1).cast(ty)
        }
        13 | 14 => {
            let kids = vec![number(from, depth - 1)];
            typed(Op::Unary(*from.rng().pick(&['-', '~'])), kids)
        }
        15 | 16 => ternary(from, depth),
        17 => condition(from, depth).cast(Ty::Bool),
        _ => condition(from, depth),
    }
}

fn arithmetic(from: &mut impl Leaves, depth: usize) -> Node {
    let (left, right) = (number(from, depth - 1), number(from, depth - 1));
    let sign = *from.rng().pick(&ARITHMETIC);
    typed(Op::Binary(sign), vec![left, right])
}

/// A node with the type that it has.
fn typed(op: Op, kids: Vec<Node>) -> Node {
    let node = Node { op, ty: Ty::I64, kids };
    Node { ty: type_of(&node), ..node }
}

/// A bool, by comparison or logic.
pub fn condition(from: &mut impl Leaves, depth: usize) -> Node {
    let depth = depth.max(1);
    let (op, kids) = match from.rng().below(8) {
        0 => (Op::Unary('!'), vec![number(from, depth - 1)]),
        1 => (Op::Binary("&&"), vec![number(from, depth - 1), number(from, depth - 1)]),
        2 => (Op::Binary("||"), vec![number(from, depth - 1), number(from, depth - 1)]),
        _ => {
            let sign = *from.rng().pick(&COMPARISONS);
            (Op::Binary(sign), vec![number(from, depth - 1), number(from, depth - 1)])
        }
    };
    Node { op, ty: Ty::Bool, kids }
}

fn ternary(from: &mut impl Leaves, depth: usize) -> Node {
    let decides = number(from, depth - 1);
    let (mut then, mut otherwise) = (number(from, depth - 1), number(from, depth - 1));
    // both sides are numbers, or both bools
    if (then.ty == Ty::Bool) != (otherwise.ty == Ty::Bool) {
        then = then.cast(Ty::I64);
        otherwise = otherwise.cast(Ty::I64);
    }
    typed(Op::Ternary, vec![decides, then, otherwise])
}
