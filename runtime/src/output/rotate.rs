//! An output file that makes room: FILE becomes FILE.1, which becomes FILE.2, and so on. A record is never cut in two.

use crate::options::Rotation;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What was written to the file, and where the buffer in front of it can be cut.
pub struct Rotated {
    path: PathBuf,
    rotation: Rotation,
    /// Bytes in the file.
    written: u64,
    /// The file ends with a line, or is empty.
    at_line: bool,
    /// Bytes of the buffer up to the end of the last whole record.
    whole: usize,
}

impl Rotated {
    /// For a file that was created or emptied. Only regular files can be renamed without a loss.
    pub fn new(path: &Path, file: &File, rotation: Rotation) -> io::Result<Rotated> {
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "only a regular file can be rotated"));
        }
        Ok(Rotated { path: path.into(), rotation, written: 0, at_line: true, whole: 0 })
    }

    /// Whether the last record in the buffer would make the file too long, and something stands before it.
    pub fn is_due(&self, buffer: &[u8]) -> bool {
        let length = self.written + buffer.len() as u64;
        let before = self.whole > 0 || (self.at_line && self.written > 0);
        length > self.rotation.size && before && buffer.len() > self.whole
    }

    /// Bytes of the buffer that still belong to this file.
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// A record ends where the buffer does now.
    pub fn record_ends(&mut self, length: usize) {
        self.whole = length;
    }

    /// The buffer was written out.
    pub fn wrote(&mut self, buffer: &[u8]) {
        self.written += buffer.len() as u64;
        self.at_line = buffer.last().map_or(self.at_line, |byte| *byte == b'\n');
        self.whole = 0;
    }

    /// Moves the files on, and opens the next one.
    pub fn next_file(&mut self) -> io::Result<File> {
        for number in (1..self.rotation.backups).rev() {
            match fs::rename(self.backup(number), self.backup(number + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.rotation.backups > 0 {
            fs::rename(&self.path, self.backup(1))?;
        }
        (self.written, self.at_line, self.whole) = (0, true, 0);
        File::create(&self.path)
    }

    /// `FILE.1`
    fn backup(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use crate::options::{Buffering, Rotation};
    use crate::output::Sink;
    use std::fs;

    /// What the files hold, oldest first.
    fn files(folder: &tempfile::TempDir) -> Vec<String> {
        let path = |number: u32| folder.path().join(if number == 0 { "out".into() } else { format!("out.{number}") });
        (0..9).rev().filter_map(|number| fs::read_to_string(path(number)).ok()).collect()
    }

    /// Writes these records, flushing behind every third.
    fn write(records: &[&str], size: u64, backups: u32) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let rotation = Some(Rotation { size, backups });
        let mut sink = Sink::open(Some(&path), Buffering::Idle, rotation).expect("a file");
        for (at, record) in records.iter().enumerate() {
            sink.buffer().extend_from_slice(record.as_bytes());
            sink.event_done().expect("written");
            if at % 3 == 2 {
                sink.idle().expect("written");
            }
        }
        sink.flush().expect("written");
        files(&folder)
    }

    #[test]
    fn records_are_whole_and_none_is_lost() {
        let records: Vec<String> = (0..20).map(|at| format!("{at:03}\n")).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let files = write(&records, 10, 9);
        assert_eq!(files.len(), 9, "the tenth has no place");
        let files = write(&records, 20, 9);
        assert_eq!(files.concat(), records.concat());
        assert_eq!(files.iter().map(String::len).collect::<Vec<_>>(), [20, 20, 20, 20]);
    }

    #[test]
    fn what_is_too_long_has_a_file_of_its_own() {
        assert_eq!(write(&["a\n", "0123456789\n1\n", "b\n"], 5, 9), ["a\n", "0123456789\n1\n", "b\n"]);
    }

    #[test]
    fn lines_that_come_in_parts_stay_together() {
        let parts = ["ab", "cd", "ef", "gh\n", "i", "j\n", "k\n"];
        assert_eq!(write(&parts, 4, 9), ["abcdefgh\n", "ij\n", "k\n"]);
    }

    #[test]
    fn without_backups_only_the_last_is_kept() {
        assert_eq!(write(&["a\n", "b\n", "c\n"], 3, 0), ["c\n"]);
    }

    #[test]
    fn only_files_rotate() {
        let rotation = Some(Rotation { size: 1, backups: 1 });
        assert!(Sink::open(Some("/dev/null".as_ref()), Buffering::Idle, rotation).is_err());
    }
}
