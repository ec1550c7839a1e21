//! Clocks.

use super::{Allowed, Builtin, Form, Lowering, Param, ParamClass, Returns, ValueForm};
use crate::hir::Intrinsic;
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "nsecs",
        form: Form::Value,
        params: &[Param::optional("clock", ParamClass::Word(&["monotonic", "boot", "tai", "sw_tai"]))],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Value(ValueForm::Clock),
        doc: "Nanoseconds since boot, suspended time included; nsecs(monotonic) without it; nsecs(tai) of the atomic clock, nsecs(sw_tai) nearly so on kernels before 6.1.",
        example: "interval:s:1 { print(nsecs); exit() }",
    },
    Builtin {
        name: "elapsed",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Elapsed),
        doc: "Nanoseconds since tracing began.",
        example: "interval:s:1 { print(elapsed); exit() }",
    },
    Builtin {
        name: "rand",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U32),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::Random),
        doc: "A random number.",
        example: "begin { print(rand) }",
    },
    Builtin {
        name: "strftime",
        form: Form::Function,
        params: &[Param::required("format", ParamClass::Text), Param::required("nanoseconds", ParamClass::Integer)],
        returns: Returns::Fixed(Type::Timestamp),
        allowed: Allowed::Anywhere,
        lowering: Lowering::FormatTime,
        doc: "The time of day of nanoseconds since boot, shown as strftime(3) does; %f is microseconds.",
        example: "begin { print(strftime(\"%H:%M:%S.%f\", nsecs)) }",
    },
];
