//! Expressions: literals, operators, conversions.

use super::Body;
use crate::ast::{self, Expr, ExprKind, UnaryOp};
use crate::builtins::{self, Lowering};
use crate::check::{comparison_type, fold, is_comparison, merge_types, positional_number};
use crate::hir::{self, BinaryOp, LoadConst, StringOperand};
use crate::source::Span;
use crate::types::{EnumRef, IntType, Type};

pub(super) fn int(value: i64, ty: Type, span: Span) -> hir::Expr {
    hir::Expr { kind: hir::ExprKind::Int(wrap(value, &ty)), ty, span }
}

pub(super) fn bytes(text: &[u8], span: Span) -> hir::Expr {
    let ty = Type::String { size: text.len() as u32 + 1 };
    hir::Expr { kind: hir::ExprKind::Bytes(text.to_vec()), ty, span }
}

/// A constant as the type holds it, extended to 64 bits by the type's sign.
fn wrap(value: i64, ty: &Type) -> i64 {
    match ty {
        Type::Bool => i64::from(value != 0),
        Type::Int(int) | Type::Enum(EnumRef { int, .. }) => {
            let unused = 64 - u32::from(int.bits).clamp(8, 64);
            let shifted = value << unused;
            if int.signed { shifted >> unused } else { ((shifted as u64) >> unused) as i64 }
        }
        _ => value,
    }
}

