//! The checker: names, types and probes. It never changes the tree; what it finds out stands in tables beside it, one
//! for each attach point, because the same action can see other types at another function.
//!
//! Types of maps and scratch variables follow from all their uses. The checker walks the whole script until a walk
//! changes nothing any more (two walks for most scripts); the messages are those of the last walk.
//!
//! Arithmetic is done in 64 bits; the result is unsigned when both operands are, signed otherwise. A literal that is
//! not negative takes the signedness of what it is compared or merged with. Shifts keep the sign of their left side.

mod access;
mod attach;
mod block;
mod call;
mod cast;
mod conditions;
mod constant;
mod expr;
mod figures;
mod flow;
mod forms;
mod functions;
mod infer;
mod known;
mod literal;
mod map;
mod map_declarations;
mod map_functions;
mod needs;
mod operator;
mod options;
mod requests;
mod show;
mod stack;
mod stmt;
mod suggest;
mod tables;
#[cfg(test)]
mod tests;
mod unsupported;
mod user;

use crate::ast::{Ast, Expr, NodeId};
use crate::c::WithDefinitions;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::kernel::Kernel;
use crate::manifest::{Aggregate, Figure, MapKind, RowTable};
use crate::source::Span;
use crate::types::{StackMode, Type};
pub(crate) use access::{CHARACTER, in_memory, is_argument_record, is_settings};
pub(crate) use attach::Point;
pub(crate) use call::{MapArgument, PrintKind, aggregation_call, print_kind};
pub(crate) use constant::Constant;
pub(crate) use expr::positional_number;
pub(crate) use flow::unroll_count;
pub(crate) use forms::{is_type, network_size, signal_number};
pub(crate) use infer::{Inferred, comparison_type, merge_types};
pub use known::KnownMaps;
pub(crate) use literal::{fold, literal_int};
pub(crate) use map::key_exprs;
pub use needs::needs;
pub(crate) use operator::is_comparison;
pub(crate) use options::script_option;
pub(crate) use show::view;
use std::collections::{HashMap, HashSet};
pub(crate) use suggest::COMPLETED;

/// Limits and parameters of a session that shape the compiled script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Bytes of the strings that `str()` makes, NUL included.
    pub max_strlen: u32,
    /// Entries of a keyed map; of counts and sums some more may be kept, see [`crate::table`].
    pub max_map_keys: u32,
    /// Attach points after expansion of wildcards.
    pub max_probes: u32,
    /// Bytes of the event ring; a power of two, at least a page. Small by default: mapped pages count as memory of lt.
    pub ring_bytes: u32,
    /// The same in pages of 4096 bytes, as a script wants it; 0: it does not care.
    pub ring_pages: u32,
    /// `$1`, `$2`, ...
    pub positional: Vec<String>,
    /// Options of the script behind `--`: `--name=value`, `--name`.
    pub named: Vec<(String, Option<String>)>,
    /// Most bytes of a file that `cat()` prints.
    pub max_cat_bytes: u32,
    /// What is shown behind a string that was cut off.
    pub cut_mark: String,
    /// What changes the traced system may be called.
    pub allow_unsafe: bool,
    /// How stacks are shown that do not say it.
    pub stack_mode: StackMode,
    /// Stacks are shown with files, lines and inlined functions.
    pub show_debug_info: bool,
    /// Maps are printed at the end.
    pub print_maps_on_exit: bool,
    /// What to do about probes that the kernel lacks.
    pub missing_probes: MissingProbes,
    /// Maps of the scripts that the session has run before.
    pub known_maps: KnownMaps,
    /// A kernel function is probed in another way when the kernel lacks what the script says.
    pub fallback: bool,
}

/// What becomes of attach points that the kernel lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingProbes {
    /// An error.
    #[default]
    Error,
    /// A warning; the others are attached.
    Warn,
    /// Nothing is said; the others are attached.
    Ignore,
}

impl Default for SessionOptions {
    fn default() -> Self {
        SessionOptions {
            max_strlen: 1024,
            max_map_keys: 4096,
            max_probes: 1024,
            ring_bytes: 512 << 10,
            ring_pages: 0,
            positional: Vec::new(),
            named: Vec::new(),
            max_cat_bytes: 10240,
            cut_mark: "..".into(),
            allow_unsafe: false,
            stack_mode: StackMode::Bpftrace,
            show_debug_info: true,
            print_maps_on_exit: true,
            missing_probes: MissingProbes::default(),
            known_maps: KnownMaps::default(),
            fallback: false,
        }
    }
}

/// What the checker found out about a script; input of [`crate::lower()`].
#[derive(Debug)]
pub struct CheckedScript {
    /// One for each attach point, in source order.
    pub(crate) programs: Vec<CheckedProgram>,
    /// In order of first use.
    pub(crate) maps: Vec<CheckedMap>,
    /// In source order.
    pub(crate) tables: Vec<RowTable>,
    /// Actions in user space, in source order.
    pub(crate) user: Vec<crate::user::UserAction>,
}

