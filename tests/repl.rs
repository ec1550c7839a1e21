//! The prompt: a session over a pipe, and sessions on a pseudo-terminal with real keys.

use crate::support::{Ran, expect, finish, lt, lt_path, on_kernel};
use libtest_mimic::Trial;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("repl::values_and_statements", values),
        on_kernel("repl::maps_stay", maps_stay),
        on_kernel("repl::all_kinds_of_maps_stay", all_maps_stay),
        on_kernel("repl::times_stay", times_stay),
        on_kernel("repl::structures_stay", structures_stay),
        on_kernel("repl::stacks_stay", stacks_stay),
        on_kernel("repl::definitions_stay", definitions_stay),
        on_kernel("repl::entries_over_several_lines", several_lines),
        on_kernel("repl::actions_and_exit", actions),
        on_kernel("repl::errors_go_on", errors),
        on_kernel("repl::commands", commands),
        on_kernel("repl::keys_on_a_terminal", keys),
        on_kernel("repl::interrupts_while_an_action_ends", interrupts),
        on_kernel("repl::history_over_sessions", history),
        Trial::test("repl::output_file_is_refused", || Ok(output_file()?)),
    ]
}

/// A session over a pipe.
fn session(entries: &str) -> Ran {
    session_with(&[], entries)
}

fn session_with(options: &[&str], entries: &str) -> Ran {
    let mut command = Command::new(lt_path());
    command.args(options).arg("repl").env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("lt starts");
    let mut input = child.stdin.take().expect("a pipe");
    // what is not read any more was not waited for
    let _ = input.write_all(entries.as_bytes());
    drop(input);
    finish(child)
}

/// A session over a pipe that prints exactly this, and nothing that a terminal would need.
fn prints(entries: &str, stdout: &str) -> Result<(), String> {
    let ran = session(entries);
    expect(ran.stdout == stdout, &format!("exactly {stdout:?}"), &ran)?;
    expect(ran.status == 0, "status 0", &ran)?;
    expect(!ran.stderr.contains('\x1b'), "no terminal codes", &ran)
}

fn values() -> Result<(), String> {
    prints(
        "1 + 2\n(1, \"a\")\n  comm\n\n// a remark\nstrlen(\"four\")\n@x = 1; printf(\"hi\\n\")\n@x == 1\ncurtask.comm\n",
        "3\n(1, a)\nlt\n4\nhi\n1\nlt\n".replace("\n1\n", &format!("\n{}\n", truth())).as_str(),
    )
}

/// How a comparison is printed by a script.
fn truth() -> String {
    lt(["-e", "begin { print(1 == 1); exit() }"]).stdout.trim().to_string()
}

fn maps_stay() -> Result<(), String> {
    prints(
        "@x = 5\n@x\nprint(@x + 1)\n@n[\"a\"] = count()\n@n[\"a\"] = count(); @n[\"longer\"] = count()\n@n\n@x++\n@x\n",
        "@x: 5\n6\n@n[longer]: 1\n@n[a]: 2\n5\n@x: 6\n",
    )
}

fn all_maps_stay() -> Result<(), String> {
    let first = "@c = count(); @s = sum(-3); @lo = min(-7); @hi = max(-9); @a = avg(4); @t = stats(10); @h[1] = hist(9); \
                 @p[1, \"x\"] = \"ab\"; @k[\"x\"] = 3\n";
    let second = "@c = count(); @s = sum(5); @lo = min(3); @hi = max(-11); @a = avg(8); @t = stats(20); @h[1] = hist(9); \
                  @p[2, \"longer\"] = \"abcdef\"; delete(@k[\"x\"]); @k[\"y\"] = 4\n";
    let together = format!("{} {}", first.trim(), second.trim_start()).replace("; \n", "\n").replace("3 @c", "3; @c");
    let shown = "print(@c); print(@s); print(@lo); print(@hi); print(@a); print(@t); print(@h); print(@p); print(@k)\n";
    let apart = session(&format!("{first}{second}{shown}"));
    let at_once = session(&format!("{together}{shown}"));
    expect(apart.status == 0 && at_once.status == 0, "both ran", &apart)?;
    expect(apart.stdout == at_once.stdout, &format!("as in one entry:\n{}", at_once.stdout), &apart)?;
    expect(apart.stdout.contains("@lo: -7") && apart.stdout.contains("@hi: -9"), "smallest and largest", &apart)
}

