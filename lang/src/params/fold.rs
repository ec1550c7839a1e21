//! Leaves out what the values of parameters switch off: branches that are never taken, probes whose predicate never holds.
//! What cannot be told here for certain stays; LLVM sees the same constants.

use crate::ast::visit::{Visitor, walk_ast, walk_expr, walk_stmt};
use crate::ast::{Ast, BinaryOp, Block, Expr, ExprKind, Probe, Stmt, StmtKind, TypeBase, UnaryOp};
use crate::check::is_comparison;
use crate::lower::has_effects;

/// Whether anything was left out.
pub(super) fn fold(ast: &mut Ast) -> bool {
    let mut folder = Folder { changed: false };
    walk_ast(&mut folder, ast);
    let before = ast.probes.len();
    ast.probes.retain(|probe| probe.predicate.as_ref().and_then(truth) != Some(false));
    ast.probes.iter_mut().for_each(without_predicate);
    folder.changed | (ast.probes.len() < before)
}

/// A predicate that always holds is none.
fn without_predicate(probe: &mut Probe) {
    if probe.predicate.as_ref().and_then(truth) == Some(true) {
        probe.predicate = None;
    }
}

struct Folder {
    changed: bool,
}

impl Visitor for Folder {
    fn expr(&mut self, expr: &mut Expr) {
        walk_expr(self, expr);
        let decides = match &expr.kind {
            ExprKind::Binary(op, ..) => is_comparison(*op) || matches!(op, BinaryOp::And | BinaryOp::Or),
            ExprKind::Unary(op, _) => *op == UnaryOp::Not,
            _ => false,
        };
        if decides && let Some(known) = truth(expr) {
            expr.kind = ExprKind::Bool(known);
            self.changed = true;
        }
    }

    fn condition(&mut self, expr: &mut Expr) {
        self.expr(expr);
        if let ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) = &mut expr.kind {
            let neutral = Some(*op == BinaryOp::And);
            let rest = if truth(left) == neutral {
                right
            } else if truth(right) == neutral {
                left
            } else {
                return;
            };
            *expr = (**rest).clone();
            self.changed = true;
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        walk_stmt(self, stmt);
        if let StmtKind::Expr(Expr { kind: ExprKind::Ternary { condition, then: Some(then), otherwise }, .. }) =
            &mut stmt.kind
            && let Some(known) = truth(condition)
        {
            let side = if known { (**then).clone() } else { (**otherwise).clone() };
            stmt.kind = StmtKind::Expr(side);
            self.changed = true;
        }
    }

    fn block(&mut self, block: &mut Block) {
        for mut stmt in std::mem::take(&mut block.stmts) {
            self.stmt(&mut stmt);
            let known = match &stmt.kind {
                StmtKind::If { condition, .. } => truth(condition),
                StmtKind::While { condition, .. } => truth(condition).filter(|known| !known),
                _ => None,
            };
            match (known, stmt.kind) {
                (Some(known), StmtKind::If { then, otherwise, .. }) => {
                    let taken = if known { Some(then) } else { otherwise };
                    block.stmts.extend(taken.map(|taken| Stmt { kind: StmtKind::Block(taken), span: stmt.span }));
                    self.changed = true;
                }
                (Some(_), _) => self.changed = true,
                (None, kind) => block.stmts.push(Stmt { kind, span: stmt.span }),
            }
        }
    }
}

/// A known value.
#[derive(PartialEq)]
enum Known<'a> {
    Number(i128),
    Text(&'a [u8]),
}

/// Whether a condition holds, when that is certain. It may not be evaluated then.
fn truth(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
            let deciding = *op == BinaryOp::Or;
            match (truth(left), truth(right)) {
                (Some(known), _) if known == deciding => Some(deciding),
                (_, Some(known)) if known == deciding && !has_effects(left) => Some(deciding),
                (Some(_), Some(_)) => Some(!deciding),
                _ => None,
            }
        }
        ExprKind::Unary(UnaryOp::Not, inner) => truth(inner).map(|known| !known),
        _ => match known(expr)? {
            Known::Number(value) => Some(value != 0),
            Known::Text(_) => None,
        },
    }
}

fn known(expr: &Expr) -> Option<Known<'_>> {
    match &expr.kind {
        ExprKind::Str(text) if !text.contains(&0) => Some(Known::Text(text)),
        ExprKind::Binary(op, left, right) if is_comparison(*op) => {
            let holds = match (known(left)?, known(right)?) {
                (Known::Number(left), Known::Number(right)) => compare(*op, left.cmp(&right)),
                (left @ Known::Text(_), right @ Known::Text(_)) => match op {
                    BinaryOp::Equal => left == right,
                    BinaryOp::NotEqual => left != right,
                    _ => return None,
                },
                _ => return None,
            };
            Some(Known::Number(i128::from(holds)))
        }
        _ => number(expr).map(Known::Number),
    }
}

fn compare(op: BinaryOp, order: std::cmp::Ordering) -> bool {
    match op {
        BinaryOp::Equal => order.is_eq(),
        BinaryOp::NotEqual => order.is_ne(),
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// A number that is the same signed and unsigned, so that no rule about signs matters; or a negative one.
fn number(expr: &Expr) -> Option<i128> {
    let value = match &expr.kind {
        ExprKind::Int { bits, .. } => i128::from(*bits),
        ExprKind::Bool(value) => i128::from(*value),
        ExprKind::Cast { ty, value } if ty.suffixes.is_empty() => {
            let TypeBase::Name { tag: None, name } = &ty.base else { return None };
            let value = number(value)?;
            match name.text.as_str() {
                "int64" => value,
                "uint64" if value >= 0 => value,
                _ => return None,
            }
        }
        ExprKind::Unary(UnaryOp::Negate, inner) => -number(inner)?,
        ExprKind::Binary(BinaryOp::Add, left, right) => number(left)?.checked_add(number(right)?)?,
        ExprKind::Binary(BinaryOp::Mul, left, right) => number(left)?.checked_mul(number(right)?)?,
        _ => return None,
    };
    i64::try_from(value).is_ok().then_some(value)
}
