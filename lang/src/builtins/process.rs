//! The current task and CPU.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns, ValueForm};
use crate::hir::Intrinsic;
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "pid",
        form: Form::Value,
        params: &[Param::optional("namespace", ParamClass::Word(&["curr_ns", "init"]))],
        returns: Returns::Fixed(Type::U32),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Value(ValueForm::ProcessId { thread: false }),
        doc: "Process id (thread group id) of the current task, as lt sees it; pid(init) as the machine's first PID namespace does.",
        example: "begin { print(pid) }",
    },
    Builtin {
        name: "tid",
        form: Form::Value,
        params: &[Param::optional("namespace", ParamClass::Word(&["curr_ns", "init"]))],
        returns: Returns::Fixed(Type::U32),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Value(ValueForm::ProcessId { thread: true }),
        doc: "Thread id of the current task, as lt sees it; tid(init) as the machine's first PID namespace does.",
        example: "begin { print(tid) }",
    },
    Builtin {
        name: "uid",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Uid),
        doc: "User id of the current task.",
        example: "begin { print(uid) }",
    },
    Builtin {
        name: "gid",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Gid),
        doc: "Group id of the current task.",
        example: "begin { print(gid) }",
    },
    Builtin {
        name: "comm",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::String { size: 16 }),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Comm),
        doc: "Name of the current thread.",
        example: "begin { print(comm) }",
    },
    Builtin {
        name: "cpu",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U32),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Cpu),
        doc: "Number of the CPU that runs the probe.",
        example: "begin { print(cpu) }",
    },
    Builtin {
        name: "curtask",
        form: Form::Value,
        params: &[],
        returns: Returns::RecordPointer("task_struct"),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::CurrentTask),
        doc: "The current task, a struct task_struct *.",
        example: "begin { print(curtask.tgid) }",
    },
];
