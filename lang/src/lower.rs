//! From the checked tree to the HIR and the manifest: every cast, read, map operation and event becomes a node of its
//! own. The manifest is complete here, before any code is generated.

mod block;
mod call;
mod event;
mod expr;
mod flow;
mod forms;
mod functions;
mod map_functions;
mod maps;
mod pages;
mod place;
mod raw;
#[cfg(test)]
mod raw_tests;
mod requests;
mod shapes;
mod slots;
mod stacks;
mod stmt;
mod tables;
#[cfg(test)]
mod tests;
mod user;

use crate::ast::Ast;
use crate::c::WithDefinitions;
use crate::check::{CheckedProgram, CheckedScript, SessionOptions};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir;
use crate::kernel::Kernel;
use crate::manifest::{Event, MANIFEST_VERSION, Manifest, Map, MapId, Program, ProgramId, RowTable};
use crate::source::Span;
use crate::types::Type;
pub(crate) use expr::has_effects;
use std::collections::HashSet;

/// Code and manifest of a script; `program.probes[i]` is the code of `manifest.programs[i]`.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The code.
    pub program: hir::Program,
    /// Everything else.
    pub manifest: Manifest,
}

/// Lowers a script that [`crate::check()`] found no errors in. Messages are about limits of the kernel's BPF machine.
pub fn lower(
    ast: &Ast,
    checked: &CheckedScript,
    kernel: &dyn Kernel,
    options: &SessionOptions,
) -> (Lowered, Diagnostics) {
    // what is wrong with the definitions was told by the checker
    let (kernel, _) = WithDefinitions::new(ast.definitions.clone(), kernel);
    let kernel = &kernel;
    let mut session = Session::new(checked, kernel, options);
    session.add_user_maps();
    let mut scratch_size = 0;
    let mut probes = Vec::with_capacity(checked.programs.len());
    for (at, program) in checked.programs.iter().enumerate() {
        let Some(probe) = ast.probes.get(program.probe) else { continue };
        let mut body = Body::new(&mut session, program);
        let mut stmts = body.probe(probe);
        stmts.splice(0..0, body.preset());
        stmts.splice(0..0, body.take_stamp(probe.span));
        let Body { mut vars, mut slots, releases, aggregates, framed, .. } = body;
        let scratch = slots::settle(&mut vars, &mut slots, &releases, framed);
        if probes.last().is_none_or(|last: &hir::Probe| last.span != probe.span) {
            session.check_scratch(scratch, probe.span);
        }
        scratch_size = scratch_size.max(scratch);
        let (program, span) = (ProgramId(at as u32), probe.span);
        probes.push(hir::Probe { program, body: stmts, vars, slots, framed, aggregates, span });
    }
    session.note_user_actions();
    session.settle_kinds();
    session.add_pages();
    session.add_tables();
    session.add_own_maps(scratch_size);
    let programs = checked.programs.iter().enumerate();
    let programs = programs.map(|(at, program)| manifest_program(at, program, options)).collect();
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        shapes: shapes::shapes(kernel, &session.maps, &session.events, &session.tables),
        programs,
        maps: session.maps,
        events: session.events,
        tables: session.tables,
        user: checked.user.clone(),
        scratch_size,
        print_maps: session.options.print_maps_on_exit,
        debug_info: session.options.show_debug_info,
        time_formats: session.time_formats,
        group_filters: session.group_filters,
        cut_size: session.options.max_strlen,
        cut_mark: session.options.cut_mark.clone(),
    };
    (Lowered { program: hir::Program { probes, definitions: ast.definitions.clone() }, manifest }, session.out)
}

fn manifest_program(at: usize, program: &CheckedProgram, options: &SessionOptions) -> Program {
    let point = &program.point;
    // The kernel shows the first 15 characters: what is traced, then the number that makes the name unique.
    let last = point.text.rsplit(':').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let name: String =
        last.unwrap_or("probe").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Program {
        symbol: format!("lt_{name}_{at}"),
        probe: point.text.clone(),
        attach: raw::shortcut(program).map_or_else(|| point.attach.clone(), |row| row.attach()),
        probes: point.probes,
        refused: point.refused(options),
        span: point.span,
    }
}

