//! Hits for which the kernel did not run the program: those inside of another program on the same CPU, and returns of more
//! calls at once than it follows. The kernel counts them, some kernels and some kinds of probes only.

use libbpf_rs::Link;
use lt_lang::manifest::{Attach, LossCause, Manifest, Program};
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Bytes that a kernel tells of a link when it counts what it misses (6.7): the description of a kprobe goes so far.
const TELLING_LINK: u32 = 56;

/// The kernel's counts from the moment on at which the programs begin to act.
#[derive(Default)]
pub struct Missed<'m> {
    programs: Vec<Counted<'m>>,
    /// Links with what they counted before.
    links: Vec<CountedLink>,
}

struct Counted<'m> {
    program: &'m Program,
    fd: RawFd,
    /// In the kernel.
    id: u32,
    before: u64,
    /// Since then.
    count: u64,
    /// The kernel says how many.
    told: bool,
}

struct CountedLink {
    fd: RawFd,
    program: u32,
    before: u64,
}

impl<'m> Missed<'m> {
    /// Notes what was counted before. The descriptors are those of the manifest's programs; they and the links stay open.
    pub fn begin(manifest: &'m Manifest, fds: Vec<RawFd>, links: &[Link]) -> Missed<'m> {
        let mut telling = false;
        let mut counted = Vec::new();
        for link in links {
            let fd = link.as_fd().as_raw_fd();
            let Some(info) = link_info(fd) else { continue };
            telling |= info.length >= TELLING_LINK;
            if info.counts {
                counted.push(CountedLink { fd, program: info.program, before: info.missed });
            }
        }
        let programs = manifest.programs.iter().zip(fds).filter(|(program, _)| !program.attach.is_driver());
        let programs = programs.map(|(program, fd)| {
            let info = program_info(fd);
            let told = match program.attach {
                // they run inside of each other
                Attach::RawTracepoint { .. } => true,
                Attach::Fentry { .. } => info.told,
                // the kernel drops samples in silence
                Attach::Profile { .. } | Attach::PerfEvent { .. } | Attach::Watchpoint { .. } => false,
                Attach::Iterator { .. } => true,
                _ => telling,
            };
            Counted { program, fd, id: info.id, before: info.missed, count: 0, told }
        });
        Missed { programs: programs.collect(), links: counted }
    }

    /// Takes the counts of the end.
    pub fn end(&mut self) {
        for program in &mut self.programs {
            program.count = program_info(program.fd).missed.saturating_sub(program.before);
        }
        for link in &self.links {
            let now = link_info(link.fd).map_or(0, |info| info.missed);
            if let Some(program) = self.programs.iter_mut().find(|program| program.id == link.program) {
                program.count += now.saturating_sub(link.before);
            }
        }
    }

    /// How many hits of a program were missed, when it is they that are asked for.
    pub fn count(&self, program: &Program, cause: LossCause) -> u64 {
        if cause != LossCause::Missed {
            return 0;
        }
        let found = self.programs.iter().find(|counted| std::ptr::eq(counted.program, program));
        found.map_or(0, |counted| counted.count)
    }

    /// The probes of which this kernel does not tell.
    pub fn untold(&self) -> Vec<String> {
        self.programs.iter().filter(|counted| !counted.told).map(|counted| counted.program.probe.clone()).collect()
    }
}

struct ProgramInfo {
    id: u32,
    missed: u64,
    told: bool,
}

fn program_info(fd: RawFd) -> ProgramInfo {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: the kernel writes at most `length` bytes, which the structure has.
    let failed = unsafe { libbpf_sys::bpf_prog_get_info_by_fd(fd, &raw mut info, &raw mut length) } != 0;
    let end = offset_of!(libbpf_sys::bpf_prog_info, recursion_misses) + 8;
    ProgramInfo { id: info.id, missed: info.recursion_misses, told: !failed && length as usize >= end }
}

struct LinkInfo {
    program: u32,
    length: u32,
    /// It is of a kind that counts.
    counts: bool,
    missed: u64,
}

/// `None` for what is no link to older kernels.
fn link_info(fd: RawFd) -> Option<LinkInfo> {
    let mut info = libbpf_sys::bpf_link_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: the kernel writes at most `length` bytes, which the structure has.
    if unsafe { libbpf_sys::bpf_link_get_info_by_fd(fd, &raw mut info, &raw mut length) } != 0 {
        return None;
    }
    // SAFETY: the kind says which member the kernel has filled; all are numbers, and were zero.
    let missed = unsafe {
        match info.type_ {
            libbpf_sys::BPF_LINK_TYPE_KPROBE_MULTI => Some(info.__bindgen_anon_1.kprobe_multi.missed),
            libbpf_sys::BPF_LINK_TYPE_PERF_EVENT => {
                let event = info.__bindgen_anon_1.perf_event;
                let kprobe =
                    matches!(event.type_, libbpf_sys::BPF_PERF_EVENT_KPROBE | libbpf_sys::BPF_PERF_EVENT_KRETPROBE);
                if kprobe { Some(event.__bindgen_anon_1.kprobe.missed) } else { None }
            }
            _ => None,
        }
    };
    Some(LinkInfo { program: info.prog_id, length, counts: missed.is_some(), missed: missed.unwrap_or(0) })
}
