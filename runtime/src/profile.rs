//! A kernel as a value: [`KernelProfile`], read from the running kernel piece by piece as it is asked for, or from a file.

mod container;
mod saved;

use crate::btf::{KernelBtf, NameSpace, TypeAt};
use crate::features::Evidence;
use crate::kernel_files;
use crate::targets::{self, EachFunction, FunctionPattern};
use crate::tracefs::Tracefs;
use crate::tracefs::format::{self, Surroundings};
use crate::user_files::parameters::{UserPrototype, UserRecords};
use crate::user_files::{UserFiles, code, demangle, dwarf};
use lt_lang::kernel::{
    Feature, FunctionProto, Kernel, KernelError, KernelTypes, KernelVersion, Lookup, Member, ProbeTargets,
    TracepointFormat, UserFile, UserFunction,
};
use lt_lang::types::{AddressSpace, KernelTypeId, RecordKind, RecordRef, Type};
use saved::SavedKernel;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Bytes of a tracepoint's string (`__data_loc char[]`) unless told otherwise.
pub const DEFAULT_MAX_STRLEN: u32 = 1024;

/// The module number of records that a tracepoint's declaration names: their ids count `KernelProfile::awaited`.
const AWAITED: u32 = u32::MAX;

/// The module number of records of programs: their ids count `KernelProfile::user_records`.
const OF_PROGRAMS: u32 = u32::MAX - 1;

/// Parameters of functions by file and function; `None` for what has no debug information.
type UserPrototypes = HashMap<(String, String), Option<Rc<UserPrototype>>>;

/// What is known of a kernel. Making one costs nothing: every fact is read when it is first asked for.
pub struct KernelProfile {
    source: Source,
    btf_file: Option<PathBuf>,
    max_strlen: u32,
    release: OnceCell<String>,
    btf: OnceCell<Result<KernelBtf, KernelError>>,
    tracefs: OnceCell<Result<Tracefs, KernelError>>,
    possible_cpus: OnceCell<u32>,
    features: RefCell<HashMap<Feature, bool>>,
    formats: RefCell<HashMap<(String, String), Option<TracepointFormat>>>,
    /// Records that tracepoints point to: looked up by name when somebody asks what is in them, so that a tracepoint
    /// alone opens no BTF.
    awaited: RefCell<Vec<(RecordKind, String)>>,
    user_files: UserFiles,
    /// Records of programs, by their debug information.
    user_records: UserRecords,
    /// Functions of programs that have been asked for, by file and name.
    user_prototypes: RefCell<UserPrototypes>,
}

enum Source {
    Running,
    Saved(SavedKernel),
}

impl KernelProfile {
    /// The kernel that runs here.
    pub fn running() -> KernelProfile {
        KernelProfile::new(Source::Running)
    }

    /// A kernel that [`KernelProfile::save`] wrote to a file. Only its header is read now.
    ///
    /// # Errors
    /// [`KernelError::Unreadable`] when the file cannot be read, is no profile, has another version, or is cut off.
    pub fn from_file(path: impl AsRef<Path>) -> Result<KernelProfile, KernelError> {
        let saved = SavedKernel::open(path.as_ref()).map_err(KernelError::Unreadable)?;
        Ok(KernelProfile::new(Source::Saved(saved)))
    }

    fn new(source: Source) -> KernelProfile {
        KernelProfile {
            source,
            btf_file: None,
            max_strlen: DEFAULT_MAX_STRLEN,
            release: OnceCell::new(),
            btf: OnceCell::new(),
            tracefs: OnceCell::new(),
            possible_cpus: OnceCell::new(),
            features: RefCell::default(),
            formats: RefCell::default(),
            awaited: RefCell::default(),
            user_files: UserFiles::default(),
            user_records: UserRecords::new(TypeAt { module: OF_PROGRAMS, id: 0 }.public().0),
            user_prototypes: RefCell::default(),
        }
    }

    /// Takes the types from a file of raw BTF in place of the kernel's own.
    #[must_use]
    pub fn with_btf_file(mut self, path: impl Into<PathBuf>) -> KernelProfile {
        self.btf_file = Some(path.into());
        self
    }

