//! Compiling many scripts and loading what comes of them, here or in a guest.

use super::tree::Script;
use crate::support;
use crate::vm::{self, Job, VmError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Loads,
    /// The checker or the kernel's profile says why not: as it should be.
    Refused(String),
    /// The verifier gave up, which cannot be known before: so many ways, instructions or states.
    TooLarge(String),
    /// lt or the kernel's verifier failed.
    Fails(String),
}

/// Where artifacts are loaded.
pub enum Target {
    Here,
    /// The guest of this name, and the file that describes its kernel.
    Guest(String, PathBuf),
}

/// A target and a folder to work in, which goes away.
pub struct Bench {
    target: Target,
    folder: tempfile::TempDir,
    batches: AtomicUsize,
}

/// Most seconds for one batch under emulation.
const PATIENCE: Duration = Duration::from_secs(900);
/// The statuses of a script that was refused: it does not compile, the kernel lacks something.
const REFUSALS: [i32; 2] = [1, 3];
/// The code of what a kernel lacks, as a loader says it.
const LACKS: &str = "LT0503";
/// How verifiers say that a program is more than they follow.
const LIMITS: [&str; 2] = ["BPF program is too large. Processed", "jumps is too complex"];
/// The code of what must not happen.
const INTERNAL: &str = "[LT0601]";