pub(super) fn binary(op: BinaryOp, left: hir::Expr, right: hir::Expr, ty: Type, span: Span) -> hir::Expr {
    hir::Expr { kind: hir::ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
}

/// Stands where a mistake was reported.
pub(super) fn nothing(ty: &Type, span: Span) -> hir::Expr {
    match ty {
        ty if ty.is_scalar() => int(0, ty.clone(), span),
        Type::Error | Type::Void => int(0, Type::I64, span),
        ty => hir::Expr { kind: hir::ExprKind::Bytes(Vec::new()), ty: ty.clone(), span },
    }
}

impl Body<'_, '_> {
    /// An expression of its own type.
    pub(super) fn expr(&mut self, expr: &Expr) -> hir::Expr {
        self.expressions += 1;
        let lowered = match self.answer(expr) {
            Some(answer) => int(i64::from(answer), Type::Bool, expr.span),
            None => self.own_expr(expr),
        };
        self.expressions -= 1;
        lowered
    }

    fn own_expr(&mut self, expr: &Expr) -> hir::Expr {
        let ty = self.program.ty(expr).clone();
        let span = expr.span;
        if let Some(found) = fold(expr) {
            return int(found.bits(), ty, span);
        }
        let kind = match &expr.kind {
            ExprKind::Bool(value) => return int(i64::from(*value), Type::Bool, span),
            ExprKind::Str(text) => return bytes(text, span),
            ExprKind::Name(name) if builtins::lookup(name).is_none() => {
                let value = self.session.kernel.enumerator(name).ok().flatten().unwrap_or(0);
                return int(value, ty, span);
            }
            ExprKind::Name(_) => return self.builtin(expr, &[]),
            ExprKind::Call { args, .. } => return self.builtin(expr, args),
            ExprKind::Var(_) => match self.program.var_at.get(&span) {
                Some(at) => hir::ExprKind::Var(hir::VarId(*at as u32)),
                None => return nothing(&ty, span),
            },
            ExprKind::Positional(number) => return self.positional(*number, &ty, span),
            ExprKind::Map { name, keys } => {
                let map = self.map_to_read(name);
                hir::ExprKind::MapGet { map, key: self.key(map, keys) }
            }
            ExprKind::Unary(UnaryOp::AddressOf, operand) => return self.address_of(operand, ty, span),
            ExprKind::Unary(UnaryOp::Deref, _) | ExprKind::Field { .. } | ExprKind::Index { .. } => {
                return self.read(expr);
            }
            ExprKind::Unary(op, operand) => return self.unary(*op, operand, ty, span),
            ExprKind::Step { place, delta, prefix } => return self.step(place, i64::from(*delta), *prefix, ty, span),
            ExprKind::Binary(op, left, right) => return self.binary(*op, left, right, ty, span),
            ExprKind::Ternary { condition, then, otherwise } => {
                return self.select(condition, then.as_deref(), otherwise, &ty, span);
            }
            ExprKind::TupleField { base, index } => return self.tuple_field(base, *index, ty, span),
            ExprKind::Cast { value, .. } => {
                let value = self.expr(value);
                return self.cast(value, ty);
            }
            ExprKind::Record(fields) => {
                let values: Vec<Expr> = fields.iter().map(|field| field.1.clone()).collect();
                self.tuple(&values, &ty)
            }
            ExprKind::SizeOf(_) => return size_of(self.program.measured.get(&expr.id).unwrap_or(&Type::Error), span),
            ExprKind::OffsetOf { path, .. } => return self.offset_of(expr, path),
            ExprKind::Tuple(values) => self.tuple(values, &ty),
            ExprKind::Block(block) => return self.block_value(block, &ty, span),
            ExprKind::If { condition, then, otherwise } => {
                return self.choice(condition, then, otherwise.as_ref(), &ty, span);
            }
            ExprKind::Comptime(inner) => return self.expr_as(inner, &ty),
            ExprKind::Int { .. }
            | ExprKind::Float(_)
            | ExprKind::Method { .. }
            | ExprKind::TypeOf(_)
            | ExprKind::TypeInfo(_)
            | ExprKind::Error => return nothing(&ty, span),
        };
        hir::Expr { kind, ty, span }
    }

    /// What is known about a condition because the kernel is known.
    pub(super) fn answer(&self, condition: &Expr) -> Option<bool> {
        self.program.answers.get(&condition.id).copied()
    }

    fn expr_as(&mut self, expr: &Expr, ty: &Type) -> hir::Expr {
        let value = self.expr(expr);
        self.coerce(value, ty)
    }

    pub(super) fn tuple_field(&mut self, base: &Expr, index: u32, ty: Type, span: Span) -> hir::Expr {
        if let ExprKind::Tuple(values) = &base.kind
            && let Some(value) = values.get(index as usize)
        {
            let value = self.expr(value);
            return self.coerce(value, &ty);
        }
        let whole = self.program.ty(base).clone();
        let offset = whole.layout().offsets.get(index as usize).copied().unwrap_or(0);
        let value = self.expr(base);
        let base = self.buffered(value, &whole);
        hir::Expr { kind: hir::ExprKind::Element { base, offset }, ty, span }
    }

    fn tuple(&mut self, values: &[Expr], ty: &Type) -> hir::ExprKind {
        let lowered = values.iter().zip(ty.parts()).map(|(value, ty)| {
            let value = self.expr(value);
            self.coerce(value, ty)
        });
        hir::ExprKind::Tuple(lowered.collect())
    }

    /// `(type)value`, where the one may be the bytes of the other.
    fn cast(&mut self, value: hir::Expr, ty: Type) -> hir::Expr {
        let (span, from) = (value.span, value.ty.clone());
        match (&from, &ty) {
            (Type::Array { .. } | Type::String { .. }, Type::Int(_) | Type::Array { .. }) if from != ty => {
                let base = self.buffered(value, &from);
                hir::Expr { kind: hir::ExprKind::Element { base, offset: 0 }, ty, span }
            }
            (from, Type::Array { .. }) if from.is_scalar() => {
                let bits = (ty.size() * 8).clamp(8, 64) as u8;
                let value = self.coerce(value, &Type::Int(IntType { bits, signed: from.is_signed() }));
                hir::Expr { kind: hir::ExprKind::Scalar(Box::new(value)), ty, span }
            }
            _ => self.coerce(value, &ty),
        }
    }

    /// The value as another type.
    pub(super) fn coerce(&mut self, value: hir::Expr, to: &Type) -> hir::Expr {
        if value.ty == *to || *to == Type::Error || *to == Type::Void {
            return value;
        }
        if to.is_scalar() && value.ty.is_scalar() {
            if let hir::ExprKind::Int(bits) = value.kind {
                return int(bits, to.clone(), value.span);
            }
            let span = value.span;
            return hir::Expr { kind: hir::ExprKind::Cast(Box::new(value)), ty: to.clone(), span };
        }
        let span = value.span;
        match (value.kind, to) {
            (hir::ExprKind::Bytes(text), to) => hir::Expr { kind: hir::ExprKind::Bytes(text), ty: to.clone(), ..value },
            (hir::ExprKind::Select { condition, then, otherwise }, to) => {
                let (then, otherwise) = (self.coerce(*then, to), self.coerce(*otherwise, to));
                let kind = hir::ExprKind::Select { condition, then: Box::new(then), otherwise: Box::new(otherwise) };
                hir::Expr { kind, ty: to.clone(), ..value }
            }
            (hir::ExprKind::Block { stmts, value: inner }, to) => {
                let kind = hir::ExprKind::Block { stmts, value: Box::new(self.coerce(*inner, to)) };
                hir::Expr { kind, ty: to.clone(), ..value }
            }
            (hir::ExprKind::Tuple(values), to) if same_names(&value.ty, to) => {
                let types: Vec<Type> = to.parts().into_iter().cloned().collect();
                let values = values.into_iter().zip(&types).map(|(value, ty)| self.coerce(value, ty)).collect();
                hir::Expr { kind: hir::ExprKind::Tuple(values), ty: to.clone(), ..value }
            }
            (kind, Type::String { size }) if value.ty.size() <= *size => {
                let inner = hir::Expr { kind, ..value };
                hir::Expr { kind: hir::ExprKind::Padded(Box::new(inner)), ty: to.clone(), span }
            }
            (kind, Type::Tuple(_) | Type::Fields(_) | Type::String { .. } | Type::Buffer { .. }) => {
                let inner = hir::Expr { kind, ..value };
                let ty = inner.ty.clone();
                let base = self.buffered(inner, &ty);
                hir::Expr { kind: hir::ExprKind::Convert(base), ty: to.clone(), span }
            }
            _ => nothing(to, span),
        }
    }

    /// A bool: whether a scalar is not zero.
    pub(super) fn condition(&mut self, expr: &Expr) -> hir::Expr {
        let value = self.expr(expr);
        self.coerce(value, &Type::Bool)
    }

    fn positional(&mut self, number: u32, ty: &Type, span: Span) -> hir::Expr {
        let given = &self.session.options.positional;
        let Some(at) = number.checked_sub(1) else { return int(given.len() as i64, Type::I64, span) };
        let text = given.get(at as usize).map_or("", String::as_str);
        match ty {
            Type::String { .. } => bytes(text.as_bytes(), span),
            ty => int(positional_number(text).unwrap_or(0), ty.clone(), span),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, ty: Type, span: Span) -> hir::Expr {
        let op = match op {
            UnaryOp::Not => hir::UnaryOp::Not,
            UnaryOp::Complement => hir::UnaryOp::Complement,
            _ => hir::UnaryOp::Negate,
        };
        let value = self.expr(operand);
        let value = self.coerce(value, &ty);
        if let (hir::ExprKind::Int(bits), hir::UnaryOp::Negate) = (&value.kind, op) {
            return int(bits.wrapping_neg(), ty, span);
        }
        hir::Expr { kind: hir::ExprKind::Unary(op, Box::new(value)), ty, span }
    }

    fn step(&mut self, place: &Expr, delta: i64, prefix: bool, ty: Type, span: Span) -> hir::Expr {
        let delta = match &ty {
            Type::Pointer { to, .. } => self.scaled(int(delta, Type::I64, span), to),
            _ => int(delta, Type::I64, span),
        };
        let delta = Box::new(delta);
        let kind = match &place.kind {
            ExprKind::Map { name, keys } => {
                let map = self.map(name);
                hir::ExprKind::MapAdd { map, key: self.key(map, keys), delta, new: prefix }
            }
            _ => {
                let Some(at) = self.program.var_at.get(&place.span).copied() else { return nothing(&ty, span) };
                let kind = hir::ExprKind::VarAdd { var: hir::VarId(at as u32), delta, new: prefix };
                let held = self.written_int(at).unwrap_or_else(|| ty.clone());
                return self.coerce(hir::Expr { kind, ty: held, span }, &ty);
            }
        };
        hir::Expr { kind, ty, span }
    }

    /// `count` elements of type `to`, in bytes; 64 bits.
    pub(super) fn scaled(&mut self, count: hir::Expr, to: &Type) -> hir::Expr {
        let span = count.span;
        let count = self.coerce(count, &Type::I64);
        let size = size_of(to, span);
        match (&count.kind, &size.kind) {
            (_, hir::ExprKind::Int(0 | 1)) => count,
            (hir::ExprKind::Int(count), hir::ExprKind::Int(size)) => int(count.wrapping_mul(*size), Type::I64, span),
            _ => {
                let size = self.coerce(size, &Type::I64);
                binary(BinaryOp::Mul, count, size, Type::I64, span)
            }
        }
    }

    fn binary(&mut self, op: ast::BinaryOp, left: &Expr, right: &Expr, ty: Type, span: Span) -> hir::Expr {
        if let ast::BinaryOp::And | ast::BinaryOp::Or = op {
            if self.answer(left).is_some() {
                // the other way was answered
                return self.condition(right);
            }
            let (left, right) = (Box::new(self.condition(left)), Box::new(self.condition(right)));
            let kind = hir::ExprKind::Logical { and: op == ast::BinaryOp::And, left, right };
            return hir::Expr { kind, ty: Type::Bool, span };
        }
        let (left_type, right_type) = (self.program.ty(left).clone(), self.program.ty(right).clone());
        let (left_value, right_value) = (self.expr(left), self.expr(right));
        if let Type::String { .. } = left_type {
            return self.compare_strings(op == ast::BinaryOp::NotEqual, left_value, right_value, None, span);
        }
        if !left_type.is_scalar() {
            return self.compare_values(op == ast::BinaryOp::NotEqual, left_value, right_value, span);
        }
        if is_comparison(op) {
            let common = comparison_type((left, &left_type), (right, &right_type));
            let (left, right) = (self.coerce(left_value, &common), self.coerce(right_value, &common));
            return binary(operator(op), left, right, Type::Bool, span);
        }
        self.arithmetic(op, left_value, right_value, ty, span)
    }

    /// Whether two memory values are equal (`negate`: differ).
    fn compare_values(&mut self, negate: bool, left: hir::Expr, right: hir::Expr, span: Span) -> hir::Expr {
        let Some(common) = merge_types(&left.ty, &right.ty) else { return nothing(&Type::Bool, span) };
        let (left, right) = (self.coerce(left, &common), self.coerce(right, &common));
        let (left, right) = (self.buffered(left, &common), self.buffered(right, &common));
        hir::Expr { kind: hir::ExprKind::CompareBytes { negate, left, right }, ty: Type::Bool, span }
    }

    /// An operation whose result is of type `ty`; pointers move by whole elements.
    pub(super) fn arithmetic(
        &mut self,
        op: ast::BinaryOp,
        left: hir::Expr,
        right: hir::Expr,
        ty: Type,
        span: Span,
    ) -> hir::Expr {
        if let (Type::Pointer { to, .. }, Type::Pointer { .. }) = (&left.ty, &right.ty) {
            let size = size_of(to, span);
            let size = self.coerce(size, &Type::I64);
            let (left, right) = (self.coerce(left, &Type::I64), self.coerce(right, &Type::I64));
            let bytes = binary(BinaryOp::Sub, left, right, Type::I64, span);
            return binary(BinaryOp::Div, bytes, size, Type::I64, span);
        }
        let Type::Pointer { to, .. } = &ty else {
            let (left, right) = (self.coerce(left, &ty), self.coerce(right, &ty));
            return binary(operator(op), left, right, ty, span);
        };
        let swap = !matches!(left.ty, Type::Pointer { .. });
        let (address, count) = if swap { (right, left) } else { (left, right) };
        let offset = self.scaled(count, to);
        let (address, offset) = (self.coerce(address, &Type::U64), self.coerce(offset, &Type::U64));
        let sum = binary(operator(op), address, offset, Type::U64, span);
        self.coerce(sum, &ty)
    }

    /// Whether two strings are equal (`negate`: differ); with a limit (at least 1), in so many bytes.
    pub(super) fn compare_strings(
        &mut self,
        negate: bool,
        left: hir::Expr,
        right: hir::Expr,
        limit: Option<u32>,
        span: Span,
    ) -> hir::Expr {
        let cut = |bytes| text(bytes).get(..limit.map_or(usize::MAX, |limit| limit as usize)).unwrap_or(text(bytes));
        let (left, right) = match (&left.kind, &right.kind) {
            (hir::ExprKind::Bytes(a), hir::ExprKind::Bytes(b)) => {
                return int(i64::from((cut(a) == cut(b)) != negate), Type::Bool, span);
            }
            (hir::ExprKind::Bytes(_), _) => (right, left),
            _ => (left, right),
        };
        let right = match right.kind {
            hir::ExprKind::Bytes(bytes) => StringOperand::Literal(text(&bytes).to_vec()),
            _ => {
                let ty = right.ty.clone();
                StringOperand::Value(self.buffered(right, &ty))
            }
        };
        let ty = left.ty.clone();
        let left = self.buffered(left, &ty);
        hir::Expr { kind: hir::ExprKind::CompareStrings { limit, negate, left, right }, ty: Type::Bool, span }
    }

    fn select(&mut self, condition: &Expr, then: Option<&Expr>, otherwise: &Expr, ty: &Type, span: Span) -> hir::Expr {
        if let (Some(answer), Some(then)) = (self.answer(condition), then) {
            return self.expr_as(if answer { then } else { otherwise }, ty);
        }
        if then.is_none() && has_effects(condition) {
            self.not_supported(condition.span, "the left side of `?:` cannot change anything yet");
        }
        let then = self.expr(then.unwrap_or(condition));
        let then = Box::new(self.coerce(then, ty));
        let condition = Box::new(self.condition(condition));
        let otherwise = self.expr(otherwise);
        let otherwise = Box::new(self.coerce(otherwise, ty));
        hir::Expr { kind: hir::ExprKind::Select { condition, then, otherwise }, ty: ty.clone(), span }
    }
}

/// Whether parts of the one go to parts of the other one by one: tuples, and records of one order.
fn same_names(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Fields(from), Type::Fields(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| from.name == to.name)
        }
        (Type::Tuple(_), Type::Tuple(_)) => true,
        _ => false,
    }
}