    /// Looks programs and libraries up as process `pid` sees them.
    #[must_use]
    pub fn with_process(mut self, pid: i32) -> KernelProfile {
        self.user_files = UserFiles::of_process(pid);
        self
    }

    /// A function of a program, by its debug information.
    pub(crate) fn user_prototype(&self, path: &str, function: &str) -> Option<Rc<UserPrototype>> {
        let key = (path.to_string(), function.to_string());
        if let Some(known) = self.user_prototypes.borrow().get(&key) {
            return known.clone();
        }
        let found = self.user_records.function(Path::new(path), function).map(Rc::new);
        self.user_prototypes.borrow_mut().insert(key, found.clone());
        found
    }

    /// Whether a process was named.
    pub(crate) fn has_process(&self) -> bool {
        self.user_files.has_process()
    }

    /// Sets the bytes that a tracepoint's string has (default [`DEFAULT_MAX_STRLEN`]).
    #[must_use]
    pub fn with_max_strlen(mut self, bytes: u32) -> KernelProfile {
        self.max_strlen = bytes;
        self
    }

    /// Writes all that another machine needs to compile scripts for this kernel: release, features, CPUs, BTF, names of
    /// traceable functions, every tracepoint's format. What this kernel does not show is left out.
    ///
    /// # Errors
    /// [`KernelError::Unreadable`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KernelError> {
        saved::save(self, path.as_ref())
    }

    /// The kernel's release, such as `6.1.0-50-cloud-amd64`.
    pub fn release(&self) -> &str {
        match &self.source {
            Source::Running => self.release.get_or_init(kernel_files::release),
            Source::Saved(saved) => saved.release(),
        }
    }

    /// The running kernel's tracefs.
    ///
    /// # Errors
    /// [`KernelError::NoTracefs`] with the reason; always for a saved kernel.
    pub fn tracefs(&self) -> Result<&Tracefs, KernelError> {
        let open = || match &self.source {
            Source::Running => Tracefs::open(),
            Source::Saved(_) => Err(KernelError::NoTracefs("the kernel is not the one that runs here".to_string())),
        };
        self.tracefs.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    pub(crate) fn btf(&self) -> Result<&KernelBtf, KernelError> {
        let open = || {
            match (&self.btf_file, &self.source) {
                (Some(path), _) => KernelBtf::from_file(path),
                (None, Source::Running) => KernelBtf::running(),
                (None, Source::Saved(saved)) => saved.btf(),
            }
            .map_err(KernelError::NoBtf)
        };
        self.btf.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    /// Runs through all functions that can be traced.
    fn each_function(&self, each: EachFunction<'_>) -> Result<(), KernelError> {
        match &self.source {
            Source::Running => targets::each_running_function(self.tracefs().ok(), each),
            Source::Saved(saved) => saved.each_function(each),
        }
    }

    /// A tracepoint's format file.
    fn format_text(&self, category: &str, name: &str) -> Lookup<String> {
        match &self.source {
            Source::Running => targets::running_format(self.tracefs()?, category, name),
            Source::Saved(saved) => saved.format_text(category, name),
        }
    }

    fn read_tracepoint(&self, category: &str, name: &str) -> Lookup<TracepointFormat> {
        let Some(text) = self.format_text(category, name)? else { return Ok(None) };
        let space = self.tracepoint_space(category);
        let around = Surroundings {
            system_call: space == AddressSpace::User,
            space,
            max_strlen: self.max_strlen,
            record: &|kind, name| self.awaited_record(kind, name),
        };
        match format::parse(&text, &around) {
            Some(format) => Ok(Some(format)),
            None => Err(KernelError::Unreadable(format!("the format of tracepoint {category}:{name} is malformed"))),
        }
    }

    fn awaited_record(&self, kind: RecordKind, name: &str) -> RecordRef {
        let mut awaited = self.awaited.borrow_mut();
        let known = awaited.iter().position(|(of, known)| *of == kind && known == name);
        let at = known.unwrap_or_else(|| {
            awaited.push((kind, name.to_string()));
            awaited.len() - 1
        });
        RecordRef { kind, name: name.to_string(), id: TypeAt { module: AWAITED, id: at as u32 }.public(), size: 0 }
    }

    /// The BTF, and a record's id in it: an awaited one is looked up now.
    fn settled(&self, id: KernelTypeId) -> Option<(&KernelBtf, KernelTypeId)> {
        let btf = self.btf().ok()?;
        let at = TypeAt::from_public(id);
        if at.module != AWAITED {
            return Some((btf, id));
        }
        let awaited = self.awaited.borrow();
        let (kind, name) = awaited.get(at.id as usize)?;
        Some((btf, btf.find(NameSpace::from(*kind), name)?.public()))
    }

    /// The function's name when BTF alone says that the kernel has it: a millisecond instead of the tens that the lists
    /// take. It may still refuse a probe (BTF also has what the compiler has since renamed, such as `f.constprop.0`);
    /// attaching finds that out.
    fn known_by_btf(&self, pattern: FunctionPattern<'_>) -> Option<String> {
        let name = pattern.exact().filter(|_| pattern.in_module(targets::VMLINUX))?;
        let here = matches!(self.source, Source::Running) && self.btf_file.is_none();
        let known = here && self.btf().is_ok_and(|btf| btf.has_in_vmlinux(NameSpace::Function, name));
        known.then(|| name.to_string())
    }
}

/// Inode of the machine's first PID namespace (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

impl KernelProfile {
    /// Refuses what only a kernel that runs can be asked.
    fn only_running(&self, what: &str) -> Result<(), KernelError> {
        match self.source {
            Source::Running => Ok(()),
            Source::Saved(_) => Err(KernelError::Unreadable(format!("{what} are only known of the kernel that runs"))),
        }
    }
}

impl KernelTypes for KernelProfile {
    fn record(&self, kind: RecordKind, name: &str) -> Lookup<Type> {
        Ok(self.btf()?.record(kind, name))
    }

    fn record_size(&self, id: KernelTypeId) -> u32 {
        if let Some(size) = self.user_records.size(id) {
            return size;
        }
        self.settled(id).map_or(0, |(btf, id)| btf.record_size(id))
    }

    fn member(&self, record: KernelTypeId, name: &str) -> Option<Member> {
        if let Some(members) = self.user_records.members(record) {
            return members.iter().find(|member| member.name == name).cloned();
        }
        self.settled(record).and_then(|(btf, id)| btf.member(id, name))
    }

    fn members(&self, record: KernelTypeId) -> Vec<Member> {
        if let Some(members) = self.user_records.members(record) {
            return members.to_vec();
        }
        self.settled(record).map(|(btf, id)| btf.members(id)).unwrap_or_default()
    }

    fn function(&self, name: &str) -> Lookup<FunctionProto> {
        Ok(self.btf()?.function(name))
    }

    fn typedef(&self, name: &str) -> Lookup<Type> {
        Ok(self.btf()?.typedef(name))
    }

    fn enumeration(&self, name: &str) -> Lookup<Type> {
        Ok(self.btf()?.enumeration(name))
    }

    fn enumeration_of(&self, enumerator: &str) -> Option<Type> {
        self.btf().ok()?.enumeration_of(enumerator)
    }

    fn enumerators(&self, id: KernelTypeId) -> Vec<(String, i64)> {
        self.btf().map(|btf| btf.enumerators(id)).unwrap_or_default()
    }

    fn enumerator(&self, name: &str) -> Lookup<i64> {
        Ok(self.btf()?.enumerator(name))
    }

    fn tracepoint(&self, category: &str, name: &str) -> Lookup<TracepointFormat> {
        let key = (category.to_string(), name.to_string());
        if let Some(known) = self.formats.borrow().get(&key) {
            return Ok(known.clone());
        }
        let format = self.read_tracepoint(category, name)?;
        self.formats.borrow_mut().insert(key, format.clone());
        Ok(format)
    }
}

impl ProbeTargets for KernelProfile {
    fn functions(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        let pattern = FunctionPattern::new(pattern);
        let names = match self.known_by_btf(pattern) {
            Some(name) => vec![name],
            None => targets::matching(pattern, |each| self.each_function(each))?,
        };
        Ok(match &self.source {
            Source::Running => targets::without_blacklisted(names, |name| name),
            Source::Saved(_) => names,
        })
    }

    fn functions_of(&self, module: &str, pattern: &str) -> Result<Vec<(String, String)>, KernelError> {
        let found = targets::matching_of(module, pattern, |each| self.each_function(each))?;
        Ok(match &self.source {
            Source::Running => targets::without_blacklisted(found, |(_, name)| name),
            Source::Saved(_) => found,
        })
    }

    fn iterators(&self, pattern: &str) -> Result<Vec<String>, KernelError> {
        Ok(self.btf()?.iterators(pattern))
    }

    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        let mut found = match &self.source {
            Source::Running => targets::running_tracepoints(self.tracefs()?, category, name)?,
            Source::Saved(saved) => saved.tracepoints(category, name)?,
        };
        // As the names are written: `fib6:...` stands before `fib:...`.
        found.sort_by_cached_key(|(category, name)| format!("{category}:{name}"));
        Ok(found)
    }

    fn raw_tracepoints(&self, module: &str, name: &str) -> Result<Vec<(String, String)>, KernelError> {
        Ok(self.btf()?.raw_tracepoints(module, name))
    }

    fn user_file(&self, name: &str) -> Lookup<Rc<UserFile>> {
        self.user_files.get(name)
    }

    fn user_files(&self, pattern: &str) -> Result<Vec<Rc<UserFile>>, KernelError> {
        Ok(self.user_files.matching(pattern))
    }

    fn source_line(&self, file: &UserFile, source: &str, line: u64, column: Option<u64>) -> Option<Vec<u64>> {
        dwarf::addresses_of_line(Path::new(&file.path), source, line, column)
    }

    fn is_instruction(&self, file: &UserFile, function: &UserFunction, offset: u64) -> Option<bool> {
        code::is_instruction(file, function, offset)
    }

    fn user_function(&self, path: &str, function: &str) -> Option<FunctionProto> {
        self.user_prototype(path, function).map(|found| found.proto.clone())
    }

    fn demangle(&self, name: &str) -> Option<String> {
        demangle::cpp(name)
    }
}

