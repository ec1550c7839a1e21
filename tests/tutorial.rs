//! The lessons of bpftrace's one-liner tutorial, in our own words: lt and bpftrace run the same script over the same
//! workload and say the same. Lessons on kernel functions run in a virtual machine.

use crate::support::{cannot_trace, lt_path, run};
use crate::vm::{Job, VmError, run as run_in_guest};
use libtest_mimic::{Completion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A lesson: what is run, and what of its output has to be the same.
struct Lesson {
    name: &'static str,
    /// The program that is traced, under a name of its own: others may run it meanwhile.
    program: &'static str,
    /// `PROGRAM` is the name of the traced program.
    script: &'static str,
    /// A shell script whose end ends the tracing; `$PROGRAM` is the traced program, `$FILE` a file on
    /// a disk.
    workload: &'static str,
    /// What the same means.
    essence: fn(&str) -> String,
}

/// Lessons that tracepoints, timers and lists are enough for.
const HERE: [Lesson; 8] = [
    Lesson {
        name: "2_hello",
        program: "true",
        script: "begin { printf(\"good morning\\n\"); }",
        workload: "true",
        essence: str::to_string,
    },
    Lesson {
        name: "3_opened_files",
        program: "cat",
        script: "tracepoint:syscalls:sys_enter_openat /comm == \"PROGRAM\"/ { printf(\"%s: %s\\n\", comm, str(args.filename)); }",
        workload: "$PROGRAM /etc/passwd /etc/group > /dev/null",
        essence: named_files,
    },
    Lesson {
        name: "4_system_calls",
        program: "dd",
        script: "tracepoint:raw_syscalls:sys_enter /comm == \"PROGRAM\"/ { @calls[comm] = count(); }",
        workload: "$PROGRAM if=/dev/zero of=/dev/null bs=512 count=300 status=none",
        essence: str::to_string,
    },
    Lesson {
        name: "5_bytes_read",
        program: "dd",
        script: "tracepoint:syscalls:sys_exit_read /comm == \"PROGRAM\"/ { @size = hist(args.ret); }",
        workload: "$PROGRAM if=/dev/zero of=/dev/null bs=3000 count=200 status=none",
        essence: str::to_string,
    },
    Lesson {
        name: "8_events_of_processes",
        program: "sh",
        script: "tracepoint:sched:sched_process_f*,tracepoint:sched:sched_process_e* /comm == \"PROGRAM\"/ { @[probe] = count(); } interval:s:30 { exit(); }",
        workload: "$PROGRAM -c '/bin/true; /bin/true; /bin/true; :'",
        essence: sorted,
    },
    Lesson {
        name: "9_profile_of_stacks",
        program: "dd",
        script: "profile:hz:199 /comm == \"PROGRAM\"/ { @[kstack] = count(); }",
        workload: "$PROGRAM if=/dev/zero of=/dev/null bs=1M count=20000 status=none",
        essence: bottom_of_stacks,
    },
    Lesson {
        name: "10_stacks_of_switches",
        program: "sleep",
        script: "tracepoint:sched:sched_switch /comm == \"PROGRAM\"/ { @waits[kstack] = count(); }",
        workload: "$PROGRAM 0.05",
        essence: stack_of_sleep,
    },
    Lesson {
        name: "11_block_io",
        program: "dd",
        script: "tracepoint:block:block_rq_issue /comm == \"PROGRAM\" && args.bytes > 8192/ { @ = hist(args.bytes); }",
        workload: "$PROGRAM if=$FILE of=/dev/null iflag=direct bs=16384 count=40 status=none",
        essence: tens,
    },
];

/// Lessons on functions of the kernel.
const IN_GUEST: [Lesson; 3] = [
    Lesson {
        name: "6_return_values",
        program: "dd",
        script: "kretprobe:vfs_read /comm == \"PROGRAM\"/ { @size = lhist(retval, 0, 4000, 500); }",
        workload: "$PROGRAM if=/dev/zero of=/dev/null bs=3000 count=200 status=none",
        essence: str::to_string,
    },
    Lesson {
        name: "7_times_of_reads",
        program: "dd",
        script: "kprobe:vfs_read /comm == \"PROGRAM\"/ { @since[tid] = nsecs; } \
                 kretprobe:vfs_read /@since[tid]/ { @took[comm] = hist(nsecs - @since[tid]); delete(@since, tid); }",
        workload: "$PROGRAM if=/dev/zero of=/dev/null bs=3000 count=200 status=none",
        essence: total,
    },
    Lesson {
        name: "12_structures",
        program: "cat",
        script: "#ifndef BPFTRACE_HAVE_BTF\n#include <linux/path.h>\n#include <linux/dcache.h>\n#endif\n\
                 kprobe:vfs_open /comm == \"PROGRAM\"/ { printf(\"opens %s\\n\", str(((struct path *)arg0)->dentry->d_name.name)); }",
        workload: "$PROGRAM /etc/passwd /etc/group > /dev/null",
        essence: str::to_string,
    },
];

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![with_peer("1_list", list)];
    trials.extend(HERE.iter().map(|lesson| with_peer(lesson.name, move |peer| here(lesson, peer))));
    trials.extend(IN_GUEST.iter().map(|lesson| with_peer(lesson.name, move |peer| in_guest(lesson, peer))));
    trials
}

