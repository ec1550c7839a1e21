//! Attaching to places in code: functions of the kernel and of programs, one or many at once.

use super::{attach_event, is_everybodys, os};
use crate::perf::open_kprobe;
use libbpf_rs::{KprobeMultiOpts, Link, ProgramMut, UprobeMultiOpts};
use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, Severity};
use lt_lang::manifest::{Attach, Program, Refused, UserPlace};
use lt_lang::source::Span;
use std::io;

/// Places that refused a probe, and are left out because the script allows it.
#[derive(Default)]
pub(super) struct Missed {
    count: usize,
    /// For each attach point of the script: the first that refused, and how many did.
    wild: Vec<(Span, Diagnostic, String, usize)>,
    notices: Vec<Diagnostic>,
}

impl Missed {
    /// One more, with what would be said if it were an error.
    pub(super) fn add(&mut self, program: &Program, place: &str, refusal: Diagnostic) {
        self.count += 1;
        match program.refused {
            Refused::Error | Refused::Ignore => {}
            Refused::Warn => self.notices.push(Diagnostic { severity: Severity::Warning, ..refusal }),
            Refused::Counted => {
                let known = self.wild.iter_mut().find(|(span, ..)| *span == program.span);
                match known {
                    Some((.., count)) => *count += 1,
                    None => self.wild.push((program.span, refusal, place.to_string(), 1)),
                }
            }
        }
    }

    /// How many there are, and what to say about them.
    pub(super) fn told(mut self) -> (usize, Vec<Diagnostic>) {
        for (_, first, place, count) in self.wild {
            let message = match count {
                1 => format!("{place} cannot be attached and is left out"),
                count => format!("{count} probes cannot be attached and are left out, such as {place}"),
            };
            self.notices.push(Diagnostic { message, severity: Severity::Warning, ..first });
        }
        (self.count, self.notices)
    }
}

/// One place in the kernel.
pub(super) fn attach_kprobe(target: &ProgramMut<'_>, attach: &Attach) -> io::Result<Link> {
    let Attach::Kprobe { function, module, offset, address, ret } = attach else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let named = |name: &str| attach_event(target, open_kprobe(Some(name), *offset, *ret)?);
    match (address, module.as_deref().filter(|module| *module != "vmlinux")) {
        (Some(address), _) => attach_event(target, open_kprobe(None, *address, *ret)?),
        (None, Some(module)) => named(&format!("{module}:{function}")).or_else(|_| named(function)),
        (None, None) if *offset == 0 => os(target.attach_kprobe(*ret, function)),
        (None, None) => named(function),
    }
}

/// Many functions with one program: together, and where that is refused, in halves, until those that refuse are found.
pub(super) fn attach_kprobes(
    target: &ProgramMut<'_>,
    program: &Program,
    functions: &[String],
    ret: bool,
    links: &mut Vec<Link>,
    missed: &mut Missed,
) -> io::Result<()> {
    let try_all = |part: &[String]| {
        let options = KprobeMultiOpts { symbols: part.to_vec(), retprobe: ret, ..KprobeMultiOpts::default() };
        os(target.attach_kprobe_multi_with_opts(options))
    };
    in_halves(functions, &try_all, links, &mut |function, error| missed.add_place(program, function, error))
}

/// Many places in programs with one program.
pub(super) fn attach_uprobes(
    target: &ProgramMut<'_>,
    program: &Program,
    places: &[UserPlace],
    (ret, pid): (bool, i32),
    links: &mut Vec<Link>,
    missed: &mut Missed,
) -> io::Result<()> {
    for same in places.chunk_by(|a, b| a.path == b.path) {
        let Some(path) = same.first().map(|place| &place.path) else { continue };
        let try_all = |part: &[UserPlace]| {
            let offsets = part.iter().map(|place| place.offset as usize).collect();
            let options = UprobeMultiOpts { offsets, retprobe: ret, ..UprobeMultiOpts::default() };
            os(target.attach_uprobe_multi_with_opts(pid, path, "", options))
        };
        in_halves(same, &try_all, links, &mut |place, error| {
            missed.add_place(program, &format!("{}:{:#x}", place.path, place.offset), error);
        })?;
    }
    Ok(())
}

fn in_halves<T>(
    all: &[T],
    try_all: &dyn Fn(&[T]) -> io::Result<Link>,
    links: &mut Vec<Link>,
    refused: &mut dyn FnMut(&T, &io::Error),
) -> io::Result<()> {
    match try_all(all) {
        Ok(link) => links.push(link),
        Err(error) if is_everybodys(&error) => return Err(error),
        Err(error) => match all {
            [] => {}
            [one] => refused(one, &error),
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                in_halves(left, try_all, links, refused)?;
                in_halves(right, try_all, links, refused)?;
            }
        },
    }
    Ok(())
}

impl Missed {
    fn add_place(&mut self, program: &Program, place: &str, error: &io::Error) {
        let message = format!("{place}: {error}");
        self.add(program, place, Diagnostic::error(Code::AttachFailed, message).at(program.span, ""));
    }
}
