//! The variables through which programs and lt talk: `lt_state` and `lt_start`, in the object's mapped .bss.

use crate::error::RunError;
use libbpf_rs::btf::types::{DataSec, Var};
use libbpf_rs::{AsRawLibbpf, MapCore, Object};
use lt_lang::hir::START_SYMBOL;
use lt_lang::manifest::{LossCause, ProgramId, state};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// A view of the variables of a loaded object; it must not be used after the object is gone.
pub struct State {
    words: NonNull<AtomicU64>,
    count: usize,
    start: Option<NonNull<AtomicU64>>,
}

impl State {
    /// Finds the variables of an object with so many programs.
    pub fn of(object: &Object, programs: usize) -> Result<State, RunError> {
        let count = state::words(programs);
        let words = variable(object, state::SYMBOL, count)?;
        Ok(State { words, count, start: variable(object, START_SYMBOL, 1).ok() })
    }

    fn word(&self, at: usize) -> Option<&AtomicU64> {
        // SAFETY: `at` is below the count that was checked against the mapping; the kernel's side is atomic too.
        (at < self.count).then(|| unsafe { self.words.add(at).as_ref() })
    }

    fn read(&self, at: usize) -> u64 {
        self.word(at).map_or(0, |word| word.load(Ordering::SeqCst))
    }

    /// Sets a word that programs read.
    pub fn set_word(&self, at: usize, value: u64) {
        if let Some(word) = self.word(at) {
            word.store(value, Ordering::SeqCst);
        }
    }

    /// Lets programs act, or makes them return at entry.
    pub fn set_stopped(&self, stopped: bool) {
        if let Some(word) = self.word(state::STOPPED) {
            word.store(u64::from(stopped), Ordering::SeqCst);
        }
    }

    /// Turns programs that begin from now on to this page of the maps that have two.
    pub fn set_page(&self, page: u64) {
        if let Some(word) = self.word(state::PAGE) {
            word.store(page, Ordering::SeqCst);
        }
    }

    /// The argument of `exit()`, once a program called it.
    pub fn exit_code(&self) -> Option<u8> {
        (self.read(state::EXIT_CALLED) != 0).then(|| self.read(state::EXIT_CODE) as u8)
    }

    /// What the action of a test or benchmark returned.
    pub fn result(&self) -> u64 {
        self.read(state::RESULT)
    }

    /// Forgets that `exit()` was called, and what was returned.
    pub fn clear_exit(&self) {
        for at in [state::EXIT_CALLED, state::EXIT_CODE, state::RESULT] {
            if let Some(word) = self.word(at) {
                word.store(0, Ordering::SeqCst);
            }
        }
    }

    /// Sets the time that `elapsed` counts from, in nanoseconds since boot.
    pub fn set_start(&self, nanoseconds: u64) {
        if let Some(start) = self.start {
            // SAFETY: the pointer was checked against the mapping.
            unsafe { start.as_ref() }.store(nanoseconds, Ordering::SeqCst);
        }
    }

    /// How often `program` lost something for `cause`.
    pub fn lost(&self, program: ProgramId, cause: LossCause) -> u64 {
        self.read(state::counter(program, cause))
    }
}

/// The `length` words of a variable; valid as long as the object.
pub(crate) fn variable(object: &Object, name: &str, length: usize) -> Result<NonNull<AtomicU64>, RunError> {
    let (base, size) = section(object).ok_or_else(|| missing("section .bss"))?;
    let offset = offset_of(object, name).filter(|offset| offset % 8 == 0 && offset + 8 * length <= size);
    let offset = offset.ok_or_else(|| missing(name))?;
    // SAFETY: the offset lies within the mapping, which is as long as `size` says.
    Ok(unsafe { base.byte_add(offset) })
}

fn missing(what: &str) -> RunError {
    RunError::Inconsistent(format!("the compiled object has no {what}"))
}

/// Address and length of the mapped .bss.
fn section(object: &Object) -> Option<(NonNull<AtomicU64>, usize)> {
    let map = object.maps().find(|map| map.name().as_encoded_bytes().ends_with(b".bss"))?;
    let mut size = 0;
    // SAFETY: the map belongs to a loaded object; libbpf only reports its mapping.
    let address = unsafe { libbpf_sys::bpf_map__initial_value(map.as_libbpf_object().as_ptr(), &raw mut size) };
    NonNull::new(address.cast()).map(|address| (address, size as usize))
}

fn offset_of(object: &Object, name: &str) -> Option<usize> {
    let btf = object.btf().ok()??;
    let section: DataSec<'_> = btf.type_by_name(".bss")?;
    let entry = section.iter().find(|entry| {
        let variable: Option<Var<'_>> = btf.type_by_id(entry.ty);
        variable.and_then(|variable| variable.name().map(|found| found == name)).unwrap_or(false)
    })?;
    Some(entry.offset as usize)
}
