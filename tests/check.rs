//! `lt check` goes to the end of code generation without a kernel and without privileges: as nobody, in a root directory
//! that holds lt, the system's libraries, a script and the profile of a kernel.

use crate::support::{Ran, expect, lt, lt_path, on_kernel, run};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![on_kernel("check::without_kernel", without_kernel)]
}

const GOOD: &str = "\
config = { max_strlen = 64 }
tracepoint:sched:sched_switch /args.prev_pid != 0/ { @[args.next_comm, curtask.mm.total_vm] = hist(args.prev_prio) }
tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)) }
interval:s:1 { for ($i : 0..100) { @n += $i } exit() }
";
const BAD: &str = "tracepoint:sched:sched_switch { print(args.prev_cmm) }\n";

/// Everything below one tmpfs in a mount namespace of its own, where there is neither /proc nor /sys.
const INSIDE: &str = r#"
set -e
mount -t tmpfs none "$1"
cd "$1"
mkdir usr
mount --bind /usr usr
for folder in lib lib64; do test ! -L /$folder || ln -s usr/$folder $folder; done
for folder in lib lib64; do test -L /$folder || test ! -d /$folder || { mkdir $folder; mount --bind /$folder $folder; }; done
cp "$2" lt
cp "$3" profile
cp "$4" script.lt
chmod 755 . lt
chmod 644 profile script.lt
exec chroot --userspec=65534:65534 . /lt check --kernel-profile /profile /script.lt
"#;

fn without_kernel() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let profile = folder.path().join("profile");
    let ran = lt([std::ffi::OsStr::new("kernel-profile"), profile.as_os_str()]);
    expect(ran.status == 0, "a profile", &ran)?;
    let root = folder.path().join("root");
    std::fs::create_dir(&root).map_err(|error| error.to_string())?;
    let check = |text: &str| -> Result<Ran, String> {
        let script = folder.path().join("script.lt");
        std::fs::write(&script, text).map_err(|error| error.to_string())?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", INSIDE, "sh"]).arg(&root).arg(lt_path()).arg(&profile).arg(&script);
        Ok(run(&mut command))
    };
    let ran = check(GOOD)?;
    expect(ran.status == 0 && ran.stdout.is_empty() && ran.stderr.is_empty(), "silence", &ran)?;
    let ran = check(BAD)?;
    expect(ran.status == 1 && ran.stderr.contains("LT0205") && ran.stderr.contains("prev_comm"), "a message", &ran)
}
