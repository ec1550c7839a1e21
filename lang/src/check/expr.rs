//! Expressions: literals, names, variables; everything else is handed on.

use super::infer::Inferred;
use super::user::wrong_side;
use super::{Checker, fold, suggest};
use crate::ast::{Expr, ExprKind, Ident, NodeId, TypeName, UnaryOp};
use crate::builtins::{self, Allowed, Builtin, Form, Lowering, Returns, Side};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::probes::{self, Arguments, ProbeKind, ProbeRow, TargetSyntax};
use crate::source::Span;
use crate::types::{NamedType, RecordKind, RecordRef, Type};

/// A positional parameter as a number, when it is one: decimal, hexadecimal or octal.
pub(crate) fn positional_number(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let value = if let Some(hex) = digits.strip_prefix("0x") {
        u64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        u64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if negative { (value as i64).wrapping_neg() } else { value as i64 })
}

impl Checker<'_> {
    /// An expression wherever a value is needed: something that can be computed, copied and shown.
    pub(super) fn value(&mut self, expr: &Expr) -> Type {
        let ty = self.expr(expr);
        let ty = match ty {
            Type::Void => self.error(Code::NoValue, expr.span, "this gives no value", "used as a value here"),
            Type::Record(record) if record.size == 0 => self.whole_record(record, expr.span),
            _ => return ty,
        };
        self.set_type(expr.id, &ty);
        ty
    }

    /// A record of which only the name was known so far.
    fn whole_record(&mut self, record: RecordRef, span: Span) -> Type {
        let size = self.kernel.record_size(record.id);
        if size > 0 {
            return Type::Record(RecordRef { size, ..record });
        }
        let message = format!("`{}` has no size", Type::Record(record));
        self.error(Code::UnknownName, span, message, "it is declared, but defined nowhere")
    }

    /// Any expression; its type may be void or a record.
    pub(super) fn expr(&mut self, expr: &Expr) -> Type {
        let ty = self.expr_kind(expr);
        self.set_type(expr.id, &ty);
        self.note_answer(expr);
        ty
    }

    fn expr_kind(&mut self, expr: &Expr) -> Type {
        if let Some(found) = fold(expr) {
            return found.ty();
        }
        match &expr.kind {
            ExprKind::Int { .. } => Type::U64,
            ExprKind::Str(bytes) => Type::String { size: bytes.len() as u32 + 1 },
            ExprKind::Bool(_) => Type::Bool,
            ExprKind::Float(_) => self.unsupported("numbers with a fraction are", expr.span),
            ExprKind::Method { .. } => self.unsupported("calls of actors are", expr.span),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Var(name) => self.variable(name, expr.span),
            ExprKind::Positional(number) => self.positional(*number),
            ExprKind::Map { name, keys } => self.read_map(name, keys, expr.span),
            ExprKind::Call { name, args } => self.call(name, args, expr.span),
            ExprKind::Unary(UnaryOp::Deref, operand) => self.dereference(operand, expr.span),
            ExprKind::Unary(UnaryOp::AddressOf, operand) => self.address_of(operand, expr.span),
            ExprKind::Unary(op, operand) => self.unary(*op, operand),
            ExprKind::Step { place, .. } => self.step(place),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, expr.span),
            ExprKind::Ternary { condition, then, otherwise } => {
                self.ternary(condition, then.as_deref(), otherwise, expr.span)
            }
            ExprKind::Field { base, field } => self.field(base, field),
            ExprKind::TupleField { base, index } => self.tuple_field(base, *index, expr.span),
            ExprKind::Index { base, index } => self.index(base, index, expr.span),
            ExprKind::Cast { ty, value } => self.cast(ty, value),
            ExprKind::SizeOf(name) => self.size_of(name, expr.id),
            ExprKind::Tuple(values) if values.is_empty() => self.unsupported("the empty tuple is", expr.span),
            ExprKind::Tuple(values) => Type::Tuple(values.iter().map(|value| self.value(value)).collect()),
            ExprKind::OffsetOf { of, path } => self.offset_of(of, path, expr.id),
            ExprKind::TypeOf(_) => self.unsupported("a type as a value is", expr.span),
            ExprKind::TypeInfo(_) => self.unsupported("`typeinfo` is", expr.span),
            ExprKind::Record(fields) => self.record_literal(fields),
            ExprKind::Block(block) => self.block_value(block),
            ExprKind::If { condition, then, otherwise } => self.choice(condition, then, otherwise.as_ref(), expr.span),
            ExprKind::Comptime(value) => self.comptime(value),
            ExprKind::Error => Type::Error,
        }
    }

    fn size_of(&mut self, name: &TypeName, node: NodeId) -> Type {
        let Some(ty) = self.type_name(name) else { return Type::Error };
        self.program.measured.insert(node, ty);
        Type::U64
    }

    /// `(a = 1, b = 2)`
    fn record_literal(&mut self, fields: &[(Ident, Expr)]) -> Type {
        let mut types: Vec<NamedType> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let ty = self.value(value);
            if types.iter().any(|known| known.name == name.text) {
                let message = format!("the record has two fields `{}`", name.text);
                self.error(Code::UnknownField, name.span, message, "the second one");
                continue;
            }
            types.push(NamedType { name: name.text.clone(), ty });
        }
        Type::Fields(types)
    }

    fn positional(&self, number: u32) -> Type {
        let given = number.checked_sub(1).and_then(|at| self.options.positional.get(at as usize));
        match given {
            Some(text) if positional_number(text).is_none() => Type::String { size: text.len() as u32 + 1 },
            _ => Type::I64,
        }
    }

    /// Takes a positional parameter as a string, whatever it looks like, because of where it stands.
    pub(super) fn as_text(&mut self, expr: &Expr, ty: Type) -> Type {
        let ExprKind::Positional(number) = expr.kind else { return ty };
        let Some(at) = number.checked_sub(1) else { return ty };
        let len = self.options.positional.get(at as usize).map_or(0, String::len);
        let ty = Type::String { size: len as u32 + 1 };
        self.set_type(expr.id, &ty);
        ty
    }

    fn name(&mut self, name: &str, span: Span) -> Type {
        let Some(row) = builtins::lookup(name) else {
            if self.script_names.contains(name) {
                return Type::Error;
            }
            if let Ok(Some(value)) = self.kernel.enumerator(name) {
                let of = self.kernel.enumeration_of(name).filter(|ty| matches!(ty, Type::Enum(_)));
                return of.unwrap_or_else(|| enumerator_type(value));
            }
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("unknown name `{name}`"));
            let diagnostic = diagnostic.at(span, "no builtin of this name");
            let variables = self.scopes.iter().flat_map(|scope| scope.keys()).map(String::as_str);
            let diagnostic = match suggest::value(name) {
                Some(found) => diagnostic.suggest(span, Some(found)),
                None => match nearest(name, variables) {
                    Some(variable) => diagnostic.suggest(span, Some(&format!("${variable}"))),
                    None => diagnostic.help("scratch variables start with `$`, maps with `@`"),
                },
            };
            return self.report(diagnostic);
        };
        if row.form == Form::Function {
            let diagnostic = Diagnostic::error(Code::UnknownName, format!("`{name}` is a function"));
            return self.report(diagnostic.at(span, "used as a value").help(format!("call it: `{name}(...)`")));
        }
        if !self.check_allowed(row, name, span) {
            return Type::Error;
        }
        match row.lowering {
            Lowering::Value(form) => self.form_type(form, row, &Ident { text: name.to_string(), span }, &[]),
            _ => self.builtin_type(row, name, span),
        }
    }

    /// The type of a builtin without arguments.
    pub(super) fn builtin_type(&mut self, row: &Builtin, name: &str, span: Span) -> Type {
        match &row.returns {
            Returns::Void => Type::Void,
            Returns::Fixed(ty) => ty.clone(),
            Returns::SessionString => Type::String { size: self.options.max_strlen.max(1) },
            Returns::RecordPointer(record) => {
                let found = self.kernel.record(RecordKind::Struct, record);
                Type::kernel_pointer(found.ok().flatten().unwrap_or(Type::Void))
            }
            Returns::AttachText => {
                self.program.knows_place = true;
                Type::String { size: self.attach_text(row).len() as u32 + 1 }
            }
            // of the other side, which was told
            Returns::Text | Returns::Float => Type::Error,
            Returns::CpuPointer => Type::kernel_pointer(Type::U64),
            Returns::Stack(space) => self.default_stack(*space, span),
            Returns::FromProbe => self.probe_value(row, name, span),
        }
    }

    fn attach_text(&self, row: &Builtin) -> &str {
        let function = self.point().function().filter(|_| row.lowering == Lowering::FunctionName);
        function.unwrap_or(&self.point().text)
    }

    fn probe_value(&mut self, row: &Builtin, name: &str, span: Span) -> Type {
        if !self.point().known {
            return Type::Error;
        }
        match row.lowering {
            Lowering::Argument => self.numbered_argument(name, span),
            Lowering::ReturnValue => self.return_value(span),
            Lowering::Context => self.object(span),
            _ => self.all_arguments(span),
        }
    }

    /// Whether the builtin can stand in this probe; says so if not.
    pub(super) fn check_allowed(&mut self, row: &Builtin, name: &str, span: Span) -> bool {
        if row.side() == Side::User {
            self.report(wrong_side(name, row.side(), span));
            return false;
        }
        if !self.point().known || is_allowed(row, self.point().row) {
            return true;
        }
        let kind = self.point().row.name;
        let kinds: Vec<_> = probes::ALL.iter().filter(|probe| is_allowed(row, probe)).map(|row| row.name).collect();
        let diagnostic =
            Diagnostic::error(Code::NotInThisProbe, format!("`{name}` is not available in a {kind} probe"))
                .at(span, format!("the probe is `{}`", self.point().text))
                .note(format!("it is there in: {}", kinds.join(", ")));
        self.report(diagnostic);
        false
    }

    fn variable(&mut self, name: &str, span: Span) -> Type {
        let Some(at) = self.find_variable(name, span) else { return self.undefined_variable(name, span) };
        let Some(var) = self.program.vars.get_mut(at) else { return Type::Error };
        if var.value.is_none() {
            var.value = Some(Inferred { ty: Type::I64, flexible: true });
            self.changed = true;
        }
        var.value.as_ref().map_or(Type::Error, |value| value.ty.clone())
    }

    /// The variable that a name means here; remembers the place.
    pub(super) fn find_variable(&mut self, name: &str, span: Span) -> Option<usize> {
        let at = self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())?;
        self.program.var_at.insert(span, at);
        Some(at)
    }

    pub(super) fn undefined_variable(&mut self, name: &str, span: Span) -> Type {
        let message = format!("scratch variable `${name}` is not defined");
        let mut diagnostic = Diagnostic::error(Code::UndefinedVariable, message).at(span, "nothing was assigned to it");
        if let Some(earlier) = self.closed.get(name) {
            diagnostic = diagnostic.at(*earlier, "this one ended with its block");
            return self.report(diagnostic.help(format!("declare it before the block: `let ${name};`")));
        }
        let names = self.scopes.iter().flat_map(|scope| scope.keys()).map(String::as_str);
        let found = nearest(name, names).map(|found| format!("${found}"));
        self.report(diagnostic.suggest(span, found.as_deref()))
    }

    fn ternary(&mut self, condition: &Expr, then: Option<&Expr>, otherwise: &Expr, span: Span) -> Type {
        self.condition(condition);
        if let (Some(answer), Some(then)) = (self.answer(condition), then) {
            return self.expr(if answer { then } else { otherwise });
        }
        let then_type = match then {
            Some(then) => self.expr(then),
            None => self.program.ty(condition).clone(),
        };
        let other_type = self.expr(otherwise);
        if then_type == Type::Void && other_type == Type::Void {
            return Type::Void;
        }
        for (expr, ty) in then.map(|then| (then, &then_type)).into_iter().chain([(otherwise, &other_type)]) {
            if *ty == Type::Void {
                return self.error(Code::NoValue, expr.span, "this gives no value", "the other side has one");
            }
        }
        let left = then.map_or_else(|| Inferred::fixed(&then_type), |then| Inferred::of(then, &then_type));
        match super::infer::merge(&left, &Inferred::of(otherwise, &other_type)) {
            Some(merged) => merged.ty,
            None => {
                let diagnostic = Diagnostic::error(Code::TypeMismatch, "both sides of `?:` must have one type")
                    .at(span, format!("one side is `{then_type}`, the other `{other_type}`"));
                self.report(diagnostic)
            }
        }
    }

    /// An expression that decides: a number, pointer or bool.
    pub(super) fn condition(&mut self, expr: &Expr) {
        let ty = self.value(expr);
        if !matches!(ty, Type::Error | Type::Bool | Type::Int(_) | Type::Enum(_) | Type::Pointer { .. }) {
            let diagnostic = Diagnostic::error(Code::TypeMismatch, format!("`{ty}` is no condition"))
                .at(expr.span, "must be a bool, number or pointer");
            let text = matches!(ty, Type::String { .. });
            self.report(if text { diagnostic.help("compare it: `... == \"text\"`") } else { diagnostic });
        }
    }

    /// `$x++`, `--@y[k]`
    fn step(&mut self, place: &Expr) -> Type {
        let ty = match &place.kind {
            ExprKind::Var(name) => self.step_variable(name, place),
            ExprKind::Map { name, keys } => self.change_map(name, keys, place.span, &Inferred::step(), place.span),
            ExprKind::Error => Type::Error,
            _ => return self.not_assignable(place),
        };
        self.set_type(place.id, &ty);
        if matches!(ty, Type::Error | Type::Int(_) | Type::Pointer { .. }) {
            return ty;
        }
        let message = format!("`{ty}` cannot be counted up or down");
        self.error(Code::BadOperand, place.span, message, "not a number")
    }

    /// A variable that is counted up or down has 64 bits, unless its type is written.
    fn step_variable(&mut self, name: &str, place: &Expr) -> Type {
        let ty = self.value(place);
        match (&ty, self.find_variable(name, place.span)) {
            (Type::Int(_), Some(at)) => {
                self.merge_variable(at, &Inferred::step(), place.span);
                self.value(place)
            }
            _ => ty,
        }
    }

    pub(super) fn not_assignable(&mut self, place: &Expr) -> Type {
        let diagnostic = Diagnostic::error(Code::NotAssignable, "this cannot be assigned to")
            .at(place.span, "neither a map nor a scratch variable");
        let help = "scratch variables start with `$`, maps with `@`";
        self.report(diagnostic.help(help))
    }
}

