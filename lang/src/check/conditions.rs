//! Questions about the kernel that are answered when a script is compiled: `has_field`, `has_type`, `has_probe` and
//! `kernel >= 6.1`. What they leave out need not fit the types of this kernel: it is neither checked nor compiled.

use super::access::is_argument_record;
use super::cast::TypeNameError;
use super::{Checker, SessionOptions, attach, is_comparison, suggest};
use crate::ast::{BinaryOp, Expr, ExprKind, Ident, TypeBase, TypeName, TypeOperand, UnaryOp};
use crate::builtins::{self, KernelQuestion, Lowering, ValueForm};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::KernelVersion;
use crate::source::{SourceMap, Span};
use crate::types::{RecordRef, Type};
use std::collections::HashSet;

/// Whether the expression is `kernel`.
fn is_version(expr: &Expr) -> bool {
    let ExprKind::Name(name) = &expr.kind else { return false };
    builtins::lookup(name).is_some_and(|row| row.lowering == Lowering::Value(ValueForm::Asks(KernelQuestion::Version)))
}

/// `6.1`, `6`
fn version(expr: &Expr) -> Option<KernelVersion> {
    match &expr.kind {
        ExprKind::Float(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            KernelVersion::parse(text)
        }
        ExprKind::Int { bits, .. } => Some(KernelVersion::new(u16::try_from(*bits).ok()?, 0)),
        _ => None,
    }
}

/// The path of names that an expression is: `a.b.c`.
fn path_of(expr: &Expr) -> Option<Vec<Ident>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![Ident { text: name.clone(), span: expr.span }]),
        ExprKind::Field { base, field } => {
            let mut path = path_of(base)?;
            path.push(field.clone());
            Some(path)
        }
        _ => None,
    }
}

