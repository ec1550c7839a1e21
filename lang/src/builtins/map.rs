//! Functions of maps that give values.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns};
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "find",
        form: Form::Function,
        params: &[
            Param::required("map", ParamClass::Map),
            Param::required("key", ParamClass::Key),
            Param::required("variable", ParamClass::Variable),
        ],
        returns: Returns::Fixed(Type::Bool),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Find,
        doc: "Whether a map has an entry with this key; the scratch variable becomes its value then.",
        example: "begin { @x[1] = 2; let $v; if (find(@x, 1, $v)) { print($v) } }",
    },
    Builtin {
        name: "len",
        form: Form::Function,
        params: &[Param::required("of", ParamClass::MapOrStack)],
        returns: Returns::Fixed(Type::I64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Length,
        doc: "Number of entries of a map, or of frames of a stack.",
        example: "begin { @x[1] = 2; print(len(@x)) }",
    },
];
