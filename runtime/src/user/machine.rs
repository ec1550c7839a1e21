//! What user space knows of the machine: processes, users, disks, files.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr::null_mut;

/// Most bytes of a file that are read.
const MOST_FILE: u64 = 64 << 10;
/// Longest entry of the table of groups.
const MOST_ENTRY: usize = 64 << 10;
/// Digits of a container's id, and how many are shown, as container runtimes do.
const ID_DIGITS: usize = 64;
const SHOWN_DIGITS: usize = 12;
/// Bits of a disk's minor number.
const MINOR_BITS: u32 = 20;

/// Protocols of the internet by number.
const PROTOCOLS: &[(u64, &str)] = &[
    (1, "ICMP"),
    (2, "IGMP"),
    (4, "IPIP"),
    (6, "TCP"),
    (17, "UDP"),
    (33, "DCCP"),
    (41, "IPV6"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (58, "ICMPV6"),
    (89, "OSPF"),
    (103, "PIM"),
    (132, "SCTP"),
    (136, "UDPLITE"),
    (255, "RAW"),
];

/// Families of addresses by number.
const FAMILIES: &[(i32, &str)] = &[
    (libc::AF_UNSPEC, "AF_UNSPEC"),
    (libc::AF_UNIX, "AF_UNIX"),
    (libc::AF_INET, "AF_INET"),
    (libc::AF_INET6, "AF_INET6"),
    (libc::AF_NETLINK, "AF_NETLINK"),
    (libc::AF_PACKET, "AF_PACKET"),
    (libc::AF_ALG, "AF_ALG"),
    (libc::AF_VSOCK, "AF_VSOCK"),
    (libc::AF_BLUETOOTH, "AF_BLUETOOTH"),
];

/// lt's thread.
pub fn thread() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() as u64 }
}

/// lt's user.
pub fn user() -> u64 {
    // SAFETY: no preconditions.
    unsafe { u64::from(libc::getuid()) }
}

/// lt's group.
pub fn group() -> u64 {
    // SAFETY: no preconditions.
    unsafe { u64::from(libc::getgid()) }
}

/// The CPU that runs this.
pub fn cpu() -> u64 {
    // SAFETY: no preconditions.
    u64::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0)
}

/// 32 random bits.
pub fn random() -> u64 {
    let mut bytes = [0u8; 4];
    // SAFETY: the kernel writes at most so many bytes.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    u64::from(u32::from_ne_bytes(bytes))
}

/// lt's name.
pub fn own_name() -> Vec<u8> {
    read_file(b"/proc/self/comm")
}

/// The beginning of a file, without the newline at its end.
pub fn read_file(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(OsStr::from_bytes(path));
    // what cannot be read is empty, as the reference says
    let _ = file.and_then(|file| file.take(MOST_FILE).read_to_end(&mut bytes));
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}

/// What a link of /proc refers to.
pub fn path(process: u64, descriptor: Option<u64>) -> Vec<u8> {
    let link = match descriptor {
        None => format!("/proc/{process}/exe"),
        Some(descriptor) => format!("/proc/{process}/fd/{descriptor}"),
    };
    std::fs::read_link(link).map(|path| path.into_os_string().into_vec()).unwrap_or_default()
}

/// The beginning of the id of a process's container.
pub fn container(process: u64) -> Vec<u8> {
    container_of(&read_file(format!("/proc/{process}/cgroup").as_bytes()))
}

/// The same from the text of its cgroup file: runtimes name their groups by the container's id.
fn container_of(groups: &[u8]) -> Vec<u8> {
    let mut words = groups.split(|byte| !byte.is_ascii_hexdigit());
    let id = words.find(|word| word.len() == ID_DIGITS);
    id.map_or_else(Vec::new, |id| id[..SHOWN_DIGITS].to_vec())
}

/// A disk's name by its number in the kernel.
pub fn disk(number: u64) -> Vec<u8> {
    let name = format!("{}:{}", number >> MINOR_BITS, number & ((1 << MINOR_BITS) - 1));
    let link = std::fs::read_link(format!("/sys/dev/block/{name}"));
    let last = link.ok().and_then(|path| path.file_name().map(|name| name.as_bytes().to_vec()));
    last.unwrap_or_else(|| name.into_bytes())
}

/// A protocol's name.
pub fn protocol(number: u64) -> String {
    let row = PROTOCOLS.iter().find(|row| row.0 == number);
    row.map_or_else(|| number.to_string(), |row| row.1.to_string())
}

/// A family's name.
pub fn family(number: u64) -> String {
    let row = FAMILIES.iter().find(|row| row.0 as u64 == number);
    row.map_or_else(|| number.to_string(), |row| row.1.to_string())
}

/// A group's name; the number when there is none.
pub fn group_name(number: u64) -> Vec<u8> {
    let unknown = || number.to_string().into_bytes();
    let Ok(id) = u32::try_from(number) else { return unknown() };
    // SAFETY: all bytes zero is a valid group: its pointers are null.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    let mut text = vec![0u8; MOST_ENTRY];
    let mut found = null_mut();
    // SAFETY: everything points to what it is said to, with its length.
    let status = unsafe { libc::getgrgid_r(id, &raw mut entry, text.as_mut_ptr().cast(), text.len(), &raw mut found) };
    if status != 0 || found.is_null() || entry.gr_name.is_null() {
        return unknown();
    }
    // SAFETY: the call left a text with a NUL, which lies in `text`.
    unsafe { CStr::from_ptr(entry.gr_name) }.to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_found_in_their_groups() {
        let id = "0123456789abcdef".repeat(4);
        for text in [
            format!("0::/docker/{id}\n"),
            format!("0::/system.slice/docker-{id}.scope\n"),
            format!("11:cpu:/kubepods/burstable/pod12/{id}\n0::/\n"),
        ] {
            assert_eq!(container_of(text.as_bytes()), b"0123456789ab", "{text}");
        }
        assert_eq!(container_of(b"0::/user.slice/session-1.scope\n"), b"");
    }

    #[test]
    fn what_is_not_there_is_its_number_or_empty() {
        assert_eq!(group_name(4_000_000_000), b"4000000000");
        assert_eq!(group_name(0), b"root");
        assert_eq!(disk(4095 << MINOR_BITS | 7), b"4095:7");
        assert_eq!((protocol(6).as_str(), protocol(254).as_str()), ("TCP", "254"));
        assert_eq!((family(10).as_str(), family(99).as_str()), ("AF_INET6", "99"));
        assert_eq!(path(0, None), b"");
        assert_eq!(read_file(b"/proc/none"), b"");
        assert_eq!(read_file(b"/proc/sys/kernel/ostype"), b"Linux");
    }
}
