//! `lt`: a small tracing language for Linux and the tool that runs it. This package only composes the rooms: command
//! line, session, rendering.

mod arguments;
mod cli;
mod commands;
mod docs;
mod history;
mod imports;
mod input;
mod invocation;
mod library;
mod manual;
mod prompt;
mod render;
mod repl;
mod session;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use invocation::{Invocation, Refused};
use session::Session;

fn main() {
    let status = match invocation::read(std::env::args_os()) {
        Ok(Invocation::Do(cli)) => Session::new(&cli).run(&cli),
        Ok(Invocation::Say(text)) => Session::plain().print(&text).unwrap_or_else(|status| status),
        Err(Refused::Own(error)) => refused(&error),
        Err(Refused::Script(diagnostic)) => Session::plain().fail(diagnostic),
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
