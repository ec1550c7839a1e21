//! The pipeline as one readable function: source → tokens → AST → typed program → object + manifest → loaded →
//! attached → events → output.

use crate::arguments::{self, Texts};
use crate::cli::{BufferingName, Cli, FormatName, ModeName, Stage};
use crate::docs;
use crate::imports;
use crate::input::{Request, Script, request};
use crate::prompt::prompt;
use crate::render::{Style, render};
use lt_codegen::CompileOptions;
use lt_lang::ast::Ast;
use lt_lang::codes::{Code, ExitStatus};
use lt_lang::diagnostic::{Diagnostic, Diagnostics, Severity};
use lt_lang::kernel::{Kernel, KernelError};
use lt_lang::manifest::{Artifact, Program};
use lt_lang::params;
use lt_lang::prompt::Book;
use lt_lang::source::{FileId, SourceMap};
use lt_lang::{CheckedScript, Lowered, SessionOptions};
use lt_runtime::{
    Buffering, ChildStatus, KeptMaps, KernelProfile, Outcome, OutputFormat, Rotation, RunMode, RunOptions,
};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Most bytes of an output file that rotates.
const LOG_SIZE: u64 = 256 << 20;
/// Older output files that are kept.
const LOG_BACKUPS: u32 = 3;

/// What lives as long as the process: the sources and the way to speak.
pub struct Session {
    /// Of scripts, and of entries of the prompt.
    pub sources: SourceMap,
    /// What the entries of the prompt have left behind.
    pub book: Book,
    style: Style,
    /// Whether warnings are shown.
    warnings: bool,
}

/// Where the values of a script's parameters come from.
#[derive(Clone, Copy)]
pub enum Arguments<'a> {
    /// The command line.
    Given(&'a Texts),
    /// Nowhere: the script is not run. Those that must be given have examples of their type.
    Examples,
}

/// An exit status of the process; errors were reported.
pub type Status = Result<i32, i32>;

/// What the front end makes of a source.
pub struct Analyzed {
    /// The tree.
    pub ast: Ast,
    /// Its types.
    pub checked: CheckedScript,
    /// Code and manifest.
    pub lowered: Lowered,
}

impl Session {
    /// Ready to run what the command line says.
    pub fn new(cli: &Cli) -> Session {
        let verbose = cli.verbose || cli.debug.iter().any(|stage| stage.is_verbose());
        let warnings = !cli.no_warnings;
        Session { style: Style { verbose, ..Session::plain().style }, warnings, ..Session::plain() }
    }

    /// Ready to say what is wrong with a command line.
    pub fn plain() -> Session {
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Session {
            sources: SourceMap::default(),
            book: Book::default(),
            style: Style { color, verbose: false },
            warnings: true,
        }
    }

    /// Does what the command line says; gives the exit status.
    pub fn run(&mut self, cli: &Cli) -> i32 {
        let status = match request(cli) {
            Ok(Request::Script(script)) => self.run_script(cli, script),
            Ok(Request::Format(scripts)) => self.format(cli, scripts),
            Ok(Request::Check(scripts)) => self.check(cli, scripts),
            Ok(Request::List(pattern)) => self.list(cli, &pattern),
            Ok(Request::ListScript(script)) => self.list_script(cli, script),
            Ok(Request::ScriptProbes(script)) => self.script_probes(cli, script),
            Ok(Request::Info) => self.info(cli),
            Ok(Request::Prompt) => prompt(self, cli),
            Ok(Request::Doc(name)) => self.tell_of(docs::reference(name.as_deref())),
            Ok(Request::Print(text)) => self.print(&text),
            Ok(Request::Explain(code)) => self.tell_of(docs::explain(code.as_deref())),
            Ok(Request::SaveProfile(file)) => self.save_profile(&file),
            Ok(Request::LoadArtifacts(file)) => self.load_artifacts(cli, &file),
            Err(diagnostic) => Err(self.fail(diagnostic)),
        };
        status.unwrap_or_else(|status| status)
    }

