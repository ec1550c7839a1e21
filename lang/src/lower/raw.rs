//! Tracepoints whose arguments say what a program wants to know: the program then runs on the tracepoint itself, and the
//! kernel need not make a record of the arguments and look for perf events first, which costs more than most actions.

use crate::check::CheckedProgram;
use crate::kernel::TracepointField;
use crate::manifest::Attach;
use crate::types::Type;

/// A tracepoint that can be used without its record.
#[derive(Debug)]
pub(super) struct RawRow {
    category: &'static str,
    name: &'static str,
    /// Fields of the record that are an argument as it is, and its number.
    fields: &'static [(&'static str, u32)],
}

/// Only tracepoints that cannot be hit by what a program itself does: kernels before 6.2 do not keep a program from
/// interrupting itself there. `args` of `sys_enter` is missing because tasks of other ABIs have it in other registers.
const TABLE: &[RawRow] = &[
    RawRow { category: "raw_syscalls", name: "sys_enter", fields: &[("id", 1)] },
    RawRow { category: "raw_syscalls", name: "sys_exit", fields: &[("ret", 1)] },
];

impl RawRow {
    /// The attachment in place of the perf event.
    pub(super) fn attach(&self) -> Attach {
        Attach::RawTracepoint { name: self.name.into() }
    }

    fn argument(&self, field: &str) -> Option<u32> {
        self.fields.iter().find(|row| row.0 == field).map(|row| row.1)
    }
}

/// The row of a program that can do without the record. Stacks need the registers that a perf event takes: without them
/// they begin inside of BPF.
pub(super) fn shortcut(program: &CheckedProgram) -> Option<&'static RawRow> {
    let Attach::Tracepoint { category, name, .. } = &program.point.attach else { return None };
    let row = TABLE.iter().find(|row| row.category == category && row.name == name)?;
    let known = program.record_fields.iter().all(|field| row.argument(field).is_some());
    let stack = program.types.iter().any(|ty| matches!(ty, Type::Stack(_)));
    (known && !stack).then_some(row)
}

/// Where the program finds a field of the record: arguments are words, one after the other.
pub(super) fn placed(field: &TracepointField, program: &CheckedProgram) -> TracepointField {
    match shortcut(program).and_then(|row| row.argument(&field.name)) {
        Some(number) => TracepointField { offset: number * 8, ..field.clone() },
        None => field.clone(),
    }
}
