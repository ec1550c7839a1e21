//! Where a script comes from: `-e`, a file, standard input.

use crate::cli::Cli;
use crate::invocation::Loaded;
use crate::{library, manual};
use clap::CommandFactory;
use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, nearest};
use std::io::{IsTerminal, Read};
use std::path::Path;

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Run (or check, or emit) a script with these positional parameters.
    Script(Script),
    /// `lt check FILE...`, `lt check -e PROGRAM`
    Check(Vec<Script>),
    /// `lt fmt FILE...`, `lt fmt -e PROGRAM`
    Format(Vec<Script>),
    /// `-l [PATTERN]`
    List(String),
    /// `-l FILE`, `-l -e PROGRAM`: the probes of a script.
    ListScript(Script),
    /// `lt probes FILE`: the probes of a script and how they are attached.
    ScriptProbes(Script),
    /// `--info`
    Info,
    /// `lt` alone: the prompt.
    Prompt,
    /// `lt doc [NAME]`
    Doc(Option<String>),
    /// `lt list`, `lt man`, ...: a text.
    Print(String),
    /// `lt explain [CODE]`
    Explain(Option<String>),
    /// `lt kernel-profile FILE`
    SaveProfile(String),
    /// `lt load-artifacts FILE`: for those who test lt, and so not in the help.
    LoadArtifacts(String),
}

/// A script's text and its arguments.
#[derive(Clone, Debug)]
pub struct Script {
    /// As messages call it.
    pub name: String,
    /// The source.
    pub text: String,
    /// `$1`, `$2`, ...
    pub args: Vec<String>,
    /// `--name=value`, `--name` behind `--`.
    pub named: Vec<(String, Option<String>)>,
}

impl Script {
    /// A script without arguments.
    pub fn new(name: &str, text: String) -> Script {
        Script { name: name.into(), text, args: Vec::new(), named: Vec::new() }
    }

    /// Takes what stands behind the script, and behind `--`.
    fn with(mut self, cli: &Cli, args: &[String]) -> Script {
        self.args = args.to_vec();
        for word in &cli.after {
            match word.strip_prefix("--").filter(|name| !name.is_empty()) {
                Some(option) => {
                    let (name, value) =
                        option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
                    self.named.push((name.to_string(), value.map(String::from)));
                }
                None => self.args.push(word.clone()),
            }
        }
        self
    }
}

/// Subcommands by name, for suggestions.
pub const COMMANDS: &[&str] = &[
    "cat",
    "check",
    "completion",
    "doc",
    "explain",
    "fmt",
    "help",
    "kernel-profile",
    "list",
    "man",
    "probes",
    "repl",
    "run",
];

/// Subcommands for those who work on lt.
const HIDDEN: &[&str] = &["load-artifacts"];

/// Most bytes of a script that are read: the language's limit and a little, so that the parser can say it.
const MOST_BYTES: u64 = (1 << 20) + 1;

/// Reads the command line as a request.
pub fn request(cli: &Cli) -> Result<Request, Diagnostic> {
    if let Some(file) = &cli.aot {
        let message = format!("`{}` cannot be made: lt does not make executables of scripts", file.display());
        return Err(usage(&message).help(
            "a script with `#!/usr/bin/env lt` in its first line is a program already; it compiles in milliseconds",
        ));
    }
    if let Some(folder) = cli.include_folders.iter().find(|folder| !folder.is_dir()) {
        return Err(usage(&format!("`{}` of -I is no folder", folder.display())));
    }
    if cli.info {
        return Ok(Request::Info);
    }
    if let Some(Loaded { script, texts: Some(_) }) = &cli.loaded {
        return Ok(Request::Script(script.clone()));
    }
    if !cli.execute.is_empty() {
        return Ok(given(cli));
    }
    if cli.list {
        return list(cli);
    }
    let Some((first, args)) = cli.rest.split_first() else {
        return if std::io::stdin().is_terminal() {
            Ok(Request::Prompt)
        } else {
            Err(usage("nothing to run")
                .help("give a program with -e, a script file, `-` for standard input, or see `lt --help`"))
        };
    };
    let (first, args, is_run) = match args.split_first() {
        Some((name, args)) if first == "run" => (name, args, true),
        None if first == "run" => return Err(usage("`lt run` needs a script").help("for example: lt run tool.lt")),
        _ => (first, args, false),
    };
    if let Some(loaded) = &cli.loaded {
        return Ok(Request::Script(loaded.script.clone().with(cli, args)));
    }
    if is_run {
        let script = called(first).unwrap_or_else(|| Err(no_such_script(first)))?;
        return Ok(Request::Script(script.with(cli, args)));
    }
    if first == "-" || is_file_name(first) {
        return Ok(Request::Script(read_script(first)?.with(cli, args)));
    }
    command(cli, first, args)
}

