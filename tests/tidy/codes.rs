//! Every diagnostic code is shown by a case in tests/ui.

use super::{Findings, sources};
use lt_lang::codes::{self, Code};
use std::collections::BTreeSet;

/// Codes that no script or command line provokes everywhere.
const WITHOUT_CASE: [(Code, &str); 8] = [
    (Code::NoBtf, "needs a kernel without type information"),
    (Code::NoTracefs, "needs a kernel without tracefs"),
    (Code::Fallback, "needs a kernel that lacks one mechanism and has another"),
    (Code::Internal, "would be a defect"),
    (Code::VerifierRejected, "would be a defect"),
    (Code::LoadFailed, "needs a kernel that is out of memory"),
    (Code::AttachFailed, "needs a kernel that refuses a probe which it lists"),
    (Code::RunFailed, "needs a kernel object that goes away"),
];

/// Each code has a script or command in tests/ui, or a reason for having none, but not both.
pub fn cases() -> Findings {
    let shown: BTreeSet<&str> =
        ui().filter(|name| !name.ends_with(".stderr")).filter_map(|name| name.get(..6)).collect();
    let mut findings = Findings::new();
    for row in codes::ALL {
        let code = row.code.to_string();
        let excuse = WITHOUT_CASE.iter().find(|(excused, _)| *excused == row.code);
        match (shown.contains(code.as_str()), excuse) {
            (false, None) => findings.push(format!("{code} ({}) has no case in tests/ui", row.title)),
            (true, Some(_)) => findings.push(format!("{code} has a case: it needs no excuse any more")),
            _ => {}
        }
    }
    findings
}

/// Each case has the message it expects, and each message its case; both carry a code that exists.
pub fn messages() -> Findings {
    let names: BTreeSet<&str> = ui().collect();
    let has = |stem: &str, ends: &[&str]| ends.iter().any(|end| names.contains(format!("{stem}{end}").as_str()));
    let mut findings = Findings::new();
    for name in &names {
        let (stem, end) = name.split_at(name.rfind('.').unwrap_or(name.len()));
        match end {
            ".lt" | ".cmd" if !has(stem, &[".stderr"]) => findings.push(format!("tests/ui/{name}: no {stem}.stderr")),
            ".stderr" if !has(stem, &[".lt", ".cmd"]) => findings.push(format!("tests/ui/{name}: no case")),
            ".lt" | ".cmd" | ".stderr" => {}
            _ => findings.push(format!("tests/ui/{name}: neither script, command nor message")),
        }
        if name.get(..6).and_then(Code::lookup).is_none() {
            findings.push(format!("tests/ui/{name}: does not start with a diagnostic code"));
        }
    }
    findings
}

/// The names of the files in tests/ui.
fn ui() -> impl Iterator<Item = &'static str> {
    let names = sources::all().iter().filter_map(|source| source.path.strip_prefix("tests/ui/"));
    names.filter(|name| !name.contains('/') && !name.ends_with(".md"))
}