/// What all programs of a script share.
struct Session<'a> {
    checked: &'a CheckedScript,
    kernel: &'a dyn Kernel,
    options: &'a SessionOptions,
    out: Diagnostics,
    maps: Vec<Map>,
    events: Vec<Event>,
    /// The script's, and those that were made for maps.
    tables: Vec<RowTable>,
    kept: stacks::Kept,
    time_formats: Vec<Vec<u8>>,
    group_filters: Vec<String>,
    exits: bool,
    /// Maps that programs do more with than add to their values.
    read_maps: HashSet<MapId>,
    /// Maps whose values programs read.
    numbers: HashSet<MapId>,
    /// Maps without a key that programs delete.
    deleted_scalars: HashSet<MapId>,
    /// What decides which maps have two pages.
    uses: pages::Uses,
}

impl<'a> Session<'a> {
    fn new(checked: &'a CheckedScript, kernel: &'a dyn Kernel, options: &'a SessionOptions) -> Session<'a> {
        Session {
            checked,
            kernel,
            options,
            out: Diagnostics::default(),
            maps: Vec::new(),
            events: Vec::new(),
            tables: checked.tables.clone(),
            kept: stacks::Kept::default(),
            time_formats: Vec::new(),
            group_filters: Vec::new(),
            exits: false,
            read_maps: HashSet::new(),
            numbers: HashSet::new(),
            deleted_scalars: HashSet::new(),
            uses: pages::Uses::default(),
        }
    }
}

impl Session<'_> {
    fn limit(&mut self, span: Span, message: String, label: &str, help: &str) {
        let diagnostic = Diagnostic::error(Code::LimitExceeded, message).at(span, label);
        self.out.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }
}

/// A program in the making.
struct Body<'s, 'a> {
    session: &'s mut Session<'a>,
    program: &'a CheckedProgram,
    vars: Vec<hir::Var>,
    slots: Vec<hir::Slot>,
    /// When slots are not needed any more.
    releases: Vec<slots::Release>,
    /// Expressions around what is lowered: a statement inside of one leaves its slots alone until all is over.
    expressions: u32,
    /// See [`hir::Probe::framed`].
    framed: bool,
    /// Where stacks are put together, one after the other.
    stack_buffer: Option<hir::SlotId>,
    /// Loops around the statement that is lowered.
    loops: u32,
    /// Variables that a `find` names first.
    declared_by_find: Vec<usize>,
    /// Maps that the program aggregates into.
    aggregates: Vec<MapId>,
    /// The variable that tells its actions apart.
    stamp: Option<hir::VarId>,
    /// Blocks with statements that were made within expressions.
    blocks: u32,
    /// How many there were when the statement that is lowered began.
    blocks_before: u32,
}

impl<'s, 'a> Body<'s, 'a> {
    fn new(session: &'s mut Session<'a>, program: &'a CheckedProgram) -> Self {
        let mut body = Body {
            session,
            program,
            vars: Vec::new(),
            slots: Vec::new(),
            releases: Vec::new(),
            expressions: 0,
            framed: false,
            stack_buffer: None,
            loops: 0,
            declared_by_find: Vec::new(),
            aggregates: Vec::new(),
            stamp: None,
            blocks: 0,
            blocks_before: 0,
        };
        for var in &program.vars {
            let ty = var.value.as_ref().map_or(Type::I64, |value| value.ty.clone());
            let slot = (!ty.is_scalar()).then(|| body.slot(&ty));
            body.vars.push(hir::Var { name: format!("${}", var.name), ty, slot });
        }
        body
    }

    /// New memory for a value of this type.
    fn slot(&mut self, ty: &Type) -> hir::SlotId {
        self.slot_of(ty.size(), ty.align())
    }

    fn slot_of(&mut self, size: u32, align: u32) -> hir::SlotId {
        self.slots.push(hir::Slot { size: size.max(1), align, place: hir::Place::Stack });
        hir::SlotId(self.slots.len() as u32 - 1)
    }

    /// The value in memory of its own, as large as `ty`, every byte of which is written; a variable has some already.
    fn buffered(&mut self, value: hir::Expr, ty: &Type) -> hir::Buffered {
        if let hir::ExprKind::Var(var) = value.kind
            && let Some(slot) = self.vars.get(var.0 as usize).and_then(|var| var.slot)
        {
            return hir::Buffered { slot, value: Box::new(value), zeroed: true };
        }
        hir::Buffered { slot: self.slot(ty), value: Box::new(value), zeroed: true }
    }

    fn not_supported(&mut self, span: Span, message: &str) {
        self.session.out.push(Diagnostic::error(Code::NotSupported, message).at(span, "here"));
    }
}
