//! The commands of the prompt: one table, which help, completion and the prompt itself read.

use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, nearest};

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Lists the commands, or tells what a name of the language is.
    Help,
    /// Lists probes.
    Probes,
    /// Tells the type of an expression.
    Type,
    /// Explains a diagnostic code.
    Explain,
    /// Lists the maps.
    Maps,
    /// Removes the entries of maps.
    Clear,
    /// Forgets maps.
    Forget,
    /// Enters a file.
    Load,
    /// Leaves.
    Quit,
}

/// What stands behind a command, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A name of the language, or a command.
    Name,
    /// A probe, which may be wild.
    Probe,
    /// A part of a script.
    Code,
    /// The code of a diagnostic.
    Diagnostic,
    /// A map of the session.
    Map,
    /// A file.
    File,
}

/// A row of the table.
#[derive(Debug)]
pub struct Command {
    /// With the colon.
    pub name: &'static str,
    /// What stands behind it.
    pub argument: Argument,
    /// How that is written.
    pub form: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The same to the prompt.
    pub act: Act,
}

const fn row(name: &'static str, argument: Argument, form: &'static str, doc: &'static str, act: Act) -> Command {
    Command { name, argument, form, doc, act }
}

/// All commands.
pub const ALL: &[Command] = &[
    row(":help", Argument::Name, "[NAME]", "this list; or what a builtin, function, probe or setting is", Act::Help),
    row(":probes", Argument::Probe, "[PATTERN]", "list probes: :probes tracepoint:sched:*", Act::Probes),
    row(":type", Argument::Code, "EXPRESSION", "the type of an expression: :type curtask.pid", Act::Type),
    row(":maps", Argument::None, "", "the maps of this session, their types and sizes", Act::Maps),
    row(":clear", Argument::Map, "[@MAP]", "remove the entries of a map, or of all", Act::Clear),
    row(":forget", Argument::Map, "[@MAP]", "forget a map and its type, or all", Act::Forget),
    row(":load", Argument::File, "FILE", "enter what a file holds", Act::Load),
    row(":explain", Argument::Diagnostic, "CODE", "explain a diagnostic: :explain LT0205", Act::Explain),
    row(":quit", Argument::None, "", "leave (Ctrl-D too)", Act::Quit),
];

/// Finds a command by its name or the beginning of it, when that fits no other.
pub fn lookup(name: &str) -> Result<&'static Command, Diagnostic> {
    let mut fitting = ALL.iter().filter(|command| command.name.starts_with(name) && name.len() > 1);
    if let (Some(found), None) = (fitting.next(), fitting.next()) {
        return Ok(found);
    }
    let diagnostic = Diagnostic::error(Code::Usage, format!("there is no command `{name}`"));
    let near = nearest(name, ALL.iter().map(|command| command.name));
    Err(match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(":help lists the commands"),
    })
}

/// The text of `:help`.
pub fn help() -> String {
    let mut text = String::from(
        "Enter probes with their actions: interval:s:1 { @[comm] = count() }   Ctrl-C ends them.\n\
         Or statements, which run once: @x = 5; printf(\"hi\\n\")\n\
         Or an expression, whose value is printed: @x + 1\n\
         Maps, settings and definitions stay for what is entered later. TAB completes.\n\n",
    );
    for command in ALL {
        text.push_str(&format!("  {:<20} {}\n", format!("{} {}", command.name, command.form), command.doc));
    }
    text
}

/// Splits `:name argument`.
pub fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (name, argument.trim())
}
