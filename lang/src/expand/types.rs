//! Types and fields in the bodies of macros, where parameters can stand for them.

use super::{Expander, Frame};
use crate::ast::{Expr, ExprKind, Ident, MacroParamKind, TypeBase, TypeName, TypeOperand};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The plain word that a type without suffixes is.
fn word(ty: &TypeName) -> Option<&Ident> {
    match &ty.base {
        TypeBase::Name { tag: None, name } if ty.suffixes.is_empty() => Some(name),
        _ => None,
    }
}

impl Expander<'_> {
    /// A type; `None` after a message.
    pub(super) fn type_name(&mut self, ty: &TypeName, frame: Option<&Frame>) -> Option<TypeName> {
        let span = self.span(ty.span, frame);
        let base = match &ty.base {
            TypeBase::TypeOf(operand) => TypeBase::TypeOf(Box::new(self.operand(operand, frame)?)),
            TypeBase::Name { tag, name } => {
                let given = frame.and_then(|frame| frame.given(MacroParamKind::Expr, &name.text));
                match given.filter(|_| tag.is_none()) {
                    None => TypeBase::Name { tag: *tag, name: self.ident(name, frame) },
                    Some(Expr { kind: ExprKind::TypeOf(TypeOperand::Type(inner)), .. }) => {
                        let suffixes = inner.suffixes.iter().chain(&ty.suffixes).copied().collect();
                        return Some(TypeName { base: inner.base.clone(), suffixes, span });
                    }
                    Some(Expr { kind: ExprKind::TypeOf(operand), .. }) => TypeBase::TypeOf(Box::new(operand.clone())),
                    Some(given) => return self.report_no_type(name, given.span, span),
                }
            }
        };
        Some(TypeName { base, suffixes: ty.suffixes.clone(), span })
    }

    fn report_no_type(&mut self, name: &Ident, given: Span, span: Span) -> Option<TypeName> {
        let message = format!("`{}` stands for a value here, not for a type", name.text);
        let diagnostic =
            Diagnostic::error(Code::TypeMismatch, message).at(given, "given here").at(span, "used as a type");
        self.out.push(
            diagnostic.help("types are given as `typeof(TYPE)`; a value before an operator needs no parentheses"),
        );
        None
    }

    /// A type or an expression that has it; `None` after a message.
    pub(super) fn operand(&mut self, operand: &TypeOperand, frame: Option<&Frame>) -> Option<TypeOperand> {
        let ty = match operand {
            TypeOperand::Value(value) => return Some(TypeOperand::Value(Box::new(self.expr(value, frame)))),
            TypeOperand::Type(ty) => ty,
        };
        let name = word(ty).filter(|name| self.is_value(&name.text, frame));
        let Some(name) = name else { return self.type_name(ty, frame).map(TypeOperand::Type) };
        let value = self.expr_of_name(name, frame);
        Some(match value.kind {
            ExprKind::TypeOf(operand) => operand,
            _ => TypeOperand::Value(Box::new(value)),
        })
    }

    /// `sizeof(type)`, which can turn out to be that of an expression.
    pub(super) fn size_of(&mut self, ty: &TypeName, frame: Option<&Frame>, span: Span) -> ExprKind {
        match self.operand(&TypeOperand::Type(ty.clone()), frame) {
            None => ExprKind::Error,
            Some(TypeOperand::Type(ty)) => ExprKind::SizeOf(ty),
            Some(TypeOperand::Value(value)) => {
                ExprKind::Call { name: Ident { text: "sizeof".to_string(), span }, args: vec![*value] }
            }
        }
    }

    /// Whether the word is a parameter or a macro without any.
    fn is_value(&self, name: &str, frame: Option<&Frame>) -> bool {
        frame.is_some_and(|frame| frame.given(MacroParamKind::Expr, name).is_some()) || self.is_bare_call(name)
    }

    fn expr_of_name(&mut self, name: &Ident, frame: Option<&Frame>) -> Expr {
        let bare = Expr { id: crate::ast::NodeId(0), kind: ExprKind::Name(name.text.clone()), span: name.span };
        self.expr(&bare, frame)
    }

    /// The names of a field, of which the first can be a parameter.
    pub(super) fn path(&mut self, path: &[Ident], frame: Option<&Frame>) -> Vec<Ident> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let given = frame.and_then(|frame| frame.given(MacroParamKind::Expr, &first.text));
        let mut names = given.and_then(dotted).unwrap_or_else(|| vec![self.ident(first, frame)]);
        names.extend(rest.iter().map(|name| self.ident(name, frame)));
        names
    }
}

/// `a.b.c` as its names.
fn dotted(expr: &Expr) -> Option<Vec<Ident>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![Ident { text: name.clone(), span: expr.span }]),
        ExprKind::Field { base, field } => {
            let mut names = dotted(base)?;
            names.push(field.clone());
            Some(names)
        }
        _ => None,
    }
}
