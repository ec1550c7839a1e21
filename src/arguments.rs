//! The command line of a script: what clap makes of the declarations of its parameters, and the values that it gives.

use crate::cli::Cli;
use clap::builder::{PossibleValuesParser, ValueHint};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};
use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, Diagnostics, nearest};
use lt_lang::params::{COMMON, Declared, Kind, NumberOf, Parameter, Place, Value, Values};
use std::collections::HashMap;
use std::ffi::OsString;

/// The texts that a command line gives to parameters, by their names.
pub type Texts = HashMap<String, Vec<String>>;

/// What a script's command line says.
#[derive(Debug, Default)]
pub struct Said {
    /// To its parameters.
    pub texts: Texts,
    /// Options of lt that stand there, as lt's own command line has them.
    pub common: Vec<OsString>,
    /// `--help`
    pub help: bool,
}

/// How the values of options are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// As texts: what is wrong with them is told in the terms of parameters.
    Parse,
    /// To be described.
    Describe,
}

/// The command that a script is, to be described: help, completion, man page.
pub fn command(name: &str, declared: &Declared) -> Command {
    build(name, declared, Use::Describe)
}

/// Reads the words behind a script's name.
pub fn read(script: &str, declared: &Declared, words: &[String]) -> Result<Said, Diagnostic> {
    let command = build(script, declared, Use::Parse);
    match command.try_get_matches_from(words) {
        Ok(matches) => Ok(said(declared, &matches)),
        Err(error) => Err(refused(script, declared, &error)),
    }
}

fn build(name: &str, declared: &Declared, purpose: Use) -> Command {
    let mut command = Command::new(name.to_string())
        .no_binary_name(purpose == Use::Parse)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .help_template("{about-with-newline}\nUSAGE:\n       {usage}\n\n{all-args}{after-help}");
    if let Some(first) = declared.about.first() {
        command = command.about(first.clone()).long_about(declared.about.join("\n"));
    }
    if !declared.examples.is_empty() {
        let example = |one: &lt_lang::params::Example| match one.text.as_str() {
            "" => format!("\n  {}", one.command),
            text => format!("\n  {}\n      {text}", one.command),
        };
        command = command.after_help(format!("Examples:{}", declared.examples.iter().map(example).collect::<String>()));
    }
    for one in &declared.parameters {
        command = command.arg(argument(one, purpose));
    }
    let help = Arg::new("--help").long("help").action(ArgAction::SetTrue).help("Show what the script does and takes");
    let taken = declared.parameters.iter().any(|one| one.short == Some('h') && one.place == Place::Option);
    let heading = "Options of every script";
    command = command.arg(if taken { help } else { help.short('h') }.help_heading(heading));
    let own = Cli::command();
    let common = own.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| COMMON.contains(&long)));
    for arg in common {
        let id = format!("--{}", arg.get_long().unwrap_or_default());
        command = command.arg(arg.clone().id(id).short(None).help_heading(heading));
    }
    command
}

fn argument(one: &Parameter, purpose: Use) -> Arg {
    let mut arg = Arg::new(one.name.clone()).value_name(one.kind.metavar()).help(help(one));
    if let (Use::Describe, [_, _, ..]) = (purpose, one.doc.as_slice()) {
        arg = arg.long_help(help(one));
    }
    arg = match one.place {
        Place::Option => {
            let arg = arg.long(one.long.clone());
            if let Some(short) = one.short { arg.short(short) } else { arg }
        }
        Place::Positional => arg.value_name(one.long.to_uppercase()),
    };
    if one.kind == Kind::Bool && one.place == Place::Option {
        arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true");
    }
    arg = arg.action(if one.is_many() { ArgAction::Append } else { ArgAction::Set });
    if one.is_many() && one.place == Place::Positional {
        arg = arg.num_args(0..);
    }
    if matches!(one.kind, Kind::Number(_) | Kind::Float | Kind::Duration(_) | Kind::Size(_)) {
        arg = arg.allow_negative_numbers(true);
    }
    match (&one.kind, purpose) {
        (_, Use::Parse) => arg,
        (Kind::Choice(words), Use::Describe) => {
            described(arg.value_parser(PossibleValuesParser::new(words.clone())).hide_possible_values(true), one)
        }
        (Kind::Path, Use::Describe) => described(arg.value_hint(ValueHint::FilePath), one),
        (_, Use::Describe) => described(arg, one),
    }
}

