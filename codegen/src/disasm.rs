//! Text of the BPF instructions of an object: programs with their relocations by name, and the script's lines as
//! comments where the line information says that they begin.

use crate::helpers;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SymbolKind};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes of an instruction; loads of 64-bit constants take two.
const INSTRUCTION: usize = 8;
/// Bytes of a line record, at least.
const LINE_RECORD: usize = 16;

/// Operations by the high four bits of the opcode; a shift right by sign and a move have names of their own.
const ARITHMETIC: [&str; 13] = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "-", "%=", "^=", "=", "s>>="];
const JUMPS: [&str; 14] = ["", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<="];

/// A place in a source text.
struct Line {
    file: String,
    text: String,
    line: u32,
    column: u32,
}

/// What is known of one section.
#[derive(Default)]
struct Notes {
    /// Names by the offset of the instruction that refers to them.
    relocations: BTreeMap<u64, String>,
    lines: BTreeMap<u64, Line>,
}

/// Writes out every program of a BPF ELF object: one line for each instruction, numbered from 0 in its program, with
/// `; file:line:column text` lines between. An error is an object that cannot be read.
pub fn disassemble(elf: &[u8]) -> Result<String, Diagnostic> {
    let file = object::File::parse(elf)
        .map_err(|error| Diagnostic::error(Code::Internal, format!("the object cannot be read: {error}")))?;
    let lines = line_information(&file);
    let mut out = String::new();
    for section in file.sections() {
        let Ok(name) = section.name() else { continue };
        let Ok(code) = section.data() else { continue };
        let mut notes = Notes { relocations: relocations(&file, &section), ..Notes::default() };
        for (offset, line) in lines.iter().flatten().filter(|(of, ..)| of == name).map(|(_, at, line)| (at, line)) {
            let line = Line { file: line.file.clone(), text: line.text.clone(), ..*line };
            notes.lines.insert(*offset, line);
        }
        for (symbol, start, end) in functions(&file, section.index()) {
            let Some(code) = code.get(start as usize..end as usize) else { continue };
            let _ = writeln!(out, "{name} {symbol}:");
            write_program(&mut out, code, start, &notes);
        }
    }
    Ok(out)
}

/// Name, start and end of the functions of a section.
pub(crate) fn functions(file: &object::File, section: SectionIndex) -> Vec<(String, u64, u64)> {
    let mut list: Vec<_> = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.section_index() == Some(section))
        .map(|symbol| {
            let name = symbol.name().unwrap_or("?").to_string();
            (name, symbol.address(), symbol.address().saturating_add(symbol.size()))
        })
        .collect();
    list.sort_by_key(|(_, start, _)| *start);
    list
}

fn relocations(file: &object::File, section: &object::Section) -> BTreeMap<u64, String> {
    let name = |target| match target {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).ok()?;
            let own = symbol.name().ok().filter(|name| !name.is_empty()).map(str::to_string);
            let of_section = || file.section_by_index(symbol.section_index()?).ok()?.name().ok().map(str::to_string);
            own.or_else(of_section)
        }
        _ => None,
    };
    section.relocations().filter_map(|(at, relocation)| Some((at, name(relocation.target())?))).collect()
}

/// `(section, offset, line)` of all line records of `.BTF.ext`; `None` without (or in another form).
fn line_information(file: &object::File) -> Option<Vec<(String, u64, Line)>> {
    let data = |name| file.section_by_name(name)?.data().ok();
    let (btf, ext): (&[u8], &[u8]) = (data(".BTF")?, data(".BTF.ext")?);
    let strings_at = word(btf, 4)? + word(btf, 16)?;
    let string = |at: usize| {
        let bytes = btf.get(strings_at + at..)?;
        Some(String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next()?).into_owned())
    };
    let start = word(ext, 4)? + word(ext, 16)?;
    let end = start + word(ext, 20)?;
    let size = word(ext, start)?.max(LINE_RECORD);
    let (mut at, mut list) = (start + 4, vec![]);
    while at < end {
        let (section, count) = (string(word(ext, at)?)?, word(ext, at + 4)?);
        at += 8;
        for _ in 0..count {
            let place = word(ext, at + 12)?;
            let line = Line {
                file: string(word(ext, at + 4)?)?,
                text: string(word(ext, at + 8)?)?,
                line: (place >> 10) as u32,
                column: (place & 1023) as u32,
            };
            list.push((section.clone(), word(ext, at)? as u64, line));
            at += size;
        }
    }
    Some(list)
}

/// A u32; as usize, whose sums do not overflow.
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

