//! Types of the values that have a form ([`ValueForm`]), and what their arguments have to be beyond their rows.

use super::access::is_argument_record;
use super::{Checker, literal_int};
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::{Builtin, Param, TypeTest, ValueForm};
use crate::codes::Code;
use crate::config;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kernel::{Feature, KernelError};
use crate::registers;
use crate::source::Span;
use crate::types::{IntType, RecordKind, RecordRef, Type};

/// The answer to a question about the type of an expression.
pub(crate) fn is_type(test: TypeTest, ty: &Type, expr: &Expr) -> bool {
    match test {
        TypeTest::Array => matches!(ty, Type::Array { .. }),
        TypeTest::Integer => matches!(ty, Type::Int(_)),
        TypeTest::UnsignedInteger => matches!(ty, Type::Int(_)) && !ty.is_signed(),
        TypeTest::Pointer => matches!(ty, Type::Pointer { .. }),
        TypeTest::String => matches!(ty, Type::String { .. }),
        TypeTest::Literal => {
            matches!(expr.kind, ExprKind::Int { .. } | ExprKind::Str(_) | ExprKind::Bool(_))
                || literal_int(expr).is_some()
        }
    }
}

/// Bytes of an address of the network: 4 or 16.
pub(crate) fn network_size(ty: &Type) -> Option<u32> {
    match ty {
        Type::Int(_) => Some(4),
        Type::Array { .. } | Type::String { .. } => Some(ty.size()).filter(|size| matches!(size, 4 | 16)),
        _ => None,
    }
}

/// The type of an integer with its bytes in reverse order; a literal is as wide as it has to be.
fn swapped(ty: &Type, expr: &Expr) -> Type {
    let bits = match (literal_int(expr), ty) {
        (Some(value), _) if i8::try_from(value).is_ok() => 8,
        (Some(value), _) if i16::try_from(value).is_ok() => 16,
        (Some(value), _) if i32::try_from(value).is_ok() => 32,
        (None, Type::Int(int)) => int.bits,
        _ => 64,
    };
    Type::Int(IntType { bits, signed: false })
}

/// The number of a signal: a literal, or its name with or without SIG.
pub(crate) fn signal_number(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Str(name) => {
            let name = std::str::from_utf8(name).ok()?.to_ascii_uppercase();
            let name = name.strip_prefix("SIG").unwrap_or(&name);
            let at = SIGNALS.iter().position(|known| *known == name)?;
            Some(at as i64 + 1)
        }
        _ => literal_int(expr),
    }
}

/// Names of signals from 1 on, on all architectures that lt knows.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