/// An attach point with the types of the action there.
#[derive(Debug)]
pub(crate) struct CheckedProgram {
    /// Index into [`Ast::probes`].
    pub(crate) probe: usize,
    /// Where it is attached.
    pub(crate) point: Point,
    /// Type of each node.
    pub(crate) types: Vec<Type>,
    /// Scratch variables in order of declaration.
    pub(crate) vars: Vec<CheckedVar>,
    /// The variable that a place in the source means.
    pub(crate) var_at: HashMap<Span, usize>,
    /// What `sizeof` and `offsetof` ask about.
    pub(crate) measured: HashMap<NodeId, Type>,
    /// Names of the fields of the tracepoint's record that are used.
    pub(crate) record_fields: HashSet<String>,
    /// The action depends on the place that it is attached to.
    pub(crate) knows_place: bool,
    /// Conditions that are known because the kernel is; what they leave out was not checked.
    pub(crate) answers: HashMap<NodeId, bool>,
}

impl CheckedProgram {
    fn new(probe: usize, point: Point, nodes: u32) -> CheckedProgram {
        let types = vec![Type::Error; nodes as usize];
        let record_fields = HashSet::new();
        let (vars, var_at, measured) = (Vec::new(), HashMap::new(), HashMap::new());
        CheckedProgram {
            probe,
            point,
            types,
            vars,
            var_at,
            measured,
            record_fields,
            knows_place: false,
            answers: HashMap::new(),
        }
    }

    /// The type of an expression.
    pub(crate) fn ty(&self, expr: &Expr) -> &Type {
        self.types.get(expr.id.0 as usize).unwrap_or(&Type::Error)
    }
}

/// A scratch variable.
#[derive(Debug)]
pub(crate) struct CheckedVar {
    /// Without the sigil.
    pub(crate) name: String,
    /// Its type as `let` has it.
    pub(crate) written: Option<Type>,
    /// Its type; `None` until something is assigned.
    pub(crate) value: Option<Inferred>,
    /// Where it is declared.
    pub(crate) span: Span,
}

/// A map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckedMap {
    /// Without the sigil.
    pub(crate) name: String,
    /// Types of the key, empty for a scalar map; `None` until it is used with or without one.
    pub(crate) keys: Option<Vec<Inferred>>,
    /// Where the keys were first seen.
    pub(crate) keys_span: Span,
    /// What it holds.
    pub(crate) value: Option<MapContent>,
    /// Where the value was first assigned.
    pub(crate) value_span: Span,
    /// The kernel's type of map and the number of its entries, where the script says them.
    pub(crate) declared: Option<(MapKind, u32)>,
}

/// What a map holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapContent {
    /// Values of a type.
    Plain(Inferred),
    /// An aggregation.
    Aggregate(Aggregate),
    /// Several aggregations with names, and where each is first assigned.
    Figures(Vec<(Figure, Span)>),
}

impl MapContent {
    /// As messages call what is aggregated; nothing for plain values.
    pub(crate) fn aggregation(&self) -> Option<String> {
        match self {
            MapContent::Plain(_) => None,
            MapContent::Aggregate(aggregate) => Some(format!("{}()", aggregate.name())),
            MapContent::Figures(figures) => {
                let names: Vec<&str> = figures.iter().map(|(figure, _)| figure.name.as_str()).collect();
                Some(format!("a record of aggregations ({})", names.join(", ")))
            }
        }
    }
}

/// Checks a script against a kernel. The messages are complete: checking goes on behind every mistake.
///
/// A wildcard's program is attached to all matches, unless its action turns out to depend on which one it is.
pub fn check(ast: &Ast, kernel: &dyn Kernel, options: &SessionOptions) -> (CheckedScript, Diagnostics) {
    let (checked, messages) = check_expanded(ast, kernel, options, &HashSet::new());
    let shared = |program: &&CheckedProgram| program.knows_place && program.point.is_shared();
    let single: HashSet<usize> = checked.programs.iter().filter(shared).map(|program| program.probe).collect();
    if single.is_empty() {
        return (checked, messages);
    }
    check_expanded(ast, kernel, options, &single)
}

