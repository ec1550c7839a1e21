//! Links LLVM 19 statically, with the BPF target only: inkwell itself links nothing (feature `no-llvm-linking`), so
//! that neither the other targets nor libz3, libxml2 and libffi get into the binary.
//!
//! `LLVM_CONFIG` names another `llvm-config`; it has to be of version 19. `CXX` names the compiler that is asked where
//! its libstdc++ is.

use std::path::Path;
use std::process::{Command, exit};

/// What `codegen` uses of LLVM. `executionengine` is there because inkwell's `Module` refers to it in its destructor,
/// `irreader` because debug.rs reads metadata as text.
const COMPONENTS: [&str; 6] = ["bpf", "passes", "core", "target", "irreader", "executionengine"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for variable in ["LLVM_CONFIG", "CXX"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let config = std::env::var("LLVM_CONFIG").unwrap_or_else(|_| "llvm-config-19".into());
    let version = ask(&config, &["--version"]);
    if !version.starts_with("19.") {
        fail(&format!("{config} is of LLVM {version}, but lt needs LLVM 19"));
    }
    println!("cargo:rustc-link-search=native={}", ask(&config, &["--libdir"]));
    let libraries = ask(&config, &[&["--link-static", "--libs"], &COMPONENTS[..]].concat());
    for library in libraries.split_whitespace() {
        println!("cargo:rustc-link-lib=static:-bundle={}", library.trim_start_matches("-l"));
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".into());
    for library in ["stdc++", "zstd", "z"] {
        link_archive(&compiler, library);
    }
}

/// Links a system library from the archive that the C++ compiler finds.
fn link_archive(compiler: &str, library: &str) {
    let file = format!("lib{library}.a");
    let path = ask(compiler, &[&format!("-print-file-name={file}")]);
    // The compiler answers with the bare name when it does not find the file.
    match Path::new(&path).parent().filter(|directory| directory.is_absolute()) {
        Some(directory) => println!("cargo:rustc-link-search=native={}", directory.display()),
        None => fail(&format!("{compiler} does not find {file}")),
    }
    println!("cargo:rustc-link-lib=static:-bundle={library}");
}

/// The standard output of a command, trimmed.
fn ask(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_string(),
        Ok(output) => fail(&format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => fail(&format!("{program} cannot be run: {error}")),
    }
}

fn fail(message: &str) -> ! {
    eprintln!("error: {message}");
    eprintln!("`make setup` installs LLVM 19 and everything else that the build needs");
    exit(1)
}
