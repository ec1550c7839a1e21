//! The kernel refused to load: what its log says becomes a message with a place in the script.

use crate::error::words;
use crate::load::open_object;
use crate::privilege;
use libbpf_rs::AsRawLibbpf;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Artifact, Attach, Program};
use std::io;

/// The message for an object that could not be loaded, from the error and from what libbpf said.
pub fn refusal(artifact: &Artifact, error: &io::Error, log: &str) -> Diagnostic {
    let program = failing_program(log).and_then(|name| artifact.manifest.programs.iter().find(|p| p.symbol == name));
    let verdict = program_log(log).map(Verdict::of).filter(|verdict| !verdict.reason.is_empty());
    let diagnostic = match (program, verdict) {
        (Some(program), Some(verdict)) => rejected(artifact, program, &verdict),
        (Some(program), None) => refused_program(program, error),
        (None, _) if error.raw_os_error() == Some(libc::EPERM) => privilege::refused(),
        (None, _) => {
            Diagnostic::error(Code::LoadFailed, format!("the kernel refused to create a map: {}", words(error)))
                .help("a smaller max_map_keys needs less memory; a container may limit it further")
        }
    };
    diagnostic.detail(log)
}

/// What the verifier found.
#[derive(Debug, PartialEq, Eq)]
struct Verdict<'a> {
    /// Its last sentence.
    reason: &'a str,
    /// The instruction that it looked at.
    instruction: Option<u32>,
    /// The text of the script that the instruction was made from.
    source: Option<&'a str>,
}

impl<'a> Verdict<'a> {
    fn of(log: &'a str) -> Verdict<'a> {
        let statistics = |line: &&str| line.starts_with("processed ") && line.contains(" insns");
        let said = |line: &&str| !line.trim().is_empty() && !statistics(line);
        let reason = log.lines().rfind(said).map_or("", str::trim);
        let instruction = log.lines().rev().find_map(instruction_index);
        let source = log.lines().rev().find_map(|line| line.strip_prefix("; "));
        // newer kernels add the place
        let source = source.map(|text| text.rsplit_once(" @ ").map_or(text, |(text, _)| text).trim());
        Verdict { reason, instruction, source }
    }

    fn is_limit(&self) -> bool {
        ["too large", "too many", "too complex", "limit of", "stack size", "too deep", "complexity"]
            .iter()
            .any(|words| self.reason.contains(words))
    }
}

/// `106: (79) r1 = ...` is about instruction 106.
fn instruction_index(line: &str) -> Option<u32> {
    let (number, rest) = line.split_once(": ")?;
    if rest.starts_with('(') { number.parse().ok() } else { None }
}

fn rejected(artifact: &Artifact, program: &Program, verdict: &Verdict<'_>) -> Diagnostic {
    let message = format!("the kernel's verifier refused the program of {}: {}", program.probe, verdict.reason);
    let mut diagnostic = Diagnostic::error(Code::VerifierRejected, message);
    let place = verdict.instruction.and_then(|at| place(artifact, program, at));
    diagnostic = diagnostic.at(program.span, "in the action of this probe");
    if let Some((line, column)) = place {
        let text = verdict.source.map_or_else(String::new, |text| format!(": {text}"));
        diagnostic =
            diagnostic.note(format!("the instruction belongs to line {line}, column {column} of the script{text}"));
    }
    if verdict.is_limit() {
        return diagnostic
            .help("the action exceeds a limit of the kernel: make it shorter or split it over several probes");
    }
    diagnostic.help("this is a defect of lt: please report it with the script and the output of -v")
}

fn refused_program(program: &Program, error: &io::Error) -> Diagnostic {
    let trampoline = matches!(program.attach, Attach::Fentry { .. });
    if trampoline
        && matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOENT | libc::ESRCH | libc::EOPNOTSUPP | 524))
    {
        let message = format!("this kernel does not let {} be traced by a trampoline", program.probe);
        return Diagnostic::error(Code::MissingFeature, message)
            .at(program.span, words(error))
            .help("kprobe: reaches the same function without trampolines");
    }
    let message = format!("the kernel refused to load the program of {}: {}", program.probe, words(error));
    let diagnostic = Diagnostic::error(Code::LoadFailed, message).at(program.span, "");
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            diagnostic.help("raise the limit of open files (ulimit -n), or narrow the wildcard")
        }
        Some(libc::EPERM) => diagnostic.help("run lt as root, or give it CAP_BPF and CAP_PERFMON"),
        _ => diagnostic,
    }
}

