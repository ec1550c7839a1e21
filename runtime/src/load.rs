//! From an artifact to programs and maps in the kernel.

use crate::actors::Command;
use crate::attach::Attached;
use crate::error::{RunError, words};
use crate::kept::{KeptMaps, stacks_symbol};
use crate::log;
use crate::options::RunOptions;
use crate::poller::open_process;
use crate::state::State;
use crate::{attach, privilege, verifier};
use libbpf_rs::{Object, ObjectBuilder, OpenObject};
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Artifact, MANIFEST_VERSION, Manifest};
use std::io;
use std::os::fd::OwnedFd;

/// Name of the object: maps of variables are called after it.
const OBJECT_NAME: &str = "lt";

/// A script whose programs and maps are in the kernel, not attached to anything yet.
pub struct Loaded {
    pub(crate) object: Object,
    pub(crate) manifest: Manifest,
    pub(crate) options: RunOptions,
    pub(crate) state: State,
    /// The command of `-c`, waiting to be let go.
    pub(crate) command: Option<Command>,
    /// The process of `-p`.
    pub(crate) process: Option<OwnedFd>,
}

/// Creates the maps of `artifact` and loads its programs. The command of `-c` is started first, stopped before its
/// first instruction.
///
/// Errors: no privilege, no such process, the command cannot be started, the kernel refused a program or a map.
pub fn load(artifact: &Artifact, options: &RunOptions) -> Result<Loaded, Diagnostic> {
    load_with(artifact, options, &KeptMaps::default())
}

/// The same for a script whose maps may go on with what runs before it have left; see [`Attached::run_with`].
pub fn load_with(artifact: &Artifact, options: &RunOptions, kept: &KeptMaps) -> Result<Loaded, Diagnostic> {
    let manifest = artifact.manifest.clone();
    if manifest.version != MANIFEST_VERSION {
        let message = format!("manifest version {} instead of {MANIFEST_VERSION}", manifest.version);
        return Err(RunError::Inconsistent(message).into());
    }
    privilege::check()?;
    let process = options.pid.map(traced_process).transpose()?;
    let command = options.command.as_deref().map(Command::start_stopped).transpose()?;
    raise_file_limit(manifest.programs.len());
    let object = load_object(artifact, options, kept)?;
    let state = State::of(&object, manifest.programs.len())?;
    Ok(Loaded { object, manifest, options: options.clone(), state, command, process })
}

impl Loaded {
    /// Attaches every program to its probe. They stay switched off until [`Attached::run`].
    ///
    /// Errors: the kernel refused a probe; nothing stays attached then.
    pub fn attach(self) -> Result<Attached, Diagnostic> {
        attach::attach(self)
    }
}

/// Each program takes a descriptor, its link two. Called once the command of `-c` is forked, which keeps its own limit.
fn raise_file_limit(programs: usize) {
    let wanted = 3 * programs as libc::rlim_t + 128;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes and reads one structure. Without the rise, loading says what is missing.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 && limit.rlim_cur < wanted {
            limit.rlim_cur = wanted.min(limit.rlim_max);
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

fn traced_process(pid: i32) -> Result<OwnedFd, Diagnostic> {
    open_process(pid).map_err(|error| {
        let message = match error.raw_os_error() {
            Some(libc::ESRCH | libc::EINVAL) => format!("there is no process {pid}"),
            _ => format!("process {pid} cannot be followed: {}", words(&error)),
        };
        Diagnostic::error(Code::NoSuchProcess, message).help("ps -e lists the processes")
    })
}

/// Opens the object without loading it.
pub(crate) fn open_object(elf: &[u8]) -> Result<OpenObject, libbpf_rs::Error> {
    ObjectBuilder::default().name(OBJECT_NAME)?.open_memory(elf)
}

/// libbpf raises RLIMIT_MEMLOCK by itself on kernels that still count maps against it.
fn load_object(artifact: &Artifact, options: &RunOptions, kept: &KeptMaps) -> Result<Object, Diagnostic> {
    let log = log::Capture::begin(options.verbose);
    let mut open = open_object(&artifact.elf).map_err(|error| {
        let what = format!("the compiled object cannot be opened: {error}");
        Diagnostic::from(RunError::Inconsistent(what)).detail(log.take())
    })?;
    if let (Some(symbol), Some(stacks)) = (stacks_symbol(&artifact.manifest), kept.stacks())
        && let Some(mut map) = open.maps_mut().find(|map| map.name() == symbol)
    {
        let failed = |error| RunError::Inconsistent(format!("the stacks cannot be used again: {error}"));
        map.reuse_fd(stacks).map_err(failed)?;
    }
    open.load().map_err(|_| {
        // libbpf leaves the reason in errno
        let error = io::Error::last_os_error();
        verifier::refusal(artifact, &error, &log.take())
    })
}
