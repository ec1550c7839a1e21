//! The HIR and the manifest as text: for `--emit hir` and for snapshots. Stable and readable, never parsed.

use super::{
    BinaryOp, Buffered, Expr, ExprKind, FieldPath, FieldStep, LoadConst, Place, Probe, Program, Stmt, StmtKind,
    StringOperand, Traced, UnaryOp,
};
use crate::format::{Format, Piece};
use crate::manifest::{Aggregate, EventAction, Figure, Manifest, Map, MapId, MapKind, MapValue};
use crate::types::{AddressSpace, Type};
use std::fmt::Write;

/// Renders maps, events and programs.
pub fn print(program: &Program, manifest: &Manifest) -> String {
    let mut printer = Printer { manifest, out: String::new() };
    for map in &manifest.maps {
        printer.map(map);
    }
    for (at, event) in manifest.events.iter().enumerate() {
        printer.line(0, &format!("event {at} {}", printer.action(&event.action)));
        let fields: Vec<_> = event.fields.iter().zip(&event.offsets).map(|(ty, at)| format!("{ty} at {at}")).collect();
        let trimmed = if event.trimmed { ", trimmed" } else { "" };
        printer.line(1, &format!("[{}] {} bytes{trimmed}", fields.join(", "), event.size));
    }
    for probe in &program.probes {
        printer.probe(probe);
    }
    printer.out
}

struct Printer<'a> {
    manifest: &'a Manifest,
    out: String,
}

