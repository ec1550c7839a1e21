//! The stack that a program and the functions that it calls take together: LLVM limits that of each function only, the
//! kernel (`check_max_stack_depth` in kernel/bpf/verifier.c) that of every chain of calls.

use crate::disasm::{Instruction, functions};
use crate::error::{Emit, Failure};
use lt_lang::manifest::Manifest;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex};
use std::collections::{BTreeMap, HashMap};

/// Most bytes of a chain of calls (`MAX_BPF_STACK`).
const MAX_STACK: u64 = 512;
/// Each function takes a multiple of this; newer kernels with a compiler for BPF count in steps of 16.
const STEP: u64 = 32;
/// Most functions of a chain of calls (`MAX_CALL_FRAMES`).
const MAX_CALLS: usize = 8;
const INSTRUCTION: u64 = 8;
/// A 64-bit constant, of two instructions' length.
const LOAD_CONSTANT: u8 = 0x18;
const CALL: u8 = 0x85;
/// A copy of the stack's end: `rX = r10`.
const COPY: u8 = 0xbf;
const ADD: u8 = 0x07;
const FRAME: u8 = 10;

/// Section and offset of a function.
type Place = (SectionIndex, u64);

/// What one function does with the stack.
#[derive(Default)]
struct Function {
    depth: u64,
    calls: Vec<Place>,
}

/// Refuses programs whose functions take too much together.
pub(crate) fn check(elf: &[u8], manifest: &Manifest) -> Emit {
    let file = object::File::parse(elf).map_err(Failure::internal)?;
    let Some(text) = file.section_by_name(".text").filter(|text| text.size() > 0) else {
        return Ok(()); // no functions but the programs, whose stack LLVM has checked
    };
    let mut all: HashMap<Place, Function> = HashMap::new();
    let mut programs = Vec::new();
    for section in file.sections().filter(|section| section.kind() == object::SectionKind::Text) {
        let code = section.data().map_err(Failure::internal)?;
        let targets = targets(&file, &section);
        for (name, start, end) in functions(&file, section.index()) {
            let code = code.get(start as usize..end as usize).unwrap_or_default();
            all.insert((section.index(), start), function(code, (section.index(), start), &targets));
            if section.index() != text.index() {
                programs.push((name, (section.index(), start)));
            }
        }
    }
    for (name, place) in programs {
        let total = deepest(&all, place, MAX_CALLS);
        if total > MAX_STACK {
            let message = format!("the loops of this action need {total} bytes of stack, of which BPF has {MAX_STACK}");
            let program = manifest.programs.iter().find(|program| program.symbol == name);
            let failure =
                Failure::limit(message).help("compute long expressions in steps, or use fewer variables in loops");
            return Err(match program {
                Some(program) => failure.at(program.span),
                None => failure,
            });
        }
    }
    Ok(())
}

/// Where relocations of a section lead to, by their offset; without what the instruction adds.
fn targets(file: &object::File, section: &object::Section) -> BTreeMap<u64, Place> {
    let place = |target| match target {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).ok()?;
            Some((symbol.section_index()?, symbol.address()))
        }
        _ => None,
    };
    section.relocations().filter_map(|(at, relocation)| Some((at, place(relocation.target())?))).collect()
}

fn function(code: &[u8], (section, start): Place, targets: &BTreeMap<u64, Place>) -> Function {
    let mut found = Function::default();
    let mut is_frame = [false; 16];
    for (at, bytes) in (start..).step_by(INSTRUCTION as usize).zip(code.chunks_exact(INSTRUCTION as usize)) {
        let it = Instruction::new(bytes);
        let target = targets.get(&at);
        let below = |offset: i64| u64::try_from(-offset).unwrap_or(0);
        let class = it.opcode & 7;
        if (class == 1 && it.src == FRAME) || (matches!(class, 2 | 3) && it.dst == FRAME) {
            found.depth = found.depth.max(below(it.offset.into()));
        }
        if it.opcode == ADD && is_frame[usize::from(it.dst)] {
            found.depth = found.depth.max(below(it.imm.into()));
        }
        if matches!(class, 0 | 1 | 4 | 7) {
            is_frame[usize::from(it.dst)] = it.opcode == COPY && it.src == FRAME;
        }
        match (it.opcode, it.src, target) {
            (LOAD_CONSTANT, _, Some((of, base))) => found.calls.push((*of, base.wrapping_add(it.imm as u64))),
            (CALL, 1, Some((of, base))) => {
                found.calls.push((*of, base.wrapping_add_signed((i64::from(it.imm) + 1) * INSTRUCTION as i64)));
            }
            (CALL, 1, None) => {
                found.calls.push((section, at.wrapping_add_signed((i64::from(it.imm) + 1) * INSTRUCTION as i64)));
            }
            _ => {}
        }
    }
    found
}

/// Bytes of the deepest chain that begins with a function; places that are none (data) take nothing.
fn deepest(all: &HashMap<Place, Function>, place: Place, calls: usize) -> u64 {
    let Some(function) = all.get(&place) else { return 0 };
    let own = function.depth.max(1).next_multiple_of(STEP);
    let below = match calls.checked_sub(1) {
        Some(left) => function.calls.iter().map(|called| deepest(all, *called, left)).max().unwrap_or(0),
        None => 0,
    };
    own + below
}
