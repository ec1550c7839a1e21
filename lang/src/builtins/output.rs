//! Output and control.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns};
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "printf",
        form: Form::Function,
        params: &[Param::required("format", ParamClass::Format)],
        returns: Returns::Void,
        allowed: Allowed::Anywhere,
        lowering: Lowering::Printf,
        doc: "Prints values as the format says.",
        example: "begin { printf(\"%s %d\\n\", comm, pid) }",
    },
    Builtin {
        name: "print",
        form: Form::Function,
        params: &[
            Param::required("value", ParamClass::MapOrValue),
            Param::optional("top", ParamClass::LiteralInt { min: 1, max: i64::MAX }),
            Param::optional("div", ParamClass::LiteralInt { min: 1, max: i64::MAX }),
        ],
        returns: Returns::Void,
        allowed: Allowed::Anywhere,
        lowering: Lowering::Print,
        doc: "Prints a value or a map; of a map, only the top largest, divided by div.",
        example: "begin { @x[1] = 2; print(@x, 5) }",
    },
    Builtin {
        name: "clear",
        form: Form::Function,
        params: &[Param::required("map", ParamClass::Map)],
        returns: Returns::Void,
        allowed: Allowed::Anywhere,
        lowering: Lowering::Clear,
        doc: "Removes all entries of a map.",
        example: "begin { @x[1] = 2; clear(@x) }",
    },
    Builtin {
        name: "delete",
        form: Form::Function,
        params: &[Param::required("map", ParamClass::MapWithKey), Param::optional("key", ParamClass::Key)],
        returns: Returns::Fixed(Type::Bool),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Delete,
        doc: "Removes an entry of a map; tells whether it was there.",
        example: "begin { @x[1] = 2; delete(@x, 1) }",
    },
    Builtin {
        name: "exit",
        form: Form::Function,
        params: &[Param::optional("code", ParamClass::Integer)],
        returns: Returns::Void,
        allowed: Allowed::Anywhere,
        lowering: Lowering::Exit,
        doc: "Ends the action and the session, with an exit status of its own if given.",
        example: "begin { exit() }",
    },
];