/// Up to the first NUL.
pub(super) fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
}

/// Size in bytes of a type as a constant; 1 for void, as C compilers have it.
pub(super) fn size_of(ty: &Type, span: Span) -> hir::Expr {
    match ty {
        Type::Record(record) => {
            let kind = hir::ExprKind::Const(LoadConst::RecordSize(record.clone()));
            hir::Expr { kind, ty: Type::U64, span }
        }
        ty => int(i64::from(ty.size().max(1)), Type::U64, span),
    }
}

fn operator(op: ast::BinaryOp) -> BinaryOp {
    match op {
        ast::BinaryOp::Add => BinaryOp::Add,
        ast::BinaryOp::Sub => BinaryOp::Sub,
        ast::BinaryOp::Mul => BinaryOp::Mul,
        ast::BinaryOp::Div => BinaryOp::Div,
        ast::BinaryOp::Rem => BinaryOp::Rem,
        ast::BinaryOp::BitAnd | ast::BinaryOp::And => BinaryOp::And,
        ast::BinaryOp::BitOr | ast::BinaryOp::Or => BinaryOp::Or,
        ast::BinaryOp::BitXor => BinaryOp::Xor,
        ast::BinaryOp::ShiftLeft => BinaryOp::ShiftLeft,
        ast::BinaryOp::ShiftRight => BinaryOp::ShiftRight,
        ast::BinaryOp::Equal => BinaryOp::Equal,
        ast::BinaryOp::NotEqual => BinaryOp::NotEqual,
        ast::BinaryOp::Less => BinaryOp::Less,
        ast::BinaryOp::LessEqual => BinaryOp::LessEqual,
        ast::BinaryOp::Greater => BinaryOp::Greater,
        ast::BinaryOp::GreaterEqual => BinaryOp::GreaterEqual,
    }
}

