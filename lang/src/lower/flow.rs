//! Loops: all but those over maps become steps with a condition and a bound.

use super::Body;
use super::expr::{binary, int, nothing};
use crate::ast::{Block, Expr};
use crate::check::unroll_count;
use crate::hir::{self, BinaryOp, Stmt, StmtKind, VarId};
use crate::kernel::Feature;
use crate::source::Span;
use crate::types::Type;

/// Most steps that the kernel's helper makes (`BPF_MAX_LOOPS`).
const MAX_CALLED: u32 = 1 << 23;

/// Most steps that the verifier is made to walk through, all levels of a nest together. 65,536 are refused.
const MAX_INLINE: u32 = 4096;

/// The same for a loop inside of another.
const MAX_INNER: u32 = 64;

/// Ranges known to be this short (times the weight of a step) are not worth the calls.
const SHORT: u32 = 128;

impl Body<'_, '_> {
    pub(super) fn while_loop(&mut self, condition: &Expr, body: &Block) -> StmtKind {
        let condition = self.condition(condition);
        let body = self.steps(body);
        self.looped(condition, body, None)
    }

    pub(super) fn unroll(&mut self, count: &Expr, body: &Block, out: &mut Vec<Stmt>) -> Option<StmtKind> {
        let count_of = unroll_count(count, self.session.options)?;
        let span = count.span;
        let ends = (int(0, Type::I64, span), int(count_of, Type::I64, span));
        Some(self.counted(None, ends, body, span, out))
    }

    /// `for ($x : from..to) { }`: what the body does to `$x` changes nothing about the steps.
    pub(super) fn range_loop(
        &mut self,
        name: Span,
        from: &Expr,
        to: &Expr,
        body: &Block,
        out: &mut Vec<Stmt>,
    ) -> Option<StmtKind> {
        let var = *self.program.var_at.get(&name)?;
        let ty = self.vars.get(var)?.ty.clone();
        let ends = (self.expr(from), self.expr(to));
        // The variable may have become wider in the body; the steps keep to what the ends are.
        let ends = (self.coerce(ends.0, &ty), self.coerce(ends.1, &ty));
        Some(self.counted(Some(VarId(var as u32)), ends, body, from.span.to(to.span), out))
    }

    fn counted(
        &mut self,
        var: Option<VarId>,
        (from, to): (hir::Expr, hir::Expr),
        body: &Block,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> StmtKind {
        let ty = from.ty.clone();
        let known = match (&from.kind, &to.kind) {
            (hir::ExprKind::Int(from), hir::ExprKind::Int(to)) => {
                Some(u32::try_from(to.saturating_sub(*from).max(0)).unwrap_or(u32::MAX))
            }
            _ => None,
        };
        let read = |var, ty: &Type| hir::Expr { kind: hir::ExprKind::Var(var), ty: ty.clone(), span };
        let set = |var, value| Stmt { kind: StmtKind::SetVar { var, value }, span };
        let at = self.hidden(&ty);
        out.push(set(at, from));
        let end = if known.is_some() {
            to
        } else {
            let end = self.hidden(&ty);
            out.push(set(end, to));
            read(end, &ty)
        };
        let condition = binary(BinaryOp::Less, read(at, &ty), end, Type::Bool, span);
        let mut steps = Vec::with_capacity(body.stmts.len() + 2);
        steps.extend(var.map(|var| set(var, read(at, &ty))));
        let next = binary(BinaryOp::Add, read(at, &ty), int(1, ty.clone(), span), ty.clone(), span);
        steps.push(set(at, next));
        steps.extend(self.steps(body));
        self.looped(condition, steps, known)
    }

    /// `for ($kv : @map) { }`
    pub(super) fn map_loop(&mut self, name: Span, over: &Expr, body: &Block) -> Option<StmtKind> {
        let crate::ast::ExprKind::Map { name: map, .. } = &over.kind else { return None };
        let map = self.map_to_read(map);
        let var = *self.program.var_at.get(&name)?;
        let (key, value) = (self.key_type(map), self.session.value_type(map));
        if self.vars.get(var)?.ty != Type::Tuple(vec![key, value]) {
            self.not_supported(name, "the variable of a loop over a map cannot take values of other types yet");
        }
        let body = self.steps(body);
        self.framed = true;
        Some(StmtKind::MapLoop { map, var: VarId(var as u32), body })
    }

    pub(super) fn key_type(&self, map: crate::manifest::MapId) -> Type {
        let mut types = self.session.maps.get(map.0 as usize).map_or(vec![], |map| map.keys.clone());
        if types.len() == 1 { types.remove(0) } else { Type::Tuple(types) }
    }

    fn steps(&mut self, body: &Block) -> Vec<Stmt> {
        self.loops += 1;
        let steps = self.block(body);
        self.loops -= 1;
        steps
    }

    /// A variable without a name.
    fn hidden(&mut self, ty: &Type) -> VarId {
        let zero = nothing(ty, Span::default());
        self.vars.push(hir::Var { name: "$".into(), ty: zero.ty, slot: None });
        VarId(self.vars.len() as u32 - 1)
    }

    /// Takes the best way that the kernel has; `known` is the number of steps when it is certain.
    fn looped(&mut self, condition: hir::Expr, body: Vec<Stmt>, known: Option<u32>) -> StmtKind {
        let weight = 1 + weight(&body);
        if let Some(steps) = known
            && steps.saturating_mul(weight) <= SHORT
        {
            return StmtKind::Loop(hir::Loop { condition, body, bound: steps, called: false });
        }
        let called = self.session.kernel.has(Feature::StepLoop);
        self.framed |= called;
        let bound = match known {
            _ if called => MAX_CALLED,
            // Known steps take fewer ways.
            Some(steps) if steps.saturating_mul(weight) <= 4 * MAX_INLINE => steps,
            _ if self.loops > 0 => MAX_INNER,
            _ => (MAX_INLINE / weight).max(1),
        };
        StmtKind::Loop(hir::Loop { condition, body, bound, called })
    }
}

/// About how many ways the verifier has to follow in a row of statements.
fn weight(stmts: &[Stmt]) -> u32 {
    let one = |stmt: &Stmt| match &stmt.kind {
        StmtKind::If { then, otherwise, .. } => 1 + weight(then) + weight(otherwise),
        StmtKind::Loop(inner) if inner.called => 4,
        StmtKind::Loop(inner) => inner.bound.saturating_mul(1 + weight(&inner.body)),
        StmtKind::SetMap { .. } | StmtKind::Emit { .. } | StmtKind::Aggregate { .. } => 2,
        StmtKind::MapLoop { .. } => 4,
        StmtKind::Eval(_) | StmtKind::SetVar { .. } | StmtKind::SetResult { .. } | StmtKind::Exit { .. } => 0,
        StmtKind::Return | StmtKind::Break | StmtKind::Continue | StmtKind::Trace { .. } => 0,
    };
    stmts.iter().map(one).fold(0, u32::saturating_add)
}
