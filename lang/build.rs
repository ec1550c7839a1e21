//! Compiles `grammar/lt.lalrpop`, the one grammar of the language, into the parser that `src/parser.rs` includes.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=../grammar/lt.lalrpop");
    let mut generator = lalrpop::Configuration::new();
    generator.set_in_dir("../grammar");
    generator.set_out_dir(std::env::var_os("OUT_DIR").unwrap_or_default());
    match generator.process() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