fn times_stay() -> Result<(), String> {
    let ran = session(
        "@t = strftime(\"first %Y\", nsecs)\n@u[1] = strftime(\"second %Y\", nsecs); print(@t)\nprint((@t, @u[1]))\n",
    );
    let year = ran.stdout.trim_start_matches("@t: first ").get(..4).unwrap_or_default().to_string();
    let expected = format!("@t: first {year}\n(first {year}, second {year})\n");
    expect(year.parse::<u32>().is_ok() && ran.stdout == expected, "each in its own format", &ran)
}

fn structures_stay() -> Result<(), String> {
    prints(
        "struct pair { int a; char b; }\n@r[1] = (x = 1, y = \"ab\")\n@r[2] = (x = 2, y = \"longer\")\n@r[1].y\n\
         sizeof(struct pair)\nstruct pair { long a; long b; }\nsizeof(struct pair)\n",
        "ab\n8\n16\n",
    )
}

fn stacks_stay() -> Result<(), String> {
    let ran = session("profile:hz:500 { @[kstack(3)] = count() } interval:ms:200 { exit() }\n1 + 1\nprint(@)\n");
    let (during, after) = ran.stdout.split_once("\n2\n").unwrap_or_default();
    let frames = |text: &str| text.lines().filter(|line| line.contains('+')).count();
    expect(frames(after) > 0, "frames of the stacks that an earlier entry has seen", &ran)?;
    expect(frames(during) == frames(after), "all of them", &ran)
}

fn definitions_stay() -> Result<(), String> {
    prints(
        "macro more(x) { x + 1 }\nmore(41)\nmacro more(x) { x + 2 }\nmore(41)\nmacro hail(x) { printf(\"hail %d\\n\", x); }\n\
         hail(more(1))\n",
        "42\n43\nhail 3\n",
    )?;
    let ran = session("macro more(x) { x + 1 }\n1\n  more(\"a\")\n");
    expect(ran.stderr.contains("<repl:1>:1:17") && ran.stderr.contains("<repl:3>:1:3"), "macro and call", &ran)?;
    let ran =
        session("#define FIVE 5\nconfig = { print_maps_on_exit = false }\nFIVE + 1\nbegin { @x = FIVE; exit() }\n@x\n");
    expect(ran.status == 0, "all is known", &ran)?;
    expect(ran.stdout.trim_start() == "6\n\n\n@x: 5\n", "the setting holds", &ran)
}

fn several_lines() -> Result<(), String> {
    prints(
        "begin {\n  printf(\"one\\n\");\n\n  // }\n  printf(\"two\\n\"); exit()\n}\nif (1) {\n print(3)\n}\nprint(\n4\n)\n",
        "one\ntwo\n\n\n3\n4\n",
    )
}

fn actions() -> Result<(), String> {
    let ran = session("interval:ms:5 { @n = count(); if (@n > 2) { exit(7) } }\nprint(\"on\")\n@n\n");
    expect(ran.status == 0, "the status of exit() is no failure of the session", &ran)?;
    expect(ran.stdout == "\n\n@n: 3\non\n@n: 3\n", "the map is shown, and stays", &ran)?;
    let ran = session_with(&["-f", "json"], "1 + 2\n");
    expect(ran.stdout.lines().count() == 1 && ran.stdout.contains("\"data\": 3"), "one object", &ran)
}

