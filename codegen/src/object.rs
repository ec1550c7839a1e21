//! From a module to an ELF object: target, passes, emission.

use crate::error::{Emit, Failure};
use crate::llvm::Llvm;
use crate::registers::triple;
use crate::{CompileOptions, Optimize};
use inkwell::OptimizationLevel;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine};
use lt_lang::manifest::Manifest;

/// Measured against `default<O2>` on scripts of all kinds: the same number of instructions within a percent, but 1.7 ms
/// instead of 2.4 ms for a script of one probe, and 4.6 instead of 7.2 ms for four.
///
/// One round of instcombine is enough, and by default LLVM ends the process when another would change something more.
const PASSES: &str = "function(sroa,early-cse,simplifycfg,instcombine<no-verify-fixpoint>,simplifycfg,adce)";

/// The BPF back end, as Linux 5.10 can take its code.
pub(crate) fn target_machine() -> Emit<TargetMachine> {
    Target::initialize_bpf(&InitializationConfig {
        asm_parser: false,
        asm_printer: true,
        base: true,
        disassembler: false,
        info: true,
        machine_code: true,
    });
    let target = Target::from_triple(&triple())?;
    let level = OptimizationLevel::Default;
    let machine = target.create_target_machine(&triple(), "v3", "", level, RelocMode::PIC, CodeModel::Default);
    machine.ok_or_else(|| Failure::internal("LLVM has no BPF back end"))
}

/// Sets what has to be known before the first load is built: alignments depend on it.
pub(crate) fn prepare(llvm: &Llvm, machine: &TargetMachine) {
    llvm.module.set_triple(&triple());
    llvm.module.set_data_layout(&machine.get_target_data().get_data_layout());
}

/// Runs the passes.
pub(crate) fn optimize(llvm: &Llvm, machine: &TargetMachine, options: &CompileOptions) -> Emit {
    if cfg!(debug_assertions) {
        llvm.module.verify()?;
    }
    match options.optimize {
        Optimize::None => Ok(()),
        Optimize::Default => Ok(llvm.module.run_passes(PASSES, machine, PassBuilderOptions::create())?),
    }
}

/// Instructions of LLVM's in one function. Each becomes two of BPF's at most, whose jumps reach 32,767 far: beyond, LLVM
/// ends the process.
const LONGEST: usize = 14_000;

/// Refuses functions that the back end cannot make.
pub(crate) fn check_length(llvm: &Llvm, manifest: &Manifest) -> Emit {
    for function in llvm.module.get_functions() {
        let length: usize = function.get_basic_block_iter().map(|block| block.get_instructions().count()).sum();
        if length > LONGEST {
            let message = format!("the action is too long: it takes more than {LONGEST} instructions");
            let name = function.get_name().to_string_lossy();
            let program = manifest.programs.iter().find(|program| program.symbol == name);
            let failure = Failure::limit(message);
            return Err(match program {
                Some(program) => failure.at(program.span),
                None => failure,
            });
        }
    }
    Ok(())
}

/// The object file.
pub(crate) fn emit(llvm: &Llvm, machine: &TargetMachine) -> Emit<Vec<u8>> {
    let buffer = machine.write_to_memory_buffer(&llvm.module, FileType::Object)?;
    Ok(buffer.as_slice().to_vec())
}
