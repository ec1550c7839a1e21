//! Small facts of the running kernel from uname, /proc and /sys.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

const KALLSYMS: &str = "/proc/kallsyms";
const POSSIBLE_CPUS: &str = "/sys/devices/system/cpu/possible";
const KPROBE_BLACKLIST: &str = "/sys/kernel/debug/kprobes/blacklist";

/// The kernel's release, such as `6.1.0-50-cloud-amd64`; empty when the system does not tell.
pub(crate) fn release() -> String {
    // SAFETY: utsname is plain bytes, and the call fills it or fails.
    let name = unsafe {
        let mut name: libc::utsname = std::mem::zeroed();
        if libc::uname(&mut name) < 0 {
            return String::new();
        }
        name
    };
    name.release.iter().map(|c| *c as u8).take_while(|c| *c != 0).map(char::from).collect()
}

/// Number of possible CPUs, at least 1.
pub(crate) fn possible_cpus() -> u32 {
    let listed = std::fs::read_to_string(POSSIBLE_CPUS).ok().and_then(|text| count_cpus(&text));
    listed.unwrap_or_else(|| {
        // SAFETY: takes and gives numbers.
        let configured = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
        u32::try_from(configured).unwrap_or(1).max(1)
    })
}

/// Counts the CPUs of a list such as `0-3,8`.
fn count_cpus(list: &str) -> Option<u32> {
    let mut count: u32 = 0;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

/// Calls `each` for every line, without its end, until it breaks off.
pub(crate) fn each_line(file: impl Read, mut each: impl FnMut(&str) -> ControlFlow<()>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = std::str::from_utf8(line.strip_suffix(b"\n").unwrap_or(&line)).unwrap_or_default();
        if each(text).is_break() {
            return Ok(());
        }
    }
}

/// Calls `each` with name and module (`vmlinux` for the kernel itself) of every function in kallsyms until it breaks off.
pub(crate) fn each_function_symbol(each: &mut dyn FnMut(&str, &str) -> ControlFlow<()>) -> io::Result<()> {
    each_line(File::open(KALLSYMS)?, |line| match symbol(line) {
        Some((name, module)) => each(name, module),
        None => ControlFlow::Continue(()),
    })
}

/// Name and module of a line of kallsyms when it is a function: `ffffffff81000000 T name [module]`.
fn symbol(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    let kind = words.nth(1)?;
    let name = words.next()?;
    let module = words.next().map_or("vmlinux", |module| module.trim_matches(['[', ']']));
    (matches!(kind, "t" | "T" | "w" | "W") && module != "bpf").then_some((name, module))
}

/// The address of a symbol; `None` when there is none, or when the kernel does not show addresses.
pub(crate) fn symbol_address(name: &str) -> io::Result<Option<u64>> {
    let mut found = None;
    each_line(File::open(KALLSYMS)?, |line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
        if words.nth(1) != Some(name) {
            return ControlFlow::Continue(());
        }
        found = address;
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// Whether the kernel has a function of this name.
pub(crate) fn has_function(name: &str) -> bool {
    let mut found = false;
    let read = each_function_symbol(&mut |symbol, _| {
        found = symbol == name;
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    read.is_ok() && found
}

/// Functions that refuse kprobes, sorted; none when the list cannot be read.
pub(crate) fn kprobe_blacklist() -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(file) = File::open(KPROBE_BLACKLIST) {
        let read = each_line(file, |line| {
            names.extend(line.split_ascii_whitespace().nth(1).map(str::to_string));
            ControlFlow::Continue(())
        });
        if read.is_err() {
            names.clear();
        }
    }
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        for (list, count) in [("0-1\n", Some(2)), ("0", Some(1)), ("0-3,8,10-11", Some(7)), ("", None), ("3-1", None)] {
            assert_eq!(count_cpus(list), count, "{list}");
        }
        assert_eq!(count_cpus("0-4294967295"), None);
        assert!(possible_cpus() >= 1);
    }

    #[test]
    fn symbols() {
        assert_eq!(symbol("ffffffff816b8230 T vfs_read"), Some(("vfs_read", "vmlinux")));
        assert_eq!(symbol("ffffffffc0001000 t ovl_open\t[overlay]"), Some(("ovl_open", "overlay")));
        assert_eq!(symbol("ffffffff81c00000 D jiffies"), None);
        assert_eq!(symbol("ffffffffc0002000 t bpf_prog_12ab\t[bpf]"), None);
        assert_eq!(symbol("nonsense"), None);
    }

    #[test]
    fn lines_end_anywhere_and_reading_stops_when_told() {
        let mut seen = Vec::new();
        let read = each_line(&b"one\n\xff\xfe\nthree"[..], |line| {
            seen.push(line.to_string());
            ControlFlow::Continue(())
        });
        assert!(read.is_ok());
        assert_eq!(seen, ["one", "", "three"]);
    }

    #[test]
    fn the_release_is_a_version() {
        assert!(lt_lang::kernel::KernelVersion::parse(&release()).is_some());
    }
}
