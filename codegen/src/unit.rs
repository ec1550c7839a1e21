//! What the programs of a script share: maps, variables, the licence; then the programs.

use crate::debug::Debug;
use crate::emitter::{Unit, emit_program};
use crate::error::{Emit, Failure};
use crate::llvm::{Llvm, Ptr};
use lt_lang::hir::{self, START_SYMBOL};
use lt_lang::kernel::Kernel;
use lt_lang::manifest::{Manifest, Map, MapKind, MapRole, state};
use lt_lang::source::SourceMap;
use lt_lang::table::Table;
use std::cell::{Cell, OnceCell};

/// Most programs call helpers that are for GPL programs only.
const LICENCE: &[u8] = b"GPL\0";
/// `BPF_F_NO_PREALLOC`
const NO_PREALLOC: u32 = 1;

/// Fills the module and gives it back.
pub(crate) fn build<'c>(
    llvm: Llvm<'c>,
    program: &hir::Program,
    manifest: &Manifest,
    kernel: &dyn Kernel,
    sources: &SourceMap,
) -> Emit<Llvm<'c>> {
    let debug = Debug::new(&llvm, sources)?;
    let licence = llvm.zeroed_global("lt_license", Some("license"), LICENCE.len() as u32);
    licence.set_initializer(&llvm.context.const_string(LICENCE, false));
    debug.variable(&llvm, licence, 0, LICENCE.len() as u32)?;
    let words = u32::try_from(state::words(manifest.programs.len())).map_err(Failure::internal)?;
    let state = variable(&llvm, &debug, state::SYMBOL, words)?;
    let start = variable(&llvm, &debug, START_SYMBOL, 1)?;
    let maps = manifest.maps.iter().map(|map| declare(&llvm, &debug, map)).collect::<Emit<Vec<_>>>()?;
    let tables = manifest.maps.iter().map(|map| table(&llvm, &debug, map)).collect::<Emit<Vec<_>>>()?;
    let unit = Unit {
        maps,
        tables,
        state,
        start,
        zeros: OnceCell::new(),
        zeros_size: zeros_size(program, manifest),
        texts: Cell::new(0),
        callbacks: Cell::new(0),
        idle_callback: OnceCell::new(),
        llvm,
        debug,
        manifest,
        kernel,
        sources,
    };
    for probe in &program.probes {
        emit_program(&unit, probe).map_err(|failure| failure.at(probe.span))?;
    }
    unit.debug.finish();
    Ok(unit.llvm)
}

fn variable<'c>(llvm: &Llvm<'c>, debug: &Debug<'c>, name: &str, words: u32) -> Emit<Ptr<'c>> {
    let global = llvm.zeroed_global(name, None, words * 8);
    debug.variable(llvm, global, words, 0)?;
    Ok(global.as_pointer_value())
}

/// A map as libbpf wants it: a variable in `.maps` whose BTF type holds the parameters.
fn declare<'c>(llvm: &Llvm<'c>, debug: &Debug<'c>, map: &Map) -> Emit<Ptr<'c>> {
    let mut parameters = vec![("type", map.kind as u32), ("max_entries", map.max_entries)];
    if map.kind != MapKind::RingBuffer {
        parameters.extend([("key_size", map.key_size), ("value_size", map.value_size)]);
    }
    if map.no_prealloc {
        parameters.push(("map_flags", NO_PREALLOC));
    }
    let global = llvm.zeroed_global(&map.symbol, Some(".maps"), parameters.len() as u32 * 8);
    debug.map(llvm, global, &parameters)?;
    Ok(global.as_pointer_value())
}

/// The variable that a map's table is.
fn table<'c>(llvm: &Llvm<'c>, debug: &Debug<'c>, map: &Map) -> Emit<Option<Ptr<'c>>> {
    map.table.map(|table| variable(llvm, debug, &Table::symbol(&map.symbol), table.words())).transpose()
}

/// The most bytes that are ever zeroed at once.
fn zeros_size(program: &hir::Program, manifest: &Manifest) -> u32 {
    let slots = program.probes.iter().flat_map(|probe| &probe.slots).map(|slot| slot.size);
    let values = manifest.maps.iter().filter(|map| map.role == MapRole::User).map(|map| map.value_size);
    let records = manifest.events.iter().map(|event| event.size);
    slots.chain(values).chain(records).max().unwrap_or(0).max(8).next_multiple_of(8)
}
