//! Values that have a form ([`ValueForm`]).

use super::Body;
use super::expr::{binary, bytes, int, nothing};
use crate::ast::{Expr, ExprKind};
use crate::builtins::ValueForm;
use crate::check::{Constant, is_settings, is_type, literal_int, network_size, positional_number, script_option};
use crate::config::{self, SettingValue};
use crate::hir::{self, BinaryOp, FieldPath, FieldStep, Intrinsic, Operation, StringOperand};
use crate::registers;
use crate::source::Span;
use crate::types::{AddressSpace, IntType, RecordKind, Type};

/// `AF_INET`
const INET: i64 = 2;
/// `AF_INET6`
const INET6: i64 = 10;
/// Addresses from here on are error numbers.
const FIRST_ERROR: i64 = -4095;

fn intrinsic(intrinsic: Intrinsic, ty: Type, span: Span) -> hir::Expr {
    hir::Expr { kind: hir::ExprKind::Intrinsic(intrinsic), ty, span }
}

impl Body<'_, '_> {
    pub(super) fn form_value(&mut self, form: ValueForm, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        match form {
            ValueForm::Clock => clock(args, span),
            ValueForm::ProcessId { thread } => self.process_id(thread, args, span),
            ValueForm::Task(path) => self.task(path, args, ty, span),
            ValueForm::Named(_) | ValueForm::InSpace(_) => match args.first() {
                Some(arg) => {
                    let value = self.expr(arg);
                    self.coerce(value, &ty)
                }
                None => nothing(&ty, span),
            },
            ValueForm::UserName => self.coerce(intrinsic(Intrinsic::Uid, Type::U64, span), &ty),
            ValueForm::CpuCount => int(i64::from(self.session.kernel.possible_cpus()), ty, span),
            ValueForm::HasCommand => self.coerce(intrinsic(Intrinsic::CommandPid, Type::U32, span), &Type::Bool),
            ValueForm::ProbeKind => bytes(self.program.point.row.word().as_bytes(), span),
            ValueForm::UserMode => self.user_mode(ty, span),
            ValueForm::SwapBytes => self.swap_bytes(args, ty, span),
            ValueForm::SocketCookie => self.operation(Operation::SocketCookie, args, ty, span),
            ValueForm::IsError => {
                let value = args.first().map_or_else(|| nothing(&Type::U64, span), |arg| self.expr(arg));
                let value = self.coerce(value, &Type::U64);
                binary(BinaryOp::GreaterEqual, value, int(FIRST_ERROR, Type::U64, span), Type::Bool, span)
            }
            ValueForm::KernelAddress => int(self.symbol(args) as i64, ty, span),
            ValueForm::CpuAddress => self.cpu_address(args, ty, span),
            ValueForm::Register => {
                let offset = literal(args, 0).and_then(registers::offset).unwrap_or(0);
                intrinsic(Intrinsic::Register(offset), ty, span)
            }
            ValueForm::NetworkText => self.network_text(args, ty, span),
            ValueForm::NetworkBytes => network_bytes(args, ty, span),
            ValueForm::HardwareAddress => self.hardware_address(args, &ty, span),
            ValueForm::GroupId => {
                let id = literal(args, 0).and_then(|path| self.session.kernel.control_group(path).ok().flatten());
                int(id.unwrap_or(0) as i64, ty, span)
            }
            ValueForm::GroupPath => self.group_path(args, ty, span),
            ValueForm::HasFunction => {
                let found = literal(args, 0).and_then(|name| self.session.kernel.function(name).ok().flatten());
                int(i64::from(found.is_some()), ty, span)
            }
            ValueForm::Is(test) => {
                int(args.first().map_or(0, |arg| i64::from(is_type(test, self.program.ty(arg), arg))), ty, span)
            }
            ValueForm::Capacity => {
                let size = match args.first().map(|arg| self.program.ty(arg)) {
                    Some(Type::Pointer { .. }) | None => self.session.options.max_strlen,
                    Some(ty) => ty.size(),
                };
                int(i64::from(size), ty, span)
            }
            ValueForm::Settings | ValueForm::Asks(_) => nothing(&ty, span),
            ValueForm::DefaultLength => int(i64::from(self.session.options.max_strlen), ty, span),
            ValueForm::ScriptOption => self.option(args, ty, span),
            ValueForm::Search { index } => self.search(index, args, span),
            ValueForm::Concatenate => self.concatenate(args, ty, span),
            ValueForm::CompareBytes => self.order_bytes(args, ty, span),
        }
    }