    /// source → ... → output
    fn run_script(&mut self, cli: &Cli, script: Script) -> Status {
        let kernel = self.kernel(cli)?;
        let none = Texts::new();
        let texts = cli.loaded.as_ref().and_then(|loaded| loaded.texts.as_ref()).unwrap_or(&none);
        let lowered = self.front_end(cli, script, Arguments::Given(texts), &kernel)?;
        if let Some(stage) = cli.emit {
            return self.emit(stage, cli.output.as_deref(), &lowered, &kernel);
        }
        if let Some(file) = &cli.emit_elf {
            return self.emit(Stage::Elf, Some(file), &lowered, &kernel);
        }
        if let Some(file) = &cli.emit_llvm {
            let mut name = file.clone().into_os_string();
            name.push(".optimized.ll");
            return self.emit(Stage::Llvm, Some(Path::new(&name)), &lowered, &kernel);
        }
        for stage in cli.debug.iter().flat_map(|stage| stage.shown()) {
            self.emit(*stage, None, &lowered, &kernel)?;
        }
        if cli.format == FormatName::Csv && lowered.manifest.tables.is_empty() {
            return Err(self.fail(no_table()));
        }
        let elf = self.compile(&lowered, &kernel)?;
        let artifact = Artifact { elf, manifest: lowered.manifest };
        if cli.kernel_profile.is_some() {
            return self.only_compiled(cli, &kernel);
        }
        let outcome = self.trace(&run_options(cli), &artifact, None)?;
        Ok(exit_status(cli, &outcome))
    }

    /// `lt check`: everything up to the object; nothing is loaded, so no privilege is needed.
    fn check(&mut self, cli: &Cli, scripts: Vec<Script>) -> Status {
        let kernel = self.kernel(cli)?;
        let mut status = Ok(0);
        for script in scripts {
            let lowered = self.front_end(cli, script, Arguments::Examples, &kernel);
            let compiled = lowered.and_then(|lowered| self.compile(&lowered, &kernel));
            status = status.and(compiled.map(|_| 0));
        }
        status
    }

    /// `lt fmt`: prints scripts in the one form, writes them back, or tells whether they have it.
    fn format(&mut self, cli: &Cli, scripts: Vec<Script>) -> Status {
        let mut status = Ok(0);
        for script in scripts {
            let file = self.sources.add(&script.name, script.text.as_str());
            let formatted = lt_lang::fmt::format(&self.sources, file, !cli.execute.is_empty());
            let done = formatted.map_err(|messages| self.report(messages)).and_then(|text| {
                let same = text == script.text;
                match (cli.check, cli.write && Path::new(&script.name).is_file()) {
                    (true, _) if same => Ok(0),
                    (true, _) => {
                        eprintln!("{} is not formatted", script.name);
                        Err(ExitStatus::Compile as i32)
                    }
                    (false, true) if same => Ok(0),
                    (false, true) => self.write_back(&script.name, &text),
                    (false, false) => self.print(&text),
                }
            });
            status = status.and(done);
        }
        status
    }

    fn write_back(&self, name: &str, text: &str) -> Status {
        std::fs::write(name, text).map(|()| 0).map_err(|error| self.fail(output_failed(&error)))
    }

    /// source → tokens → AST → typed program
    fn front_end(
        &mut self,
        cli: &Cli,
        script: Script,
        arguments: Arguments,
        kernel: &dyn Kernel,
    ) -> Result<Lowered, i32> {
        let options = SessionOptions {
            positional: script.args,
            named: script.named,
            allow_unsafe: cli.allow_unsafe,
            fallback: cli.fallback,
            ..SessionOptions::default()
        };
        let file = self.sources.add(&script.name, script.text);
        self.analyze(file, kernel, arguments, options).map(|analyzed| analyzed.lowered)
    }