/// Whether evaluating the expression changes a map or variable.
pub(crate) fn has_effects(expr: &Expr) -> bool {
    any(expr, &|expr| match &expr.kind {
        ExprKind::Step { .. } => true,
        ExprKind::Call { name, .. } => {
            let row = builtins::lookup(&name.text);
            row.is_some_and(|row| matches!(row.lowering, Lowering::Delete | Lowering::Find))
        }
        _ => false,
    })
}

/// Whether the expression reads this scratch variable.
pub(super) fn mentions(expr: &Expr, variable: &str) -> bool {
    any(expr, &|expr| matches!(&expr.kind, ExprKind::Var(name) if name == variable))
}

/// Whether the test holds of the expression or of one inside of it.
fn any(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    let all = |list: &[Expr]| list.iter().any(|expr| any(expr, test));
    if test(expr) {
        return true;
    }
    match &expr.kind {
        ExprKind::Call { args: list, .. } | ExprKind::Map { keys: list, .. } | ExprKind::Tuple(list) => all(list),
        ExprKind::Record(fields) => fields.iter().any(|field| any(&field.1, test)),
        ExprKind::Unary(_, inner)
        | ExprKind::Cast { value: inner, .. }
        | ExprKind::Step { place: inner, .. }
        | ExprKind::Field { base: inner, .. }
        | ExprKind::TupleField { base: inner, .. } => any(inner, test),
        ExprKind::Binary(_, left, right) | ExprKind::Index { base: left, index: right } => {
            any(left, test) || any(right, test)
        }
        ExprKind::Ternary { condition, then, otherwise } => {
            let then = then.as_deref().is_some_and(|then| any(then, test));
            any(condition, test) || then || any(otherwise, test)
        }
        ExprKind::Int { .. }
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Name(_)
        | ExprKind::Var(_)
        | ExprKind::Positional(_)
        | ExprKind::SizeOf(_)
        | ExprKind::Float(_)
        | ExprKind::Method { .. }
        | ExprKind::OffsetOf { .. }
        | ExprKind::TypeOf(_)
        | ExprKind::TypeInfo(_)
        | ExprKind::Error => false,
        // what stands in their statements is not looked at
        ExprKind::Block(_) | ExprKind::If { .. } => true,
        ExprKind::Comptime(inner) => any(inner, test),
    }
}
