//! What can go wrong at run time, and how it is told to the user.

use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use std::io;

/// A failure while a script runs.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Whoever read standard output is gone: the run ends quietly.
    #[error("the reader of the output is gone")]
    ReaderGone,
    /// The output cannot be written.
    #[error("the output cannot be written: {}", words(.0))]
    Output(#[source] io::Error),
    /// A system call that the event loop needs failed.
    #[error("{what}: {}", words(source))]
    System {
        /// What lt was doing.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The kernel's objects are not those that the manifest describes.
    #[error("{0}")]
    Inconsistent(String),
    /// Already a message for the user.
    #[error("{}", .0.message)]
    Reported(Box<Diagnostic>),
}

impl RunError {
    /// The last system call of this thread failed while doing `what`.
    pub fn system(what: impl Into<String>) -> RunError {
        RunError::System { what: what.into(), source: io::Error::last_os_error() }
    }
}

impl From<Diagnostic> for RunError {
    fn from(diagnostic: Diagnostic) -> Self {
        RunError::Reported(Box::new(diagnostic))
    }
}

impl From<RunError> for Diagnostic {
    fn from(error: RunError) -> Self {
        match error {
            RunError::ReaderGone | RunError::Output(_) => Diagnostic::error(Code::OutputFailed, error.to_string()),
            RunError::System { .. } => Diagnostic::error(Code::RunFailed, error.to_string()),
            RunError::Inconsistent(what) => {
                Diagnostic::error(Code::Internal, what).help("this is a defect of lt: please report it with the script")
            }
            RunError::Reported(diagnostic) => *diagnostic,
        }
    }
}

/// The meaning of a system error in words, with its number's name where it helps a search.
pub fn words(error: &io::Error) -> String {
    let Some(errno) = error.raw_os_error() else {
        return error.to_string();
    };
    let known = match errno {
        libc::EPERM => "operation not permitted (EPERM)",
        libc::EACCES => "permission denied (EACCES)",
        libc::ENOENT => "it does not exist here (ENOENT)",
        libc::EINVAL => "the kernel does not accept these arguments (EINVAL)",
        libc::ENOMEM => "the kernel has no memory left for it (ENOMEM)",
        libc::E2BIG => "it is larger than the kernel allows (E2BIG)",
        libc::EILSEQ => "there is no instruction to set it on (EILSEQ)",
        libc::EBUSY => "it is in use (EBUSY)",
        libc::ENOSPC => "no space is left (ENOSPC)",
        libc::EMFILE | libc::ENFILE => "too many files are open (EMFILE)",
        libc::EOPNOTSUPP => "this kernel does not support it (EOPNOTSUPP)",
        libc::ENODEV => "the hardware or kernel lacks it (ENODEV)",
        libc::ESRCH => "there is no such process or object (ESRCH)",
        libc::EADDRNOTAVAIL => "the kernel does not allow a probe there (EADDRNOTAVAIL)",
        _ => return error.to_string(),
    };
    known.to_string()
}