/// A program of `-e`: to be run, checked, or listed.
fn given(cli: &Cli) -> Request {
    let script = Script::new("-e", cli.execute.join("\n"));
    match cli.rest.split_first() {
        Some((first, [])) if first == "fmt" => Request::Format(vec![script]),
        Some((first, [])) if first == "check" => Request::Check(vec![script.with(cli, &[])]),
        Some((first, [])) if first == "probes" => Request::ScriptProbes(script.with(cli, &[])),
        _ if cli.list => Request::ListScript(script.with(cli, &cli.rest)),
        _ => Request::Script(script.with(cli, &cli.rest)),
    }
}

/// A script file, or standard input for `-`.
pub fn read_script(name: &str) -> Result<Script, Diagnostic> {
    if name == "-" {
        let text = read_text("<stdin>", std::io::stdin().lock())?;
        return Ok(Script::new("<stdin>", text));
    }
    Ok(Script::new(name, read_file(name)?))
}

/// Whether a word is the name of a command.
pub fn is_command(word: &str) -> bool {
    COMMANDS.contains(&word) || HIDDEN.contains(&word)
}

/// The script that a word names; `None` for the name of a command, and of nothing.
pub fn find_script(word: &str) -> Option<Result<Script, Diagnostic>> {
    if is_command(word) { None } else { called(word) }
}

/// The script that a word names where no command can stand.
pub fn called(word: &str) -> Option<Result<Script, Diagnostic>> {
    if word == "-" || is_file_name(word) {
        return Some(read_script(word));
    }
    library::find(word)
}

/// A script file, or a script of the library where there is none of this name.
fn named(word: &str) -> Result<Script, Diagnostic> {
    if Path::new(word).exists() { read_script(word) } else { called(word).unwrap_or_else(|| read_script(word)) }
}

/// `lt check`: what follows is file names.
fn check(args: &[String]) -> Result<Request, Diagnostic> {
    match args {
        [] => Err(usage("`lt check` needs a script").help("for example: lt check tool.lt, or lt check -e 'begin { }'")),
        files => Ok(Request::Check(files.iter().map(|file| named(file)).collect::<Result<_, _>>()?)),
    }
}

/// What is wrong with a word that is no option of lt.
pub fn unknown_option(word: &str) -> Diagnostic {
    let command = Cli::command();
    let options: Vec<String> = command
        .get_arguments()
        .flat_map(|option| option.get_long().map(|long| format!("--{long}")))
        .chain(["--help".into(), "--version".into()])
        .collect();
    let mut diagnostic = usage(&format!("there is no option `{word}`"));
    if let Some(near) = nearest(word, options.iter().map(String::as_str)) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    diagnostic
        .help("`lt --help` lists the options; `--` stands before options of the script and words that begin with `-`")
}

/// `-l [PATTERN | FILE]`
fn list(cli: &Cli) -> Result<Request, Diagnostic> {
    match cli.rest.as_slice() {
        [] => Ok(Request::List("*".into())),
        [file] if is_file_name(file) && Path::new(file).is_file() => {
            Ok(Request::ListScript(read_script(file)?.with(cli, &[])))
        }
        [pattern] => Ok(Request::List(pattern.clone())),
        [_, more, ..] => Err(usage(&format!("-l takes one pattern, `{more}` is too much"))),
    }
}

/// A name with a slash or a script's ending is a file; every other word is a command.
fn is_file_name(word: &str) -> bool {
    word.contains('/') || word.ends_with(".lt") || word.ends_with(".bt")
}

