//! Where a script comes from: `-e`, a file, standard input.

use crate::cli::Cli;
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
    /// `-l`
    List(String),
    /// `lt` alone: the prompt.
    Prompt,
    /// `lt doc [NAME]`
    Doc(Option<String>),
    /// `lt explain [CODE]`
    Explain(Option<String>),
    /// `lt kernel-profile FILE`
    SaveProfile(String),
    /// `lt load-artifacts FILE`: for those who test lt, and so not in the help.
    LoadArtifacts(String),
}

/// A script's text and its arguments.
#[derive(Debug)]
pub struct Script {
    /// As messages call it.
    pub name: String,
    /// The source.
    pub text: String,
    /// `$1`, `$2`, ...
    pub args: Vec<String>,
}

/// Subcommands by name, for suggestions.
const COMMANDS: &[&str] = &["check", "doc", "explain", "kernel-profile", "repl"];

/// Most bytes of a script that are read: the language's limit and a little, so that the parser can say it.
const MOST_BYTES: u64 = (1 << 20) + 1;

/// Reads the command line as a request.
pub fn request(cli: &Cli) -> Result<Request, Diagnostic> {
    refuse_unknown_option(&cli.rest)?;
    if cli.list {
        return list(&cli.rest);
    }
    if !cli.execute.is_empty() {
        let text = cli.execute.join("\n");
        return Ok(Request::Script(Script { name: "-e".into(), text, args: cli.rest.clone() }));
    }
    let Some((first, args)) = cli.rest.split_first() else {
        return if std::io::stdin().is_terminal() {
            Ok(Request::Prompt)
        } else {
            Err(usage("nothing to run")
                .help("give a program with -e, a script file, `-` for standard input, or see `lt --help`"))
        };
    };
    if first == "-" || is_file_name(first) {
        return Ok(Request::Script(Script { args: args.to_vec(), ..read_script(first)? }));
    }
    command(first, args)
}

/// A script file, or standard input for `-`.
fn read_script(name: &str) -> Result<Script, Diagnostic> {
    if name == "-" {
        let text = read_text("<stdin>", std::io::stdin().lock())?;
        return Ok(Script { name: "<stdin>".into(), text, args: Vec::new() });
    }
    Ok(Script { name: name.into(), text: read_file(name)?, args: Vec::new() })
}

/// `lt check`: what follows is file names, or `-e PROGRAM`.
fn check(args: &[String]) -> Result<Request, Diagnostic> {
    match args {
        [] => Err(usage("`lt check` needs a script").help("for example: lt check tool.lt, or lt check -e 'begin { }'")),
        [option, program] if option == "-e" => {
            Ok(Request::Check(vec![Script { name: "-e".into(), text: program.clone(), args: Vec::new() }]))
        }
        files => Ok(Request::Check(files.iter().map(|file| read_script(file)).collect::<Result<_, _>>()?)),
    }
}

/// Behind the script every letter is the script's, so an unknown option of lt itself arrives as the first of those.
fn refuse_unknown_option(rest: &[String]) -> Result<(), Diagnostic> {
    let Some(word) = rest.first().filter(|word| word.starts_with('-') && word.len() > 1) else { return Ok(()) };
    if std::env::args().any(|argument| argument == "--") {
        return Ok(());
    }
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
    Err(diagnostic
        .help("`lt --help` lists the options; `--` stands before arguments of the script that begin with `-`"))
}

/// `-l [PATTERN]`
fn list(rest: &[String]) -> Result<Request, Diagnostic> {
    match rest {
        [] => Ok(Request::List("*".into())),
        [pattern] => Ok(Request::List(pattern.clone())),
        [_, more, ..] => {
            Err(usage(&format!("-l takes one pattern, `{more}` is too much")).help("options stand before the pattern"))
        }
    }
}

/// A name with a slash or a script's ending is a file; every other word is a command.
fn is_file_name(word: &str) -> bool {
    word.contains('/') || word.ends_with(".lt") || word.ends_with(".bt")
}

fn command(name: &str, args: &[String]) -> Result<Request, Diagnostic> {
    match (name, args) {
        ("check", scripts) => check(scripts),
        ("repl", []) => Ok(Request::Prompt),
        ("doc", []) => Ok(Request::Doc(None)),
        ("doc", [name]) => Ok(Request::Doc(Some(name.clone()))),
        ("doc", _) => Err(usage("`lt doc` takes one name").help("for example: lt doc hist")),
        ("explain", []) => Ok(Request::Explain(None)),
        ("explain", [code]) => Ok(Request::Explain(Some(code.clone()))),
        ("explain", _) => Err(usage("`lt explain` takes one code").help("for example: lt explain LT0205")),
        ("kernel-profile", [file]) => Ok(Request::SaveProfile(file.clone())),
        ("kernel-profile", _) => Err(usage("`lt kernel-profile` takes the name of the file to write")),
        ("load-artifacts", [file]) => Ok(Request::LoadArtifacts(file.clone())),
        _ => {
            let mut diagnostic = usage(&format!("there is no command or bundled script `{name}`"));
            if let Some(near) = nearest(name, COMMANDS.iter().copied()) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            Err(diagnostic.help(format!("a script file is named with a slash or its ending: ./{name}")))
        }
    }
}

fn usage(message: &str) -> Diagnostic {
    Diagnostic::error(Code::Usage, message)
}

fn read_file(name: &str) -> Result<String, Diagnostic> {
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
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