/// A trial that needs bpftrace to compare with.
fn with_peer(name: &str, test: impl Fn(&Path) -> Result<Completion, String> + Send + 'static) -> Trial {
    Trial::ignorable_test(format!("tutorial::{name}"), move || {
        let peer = peer();
        if let Some(reason) = cannot_trace() {
            return Ok(Completion::ignored_with(reason));
        }
        if !peer.is_file() {
            return Ok(Completion::ignored_with("needs bpftrace to compare with: run `make peers`"));
        }
        test(&peer).map_err(Failed::from)
    })
}

/// The bpftrace that `make peers` fetches.
fn peer() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("LT_CACHE").or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("lt")));
    let cache = cache.or_else(|| set("HOME").map(|home| home.join(".cache/lt"))).unwrap_or_default();
    cache.join("peers/bin-native/bpftrace")
}

/// What a tracer says, run where tracefs is mounted, as bpftrace needs it; the machine does not see the mount.
fn said_by(tracer: &Path, arguments: &[&str]) -> Result<String, String> {
    let mounted = "[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-euc", mounted, "sh"]);
    let ran = run(command.arg(tracer).args(arguments));
    if ran.status != 0 {
        return Err(format!("{} ended with status {}:\n{}", tracer.display(), ran.status, ran.stderr));
    }
    Ok(ran.stdout)
}

fn list(peer: &Path) -> Result<Completion, String> {
    let arguments = ["-l", "tracepoint:syscalls:sys_enter_*"];
    let (ours, theirs) = (said_by(Path::new(lt_path()), &arguments)?, said_by(peer, &arguments)?);
    same(&sorted(&ours), &sorted(&theirs))
}

fn here(lesson: &Lesson, peer: &Path) -> Result<Completion, String> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
    let (workload, file) = (folder.path().join("workload"), folder.path().join("file"));
    let name = lesson.traced_name();
    let program = folder.path().join(&name);
    std::os::unix::fs::symlink(path_of(lesson.program)?, &program).map_err(|error| error.to_string())?;
    let text = lesson.workload.replace("$PROGRAM", &program.to_string_lossy());
    let text = text.replace("$FILE", &file.to_string_lossy());
    let script = lesson.script.replace("PROGRAM", &name);
    written(&file, &[1; FILE_BYTES])
        .and_then(|()| written(&workload, text.as_bytes()))
        .map_err(|error| error.to_string())?;
    let command = format!("/bin/sh {}", workload.display());
    let arguments = ["-e", &script, "-c", &command];
    let (ours, theirs) = (said_by(Path::new(lt_path()), &arguments)?, said_by(peer, &arguments)?);
    if theirs.trim().is_empty() && ours.trim().is_empty() {
        return Ok(Completion::ignored_with("nothing of the kind happens here: bpftrace says nothing"));
    }
    same(&(lesson.essence)(&ours), &(lesson.essence)(&theirs))
}

impl Lesson {
    /// Which no other program has at this time; at most 15 characters, as the kernel keeps.
    fn traced_name(&self) -> String {
        let number = self.name.split('_').next().unwrap_or_default();
        format!("l{number}_{}", std::process::id())
    }
}