/// Names of the slots of a probe: where each lies.
struct Names<'a> {
    probe: &'a Probe,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{}{text}", "  ".repeat(depth));
    }

    fn map(&mut self, map: &Map) {
        let keys: Vec<_> = map.keys.iter().map(Type::to_string).collect();
        let keys = if keys.is_empty() { String::new() } else { format!("[{}]", keys.join(", ")) };
        let value = match &map.value {
            MapValue::Plain(ty) => ty.to_string(),
            MapValue::Aggregate(aggregate) => aggregate_text(*aggregate),
            MapValue::Figures(figures) => {
                let shown = |figure: &Figure| format!("{}: {}", figure.name, aggregate_text(figure.aggregate));
                format!("({})", figures.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            MapValue::Opaque => "opaque".into(),
        };
        let flags = if map.no_prealloc { ", no preallocation" } else { "" };
        let flags = if map.second.is_some() { format!("{flags}, two pages") } else { flags.to_string() };
        let sizes = format!("key {} value {} entries {}{flags}", map.key_size, map.value_size, map.max_entries);
        self.line(0, &format!("map {}{keys}: {value} = {} ({sizes})", map.name, kind_text(map.kind)));
    }

    fn probe(&mut self, probe: &Probe) {
        let names = Names { probe };
        let head = self.manifest.programs.get(probe.program.0 as usize);
        let (symbol, text) = head.map_or(("?", "?"), |program| (&program.symbol, &program.probe));
        self.line(0, &format!("program {symbol} on {text}"));
        for var in &probe.vars {
            let place = var.slot.map_or_else(String::new, |slot| format!(" in {}", names.slot(slot.0)));
            self.line(1, &format!("var {}: {}{place}", var.name, var.ty));
        }
        self.stmts(&names, &probe.body, 1);
    }

    fn stmts(&mut self, names: &Names<'_>, stmts: &[Stmt], depth: usize) {
        for stmt in stmts {
            self.stmt(names, stmt, depth);
        }
    }

    fn stmt(&mut self, names: &Names<'_>, stmt: &Stmt, depth: usize) {
        let text = match &stmt.kind {
            StmtKind::Eval(expr) => self.expr(names, expr),
            StmtKind::SetVar { var, value } => format!("{} = {}", names.var(var.0), self.expr(names, value)),
            StmtKind::SetMap { map, key, value } => {
                format!("{} = {}", self.place(names, *map, key.as_ref()), self.buffered(names, value))
            }
            StmtKind::Aggregate { map, key, part, value } => {
                let value = value.as_ref().map_or_else(String::new, |value| self.expr(names, value));
                let call = format!("{}({value})", aggregate_text(part.aggregate));
                let word = if part.word == 0 { String::new() } else { format!("+{}", part.word) };
                format!("{}{word} <- {call}", self.place(names, *map, key.as_ref()))
            }
            StmtKind::Emit { event, fields, buffer } => {
                let buffer = buffer.map_or_else(String::new, |slot| format!(" via {}", names.slot(slot.0)));
                format!("emit {}({}){buffer}", event.0, self.list(names, fields))
            }
            StmtKind::SetResult { value } => format!("result {}", self.expr(names, value)),
            StmtKind::Trace { format, values } => {
                let text = |value: &Traced| match value {
                    Traced::Scalar(value) => self.expr(names, value),
                    Traced::Text(value) => self.buffered(names, value),
                };
                let values: Vec<_> = values.iter().map(text).collect();
                format!("trace {:?} ({})", String::from_utf8_lossy(format), values.join(", "))
            }
            StmtKind::Exit { code } => format!("exit {}", self.expr(names, code)),
            StmtKind::Return => "return".into(),
            StmtKind::Break => "break".into(),
            StmtKind::Continue => "continue".into(),
            StmtKind::Loop(inner) => {
                let how = if inner.called { "called" } else { "inline" };
                let condition = self.expr(names, &inner.condition);
                self.line(depth, &format!("while {condition} ({how}, at most {} steps)", inner.bound));
                return self.stmts(names, &inner.body, depth + 1);
            }
            StmtKind::MapLoop { map, var, body } => {
                let map = self.map_name(*map);
                self.line(depth, &format!("for {} in {map}", names.var(var.0)));
                return self.stmts(names, body, depth + 1);
            }
            StmtKind::If { condition, then, otherwise } => {
                let head = format!("if {}", self.expr(names, condition));
                self.line(depth, &head);
                self.stmts(names, then, depth + 1);
                if !otherwise.is_empty() {
                    self.line(depth, "else");
                    self.stmts(names, otherwise, depth + 1);
                }
                return;
            }
        };
        self.line(depth, &text);
    }

    fn action(&self, action: &EventAction) -> String {
        match action {
            EventAction::Printf(format) => format!("printf {:?}", format_text(format)),
            EventAction::PrintValue => "print".into(),
            EventAction::PrintMap { map, top, div } => {
                let number = |name: &str, value: &Option<u64>| value.map_or(String::new(), |n| format!(" {name} {n}"));
                format!("print map {}{}{}", self.map_name(*map), number("top", top), number("div", div))
            }
            EventAction::PrintEntry { map } => format!("print entry of {}", self.map_name(*map)),
            EventAction::ClearMap { map } => format!("clear {}", self.map_name(*map)),
            EventAction::ZeroMap { map } => format!("zero {}", self.map_name(*map)),
            EventAction::Message { error, format } => {
                format!("{} {:?}", if *error { "error" } else { "warning" }, format_text(format))
            }
            EventAction::Cat { format, most } => format!("cat {:?} at most {most} bytes", format_text(format)),
            EventAction::System(format) => format!("system {:?}", format_text(format)),
            EventAction::Join(separator) => format!("join {:?}", String::from_utf8_lossy(separator)),
            EventAction::ProcessSeen => "process seen".into(),
            EventAction::ShowMap { map, view } => {
                let name = self.manifest.tables.get(view.table.0 as usize).map_or("?", |table| &table.name);
                let top = view.top.map_or(String::new(), |top| format!(" top {top}"));
                format!("show {} as {name}{top}", self.map_name(*map))
            }
            EventAction::Row { table, cells } => {
                let name = self.manifest.tables.get(table.0 as usize).map_or("?", |table| &table.name);
                let cell = |cell: &Option<u32>| cell.map_or("-".into(), |at| at.to_string());
                format!("row of {name} [{}]", cells.iter().map(cell).collect::<Vec<_>>().join(", "))
            }
            EventAction::Time(format) => format!("time {:?}", String::from_utf8_lossy(format)),
        }
    }

    fn map_name(&self, map: MapId) -> &str {
        self.manifest.maps.get(map.0 as usize).map_or("?", |map| &map.name)
    }

    fn place(&self, names: &Names<'_>, map: MapId, key: Option<&Buffered>) -> String {
        let key = key.map_or_else(String::new, |key| format!("[{}]", self.buffered(names, key)));
        format!("{}{key}", self.map_name(map))
    }

    fn buffered(&self, names: &Names<'_>, value: &Buffered) -> String {
        format!("{} in {}", self.expr(names, &value.value), names.slot(value.slot.0))
    }

    fn list(&self, names: &Names<'_>, exprs: &[Expr]) -> String {
        let texts: Vec<_> = exprs.iter().map(|expr| self.expr(names, expr)).collect();
        texts.join(", ")
    }

    fn expr(&self, names: &Names<'_>, expr: &Expr) -> String {
        let sub = |inner: &Expr| self.expr(names, inner);
        let ty = &expr.ty;
        match &expr.kind {
            ExprKind::Int(value) if *ty == Type::I64 => value.to_string(),
            ExprKind::Int(value) => format!("{value}:{ty}"),
            ExprKind::Const(LoadConst::RecordSize(record)) => format!("sizeof({})", Type::Record(record.clone())),
            ExprKind::Bytes(bytes) => format!("{:?}:{ty}", String::from_utf8_lossy(bytes)),
            ExprKind::Var(var) => names.var(var.0).to_string(),
            ExprKind::Unary(op, value) => format!("{}({})", unary_text(*op), sub(value)),
            ExprKind::Binary(op, left, right) => {
                format!("({} {}:{} {})", sub(left), binary_text(*op), left.ty, sub(right))
            }
            ExprKind::Logical { and, left, right } => {
                format!("({} {} {})", sub(left), if *and { "&&" } else { "||" }, sub(right))
            }
            ExprKind::Cast(value) => format!("{ty}({})", sub(value)),
            ExprKind::Block { stmts, value } => {
                let mut inner = Printer { manifest: self.manifest, out: String::new() };
                inner.stmts(names, stmts, 0);
                format!("{{ {}; {} }}", inner.out.trim_end().replace('\n', "; "), sub(value))
            }
            ExprKind::Select { condition, then, otherwise } => {
                format!("({} ? {} : {})", sub(condition), sub(then), sub(otherwise))
            }
            ExprKind::CompareStrings { limit, negate, left, right } => {
                let limit = limit.map_or(String::new(), |limit| format!("[{limit}]"));
                let sign = if *negate { format!("!={limit}") } else { format!("=={limit}") };
                let right = match right {
                    StringOperand::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                    StringOperand::Value(value) => self.buffered(names, value),
                };
                format!("({} {sign} {right})", self.buffered(names, left))
            }
            _ => self.read(names, expr),
        }
    }

    fn special(&self, names: &Names<'_>, expr: &Expr) -> String {
        let sub = |inner: &Expr| self.expr(names, inner);
        let ty = &expr.ty;
        match &expr.kind {
            ExprKind::Search { haystack, needle } => {
                let needle = match needle {
                    StringOperand::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                    StringOperand::Value(value) => self.buffered(names, value),
                };
                format!("search({}, {needle})", self.buffered(names, haystack))
            }
            ExprKind::OrderBytes { left, right, count } => {
                format!("order[{count}]({}, {})", self.buffered(names, left), self.buffered(names, right))
            }
            ExprKind::Concatenate(left, right) => {
                format!("concatenate:{ty}({}, {})", self.buffered(names, left), self.buffered(names, right))
            }
            ExprKind::Operation(operation, values) => format!("{operation:?}:{ty}({})", self.list(names, values)),
            ExprKind::WriteUser { address, value, length } => {
                format!("write user[{}] {} bytes {}", sub(address), self.buffered(names, value), sub(length))
            }
            _ => String::new(),
        }
    }

    fn read(&self, names: &Names<'_>, expr: &Expr) -> String {
        let sub = |inner: &Expr| self.expr(names, inner);
        let ty = &expr.ty;
        match &expr.kind {
            ExprKind::Load { address, space } => format!("load {ty} {}[{}]", space_text(*space), sub(address)),
            ExprKind::LoadField { base, path, space } => {
                format!("load {ty} {}[{}{}]", space_text(*space), sub(base), path_text(path))
            }
            ExprKind::FieldAddress { base, path } => format!("&[{}{}]", sub(base), path_text(path)),
            ExprKind::ReadString { address, limit, space } => {
                let limit = limit.as_ref().map_or_else(String::new, |limit| format!(" limit {}", sub(limit)));
                format!("read {ty} {}[{}]{limit}", space_text(*space), sub(address))
            }
            ExprKind::ReadBuffer { address, length, space } => {
                let length = length.as_ref().map_or_else(String::new, |length| format!(" length {}", sub(length)));
                format!("read {ty} {}[{}]{length}", space_text(*space), sub(address))
            }
            ExprKind::TracepointField(field) => format!("args.{}:{ty}", field.name),
            ExprKind::Context => "ctx".into(),
            ExprKind::Argument(number) => format!("arg{number}:{ty}"),
            ExprKind::ReturnValue { params } => format!("retval({params}):{ty}"),
            ExprKind::Intrinsic(intrinsic) => format!("{intrinsic:?}"),
            ExprKind::MapGet { map, key } => self.place(names, *map, key.as_ref()),
            ExprKind::MapFigure { map, key, part } => {
                format!("{}+{}", self.place(names, *map, key.as_ref()), part.word)
            }
            ExprKind::MapFind { map, key, var, ty } => {
                format!("find {}:{ty} in {}", names.var(var.0), self.place(names, *map, Some(key)))
            }
            ExprKind::MapLength(map) => format!("length({})", self.map_name(*map)),
            ExprKind::MapHas { map, key } => format!("has {}", self.place(names, *map, Some(key))),
            ExprKind::MapDelete { map, key } => format!("delete {}", self.place(names, *map, key.as_ref())),
            ExprKind::MapAdd { map, key, delta, new } => {
                let which = if *new { "new" } else { "old" };
                format!("{which}({} += {})", self.place(names, *map, key.as_ref()), sub(delta))
            }
            ExprKind::VarAdd { var, delta, new } => {
                let which = if *new { "new" } else { "old" };
                format!("{which}({} += {})", names.var(var.0), sub(delta))
            }
            ExprKind::StackKey(stack) => {
                let space = if stack.process.is_some() { "user" } else { "kernel" };
                format!("stack {space} {} {}", stack.frames, self.map_name(stack.map))
            }
            ExprKind::StackLength { map, stack } => {
                format!("frames {}[{}]", self.map_name(*map), self.buffered(names, stack))
            }
            ExprKind::NoticedProcess(..) => "process".into(),
            ExprKind::StringLength(value) => format!("length({})", self.buffered(names, value)),
            ExprKind::Tuple(values) => format!("({})", self.list(names, values)),
            ExprKind::Padded(value) => format!("{ty}({})", sub(value)),
            ExprKind::Element { base, offset } => format!("({}).{offset}:{ty}", self.buffered(names, base)),
            _ => self.part(names, expr),
        }
    }

    fn part(&self, names: &Names<'_>, expr: &Expr) -> String {
        let sub = |inner: &Expr| self.expr(names, inner);
        let ty = &expr.ty;
        match &expr.kind {
            ExprKind::CompareBytes { negate, left, right } => {
                let sign = if *negate { "!=" } else { "==" };
                format!("({} {sign} {})", self.buffered(names, left), self.buffered(names, right))
            }
            ExprKind::BufferOf { base, length } => {
                let length = length.as_ref().map_or_else(String::new, |length| format!(" length {}", sub(length)));
                format!("{ty}({}{length})", self.buffered(names, base))
            }
            ExprKind::Bounded { index, len } => format!("({} below {len})", sub(index)),
            ExprKind::VarAddress(var) => format!("&{}", names.var(var.0)),
            ExprKind::MapAddress { map, key } => format!("&{}", self.place(names, *map, key.as_ref())),
            ExprKind::Convert(base) => format!("{ty}({})", self.buffered(names, base)),
            ExprKind::Scalar(value) => format!("{ty}({})", sub(value)),
            ExprKind::Part { base, path } => format!("({}){}:{ty}", self.buffered(names, base), path_text(path)),
            ExprKind::Indexed { base, index, len } => {
                format!("({})[{} below {len}]:{ty}", self.buffered(names, base), sub(index))
            }
            _ => self.special(names, expr),
        }
    }
}

impl Names<'_> {
    fn var(&self, at: u32) -> &str {
        self.probe.vars.get(at as usize).map_or("?", |var| &var.name)
    }

    fn slot(&self, at: u32) -> String {
        match self.probe.slots.get(at as usize) {
            Some(slot) => match slot.place {
                Place::Stack => format!("stack[{}]", slot.size),
                Place::Scratch(offset) => format!("scratch+{offset}[{}]", slot.size),
            },
            None => "?".into(),
        }
    }
}

