//! What is made of the declarations of scripts, and of lt's own command line: lists, help, completion, manual pages.

use crate::arguments;
use crate::cli::Cli;
use crate::input::{COMMANDS, Script, find_script, no_such_script, usage};
use crate::invocation::{describe, help};
use crate::library;
use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::params::Declared;
use std::path::Path;

/// `lt list`: a line for each script of the library.
pub fn list() -> String {
    let entries = library::all();
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for entry in entries {
        let about = match library::find(&entry.name) {
            Some(Ok(script)) => declared_by(&script).about.first().cloned().unwrap_or_default(),
            _ => "(cannot be read)".to_string(),
        };
        let place = entry.file.map_or(String::new(), |file| format!("  ({})", file.display()));
        out.push_str(format!("{:width$}  {about}{place}", entry.name).trim_end());
        out.push('\n');
    }
    out
}

/// `lt cat NAME`: the text of a script.
pub fn cat(name: &str) -> Result<String, Diagnostic> {
    named(name).map(|script| script.text)
}

/// `lt help [NAME]`: what `NAME --help` says.
pub fn help_of(name: Option<&str>) -> Result<String, Diagnostic> {
    match name {
        // as `lt --help` has it
        None => Ok(Cli::command().render_help().to_string()),
        Some(name) => named(name).map(|script| help(&script.name, &declared_by(&script))),
    }
}

/// `lt completion SHELL [SCRIPT]`: what makes a shell complete words behind `lt`, or behind a script that is a program.
pub fn completion(shell: &str, script: Option<&str>) -> Result<String, Diagnostic> {
    let Ok(shell) = Shell::from_str(shell, true) else {
        let known: Vec<String> = Shell::value_variants().iter().map(ToString::to_string).collect();
        return Err(usage(&format!("there is no completion for `{shell}`"))
            .help(format!("it is made for {}", known.join(", "))));
    };
    let (mut command, name) = subject(script)?;
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut out);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `lt man [SCRIPT]`: the manual page of lt or of a script.
pub fn man(script: Option<&str>) -> Result<String, Diagnostic> {
    let (command, _) = subject(script)?;
    let mut out = Vec::new();
    let failed = |error: std::io::Error| usage(&format!("the page cannot be made: {error}"));
    clap_mangen::Man::new(command).render(&mut out).map_err(failed)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// The command that is described, and its name.
fn subject(script: Option<&str>) -> Result<(Command, String), Diagnostic> {
    let Some(name) = script else { return Ok((whole(), "lt".to_string())) };
    let script = named(name)?;
    let stem =
        Path::new(&script.name).file_stem().map_or_else(|| script.name.clone(), |stem| stem.to_string_lossy().into());
    Ok((arguments::command(&stem, &declared_by(&script)), stem))
}

/// lt with its commands and the scripts of its library.
fn whole() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    for name in COMMANDS {
        command = command.subcommand(Command::new(*name));
    }
    for name in library::names().into_iter().filter(|name| !COMMANDS.contains(&name.as_str())) {
        if let Some(Ok(script)) = library::find(&name) {
            command = command.subcommand(arguments::command(&name, &declared_by(&script)));
        }
    }
    command
}

/// The script of the library, or the file, of this name.
fn named(name: &str) -> Result<Script, Diagnostic> {
    find_script(name).unwrap_or_else(|| Err(no_such_script(name)))
}

fn declared_by(script: &Script) -> Declared {
    describe(script).map(|found| found.0).unwrap_or_default()
}
