//! The prompt: `lt` alone on a terminal. The only user of rustyline.

use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostics;
use lt_lang::probes;
use lt_lang::source::SourceMap;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

/// What the user entered.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A script.
    Script(String),
    /// `:name argument`
    Command(String, Option<String>),
}

/// A command of the prompt.
pub struct PromptCommand {
    /// With the colon.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// All commands of the prompt.
pub const COMMANDS: &[PromptCommand] = &[
    PromptCommand { name: ":help", doc: "this list" },
    PromptCommand { name: ":doc", doc: "what a builtin, function, probe or setting is: :doc hist" },
    PromptCommand { name: ":explain", doc: "explain a diagnostic code: :explain LT0205" },
    PromptCommand { name: ":probes", doc: "list probes: :probes tracepoint:sched:*" },
    PromptCommand { name: ":quit", doc: "leave (Ctrl-D too)" },
];

/// The text of `:help`.
pub fn help() -> String {
    let mut text = String::from("Enter a script, such as: interval:s:1 { print(nsecs) }   Ctrl-C ends it.\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<10} {}\n", command.name, command.doc));
    }
    text
}

/// The line editor.
pub struct Prompt {
    editor: Editor<Language, DefaultHistory>,
}

impl Prompt {
    /// Takes the terminal (or a pipe) for input.
    pub fn new() -> Result<Prompt, String> {
        let mut editor = Editor::new().map_err(|error| error.to_string())?;
        editor.set_helper(Some(Language));
        Ok(Prompt { editor })
    }

    /// The next entry; `None` at the end of input.
    pub fn read(&mut self) -> Result<Option<Entry>, String> {
        loop {
            match self.editor.readline("lt> ") {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    // a history that takes no more is no reason to stop
                    let _ = self.editor.add_history_entry(line.as_str());
                    return Ok(Some(entry(&line)));
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

fn entry(line: &str) -> Entry {
    let line = line.trim();
    if !line.starts_with(':') {
        return Entry::Script(line.to_string());
    }
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    Entry::Command(name.to_string(), Some(argument.trim().to_string()).filter(|argument| !argument.is_empty()))
}

/// Tells the editor about the language: when an entry is complete, which words could follow.
struct Language;

impl Helper for Language {}
impl Highlighter for Language {}
impl Hinter for Language {
    type Hint = String;
}

impl Validator for Language {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        if text.trim_start().starts_with(':') || !is_incomplete(text) {
            return Ok(ValidationResult::Valid(None));
        }
        Ok(ValidationResult::Incomplete)
    }
}

/// Asks the real parser whether the text ends in the middle of something.
fn is_incomplete(text: &str) -> bool {
    let mut sources = SourceMap::default();
    let file = sources.add("<prompt>", text);
    let (_, messages): (_, Diagnostics) = lt_lang::parse(&sources, file);
    let open = [Code::UnexpectedEnd, Code::UnterminatedComment];
    messages.iter().any(|message| open.contains(&message.code)) && !text.trim().is_empty()
}

impl Completer for Language {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).map_or(0, |found| found + 1);
        let word = before.get(start..).unwrap_or_default();
        if word.is_empty() {
            return Ok((start, Vec::new()));
        }
        let names = probes::ALL
            .iter()
            .map(|row| row.name)
            .chain(lt_lang::builtins::all().map(|row| row.name))
            .chain(lt_lang::aggregations::ALL.iter().map(|row| row.name))
            .chain(COMMANDS.iter().map(|command| command.name));
        let mut found: Vec<&str> = names.filter(|name| name.starts_with(word)).collect();
        found.sort_unstable();
        Ok((start, found.into_iter().map(|name| Pair { display: name.into(), replacement: name.into() }).collect()))
    }
}
