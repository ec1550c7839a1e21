//! The ends of a run, good and bad: nothing of ours stays in the kernel, what was printed is whole, the status is right.

use crate::support::{Ran, expect, finish, lt_path, on_kernel, run, wait};
use libtest_mimic::Trial;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("kill::signals_end_in_good_order", signals),
        on_kernel("kill::sigkill_leaves_nothing", sigkill),
        on_kernel("kill::reader_that_leaves", reader_leaves),
        on_kernel("kill::reader_that_stops", reader_stops),
        on_kernel("kill::second_signal_ends_a_blocked_run", second_signal),
        on_kernel("kill::full_disk", full_disk),
        on_kernel("kill::traced_process_is_killed", process_killed),
        on_kernel("kill::command_is_killed", command_killed),
        on_kernel("kill::two_hundred_starts", starts),
    ]
}

/// A map's name that nobody else uses, at most 15 characters with what stands before it in the kernel.
fn own_map(letter: char) -> String {
    format!("{letter}{}", std::process::id())
}

/// A script that counts in the map and prints lines of thirty-two characters.
fn script(map: &str) -> String {
    format!(
        "begin {{ @{map} = 1; printf(\"ready\\n\") }} interval:ms:1 {{ printf(\"%s%020d\\n\", \"0123456789\", 7); @{map}++ }} \
         tracepoint:syscalls:sys_enter_read {{ @{map}++ }} end {{ printf(\"over\\n\") }}"
    )
}

const LINE: &str = "012345678900000000000000000007";

/// Starts lt, and waits until its first line is out: all probes act then.
fn start(script: &str, more: &[&str]) -> Result<Child, String> {
    let mut command = Command::new(lt_path());
    command.args(["-q", "-e", script]).args(more).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: one system call between fork and exec. Who runs the tests under nohup hands on that SIGHUP is ignored.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut first = [0; 6];
    let read = child.stdout.as_mut().map(|stdout| stdout.read_exact(&mut first));
    if !matches!(read, Some(Ok(()))) || &first != b"ready\n" {
        return Err(format!("it did not start: {:?}", finish(child)));
    }
    Ok(child)
}

fn send(child: &Child, signal: i32) {
    // SAFETY: the process is our own child and was not waited for.
    unsafe { libc::kill(child.id() as i32, signal) };
}

/// Every line is whole, and the last ones are what ends a run.
fn is_whole(ran: &Ran, map: &str) -> Result<(), String> {
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    let last = format!("@{map}: ");
    let (end, tail) = (lines.iter().position(|line| *line == "over"), lines.last());
    expect(ran.stdout.ends_with('\n'), "the last line ends", ran)?;
    expect(tail.is_some_and(|line| line.starts_with(&last)), "the map is the last line", ran)?;
    expect(end == lines.len().checked_sub(2), "the end action is before it", ran)?;
    expect(lines[..lines.len() - 2].iter().all(|line| *line == LINE), "all lines are whole", ran)
}

fn signals() -> Result<(), String> {
    for (signal, letter) in [(libc::SIGINT, 'i'), (libc::SIGTERM, 't'), (libc::SIGHUP, 'h')] {
        let map = own_map(letter);
        let child = start(&script(&map), &[])?;
        send(&child, signal);
        let ran = finish(child);
        expect(ran.status == 0, &format!("signal {signal}"), &ran)?;
        is_whole(&ran, &map)?;
        gone(&map)?;
    }
    Ok(())
}

fn sigkill() -> Result<(), String> {
    let map = own_map('k');
    let child = start(&script(&map), &[])?;
    if !present(&map) {
        return Err("the map is not there while lt runs: the test sees nothing".into());
    }
    send(&child, libc::SIGKILL);
    let ran = finish(child);
    expect(ran.status == 128 + libc::SIGKILL, "killed", &ran)?;
    gone(&map)
}

fn reader_leaves() -> Result<(), String> {
    let map = own_map('p');
    let mut child = start(&script(&map), &[])?;
    drop(child.stdout.take());
    let status = wait(&mut child).and_then(|status| status.code());
    if status != Some(0) {
        return Err(format!("status {status:?}, not 0"));
    }
    gone(&map)
}

/// Prints so much that a pipe that nobody reads is full at once.
fn flooding(map: &str) -> String {
    script(map).replace("interval:ms:1", "profile:hz:4999")
        + &format!(" tracepoint:syscalls:sys_enter_getppid {{ printf(\"%s%020d\\n\", \"0123456789\", 7); @{map}++ }}")
}

/// Fills the pipe of a run until it waits for its reader.
fn fill(child: &Child) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(30);
    let blocked = |pid: u32| {
        let stack = std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
        stack.contains("pipe_write")
    };
    while Instant::now() < end {
        for _ in 0..2000 {
            // SAFETY: no arguments; glibc makes the system call each time.
            unsafe { libc::getppid() };
        }
        if blocked(child.id()) {
            return Ok(());
        }
    }
    Err("the run never waited for its reader".into())
}

fn reader_stops() -> Result<(), String> {
    let map = own_map('s');
    let child = start(&flooding(&map), &[])?;
    fill(&child)?;
    send(&child, libc::SIGINT);
    // from here on somebody reads again
    let ran = finish(child);
    expect(ran.status == 0, "it ends in good order", &Ran { stdout: String::new(), ..ran })?;
    gone(&map)
}

