//! A command line as a whole: what stands before a script's name is lt's, what stands behind the name of a script with
//! parameters is the script's.

use crate::arguments::{self, Texts};
use crate::cli::Cli;
use crate::imports;
use crate::input::{self, Script};
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser};
use lt_lang::diagnostic::Diagnostic;
use lt_lang::params::{Declared, declared};
use lt_lang::source::SourceMap;
use std::ffi::OsString;
use std::path::Path;

/// What a command line asks for.
pub enum Invocation {
    /// To do what it says.
    Do(Box<Cli>),
    /// To print this.
    Say(String),
}

/// Why a command line cannot be read.
pub enum Refused {
    /// lt's own part.
    Own(clap::Error),
    /// A script's part.
    Script(Diagnostic),
}

/// A script that was read already, with the words behind its name.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its text.
    pub script: Script,
    /// What the command line gives to its parameters; `None` of a script without any.
    pub texts: Option<Texts>,
}

/// Reads a command line.
pub fn read(words: impl Iterator<Item = OsString>) -> Result<Invocation, Refused> {
    let words: Vec<OsString> = words.collect();
    let Some((cli, script, behind)) = script_of(&words) else {
        return Cli::read(words.into_iter()).map(|cli| Invocation::Do(Box::new(cli))).map_err(Refused::Own);
    };
    // standard input can be read once only: what was wrong with it is told here
    let script = script.map_err(Refused::Script)?;
    let found = describe(&script);
    let mut options = behind.iter().take_while(|word| *word != "--");
    let asks_help = options.any(|word| word == "--help");
    let asks = |declared: &Declared| declared.is_described() && asks_help;
    if let Some((declared, _)) = found.as_ref().filter(|found| asks(&found.0)) {
        return Ok(Invocation::Say(help(&script.name, declared)));
    }
    let Some((declared, whole)) = found.filter(|found| found.0.has_parameters()) else {
        // nothing behind the name can mean anything else
        let complete = behind.is_empty() && !words.iter().any(|word| word == "--");
        let cli = if complete { cli } else { Cli::read(words.into_iter()).map_err(Refused::Own)? };
        return Ok(Invocation::Do(Box::new(Cli { loaded: Some(Loaded { script, texts: None }), ..cli })));
    };
    if !whole {
        // what is wrong with the script is told first
        return Ok(Invocation::Do(Box::new(Cli { loaded: Some(Loaded { script, texts: Some(Texts::new()) }), ..cli })));
    }
    let said = arguments::read(&script.name, &declared, &behind).map_err(Refused::Script)?;
    if said.help {
        return Ok(Invocation::Say(help(&script.name, &declared)));
    }
    let cli =
        if said.common.is_empty() { cli } else { with_common(&words, &cli, said.common).map_err(Refused::Own)? };
    Ok(Invocation::Do(Box::new(Cli { loaded: Some(Loaded { script, texts: Some(said.texts) }), ..cli })))
}

/// A script that a command line names, or why it cannot be read, and the words behind its name.
type Named = (Cli, Result<Script, Diagnostic>, Vec<String>);

/// The script that a command line names; `None` when it names none.
fn script_of(words: &[OsString]) -> Option<Named> {
    let cut = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (own, after) = words.split_at(cut);
    let cli = leading(own)?;
    if cli.info || cli.list || cli.aot.is_some() {
        return None;
    }
    let after: Vec<String> = after.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if !cli.execute.is_empty() {
        let script = Script::new("-e", cli.execute.join("\n"));
        let is_command = cli.rest.first().is_some_and(|first| input::is_command(first));
        let behind = cli.rest.iter().cloned().chain(after.into_iter().skip(1)).collect();
        return (!is_command).then_some((cli, Ok(script), behind));
    }
    let (first, behind) = cli.rest.split_first()?;
    let (behind, script) = match behind.split_first() {
        Some((name, behind)) if first == "run" => (behind, input::called(name)),
        _ => (behind, input::find_script(first)),
    };
    let behind = behind.iter().cloned().chain(after).collect();
    Some((cli, script?, behind))
}

/// lt's options before the first word that is none of them; everything from there on is `rest`.
fn leading(words: &[OsString]) -> Option<Cli> {
    let command = Cli::command();
    let takes_value = |arg: &Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let mut at = 1;
    while let Some(word) = words.get(at).map(|word| word.to_string_lossy()) {
        let own = |test: &dyn Fn(&Arg) -> bool| command.get_arguments().find(|arg| !arg.is_positional() && test(arg));
        // whether the word is an option, and whether its value is the next word
        let (option, apart) = if let Some(long) = word.strip_prefix("--") {
            let name = long.split('=').next();
            let found = own(&|arg| arg.get_long() == name);
            (found.is_some(), found.is_some_and(takes_value) && !long.contains('='))
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            letters_of(letters, &|letter| own(&|arg| arg.get_short() == Some(letter)).map(takes_value))
        } else {
            (false, false)
        };
        if !option {
            break;
        }
        at += 1 + usize::from(apart);
    }
    let rest = words.get(at..).unwrap_or_default().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = Cli::try_parse_from(words.get(..at)?).ok()?;
    Some(Cli { rest, ..cli })
}

/// Whether letters are options, and whether the last one's value is the next word. `takes` says of a letter whether it
/// takes a value, when it is an option.
fn letters_of(letters: &str, takes: &dyn Fn(char) -> Option<bool>) -> (bool, bool) {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        match takes(letter) {
            None => return (false, false),
            Some(true) => return (true, rest.as_str().is_empty()),
            Some(false) => {}
        }
    }
    (true, false)
}

/// lt's own options with those that stand among the script's.
fn with_common(words: &[OsString], cli: &Cli, common: Vec<OsString>) -> Result<Cli, clap::Error> {
    let cut = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let own = cut.saturating_sub(cli.rest.len());
    let words: Vec<OsString> = words.iter().take(own).cloned().chain(common).collect();
    let matches = Cli::command().args_override_self(true).try_get_matches_from(words)?;
    Ok(Cli { rest: cli.rest.clone(), ..Cli::from_arg_matches(&matches)? })
}

/// What a script declares, and whether it is free of mistakes so far; `None` when it cannot declare anything.
pub fn describe(script: &Script) -> Option<(Declared, bool)> {
    const WORDS: &[&str] = &["param", "import", "example", "//!"];
    if !WORDS.iter().any(|word| script.text.contains(word)) {
        return None;
    }
    let mut sources = SourceMap::default();
    let file = sources.add(&script.name, script.text.as_str());
    let (mut ast, mut messages) = lt_lang::parse(&sources, file);
    messages.extend(imports::load(&mut ast, &mut sources, Path::new(&script.name)));
    let (declared, found) = declared(&ast, &sources);
    messages.extend(found);
    Some((declared, !messages.has_errors()))
}

/// The help text of a script.
pub fn help(name: &str, declared: &Declared) -> String {
    let about = declared.about.join("\n");
    let mut command = arguments::command(&format!("lt {name}"), declared).about(about);
    command.render_help().to_string()
}
