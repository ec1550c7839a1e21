//! Random well-typed scripts: each is refused by the checker or loads (or is so large that the verifier gives up), and those that compute print the right numbers.
//!
//! The seed is fixed and said in failures, like the script's number; `LT_SEED` takes another, `LT_PROGRAMS` another number
//! of scripts, `LT_FIRST` begins at another one, `LT_KEEP_REFUSED` is a folder for those that were refused and why. What
//! was ever found to fail is a script in `cases`. A failure is shrunk before it is shown, for `LT_SHRINK` seconds.

mod batch;
mod damage;
mod evaluate;
mod examples;
mod make;
mod make_statements;
mod numbers;
mod places;
mod rng;
mod shrink;
mod tree;
mod values;

use crate::support;
use crate::vm::{self, VmError};
use batch::{Bench, Verdict};
use libtest_mimic::{Completion, Failed, Trial};
use make::Abilities;
use std::path::{Path, PathBuf};
use tree::Script;

/// Scripts of a run, here and on the kernels that are required.
const PROGRAMS: u64 = 300;
/// The same on the others: old verifiers take long for what new ones see at once.
const FEWER_PROGRAMS: u64 = 100;
/// Scripts that are loaded by one process.
const BATCH: u64 = 500;
/// Of 100 scripts, those that the checker must accept: a generator of refused ones shows nothing. Old kernels refuse many
/// for limits that the messages name (5.10: keys of 512 bytes), new ones about 15.
const ACCEPTED: usize = 40;
/// Of 100 scripts, those that may be too large for the verifier: actions of a thousand lines.
const TOO_LARGE: usize = 2;
/// The same for old verifiers, which walk through each step of each loop.
const TOO_LARGE_FOR_OLD: usize = 6;
/// Failures that are shrunk and shown.
const SHOWN: usize = 3;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    setting("LT_SEED", 20_251)
}

/// What runs on this machine.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        support::on_kernel("generate::loads", || loads(&Bench::here()?, PROGRAMS)),
        support::on_kernel("generate::values", values::values),
        support::on_kernel("generate::damage_is_explained", || damage::is_explained(&Bench::here()?)),
    ];
    trials.extend(cases().into_iter().map(|case| {
        let name = format!("generate::case_{}", case.file_stem().unwrap_or_default().to_string_lossy());
        Trial::ignorable_test(name, move || match support::cannot_trace() {
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => loads_here(&case).map(|()| Completion::Completed).map_err(Failed::from),
        })
    }));
    trials
}

/// What runs in the guest of this name.
pub fn guest_trial(kernel: &str, required: bool) -> Trial {
    let (name, kernel) = (format!("vm::{kernel}::generate_loads"), kernel.to_owned());
    Trial::ignorable_test(name, move || {
        let bench = match Bench::guest(&kernel) {
            Ok(bench) => bench,
            Err(VmError::Missing(what)) if !required => return Ok(Completion::ignored_with(what)),
            Err(error) => return Err(error.into()),
        };
        loads(&bench, if required { PROGRAMS } else { FEWER_PROGRAMS })
            .map_err(|why| format!("kernel {kernel}: {why}"))?;
        cases_load(&kernel)?;
        damage::is_explained(&bench)?;
        Ok(Completion::Completed)
    })
}

/// The scripts that failed once.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generate/cases");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    cases.retain(|path| path.extension().is_some_and(|ext| ext == "lt"));
    cases.sort();
    cases
}

fn loads_here(case: &Path) -> Result<(), String> {
    let ran = support::lt([Path::new("--dry-run"), case]);
    // this machine may lack what the case traces; guests have it
    let lacks = ran.status == 3 && !ran.stderr.contains("verifier");
    support::expect(ran.status == 0 || lacks, "it does not load", &ran)
}

/// All cases in one boot. Status 3 tells that the kernel lacks something; a verifier's refusal has another one.
fn cases_load(kernel: &str) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generate/cases");
    let line = format!(
        "status=0; for f in '{}'/*.lt; do \"$LT\" --dry-run \"$f\" || test $? -eq 3 || {{ echo \"$f\"; status=1; }}; done; exit $status",
        folder.display()
    );
    let output = vm::run(kernel, vm::Job::sh(line)).map_err(|error| error.to_string())?;
    output.success().map_err(|why| format!("{why}\n{output}"))
}

