//! Messages as users see them: `tests/ui/LTnnnn_name.lt` is a script, `.cmd` a shell line with `$LT`; beside each
//! stands the expected `.stderr`, whose first line is `status N`. `LT_BLESS=1` writes what was seen.

use crate::support::{self, Ran};
use libtest_mimic::{Completion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One trial for each case in the folder.
pub fn trials() -> Vec<Trial> {
    support::case_files("ui", &["lt", "cmd"]).into_iter().map(trial).collect()
}

fn trial(case: PathBuf) -> Trial {
    let name = format!("ui::{}", case.file_stem().unwrap_or_default().to_string_lossy());
    Trial::ignorable_test(name, move || match support::cannot_trace() {
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => check(&case).map(|()| Completion::Completed).map_err(Failed::from),
    })
}

fn check(case: &Path) -> Result<(), String> {
    let ran = execute(case);
    let seen = format!("status {}\n{}", ran.status, ran.stderr);
    let code = case.file_name().unwrap_or_default().to_string_lossy()[..6].to_string();
    support::expect(ran.stderr.contains(&code), &format!("{code} is not in the message"), &ran)?;
    support::expect(!ran.stderr.contains("panicked"), "it panicked", &ran)?;
    let golden = case.with_extension("stderr");
    if std::env::var_os("LT_BLESS").is_some() {
        return std::fs::write(&golden, &seen).map_err(|error| error.to_string());
    }
    let expected = std::fs::read_to_string(&golden).map_err(|error| format!("{}: {error}", golden.display()))?;
    support::expect(seen == expected, &format!("the message differs; expected:\n{expected}"), &ran)
}

/// Runs a case inside its folder, so that messages name no path.
fn execute(case: &Path) -> Ran {
    let name = case.file_name().unwrap_or_default();
    let folder = case.parent().unwrap_or(Path::new("."));
    let mut command = if case.extension().is_some_and(|ext| ext == "cmd") {
        let mut shell = Command::new("bash");
        shell.arg(name);
        shell
    } else {
        let mut lt = Command::new(support::lt_path());
        lt.arg(name);
        lt
    };
    support::run(command.current_dir(folder).env("LT", support::lt_path()).env_remove("RUST_BACKTRACE"))
}
