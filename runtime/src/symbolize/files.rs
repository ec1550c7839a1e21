//! Names in files, by offsets in them.

use crate::processes::{FileId, MappedFile};
use crate::value::{Place, Symbol};
use blazesym::Pid;
use blazesym::symbolize::evict::{self, Evict};
use blazesym::symbolize::source::{Elf, Process, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer as Blazesym};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;

/// Most places that are remembered; beyond it the memory starts over.
const MOST_PLACES: usize = 65_536;
/// Most files whose symbols are held at a time.
const MOST_FILES: usize = 48;

/// What is known of names in files.
pub struct Names {
    debug_info: bool,
    blazesym: Option<Blazesym>,
    places: HashMap<(FileId, u64), Rc<[Place]>>,
    strings: HashMap<String, Rc<str>>,
    build_ids: HashMap<FileId, Option<Rc<str>>>,
    /// Files that blazesym holds, the one used longest ago first.
    held: VecDeque<PathBuf>,
    vdso: Option<Option<(u64, u64)>>,
}

impl Names {
    /// With files, lines and inlined functions if `debug_info`.
    pub fn new(debug_info: bool) -> Names {
        Names {
            debug_info,
            blazesym: None,
            places: HashMap::new(),
            strings: HashMap::new(),
            build_ids: HashMap::new(),
            held: VecDeque::new(),
            vdso: None,
        }
    }

    /// The library, made when it is first needed.
    pub fn blazesym(&mut self) -> &mut Blazesym {
        let with = self.debug_info;
        self.blazesym.get_or_insert_with(|| {
            Blazesym::builder().enable_code_info(with).enable_inlined_fns(with).enable_demangling(true).build()
        })
    }

    /// What lies at an offset of a file: functions that were inlined there, the innermost first, then the function itself;
    /// empty when nobody knows.
    pub fn places(&mut self, id: FileId, file: &mut MappedFile, offset: u64) -> Rc<[Place]> {
        if let Some(known) = self.places.get(&(id, offset)) {
            return Rc::clone(known);
        }
        let Some(path) = file.path() else { return Rc::default() };
        self.hold(&path);
        let module = self.shared(&file.name);
        let found = self.look_up(path, offset, &module);
        if self.places.len() >= MOST_PLACES {
            self.places.clear();
            self.strings.clear();
        }
        self.places.insert((id, offset), Rc::clone(&found));
        found
    }

    /// Keeps the number of files whose symbols are in memory small.
    fn hold(&mut self, path: &PathBuf) {
        if let Some(at) = self.held.iter().position(|held| held == path) {
            self.held.remove(at);
        }
        self.held.push_back(path.clone());
        if self.held.len() > MOST_FILES
            && let Some(oldest) = self.held.pop_front()
        {
            // what cannot be given back stays, which costs memory only
            let _ = self.blazesym().evict(&Evict::Elf(evict::Elf::new(oldest)));
        }
    }

    fn look_up(&mut self, path: PathBuf, offset: u64, module: &Rc<str>) -> Rc<[Place]> {
        let mut source = Elf::new(path);
        let mut found = self.symbolize(&source, offset, module);
        // debug information that cannot be read (of an unknown kind of compression, say) hides no symbols
        if found.is_err() {
            source.debug_syms = false;
            found = self.symbolize(&source, offset, module);
        }
        found.unwrap_or_default()
    }

    fn symbolize(&mut self, source: &Elf, offset: u64, module: &Rc<str>) -> Result<Rc<[Place]>, blazesym::Error> {
        let source = Source::Elf(source.clone());
        let symbol = match self.blazesym().symbolize_single(&source, Input::FileOffset(offset))? {
            Symbolized::Sym(symbol) => symbol.into_owned(),
            Symbolized::Unknown(_) => return Ok(Rc::default()),
        };
        Ok(self.describe(&symbol, Some(module)))
    }

    fn describe(&mut self, symbol: &Sym<'_>, module: Option<&Rc<str>>) -> Rc<[Place]> {
        let mut places: Vec<Place> = (symbol.inlined.iter().rev())
            .map(|inlined| {
                let line = inlined.code_info.as_ref().and_then(|code| self.line(code));
                Place::Inlined { name: self.shared(&inlined.name), line }
            })
            .collect();
        let line = symbol.code_info.as_deref().and_then(|code| self.line(code));
        let (name, offset) = (self.shared(&symbol.name), symbol.offset as u64);
        places.push(Place::Function(Symbol { name, offset, module: module.cloned(), line }));
        places.into()
    }

    /// `folder/file:line`
    fn line(&mut self, code: &CodeInfo<'_>) -> Option<Rc<str>> {
        let line = code.line?;
        let text = format!("{}:{line}", code.to_path().display());
        Some(self.shared(&text))
    }

    fn shared(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.strings.get(text) {
            return Rc::clone(known);
        }
        let made: Rc<str> = Rc::from(text);
        self.strings.insert(text.to_owned(), Rc::clone(&made));
        made
    }

    /// The build id of a file in hexadecimal, if it has one.
    pub fn build_id(&mut self, id: FileId, file: &mut MappedFile) -> Option<Rc<str>> {
        if let Some(known) = self.build_ids.get(&id) {
            return known.clone();
        }
        let path = file.path()?;
        let bytes = blazesym::helper::read_elf_build_id(&path).ok().flatten();
        let text = bytes.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let found: Option<Rc<str>> = text.map(Rc::from);
        self.build_ids.insert(id, found.clone());
        found
    }

    /// What lies at an offset of the code that the kernel maps into every process: as in our own.
    pub fn in_vdso(&mut self, offset: u64) -> Rc<[Place]> {
        let own = *self.vdso.get_or_insert_with(crate::processes::own_vdso);
        let Some(address) = own.filter(|(start, end)| offset < end - start).map(|(start, _)| start + offset) else {
            return Rc::default();
        };
        let source = Source::Process(Process::new(Pid::Slf));
        let symbol = match self.blazesym().symbolize_single(&source, Input::AbsAddr(address)) {
            Ok(Symbolized::Sym(symbol)) => symbol.into_owned(),
            _ => return Rc::default(),
        };
        let module = self.shared("[vdso]");
        self.describe(&symbol, Some(&module))
    }
}
