//! Addresses of networks.

use super::{Builtin, Lowering, Param, ParamClass, Returns, ValueForm};
use crate::types::{NameKind, Type};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::function(
        "ntop",
        &[Param::required("family", ParamClass::Any), Param::optional("address", ParamClass::Any)],
        Returns::Fixed(Type::Inet),
        Lowering::Value(ValueForm::NetworkText),
        "An IPv4 or IPv6 address (an integer or bytes, perhaps with its family before it), shown as text.",
        "begin { print(ntop(pton(\"127.0.0.1\"))) }",
    ),
    Builtin::function(
        "pton",
        &[Param::required("address", ParamClass::Text)],
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::NetworkBytes),
        "The 4 or 16 bytes of an IPv4 or IPv6 address.",
        "begin { print(pton(\"::1\")) }",
    ),
    Builtin::function(
        "macaddr",
        &[Param::required("bytes", ParamClass::Any)],
        Returns::Fixed(Type::Named(NameKind::HardwareAddress)),
        Lowering::Value(ValueForm::HardwareAddress),
        "Six bytes, shown as an address of hardware.",
        "kprobe:ip_rcv { print(macaddr(args.dev.perm_addr)); exit() }",
    ),
    Builtin::function(
        "socket_cookie",
        &[Param::required("socket", ParamClass::Address)],
        Returns::Fixed(Type::U64),
        Lowering::Value(ValueForm::SocketCookie),
        "The kernel's number for a socket, which no other ever has: one that is an argument of a function, in fentry and fexit.",
        "fentry:tcp_v4_connect { print(socket_cookie(args.sk)); exit() }",
    ),
];