fn path_of(program: &str) -> Result<PathBuf, String> {
    let folders = ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program));
    folders.into_iter().find(|path| path.exists()).ok_or_else(|| format!("there is no {program}"))
}

const FILE_BYTES: usize = 640 << 10;

/// Writes a file, as far as the disk.
fn written(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

/// Divides the output of the two tracers in a guest.
const DIVIDER: &str = "======";

fn in_guest(lesson: &Lesson, peer: &Path) -> Result<Completion, String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let commands = quoted(&lesson.workload.replace("$PROGRAM", lesson.program));
    let workload = format!("printf '%s\\n' {commands} > /tmp/workload");
    let script = quoted(&lesson.script.replace("PROGRAM", lesson.program));
    let traced = |tracer: &str| format!("{tracer} -e {script} -c '/bin/sh /tmp/workload'");
    let peer = quoted(&peer.to_string_lossy());
    let line = format!("set -e; {workload}; {}; echo {DIVIDER}; {}", traced("\"$LT\""), traced(&peer));
    match run_in_guest("6.1", Job::sh(line).timeout(std::time::Duration::from_secs(120))) {
        Ok(output) => {
            let text = output.out().into_owned();
            let (ours, theirs) = text.split_once(DIVIDER).ok_or_else(|| format!("not both ran\n{output}"))?;
            output.success().map_err(|why| format!("{why}\n{output}"))?;
            same(&(lesson.essence)(ours), &(lesson.essence)(theirs))
        }
        Err(VmError::Missing(what)) => Ok(Completion::ignored_with(what)),
        Err(error) => Err(error.to_string()),
    }
}

fn same(ours: &str, theirs: &str) -> Result<Completion, String> {
    if ours.trim() == theirs.trim() && !ours.trim().is_empty() {
        return Ok(Completion::Completed);
    }
    Err(format!("lt says\n{ours}\nand bpftrace\n{theirs}"))
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The files of the command line. Names that lie in files not read yet come as they may: programs cannot wait for a disk.
fn named_files(text: &str) -> String {
    let named = text.lines().filter(|line| line.ends_with(": /etc/passwd") || line.ends_with(": /etc/group"));
    named.collect::<Vec<_>>().join("\n")
}

/// The stacks of a map, each with its count.
fn stacks(text: &str) -> Vec<(Vec<&str>, u64)> {
    let parted = text.split("[\n").skip(1).filter_map(|stack| stack.split_once("]: "));
    let count = |rest: &str| rest.lines().next().and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    parted
        .map(|(frames, rest)| (frames.lines().map(str::trim).filter(|f| !f.is_empty()).collect(), count(rest)))
        .collect()
}

/// Where most samples of a busy program have come into the kernel: the two outermost frames.
fn bottom_of_stacks(text: &str) -> String {
    let mut samples: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for (frames, count) in stacks(text) {
        let outermost = frames.len().checked_sub(2).and_then(|from| frames.get(from..)).unwrap_or_default();
        *samples.entry(outermost.join("\n")).or_default() += count;
    }
    samples.into_iter().max_by_key(|(_, count)| *count).map(|(frames, _)| frames).unwrap_or_default()
}

/// The stack on which a sleeper sleeps; how often it gave way otherwise is chance.
fn stack_of_sleep(text: &str) -> String {
    let asleep = stacks(text).into_iter().filter(|(frames, _)| frames.iter().any(|frame| frame.contains("nanosleep")));
    asleep.map(|(frames, count)| format!("{}\n{count}", frames.join("\n"))).collect::<Vec<_>>().join("\n\n")
}

/// Each bucket's bounds and its count to the nearest ten: now and then the kernel's worker issues a request for the process.
fn tens(text: &str) -> String {
    let bucket = |line: &str| {
        let (bounds, rest) = line.split_once(')')?;
        let count = rest.split_whitespace().next()?.parse::<u64>().ok()?;
        Some(format!("{bounds}) {}\n", (count + 5) / 10 * 10))
    };
    text.lines().filter_map(bucket).collect()
}

/// The number of values in histograms; which ones is chance.
fn total(text: &str) -> String {
    let rows = text.lines().filter_map(|line| line.split_once(')').or_else(|| line.split_once(']')));
    let counts = rows.filter_map(|(_, rest)| rest.split('|').next()?.trim().parse::<u64>().ok());
    counts.sum::<u64>().to_string()
}
