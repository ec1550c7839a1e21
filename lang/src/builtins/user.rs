//! Functions of the user side: what programs in the kernel cannot know or compute.

use super::{Builtin, Lowering, Param, ParamClass, Returns};
use crate::user::UserFunction;

const PROCESS: Param = Param::required("pid", ParamClass::Integer);

/// A function of a string.
const fn text(
    name: &'static str,
    params: &'static [Param],
    function: UserFunction,
    doc: &'static str,
    example: &'static str,
) -> Builtin {
    Builtin::function(name, params, Returns::Text, Lowering::User(function), doc, example)
}

pub(super) const ROWS: &[Builtin] = &[
    Builtin::function(
        "rate",
        &[Param::required("amount", ParamClass::Number), Param::required("nanoseconds", ParamClass::Number)],
        Returns::Float,
        Lowering::User(UserFunction::Rate),
        "So much in this time, for each second; 0 when the time is 0.",
        "interval:s:1 user { printf(\"%.1f\\n\", rate(500, 2s)); exit() }",
    ),
    Builtin::function(
        "percentile",
        &[Param::required("histogram", ParamClass::Histogram), Param::required("percent", ParamClass::Number)],
        Returns::Float,
        Lowering::User(UserFunction::Percentile),
        "The value below which so many percent of a histogram's values lie, as far as its buckets tell; 0 without values.",
        "begin { @h = hist(100) } end user { print(percentile(@h, 99)) }",
    ),
    text(
        "user_name",
        &[Param::required("uid", ParamClass::Integer)],
        UserFunction::Named(crate::types::NameKind::User),
        "Name of a user; the number when it has none.",
        "begin user { print(user_name(0)) }",
    ),
    text(
        "group_name",
        &[Param::required("gid", ParamClass::Integer)],
        UserFunction::GroupName,
        "Name of a group of users; the number when it has none.",
        "begin user { print(group_name(0)) }",
    ),
    text(
        "path",
        &[PROCESS, Param::optional("fd", ParamClass::Integer)],
        UserFunction::Path,
        "The executable of a process, or what a descriptor of it refers to; empty when there is none.",
        "begin user { print(path(pid)) }",
    ),
    text(
        "container",
        &[PROCESS],
        UserFunction::Container,
        "The container that a process runs in, by the first twelve digits of its id; empty outside of containers.",
        "begin user { print(container(pid)) }",
    ),
    text(
        "disk",
        &[Param::required("dev", ParamClass::Integer)],
        UserFunction::Disk,
        "Name of a disk or partition by its number as the kernel has it, of which the low 20 bits are the minor one; MAJOR:MINOR when there is none.",
        "begin user { print(disk(8 << 20)) }",
    ),
    text(
        "read_file",
        &[Param::required("path", ParamClass::String)],
        UserFunction::ReadFile,
        "The first 64 KiB of a file, without the newline at its end; empty when it cannot be read.",
        "begin user { print(read_file(\"/proc/sys/kernel/ostype\")) }",
    ),
    text(
        "protocol_name",
        &[Param::required("number", ParamClass::Integer)],
        UserFunction::Protocol,
        "Name of a protocol of the internet: TCP, UDP; the number when it is not known.",
        "begin user { print(protocol_name(6)) }",
    ),
    text(
        "family_name",
        &[Param::required("number", ParamClass::Integer)],
        UserFunction::Family,
        "Name of a family of addresses: AF_INET; the number when it is not known.",
        "begin user { print(family_name(2)) }",
    ),
];
