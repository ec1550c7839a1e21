//! Requests to lt and to the kernel beyond printing values.

use super::{Allowed, Builtin, Lowering, Param, ParamClass, RequestForm, Returns};

const FORMAT: &[Param] = &[Param::required("format", ParamClass::Format)];
const SIGNAL: &[Param] = &[Param::required("signal", ParamClass::Any)];

/// A function without a value.
const fn request(
    name: &'static str,
    params: &'static [Param],
    form: RequestForm,
    doc: &'static str,
    example: &'static str,
) -> Builtin {
    Builtin::function(name, params, Returns::Void, Lowering::Request(form), doc, example)
}

pub(super) const ROWS: &[Builtin] = &[
    request(
        "errorf",
        FORMAT,
        RequestForm::Message { error: true },
        "As printf, an error message with its place in the script; the session goes on.",
        "begin { errorf(\"%d is too much\", 5) }",
    ),
    request(
        "warnf",
        FORMAT,
        RequestForm::Message { error: false },
        "As printf, a warning with its place in the script.",
        "begin { warnf(\"%d is much\", 5) }",
    ),
    request(
        "debugf",
        FORMAT,
        RequestForm::Trace,
        "As printf, a line in the kernel's own trace (trace_pipe of tracefs); for hunting faults, as it is slow.",
        "begin { debugf(\"here: %d\", 5) }",
    ),
    request(
        "cat",
        FORMAT,
        RequestForm::Cat,
        "Prints a file, whose name is formatted as by printf; at most max_cat_bytes of it.",
        "begin { cat(\"/proc/%d/status\", pid) }",
    ),
    request(
        "system",
        FORMAT,
        RequestForm::System,
        "Runs a command of the shell, formatted as by printf, and prints its output; needs --unsafe.",
        "begin { system(\"echo %d\", pid) }",
    ),
    request(
        "join",
        &[Param::required("strings", ParamClass::Address), Param::optional("separator", ParamClass::Text)],
        RequestForm::Join,
        "Prints the strings of a zero-terminated array of addresses, with blanks or the separator between them; at most 16, of 511 bytes each.",
        "tracepoint:syscalls:sys_enter_execve { join(args.argv); exit() }",
    ),
    request(
        "assert",
        &[Param::required("condition", ParamClass::Condition), Param::required("message", ParamClass::String)],
        RequestForm::Assert,
        "Ends the session with an error message and status 1 unless the condition holds.",
        "begin { assert(pid > 0, \"no pid\") }",
    ),
    request(
        "signal",
        SIGNAL,
        RequestForm::Signal { thread: false },
        "Sends a signal, by number or name, to the current process; needs --unsafe.",
        "tracepoint:syscalls:sys_enter_read /comm == \"victim\"/ { signal(\"SIGTERM\") } interval:s:1 { exit() }",
    ),
    request(
        "signal_thread",
        SIGNAL,
        RequestForm::Signal { thread: true },
        "Sends a signal, by number or name, to the current thread; needs --unsafe.",
        "tracepoint:syscalls:sys_enter_read /comm == \"victim\"/ { signal_thread(15) } interval:s:1 { exit() }",
    ),
    Builtin::limited(
        Allowed::OnKprobes,
        "override",
        &[Param::required("value", ParamClass::Integer)],
        Returns::Void,
        Lowering::Request(RequestForm::Override),
        [
            "Keeps the probed function from running and makes it return this value, where the kernel allows it; needs --unsafe.",
            "kprobe:vfs_read { override(7); exit() }",
        ],
    ),
    request(
        "write_user",
        &[
            Param::required("address", ParamClass::Address),
            Param::required("value", ParamClass::Any),
            Param::required("length", ParamClass::Integer),
        ],
        RequestForm::WriteUser,
        "Writes so many bytes of a value to the memory of the current process; needs --unsafe.",
        "tracepoint:syscalls:sys_enter_openat /comm == \"victim\"/ { write_user(args.filename, \"/tmp\", 5) } interval:s:1 { exit() }",
    ),
];