fn errors() -> Result<(), String> {
    let ran = session("@x = 5\n@x = \"text\"\nprint(@y)\n1 + )\nprint(@x)\nbegin {\n");
    expect(ran.stdout == "@x: 5\n", "what is right is run", &ran)?;
    expect(ran.status == 1, "the status of the last entry that failed", &ran)?;
    for place in ["<repl:2>:1:6", "<repl:1>:1:6", "<repl:3>:1:7", "<repl:4>:1:5", "<repl:6>"] {
        expect(ran.stderr.contains(place), &format!("an error at {place}"), &ran)?;
    }
    expect(!ran.stderr.contains("begin { @x") && !ran.stderr.contains("print(@x)"), "the entries as they were", &ran)
}

fn commands() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("a.lt");
    std::fs::write(&file, "#!/usr/bin/env lt\nbegin { @loaded = 1; exit() }\n").map_err(|error| error.to_string())?;
    let ran = session(&format!(
        "@x[comm] = count()\n@y = 1\n:maps\n:type @x\n:type pid == 1\n:type interval:s:1 {{ comm }}\n:clear @x\n:forget @y\n\
         :maps\n@y = \"text\"\n:load {}\n@loaded\n:help count\n:explain LT0205\n:qiut\n:quit\nprint(1)\n",
        file.display()
    ));
    let expected = ["@x[string[16]]  count()  1 key\n@y              int8     a value\n", "@x[string[16]]: count()\n"];
    for text in
        expected.iter().chain(&["interval:s:1: string[16]\n", "0 keys\n", "@loaded: 1\n", "LT0205: unknown field"])
    {
        expect(ran.stdout.contains(text), text, &ran)?;
    }
    expect(ran.stderr.contains("did you mean `:quit`?"), "the nearest command", &ran)?;
    expect(!ran.stdout.lines().any(|line| line == "1"), ":quit leaves", &ran)?;
    expect(ran.status == 2, "the unknown command", &ran)
}

fn output_file() -> Result<(), String> {
    let ran = lt(["-o", "/dev/null", "repl"]);
    expect(ran.status == 2 && ran.stderr.contains("LT0905"), "a wrong command line", &ran)
}

/// `lt` on a terminal of its own.
struct Terminal {
    keys: File,
    child: Child,
    /// All that the terminal showed.
    screen: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
    /// How much of it was looked at.
    seen: usize,
}

/// Longest wait for something to be shown.
const DEADLINE: Duration = Duration::from_secs(30);

