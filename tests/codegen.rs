//! What scripts become: `tests/codegen/*.lt` hold `// CHECK: text` lines, which must be found in this order in the
//! disassembly (`lt --emit bpf`), and `// ABSENT: text` lines, which must not be in it at all.

use crate::support::{self, expect};
use libtest_mimic::{Completion, Failed, Trial};
use std::path::{Path, PathBuf};

/// One trial for each case in the folder.
pub fn trials() -> Vec<Trial> {
    support::case_files("codegen", &["lt"]).into_iter().map(trial).collect()
}

fn trial(case: PathBuf) -> Trial {
    let name = format!("codegen::{}", case.file_stem().unwrap_or_default().to_string_lossy());
    Trial::ignorable_test(name, move || match support::cannot_trace() {
        // types and tracepoints of the running kernel are needed, which only root can read
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => check(&case).map(|()| Completion::Completed).map_err(Failed::from),
    })
}

fn check(case: &Path) -> Result<(), String> {
    let source = std::fs::read_to_string(case).map_err(|error| error.to_string())?;
    let wanted = directives(&source, "// CHECK: ");
    let banned = directives(&source, "// ABSENT: ");
    if wanted.is_empty() && banned.is_empty() {
        return Err("the case checks nothing".into());
    }
    let ran = support::lt(["--emit".as_ref(), "bpf".as_ref(), case.as_os_str()]);
    expect(ran.status == 0, "it does not compile", &ran)?;
    let mut lines = ran.stdout.lines().filter(|line| !line.trim_start().starts_with(';'));
    for text in wanted {
        expect(lines.any(|line| line.contains(text)), &format!("`{text}` is not there, or not in this place"), &ran)?;
    }
    let code = |line: &&str| !line.trim_start().starts_with(';');
    for text in banned {
        let found = ran.stdout.lines().filter(code).any(|line| line.contains(text));
        expect(!found, &format!("`{text}` is there"), &ran)?;
    }
    Ok(())
}

fn directives<'a>(source: &'a str, mark: &str) -> Vec<&'a str> {
    source.lines().filter_map(|line| Some(line.trim_start().strip_prefix(mark)?.trim_end())).collect()
}
