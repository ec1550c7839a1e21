//! What lies behind a dot, a bracket or a star: fields, elements, arguments.

use super::infer::read_from;
use super::{CheckedProgram, Checker, literal_int, suggest};
use crate::ast::{Expr, ExprKind, Ident, UnaryOp};
use crate::builtins::{self, Builtin, Lowering, Returns, ValueForm};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::Feature;
use crate::manifest::Attach;
use crate::probes::{Arguments, TargetSyntax};
use crate::source::Span;
use crate::types::{AddressSpace, IntType, NamedType, RecordKind, RecordRef, Type};

/// The builtin that a bare word (or a call without arguments) names.
pub(crate) fn named_builtin(expr: &Expr) -> Option<&'static Builtin> {
    match &expr.kind {
        ExprKind::Name(name) => builtins::lookup(name),
        ExprKind::Call { name, args } if args.is_empty() => builtins::lookup(&name.text),
        _ => None,
    }
}

/// Whether the expression is `args`.
pub(crate) fn is_argument_record(expr: &Expr) -> bool {
    named_builtin(expr).is_some_and(|row| row.lowering == Lowering::ArgumentRecord)
}

/// Whether the expression is `config`.
pub(crate) fn is_settings(expr: &Expr) -> bool {
    named_builtin(expr).is_some_and(|row| row.lowering == Lowering::Value(ValueForm::Settings))
}

