//! `lt`: a small tracing language for Linux and the tool that runs it. This package only composes the rooms: command
//! line, session, rendering.

mod cli;
mod docs;
mod input;
mod render;
mod repl;
mod session;

use clap::Parser;
use cli::Cli;
use session::Session;

fn main() {
    let status = match Cli::try_parse() {
        Ok(cli) => Session::new(&cli).run(&cli),
        Err(error) => {
            // clap prints help and version to standard output and errors to standard error
            let _ = error.print();
            error.exit_code()
        }
    };
    // Leaving without destructors spares the pages that LLVM's would touch; everything was flushed.
    lt_runtime::exit_now(status)
}
