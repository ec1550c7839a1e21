//! Strings.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns};
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "strncmp",
        form: Form::Function,
        params: &[
            Param::required("left", ParamClass::String),
            Param::required("right", ParamClass::String),
            Param::required("length", ParamClass::LiteralInt { min: 0, max: u32::MAX as i64 }),
        ],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::CompareText,
        doc: "0 when two strings are equal in their first length bytes, 1 when not.",
        example: "begin { print(strncmp(comm, \"lt\", 2)) }",
    },
    Builtin {
        name: "strlen",
        form: Form::Function,
        params: &[Param::required("text", ParamClass::String)],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::TextLength,
        doc: "Bytes of a string, without its NUL.",
        example: "begin { print(strlen(comm)) }",
    },
];