/// Members of enumerations are unsigned when they can be.
fn enumerator_type(value: i64) -> Type {
    if value < 0 { Type::I64 } else { Type::U64 }
}

fn is_allowed(row: &Builtin, probe: &ProbeRow) -> bool {
    let parameters = matches!(probe.arguments, Arguments::Parameters | Arguments::ParametersAndReturnValue);
    match row.allowed {
        Allowed::Anywhere => true,
        Allowed::WithArguments => {
            let numbered = row.lowering == Lowering::Argument;
            parameters
                || (probe.arguments == Arguments::TracepointFields && !numbered)
                || (probe.arguments == Arguments::Operands && numbered)
        }
        Allowed::WithReturnValue => {
            matches!(probe.arguments, Arguments::ReturnValue | Arguments::ParametersAndReturnValue)
        }
        Allowed::OnObjects => probe.arguments == Arguments::Object,
        Allowed::WithRegisters => probe.has_registers(),
        Allowed::OnKprobes => probe.kind == ProbeKind::Kprobe,
        Allowed::OnFunctions => matches!(probe.target, TargetSyntax::Function | TargetSyntax::UserFunction),
    }
}

#[cfg(test)]
mod tests {
    use super::positional_number;

    #[test]
    fn positional_numbers() {
        for (text, number) in [("42", Some(42)), ("-1", Some(-1)), ("0x1f", Some(31)), ("010", Some(8)), ("a", None)] {
            assert_eq!(positional_number(text), number, "{text}");
        }
    }
}
