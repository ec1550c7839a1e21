//! Completion of probes: kinds from the table, targets from the kernel's lists.

use super::Completion;
use crate::kernel::Kernel;
use crate::probes::{self, ProbeRow, TargetSyntax};

/// Letters of a function's name that have to be there: a kernel has a hundred thousand of them.
const LEAST_LETTERS: usize = 1;

/// What a probe could become: `kpro`, `tracepoint:sched:sched_s`.
pub fn complete_target(text: &str, kernel: &dyn Kernel) -> Completion {
    let Some((kind, target)) = text.split_once(':') else {
        let colon = |row: &ProbeRow| if row.target == TargetSyntax::None { "" } else { ":" };
        return Completion::of(text, 0, probes::ALL.iter().map(|row| format!("{}{}", row.name, colon(row))));
    };
    let Some(row) = probes::lookup(kind) else { return Completion::default() };
    let start = text.rfind(':').map_or(0, |colon| colon + 1);
    let last = text.get(start..).unwrap_or_default();
    let parts: Vec<&str> = target.split(':').collect();
    Completion::of(text, start, targets(row, &parts, last, kernel).unwrap_or_default())
}

/// What the last of these parts of a target could be.
fn targets(row: &ProbeRow, parts: &[&str], last: &str, kernel: &dyn Kernel) -> Option<Vec<String>> {
    let beginning = format!("{last}*");
    match (row.target, parts) {
        (TargetSyntax::Tracepoint, [_]) => {
            let found = kernel.tracepoints(&beginning, "*").ok()?;
            Some(found.into_iter().map(|(category, _)| format!("{category}:")).collect())
        }
        (TargetSyntax::Tracepoint, [category, _]) => {
            Some(kernel.tracepoints(category, &beginning).ok()?.into_iter().map(|(_, name)| name).collect())
        }
        (TargetSyntax::Function, [_]) if last.len() >= LEAST_LETTERS => kernel.functions(&beginning).ok(),
        (TargetSyntax::Function, [module, _]) => {
            Some(kernel.functions_of(module, &beginning).ok()?.into_iter().map(|(_, name)| name).collect())
        }
        (TargetSyntax::RawTracepoint, [_]) => {
            Some(kernel.raw_tracepoints("*", &beginning).ok()?.into_iter().map(|(_, name)| name).collect())
        }
        (TargetSyntax::PerfEvent(events), [_]) => Some(events.iter().map(|event| event.name.to_string()).collect()),
        (TargetSyntax::UserFunction, [file, _]) => {
            Some(kernel.user_file(file).ok()??.matching(&beginning).map(|function| function.name.clone()).collect())
        }
        (TargetSyntax::Iterator, [_]) => kernel.iterators(&beginning).ok(),
        (TargetSyntax::Itself, [_]) => Some(vec!["signal:".to_string()]),
        (TargetSyntax::Period, [_]) => Some(["s:", "ms:", "us:", "hz:"].map(String::from).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::fake::FakeKernel;

    fn completed(text: &str) -> (usize, Vec<String>) {
        let found = complete_target(text, &FakeKernel::default());
        (found.start, found.words)
    }

    #[test]
    fn each_part_by_its_list() {
        assert_eq!(completed("tracepoint:sysc"), (11, vec!["syscalls:".to_string()]));
        assert_eq!(completed("t:syscalls:sys_enter_openat"), (11, vec!["sys_enter_openat".to_string()]));
        assert_eq!(completed("rawtracepoint:sched_sw"), (14, vec!["sched_switch".to_string()]));
        assert_eq!(completed("uprobe:/bin/sh:readli"), (15, vec!["readline".to_string(), "readlink".to_string()]));
        assert_eq!(completed("interval:h"), (9, vec!["hz:".to_string()]));
        assert!(completed("software:page").1.contains(&"page-faults".to_string()));
        assert_eq!(completed("nothing:x").1, [""; 0]);
    }
}
