//! Numbers that are shown by name, looked up when they are shown: errors, signals, system calls, users, processes,
//! addresses of hardware and networks, control groups.

mod groups;
mod system_calls;

use lt_lang::kernel::wildcard_match;
use lt_lang::types::NameKind;
use std::collections::HashMap;
use std::ffi::CStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

/// `AF_INET`
pub const INET: u64 = 2;
/// `AF_INET6`
pub const INET6: u64 = 10;
/// The highest signal.
const LAST_SIGNAL: u64 = 64;
/// Longest entry of the table of users that is read.
const MOST_ENTRY: usize = 16 * 1024;

/// Shows numbers by name; remembers what costs a look-up.
#[derive(Debug, Default)]
pub struct Names {
    users: HashMap<u64, Vec<u8>>,
    hierarchies: Option<Vec<groups::Hierarchy>>,
    /// Wildcards that scripts gave for hierarchies.
    pub filters: Vec<String>,
}

impl Names {
    /// The name of a number.
    pub fn show(&mut self, kind: NameKind, number: u64) -> Vec<u8> {
        match kind {
            NameKind::Error => error(number as i64),
            NameKind::Signal => signal(number),
            NameKind::SystemCall => {
                let name = i64::try_from(number).ok().and_then(system_calls::name);
                name.unwrap_or("Unknown syscall").into()
            }
            NameKind::User => self.users.entry(number).or_insert_with(|| user(number)).clone(),
            NameKind::Process => process(number),
            NameKind::HardwareAddress => {
                let bytes = number.to_le_bytes();
                let parts: Vec<String> = bytes.iter().take(6).map(|byte| format!("{byte:02X}")).collect();
                parts.join(":").into_bytes()
            }
        }
    }

    /// The paths of a control group in all hierarchies whose names match the filter (counted from 1; 0: all).
    pub fn group(&mut self, id: u64, filter: u64) -> Vec<u8> {
        let filter = (filter as usize).checked_sub(1).and_then(|at| self.filters.get(at)).cloned();
        self.group_in(id, filter.as_deref())
    }

    /// The same with the filter itself.
    pub fn group_in(&mut self, id: u64, filter: Option<&str>) -> Vec<u8> {
        let hierarchies = self.hierarchies.get_or_insert_with(groups::hierarchies);
        let mut shown: Vec<String> = Vec::new();
        for hierarchy in hierarchies.iter() {
            let wanted = filter.is_none_or(|filter| wildcard_match(filter, &hierarchy.name));
            if let Some(path) = wanted.then(|| hierarchy.path(id)).flatten() {
                shown.push(format!("{}:{path}", hierarchy.name));
            }
        }
        shown.join(",").into_bytes()
    }
}

/// An address of the network: `bytes` are 16, of which IPv4 uses the first four.
pub fn address(family: u64, bytes: [u8; 16]) -> Vec<u8> {
    let [a, b, c, d, ..] = bytes;
    match family {
        INET => Ipv4Addr::new(a, b, c, d).to_string(),
        INET6 => Ipv6Addr::from(bytes).to_string(),
        _ => format!("(address family {family})"),
    }
    .into_bytes()
}

fn error(number: i64) -> Vec<u8> {
    let number = i32::try_from(number.unsigned_abs()).unwrap_or(i32::MAX);
    let text = std::io::Error::from_raw_os_error(number).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    if text.starts_with("Unknown error") { b"Unknown error".to_vec() } else { text.into() }
}

fn signal(number: u64) -> Vec<u8> {
    let Some(number) = i32::try_from(number).ok().filter(|number| *number as u64 <= LAST_SIGNAL) else {
        return b"N/A".to_vec();
    };
    // SAFETY: the text belongs to the C library, which changes it with the next call at the earliest: one thread asks.
    let text = unsafe { libc::strsignal(number) };
    if text.is_null() {
        return b"N/A".to_vec();
    }
    // SAFETY: a text of the C library ends with a NUL.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

/// A user's name; the number when there is none.
fn user(number: u64) -> Vec<u8> {
    let unknown = || number.to_string().into_bytes();
    let Ok(id) = u32::try_from(number) else { return unknown() };
    // SAFETY: all bytes zero is a valid passwd: its pointers are null.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut text = vec![0u8; MOST_ENTRY];
    let mut found = null_mut();
    // SAFETY: everything points to what it is said to, with its length.
    let status = unsafe { libc::getpwuid_r(id, &raw mut entry, text.as_mut_ptr().cast(), text.len(), &raw mut found) };
    if status != 0 || found.is_null() || entry.pw_name.is_null() {
        return unknown();
    }
    // SAFETY: the call left a text with a NUL, which lies in `text`.
    unsafe { CStr::from_ptr(entry.pw_name) }.to_bytes().to_vec()
}

/// The name of a process that still runs; nothing for others.
fn process(number: u64) -> Vec<u8> {
    let mut name = std::fs::read(format!("/proc/{number}/comm")).unwrap_or_default();
    if name.ends_with(b"\n") {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: NameKind, number: u64) -> String {
        String::from_utf8(Names::default().show(kind, number)).expect("UTF-8")
    }

    #[test]
    fn numbers_have_names() {
        assert_eq!(shown(NameKind::Error, 2), "No such file or directory");
        assert_eq!(shown(NameKind::Error, -2i64 as u64), "No such file or directory");
        assert_eq!(shown(NameKind::Error, 9999), "Unknown error");
        assert_eq!(shown(NameKind::Signal, 9), "Killed");
        assert_eq!(shown(NameKind::Signal, 1024), "N/A");
        assert_eq!(shown(NameKind::SystemCall, libc::SYS_openat as u64), "openat");
        assert_eq!(shown(NameKind::SystemCall, 99_999), "Unknown syscall");
        assert_eq!(shown(NameKind::User, 0), "root");
        assert_eq!(shown(NameKind::User, 4_000_000_000), "4000000000");
        assert_eq!(shown(NameKind::HardwareAddress, 0x0201_0304_05ff), "FF:05:04:03:01:02");
    }

    #[test]
    fn addresses_of_networks() {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&[127, 0, 0, 1]);
        assert_eq!(address(INET, bytes), b"127.0.0.1");
        let mut bytes = [0; 16];
        bytes[15] = 1;
        assert_eq!(address(INET6, bytes), b"::1");
    }
}