    pub(super) fn operation(&mut self, operation: Operation, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let values = args.iter().map(|arg| self.expr(arg)).collect();
        hir::Expr { kind: hir::ExprKind::Operation(operation, values), ty, span }
    }

    /// In the PID namespace of lt, unless the script asks for the machine's first.
    fn process_id(&mut self, thread: bool, args: &[Expr], span: Span) -> hir::Expr {
        let first = matches!(args.first().map(|arg| &arg.kind), Some(ExprKind::Name(word)) if word == "init");
        let usual = if thread { Intrinsic::Tid } else { Intrinsic::Pid };
        let found = match self.session.kernel.pid_namespace().filter(|_| !first) {
            Some((device, inode)) => Intrinsic::NamespacePid { thread, device, inode },
            None => usual,
        };
        intrinsic(found, Type::U32, span)
    }

    /// Follows members from a task on.
    fn task(&mut self, path: &[&str], args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let kernel = self.session.kernel;
        let Ok(Some(record)) = kernel.record(RecordKind::Struct, "task_struct") else { return nothing(&ty, span) };
        let mut value = match args.first() {
            Some(task) => self.expr(task),
            None => intrinsic(Intrinsic::CurrentTask, Type::U64, span),
        };
        let mut record = record;
        for name in path {
            let Type::Record(root) = &record else { return nothing(&ty, span) };
            let Some(member) = kernel.member(root.id, name) else { return nothing(&ty, span) };
            let steps = vec![FieldStep::Member { record: root.id, name: (*name).to_string() }];
            let path = FieldPath { root: root.clone(), steps };
            let kind = hir::ExprKind::LoadField { base: Box::new(value), path, space: AddressSpace::Kernel };
            value = hir::Expr { kind, ty: member.ty.clone(), span };
            if let Type::Pointer { to, .. } = member.ty {
                record = *to;
            }
        }
        self.coerce(value, &ty)
    }

    /// Known from the kind of the probe, but for those that interrupt whatever runs.
    fn user_mode(&mut self, ty: Type, span: Span) -> hir::Expr {
        use crate::probes::ProbeKind as Kind;
        let known = match self.program.point.row.kind {
            Kind::Begin | Kind::End | Kind::Interval | Kind::Itself | Kind::Bench | Kind::Test => 1,
            Kind::Uprobe | Kind::Uretprobe | Kind::Usdt => 1,
            Kind::Tracepoint | Kind::RawTracepoint | Kind::Iter | Kind::Function | Kind::FunctionReturn => 0,
            Kind::Kprobe | Kind::Kretprobe | Kind::Fentry | Kind::Fexit => 0,
            Kind::Profile | Kind::Software | Kind::Hardware | Kind::Watchpoint => match registers::MODE {
                None => 0,
                Some((offset, bits)) => {
                    let word = intrinsic(Intrinsic::Register(offset), Type::U64, span);
                    let mode = binary(BinaryOp::And, word, int(bits, Type::U64, span), Type::U64, span);
                    let user = binary(BinaryOp::NotEqual, mode, int(0, Type::U64, span), Type::Bool, span);
                    return self.coerce(user, &ty);
                }
            },
        };
        int(known, ty, span)
    }

    fn swap_bytes(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(arg) = args.first() else { return nothing(&ty, span) };
        let value = self.expr(arg);
        let value = self.coerce(value, &ty);
        if let hir::ExprKind::Int(bits) = value.kind {
            let unused = 64 - ty.bits();
            return int((bits.swap_bytes() as u64 >> unused) as i64, ty, span);
        }
        hir::Expr { kind: hir::ExprKind::Operation(Operation::SwapBytes, vec![value]), ty, span }
    }

    fn symbol(&self, args: &[Expr]) -> u64 {
        let found = literal(args, 0).and_then(|name| self.session.kernel.symbol(name).ok().flatten());
        found.unwrap_or(0)
    }

