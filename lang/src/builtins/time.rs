//! Clocks.

use super::{Allowed, Builtin, Form, Lowering, Returns};
use crate::hir::Intrinsic;
use crate::types::Type;

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "nsecs",
        form: Form::Value,
        params: &[],
        returns: Returns::Fixed(Type::U64),
        allowed: Allowed::Anywhere,
        lowering: Lowering::Intrinsic(Intrinsic::NanosecondsBoot),
        doc: "Nanoseconds since boot, suspended time included.",
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
];
