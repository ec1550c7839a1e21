//! `/proc/PID/maps`.

/// A stretch of memory that can be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First address.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Major and minor number of the file's device.
    pub device: (u32, u32),
    /// 0 when there is no file.
    pub inode: u64,
    /// Path of the file as the process sees it, or something in brackets, or nothing.
    pub name: String,
}

/// What a process can execute; `None` when it is gone.
pub fn read(process: u32) -> Option<Vec<Line>> {
    let text = std::fs::read(format!("/proc/{process}/maps")).ok()?;
    let lines: Vec<Line> = String::from_utf8_lossy(&text).lines().filter_map(parse).collect();
    // kernel threads have an empty one
    (!lines.is_empty()).then_some(lines)
}

/// `START-END PERMISSIONS OFFSET MAJOR:MINOR INODE   NAME`; `None` for what cannot be executed.
fn parse(line: &str) -> Option<Line> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start_matches(' ');
        let (word, behind) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        rest = behind;
        word
    };
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = word().split_once('-')?;
    let executable = word().as_bytes().get(2) == Some(&b'x');
    let offset = hex(word())?;
    let (major, minor) = word().split_once(':')?;
    let inode = word().parse().ok()?;
    let device = (hex(major)? as u32, hex(minor)? as u32);
    let name = rest.trim_start_matches(' ');
    let name = name.strip_suffix(" (deleted)").unwrap_or(name).to_owned();
    executable.then_some(Line { start: hex(start)?, end: hex(end)?, offset, device, inode, name })
}

/// Where our own copy of the code lies that the kernel maps into every process.
pub fn own_vdso() -> Option<(u64, u64)> {
    let own = read(std::process::id())?;
    own.iter().find(|line| line.name == "[vdso]").map(|line| (line.start, line.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let line = "55d0-56d0 r-xp 00002000 fe:01 1234       /usr/bin/a b (deleted)";
        let expected = Line {
            start: 0x55d0,
            end: 0x56d0,
            offset: 0x2000,
            device: (0xfe, 1),
            inode: 1234,
            name: "/usr/bin/a b".into(),
        };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse("1000-2000 rw-p 00000000 00:00 0 "), None);
        assert_eq!(
            parse("1000-2000 rwxp 00000000 00:00 0 ").map(|line| (line.inode, line.name)),
            Some((0, String::new()))
        );
        assert_eq!(parse("7f-80 r-xp 00000000 00:00 0    [vdso]").map(|line| line.name).as_deref(), Some("[vdso]"));
    }
}