/// The texts of random scripts.
pub fn texts(count: u64) -> Vec<String> {
    let abilities = Abilities { functions: true, reads_maps: true, is_fast: true };
    (0..count).map(|number| make::script(seed(), number, abilities).to_string()).collect()
}

/// Makes the scripts, loads them, shrinks what fails.
fn loads(bench: &Bench, programs: u64) -> Result<(), String> {
    let (seed, programs) = (seed(), setting("LT_PROGRAMS", programs));
    let (mut refused, mut failures): (Vec<String>, Vec<(Script, String)>) = (Vec::new(), Vec::new());
    let reads_maps = bench.compiles("begin { @a[1] = count(); for ($e : @a) { } }")?;
    let abilities =
        Abilities { functions: !bench.is_here(), reads_maps, is_fast: bench.is_here() || programs > PROGRAMS };
    let (mut too_large, first) = (0, setting("LT_FIRST", 0));
    let mut at = first;
    while at < first + programs {
        let numbers = at..(first + programs).min(at + BATCH);
        let scripts: Vec<Script> = numbers.clone().map(|number| make::script(seed, number, abilities)).collect();
        for ((script, verdict), number) in scripts.iter().zip(bench.judge(&scripts)?).zip(numbers) {
            match verdict {
                Verdict::Loads => {}
                Verdict::TooLarge(_) => too_large += 1,
                Verdict::Refused(why) => refused.push(format!("{why}\n{script}")),
                Verdict::Fails(why) => failures.push((script.clone(), format!("script {number}: {why}"))),
            }
        }
        at += BATCH;
    }
    let loaded = programs as usize - refused.len() - failures.len() - too_large;
    eprintln!(
        "generate: {}: seed {seed}, {programs} scripts: {loaded} load, {} are refused{}, {too_large} are too large for the verifier, {} failed",
        bench.name(),
        refused.len(),
        reasons(&refused),
        failures.len()
    );
    if let Some(folder) = std::env::var_os("LT_KEEP_REFUSED") {
        for (at, text) in refused.iter().enumerate() {
            std::fs::write(Path::new(&folder).join(format!("{at}.txt")), text).map_err(|error| error.to_string())?;
        }
    }
    for (script, why) in failures.iter().take(SHOWN) {
        eprintln!("generate: {why}\n{script}");
    }
    if !failures.is_empty() {
        return Err(report(bench, seed, failures));
    }
    if too_large * 100 > programs as usize * if reads_maps { TOO_LARGE } else { TOO_LARGE_FOR_OLD } {
        return Err(format!("seed {seed}: {too_large} of {programs} scripts are too large for the verifier"));
    }
    if refused.len() * 100 > programs as usize * (100 - ACCEPTED) {
        let shown = refused.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
        return Err(format!("seed {seed}: {} of {programs} scripts are refused:\n{shown}", refused.len()));
    }
    Ok(())
}

/// How many messages of each code are the first of a refused script, the most frequent first: ` (LT0503 12, LT0603 3)`.
fn reasons(refused: &[String]) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for why in refused {
        let code = why.find("LT0").and_then(|at| why.get(at..at + 6)).unwrap_or("other");
        *counts.entry(code).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let counts: Vec<String> = counts.into_iter().map(|(code, count)| format!("{code} {count}")).collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}

fn report(bench: &Bench, seed: u64, failures: Vec<(Script, String)>) -> String {
    let mut text = format!("seed {seed}: {} scripts failed", failures.len());
    for (script, why) in failures.into_iter().take(SHOWN) {
        let small = shrink::shrink(script, |simpler| {
            let verdicts = bench.judge(simpler).ok()?;
            verdicts.iter().position(|verdict| matches!(verdict, Verdict::Fails(_)))
        });
        text.push_str(&format!("\n--- {why}\n{small}"));
    }
    text
}