impl Bench {
    /// For this machine.
    pub fn here() -> Result<Bench, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Bench { target: Target::Here, folder, batches: AtomicUsize::new(0) })
    }

    /// For a guest: asks it what its kernel is.
    pub fn guest(kernel: &str) -> Result<Bench, VmError> {
        let folder = tempfile::tempdir().map_err(|error| VmError::Broken(error.to_string()))?;
        let profile = folder.path().join("profile");
        let line = "\"$LT\" kernel-profile /tmp/generate-profile && cat /tmp/generate-profile";
        let output = vm::run(kernel, Job::sh(line))?;
        output.success().map_err(|why| VmError::Broken(format!("{why}\n{}", output.err())))?;
        std::fs::write(&profile, &output.stdout).map_err(|error| VmError::Broken(error.to_string()))?;
        Ok(Bench { target: Target::Guest(kernel.to_owned(), profile), folder, batches: AtomicUsize::new(0) })
    }

    /// Of the kernel.
    pub fn name(&self) -> &str {
        match &self.target {
            Target::Here => "this kernel",
            Target::Guest(name, _) => name,
        }
    }

    /// Whether it is this machine's kernel, not an emulated one.
    pub fn is_here(&self) -> bool {
        matches!(self.target, Target::Here)
    }

    /// The artifact of a script for the kernel.
    pub fn artifact(&self, script: &str) -> Result<Vec<u8>, Verdict> {
        self.compile(script, &self.folder.path().join("alone.lt"))
    }

    /// All that the loader says of an artifact, the verifier's log too.
    pub fn load_one(&self, artifact: &[u8]) -> Result<String, String> {
        let file = self.folder.path().join("alone");
        std::fs::write(&file, artifact).map_err(|error| error.to_string())?;
        match &self.target {
            Target::Here => {
                let mut command = std::process::Command::new(support::lt_path());
                let ran = support::run(command.args(["-v", "load-artifacts"]).arg(&file));
                Ok(ran.stdout + &ran.stderr)
            }
            Target::Guest(kernel, _) => {
                let job = Job::sh(format!("\"$LT\" -v load-artifacts '{}' 2>&1", file.display()));
                Ok(vm::run(kernel, job).map_err(|error| error.to_string())?.out().into_owned())
            }
        }
    }

    /// Whether a script compiles for the kernel.
    pub fn compiles(&self, script: &str) -> Result<bool, String> {
        match self.artifact(script) {
            Ok(_) => Ok(true),
            Err(Verdict::Refused(_)) => Ok(false),
            Err(verdict) => Err(format!("{verdict:?}\n{script}")),
        }
    }

    /// What comes of each script.
    pub fn judge(&self, scripts: &[Script]) -> Result<Vec<Verdict>, String> {
        let batch = self.folder.path().join(format!("batch{}", self.batches.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir(&batch).map_err(|error| error.to_string())?;
        let compiled = self.compile_all(scripts, &batch);
        let (mut verdicts, mut bundle) = (Vec::new(), Vec::new());
        for result in compiled {
            verdicts.push(match result {
                Ok(artifact) => {
                    bundle.extend(artifact);
                    Verdict::Loads
                }
                Err(verdict) => verdict,
            });
        }
        let file = batch.join("bundle");
        std::fs::write(&file, bundle).map_err(|error| error.to_string())?;
        let said = self.load(&file)?;
        let mut lines = said.lines().map(|line| line.split_once(' ').map_or(line, |(_, verdict)| verdict));
        for verdict in verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Loads) {
            let line = lines.next().ok_or_else(|| format!("the loader says too little:\n{said}"))?;
            *verdict = match line {
                "ok" => Verdict::Loads,
                _ if line.starts_with(LACKS) => Verdict::Refused(line.to_owned()),
                _ if LIMITS.iter().any(|limit| line.contains(limit)) => Verdict::TooLarge(line.to_owned()),
                _ => Verdict::Fails(line.to_owned()),
            };
        }
        std::fs::remove_dir_all(&batch).map_err(|error| error.to_string())?;
        Ok(verdicts)
    }

    /// The artifact of each script, or why there is none; on all processors.
    fn compile_all(&self, scripts: &[Script], folder: &Path) -> Vec<Result<Vec<u8>, Verdict>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = scripts.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (scripts.chunks(share).enumerate())
                .map(|(worker, scripts)| {
                    let file = folder.join(format!("{worker}.lt"));
                    scope.spawn(move || {
                        scripts.iter().map(|script| self.compile(&script.to_string(), &file)).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("compiling does not panic")).collect()
        })
    }

    fn compile(&self, script: &str, file: &Path) -> Result<Vec<u8>, Verdict> {
        let failed = |error: std::io::Error| Verdict::Fails(error.to_string());
        std::fs::write(file, script).map_err(failed)?;
        let artifact = file.with_extension("artifact");
        let paths = [file, &artifact].map(|path| path.to_string_lossy().into_owned());
        let mut args = vec!["--emit", "artifact", "-o", &paths[1]];
        let profile;
        if let Target::Guest(_, path) = &self.target {
            profile = path.to_string_lossy().into_owned();
            args.extend(["--kernel-profile", &profile]);
        }
        args.push(&paths[0]);
        let ran = support::lt(args);
        if ran.status == 0 {
            return std::fs::read(artifact).map_err(failed);
        }
        let refused = REFUSALS.contains(&ran.status) && ran.stderr.contains("[LT") && !ran.stderr.contains(INTERNAL);
        Err(if refused {
            Verdict::Refused(ran.stderr)
        } else {
            Verdict::Fails(format!("status {}\n{}", ran.status, ran.stderr))
        })
    }

    /// What the loader says of each artifact of a bundle.
    fn load(&self, bundle: &Path) -> Result<String, String> {
        match &self.target {
            Target::Here => {
                let mut command = std::process::Command::new(support::lt_path());
                let ran = support::run(command.arg("load-artifacts").arg(bundle));
                support::expect(ran.status == 0, "the loader failed", &ran)?;
                Ok(ran.stdout)
            }
            Target::Guest(kernel, _) => {
                let job = Job::sh(format!("\"$LT\" load-artifacts '{}'", bundle.display())).timeout(PATIENCE);
                let output = vm::run(kernel, job).map_err(|error| error.to_string())?;
                output.success().map_err(|why| format!("{why}\n{output}"))?;
                Ok(output.out().into_owned())
            }
        }
    }
}