    /// The kernel keeps for each CPU what is to be added to the address of such a variable.
    fn cpu_address(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let kernel = self.session.kernel;
        let Ok(Some(bases)) = kernel.symbol("__per_cpu_offset") else {
            self.not_supported(span, "this kernel does not tell where CPUs keep their variables");
            return nothing(&ty, span);
        };
        let cpu = |body: &mut Self| match args.get(1) {
            Some(cpu) => {
                let cpu = body.expr(cpu);
                body.coerce(cpu, &Type::U64)
            }
            None => body.coerce(intrinsic(Intrinsic::Cpu, Type::U32, span), &Type::U64),
        };
        let offset = binary(BinaryOp::Mul, cpu(self), int(8, Type::U64, span), Type::U64, span);
        let at = binary(BinaryOp::Add, int(bases as i64, Type::U64, span), offset, Type::U64, span);
        let base = hir::ExprKind::Load { address: Box::new(at), space: AddressSpace::Kernel };
        let base = hir::Expr { kind: base, ty: Type::U64, span };
        let symbol = int(self.symbol(args) as i64, Type::U64, span);
        let sum = binary(BinaryOp::Add, base, symbol, Type::U64, span);
        if args.len() < 2 {
            return self.coerce(sum, &ty);
        }
        let cpus = int(i64::from(kernel.possible_cpus()), Type::U64, span);
        let condition = Box::new(binary(BinaryOp::Less, cpu(self), cpus, Type::Bool, span));
        let (then, otherwise) = (Box::new(sum), Box::new(int(0, Type::U64, span)));
        let kind = hir::ExprKind::Select { condition, then, otherwise };
        self.coerce(hir::Expr { kind, ty: Type::U64, span }, &ty)
    }

    /// The bytes of an argument, whatever its type calls them: a field of characters is no string here.
    fn raw_bytes(&mut self, expr: &Expr) -> hir::Expr {
        let value = self.expr(expr);
        let plain = Type::Array { element: Box::new(Type::U8), len: value.ty.size() };
        let read = matches!(value.kind, hir::ExprKind::LoadField { .. } | hir::ExprKind::TracepointField(_));
        if read && matches!(value.ty, Type::String { .. }) { hir::Expr { ty: plain, ..value } } else { value }
    }

    /// Part of an argument of bytes, as a `uint64`.
    fn word_of(&mut self, expr: &Expr, offset: u32, bits: u8) -> hir::Expr {
        let value = self.raw_bytes(expr);
        let (ty, span) = (value.ty.clone(), value.span);
        let base = self.buffered(value, &ty);
        let part = Type::Int(IntType { bits, signed: false });
        let part = hir::Expr { kind: hir::ExprKind::Element { base, offset }, ty: part, span };
        self.coerce(part, &Type::U64)
    }

    fn network_text(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(address) = args.last() else { return nothing(&ty, span) };
        let from = self.program.ty(address).clone();
        let long = network_size(&from) == Some(16);
        let family = match args {
            [family, _] => self.expr(family),
            _ => int(if long { INET6 } else { INET }, Type::U64, span),
        };
        let family = self.coerce(family, &Type::U64);
        let [low, high] = match from {
            Type::Int(_) => {
                let value = self.expr(address);
                let value = self.coerce(value, &Type::U32);
                [self.coerce(value, &Type::U64), int(0, Type::U64, span)]
            }
            _ if long => [self.word_of(address, 0, 64), self.word_of(address, 8, 64)],
            _ => [self.word_of(address, 0, 32), int(0, Type::U64, span)],
        };
        hir::Expr { kind: hir::ExprKind::Tuple(vec![family, low, high]), ty, span }
    }

    fn hardware_address(&mut self, args: &[Expr], ty: &Type, span: Span) -> hir::Expr {
        let Some(first) = args.first() else { return nothing(ty, span) };
        let (low, high) = (self.word_of(first, 0, 32), self.word_of(first, 4, 16));
        let high = binary(BinaryOp::ShiftLeft, high, int(32, Type::U64, span), Type::U64, span);
        let whole = binary(BinaryOp::Or, low, high, Type::U64, span);
        self.coerce(whole, ty)
    }

    fn group_path(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(id) = args.first() else { return nothing(&ty, span) };
        let id = self.expr(id);
        let id = self.coerce(id, &Type::U64);
        let filter = literal(args, 1).map_or(0, |filter| {
            let filters = &mut self.session.group_filters;
            let known = filters.iter().position(|known| known == filter);
            1 + known.unwrap_or_else(|| {
                filters.push(filter.to_string());
                filters.len() - 1
            })
        });
        let parts = vec![id, int(filter as i64, Type::U64, span)];
        hir::Expr { kind: hir::ExprKind::Tuple(parts), ty, span }
    }