fn described(arg: Arg, one: &Parameter) -> Arg {
    arg.required(one.is_required())
}

/// What help says about a parameter: its documentation, and what follows from the declaration.
fn help(one: &Parameter) -> String {
    let mut facts: Vec<String> = Vec::new();
    if let Some((low, high)) = &one.range {
        facts.push(format!("{} to {}", one.kind.show(low), one.kind.show(high)));
    }
    if one.list {
        facts.push("a list with commas".into());
    }
    if one.repeated {
        facts.push("can be repeated".into());
    }
    if let Some(default) = &one.default {
        let shown: Vec<String> = default.iter().map(|value| one.kind.show(value)).collect();
        facts.push(format!("default: {}", shown.join(",")));
    }
    let doc = one.doc.join(" ");
    match (doc.as_str(), facts.is_empty()) {
        (doc, true) => doc.to_string(),
        ("", false) => format!("[{}]", facts.join("; ")),
        (doc, false) => format!("{doc} [{}]", facts.join("; ")),
    }
}

fn said(declared: &Declared, matches: &ArgMatches) -> Said {
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let mut said = Said { help: matches.get_flag("--help"), ..Said::default() };
    for one in declared.parameters.iter().filter(|one| given(&one.name)) {
        let texts = matches.get_many::<String>(&one.name).into_iter().flatten().cloned().collect();
        said.texts.insert(one.name.clone(), texts);
    }
    for long in COMMON.iter().filter(|long| **long != "help") {
        let id = format!("--{long}");
        if !matches!(matches.try_contains_id(&id), Ok(true)) || !given(&id) {
            continue;
        }
        said.common.push(OsString::from(&id));
        let flag = Cli::command().get_arguments().any(|arg| {
            arg.get_long() == Some(*long) && matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::Count)
        });
        if !flag {
            said.common.extend(matches.get_raw(&id).into_iter().flatten().map(OsString::from));
        }
    }
    said
}

/// What is wrong with a command line that clap could not take apart.
fn refused(script: &str, declared: &Declared, error: &clap::Error) -> Diagnostic {
    let word = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        Some(ContextValue::Strings(words)) => words.first().cloned(),
        _ => None,
    };
    let word_at = word(ContextKind::InvalidArg).unwrap_or_default();
    let option = word_at.split([' ', '=', '[']).next().unwrap_or_default();
    let about = declared.parameters.iter().find(|one| match one.place {
        Place::Option => {
            option.strip_prefix("--") == Some(one.long.as_str())
                || one.short.is_some_and(|short| option == format!("-{short}"))
        }
        Place::Positional => word_at.trim_matches(['<', '>', '[', ']', '.']) == one.long.to_uppercase(),
    });
    let more = format!("`lt {script} --help` lists what it takes");
    match (error.kind(), about) {
        (ErrorKind::UnknownArgument, None) if option.starts_with('-') => {
            let known: Vec<String> = options(declared);
            let diagnostic = usage(format!("{script} has no option `{option}`"));
            match nearest(option, known.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            }
            .help(more)
        }
        (ErrorKind::UnknownArgument, _) => {
            let places = declared.parameters.iter().filter(|one| one.place == Place::Positional).count();
            let takes = match places {
                0 => "takes options only".to_string(),
                1 => "takes one argument beside options".to_string(),
                count => format!("takes {count} arguments beside options"),
            };
            usage(format!("`{word_at}` is too much: {script} {takes}")).help(more)
        }
        (ErrorKind::ArgumentConflict, Some(one)) => {
            usage(format!("{} is given twice", one.shown())).help(if one.kind == Kind::Bool {
                more
            } else {
                format!("it takes {}, such as {}", one.takes(), one.example())
            })
        }
        (ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals, Some(one)) => {
            usage(format!("{} has no value", one.shown())).help(takes(one)).help(more)
        }
        (ErrorKind::TooManyValues, Some(one)) => usage(format!("{} takes no value", one.shown())).help(more),
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals, None) => {
            common(option, error).help(more)
        }
        (ErrorKind::InvalidUtf8, _) => usage("the command line is no text: it is not UTF-8".into()),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            usage(format!("{script}: {}", first.trim_start_matches("error: "))).help(more)
        }
    }
}

