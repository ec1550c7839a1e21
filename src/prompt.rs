//! The prompt: reads entries and carries them out until the input ends. On a terminal it has an editor and goes on with
//! whatever comes; over a pipe it is silent but for what entries print.

use crate::arguments::Texts;
use crate::cli::Cli;
use crate::commands::{self, Act};
use crate::docs;
use crate::input;
use crate::repl::{Line, Surroundings, Terminal};
use crate::session::{Arguments, Session, Status, exit_status, run_options};
use lt_lang::SessionOptions;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::Artifact;
use lt_lang::prompt::{Shape, type_of_expression, type_of_map, unfinished};
use lt_runtime::{KeptMaps, KernelProfile, Outcome, RunOptions};
use std::io::{BufRead, IsTerminal};
use std::rc::Rc;

/// A prompt at work.
pub struct Prompt<'s> {
    session: &'s mut Session,
    cli: &'s Cli,
    /// None over a pipe.
    terminal: Option<Terminal>,
    maps: KeptMaps,
    /// One for all entries: what is kept names its types by its numbers.
    kernel: Rc<KernelProfile>,
    /// Number of the entry.
    number: u32,
    /// lt itself was told to end, while an entry ran, or nobody reads any more.
    ended: bool,
}

/// Whether the prompt goes on.
enum Next {
    /// With this status of the entry.
    Entry(Status),
    /// It was told to leave.
    Leave,
}

/// Carries out what is entered until the input ends. On a terminal the status is 0; over a pipe it is that of the last
/// entry that failed.
pub fn prompt(session: &mut Session, cli: &Cli) -> Status {
    if cli.output.is_some() {
        let diagnostic = Diagnostic::error(Code::Usage, "-o is for one script, not for a prompt");
        return Err(session.fail(diagnostic.help("redirect what the entries print: lt repl > FILE")));
    }
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let kernel = Rc::new(session.kernel(cli)?);
    let mut prompt =
        Prompt { session, cli, terminal: None, maps: KeptMaps::default(), kernel, number: 0, ended: false };
    if on_terminal {
        lt_runtime::survive_interrupts();
        let surroundings = prompt.surroundings();
        let terminal = Terminal::new(surroundings).map_err(|why| prompt.session.fail(broken(&why)))?;
        prompt.terminal = Some(terminal);
    }
    let status = prompt.run()?;
    Ok(if on_terminal { 0 } else { status })
}

fn broken(why: &str) -> Diagnostic {
    Diagnostic::error(Code::RunFailed, format!("the prompt cannot read input: {why}"))
}