    /// The same, of a source that is there, with all that comes of it.
    pub fn analyze(
        &mut self,
        file: FileId,
        kernel: &dyn Kernel,
        arguments: Arguments,
        options: SessionOptions,
    ) -> Result<Analyzed, i32> {
        let (ast, mut messages) = self.parse(file);
        let arguments = if messages.has_errors() { Arguments::Examples } else { arguments };
        let (mut ast, bound, found) = self.bind(ast, arguments)?;
        messages.extend(found);
        let (options, found) = lt_lang::config::configure(&ast.config, &settings_of_environment(), options);
        messages.extend(found);
        let options = &options;
        let lacking = lt_lang::needs(&mut ast, kernel, options);
        if lacking.has_errors() && !messages.has_errors() {
            return Err(self.report(lacking));
        }
        let (ast, checked, found) = params::check(ast, bound, kernel, options);
        messages.extend(found);
        if messages.has_errors() {
            return Err(self.report(messages));
        }
        let (lowered, found) = lt_lang::lower(&ast, &checked, kernel, options);
        messages.extend(found);
        let failed = messages.has_errors();
        let status = self.report(messages);
        if failed { Err(status) } else { Ok(Analyzed { ast, checked, lowered }) }
    }

    /// AST → the same with the values of its parameters, and whether it has any; stops at values that are wrong.
    fn bind(&self, ast: Ast, arguments: Arguments) -> Result<(Ast, bool, Diagnostics), i32> {
        if ast.script.is_empty() {
            return Ok((ast, false, Diagnostics::default()));
        }
        let (declared, mut messages) = params::declared(&ast, &self.sources);
        let (values, wrong) = match arguments {
            Arguments::Given(texts) if !messages.has_errors() => arguments::values(&declared, texts),
            _ => (declared.values_without(), Diagnostics::default()),
        };
        if wrong.has_errors() {
            return Err(self.report(wrong));
        }
        let (ast, found) = params::bind(ast, &declared, &values);
        messages.extend(found);
        Ok((ast, declared.has_parameters(), messages))
    }

    /// source → tokens → AST, with what the script imports and without macros
    fn parse(&mut self, file: FileId) -> (Ast, Diagnostics) {
        let (mut ast, mut messages) = lt_lang::parse(&self.sources, file);
        let name = self.sources.get(file).map_or(String::new(), |source| source.name.clone());
        messages.extend(imports::load(&mut ast, &mut self.sources, Path::new(&name)));
        if ast.probes.is_empty() && !messages.has_errors() {
            messages.push(lt_lang::no_probe(file));
        }
        let (ast, found) = lt_lang::expand(ast, &mut self.sources);
        messages.extend(found);
        (ast, messages)
    }

    /// typed program → object
    pub fn compile(&self, lowered: &Lowered, kernel: &dyn Kernel) -> Result<Vec<u8>, i32> {
        let options = CompileOptions::default();
        lt_codegen::compile(&lowered.program, &lowered.manifest, kernel, &self.sources, &options)
            .map_err(|diagnostic| self.fail(diagnostic))
    }

    /// A script compiled for a described kernel is not run on this one.
    fn only_compiled(&self, cli: &Cli, kernel: &dyn Kernel) -> Status {
        if !cli.quiet {
            eprintln!("the script compiles for Linux {}; it was not run", kernel.version());
        }
        Ok(0)
    }

    /// object + manifest → loaded → attached → events → output
    pub fn trace(
        &self,
        options: &RunOptions,
        artifact: &Artifact,
        kept: Option<&mut KeptMaps>,
    ) -> Result<Outcome, i32> {
        let warn = |diagnostic: Diagnostic| self.show(&diagnostic);
        self.tell(|| {
            format!(
                "programs to load: {}, bytes of the object: {}",
                artifact.manifest.programs.len(),
                artifact.elf.len()
            )
        });
        let loaded = match &kept {
            Some(kept) => lt_runtime::load_with(artifact, options, kept),
            None => lt_runtime::load(artifact, options),
        };
        let outcome = loaded
            .and_then(|loaded| {
                artifact.manifest.programs.iter().for_each(|program| {
                    self.tell(|| format!("attaching {} ({})", program.probe, program.attach.mechanism()))
                });
                loaded.attach()
            })
            .and_then(|attached| match kept {
                Some(kept) => attached.run_with(&warn, kept),
                None => attached.run(&warn),
            })
            .map_err(|diagnostic| self.fail(diagnostic))?;
        if let Some(status) = outcome.child {
            self.tell(|| status.to_string());
        }
        outcome
            .untold
            .iter()
            .for_each(|probe| self.tell(|| format!("{probe}: missed hits are unknown on this kernel")));
        Ok(outcome)
    }

