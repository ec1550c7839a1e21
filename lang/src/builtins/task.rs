//! Relatives of the current task, its groups, and numbers that are shown by name.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns, ValueForm};
use crate::hir::Intrinsic;
use crate::types::{NameKind, Type};

const TASK: &[Param] = &[Param::optional("task", ParamClass::Address)];
const NAME: Returns = Returns::Fixed(Type::String { size: 16 });

/// A fact about the current task, or about another one.
const fn of_task(
    name: &'static str,
    returns: Returns,
    path: &'static [&'static str],
    doc: &'static str,
    example: &'static str,
) -> Builtin {
    let lowering = Lowering::Value(ValueForm::Task(path));
    Builtin { name, form: Form::Value, params: TASK, returns, allowed: Allowed::Anywhere, lowering, doc, example }
}

/// A number that is shown by name.
const fn named(
    name: &'static str,
    params: &'static [Param],
    kind: NameKind,
    doc: &'static str,
    example: &'static str,
) -> Builtin {
    let lowering = Lowering::Value(ValueForm::Named(kind));
    Builtin::function(name, params, Returns::Fixed(Type::Named(kind)), lowering, doc, example)
}

pub(super) const ROWS: &[Builtin] = &[
    of_task(
        "ppid",
        Returns::Fixed(Type::U32),
        &["real_parent", "pid"],
        "Thread id of the parent of the current task, or of the task given.",
        "begin { print(ppid) }",
    ),
    of_task(
        "pcomm",
        NAME,
        &["real_parent", "comm"],
        "Name of the parent of the current task, or of the task given.",
        "begin { print(pcomm) }",
    ),
    of_task(
        "leader_tid",
        Returns::Fixed(Type::U32),
        &["group_leader", "pid"],
        "Thread id of the first thread of the current process, or of that of the task given.",
        "begin { print(leader_tid) }",
    ),
    of_task(
        "leader_comm",
        NAME,
        &["group_leader", "comm"],
        "Name of the first thread of the current process, or of that of the task given.",
        "begin { print(leader_comm) }",
    ),
    Builtin::value(
        "username",
        Type::Named(NameKind::User),
        Lowering::Value(ValueForm::UserName),
        "Name of the user of the current task, looked up when it is printed.",
        "begin { print(username) }",
    ),
    Builtin::value(
        "cgroup",
        Type::U64,
        Lowering::Intrinsic(Intrinsic::Cgroup),
        "Id of the control group (version 2) of the current task.",
        "begin { print(cgroup) }",
    ),
    Builtin::value(
        "cpid",
        Type::U32,
        Lowering::Intrinsic(Intrinsic::CommandPid),
        "Process id of the command of -c; 0 without one.",
        "tracepoint:syscalls:sys_enter_read /pid == cpid/ { @ = count() } interval:s:1 { exit() }",
    ),
    Builtin::value(
        "has_cpid",
        Type::Bool,
        Lowering::Value(ValueForm::HasCommand),
        "Whether lt runs a command (-c).",
        "begin { print(has_cpid) }",
    ),
    named(
        "strerror",
        &[Param::required("error", ParamClass::Integer)],
        NameKind::Error,
        "An error number, shown as its message.",
        "begin { print(strerror(2)) }",
    ),
    named(
        "signal_name",
        &[Param::required("signal", ParamClass::Integer)],
        NameKind::Signal,
        "A signal's number, shown as its description.",
        "begin { print(signal_name(9)) }",
    ),
    named(
        "syscall_name",
        &[Param::required("number", ParamClass::Integer)],
        NameKind::SystemCall,
        "A system call's number, shown as its name.",
        "tracepoint:raw_syscalls:sys_enter { @[syscall_name(args.id)] = count() } interval:s:1 { exit() }",
    ),
];
