//! Runs the host's jobs, one at a time.

use crate::{modules, sys, wire};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PIECE: usize = 32 << 10;
/// How long the end of a job's processes and of their output is waited for, once they are killed.
const DRAIN: Duration = Duration::from_secs(5);

/// Finds the host's port by its name and opens it. There is no udev that would make a link.
pub fn open_port() -> Result<File, String> {
    let give_up = Instant::now() + Duration::from_secs(5);
    loop {
        for entry in std::fs::read_dir("/sys/class/virtio-ports").into_iter().flatten().flatten() {
            let name = std::fs::read_to_string(entry.path().join("name")).unwrap_or_default();
            if name.trim_end() == wire::PORT {
                let device = std::path::Path::new("/dev").join(entry.file_name());
                if let Ok(file) = File::options().read(true).write(true).open(device) {
                    return Ok(file);
                }
            }
        }
        if Instant::now() > give_up {
            return Err(format!("no virtio-serial port named {}", wire::PORT));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Tells the host that the guest is ready.
pub fn greet(port: &mut File, release: &str) -> Result<(), String> {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds: f64 = uptime.split(' ').next().and_then(|s| s.parse().ok()).unwrap_or_default();
    let body = wire::encode([("release", release.to_owned()), ("uptime_ms", ((seconds * 1000.0) as u64).to_string())]);
    port.write_all(&wire::frame(wire::HELLO, &body)).map_err(|e| format!("the host does not listen: {e}"))
}

/// Runs jobs until the host is gone.
pub fn serve(mut port: File) {
    let mut decoder = wire::Decoder::default();
    let mut piece = vec![0; PIECE];
    loop {
        match port.read(&mut piece) {
            // The port reads as ended while the host's side is not connected.
            Ok(0) => std::thread::sleep(Duration::from_millis(5)),
            Ok(n) => decoder.push(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return sys::complain(&format!("reading the port: {e}")),
        }
        while let Some((kind, body)) = decoder.frame() {
            if kind == wire::JOB
                && let Err(e) = run(&wire::decode(&body), &mut port)
            {
                return sys::complain(&format!("writing to the port: {e}"));
            }
        }
    }
}

/// How a job ended.
struct End {
    status: i32,
    timed_out: bool,
}

/// Runs one job and reports it. Errors are those of the port.
fn run(job: &[(String, String)], port: &mut File) -> io::Result<()> {
    let started = Instant::now();
    let end = match command(job).spawn() {
        Ok(mut child) => {
            let outputs = [
                child.stdout.take().map(|s| Source { fd: s.into(), kind: wire::STDOUT }),
                child.stderr.take().map(|s| Source { fd: s.into(), kind: wire::STDERR }),
            ];
            let timeout = value(job, "timeout_ms").and_then(|t| t.parse().ok()).unwrap_or(60_000);
            attend(child.id() as i32, outputs, started + Duration::from_millis(timeout), port)?
        }
        Err(e) => {
            port.write_all(&wire::frame(wire::STDERR, format!("lt-vm-init: cannot start: {e}\n").as_bytes()))?;
            End { status: if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 }, timed_out: false }
        }
    };
    let body = wire::encode([
        ("status", end.status.to_string()),
        ("timed_out", u8::from(end.timed_out).to_string()),
        ("elapsed_ms", started.elapsed().as_millis().to_string()),
    ]);
    port.write_all(&wire::frame(wire::EXIT, &body))
}

fn value<'a>(job: &'a [(String, String)], key: &str) -> Option<&'a str> {
    job.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}

fn command(job: &[(String, String)]) -> Command {
    let mut arguments = job.iter().filter(|(k, _)| k == "arg").map(|(_, v)| v);
    let mut command = Command::new(arguments.next().map_or("/bin/true", |a| a));
    command.args(arguments).env_clear();
    if std::path::Path::new(modules::ELSEWHERE).is_dir() {
        command.env("MODPROBE_OPTIONS", format!("-d {}", modules::ELSEWHERE));
    }
    for (name, text) in job.iter().filter(|(k, _)| k == "env").filter_map(|(_, v)| v.split_once('=')) {
        command.env(name, text);
    }
    command.current_dir(value(job, "cwd").unwrap_or("/"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: setsid(2) is async-signal-safe and takes no pointers.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        })
    };
    command
}

