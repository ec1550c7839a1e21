//! Which crate depends on which, and under which licenses.

use super::{Findings, rust, sources};
use serde_json::Value;
use std::process::Command;

/// The crates of the house, and those that each may depend on.
const EDGES: [(&str, &[&str]); 7] = [
    ("lt-lang", &[]),
    ("lt-codegen", &["lt-lang"]),
    ("lt-runtime", &["lt-lang"]),
    ("lt-scripts", &[]),
    ("lt", &["lt-lang", "lt-codegen", "lt-runtime", "lt-scripts"]),
    ("lt-vm-init", &[]),
    ("lt-bench", &[]),
];

/// Foreign crates that shape their user, and the only crate that may depend on each.
const USERS: [(&str, &str); 10] = [
    ("inkwell", "lt-codegen"),
    ("libbpf-rs", "lt-runtime"),
    ("libbpf-sys", "lt-runtime"),
    ("btf-rs", "lt-runtime"),
    ("blazesym", "lt-runtime"),
    ("logos", "lt-lang"),
    ("lalrpop-util", "lt-lang"),
    ("ariadne", "lt"),
    ("clap", "lt"),
    ("rustyline", "lt"),
];

/// What lang never depends on, beside those that have another user.
const NEVER_IN_LANG: [&str; 2] = ["libc", "tempfile"];

/// Foreign crates of the root package, and the only file there that names each.
const FILES: [(&str, &str); 2] = [("ariadne", "src/render.rs"), ("rustyline", "src/repl.rs")];

/// Licenses that lt, under Apache-2.0 OR MIT, can be given away with.
const LICENSES: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "Unicode-3.0",
    "CC0-1.0",
    "BSL-1.0",
];

/// Crates under other licenses, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("btf-rs", "LGPL-2.1-or-later", "asked for by the project's owner; whoever passes on a binary has the sources"),
    ("btf-rs-derive", "LGPL-2.1-or-later", "the macros of btf-rs"),
];

/// No crate of the house depends on another one than drawn.
pub fn edges() -> Findings {
    let houses: Vec<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    dependencies()
        .into_iter()
        .filter(|(user, used)| {
            let allowed = EDGES.iter().find(|(name, _)| name == user).map_or(&[][..], |(_, allowed)| allowed);
            (houses.contains(&used.as_str()) && !allowed.contains(&used.as_str())) || !houses.contains(&user.as_str())
        })
        .map(|(user, used)| format!("{user} depends on {used}: not an edge of tests/tidy/crates.rs"))
        .collect()
}

/// Foreign crates stay with their user.
pub fn users() -> Findings {
    let broken = |user: &str, used: &str| {
        let elsewhere = USERS.iter().any(|(name, only)| *name == used && *only != user);
        elsewhere || (user == "lt-lang" && NEVER_IN_LANG.contains(&used))
    };
    let all = dependencies().into_iter().filter(|(user, used)| broken(user, used));
    all.map(|(user, used)| format!("{user} must not depend on {used}")).collect()
}

/// Within the root package, some crates are named in one file only.
pub fn files() -> Findings {
    let mut findings = Findings::new();
    for source in sources::rust("src/") {
        let code = rust::code(&source.text);
        let foreign = FILES.iter().filter(|(name, only)| source.path != *only && code.contains(&format!("{name}::")));
        findings.extend(foreign.map(|(name, only)| format!("{} names {name}: only {only} may", source.path)));
    }
    findings
}

/// Every crate that is built comes under a license that goes with ours.
pub fn licenses() -> Findings {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = match metadata(&["--locked", "--filter-platform", &target]) {
        Ok(metadata) => metadata,
        Err(problem) => return vec![problem],
    };
    let built: Vec<&str> = list(&metadata["resolve"]["nodes"]).filter_map(|node| node["id"].as_str()).collect();
    let packages = list(&metadata["packages"]).filter(|package| built.contains(&text(&package["id"])));
    packages
        .map(|package| (text(&package["name"]), text(&package["license"])))
        .filter(|(name, license)| !EXCEPTIONS.iter().any(|(n, l, _)| n == name && l == license) && !allowed(license))
        .map(|(name, license)| format!("{name} is under {license:?}, which nobody has looked at yet"))
        .collect()
}

/// Whether a license expression leaves a choice that is allowed: every term of AND, one term of OR.
pub fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").split_whitespace().collect::<Vec<_>>().join(" ");
    let term = |term: &str| LICENSES.contains(&term.trim_matches(['(', ')', ' ']));
    expression.split(" AND ").all(|part| part.split(" OR ").any(term))
}

/// Pairs (crate of the house, crate it depends on), build and test dependencies included.
fn dependencies() -> Vec<(String, String)> {
    // A failure shows as an edge that is not allowed.
    let metadata = metadata(&["--offline", "--no-deps"]).unwrap_or_else(|problem| panic!("{problem}"));
    let packages = list(&metadata["packages"]);
    let pairs = packages.flat_map(|package| {
        let used = list(&package["dependencies"]);
        used.map(|used| (text(&package["name"]).to_owned(), text(&used["name"]).to_owned())).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn metadata(arguments: &[&str]) -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1"]).args(arguments).current_dir(sources::root());
    let output = command.output().map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
