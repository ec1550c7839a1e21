//! Stacks.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns};
use crate::types::AddressSpace;

const OPTIONS: &[Param] =
    &[Param::optional("mode", ParamClass::StackOption), Param::optional("frames", ParamClass::StackOption)];

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "kstack",
        form: Form::Value,
        params: OPTIONS,
        returns: Returns::Stack(AddressSpace::Kernel),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Stack(AddressSpace::Kernel),
        doc: "The kernel's stack; kstack(perf), kstack(3) choose the form (bpftrace, perf, raw) and the number of frames.",
        example: "profile:hz:99 { @[kstack] = count() } interval:s:1 { exit() }",
    },
    Builtin {
        name: "ustack",
        form: Form::Value,
        params: OPTIONS,
        returns: Returns::Stack(AddressSpace::User),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Stack(AddressSpace::User),
        doc: "The current process's stack, by frame pointers; the forms are those of kstack, and build_id.",
        example: "profile:hz:99 { @[ustack(perf, 5), comm] = count() } interval:s:1 { exit() }",
    },
];