    /// `--emit`: prints a stage of the compilation.
    fn emit(&self, stage: Stage, file: Option<&Path>, lowered: &Lowered, kernel: &dyn Kernel) -> Status {
        let (program, manifest, options) = (&lowered.program, &lowered.manifest, CompileOptions::default());
        let bytes = match stage {
            Stage::Hir => Ok(lt_lang::hir::print::print(program, manifest).into_bytes()),
            Stage::Llvm => {
                lt_codegen::emit_llvm(program, manifest, kernel, &self.sources, &options).map(String::into_bytes)
            }
            Stage::Bpf => lt_codegen::compile(program, manifest, kernel, &self.sources, &options)
                .and_then(|elf| lt_codegen::disassemble(&elf))
                .map(String::into_bytes),
            Stage::Elf => lt_codegen::compile(program, manifest, kernel, &self.sources, &options),
            Stage::Artifact => lt_codegen::compile(program, manifest, kernel, &self.sources, &options)
                .and_then(|elf| lt_runtime::bundle::pack(&Artifact { elf, manifest: manifest.clone() })),
        };
        let bytes = bytes.map_err(|diagnostic| self.fail(diagnostic))?;
        let written = match file {
            Some(path) => std::fs::write(path, bytes),
            None => write_stdout(&bytes),
        };
        written.map(|()| 0).map_err(|error| self.fail(output_failed(&error)))
    }

    /// The kernel to compile for.
    pub fn kernel(&self, cli: &Cli) -> Result<KernelProfile, i32> {
        let profile = match &cli.kernel_profile {
            None => match cli.pid {
                Some(pid) => KernelProfile::running().with_process(pid),
                None => KernelProfile::running(),
            },
            Some(path) => {
                let read = KernelProfile::from_file(path);
                read.map_err(|error| self.fail(kernel_error(Code::UnreadableFile, &error)))?
            }
        };
        Ok(match &cli.btf {
            None => profile,
            Some(file) => profile.with_btf_file(file),
        })
    }

    /// `-l`
    pub fn list(&self, cli: &Cli, pattern: &str) -> Status {
        let kernel = self.kernel(cli)?;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        match lt_runtime::list(&kernel, pattern, cli.verbose, &mut out) {
            Ok(0) => Err(self.fail(
                Diagnostic::error(Code::NoSuchProbe, format!("no probe of this kernel matches `{pattern}`"))
                    .help("`*` stands for any characters: lt -l '*read*'"),
            )),
            Ok(_) => out
                .flush()
                .map(|()| 0)
                .or_else(|error| ignore_closed(&error).map_err(|error| self.fail(output_failed(&error)))),
            Err(error) => Err(self.fail(kernel_error(Code::NoTracefs, &error))),
        }
    }

    /// `-l` with a script: its attach points, wildcards expanded.
    fn list_script(&mut self, cli: &Cli, script: Script) -> Status {
        let kernel = self.kernel(cli)?;
        let lowered = self.front_end(cli, script, Arguments::Examples, &kernel)?;
        let manifest = &lowered.manifest;
        let lines = manifest.programs.iter().map(|program| format!("{}\n", program.probe));
        let actions = manifest.user.iter().map(|action| format!("{}\n", action.probe));
        self.print(&lines.chain(actions).collect::<String>())
    }