impl Checker<'_> {
    /// The type of a value whose arguments fit its row.
    pub(super) fn form_type(&mut self, form: ValueForm, row: &Builtin, name: &Ident, args: &[Expr]) -> Type {
        let ty_of = |checker: &Self, at: usize| args.get(at).map_or(Type::Error, |arg| checker.program.ty(arg).clone());
        match form {
            ValueForm::Clock => self.clock(args, name.span),
            ValueForm::Task(_) => self.task_type(row, &name.text, args, name.span),
            ValueForm::ProbeKind => Type::String { size: self.point().row.word().len() as u32 + 1 },
            ValueForm::SwapBytes => args.first().map_or(Type::Error, |arg| swapped(&ty_of(self, 0), arg)),
            ValueForm::InSpace(space) => match ty_of(self, 0) {
                Type::Pointer { to, .. } => Type::Pointer { to, space },
                _ => Type::Pointer { to: Box::new(Type::Void), space },
            },
            ValueForm::KernelAddress | ValueForm::CpuAddress => match self.symbol(args) {
                Some(()) => self.builtin_type(row, &name.text, name.span),
                None => Type::Error,
            },
            ValueForm::Register => self.register(args),
            ValueForm::NetworkText => self.network_text(args),
            ValueForm::NetworkBytes => self.network_bytes(args),
            ValueForm::HardwareAddress => self.hardware_address(args),
            ValueForm::GroupId => self.group_id(args),
            ValueForm::Settings => {
                let diagnostic = Diagnostic::error(Code::NotSupported, "all settings together are not supported yet");
                self.report(diagnostic.at(name.span, "without a name").help("name one of them: `config.max_strlen`"))
            }
            ValueForm::ScriptOption => self.option_type(args),
            ValueForm::Capacity => match ty_of(self, 0) {
                Type::String { .. } | Type::Array { .. } | Type::Pointer { .. } => Type::I64,
                ty => self.not_text(args, &ty),
            },
            ValueForm::Search { .. } => self.search(args, row, name),
            ValueForm::Concatenate => {
                let size = ty_of(self, 0).size() + ty_of(self, 1).size();
                Type::String { size: size.saturating_sub(1).max(1) }
            }
            ValueForm::CompareBytes => self.compared(args),
            ValueForm::SocketCookie => self.socket(args, name.span),
            ValueForm::Asks(question) => self.question(question, args, name.span),
            ValueForm::ProcessId { .. }
            | ValueForm::Named(_)
            | ValueForm::UserName
            | ValueForm::CpuCount
            | ValueForm::HasCommand
            | ValueForm::UserMode
            | ValueForm::IsError
            | ValueForm::GroupPath
            | ValueForm::HasFunction
            | ValueForm::Is(_)
            | ValueForm::DefaultLength => self.builtin_type(row, &name.text, name.span),
        }
    }

    /// One of a few bare words.
    pub(super) fn word_argument(&mut self, param: &Param, name: &str, arg: &Expr, words: &[&str]) -> bool {
        if matches!(&arg.kind, ExprKind::Name(word) if words.contains(&word.as_str())) {
            return true;
        }
        let message = format!("`{}` of `{name}` is one of: {}", param.name, words.join(", "));
        let diagnostic = Diagnostic::error(Code::UnknownName, message).at(arg.span, "none of them");
        let near = match &arg.kind {
            ExprKind::Name(word) => nearest(word, words.iter().copied()),
            _ => None,
        };
        self.report(diagnostic.suggest(arg.span, near));
        false
    }

    fn clock(&mut self, args: &[Expr], span: Span) -> Type {
        let tai = matches!(args.first().map(|arg| &arg.kind), Some(ExprKind::Name(word)) if word == "tai");
        if tai && !self.kernel.has(Feature::AtomicClock) {
            let row = Feature::AtomicClock.row();
            let message = format!("this kernel has no {}", row.doc);
            let note =
                format!("Linux has it since {}; the kernel compiled for is {}", row.since, self.kernel.version());
            let diagnostic = Diagnostic::error(Code::MissingFeature, message).at(span, "needs it").note(note);
            return self.report(diagnostic.help("`nsecs(sw_tai)` is nearly the same on every kernel"));
        }
        Type::U64
    }

    fn task_type(&mut self, row: &Builtin, name: &str, args: &[Expr], span: Span) -> Type {
        if let Err(error) = self.kernel.record(RecordKind::Struct, "task_struct") {
            return self.report(super::suggest::kernel_error(&error, span, "a field of the kernel's structures"));
        }
        if args.first().is_some_and(|task| !matches!(self.program.ty(task), Type::Pointer { .. } | Type::Int(_))) {
            return self.error(Code::TypeMismatch, span, format!("`{name}` takes a task"), "not an address");
        }
        self.builtin_type(row, name, span)
    }

    /// The symbol of the first argument exists.
    fn symbol(&mut self, args: &[Expr]) -> Option<()> {
        let [first, ..] = args else { return None };
        let ExprKind::Str(name) = &first.kind else { return None };
        let name = String::from_utf8_lossy(name).into_owned();
        match self.kernel.symbol(&name) {
            Ok(Some(_)) => Some(()),
            Ok(None) => {
                let message = format!("the kernel has no symbol `{name}`");
                let diagnostic = Diagnostic::error(Code::UnknownName, message).at(first.span, "not in kallsyms");
                self.report(
                    diagnostic.help("/proc/kallsyms lists them; those of modules come and go with the modules"),
                );
                None
            }
            Err(error) => {
                self.report(super::suggest::kernel_error(&error, first.span, "a symbol's address"));
                None
            }
        }
    }

    fn register(&mut self, args: &[Expr]) -> Type {
        let Some((first, ExprKind::Str(name))) = args.first().map(|first| (first, &first.kind)) else {
            return Type::Error;
        };
        let name = String::from_utf8_lossy(name).into_owned();
        if registers::offset(&name).is_some() {
            return Type::U64;
        }
        let message = format!("this architecture has no register `{name}`");
        let diagnostic = Diagnostic::error(Code::UnknownName, message).at(first.span, "no such register");
        let names: Vec<&str> = registers::names().collect();
        self.report(diagnostic.help(format!("there are: {}", names.join(", "))))
    }

    fn not_text(&mut self, args: &[Expr], ty: &Type) -> Type {
        let span = args.first().map_or_else(Span::default, |arg| arg.span);
        if *ty == Type::Error {
            return Type::Error;
        }
        self.error(Code::TypeMismatch, span, "only strings and arrays have a capacity", format!("this is `{ty}`"))
    }

    /// `ntop([family, ]address)`
    fn network_text(&mut self, args: &[Expr]) -> Type {
        let Some(address) = args.last() else { return Type::Error };
        if let [family, _] = args
            && !matches!(self.program.ty(family), Type::Int(_) | Type::Error)
        {
            return self.error(Code::TypeMismatch, family.span, "the family of an address is an integer", "not one");
        }
        let ty = self.program.ty(address).clone();
        if network_size(&ty).is_some() {
            return Type::Inet;
        }
        let message = "an address of the network is an integer, or 4 or 16 bytes";
        self.error(Code::TypeMismatch, address.span, message, format!("this is `{ty}`"))
    }

    /// `pton("127.0.0.1")`
    fn network_bytes(&mut self, args: &[Expr]) -> Type {
        let Some((first, ExprKind::Str(text))) = args.first().map(|first| (first, &first.kind)) else {
            return Type::Error;
        };
        let text = String::from_utf8_lossy(text);
        let len = match text.parse::<core::net::IpAddr>() {
            Ok(core::net::IpAddr::V4(_)) => 4,
            Ok(core::net::IpAddr::V6(_)) => 16,
            Err(_) => {
                let message = format!("`{text}` is no address of IPv4 or IPv6");
                return self.error(Code::BadArgument, first.span, message, "such as 127.0.0.1 or ::1");
            }
        };
        Type::Array { element: Box::new(Type::U8), len }
    }

    fn hardware_address(&mut self, args: &[Expr]) -> Type {
        let Some(first) = args.first() else { return Type::Error };
        let ty = self.program.ty(first).clone();
        let literal = matches!(first.kind, ExprKind::Str(_));
        if matches!(ty, Type::Array { .. } | Type::String { .. }) && ty.size() >= 6 && !literal {
            return Type::Named(crate::types::NameKind::HardwareAddress);
        }
        self.error(
            Code::TypeMismatch,
            first.span,
            "an address of hardware is an array of 6 bytes",
            format!("this is `{ty}`"),
        )
    }

    fn group_id(&mut self, args: &[Expr]) -> Type {
        let Some((first, ExprKind::Str(path))) = args.first().map(|first| (first, &first.kind)) else {
            return Type::Error;
        };
        let path = String::from_utf8_lossy(path).into_owned();
        let message = match self.kernel.control_group(&path) {
            Ok(Some(_)) => return Type::U64,
            Ok(None) => format!("there is no control group `{path}`"),
            Err(KernelError::Unreadable(why)) => why,
            Err(error) => return self.report(super::suggest::kernel_error(&error, first.span, "a control group")),
        };
        self.error(Code::BadArgument, first.span, message, "no such folder")
    }

    /// What the search of a string takes grows with both of them.
    fn search(&mut self, args: &[Expr], row: &Builtin, name: &Ident) -> Type {
        let [haystack, needle] = args else { return Type::Error };
        let large = u64::from(self.program.ty(haystack).size());
        let small = u64::from(self.program.ty(needle).size());
        let most = if matches!(needle.kind, ExprKind::Str(_)) { MOST_LITERAL } else { MOST_STEPS };
        if large * small > most || large > MOST_PLACES {
            let message = format!("a search for {small} bytes in {large} takes too many steps");
            let diagnostic =
                Diagnostic::error(Code::LimitExceeded, message).at(name.span, "the kernel would refuse it");
            return self.report(diagnostic.help("shorten the strings: `str(x, n)` has at most n bytes"));
        }
        self.builtin_type(row, &name.text, name.span)
    }

    fn compared(&mut self, args: &[Expr]) -> Type {
        for arg in args.iter().take(2) {
            let ty = self.program.ty(arg).clone();
            let count = args.get(2).and_then(literal_int).unwrap_or(0);
            if ty == Type::Error {
                return Type::Error;
            }
            if !matches!(ty, Type::Array { .. } | Type::String { .. } | Type::Tuple(_)) {
                let message = "`memcmp` compares strings, arrays and tuples";
                return self.error(Code::TypeMismatch, arg.span, message, format!("this is `{ty}`"));
            }
            if i64::from(ty.size()) < count {
                let message = format!("`memcmp` looks at {count} bytes, but there are {}", ty.size());
                return self.error(Code::BadArgument, arg.span, message, "shorter than that");
            }
        }
        Type::I64
    }

    /// `socket_cookie(args.sk)`: the verifier takes nothing but a typed argument that is a socket.
    fn socket(&mut self, args: &[Expr], span: Span) -> Type {
        let Some(first) = args.first() else { return Type::Error };
        let ty = self.program.ty(first).clone();
        if ty == Type::Error {
            return Type::Error;
        }
        let argument = matches!(&first.kind, ExprKind::Field { base, .. } if is_argument_record(base));
        if !argument || !self.point().row.has_typed_arguments() {
            let message = "the kernel takes a socket only from the typed arguments of a probe";
            let diagnostic = Diagnostic::error(Code::NotInThisProbe, message).at(first.span, "not one of them");
            return self.report(diagnostic.help("use fentry or fexit, and one of its `args`"));
        }
        if !self.is_socket(&ty) {
            let diagnostic = Diagnostic::error(Code::TypeMismatch, "`socket_cookie` takes a socket");
            let diagnostic = diagnostic.at(first.span, format!("this is `{ty}`"));
            return self.report(diagnostic.help("it is `struct sock *`, or a pointer to what begins with one"));
        }
        if !self.kernel.has(Feature::SocketCookie) {
            let row = Feature::SocketCookie.row();
            let note =
                format!("Linux has it since {}; the kernel compiled for is {}", row.since, self.kernel.version());
            let diagnostic = Diagnostic::error(Code::MissingFeature, format!("this kernel has no {}", row.doc));
            return self.report(diagnostic.at(span, "needs it").note(note));
        }
        Type::U64
    }

    /// Whether it points to `struct sock_common`, or to a structure that begins with one.
    fn is_socket(&self, ty: &Type) -> bool {
        let Type::Pointer { to, .. } = ty else { return false };
        let mut record = (**to).clone();
        while let Type::Record(RecordRef { kind: RecordKind::Struct, name, id, .. }) = &record {
            if name == "sock_common" {
                return true;
            }
            let first = self.kernel.members(*id).into_iter().next().filter(|member| member.bit_offset == 0);
            match first {
                Some(member) => record = member.ty,
                None => return false,
            }
        }
        false
    }

    /// `config.NAME`
    pub(super) fn setting(&mut self, field: &Ident) -> Type {
        match config::value_of(&field.text, self.options) {
            Some(config::SettingValue::Number(_)) => Type::U64,
            Some(config::SettingValue::Flag(_)) => Type::Bool,
            Some(config::SettingValue::Word(word)) => Type::String { size: word.len() as u32 + 1 },
            None => {
                let message = format!("there is no setting `{}`", field.text);
                let near = nearest(&field.text, config::ALL.iter().map(|row| row.name));
                self.report(
                    Diagnostic::error(Code::UnknownName, message).at(field.span, "unknown").suggest(field.span, near),
                )
            }
        }
    }
}

/// Most steps of a search for a string: the verifier follows each of them, and keeps two branches of each in mind of at
/// most 8192.
const MOST_STEPS: u64 = 3500;
/// The same for a literal, of which it keeps fewer in mind.
const MOST_LITERAL: u64 = 64_000;
/// Most bytes of a string in which another is searched.
const MOST_PLACES: u64 = 4000;
