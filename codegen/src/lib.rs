//! Code generation: HIR and manifest to a BPF ELF object with BTF, function and line information, through LLVM. The
//! only user of inkwell; no decision about the language is taken here.

mod aggregates;
mod debug;
mod depth;
mod disasm;
mod emitter;
mod error;
mod events;
mod expr;
mod flow;
pub mod helpers;
mod intrinsics;
mod llvm;
mod map_reads;
mod maps;
mod memory;
mod object;
mod operations;
mod pages;
mod reads;
mod registers;
mod search;
mod stacks;
mod stmt;
mod strings;
mod table;
mod task;
mod unit;
mod values;

use error::Emit;
use inkwell::targets::TargetMachine;
use lt_lang::c::WithDefinitions;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::hir;
use lt_lang::kernel::Kernel;
use lt_lang::manifest::Manifest;
use lt_lang::source::SourceMap;

pub use disasm::disassemble;

/// How much the code is optimized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimize {
    /// What makes the code short without taking long.
    #[default]
    Default,
    /// Not at all; to look at what was emitted. Large programs may exceed the stack of BPF then.
    None,
}

/// Choices of the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileOptions {
    /// See there.
    pub optimize: Optimize,
}

/// Compiles a script to a BPF ELF object that libbpf can open. Programs, maps and the global variables `lt_state` and
/// `lt_start` are named as the manifest says. An error is [`lt_lang::codes::Code::Internal`] or `LimitExceeded`.
pub fn compile(
    program: &hir::Program,
    manifest: &Manifest,
    kernel: &dyn Kernel,
    sources: &SourceMap,
    options: &CompileOptions,
) -> Result<Vec<u8>, Diagnostic> {
    with_module(program, manifest, kernel, sources, options, |llvm, machine| {
        let elf = object::emit(llvm, machine)?;
        depth::check(&elf, manifest)?;
        Ok(elf)
    })
}

/// The same up to LLVM's intermediate representation, optimized, as text.
pub fn emit_llvm(
    program: &hir::Program,
    manifest: &Manifest,
    kernel: &dyn Kernel,
    sources: &SourceMap,
    options: &CompileOptions,
) -> Result<String, Diagnostic> {
    with_module(program, manifest, kernel, sources, options, |llvm, _| Ok(llvm.module.print_to_string().to_string()))
}

fn with_module<T>(
    program: &hir::Program,
    manifest: &Manifest,
    kernel: &dyn Kernel,
    sources: &SourceMap,
    options: &CompileOptions,
    finish: impl FnOnce(&llvm::Llvm, &TargetMachine) -> Emit<T>,
) -> Result<T, Diagnostic> {
    // what is wrong with the definitions was told by the checker
    let (kernel, _) = WithDefinitions::new(program.definitions.clone(), kernel);
    let result = llvm::with_context(|context| {
        let machine = object::target_machine()?;
        let llvm = llvm::Llvm::new(context);
        object::prepare(&llvm, &machine);
        let llvm = unit::build(llvm, program, manifest, &kernel, sources)?;
        object::optimize(&llvm, &machine, options)?;
        object::check_length(&llvm, manifest)?;
        finish(&llvm, &machine)
    });
    result.map_err(error::Failure::into_diagnostic)
}