impl Prompt<'_> {
    /// The status of the last entry that failed, or 0.
    fn run(&mut self) -> Status {
        let mut failed = 0;
        while let Some((text, shape)) = self.next_entry().map_err(|why| self.session.fail(broken(&why)))? {
            self.remember(&text);
            let next = if text.starts_with(':') { self.command(&text) } else { Next::Entry(self.entry(&text, shape)) };
            match next {
                Next::Entry(Ok(0)) => {}
                Next::Entry(Ok(status) | Err(status)) => failed = status,
                Next::Leave => break,
            }
            if self.ended {
                break;
            }
            self.surround();
        }
        Ok(failed)
    }

    /// Reads lines until they make an entry; `None` at the end of the input.
    fn next_entry(&mut self) -> Result<Option<(String, Shape)>, String> {
        let mut text = String::new();
        loop {
            let line = match self.line(&text)? {
                Line::Text(line) => line,
                Line::Interrupted => {
                    text.clear();
                    continue;
                }
                Line::End if text.trim().is_empty() => return Ok(None),
                Line::End => return Ok(Some((text.clone(), unfinished(&text)))),
            };
            let gives_up = line.trim().is_empty() && !text.is_empty() && self.terminal.is_some();
            text.push_str(&line);
            if text.starts_with(':') {
                return Ok(Some((text, Shape::Empty)));
            }
            match self.session.book.shape(&text) {
                Shape::Empty => text.clear(),
                Shape::Incomplete if gives_up => {
                    let entry = text.trim_end().to_string();
                    return Ok(Some((entry, unfinished(&text))));
                }
                Shape::Incomplete => text.push('\n'),
                found => return Ok(Some((text, found))),
            }
        }
    }

    fn line(&mut self, before: &str) -> Result<Line, String> {
        if let Some(terminal) = &mut self.terminal {
            return terminal.line(before);
        }
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_until(b'\n', &mut bytes).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(Line::End);
        }
        let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_string())?;
        Ok(Line::Text(text.trim_end_matches(['\n', '\r']).to_string()))
    }

    fn remember(&mut self, entry: &str) {
        let Some(why) = self.terminal.as_mut().and_then(|terminal| terminal.remember(entry)) else { return };
        let message = format!("what is entered is not kept for later sessions: {why}");
        self.session.show(&Diagnostic::warning(Code::OutputFailed, message));
    }

    /// Lets completion know what the last entry has changed.
    fn surround(&mut self) {
        let surroundings = self.terminal.is_some().then(|| self.surroundings());
        if let (Some(terminal), Some(surroundings)) = (&mut self.terminal, surroundings) {
            terminal.surround(surroundings);
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            preface: self.session.book.preface(),
            before: String::new(),
            options: self.options(),
            kernel: Rc::clone(&self.kernel),
        }
    }

    fn options(&self) -> SessionOptions {
        SessionOptions {
            allow_unsafe: self.cli.allow_unsafe,
            known_maps: self.session.book.maps.clone(),
            ..SessionOptions::default()
        }
    }

    /// Runs an entry that is no command.
    fn entry(&mut self, text: &str, shape: Shape) -> Status {
        self.number += 1;
        self.run_entry(&format!("<repl:{}>", self.number), text, shape)
    }

    fn run_entry(&mut self, name: &str, text: &str, shape: Shape) -> Status {
        let session = &mut *self.session;
        let kernel = Rc::clone(&self.kernel);
        let composed = session.book.compose(&mut session.sources, name, text, shape);
        let options = self.options();
        let analyzed = self.session.analyze(composed.script, &*kernel, Arguments::Given(&Texts::new()), options)?;
        self.session.book.keep_definitions(&self.session.sources, &composed, &analyzed.ast);
        if shape == Shape::Definitions {
            return Ok(0);
        }
        let elf = self.session.compile(&analyzed.lowered, &*kernel)?;
        let artifact = Artifact { elf, manifest: analyzed.lowered.manifest };
        let outcome = self.session.trace(&self.run_options(shape), &artifact, Some(&mut self.maps))?;
        self.session.book.keep_maps(&analyzed.checked);
        // Ctrl-C ends the entry, everything else the prompt too
        self.ended = outcome.reader_gone || outcome.signal.is_some_and(|signal| signal != libc::SIGINT);
        // what `exit()` says is for whoever runs a script
        Ok(exit_status(self.cli, &Outcome { exit_code: None, ..outcome }))
    }

    /// Probes run as scripts do; statements and expressions only print what they print.
    fn run_options(&self, shape: Shape) -> RunOptions {
        let options = RunOptions { wait_detach: true, ..run_options(self.cli) };
        if shape == Shape::Script {
            return options;
        }
        RunOptions { quiet: true, no_summary: true, command: None, pid: None, ..options }
    }

    fn command(&mut self, line: &str) -> Next {
        let (name, argument) = commands::split(line);
        let command = match commands::lookup(name) {
            Ok(command) => command,
            Err(diagnostic) => return Next::Entry(Err(self.session.fail(diagnostic))),
        };
        let given = Some(argument).filter(|argument| !argument.is_empty());
        Next::Entry(match command.act {
            Act::Help if given.is_none() => self.session.print(&commands::help()),
            Act::Help => self.help(argument),
            Act::Probes => self.session.list(self.cli, given.unwrap_or("*")),
            Act::Type => self.tell_type(argument),
            Act::Explain => self.session.tell_of(docs::explain(given)),
            Act::Maps => self.session.print(&self.list_maps()),
            Act::Clear => self.each_map(given, |prompt, map| prompt.maps.clear(map)),
            Act::Forget => self.each_map(given, |prompt, map| {
                prompt.session.book.forget_map(map.trim_start_matches('@'));
                prompt.maps.forget(map)
            }),
            Act::Load => self.load(argument),
            Act::Quit => return Next::Leave,
        })
    }

    fn help(&self, name: &str) -> Status {
        match commands::ALL.iter().find(|command| command.name == name) {
            Some(command) => self.session.print(&format!("{} {}\n  {}\n", command.name, command.form, command.doc)),
            None => self.session.tell_of(docs::reference(Some(name))),
        }
    }

    /// `:type`: of an expression, or of the last one in a probe's action.
    fn tell_type(&mut self, text: &str) -> Status {
        let found = match self.session.book.shape(text) {
            Shape::Empty => {
                let diagnostic = Diagnostic::error(Code::Usage, ":type takes an expression");
                return Err(self.session.fail(diagnostic.help("for example: :type curtask.pid")));
            }
            Shape::Expression => Shape::Statements,
            found => found,
        };
        let map = self.maps.rows().into_iter().find(|(map, _)| map.name == text).map(|(map, _)| type_of_map(map));
        if let Some((name, value)) = map {
            return self.session.print(&format!("{name}: {value}\n"));
        }
        let session = &mut *self.session;
        let kernel = Rc::clone(&self.kernel);
        let composed = session.book.compose(&mut session.sources, ":type", text, found);
        let analyzed =
            self.session.analyze(composed.script, &*kernel, Arguments::Given(&Texts::new()), self.options())?;
        let types = type_of_expression(&analyzed.ast, &analyzed.checked);
        let line = |(probe, ty): &(String, String)| match found {
            Shape::Script => format!("{probe}: {ty}\n"),
            _ => format!("{ty}\n"),
        };
        if types.is_empty() {
            let diagnostic = Diagnostic::error(Code::Usage, ":type takes an expression, and this is none");
            return Err(self.session.fail(diagnostic));
        }
        self.session.print(&types.iter().map(line).collect::<String>())
    }

    fn list_maps(&self) -> String {
        let rows = self.maps.rows();
        let described: Vec<_> =
            rows.iter().map(|(map, count)| (type_of_map(map), map.keys.is_empty(), count)).collect();
        let width =
            |of: fn(&(String, String)) -> &String| described.iter().map(|row| of(&row.0).len()).max().unwrap_or(0);
        let (names, values) = (width(|row| &row.0), width(|row| &row.1));
        let line = |((name, value), scalar, count): &((String, String), bool, &usize)| {
            let size = match (*scalar, **count) {
                (true, 0) => "no value".to_string(),
                (true, _) => "a value".to_string(),
                (false, 1) => "1 key".to_string(),
                (false, count) => format!("{count} keys"),
            };
            format!("{name:<names$}  {value:<values$}  {size}\n")
        };
        described.iter().map(line).collect()
    }

    /// Does something to the map that was given, or to all.
    fn each_map(&mut self, given: Option<&str>, act: impl Fn(&mut Self, &str) -> bool) -> Status {
        let all: Vec<String> = self.maps.rows().iter().map(|(map, _)| map.name.clone()).collect();
        let Some(name) = given else {
            all.iter().for_each(|name| {
                act(self, name);
            });
            return Ok(0);
        };
        let name = if name.starts_with('@') { name.to_string() } else { format!("@{name}") };
        if act(self, &name) {
            return Ok(0);
        }
        let near = lt_lang::diagnostic::nearest(&name, all.iter().map(String::as_str));
        let diagnostic = Diagnostic::error(Code::UndefinedMap, format!("there is no map `{name}`"));
        Err(self.session.fail(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(":maps lists those that are there"),
        }))
    }

    /// `:load`: a file as an entry.
    fn load(&mut self, file: &str) -> Status {
        if file.is_empty() {
            return Err(self.session.fail(Diagnostic::error(Code::Usage, ":load takes the path of a script")));
        }
        let script = input::read_script(file).map_err(|diagnostic| self.session.fail(diagnostic))?;
        let shape = match self.session.book.shape(&script.text) {
            Shape::Empty => return Ok(0),
            Shape::Incomplete => unfinished(&script.text),
            found => found,
        };
        self.run_entry(file, &script.text, shape)
    }
}