impl Terminal {
    fn open(state: &Path) -> Result<Terminal, String> {
        let (mut ours, mut theirs) = (-1, -1);
        let none = std::ptr::null_mut();
        // SAFETY: two descriptors are written, name and settings are left out.
        if unsafe { libc::openpty(&raw mut ours, &raw mut theirs, none, none.cast(), none.cast()) } != 0 {
            return Err("no pseudo-terminal".into());
        }
        // SAFETY: both descriptors are new and ours.
        let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
        let copy = || theirs.try_clone().map(Stdio::from).map_err(|error| error.to_string());
        let mut command = Command::new(lt_path());
        command.env("XDG_STATE_HOME", state).env("TERM", "xterm").env("NO_COLOR", "1");
        command.stdin(copy()?).stdout(copy()?).stderr(copy()?);
        // SAFETY: two system calls between fork and exec: the terminal becomes the child's own.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() == -1 || libc::ioctl(0, libc::TIOCSCTTY, 0) == -1 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().map_err(|error| error.to_string())?;
        let keys = File::from(ours);
        let mut output = keys.try_clone().map_err(|error| error.to_string())?;
        let screen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let shown = std::sync::Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().expect("no panic").extend_from_slice(&bytes[..count]);
            }
        });
        Ok(Terminal { keys, child, screen, seen: 0 })
    }

    fn type_keys(&mut self, keys: &str) -> Result<(), String> {
        self.keys.write_all(keys.as_bytes()).map_err(|error| error.to_string())
    }

    /// Waits until `text` is shown, behind what was waited for before.
    fn wait_for(&mut self, text: &str) -> Result<(), String> {
        let end = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen.lock().expect("no panic").clone();
            let fresh = String::from_utf8_lossy(&screen[self.seen..]).into_owned();
            if let Some(at) = fresh.find(text) {
                self.seen += at + text.len();
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("{text:?} was never shown:\n{}", String::from_utf8_lossy(&screen).escape_debug()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types Ctrl-C until `text` is shown.
    fn interrupt_until(&mut self, text: &str) -> Result<(), String> {
        let end = Instant::now() + DEADLINE;
        loop {
            self.type_keys(CTRL_C)?;
            std::thread::sleep(Duration::from_millis(1));
            let screen = self.screen.lock().expect("no panic");
            let fresh = &screen[self.seen..];
            if let Some(at) = fresh.windows(text.len()).position(|part| part == text.as_bytes()) {
                self.seen += at + text.len();
                return Ok(());
            }
            let ended = self.child.try_wait().ok().flatten();
            if Instant::now() > end || ended.is_some() {
                let last = String::from_utf8_lossy(&fresh[fresh.len().saturating_sub(500)..]).into_owned();
                return Err(format!("{text:?} was never shown, ended: {ended:?}\n{}", last.escape_debug()));
            }
            // a text that is only half there is looked for again
            self.seen = screen.len().saturating_sub(text.len()).max(self.seen);
        }
    }

    /// Types keys; whether `text` is shown a moment later.
    fn shows(&mut self, keys: &str, text: &str) -> Result<bool, String> {
        self.type_keys(keys)?;
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(5));
            let screen = self.screen.lock().expect("no panic");
            let at = screen[self.seen..].windows(text.len()).position(|part| part == text.as_bytes());
            if let Some(at) = at {
                self.seen += at + text.len();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Types an entry and waits for what it shows, and for the next prompt.
    fn enter(&mut self, keys: &str, shown: &str) -> Result<(), String> {
        self.type_keys(&format!("{keys}\r"))?;
        self.wait_for(shown)?;
        self.wait_for("lt> ")
    }

    /// Programs, links and events that lt holds in the kernel.
    fn held(&self) -> usize {
        let folder = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).into_iter().flatten().flatten();
        let links = folder.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let ours = ["bpf-prog", "bpf_link", "perf_event", "bpf-map"];
        links.filter(|link| ours.iter().any(|kind| link.to_string_lossy().contains(kind))).count()
    }

    fn ends_with(mut self, status: i32) -> Result<(), String> {
        let ended = crate::support::wait(&mut self.child).and_then(|status| status.code());
        if ended == Some(status) { Ok(()) } else { Err(format!("the session ended with {ended:?}, not {status}")) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LEFT: &str = "\x1b[D";
const UP: &str = "\x1b[A";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_U: &str = "\x15";

fn keys() -> Result<(), String> {
    let state = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut terminal = Terminal::open(state.path())?;
    terminal.wait_for("lt> ")?;
    terminal.enter("1 + 2", "\n3\r\n")?;
    terminal.enter(&format!("12 + 1{LEFT}{LEFT}{LEFT}{LEFT}{LEFT}0"), "\n103\r\n")?;
    terminal.enter("@begun[1] = 1", "\n")?;
    terminal.enter("print(@beg\t[1] + 40)", "\n41\r\n")?;
    // an action runs until Ctrl-C, and leaves only its maps
    terminal.type_keys("tracepoint:sched:sched_swi\t { @n = count() }\r")?;
    terminal.wait_for("Attached 1 probe")?;
    terminal.type_keys(CTRL_C)?;
    terminal.wait_for("@n: ")?;
    terminal.wait_for("lt> ")?;
    if terminal.held() != 0 {
        return Err("something of the action stayed in the kernel".into());
    }
    terminal.enter("@n > 0", &format!("\n{}\r\n", truth()))?;
    // an entry over several lines; what is given up
    terminal.type_keys("if (1) {\r")?;
    terminal.wait_for("-> ")?;
    terminal.enter("print(77) }", "\n77\r\n")?;
    terminal.enter(UP, "\n77\r\n")?;
    terminal.type_keys("if (1) {\r")?;
    terminal.wait_for("-> ")?;
    terminal.enter("", "LT0102")?;
    terminal.type_keys(&format!("nonsense{CTRL_C}"))?;
    terminal.wait_for("lt> ")?;
    terminal.enter(":maps", "@begun[int64]")?;
    terminal.enter(":pro\ttracepoint:sched:sched_switch", "\ntracepoint:sched:sched_switch")?;
    // values cannot move the cursor; what a script's own format says goes through
    terminal.enter("printf(\"%s\\n\", \"a\\033[31mb\")", "\na\\x1b[31mb\r\n")?;
    terminal.enter("printf(\"a\\033[31mb\\n\")", "\na\x1b[31mb\r\n")?;
    terminal.type_keys(CTRL_D)?;
    terminal.ends_with(0)
}

/// Ctrl-C again and again, from while an action prints faster than a terminal shows until after the prompt is back: nothing
/// but the action ends.
fn interrupts() -> Result<(), String> {
    let state = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut terminal = Terminal::open(state.path())?;
    terminal.wait_for("lt> ")?;
    // what is printed makes lt write, which is printed
    let flood = "interval:ms:100 { printf(\"go\\n\") } tracepoint:syscalls:sys_enter_write { unroll(50) { printf(\"%s\\n\", \"0123456789abcdef\") } }";
    for round in 0..3 {
        terminal.type_keys(&format!("{flood}\r"))?;
        terminal.wait_for("0123456789abcdef\r\n")?;
        terminal.interrupt_until("lt> ").map_err(|error| format!("round {round}: {error}"))?;
        // each Ctrl-C that was left makes a prompt of its own, and what is typed between two of them is dropped
        let end = Instant::now() + DEADLINE;
        while !terminal.shows(&format!("{CTRL_U}{round} + 40\r"), &format!("\n{}\r\n", round + 40))? {
            if Instant::now() > end {
                return Err(format!("round {round}: nothing is read any more"));
            }
        }
    }
    terminal.wait_for("lt> ")?;
    terminal.type_keys(CTRL_D)?;
    terminal.ends_with(0)
}

fn history() -> Result<(), String> {
    let state = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut terminal = Terminal::open(state.path())?;
    terminal.wait_for("lt> ")?;
    terminal.type_keys("if (1) {\r")?;
    terminal.wait_for("-> ")?;
    terminal.enter("print(\"a\\\\b\") }", "\na\\b\r\n")?;
    terminal.enter("40 + 2", "\n42\r\n")?;
    terminal.type_keys(CTRL_D)?;
    terminal.ends_with(0)?;
    let mut terminal = Terminal::open(state.path())?;
    terminal.wait_for("lt> ")?;
    terminal.enter(UP, "\n42\r\n")?;
    terminal.enter(&format!("{UP}{UP}"), "\na\\b\r\n")?;
    terminal.type_keys(":quit\r")?;
    terminal.ends_with(0)?;
    // a history that cannot be written is said once
    let mut terminal = Terminal::open(Path::new("/proc/nowhere"))?;
    terminal.wait_for("lt> ")?;
    terminal.enter("1", "is not kept for later sessions")?;
    terminal.enter("40 + 4", "\n44\r\n")?;
    let shown = String::from_utf8_lossy(&terminal.screen.lock().expect("no panic")).matches("is not kept").count();
    if shown == 1 { Ok(()) } else { Err(format!("said {shown} times")) }
}
