//! Tests and benchmarks as people read them.

use super::{BenchmarkRun, TestRun};
use std::io::Write;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Columns of the table of benchmarks.
const NAME_WIDTH: usize = 40;
const TIME_WIDTH: usize = 15;

/// Units of time with their nanoseconds, largest first.
const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

pub(super) fn test_text(run: &TestRun<'_>, out: &mut Vec<u8>) {
    let at = run.passed.len().saturating_sub(1);
    let (name, all) = (run.names.get(at).copied().unwrap_or_default(), run.names.len());
    // writing to a Vec cannot fail, here and below
    if at == 0 {
        let _ = writeln!(out, "{GREEN}[==========]{PLAIN} Running {all} tests.");
    }
    let _ = writeln!(out, "{GREEN}[ RUN      ]{PLAIN} {name}");
    let (unit, scale) = UNITS.iter().find(|row| run.duration >= row.1).copied().unwrap_or(("ns", 1));
    let took = run.duration / scale;
    if run.passed.last() == Some(&true) {
        let _ = writeln!(out, "{GREEN}[       OK ]{PLAIN} {name} ({took} {unit})");
    } else {
        for line in run.output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        let _ = writeln!(out, "{RED}[  FAILED  ]{PLAIN} {name} ({took} {unit})");
    }
    if at + 1 == all {
        summary(run, out);
    }
}

fn summary(run: &TestRun<'_>, out: &mut Vec<u8>) {
    let tests = |count: usize| if count == 1 { "test" } else { "tests" };
    let all = run.names.len();
    let passed = run.passed.iter().filter(|passed| **passed).count();
    let failed = run.passed.len() - passed;
    let _ = writeln!(out, "{GREEN}[==========]{PLAIN} {all} {} ran.", tests(all));
    let _ = writeln!(out, "{GREEN}[  PASSED  ]{PLAIN} {passed} {}.", tests(passed));
    if failed > 0 {
        let _ = writeln!(out, "{RED}[  FAILED  ]{PLAIN} {failed} {}, listed below:", tests(failed));
        for (name, _) in run.names.iter().zip(run.passed).filter(|(_, passed)| !**passed) {
            let _ = writeln!(out, "{RED}[  FAILED  ]{PLAIN} {name}");
        }
    }
}

pub(super) fn benchmark_text(run: &BenchmarkRun<'_>, out: &mut Vec<u8>) {
    let width = run.names.iter().map(|name| name.len()).max().unwrap_or(0).max(NAME_WIDTH) + 1;
    if run.at == 0 {
        let head = format!("{:width$}{:TIME_WIDTH$}Iterations", "Benchmark", "Time(ns)");
        let _ = writeln!(out, "{head}\n{}", "-".repeat(head.len()));
    }
    let name = run.names.get(run.at).copied().unwrap_or_default();
    let _ = writeln!(out, "{name:width$}{:<TIME_WIDTH$}{}", run.average, run.runs);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_shows_its_output() {
        let mut out = Vec::new();
        let (names, passed) = (["a", "b"], [true, false]);
        test_text(&TestRun { names: &names, passed: &passed[..1], duration: 1500, output: b"hidden\n" }, &mut out);
        test_text(&TestRun { names: &names, passed: &passed, duration: 7, output: b"shown\n" }, &mut out);
        let text = String::from_utf8(out).unwrap().replace(GREEN, "").replace(RED, "").replace(PLAIN, "");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "[==========] Running 2 tests.",
                "[ RUN      ] a",
                "[       OK ] a (1 us)",
                "[ RUN      ] b",
                "shown",
                "[  FAILED  ] b (7 ns)",
                "[==========] 2 tests ran.",
                "[  PASSED  ] 1 test.",
                "[  FAILED  ] 1 test, listed below:",
                "[  FAILED  ] b",
            ]
        );
    }
}
