//! Whether processes and threads exist, by the numbers that lt's own namespace has for them.

/// Whether there is a process of this number.
pub fn is_process(number: u64) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
    let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    group.is_some_and(|group| group.trim().parse() == Ok(number))
}

/// Whether there is a thread of this number, the first one of a process included.
pub fn is_thread(number: u64) -> bool {
    std::path::Path::new(&format!("/proc/{number}/status")).exists()
}
