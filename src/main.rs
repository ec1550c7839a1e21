//! `lt`: a small tracing language for Linux and the tool that runs it. This package only composes the rooms: command
//! line, session, rendering.

mod cli;
mod commands;
mod docs;
mod history;
mod imports;
mod input;
mod prompt;
mod render;
mod repl;
mod session;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use cli::Cli;
use session::Session;

fn main() {
    let status = match Cli::read(std::env::args_os()) {
        Ok(cli) => Session::new(&cli).run(&cli),
        Err(error) => refused(&error),
    };
    // Leaving without destructors spares the pages that LLVM's would touch; everything was flushed.
    lt_runtime::exit_now(status)
}

/// A command line that says nothing, or asks for help or the version.
fn refused(error: &clap::Error) -> i32 {
    let word = error.get(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument);
    if let Some(ContextValue::String(word)) = word {
        return Session::plain().fail(input::unknown_option(word));
    }
    // clap prints help and version to standard output and errors to standard error
    let _ = error.print();
    error.exit_code()
}
