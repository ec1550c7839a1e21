//! Names in processes: an address is first looked for in the process's memory map, then in the file that is mapped there.

use super::Stack;
use super::files::Names;
use crate::processes::{Backing, Processes};
use crate::value::{Frame, Place, Symbol};
use blazesym::Pid;
use blazesym::symbolize::source::{Process, Source};
use blazesym::symbolize::{Input, Symbolized};
use std::rc::Rc;

/// Names places in processes.
pub struct UserNames {
    /// Their memory maps.
    pub processes: Processes,
    names: Names,
}

impl UserNames {
    /// With files, lines and inlined functions if `debug_info`.
    pub fn new(processes: Processes, debug_info: bool) -> UserNames {
        UserNames { processes, names: Names::new(debug_info) }
    }

    /// The symbol that holds `address`, if it is known.
    pub fn symbol(&mut self, process: u32, address: u64) -> Option<Symbol> {
        let places = self.places(process, address, None);
        places.iter().rev().find_map(|place| match place {
            Place::Function(symbol) => Some(symbol.clone()),
            _ => None,
        })
    }

    /// Appends the frames that an address of a stack stands for: inlined functions first.
    pub fn frames(&mut self, stack: &Stack, address: u64, frames: &mut Vec<Frame>) {
        let places = self.places(stack.process, address, Some(stack.time));
        if places.is_empty() {
            frames.push(Frame { address, place: Place::Unknown, user: true });
        }
        frames.extend(places.iter().map(|place| Frame { address, place: place.clone(), user: true }));
    }

    /// The address as build id and offset.
    pub fn place_in_file(&mut self, stack: &Stack, address: u64) -> Frame {
        let found = self.processes.resolve(stack.process, address, Some(stack.time));
        let place = found.and_then(|found| {
            let Backing::File(file) = found.backing else { return None };
            let build_id = self.names.build_id(file, self.processes.files.get_mut(file)?)?;
            Some(Place::InFile { build_id, offset: found.offset })
        });
        Frame { address, place: place.unwrap_or(Place::Unknown), user: true }
    }

    fn places(&mut self, process: u32, address: u64, at: Option<u64>) -> Rc<[Place]> {
        let Some(found) = self.processes.resolve(process, address, at) else { return Rc::default() };
        match found.backing {
            Backing::File(file) => match self.processes.files.get_mut(file) {
                Some(opened) => self.names.places(file, opened, found.offset),
                None => Rc::default(),
            },
            Backing::Vdso => self.names.in_vdso(found.offset),
            Backing::Anonymous => self.generated(process, address),
            Backing::Other => Rc::default(),
        }
    }

    /// Code that was made at run time: its names are in a file that the process keeps (`/tmp/perf-PID.map`).
    fn generated(&mut self, process: u32, address: u64) -> Rc<[Place]> {
        if self.processes.has_ended(process) {
            return Rc::default();
        }
        let mut source = Process::new(Pid::from(process));
        (source.debug_syms, source.map_files) = (false, false);
        let blazesym = self.names.blazesym();
        match blazesym.symbolize_single(&Source::Process(source), Input::AbsAddr(address)) {
            Ok(Symbolized::Sym(found)) => {
                let (name, offset) = (Rc::from(found.name.as_ref()), found.offset as u64);
                Rc::new([Place::Function(Symbol { name, offset, module: None, line: None })])
            }
            _ => Rc::default(),
        }
    }
}