/// Line and column of the script that instruction `at` of `program` comes from. The object is opened and prepared once
/// more: libbpf frees the line information of the one that failed.
fn place(artifact: &Artifact, program: &Program, at: u32) -> Option<(u32, u32)> {
    let open = open_object(&artifact.elf).ok()?;
    // SAFETY: the object is open and not loaded yet, as the call wants it.
    if unsafe { libbpf_sys::bpf_object__prepare(open.as_libbpf_object().as_ptr()) } != 0 {
        return None;
    }
    let prepared = open.progs().find(|candidate| candidate.name() == program.symbol.as_str())?;
    let pointer = prepared.as_libbpf_object().as_ptr();
    // SAFETY: libbpf owns as many records as it counts, for as long as the object is open.
    let records = unsafe {
        let first = libbpf_sys::bpf_program__line_info(pointer);
        let count = libbpf_sys::bpf_program__line_info_cnt(pointer) as usize;
        if first.is_null() { &[][..] } else { std::slice::from_raw_parts(first, count) }
    };
    let line_column = |packed: u32| (packed >> 10, packed & 0x3ff);
    let known = records.iter().filter(|record| record.insn_off <= at && record.line_col >> 10 != 0);
    known.max_by_key(|record| record.insn_off).map(|record| line_column(record.line_col))
}

/// The program that libbpf names in its complaint.
fn failing_program(log: &str) -> Option<&str> {
    let line = log.lines().find(|line| line.contains("BPF program load failed") || line.contains("failed to load"))?;
    line.split_once("prog '")?.1.split_once('\'').map(|(name, _)| name)
}

/// What the verifier wrote.
fn program_log(log: &str) -> Option<&str> {
    let (_, rest) = log.split_once("-- BEGIN PROG LOAD LOG --\n")?;
    Some(rest.split_once("-- END PROG LOAD LOG --").map_or(rest, |(text, _)| text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "libbpf: prog 'p0': BPF program load failed: -EACCES\n\
        libbpf: prog 'p0': -- BEGIN PROG LOAD LOG --\n\
        0: R1=ctx() R10=fp0\n\
        ; $x = @[tid].field; @ demo.lt:6\n\
        106: (79) r1 = *(u64 *)(r0 +0)\n\
        R0 invalid mem access 'map_value_or_null'\n\
        processed 107 insns (limit 1000000) max_states_per_insn 0 total_states 9\n\
        -- END PROG LOAD LOG --\n\
        libbpf: prog 'p0': failed to load: -EACCES\n";

    #[test]
    fn the_log_tells_program_instruction_and_reason() {
        assert_eq!(failing_program(LOG), Some("p0"));
        let verdict = Verdict::of(program_log(LOG).expect("a log"));
        let (reason, source) = ("R0 invalid mem access 'map_value_or_null'", Some("$x = @[tid].field;"));
        assert_eq!(verdict, Verdict { reason, instruction: Some(106), source });
        assert!(!verdict.is_limit());
    }

    #[test]
    fn limits_are_told_apart() {
        let verdict =
            Verdict::of("BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns (limit 1000000)\n");
        assert!(verdict.is_limit());
        assert_eq!(verdict.instruction, None);
    }

    #[test]
    fn messages_without_a_log_have_no_program() {
        assert_eq!(failing_program("libbpf: map 'x': failed to create: -EPERM\n"), None);
        assert_eq!(program_log(""), None);
    }
}
