//! What can go wrong inside the crate; [`crate::compile`] turns it into a diagnostic.

use inkwell::builder::BuilderError;
use inkwell::support::LLVMString;
use inkwell::values::InstructionValueError;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::source::Span;

/// A failure; boxed, so that results stay small.
#[derive(Debug)]
pub(crate) struct Failure(Box<Diagnostic>);

/// Result of emitting something.
pub(crate) type Emit<T = ()> = Result<T, Failure>;

impl Failure {
    /// A state that the rooms before this one should have made impossible, or LLVM refusing something.
    pub(crate) fn internal(message: impl std::fmt::Display) -> Failure {
        Failure(Box::new(Diagnostic::error(Code::Internal, format!("code generation: {message}"))))
    }

    /// A limit of the kernel's BPF machine.
    pub(crate) fn limit(message: impl Into<String>) -> Failure {
        Failure(Box::new(Diagnostic::error(Code::LimitExceeded, message)))
    }

    /// The same failure, blamed on a place in the source when it has none yet.
    pub(crate) fn at(mut self, span: Span) -> Failure {
        if self.0.labels.is_empty() {
            *self.0 = self.0.at(span, "");
        }
        self
    }

    /// The same failure, with what the user can do.
    pub(crate) fn help(mut self, text: &str) -> Failure {
        *self.0 = self.0.help(text);
        self
    }

    /// For the door of the crate.
    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        *self.0
    }
}

impl From<BuilderError> for Failure {
    fn from(error: BuilderError) -> Failure {
        Failure::internal(error)
    }
}

impl From<InstructionValueError> for Failure {
    fn from(error: InstructionValueError) -> Failure {
        Failure::internal(error)
    }
}

impl From<LLVMString> for Failure {
    fn from(error: LLVMString) -> Failure {
        Failure::internal(error)
    }
}