impl Checker<'_> {
    pub(super) fn field(&mut self, base: &Expr, field: &Ident) -> Type {
        if let Some(row) = named_builtin(base).filter(|row| row.lowering == Lowering::ArgumentRecord) {
            let allowed = self.check_allowed(row, row.name, base.span);
            return if allowed { self.named_argument(field) } else { Type::Error };
        }
        if is_settings(base) {
            return self.setting(field);
        }
        if let Some(ty) = self.figure(base, field) {
            return ty;
        }
        let ty = self.expr(base);
        match &ty {
            Type::Error => Type::Error,
            Type::Record(record) => {
                let space = self.space_of(base);
                self.member(record, field, space)
            }
            Type::Fields(fields) => match fields.iter().find(|known| known.name == field.text) {
                Some(found) => found.ty.clone(),
                None => self.unknown_part(fields, field),
            },
            Type::Pointer { to, space } => match &**to {
                Type::Record(record) => self.member(record, field, *space),
                _ => self.no_fields(base, &ty),
            },
            _ => self.no_fields(base, &ty),
        }
    }

    fn no_fields(&mut self, base: &Expr, ty: &Type) -> Type {
        if let Some(Returns::RecordPointer(record)) = named_builtin(base).map(|row| &row.returns)
            && let Err(error) = self.kernel.record(RecordKind::Struct, record)
        {
            return self.report(suggest::kernel_error(&error, base.span, "a field of the kernel's structures"));
        }
        let diagnostic =
            Diagnostic::error(Code::NotARecord, format!("`{ty}` has no fields")).at(base.span, "not a struct");
        let address = matches!(ty, Type::Int(_) | Type::Pointer { .. });
        self.report(match ty {
            _ if address => diagnostic.help("cast it to say what it points to: `((struct NAME *)value).field`"),
            Type::Tuple(_) => diagnostic.help("elements of a tuple are `.0`, `.1`, ..."),
            _ => diagnostic,
        })
    }

    pub(super) fn member(&mut self, record: &RecordRef, field: &Ident, space: AddressSpace) -> Type {
        if let Some(member) = self.kernel.member(record.id, &field.text) {
            if member.bit_size.is_some_and(|bits| member.bit_offset % 8 + bits > 64) {
                let message = "a packed bit-field that lies in nine bytes is not supported yet";
                return self.error(Code::NotSupported, field.span, message, "this field");
            }
            return read_from(space, member.ty);
        }
        let owner = Type::Record(record.clone());
        let members = self.kernel.members(record.id).into_iter().map(|member| member.name);
        let names: Vec<String> = members.filter(|name| !name.is_empty()).collect();
        let message = format!("`{owner}` has no field `{}`", field.text);
        let diagnostic = Diagnostic::error(Code::UnknownField, message).at(field.span, "no such field");
        let owner = format!("its `{owner}` has {} fields", names.len());
        let diagnostic = suggest::or_lacking(diagnostic, field.span, &field.text, &names, self.kernel, &owner);
        self.report(diagnostic)
    }

    fn unknown_part(&mut self, fields: &[NamedType], field: &Ident) -> Type {
        let found = nearest(&field.text, fields.iter().map(|known| known.name.as_str()));
        let message = format!("the record has no field `{}`", field.text);
        let diagnostic = Diagnostic::error(Code::UnknownField, message).at(field.span, "no such field");
        let candidates = fields.iter().map(|known| known.name.clone()).collect();
        self.report(Diagnostic { candidates, ..diagnostic.suggest(field.span, found) })
    }

    /// `args` as a value: all arguments by their names.
    pub(super) fn all_arguments(&mut self, span: Span) -> Type {
        self.program.knows_place = true;
        let names = match (&self.point().format, self.point().prototype(self.kernel)) {
            (Some(format), _) => format.fields.iter().map(|field| field.name.clone()).collect(),
            (None, Ok(Some(prototype))) => prototype.params.into_iter().map(|param| param.name).collect(),
            (None, _) => Vec::new(),
        };
        if names.is_empty() {
            let message = "the names of all arguments are not known here";
            let diagnostic = Diagnostic::error(Code::NotSupported, message).at(span, "without a field");
            return self.report(diagnostic.help("use arg0, arg1, ... instead"));
        }
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            match self.named_argument(&Ident { text: name.clone(), span }) {
                Type::Error => return Type::Error,
                ty => fields.push(NamedType { name, ty }),
            }
        }
        Type::Fields(fields)
    }

    /// `args.NAME`
    fn named_argument(&mut self, field: &Ident) -> Type {
        if !self.point().known {
            return Type::Error;
        }
        if self.point().row.arguments == Arguments::TracepointFields {
            self.record_field(field)
        } else {
            self.parameter(field)
        }
    }

    /// `ctx` of an iterator: a pointer to the record that the kernel hands to programs.
    pub(super) fn object(&mut self, span: Span) -> Type {
        let Some(record) = self.point().context_record() else { return Type::Error };
        match self.kernel.record(RecordKind::Struct, &record) {
            Ok(found) => Type::kernel_pointer(found.unwrap_or(Type::Void)),
            Err(error) => self.report(suggest::kernel_error(&error, span, "an iterator's object")),
        }
    }

    fn record_field(&mut self, field: &Ident) -> Type {
        let Some(format) = self.point().format.clone() else { return Type::Error };
        if let Some(found) = format.fields.iter().find(|row| row.name == field.text) {
            self.program.record_fields.insert(found.name.clone());
            let space = self.point().category().map_or(AddressSpace::Kernel, |name| self.kernel.tracepoint_space(name));
            return read_from(space, found.ty.clone());
        }
        let names: Vec<String> = format.fields.iter().map(|row| row.name.clone()).collect();
        self.unknown_argument(field, &names)
    }

    fn parameter(&mut self, field: &Ident) -> Type {
        self.program.knows_place = true;
        if self.point().row.target == TargetSyntax::UserFunction {
            return self.user_parameter(field);
        }
        let prototype = match self.point().prototype(self.kernel) {
            Ok(Some(prototype)) => prototype,
            Ok(None) => {
                let point = self.point();
                let message =
                    format!("the kernel's BTF does not describe `{}`", point.function().unwrap_or(&point.text));
                let diagnostic = Diagnostic::error(Code::NoBtf, message).at(field.span, "its parameters have no names");
                return self.report(diagnostic.help("use arg0, arg1, ... instead"));
            }
            Err(error) => {
                let diagnostic = suggest::kernel_error(&error, field.span, "a parameter's name");
                return self.report(diagnostic.help("in a kprobe, arg0, arg1, ... work without BTF"));
            }
        };
        if let Some(found) = prototype.params.iter().find(|row| row.name == field.text) {
            let ty = found.ty.clone();
            return ty;
        }
        let names: Vec<String> = prototype.params.into_iter().map(|row| row.name).collect();
        self.unknown_argument(field, &names)
    }

    /// A parameter of a function of a program, by debug information.
    fn user_parameter(&mut self, field: &Ident) -> Type {
        if self.point().is_shared() {
            // each place is looked at on its own then
            return Type::I64;
        }
        let Some(prototype) = self.point().user_prototype(self.kernel) else {
            let function = self.point().function().unwrap_or_default();
            let message = format!("no debug information describes the parameters of `{function}`");
            let diagnostic = Diagnostic::error(Code::NotInThisProbe, message).at(field.span, "not known");
            return self.report(diagnostic.help("use arg0, arg1, ..., or build the program with -g"));
        };
        if let Some(found) = prototype.params.iter().find(|row| row.name == field.text) {
            return found.ty.clone();
        }
        let names: Vec<String> = prototype.params.into_iter().map(|row| row.name).collect();
        self.unknown_argument(field, &names)
    }

    fn unknown_argument(&mut self, field: &Ident, names: &[String]) -> Type {
        let probe = self.point().text.clone();
        let message = format!("`{probe}` has no argument `{}`", field.text);
        let diagnostic = Diagnostic::error(Code::UnknownField, message).at(field.span, "no such argument");
        let owner = format!("its `{probe}` has {} arguments", names.len());
        let diagnostic = suggest::or_lacking(diagnostic, field.span, &field.text, names, self.kernel, &owner);
        self.report(diagnostic)
    }

    /// `arg0`; a register's 64 bits, signed.
    pub(super) fn numbered_argument(&mut self, name: &str, span: Span) -> Type {
        let number = builtins::argument_number(name).unwrap_or(0);
        if let Ok(Some(prototype)) = self.trampoline_prototype() {
            let count = prototype.params.len();
            if number as usize >= count {
                let message = format!("`{}` has only {count} arguments", self.point().text);
                return self.error(Code::BadArgument, span, message, "counted from arg0");
            }
        } else if let Attach::Usdt { arguments, .. } = &self.point().attach {
            let count = arguments.len();
            if number as usize >= count {
                let message = format!("`{}` has only {count} arguments", self.point().text);
                return self.error(Code::BadArgument, span, message, "counted from arg0");
            }
        } else if number >= REGISTER_ARGUMENTS {
            let message = format!("only the first {REGISTER_ARGUMENTS} arguments of a function are in registers");
            return self.error(Code::BadArgument, span, message, "counted from arg0");
        }
        Type::I64
    }

    /// The prototype, where the mechanism needs it anyway.
    fn trampoline_prototype(&self) -> Result<Option<crate::kernel::FunctionProto>, crate::kernel::KernelError> {
        let row = self.point().row;
        if row.needs == Some(Feature::Trampolines) || row.target == TargetSyntax::RawTracepoint {
            return self.point().prototype(self.kernel);
        }
        Ok(None)
    }

    /// `retval`: as the prototype has it where the probe depends on it; otherwise a register, narrowed to an integer's
    /// width when BTF tells it (the upper half of the register is arbitrary then).
    pub(super) fn return_value(&mut self, span: Span) -> Type {
        self.program.knows_place |= self.point().row.target == TargetSyntax::Function;
        let found = self.point().prototype(self.kernel).ok().flatten().map(|prototype| prototype.returns);
        let trampoline = self.point().row.arguments == Arguments::ParametersAndReturnValue;
        match found {
            Some(Type::Void) => {
                let message = format!("`{}` returns nothing", self.point().function().unwrap_or_default());
                self.error(Code::NotInThisProbe, span, message, "there is no value")
            }
            Some(ty) if trampoline => ty,
            Some(ty) if matches!(ty, Type::Int(_) | Type::Bool) => ty,
            _ => Type::I64,
        }
    }

    /// The memory that a struct or array in memory lies in; of a copy nobody knows where its pointers point.
    fn space_of(&self, expr: &Expr) -> AddressSpace {
        let of_base = |base: &Expr| match self.program.ty(base) {
            Type::Pointer { space, .. } => *space,
            _ => self.space_of(base),
        };
        match &expr.kind {
            ExprKind::Field { base, .. } if is_argument_record(base) => AddressSpace::Kernel,
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => of_base(base),
            ExprKind::Unary(UnaryOp::Deref, base) => of_base(base),
            _ => AddressSpace::Unknown,
        }
    }

    pub(super) fn tuple_field(&mut self, base: &Expr, index: u32, span: Span) -> Type {
        let ty = self.value(base);
        self.tuple_part(base, ty, index, span)
    }

    fn tuple_part(&mut self, base: &Expr, ty: Type, index: u32, span: Span) -> Type {
        match ty {
            Type::Error => Type::Error,
            Type::Tuple(types) => match types.get(index as usize) {
                None => {
                    let message = format!("the tuple has only {} elements", types.len());
                    self.error(Code::UnknownField, span, message, "counted from 0")
                }
                Some(ty) => ty.clone(),
            },
            other => self.no_fields(base, &other),
        }
    }

    pub(super) fn index(&mut self, base: &Expr, index: &Expr, span: Span) -> Type {
        let (ty, index_type) = (self.expr(base), self.value(index));
        if !matches!(index_type, Type::Error | Type::Int(_) | Type::Enum(_)) {
            return self.error(
                Code::TypeMismatch,
                index.span,
                "an index must be an integer",
                format!("`{index_type}`"),
            );
        }
        match ty {
            Type::Error => Type::Error,
            Type::Array { element, len } => self.array_element(base, index, &element, len),
            Type::String { size } => self.array_element(base, index, &CHARACTER, size),
            Type::Tuple(_) => match literal_int(index).and_then(|at| u32::try_from(at).ok()) {
                Some(at) => self.tuple_part(base, ty, at, span),
                None => {
                    let message = "an element of a tuple is named by a literal";
                    self.error(Code::NotALiteral, index.span, message, "not a literal")
                }
            },
            Type::Pointer { to, space } if *to != Type::Void => read_from(space, *to),
            other => {
                let message = format!("`{other}` cannot be indexed");
                self.error(Code::BadOperand, base.span, message, "neither array nor pointer")
            }
        }
    }

    fn array_element(&mut self, base: &Expr, index: &Expr, element: &Type, len: u32) -> Type {
        // an array without a length goes on behind its record
        let literal = literal_int(index).filter(|_| len > 0 || !in_memory(&self.program, base));
        if literal.is_some_and(|at| at < 0 || at >= i64::from(len)) {
            let at = literal.unwrap_or(0);
            let message = format!("the index {at} is out of bounds for array of size {len}");
            return self.error(Code::BadArgument, index.span, message, "there is no such element");
        }
        read_from(self.space_of(base), element.clone())
    }

    pub(super) fn dereference(&mut self, operand: &Expr, span: Span) -> Type {
        match self.value(operand) {
            Type::Error => Type::Error,
            Type::Pointer { to, space } if *to != Type::Void => read_from(space, *to),
            Type::Int(IntType { bits: 64, .. }) => Type::U64,
            other => {
                let message = format!("`{other}` points to nothing that could be read");
                let diagnostic = Diagnostic::error(Code::BadOperand, message).at(span, "read here");
                self.report(diagnostic.help("cast it first: `*(uint32 *)value`"))
            }
        }
    }

    /// `&place`: of a variable and of a map's value too, which lie in the kernel.
    pub(super) fn address_of(&mut self, operand: &Expr, span: Span) -> Type {
        let ty = self.expr(operand);
        if ty == Type::Error {
            return Type::Error;
        }
        let space = match &operand.kind {
            ExprKind::Var(_) | ExprKind::Map { .. } => AddressSpace::Kernel,
            _ if in_memory(&self.program, operand) => self.space_of(operand),
            _ => {
                let diagnostic = Diagnostic::error(Code::NotSupported, "the address of this cannot be taken yet");
                let label = "only of variables, maps, and fields and elements in memory";
                return self.report(diagnostic.at(span, label));
            }
        };
        Type::Pointer { to: Box::new(ty), space }
    }
}

/// What a string consists of.
pub(crate) const CHARACTER: Type = Type::Int(IntType { bits: 8, signed: true });

/// Arguments that calling conventions pass in registers.
const REGISTER_ARGUMENTS: u32 = 6;

/// Whether the expression stands for a place in memory that is read through an address: behind a pointer, not in a copy.
pub(crate) fn in_memory(program: &CheckedProgram, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Unary(UnaryOp::Deref, _) => true,
        ExprKind::Field { base, .. } if is_argument_record(base) => false,
        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => {
            matches!(program.ty(base), Type::Pointer { .. }) || in_memory(program, base)
        }
        _ => false,
    }
}
