//! A running machine: booting it, giving it jobs, noticing when it is lost.

use super::jobs::{Job, Output, VmError};
use super::kernels::Kernel;
use super::qemu::{self, Emulator, FileServer};
use super::{guest, wire};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A boot takes 2 to 5 s under emulation; more on a busy machine.
const BOOT_DEADLINE: Duration = Duration::from_secs(120);
/// With KVM it takes one second, or for ever where KVM is there but does not really work.
const KVM_BOOT_DEADLINE: Duration = Duration::from_secs(30);
/// How much longer than the job's own deadline the host waits for the guest to keep it.
const GRACE: Duration = Duration::from_secs(60);
/// A job that writes more than this to one stream has gone wild.
const OUTPUT_LIMIT: usize = 64 << 20;
const CONSOLE_LINES: usize = 80;

/// One booted machine. Dropping it kills it.
pub struct Machine {
    emulator: Emulator,
    files: FileServer,
    decoder: wire::Decoder,
    /// The kernel's name in the cache.
    name: String,
    /// What the guest says its release is.
    release: String,
}

/// Why the next frame did not come.
enum Lost {
    Late,
    Gone(String),
}

impl Machine {
    /// Boots `kernel`. A boot that dies before the guest's greeting is tried once more, and not by KVM then: emulators
    /// have such moments, and nested KVM many.
    pub fn boot(kernel: &Kernel) -> Result<Machine, VmError> {
        check_host().map_err(VmError::Missing)?;
        let initramfs = guest::initramfs(kernel).map_err(VmError::Broken)?;
        static KVM_FAILED: AtomicBool = AtomicBool::new(false);
        let accelerated = qemu::kvm_works() && !KVM_FAILED.load(Ordering::Relaxed);
        Machine::try_boot(kernel, &initramfs, accelerated).or_else(|first| {
            eprintln!("vm {}: booting failed, trying once more\n{first}", kernel.name);
            KVM_FAILED.store(true, Ordering::Relaxed);
            Machine::try_boot(kernel, &initramfs, false)
        })
    }

    fn try_boot(kernel: &Kernel, initramfs: &[u8], accelerated: bool) -> Result<Machine, VmError> {
        let started = Instant::now();
        let limit = if accelerated { KVM_BOOT_DEADLINE } else { BOOT_DEADLINE };
        let files = qemu::serve_files(kernel).map_err(VmError::Broken)?;
        let emulator = qemu::start(kernel, initramfs, &files.connection, accelerated);
        let emulator = emulator.map_err(|e| VmError::Broken(format!("{}: {e}", qemu::QEMU)))?;
        let (decoder, release) = (wire::Decoder::default(), String::new());
        let mut machine = Machine { emulator, files, decoder, name: kernel.name.clone(), release };
        match machine.receive(started + limit) {
            Ok((wire::HELLO, body)) => {
                let records = wire::decode(&body);
                machine.release =
                    records.iter().find(|(k, _)| k == "release").map(|(_, v)| v.clone()).unwrap_or_default();
                if std::env::var_os("LT_VM_LOG").is_some() {
                    let (name, took) = (&machine.name, started.elapsed().as_secs_f64());
                    eprintln!("vm {name}: ready after {took:.2} s ({records:?})");
                }
                if machine.release != kernel.release {
                    return Err(machine.broken(&format!("runs {}, not {}", machine.release, kernel.release)));
                }
                Ok(machine)
            }
            Ok((kind, _)) => Err(machine.broken(&format!("unexpected frame {kind} instead of a greeting"))),
            Err(Lost::Late) => Err(machine.broken(&format!("no greeting within {} s", limit.as_secs()))),
            Err(Lost::Gone(how)) => Err(machine.broken(&format!("the machine stopped while booting: {how}"))),
        }
    }

    /// Runs one job to its end. After an error the machine is of no more use.
    pub fn run(&mut self, job: &Job) -> Result<Output, VmError> {
        let body = wire::frame(wire::JOB, &wire::encode(job.records()));
        let sent = self.emulator.port.set_write_timeout(Some(GRACE)).and_then(|()| self.emulator.port.write_all(&body));
        sent.map_err(|e| self.broken(&format!("cannot send the job: {e}")))?;
        let mut output = Output { kernel: self.name.clone(), release: self.release.clone(), ..Output::default() };
        match self.collect(Instant::now() + job.timeout + GRACE, &mut output) {
            Ok(()) => Ok(output),
            Err(what) => Err(self.broken(&format!("{what}; until then:\n{output}"))),
        }
    }

    /// Takes a job's frames up to the last.
    fn collect(&mut self, deadline: Instant, output: &mut Output) -> Result<(), String> {
        loop {
            match self.receive(deadline) {
                Ok((wire::STDOUT, bytes)) => output.stdout.extend_from_slice(&bytes),
                Ok((wire::STDERR, bytes)) => output.stderr.extend_from_slice(&bytes),
                Ok((wire::EXIT, body)) => {
                    output.finish(&wire::decode(&body));
                    return Ok(());
                }
                Ok((kind, _)) => return Err(format!("unexpected frame {kind} while a job runs")),
                Err(Lost::Late) => return Err("the guest does not answer any more".to_owned()),
                Err(Lost::Gone(how)) => return Err(format!("the machine stopped while a job ran: {how}")),
            }
            if output.stdout.len().max(output.stderr.len()) > OUTPUT_LIMIT {
                return Err(format!("the job wrote more than {} MB", OUTPUT_LIMIT >> 20));
            }
        }
    }

    /// The next frame from the guest.
    fn receive(&mut self, deadline: Instant) -> Result<(u8, Vec<u8>), Lost> {
        let mut piece = [0; 64 << 10];
        loop {
            if let Some(frame) = self.decoder.frame() {
                return Ok(frame);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lost::Late);
            }
            let port = &mut self.emulator.port;
            match port.set_read_timeout(Some(left)).and_then(|()| port.read(&mut piece)) {
                Ok(0) => return Err(Lost::Gone(self.end_of_qemu())),
                Ok(n) => self.decoder.push(&piece[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(Lost::Late),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Lost::Gone(e.to_string())),
            }
        }
    }

    /// How QEMU ended, once its side of the port is closed.
    fn end_of_qemu(&mut self) -> String {
        let give_up = Instant::now() + Duration::from_secs(2);
        loop {
            match self.emulator.process.try_wait() {
                Ok(Some(status)) => return format!("QEMU ended with {status}"),
                Ok(None) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(10)),
                _ => return "QEMU closed the port".to_owned(),
            }
        }
    }

    /// A failure of the machine, with what its parts said last.
    fn broken(&self, what: &str) -> VmError {
        let mut text = format!("kernel {}: {what}", self.name);
        let parts = [("console", &self.emulator.console), ("qemu", &self.emulator.log), ("virtiofsd", &self.files.log)];
        for (part, log) in parts {
            let tail = log.tail(CONSOLE_LINES);
            if !tail.is_empty() {
                text += &format!("\n--- {part} ---\n{tail}");
            }
        }
        VmError::Broken(text)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for process in [&mut self.emulator.process, &mut self.files.process] {
            // Fails only when it has ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What this machine must have before any kernel can be booted.
fn check_host() -> Result<(), String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("the machines are x86_64 and see this host's programs, which are not".to_owned());
    }
    // SAFETY: no pointers.
    if unsafe { libc::geteuid() } != 0 {
        return Err("virtiofsd needs root".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|d| d.join(qemu::QEMU).is_file()) {
        return Err(format!("{} is not installed (`make setup` installs it)", qemu::QEMU));
    }
    qemu::virtiofsd().map(|_| ())
}
