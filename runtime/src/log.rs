//! What libbpf says, collected instead of printed.

use libbpf_rs::{PrintLevel, set_print};
use std::sync::{Mutex, PoisonError};

static LOG: Mutex<String> = Mutex::new(String::new());

/// libbpf's messages are collected from here on.
pub struct Capture;

impl Capture {
    /// Begins with an empty log. `verbose` collects informational messages too.
    pub fn begin(verbose: bool) -> Capture {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
        set_print(Some((if verbose { PrintLevel::Info } else { PrintLevel::Warn }, collect)));
        Capture
    }

    /// What was said so far.
    pub fn take(&self) -> String {
        std::mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn collect(_level: PrintLevel, message: String) {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).push_str(&message);
}
