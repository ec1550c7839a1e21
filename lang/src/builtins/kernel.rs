//! The kernel and the machine: addresses, registers, CPUs.

use super::{Allowed, Builtin, Lowering, Param, ParamClass, Returns, ValueForm};
use crate::hir::Intrinsic;
use crate::types::{AddressSpace, Type};

const POINTER: &[Param] = &[Param::required("pointer", ParamClass::Address)];
const SYMBOL: &[Param] = &[Param::required("symbol", ParamClass::Text)];

/// A pointer as one into other memory; its type is that of the argument.
const fn in_space(name: &'static str, space: AddressSpace, doc: &'static str, example: &'static str) -> Builtin {
    let lowering = Lowering::Value(ValueForm::InSpace(space));
    Builtin::function(name, POINTER, Returns::Fixed(Type::U64), lowering, doc, example)
}

pub(super) const ROWS: &[Builtin] = &[
    Builtin::value(
        "numaid",
        Type::U32,
        Lowering::Intrinsic(Intrinsic::NumaNode),
        "Number of the NUMA node that the probe runs on.",
        "begin { print(numaid) }",
    ),
    Builtin::value(
        "ncpus",
        Type::U64,
        Lowering::Value(ValueForm::CpuCount),
        "Number of CPUs that can be there.",
        "begin { print(ncpus) }",
    ),
    Builtin::value(
        "jiffies",
        Type::U64,
        Lowering::Intrinsic(Intrinsic::Jiffies),
        "The kernel's count of timer ticks.",
        "begin { print(jiffies) }",
    ),
    Builtin::value(
        "usermode",
        Type::U8,
        Lowering::Value(ValueForm::UserMode),
        "1 when user code was interrupted, 0 when the kernel's was.",
        "profile:hz:99 { @[usermode] = count() } interval:s:1 { exit() }",
    ),
    Builtin::limited(
        Allowed::WithRegisters,
        "reg",
        &[Param::required("name", ParamClass::Text)],
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::Register),
        [
            "A register of what was interrupted, by the architecture's name; ip, sp and pc everywhere.",
            "profile:hz:99 { @[ksym(reg(\"ip\"))] = count() } interval:s:1 { exit() }",
        ],
    ),
    in_space(
        "kptr",
        AddressSpace::Kernel,
        "A pointer, as one to the kernel's memory.",
        "begin { print(kptr(curtask).pid) }",
    ),
    in_space(
        "uptr",
        AddressSpace::User,
        "A pointer, as one to the memory of the current process.",
        "tracepoint:syscalls:sys_enter_openat { print(str(uptr(args.filename))); exit() }",
    ),
    Builtin::function(
        "is_err",
        POINTER,
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::IsError),
        "Whether a pointer of the kernel is an error number in disguise.",
        "begin { print(is_err(curtask)) }",
    ),
    Builtin::function(
        "kaddr",
        SYMBOL,
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::KernelAddress),
        "Address of a symbol of the kernel.",
        "begin { print(*kaddr(\"jiffies\")) }",
    ),
    Builtin::function(
        "percpu_kaddr",
        &[Param::required("symbol", ParamClass::Text), Param::optional("cpu", ParamClass::Integer)],
        Returns::CpuPointer,
        Lowering::Value(ValueForm::CpuAddress),
        "Address of a variable of which each CPU has its own, for the current CPU or the one given; 0 for a CPU that is not there.",
        "begin { print(*percpu_kaddr(\"process_counts\")) }",
    ),
    Builtin::function(
        "bswap",
        &[Param::required("value", ParamClass::Integer)],
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::SwapBytes),
        "An integer with its bytes in reverse order.",
        "begin { printf(\"%x\\n\", bswap((uint32)1)) }",
    ),
    Builtin::function(
        "kfunc_exist",
        SYMBOL,
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::HasFunction),
        "Whether the kernel's BTF has a function of this name.",
        "begin { print(kfunc_exist(\"vfs_read\")) }",
    ),
    Builtin::function(
        "cgroupid",
        &[Param::required("path", ParamClass::Text)],
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::GroupId),
        "Id of the control group (version 2) of this path, as cgroup has it.",
        "begin { print(cgroupid(\"/sys/fs/cgroup\")) }",
    ),
    Builtin::function(
        "cgroup_path",
        &[Param::required("id", ParamClass::Integer), Param::optional("filter", ParamClass::Text)],
        Returns::Fixed(Type::GroupPath),
        Lowering::Value(ValueForm::GroupPath),
        "A control group's id, shown as its paths in the hierarchies whose names match the filter, when it is printed.",
        "begin { print(cgroup_path(cgroup)) }",
    ),
];