    /// `lt probes`: the same with how each is attached on this kernel.
    fn script_probes(&mut self, cli: &Cli, script: Script) -> Status {
        let kernel = self.kernel(cli)?;
        let lowered = self.front_end(cli, script, Arguments::Examples, &kernel)?;
        let line = |program: &Program| match program.probes {
            0 | 1 => format!("{}  {}\n", program.probe, program.attach.mechanism()),
            count => format!("{}  {}, {count} places\n", program.probe, program.attach.mechanism()),
        };
        let actions =
            lowered.manifest.user.iter().map(|action| format!("{}  run by lt, in user space\n", action.probe));
        self.print(&lowered.manifest.programs.iter().map(line).chain(actions).collect::<String>())
    }

    /// `--info`
    fn info(&self, cli: &Cli) -> Status {
        let kernel = self.kernel(cli)?;
        self.print(&docs::info(&kernel))
    }

    /// Prints a text, or what is wrong.
    pub fn tell_of(&self, text: Result<String, Diagnostic>) -> Status {
        self.print(&text.map_err(|diagnostic| self.fail(diagnostic))?)
    }

    /// Prints a text.
    pub fn print(&self, text: &str) -> Status {
        write_stdout(text.as_bytes()).map(|()| 0).map_err(|error| self.fail(output_failed(&error)))
    }

    fn save_profile(&self, file: &str) -> Status {
        let saved = KernelProfile::running().save(std::path::Path::new(file));
        saved.map(|()| 0).map_err(|error| self.fail(kernel_error(Code::OutputFailed, &error)))
    }

    /// Loads each artifact of a bundle, without attaching it: a line with its number and `ok`, or what the kernel said.
    fn load_artifacts(&self, cli: &Cli, file: &str) -> Status {
        let unreadable = |error| Diagnostic::error(Code::UnreadableFile, format!("cannot read `{file}`: {error}"));
        let bytes = std::fs::read(file).map_err(|error| self.fail(unreadable(error)))?;
        let options = run_options(cli);
        for (at, artifact) in lt_runtime::bundle::unpack(&bytes).enumerate() {
            let loaded = artifact.and_then(|artifact| lt_runtime::load(&artifact, &options).map(drop));
            let verdict = match &loaded {
                Ok(()) => "ok".to_string(),
                Err(diagnostic) => format!("{}: {}", diagnostic.code, diagnostic.message),
            };
            self.print(&format!("{at} {verdict}\n"))?;
            if let Err(diagnostic) = loaded {
                self.show(&diagnostic);
            }
        }
        Ok(0)
    }

    /// Shows all messages; gives the exit status that the first error asks for, 0 without one.
    pub fn report(&self, messages: Diagnostics) -> i32 {
        let mut status = 0;
        for diagnostic in messages.resolved(&self.sources).into_sorted() {
            self.show(&diagnostic);
            if status == 0 && diagnostic.severity == Severity::Error {
                status = diagnostic.code.row().status as i32;
            }
        }
        status
    }

    /// What `-v` shows of the way.
    fn tell(&self, what: impl FnOnce() -> String) {
        if self.style.verbose {
            // nobody is left to tell when standard error is gone
            let _ = writeln!(std::io::stderr(), "lt: {}", what());
        }
    }

    /// Shows what stops lt; gives the exit status.
    pub fn fail(&self, diagnostic: Diagnostic) -> i32 {
        self.show(&diagnostic);
        diagnostic.code.row().status as i32
    }

