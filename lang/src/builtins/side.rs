//! The side that each row belongs to: programs in the kernel, user space, or both. A row says it by what it becomes.

use super::{Builtin, Lowering, RequestForm, ValueForm};
use crate::hir::Intrinsic;
use crate::user::{Clock, UserFunction};

/// Where a builtin can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In programs.
    Kernel,
    /// In actions marked `user`.
    User,
    /// In both.
    Both,
}

impl Side {
    /// As messages say it.
    pub fn words(self) -> &'static str {
        match self {
            Side::Kernel => "programs in the kernel",
            Side::User => "actions in user space",
            Side::Both => "both sides",
        }
    }
}

/// What a builtin is in user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserForm {
    /// A value that is asked for when the action runs.
    Value(UserFunction),
    /// `nsecs([clock])`
    Clock,
    /// `probe`
    ProbeName,
    /// `str(text)`
    Text,
    /// `strftime(format, nanoseconds)`
    FormatTime,
    /// A statement.
    Request(UserRequest),
    /// `delete(@map[key])`, `delete(@map, key)`
    Delete,
    /// `has_key(@map, key)`
    HasKey,
    /// `len(@map)`
    Length,
}

/// What a builtin that is a statement does in user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserRequest {
    /// `printf(format, ...)`
    Printf,
    /// `errorf(format, ...)`, `warnf(format, ...)`
    Message {
        /// An error.
        error: bool,
    },
    /// `print(value)`, `print(@map[, top[, div]])`
    Print,
    /// `clear(@map)`
    Clear,
    /// `zero(@map)`
    Zero,
    /// `time([format])`
    Time,
    /// `exit([code])`
    Exit,
}

impl Lowering {
    /// What it is in user space; `None` for what only programs have.
    pub fn in_user_space(self) -> Option<UserForm> {
        Some(match self {
            Lowering::User(function) => UserForm::Value(function),
            Lowering::Intrinsic(intrinsic) => UserForm::Value(of_intrinsic(intrinsic)?),
            Lowering::Value(ValueForm::Clock) => UserForm::Clock,
            Lowering::Value(form) => UserForm::Value(of_value(form)?),
            Lowering::ProbeName => UserForm::ProbeName,
            Lowering::ReadString => UserForm::Text,
            Lowering::FormatTime => UserForm::FormatTime,
            Lowering::TextLength => UserForm::Value(UserFunction::TextLength),
            Lowering::Printf => UserForm::Request(UserRequest::Printf),
            Lowering::Request(RequestForm::Message { error }) => UserForm::Request(UserRequest::Message { error }),
            Lowering::Print => UserForm::Request(UserRequest::Print),
            Lowering::Clear => UserForm::Request(UserRequest::Clear),
            Lowering::Zero => UserForm::Request(UserRequest::Zero),
            Lowering::Delete => UserForm::Delete,
            Lowering::HasKey => UserForm::HasKey,
            Lowering::Length => UserForm::Length,
            Lowering::Time => UserForm::Request(UserRequest::Time),
            Lowering::Exit => UserForm::Request(UserRequest::Exit),
            _ => return None,
        })
    }
}

fn of_intrinsic(intrinsic: Intrinsic) -> Option<UserFunction> {
    Some(match intrinsic {
        Intrinsic::Uid => UserFunction::Uid,
        Intrinsic::Gid => UserFunction::Gid,
        Intrinsic::Comm => UserFunction::Comm,
        Intrinsic::Cpu => UserFunction::Cpu,
        Intrinsic::NanosecondsBoot => UserFunction::Clock(Clock::Boot),
        Intrinsic::NanosecondsMonotonic => UserFunction::Clock(Clock::Monotonic),
        Intrinsic::Elapsed => UserFunction::Elapsed,
        Intrinsic::Random => UserFunction::Random,
        _ => return None,
    })
}

fn of_value(form: ValueForm) -> Option<UserFunction> {
    Some(match form {
        ValueForm::ProcessId { thread: false } => UserFunction::Pid,
        ValueForm::ProcessId { thread: true } => UserFunction::Tid,
        ValueForm::Named(kind) => UserFunction::Named(kind),
        ValueForm::GroupPath => UserFunction::GroupPath,
        ValueForm::Search { index } => UserFunction::Search { index },
        ValueForm::Concatenate => UserFunction::Concatenate,
        _ => return None,
    })
}

impl Builtin {
    /// Where it can be used.
    pub fn side(&self) -> Side {
        match self.lowering {
            Lowering::User(_) => Side::User,
            other if other.in_user_space().is_some() => Side::Both,
            _ => Side::Kernel,
        }
    }
}
