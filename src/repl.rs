//! The line editor of the prompt: the only user of rustyline.

use crate::commands::{self, Argument, Command};
use crate::history::History;
use lt_lang::prompt::{Completion, complete, complete_target, unfinished};
use lt_lang::{SessionOptions, aggregations, builtins, codes, config, probes};
use lt_runtime::KernelProfile;
use rustyline::completion::{Completer, Pair};
use rustyline::config::{CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use std::rc::Rc;

/// A line of input.
pub enum Line {
    /// Without its end.
    Text(String),
    /// Ctrl-C: what was typed is given up.
    Interrupted,
    /// No more.
    End,
}

/// The editor on a terminal.
pub struct Terminal {
    editor: Editor<Surroundings, DefaultHistory>,
    history: History,
}

/// What completion knows beside the line.
pub struct Surroundings {
    /// What leads every entry: definitions of former ones.
    pub preface: String,
    /// Lines of this entry before.
    pub before: String,
    /// The maps of the session.
    pub options: SessionOptions,
    /// For lists of probes, and types.
    pub kernel: Rc<KernelProfile>,
}

impl Terminal {
    /// Takes the terminal, with the history of former sessions.
    pub fn new(surroundings: Surroundings) -> Result<Terminal, String> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false).build();
        let mut editor = Editor::with_config(config).map_err(|error| error.to_string())?;
        let mut history = History::of_user();
        for entry in history.read() {
            // what it holds at most is its own affair
            let _ = editor.add_history_entry(entry);
        }
        editor.set_helper(Some(surroundings));
        Ok(Terminal { editor, history })
    }

    /// Reads a line of an entry that begins with `before`.
    pub fn line(&mut self, before: &str) -> Result<Line, String> {
        if let Some(surroundings) = self.editor.helper_mut() {
            surroundings.before = before.to_string();
        }
        match self.editor.readline(if before.is_empty() { "lt> " } else { "-> " }) {
            Ok(line) => Ok(Line::Text(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Remembers an entry; the reason when it cannot be kept for later sessions, once.
    pub fn remember(&mut self, entry: &str) -> Option<String> {
        // one that was entered twice in a row stands there once
        let fresh = self.editor.add_history_entry(entry).unwrap_or(false);
        if fresh { self.history.add(entry) } else { None }
    }

    /// What completion is to know from now on.
    pub fn surround(&mut self, surroundings: Surroundings) {
        self.editor.set_helper(Some(surroundings));
    }
}

impl Helper for Surroundings {}
impl Highlighter for Surroundings {}
impl Validator for Surroundings {}
impl Hinter for Surroundings {
    type Hint = String;
}

impl Completer for Surroundings {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        let found =
            if self.before.is_empty() && before.starts_with(':') { self.command(before) } else { self.entry(before) };
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((found.start.min(at), found.words.into_iter().map(pair).collect()))
    }
}

impl Surroundings {
    /// Goes on with `:name argument`.
    fn command(&self, line: &str) -> Completion {
        let Some(space) = line.find(char::is_whitespace) else {
            let blank = |command: &Command| if command.argument == Argument::None { "" } else { " " };
            return fitting(line, 0, commands::ALL.iter().map(|command| format!("{}{}", command.name, blank(command))));
        };
        let (name, argument) = line.split_at(space + 1);
        let Ok(command) = commands::lookup(name.trim()) else { return Completion::default() };
        let start = name.len();
        match command.argument {
            Argument::None | Argument::File => Completion::default(),
            Argument::Name => {
                let tables = builtins::all().map(|row| row.name).chain(aggregations::ALL.iter().map(|row| row.name));
                let more = probes::ALL.iter().map(|row| row.name).chain(config::ALL.iter().map(|row| row.name));
                fitting(line, start, tables.chain(more).chain(commands::ALL.iter().map(|command| command.name)))
            }
            Argument::Probe => shifted(complete_target(argument, &*self.kernel), start),
            Argument::Code => shifted(self.entry(argument), start),
            Argument::Diagnostic => fitting(line, start, codes::ALL.iter().map(|row| row.code.to_string())),
            Argument::Map => fitting(line, start, self.options.known_maps.names().map(|name| format!("@{name}"))),
        }
    }

    /// Goes on with an entry: as a script, or, a single word, as the statement that it may also be.
    fn entry(&self, line: &str) -> Completion {
        let text = format!("{}{line}", self.before);
        let as_script = |opening: &str| {
            let script = format!("{}{opening}{text}", self.preface);
            let found = complete(&script, script.len(), &*self.kernel, &self.options);
            let before_line = script.len() - line.len();
            Completion { start: found.start.saturating_sub(before_line), words: found.words }
        };
        let opening = unfinished(&text).opening();
        let mut found = as_script(opening);
        if text.chars().all(|c| c.is_alphanumeric() || c == '_') {
            let other = as_script("");
            found.words.extend(other.words.into_iter().filter(|_| !opening.is_empty()));
            found.words.sort();
        }
        found
    }
}

fn fitting(line: &str, start: usize, words: impl Iterator<Item = impl Into<String>>) -> Completion {
    let prefix = line.get(start..).unwrap_or_default();
    let mut words: Vec<String> = words.map(Into::into).filter(|word: &String| word.starts_with(prefix)).collect();
    words.sort();
    Completion { start, words }
}

fn shifted(found: Completion, by: usize) -> Completion {
    Completion { start: found.start + by, ..found }
}