fn write_program(out: &mut String, code: &[u8], start: u64, notes: &Notes) {
    let mut words = code.chunks_exact(INSTRUCTION).enumerate();
    let mut shown = None;
    while let Some((number, bytes)) = words.next() {
        let at = start + (number * INSTRUCTION) as u64;
        if let Some(line) = notes.lines.get(&at) {
            let place = (&line.file, line.line, line.column);
            // Column 0 stands for the function as a whole.
            if line.line != 0 && line.column != 0 && shown != Some(place) {
                let _ = writeln!(out, "  ; {}:{}:{} {}", line.file, line.line, line.column, line.text.trim());
                shown = Some(place);
            }
        }
        let instruction = Instruction::new(bytes);
        // The second half of a 64-bit constant.
        let high =
            if instruction.opcode == 0x18 { words.next().map_or(0, |(_, next)| Instruction::new(next).imm) } else { 0 };
        let text = instruction.text(number, high, notes.relocations.get(&at).map(String::as_str));
        let _ = writeln!(out, "{number:6}: {text}");
    }
}

/// An instruction taken apart.
pub(crate) struct Instruction {
    pub(crate) opcode: u8,
    pub(crate) dst: u8,
    pub(crate) src: u8,
    pub(crate) offset: i16,
    pub(crate) imm: i32,
}

impl Instruction {
    /// From (at least) eight bytes; missing ones count as 0.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        Instruction {
            opcode: byte(0),
            dst: byte(1) & 15,
            src: byte(1) >> 4,
            offset: i16::from_le_bytes([byte(2), byte(3)]),
            imm: i32::from_le_bytes([byte(4), byte(5), byte(6), byte(7)]),
        }
    }

    /// In the notation that the kernel's verifier and LLVM use, more or less.
    fn text(&self, number: usize, high: i32, relocation: Option<&str>) -> String {
        match self.opcode & 7 {
            0 => self.constant(high, relocation),
            1 => format!("r{} = {}", self.dst, self.memory(self.src)),
            2 => format!("{} = {}", self.memory(self.dst), self.imm),
            3 if self.opcode & 0xe0 == 0xc0 => self.atomic(),
            3 => format!("{} = r{}", self.memory(self.dst), self.src),
            4 => self.arithmetic('w'),
            7 => self.arithmetic('r'),
            class => self.jump(if class == 6 { 'w' } else { 'r' }, number),
        }
    }

    fn constant(&self, high: i32, relocation: Option<&str>) -> String {
        let value = u64::from(self.imm as u32) | u64::from(high as u32) << 32;
        match relocation {
            Some(name) if value == 0 => format!("r{} = {name} ll", self.dst),
            Some(name) => format!("r{} = {name} + {value} ll", self.dst),
            None if self.opcode == 0x18 => format!("r{} = {value:#x} ll", self.dst),
            None => format!("unknown {:#04x}", self.opcode),
        }
    }

    fn memory(&self, base: u8) -> String {
        let size = ["u32", "u16", "u8", "u64"][usize::from(self.opcode >> 3 & 3)];
        format!("*({size} *)(r{base} {:+})", self.offset)
    }

    fn atomic(&self) -> String {
        let (memory, src) = (self.memory(self.dst), self.src);
        let fetch = self.imm & 1 != 0;
        match self.imm & 0xf0 {
            0xe0 => format!("r{src} = xchg({memory}, r{src})"),
            0xf0 => format!("r0 = cmpxchg({memory}, r0, r{src})"),
            operation => {
                let sign = ARITHMETIC.get((operation >> 4) as usize).unwrap_or(&"?=");
                let result = if fetch { format!("r{src} = ") } else { String::new() };
                format!("{result}lock {memory} {sign} r{src}")
            }
        }
    }

    fn operand(&self, width: char) -> String {
        if self.opcode & 8 != 0 { format!("{width}{}", self.src) } else { self.imm.to_string() }
    }

    fn arithmetic(&self, width: char) -> String {
        let dst = self.dst;
        match self.opcode >> 4 {
            8 => format!("{width}{dst} = -{width}{dst}"),
            13 => format!("r{dst} = {}{} r{dst}", if self.opcode & 8 != 0 { "be" } else { "le" }, self.imm),
            operation => match ARITHMETIC.get(usize::from(operation)) {
                Some(sign) => format!("{width}{dst} {sign} {}", self.operand(width)),
                None => format!("unknown {:#04x}", self.opcode),
            },
        }
    }

    fn jump(&self, width: char, number: usize) -> String {
        let target = number as i64 + 1 + i64::from(self.offset);
        match self.opcode >> 4 {
            0 => format!("goto {target}"),
            8 => match (self.src, helpers::name(self.imm as u32)) {
                (0, Some(name)) => format!("call bpf_{name}"),
                _ => format!("call {}", self.imm),
            },
            9 => "exit".into(),
            operation => match JUMPS.get(usize::from(operation)) {
                Some(sign) => {
                    format!("if {width}{} {sign} {} goto {target}", self.dst, self.operand(width))
                }
                None => format!("unknown {:#04x}", self.opcode),
            },
        }
    }
}