/// One output pipe of a job and the kind of the frames that carry it.
struct Source {
    fd: OwnedFd,
    kind: u8,
}

/// Relays the output until the job's first process ends or the time is up, then kills what is left of it and relays
/// the rest, so that nothing of one job lives on into the next.
fn attend(pid: i32, mut outputs: [Option<Source>; 2], deadline: Instant, port: &mut File) -> io::Result<End> {
    let ended = sys::pidfd(pid)?;
    let mut timed_out = false;
    loop {
        let ready = poll(&outputs, Some(ended.as_raw_fd()), deadline)?;
        relay(&mut outputs, ready, port)?;
        if ready[2] {
            break;
        }
        if Instant::now() >= deadline {
            timed_out = true;
            break;
        }
    }
    let status = clear_away(pid, &mut outputs, port)?.unwrap_or(libc::SIGKILL);
    let status = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
    Ok(End { status, timed_out })
}

/// Kills whatever still runs (a job that ended keeps its own status), relays the rest of the output and waits until all
/// processes are gone. Gives the wait status of `pid`, unless it could not even be killed.
fn clear_away(pid: i32, outputs: &mut [Option<Source>; 2], port: &mut File) -> io::Result<Option<i32>> {
    let give_up = Instant::now() + DRAIN;
    let mut status = None;
    loop {
        sys::kill_everything();
        let nobody = loop {
            match sys::reap() {
                sys::Reaped::Child(reaped, code) if reaped == pid => status = Some(code),
                sys::Reaped::Child(..) => {}
                sys::Reaped::Running => break false,
                sys::Reaped::Nobody => break true,
            }
        };
        let ready = poll(outputs, None, Instant::now() + Duration::from_millis(1))?;
        relay(outputs, ready, port)?;
        if (nobody && outputs.iter().all(Option::is_none)) || Instant::now() > give_up {
            return Ok(status);
        }
    }
}

/// Waits for output, for `ended`, or for the deadline; says which of the three (stdout, stderr, ended) are ready.
fn poll(outputs: &[Option<Source>; 2], ended: Option<RawFd>, deadline: Instant) -> io::Result<[bool; 3]> {
    let raw = |source: &Option<Source>| source.as_ref().map_or(-1, |s| s.fd.as_raw_fd());
    let mut set = [raw(&outputs[0]), raw(&outputs[1]), ended.unwrap_or(-1)].map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let left = deadline.saturating_duration_since(Instant::now()).as_millis() as libc::c_int;
    // SAFETY: the array outlives the call and its length is given.
    if unsafe { libc::poll(set.as_mut_ptr(), set.len() as libc::nfds_t, left.saturating_add(1)) } < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok([false; 3]) } else { Err(error) };
    }
    Ok(set.map(|p| p.revents != 0))
}

/// Passes on one piece of each ready output; drops an output that has ended.
fn relay(outputs: &mut [Option<Source>; 2], ready: [bool; 3], port: &mut File) -> io::Result<()> {
    let mut piece = [0u8; PIECE];
    for (slot, ready) in outputs.iter_mut().zip(ready) {
        let Some(source) = slot.as_ref().filter(|_| ready) else { continue };
        // SAFETY: the buffer outlives the call and its length is given.
        let n = unsafe { libc::read(source.fd.as_raw_fd(), piece.as_mut_ptr().cast(), piece.len()) };
        if n > 0 {
            port.write_all(&wire::frame(source.kind, &piece[..n as usize]))?;
        } else {
            *slot = None;
        }
    }
    Ok(())
}
