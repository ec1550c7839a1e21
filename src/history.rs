//! What was entered, kept from one session to the next: a file in the user's folder for such things, one line an entry.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// Entries that are remembered.
const MOST: usize = 1000;

/// Longest file that is read, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// The file of former entries.
pub struct History {
    path: Option<PathBuf>,
    /// A failure was told already.
    failed: bool,
}

impl History {
    /// `$XDG_STATE_HOME/lt/history`, or the same below `~/.local/state`.
    pub fn of_user() -> History {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
        History { path: state.map(|state| state.join("lt/history")), failed: false }
    }

    /// The former entries, the oldest first. A file that grew long is cut.
    pub fn read(&mut self) -> Vec<String> {
        let Some(path) = &self.path else { return Vec::new() };
        let mut text = String::new();
        // none was written yet, or whatever is there is no history
        let _ = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(MOST)..).unwrap_or_default();
        if lines.len() > 2 * MOST {
            let kept: String = last.iter().map(|line| format!("{line}\n")).collect();
            let fresh = path.with_extension("new");
            // when it cannot be cut it stays long
            let _ = std::fs::write(&fresh, kept).and_then(|()| std::fs::rename(&fresh, path));
        }
        last.iter().map(|line| unescaped(line)).collect()
    }

    /// Adds an entry. Gives the reason when that fails, the first time.
    pub fn add(&mut self, entry: &str) -> Option<String> {
        let why = match &self.path {
            Some(path) => match append(path, entry) {
                Ok(()) => return None,
                Err(error) => format!("{}: {error}", path.display()),
            },
            None => "neither XDG_STATE_HOME nor HOME says where to".to_string(),
        };
        (!std::mem::replace(&mut self.failed, true)).then_some(why)
    }
}

fn append(path: &std::path::Path, entry: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(format!("{}\n", entry.replace('\\', "\\\\").replace('\n', "\\n")).as_bytes())
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(if chars.next() == Some('n') { '\n' } else { '\\' }),
            other => text.push(other),
        }
    }
    text
}