fn second_signal() -> Result<(), String> {
    let map = own_map('q');
    let mut child = start(&flooding(&map), &[])?;
    fill(&child)?;
    send(&child, libc::SIGINT);
    std::thread::yield_now();
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        send(&child, libc::SIGINT);
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            _ if Instant::now() > end => break None,
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    use std::os::unix::process::ExitStatusExt;
    let signal = status.and_then(|status| status.signal());
    let _ = child.kill();
    let _ = child.wait();
    if signal != Some(libc::SIGINT) {
        return Err(format!("{status:?}: a second Ctrl-C does not end it"));
    }
    gone(&map)
}

/// A file system of a few pages takes the lines that fit.
fn full_disk() -> Result<(), String> {
    let map = own_map('d');
    let script = flooding(&map).replace("profile:hz:4999", "interval:ms:1");
    let line = "mount -t tmpfs -o size=64k none /mnt && \"$LT\" -q -o /mnt/out -e \"$SCRIPT\" -c \"$WORK\"; echo \"status $?\"; \
                wc -c </mnt/out; grep -vxc -e ready -e \"$LINE\" </mnt/out; tail -c 1 /mnt/out | od -An -c";
    let work = "sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); dd if=/dev/zero of=/dev/null bs=1 count=100 2>/dev/null; done'";
    let script = script.replace("sys_enter_getppid", "sys_enter_write");
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", line])
        .env("LT", lt_path())
        .env("SCRIPT", script)
        .env("WORK", work)
        .env("LINE", LINE);
    let ran = run(&mut command);
    let last: Vec<&str> = ran.stdout.lines().map(str::trim).collect();
    let [.., written, others, end] = last[..] else { return expect(false, "nothing was said", &ran) };
    let written = written.parse::<u64>().ok();
    expect(ran.stdout.contains("status 6\n") && ran.stderr.contains("LT0903"), "it is told", &ran)?;
    expect(written.is_some_and(|bytes| bytes > 32 << 10), "what fits is there", &ran)?;
    expect(others == "0" && end == "\\n", "all lines are whole", &ran)?;
    gone(&map)
}

fn process_killed() -> Result<(), String> {
    let map = own_map('v');
    let mut victim = Command::new("sleep").arg("100").spawn().map_err(|error| error.to_string())?;
    let child = start(&script(&map), &["-p", &victim.id().to_string()])?;
    victim.kill().and_then(|()| victim.wait()).map_err(|error| error.to_string())?;
    let ran = finish(child);
    expect(ran.status == 0, "it ends with the process", &ran)?;
    is_whole(&ran, &map)?;
    gone(&map)
}

fn command_killed() -> Result<(), String> {
    let map = own_map('c');
    let child = start(&script(&map), &["--child-status", "-c", "sh -c 'kill -KILL $$'"])?;
    let ran = finish(child);
    expect(ran.status == 128 + libc::SIGKILL, "the command's status", &ran)?;
    is_whole(&ran, &map)?;
    gone(&map)
}

fn starts() -> Result<(), String> {
    let map = own_map('n');
    let script = format!(
        "begin {{ @{map} = 1; exit() }} tracepoint:syscalls:sys_enter_read {{ @{map}++ }} profile:hz:9 {{ @{map}++ }}"
    );
    for number in 0..200 {
        let ran = crate::support::one_liner(&script);
        let right = ran.status == 0 && ran.stdout.ends_with(&format!("@{map}: 1\n"));
        expect(right, &format!("start number {number}"), &ran)?;
    }
    gone(&map)
}

/// Fails when the map, which all programs of the script use, is not gone in time: programs, links and maps live as long as
/// anything refers to them.
fn gone(map: &str) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if !present(map) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("the map @{map} is still in the kernel"))
}

fn present(map: &str) -> bool {
    let wanted = format!("AT_{map}");
    let mut id = 0;
    loop {
        match next_map(id) {
            None => return false,
            Some((next, name)) if name != wanted => id = next,
            Some(_) => return true,
        }
    }
}

const MAP_GET_NEXT_ID: i32 = 12;
const MAP_GET_FD_BY_ID: i32 = 14;
const OBJ_GET_INFO_BY_FD: i32 = 15;

fn bpf(command: i32, attribute: &mut [u32; 8]) -> i64 {
    // SAFETY: the attribute is longer than what these commands read and write, and lives through the call.
    unsafe { libc::syscall(libc::SYS_bpf, command, attribute.as_mut_ptr(), size_of_val(attribute)) }
}

/// The map with the next number, and its name (empty when it is gone by now).
fn next_map(id: u32) -> Option<(u32, String)> {
    let mut attribute = [id, 0, 0, 0, 0, 0, 0, 0];
    if bpf(MAP_GET_NEXT_ID, &mut attribute) != 0 {
        return None;
    }
    let next = attribute[1];
    let mut attribute = [next, 0, 0, 0, 0, 0, 0, 0];
    let fd = bpf(MAP_GET_FD_BY_ID, &mut attribute);
    if fd < 0 {
        return Some((next, String::new()));
    }
    let mut info = [0u8; 80];
    let address = info.as_mut_ptr() as u64;
    let mut attribute = [fd as u32, 80, address as u32, (address >> 32) as u32, 0, 0, 0, 0];
    bpf(OBJ_GET_INFO_BY_FD, &mut attribute);
    // SAFETY: the descriptor was just made for us.
    unsafe { libc::close(fd as i32) };
    // type, id, sizes of key and value, entries, flags; then the name
    let name: Vec<u8> = info[24..40].iter().copied().take_while(|byte| *byte != 0).collect();
    Some((next, String::from_utf8_lossy(&name).into_owned()))
}
