//! Forms of values and requests that several builtins share, or that need nothing of their own but a word.

use crate::types::{AddressSpace, NameKind};

/// A value that is known to the compiler, or computed from a few others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueForm {
    /// `nsecs([clock])`
    Clock,
    /// `pid([namespace])`; with `thread`, `tid`.
    ProcessId {
        /// The thread's.
        thread: bool,
    },
    /// What lies at this path of members from the current task, or from the one given.
    Task(&'static [&'static str]),
    /// The argument, shown by name.
    Named(NameKind),
    /// The current user, shown by name.
    UserName,
    /// Number of possible CPUs.
    CpuCount,
    /// Whether lt runs a command.
    HasCommand,
    /// The kind of the probe.
    ProbeKind,
    /// Whether user code was interrupted.
    UserMode,
    /// The argument with its bytes in reverse order.
    SwapBytes,
    /// The argument, an address of this memory.
    InSpace(AddressSpace),
    /// Whether the argument is an error number in the shape of an address.
    IsError,
    /// Address of a symbol of the kernel.
    KernelAddress,
    /// Address of a variable of a CPU.
    CpuAddress,
    /// A register.
    Register,
    /// An address of the network, shown as text.
    NetworkText,
    /// The bytes of an address of the network.
    NetworkBytes,
    /// An address of hardware, shown as text.
    HardwareAddress,
    /// Id of a control group.
    GroupId,
    /// An id of a control group, shown as its paths.
    GroupPath,
    /// Whether the kernel has a function.
    HasFunction,
    /// A question about the type of the argument.
    Is(TypeTest),
    /// Bytes of the memory of a string or array.
    Capacity,
    /// Bytes of strings that do not say it.
    DefaultLength,
    /// The session's settings: only its fields can be used.
    Settings,
    /// An option of the script.
    ScriptOption,
    /// Where a string is found in another; without `index`, whether.
    Search {
        /// From 0; -1 without.
        index: bool,
    },
    /// Two strings in a row.
    Concatenate,
    /// Which of two values comes first, byte by byte.
    CompareBytes,
    /// The kernel's number for a socket.
    SocketCookie,
    /// A question about the kernel that the script is compiled for.
    Asks(KernelQuestion),
}

/// A question about the kernel that the script is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelQuestion {
    /// Its version: compared with another.
    Version,
    /// Whether a record, or the arguments of the probe, have a field.
    Field,
    /// Whether it has a type.
    Type,
    /// Whether it has what an attach point names.
    Probe,
}

/// A question about a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeTest {
    /// An array.
    Array,
    /// An integer.
    Integer,
    /// An integer without sign.
    UnsignedInteger,
    /// An address.
    Pointer,
    /// A string.
    String,
    /// Written as a literal.
    Literal,
}

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestForm {
    /// A message with its place in the script.
    Message {
        /// As an error; else as a warning.
        error: bool,
    },
    /// Ends the session with a message unless a condition holds.
    Assert,
    /// A condition that has to hold when the script is compiled.
    StaticAssert,
    /// A message that ends the compilation.
    Fail,
    /// Prints a file.
    Cat,
    /// Runs a command of the shell.
    System,
    /// Prints the strings of an array of addresses.
    Join,
    /// A line in the kernel's own trace.
    Trace,
    /// A signal to the current process, or thread.
    Signal {
        /// To the thread.
        thread: bool,
    },
    /// Keeps the traced function from running, and makes it return a value.
    Override,
    /// Writes to the memory of the traced process.
    WriteUser,
}

impl RequestForm {
    /// Whether it changes what is traced.
    pub fn changes_system(self) -> bool {
        match self {
            RequestForm::System | RequestForm::Signal { .. } | RequestForm::Override | RequestForm::WriteUser => true,
            RequestForm::Message { .. }
            | RequestForm::Assert
            | RequestForm::StaticAssert
            | RequestForm::Fail
            | RequestForm::Cat
            | RequestForm::Join
            | RequestForm::Trace => false,
        }
    }
}