fn command(cli: &Cli, name: &str, args: &[String]) -> Result<Request, Diagnostic> {
    match (name, args) {
        ("check", scripts) => check(scripts),
        ("fmt", []) => Err(usage("`lt fmt` needs a script").help("for example: lt fmt tool.lt, or lt fmt -")),
        ("fmt", files) => Ok(Request::Format(files.iter().map(|file| read_script(file)).collect::<Result<_, _>>()?)),
        ("repl", []) => Ok(Request::Prompt),
        ("doc", []) => Ok(Request::Doc(None)),
        ("doc", [name]) => Ok(Request::Doc(Some(name.clone()))),
        ("doc", _) => Err(usage("`lt doc` takes one name").help("for example: lt doc hist")),
        ("explain", []) => Ok(Request::Explain(None)),
        ("explain", [code]) => Ok(Request::Explain(Some(code.clone()))),
        ("explain", _) => Err(usage("`lt explain` takes one code").help("for example: lt explain LT0205")),
        ("probes", [file]) => Ok(Request::ScriptProbes(named(file)?)),
        ("probes", _) => Err(usage("`lt probes` needs a script").help("for example: lt probes tool.lt")),
        ("kernel-profile", [file]) => Ok(Request::SaveProfile(file.clone())),
        ("kernel-profile", _) => Err(usage("`lt kernel-profile` takes the name of the file to write")),
        ("load-artifacts", [file]) => Ok(Request::LoadArtifacts(file.clone())),
        ("list", []) => Ok(Request::Print(manual::list())),
        ("list", _) => Err(usage("`lt list` takes nothing").help("it lists all scripts that are called by a name")),
        ("cat", [name]) => manual::cat(name).map(Request::Print),
        ("cat", _) => Err(usage("`lt cat` needs the name of a script").help("`lt list` lists them")),
        ("help", names @ ([] | [_])) => manual::help_of(names.first().map(String::as_str)).map(Request::Print),
        ("help", _) => Err(usage("`lt help` takes the name of one script").help("`lt list` lists them")),
        ("completion", [shell]) => manual::completion(shell, None).map(Request::Print),
        ("completion", [shell, script]) => manual::completion(shell, Some(script)).map(Request::Print),
        ("completion", _) => {
            Err(usage("`lt completion` needs a shell, and perhaps a script").help("for example: lt completion bash"))
        }
        ("man", scripts @ ([] | [_])) => manual::man(scripts.first().map(String::as_str)).map(Request::Print),
        ("man", _) => Err(usage("`lt man` takes the name of one script").help("for example: lt man opens | man -l -")),
        _ => match library::find(name) {
            Some(script) => Ok(Request::Script(script?.with(cli, args))),
            None => Err(no_such_script(name)),
        },
    }
}

/// What to say when a word names nothing.
pub fn no_such_script(name: &str) -> Diagnostic {
    let mut diagnostic = usage(&format!("there is no command or bundled script `{name}`"));
    let scripts = library::names();
    if let Some(near) = nearest(name, COMMANDS.iter().copied().chain(scripts.iter().map(String::as_str))) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    diagnostic.help(format!("a script file is named with a slash or its ending: ./{name}"))
}

/// A wrong command line.
pub fn usage(message: &str) -> Diagnostic {
    Diagnostic::error(Code::Usage, message)
}

pub fn read_file(name: &str) -> Result<String, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::error(Code::UnreadableFile, format!("cannot read `{name}`: {}", reason(&error)))
            .help("give the path of a script, or a program with -e")
    };
    let path = Path::new(name);
    if path.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    read_text(name, file)
}

/// Reads a script, refusing what is not text.
fn read_text(name: &str, from: impl Read) -> Result<String, Diagnostic> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| {
        Diagnostic::error(Code::UnreadableFile, format!("cannot read `{name}`: {}", reason(&error)))
    })?;
    String::from_utf8(bytes).or_else(|error| {
        // a cut in the middle of a character at the limit is the size's fault, which the parser reports
        if error.as_bytes().len() as u64 == MOST_BYTES {
            return Ok(String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        let at = error.utf8_error().valid_up_to();
        Err(Diagnostic::error(Code::NotText, format!("`{name}` is not text: byte {at} is not UTF-8"))
            .help("a script is a text file; is this a program or an archive?"))
    })
}

/// An I/O error in words, without the number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