impl Kernel for KernelProfile {
    fn version(&self) -> KernelVersion {
        KernelVersion::parse(self.release()).unwrap_or_default()
    }

    fn has(&self, feature: Feature) -> bool {
        if let Some(known) = self.features.borrow().get(&feature) {
            return *known;
        }
        let version = self.version();
        let has = match &self.source {
            Source::Running => Evidence { version, btf: &|| self.btf().ok() }.has(feature),
            Source::Saved(saved) => saved.has(feature).unwrap_or(version >= feature.row().since),
        };
        self.features.borrow_mut().insert(feature, has);
        has
    }

    fn symbol(&self, name: &str) -> Lookup<u64> {
        self.only_running("addresses of symbols")?;
        let read = kernel_files::symbol_address(name);
        read.map_err(|error| KernelError::Unreadable(format!("/proc/kallsyms: {error}")))
    }

    fn control_group(&self, path: &str) -> Lookup<u64> {
        use std::os::unix::fs::MetadataExt;
        self.only_running("control groups")?;
        match std::fs::metadata(path) {
            Ok(found) => Ok(Some(found.ino())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KernelError::Unreadable(format!("{path}: {error}"))),
        }
    }

    fn pid_namespace(&self) -> Option<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        let Source::Running = self.source else { return None };
        let own = std::fs::metadata("/proc/self/ns/pid").ok()?;
        (own.ino() != FIRST_PID_NAMESPACE).then(|| (own.dev(), own.ino()))
    }

    fn possible_cpus(&self) -> u32 {
        match &self.source {
            Source::Running => *self.possible_cpus.get_or_init(kernel_files::possible_cpus),
            Source::Saved(saved) => saved.possible_cpus(),
        }
    }
}

#[cfg(test)]
mod tests;