/// What is wrong with an option that every script has.
fn common(option: &str, error: &clap::Error) -> Diagnostic {
    let text = |kind: ContextKind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let valid = text(ContextKind::ValidValue).map_or(String::new(), |valid| format!("; it takes {valid}"));
    match text(ContextKind::InvalidValue) {
        Some(value) => usage(format!("{option}: '{value}' is no value of it{valid}")),
        None => usage(format!("{option} has no value{valid}")),
    }
}

/// The options of a script as they are written.
fn options(declared: &Declared) -> Vec<String> {
    let own = declared.parameters.iter().filter(|one| one.place == Place::Option);
    let own = own.flat_map(|one| std::iter::once(format!("--{}", one.long)).chain(one.short.map(|c| format!("-{c}"))));
    own.chain(COMMON.iter().map(|long| format!("--{long}"))).collect()
}

fn takes(one: &Parameter) -> String {
    format!("it takes {}, such as {}", one.takes(), one.example())
}

fn usage(message: String) -> Diagnostic {
    Diagnostic::error(Code::Usage, message)
}

/// The values of a script's parameters, from the texts of its command line. All that is wrong is told.
pub fn values(declared: &Declared, texts: &Texts) -> (Values, Diagnostics) {
    let mut out = Diagnostics::default();
    let mut values = Values::new();
    for one in &declared.parameters {
        match texts.get(&one.name) {
            Some(given) => {
                let read = given.iter().map(|text| one.read(text));
                match read.collect::<Result<Vec<_>, String>>() {
                    Ok(read) => {
                        let read: Vec<Value> = read.into_iter().flatten().collect();
                        read.iter().filter_map(|value| missing(one, value)).for_each(|missing| out.push(missing));
                        values.insert(one.name.clone(), read);
                    }
                    Err(why) => out.push(usage(format!("{}: {why}", one.shown())).help(takes(one))),
                }
            }
            None if one.is_required() => {
                out.push(usage(format!("{} is missing: the script needs it", one.shown())).help(takes(one)));
            }
            None => values.extend(one.value_without().map(|value| (one.name.clone(), value))),
        }
    }
    for group in &declared.exclusive {
        let given: Vec<String> = group
            .iter()
            .filter_map(|at| declared.parameters.get(*at))
            .filter(|one| texts.contains_key(&one.name))
            .map(Parameter::shown)
            .collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("{first} and {second} exclude each other");
            out.push(usage(message).help("give one of them"));
        }
    }
    (values, out)
}

/// A process or thread that is named but does not exist.
fn missing(one: &Parameter, value: &Value) -> Option<Diagnostic> {
    let (of, Value::Uint(number)) = (one.number_of()?, value) else { return None };
    let (exists, what) = match of {
        NumberOf::Process => (lt_runtime::is_process(*number), "process"),
        NumberOf::Thread => (lt_runtime::is_thread(*number), "thread"),
    };
    let message = format!("{}: there is no {what} {number}", one.shown());
    let list = if of == NumberOf::Process { "ps -e lists the processes" } else { "ps -eL lists the threads" };
    (!exists).then(|| Diagnostic::error(Code::NoSuchProcess, message).help(list))
}