fn path_text(path: &FieldPath) -> String {
    let mut text = String::new();
    for step in &path.steps {
        match step {
            FieldStep::Member { name, .. } => text = format!("{text}.{name}"),
            FieldStep::Element { index, .. } => text = format!("{text}[{index}]"),
        }
    }
    text
}

fn format_text(format: &Format) -> String {
    let mut text = String::new();
    for piece in &format.pieces {
        match piece {
            Piece::Text(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            Piece::Conversion(conversion) => {
                text.push('%');
                text.push(conversion.kind.letter());
            }
        }
    }
    text
}

fn aggregate_text(aggregate: Aggregate) -> String {
    let name = aggregate.name();
    match aggregate {
        Aggregate::Count => name.into(),
        Aggregate::Sum { signed }
        | Aggregate::Avg { signed }
        | Aggregate::Min { signed }
        | Aggregate::Max { signed }
        | Aggregate::Stats { signed } => format!("{name}:{}", if signed { "signed" } else { "unsigned" }),
        Aggregate::Hist { k } => format!("{name}:{k}"),
        Aggregate::LinearHist { min, max, step } => format!("{name}:{min}..{max}:{step}"),
    }
}

fn kind_text(kind: MapKind) -> &'static str {
    match kind {
        MapKind::Hash => "hash",
        MapKind::Array => "array",
        MapKind::PerCpuHash => "percpu hash",
        MapKind::PerCpuArray => "percpu array",
        MapKind::LruHash => "lru hash",
        MapKind::LruPerCpuHash => "percpu lru hash",
        MapKind::RingBuffer => "ring buffer",
    }
}

fn space_text(space: AddressSpace) -> &'static str {
    match space {
        AddressSpace::Kernel => "kernel",
        AddressSpace::User => "user",
        AddressSpace::Unknown => "any",
    }
}

fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Negate => "-",
        UnaryOp::Complement => "~",
        UnaryOp::Not => "!",
    }
}

fn binary_text(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::And => "&",
        BinaryOp::Or => "|",
        BinaryOp::Xor => "^",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
    }
}
