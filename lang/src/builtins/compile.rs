//! What is decided when the script is compiled, and strings beyond the usual.

use super::{Builtin, KernelQuestion, Lowering, Param, ParamClass, RequestForm, Returns, TypeTest, ValueForm};
use crate::types::Type;

const VALUE: &[Param] = &[Param::required("value", ParamClass::Any)];
const PAIR: &[Param] =
    &[Param::required("haystack", ParamClass::String), Param::required("needle", ParamClass::String)];

/// A question about the type of a value.
const fn is(name: &'static str, test: TypeTest, doc: &'static str, example: &'static str) -> Builtin {
    Builtin::function(name, VALUE, Returns::Fixed(Type::Bool), Lowering::Value(ValueForm::Is(test)), doc, example)
}

pub(super) const ROWS: &[Builtin] = &[
    is("is_array", TypeTest::Array, "Whether a value is an array.", "begin { print(is_array(1)) }"),
    is("is_integer", TypeTest::Integer, "Whether a value is an integer.", "begin { print(is_integer(1)) }"),
    is(
        "is_unsigned_integer",
        TypeTest::UnsignedInteger,
        "Whether a value is an integer without sign.",
        "begin { print(is_unsigned_integer(pid)) }",
    ),
    is("is_ptr", TypeTest::Pointer, "Whether a value is a pointer.", "begin { print(is_ptr(curtask)) }"),
    is("is_str", TypeTest::String, "Whether a value is a string.", "begin { print(is_str(comm)) }"),
    is("is_literal", TypeTest::Literal, "Whether a value is written as a literal.", "begin { print(is_literal(1)) }"),
    Builtin::value(
        "kernel",
        Type::Void,
        Lowering::Value(ValueForm::Asks(KernelQuestion::Version)),
        "The version of the kernel, in a comparison with another. What such a condition leaves out need not fit this kernel.",
        "begin { if (kernel >= 5.10) { print(\"it is\") } }",
    ),
    Builtin::function(
        "has_field",
        &[Param::required("type", ParamClass::TypeName), Param::required("field", ParamClass::Path)],
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::Asks(KernelQuestion::Field)),
        "Whether a type of the kernel, or `args`, has a field. What such a condition leaves out need not fit this kernel.",
        "begin { if (has_field(struct task_struct, __state)) { print(curtask.__state) } else { print(curtask.state) } }",
    ),
    Builtin::function(
        "has_type",
        &[Param::required("type", ParamClass::TypeName)],
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::Asks(KernelQuestion::Type)),
        "Whether the kernel has a type. What such a condition leaves out need not fit this kernel.",
        "begin { print(has_type(struct task_struct)) }",
    ),
    Builtin::function(
        "has_probe",
        &[Param::required("probe", ParamClass::Text)],
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::Asks(KernelQuestion::Probe)),
        "Whether the kernel has what an attach point names. What such a condition leaves out need not fit this kernel.",
        "begin { print(has_probe(\"kprobe:vfs_read\")) }",
    ),
    Builtin::function(
        "static_assert",
        &[Param::required("condition", ParamClass::Any), Param::required("message", ParamClass::Text)],
        Returns::Void,
        Lowering::Request(RequestForm::StaticAssert),
        "An error when the script is compiled unless the condition holds, which must be known then.",
        "begin { static_assert(sizeof(uint32) == 4, \"strange\") }",
    ),
    Builtin::function(
        "fail",
        &[Param::required("format", ParamClass::Format)],
        Returns::Void,
        Lowering::Request(RequestForm::Fail),
        "An error when the script is compiled, unless a condition that is known then leaves it out.",
        "begin { if ($# > 9) { fail(\"%d are too many\", $#) } }",
    ),
    Builtin::function(
        "getopt",
        &[
            Param::required("name", ParamClass::Text),
            Param::optional("default", ParamClass::Any),
            Param::optional("help", ParamClass::Text),
        ],
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::ScriptOption),
        "An option of the script, given as --name=value behind `--`: of the type of its default; a bool without.",
        "begin { print(getopt(\"limit\", 10, \"most lines\")) }",
    ),
    Builtin::value(
        "config",
        Type::Void,
        Lowering::Value(ValueForm::Settings),
        "The settings of the session, by name: config.max_strlen.",
        "begin { print(config.max_strlen) }",
    ),
    Builtin::value(
        "probetype",
        Type::Void,
        Lowering::Value(ValueForm::ProbeKind),
        "The kind of the probe; `special` for begin and end.",
        "begin { print(probetype) }",
    ),
    Builtin::value(
        "default_str_length",
        Type::U64,
        Lowering::Value(ValueForm::DefaultLength),
        "Bytes of the strings that str() makes.",
        "begin { print(default_str_length) }",
    ),
    Builtin::function(
        "strcap",
        VALUE,
        Returns::Fixed(Type::I64),
        Lowering::Value(ValueForm::Capacity),
        "Bytes of the memory of a string or array.",
        "begin { print(strcap(comm)) }",
    ),
    Builtin::function(
        "strcontains",
        PAIR,
        Returns::Fixed(Type::Bool),
        Lowering::Value(ValueForm::Search { index: false }),
        "Whether a string holds another.",
        "begin { print(strcontains(\"haystack\", \"st\")) }",
    ),
    Builtin::function(
        "strstr",
        PAIR,
        Returns::Fixed(Type::I64),
        Lowering::Value(ValueForm::Search { index: true }),
        "Where a string holds another, from 0; -1 when it does not.",
        "begin { print(strstr(\"haystack\", \"st\")) }",
    ),
    Builtin::function(
        "str_concat",
        &[Param::required("first", ParamClass::String), Param::required("second", ParamClass::String)],
        Returns::SessionString,
        Lowering::Value(ValueForm::Concatenate),
        "Two strings in a row.",
        "begin { print(str_concat(comm, \"!\")) }",
    ),
    Builtin::function(
        "memcmp",
        &[
            Param::required("left", ParamClass::Any),
            Param::required("right", ParamClass::Any),
            Param::required("count", ParamClass::LiteralInt { min: 0, max: 4096 }),
        ],
        Returns::Fixed(Type::I64),
        Lowering::Value(ValueForm::CompareBytes),
        "0 when two values are equal in their first bytes; else the difference of the first bytes that differ.",
        "begin { print(memcmp(\"abc\", \"abd\", 3)) }",
    ),
];