    fn option(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let Some(ExprKind::Str(name)) = args.first().map(|name| &name.kind) else { return nothing(&ty, span) };
        let default = args.get(1).and_then(|default| {
            let positional = &self.session.options.positional;
            let folded = match &default.kind {
                ExprKind::Str(text) => Constant::Text(text.clone()),
                ExprKind::Bool(value) => Constant::Int(i64::from(*value)),
                ExprKind::Positional(at) => {
                    let text = positional.get((*at as usize).checked_sub(1)?).map_or("", String::as_str);
                    match positional_number(text) {
                        Some(value) => Constant::Int(value),
                        None => Constant::Text(text.as_bytes().to_vec()),
                    }
                }
                _ => Constant::Int(literal_int(default)?),
            };
            let ty = self.program.ty(default).clone();
            Some((folded, if let Type::Int(_) = ty { Type::I64 } else { ty }))
        });
        match script_option(name, default, self.session.options) {
            Ok((Constant::Int(value), _)) => int(value, ty, span),
            Ok((Constant::Text(text), _)) => bytes(&text, span),
            Err(_) => nothing(&ty, span),
        }
    }

    /// `config.NAME`
    pub(super) fn setting_of(&mut self, expr: &Expr) -> Option<hir::Expr> {
        let ExprKind::Field { base, field } = &expr.kind else { return None };
        if !is_settings(base) {
            return None;
        }
        let span = expr.span;
        Some(match config::value_of(&field.text, self.session.options)? {
            SettingValue::Number(value) => int(value as i64, Type::U64, span),
            SettingValue::Flag(value) => int(i64::from(value), Type::Bool, span),
            SettingValue::Word(word) => bytes(word.as_bytes(), span),
        })
    }

    fn search(&mut self, index: bool, args: &[Expr], span: Span) -> hir::Expr {
        let [haystack, needle] = args else { return nothing(&Type::I64, span) };
        let (haystack, needle) = (self.expr(haystack), self.expr(needle));
        let needle = match needle.kind {
            hir::ExprKind::Bytes(bytes) => StringOperand::Literal(super::expr::text(&bytes).to_vec()),
            _ => {
                let ty = needle.ty.clone();
                StringOperand::Value(self.buffered(needle, &ty))
            }
        };
        let ty = haystack.ty.clone();
        let haystack = self.buffered(haystack, &ty);
        let found = hir::Expr { kind: hir::ExprKind::Search { haystack, needle }, ty: Type::I64, span };
        if index {
            return found;
        }
        binary(BinaryOp::GreaterEqual, found, int(0, Type::I64, span), Type::Bool, span)
    }

    fn concatenate(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let [left, right] = args else { return nothing(&ty, span) };
        let (left, right) = (self.expr(left), self.expr(right));
        let (left_type, right_type) = (left.ty.clone(), right.ty.clone());
        let (left, right) = (self.buffered(left, &left_type), self.buffered(right, &right_type));
        hir::Expr { kind: hir::ExprKind::Concatenate(left, right), ty, span }
    }

    fn order_bytes(&mut self, args: &[Expr], ty: Type, span: Span) -> hir::Expr {
        let [left, right, count] = args else { return nothing(&ty, span) };
        let count = literal_int(count).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let (left, right) = (self.raw_bytes(left), self.raw_bytes(right));
        let (left_type, right_type) = (left.ty.clone(), right.ty.clone());
        let (left, right) = (self.buffered(left, &left_type), self.buffered(right, &right_type));
        hir::Expr { kind: hir::ExprKind::OrderBytes { left, right, count }, ty, span }
    }
}

/// The text of a literal argument.
fn literal(args: &[Expr], at: usize) -> Option<&str> {
    match &args.get(at)?.kind {
        ExprKind::Str(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

fn clock(args: &[Expr], span: Span) -> hir::Expr {
    let word = match args.first().map(|arg| &arg.kind) {
        Some(ExprKind::Name(word)) => word.as_str(),
        _ => "boot",
    };
    let reads = |clock| intrinsic(clock, Type::U64, span);
    match word {
        "monotonic" => reads(Intrinsic::NanosecondsMonotonic),
        "tai" => reads(Intrinsic::NanosecondsTai),
        "sw_tai" => {
            let (now, offset) = (reads(Intrinsic::NanosecondsBoot), reads(Intrinsic::TaiOffset));
            binary(BinaryOp::Add, now, offset, Type::U64, span)
        }
        _ => reads(Intrinsic::NanosecondsBoot),
    }
}

fn network_bytes(args: &[Expr], ty: Type, span: Span) -> hir::Expr {
    let bytes = match literal(args, 0).and_then(|text| text.parse().ok()) {
        Some(core::net::IpAddr::V4(address)) => address.octets().to_vec(),
        Some(core::net::IpAddr::V6(address)) => address.octets().to_vec(),
        None => Vec::new(),
    };
    hir::Expr { kind: hir::ExprKind::Bytes(bytes), ty, span }
}
