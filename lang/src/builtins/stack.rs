//! Stacks.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns};

pub(super) const ROWS: &[Builtin] = &[Builtin {
    name: "kstack",
    form: Form::Value,
    params: &[Param::optional("mode", ParamClass::StackOption), Param::optional("frames", ParamClass::StackOption)],
    returns: Returns::KernelStack,
    allowed: Allowed::Anywhere,
    lowering: Lowering::KernelStack,
    doc: "The kernel's stack; kstack(perf), kstack(3) choose the form and the number of frames.",
    example: "profile:hz:99 { @[kstack] = count() } interval:s:1 { exit() }",
}];