fn check_expanded(
    ast: &Ast,
    kernel: &dyn Kernel,
    options: &SessionOptions,
    single: &HashSet<usize>,
) -> (CheckedScript, Diagnostics) {
    let (kernel, definition_messages) = WithDefinitions::new(ast.definitions.clone(), kernel);
    let kernel = &kernel;
    let (points, attach_messages) = attach::expand(ast, kernel, options, single);
    let (tables, table_messages) = tables::declared(ast, kernel);
    let mut checker = Checker {
        kernel,
        options,
        out: Diagnostics::default(),
        maps: Vec::new(),
        changed: false,
        incomplete: false,
        program: CheckedProgram::new(0, Point::unknown(), 0),
        scopes: Vec::new(),
        closed: HashMap::new(),
        script_names: unsupported::declared_names(ast),
        declared: 0,
        walks: 0,
        loops: 0,
        dead: 0,
        wanted: Vec::new(),
        tables,
    };
    let (mut programs, mut actions) = split(ast, points);
    for _ in 0..MAX_WALKS {
        checker.out = Diagnostics::default();
        checker.changed = false;
        programs = programs.into_iter().map(|program| checker.walk(ast, program)).collect();
        actions = actions.into_iter().map(|action| checker.walk_user(ast, action)).collect();
        if !checker.changed {
            break;
        }
        checker.walks += 1;
    }
    if !checker.out.has_errors() {
        checker.circular_maps();
        checker.unexpected_options();
    }
    checker.declared_maps(ast);
    let mut out = definition_messages;
    out.extend(attach_messages);
    out.extend(table_messages);
    out.extend(unsupported::declarations(ast));
    out.extend(checker.out);
    let user = actions.into_iter().map(|checked| checked.action).collect();
    (CheckedScript { programs, maps: checker.maps, tables: checker.tables, user }, out)
}

/// Programs, and actions in user space.
fn split(ast: &Ast, points: Vec<(usize, Point)>) -> (Vec<CheckedProgram>, Vec<user::CheckedAction>) {
    let (mut programs, mut actions) = (Vec::new(), Vec::new());
    for (probe, point) in points {
        if ast.probes.get(probe).is_some_and(|probe| probe.user) {
            actions.push(user::CheckedAction::new(probe, point, programs.len() as u32));
        } else {
            programs.push(CheckedProgram::new(probe, point, ast.node_count));
        }
    }
    (programs, actions)
}

/// Types only ever grow (longer strings, signed for mixed integers), so a walk or two more than variables depend on
/// each other is enough; the bound is a safeguard.
const MAX_WALKS: usize = 16;

struct Checker<'a> {
    kernel: &'a dyn Kernel,
    options: &'a SessionOptions,
    out: Diagnostics,
    maps: Vec<CheckedMap>,
    /// Whether this walk changed the type of a map or variable.
    changed: bool,
    /// Whether parts of the script could not be read; maps may be assigned there.
    incomplete: bool,
    /// The program that is walked.
    program: CheckedProgram,
    /// Names visible, outermost block first.
    scopes: Vec<HashMap<String, usize>>,
    /// Variables of blocks that have ended, for messages.
    closed: HashMap<String, Span>,
    /// Names of the script's parameters, files and actors, which are reported where they are declared.
    script_names: HashSet<String>,
    /// Variables declared so far in this walk of the program.
    declared: usize,
    /// Walks that are over.
    walks: u32,
    /// Loops around the statement that is walked.
    loops: u32,
    /// Conditions that are known not to hold around the statement that is walked.
    dead: u32,
    /// Options of the script that it asks for.
    wanted: Vec<options::ScriptOption>,
    /// Tables of the script.
    tables: Vec<RowTable>,
}

impl Checker<'_> {
    fn walk(&mut self, ast: &Ast, program: CheckedProgram) -> CheckedProgram {
        let Some(probe) = ast.probes.get(program.probe) else { return program };
        let idle = std::mem::replace(&mut self.program, program);
        self.program.var_at.clear();
        self.declared = 0;
        self.dead = 0;
        self.scopes.clear();
        self.closed.clear();
        if let Some(predicate) = &probe.predicate {
            self.condition(predicate);
        }
        self.block(&probe.action);
        std::mem::replace(&mut self.program, idle)
    }

    /// Reports maps of which only the script itself could say what they hold: `@x[@x[1]] = @x[2]`.
    fn circular_maps(&mut self) {
        let unknown = |found: &Inferred| found.ty.is_unknown();
        for map in &self.maps {
            let keys = map.keys.iter().flatten().any(unknown);
            let (what, span) = match &map.value {
                _ if keys => ("key", map.keys_span),
                Some(MapContent::Plain(value)) if unknown(value) => ("value", map.value_span),
                _ => continue,
            };
            let message = format!("the type of the {what} of `@{}` cannot be told", map.name);
            let diagnostic = Diagnostic::error(Code::UndefinedMap, message)
                .at(span, "this depends on itself")
                .help("assign something of a known type to it");
            self.out.push(diagnostic);
        }
    }

    fn point(&self) -> &Point {
        &self.program.point
    }

    fn set_type(&mut self, id: NodeId, ty: &Type) {
        if let Some(place) = self.program.types.get_mut(id.0 as usize) {
            place.clone_from(ty);
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Type {
        self.out.push(diagnostic);
        Type::Error
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Type {
        self.report(Diagnostic::error(code, message).at(span, label))
    }
}