    /// Draws a diagnostic.
    pub fn show(&self, diagnostic: &Diagnostic) {
        if diagnostic.severity == Severity::Warning && !self.warnings {
            return;
        }
        let mut diagnostic = diagnostic.clone().resolved(&self.sources);
        self.book.locate(&mut diagnostic);
        let text = render(&diagnostic, &self.sources, self.style);
        // nobody is left to tell when standard error is gone
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// Settings that the environment makes.
pub fn settings_of_environment() -> Vec<(String, String)> {
    lt_lang::config::environment_names().filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
}

/// How the command line wants scripts to be run.
pub fn run_options(cli: &Cli) -> RunOptions {
    RunOptions {
        format: match cli.format {
            FormatName::Text => OutputFormat::Text,
            FormatName::Json => OutputFormat::Json,
            FormatName::Csv => OutputFormat::Csv,
        },
        output: cli.output.clone(),
        command: cli.command.clone(),
        pid: cli.pid,
        quiet: cli.quiet,
        verbose: cli.verbose,
        dry_run: cli.dry_run,
        rotation: rotation(cli),
        guard_terminal: is_terminal(cli),
        refresh: cli.refresh && cli.format == FormatName::Text && std::io::stdout().is_terminal(),
        buffering: match cli.buffering {
            Some(BufferingName::Full) => Buffering::Full,
            Some(BufferingName::Line | BufferingName::None) => Buffering::Event,
            None => Buffering::Idle,
        },
        notify: std::env::var_os("__BPFTRACE_NOTIFY_PROBES_ATTACHED").is_some(),
        mode: match cli.mode {
            Some(ModeName::Bench) => RunMode::Bench,
            Some(ModeName::Test) => RunMode::Test,
            None if cli.bench => RunMode::Bench,
            None if cli.test => RunMode::Test,
            None => RunMode::Trace,
        },
        ..RunOptions::default()
    }
}

/// Whether what the traced system holds is shown on a terminal.
fn is_terminal(cli: &Cli) -> bool {
    match cli.format {
        FormatName::Csv => std::io::stderr().is_terminal(),
        FormatName::Text | FormatName::Json => cli.output.is_none() && std::io::stdout().is_terminal(),
    }
}

/// Files rotate when their size or their number is given.
fn rotation(cli: &Cli) -> Option<Rotation> {
    let asked = cli.logsize.is_some() || cli.logbackup.is_some();
    asked.then(|| Rotation { size: cli.logsize.unwrap_or(LOG_SIZE), backups: cli.logbackup.unwrap_or(LOG_BACKUPS) })
}

/// Which status wins: `exit(N)` of the script, then lost data with `--strict`, then, with `--child-status`, the
/// command's, then 0.
pub fn exit_status(cli: &Cli, outcome: &Outcome) -> i32 {
    if let Some(code) = outcome.exit_code.filter(|code| *code != 0) {
        return i32::from(code);
    }
    if outcome.failed {
        return ExitStatus::Compile as i32;
    }
    if cli.strict && outcome.lost > 0 {
        return ExitStatus::Lost as i32;
    }
    match outcome.child.filter(|_| cli.child_status) {
        Some(ChildStatus::Exited(code)) => code,
        Some(ChildStatus::Signaled(signal)) => 128 + signal,
        Some(ChildStatus::EndedByUs) | None => 0,
    }
}

fn write_stdout(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).or_else(|error| ignore_closed(&error).map(|_| ()))
}

/// A reader that went away has seen enough.
fn ignore_closed(error: &std::io::Error) -> std::io::Result<i32> {
    if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(0) } else { Err(std::io::Error::from(error.kind())) }
}

/// CSV consists of rows.
fn no_table() -> Diagnostic {
    Diagnostic::error(Code::Usage, "`-f csv` shows the rows of tables, and the script declares no table")
        .help("declare one and emit rows: table t { comm: string; } ... emit t(comm)")
        .help("or choose another form: -f text, -f json")
}

fn output_failed(error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(Code::OutputFailed, format!("the output cannot be written: {error}"))
}

fn kernel_error(code: Code, error: &KernelError) -> Diagnostic {
    match error {
        KernelError::NoBtf(why) => Diagnostic::error(Code::NoBtf, why.clone()),
        KernelError::NoTracefs(why) => Diagnostic::error(Code::NoTracefs, why.clone()),
        KernelError::Unreadable(why) => Diagnostic::error(code, why.clone()),
    }
}