impl Checker<'_> {
    /// What is known about a condition because the kernel is known.
    pub(super) fn answer(&self, condition: &Expr) -> Option<bool> {
        self.program.answers.get(&condition.id).copied()
    }

    /// Remembers the answer of an expression that was checked, if it asks for something of the kernel.
    pub(super) fn note_answer(&mut self, expr: &Expr) {
        let answer = match &expr.kind {
            ExprKind::Call { name, args } => self.call_answer(name, args),
            ExprKind::Unary(UnaryOp::Not, inner) => self.answer(inner).map(|answer| !answer),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => match self.answer(left) {
                Some(left) if left == (*op == BinaryOp::Or) => Some(left),
                Some(_) => self.answer(right),
                None => None,
            },
            ExprKind::Binary(op, left, right) if is_version(left) => self.compare_version(*op, right),
            _ => None,
        };
        if let Some(answer) = answer {
            self.program.answers.insert(expr.id, answer);
        }
    }

    fn call_answer(&mut self, name: &Ident, args: &[Expr]) -> Option<bool> {
        let Lowering::Value(ValueForm::Asks(question)) = builtins::lookup(&name.text)?.lowering else { return None };
        match (question, args) {
            (KernelQuestion::Field, [of, path]) => self.has_field(of, path),
            (KernelQuestion::Type, [of]) => self.type_argument(of).ok().map(|ty| ty.is_some()),
            (KernelQuestion::Probe, [probe]) => match &probe.kind {
                ExprKind::Str(text) => Some(self.has_probe(&String::from_utf8_lossy(text))),
                _ => None,
            },
            _ => None,
        }
    }

    fn compare_version(&self, op: BinaryOp, right: &Expr) -> Option<bool> {
        let (wanted, found) = (version(right)?, self.kernel.version());
        // 6.1 stands for all of 6.1.x
        let order = (found.major, found.minor).cmp(&(wanted.major, wanted.minor));
        Some(match op {
            BinaryOp::Equal => order.is_eq(),
            BinaryOp::NotEqual => order.is_ne(),
            BinaryOp::Less => order.is_lt(),
            BinaryOp::LessEqual => order.is_le(),
            BinaryOp::Greater => order.is_gt(),
            BinaryOp::GreaterEqual => order.is_ge(),
            _ => return None,
        })
    }

    /// `kernel >= 6.1`; `None` when it is another operation.
    pub(super) fn version_condition(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Type> {
        if !is_version(left) && !is_version(right) {
            return None;
        }
        if is_version(left) && is_comparison(op) && version(right).is_some() {
            return Some(Type::Bool);
        }
        let span = left.span.to(right.span);
        let diagnostic = Diagnostic::error(Code::TypeMismatch, "`kernel` is compared with a version");
        Some(self.report(diagnostic.at(span, "not with one").help("write `kernel >= 6.1`")))
    }

    /// The type of a question, whose arguments are checked.
    pub(super) fn question(&mut self, question: KernelQuestion, args: &[Expr], span: Span) -> Type {
        match (question, args) {
            (KernelQuestion::Version, _) => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, "`kernel` alone has no value");
                self.report(diagnostic.at(span, "without a version").help("compare it: `kernel >= 6.1`"))
            }
            (KernelQuestion::Field, [of, path]) => {
                if path_of(path).is_none() {
                    let message = "a field is named by its path: `a.b`";
                    return self.error(Code::TypeMismatch, path.span, message, "no path of names");
                }
                if is_argument_record(of) { Type::Bool } else { self.type_of_question(of) }
            }
            (KernelQuestion::Type, [of]) => self.type_of_question(of),
            (KernelQuestion::Field | KernelQuestion::Type | KernelQuestion::Probe, _) => Type::Bool,
        }
    }

    fn type_of_question(&mut self, of: &Expr) -> Type {
        match self.type_argument(of) {
            Ok(_) => Type::Bool,
            Err(diagnostic) => self.report(*diagnostic),
        }
    }

    /// The type that an argument names; `None` when the kernel has none of this name.
    fn type_argument(&mut self, of: &Expr) -> Result<Option<Type>, Box<Diagnostic>> {
        let name = match &of.kind {
            ExprKind::TypeOf(TypeOperand::Type(name)) => name.clone(),
            ExprKind::Name(name) => {
                let name = Ident { text: name.clone(), span: of.span };
                TypeName { base: TypeBase::Name { tag: None, name }, suffixes: Vec::new(), span: of.span }
            }
            _ => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, "this takes the name of a type");
                return Err(Box::new(diagnostic.at(of.span, "not one").help("write `struct NAME`")));
            }
        };
        match self.resolve(&name) {
            Ok(ty) => Ok(Some(ty)),
            Err(TypeNameError::Kernel(error)) => {
                Err(Box::new(suggest::kernel_error(&error, of.span, "a type of the kernel")))
            }
            Err(TypeNameError::Unknown | TypeNameError::Reported) => Ok(None),
        }
    }

    /// Whether a record, or the arguments of the probe, have a field.
    fn has_field(&mut self, of: &Expr, path: &Expr) -> Option<bool> {
        let path = path_of(path)?;
        if is_argument_record(of) {
            return Some(self.has_argument(path.first()?) && path.len() == 1);
        }
        let mut found = self.type_argument(of).ok()?;
        for field in path {
            let Some(Type::Record(RecordRef { id, .. })) = found else { return Some(false) };
            found = self.kernel.member(id, &field.text).map(|member| member.ty);
        }
        Some(found.is_some())
    }

    fn has_argument(&self, field: &Ident) -> bool {
        let point = self.point();
        if let Some(format) = &point.format {
            return format.fields.iter().any(|known| known.name == field.text);
        }
        let prototype = point.user_prototype(self.kernel).or_else(|| point.prototype(self.kernel).ok().flatten());
        prototype.is_some_and(|prototype| prototype.params.iter().any(|known| known.name == field.text))
    }

    /// Whether an attach point can be found on this kernel.
    fn has_probe(&self, text: &str) -> bool {
        let mut sources = SourceMap::default();
        let file = sources.add("has_probe", format!("{text} {{ }}"));
        let (ast, messages) = crate::parse(&sources, file);
        if messages.has_errors() {
            return false;
        }
        let options = SessionOptions { missing_probes: super::MissingProbes::Error, ..self.options.clone() };
        let (points, messages) = attach::expand(&ast, self.kernel, &options, &HashSet::new());
        !messages.has_errors() && points.iter().any(|(_, point)| point.known)
    }
}
