//! The file that holds a kernel's profile.
//!
//! ```text
//! lt kernel profile 1\n                      magic and version
//! {"release": "6.1.0", "sections": [...]}\n  one line of JSON: `Header`
//! bytes of the first section, of the second, ...
//! ```
//!
//! Sections: `btf` (raw BTF of vmlinux), `functions` (lines `NAME` or `NAME [MODULE]`), `tracepoints` (for each one a
//! line `CATEGORY NAME LENGTH` and so many bytes of its format file up to `print fmt`). A kernel that has no such thing,
//! or did not show it, has no such section. A section's checksum is verified when the section is read.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &str = "lt kernel profile";
const VERSION: u32 = 1;
/// Longest first two lines: broken files must not fill the memory.
const MAX_LINE: u64 = 1 << 20;

/// The line of JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// As uname gives it.
    pub(super) release: String,
    pub(super) possible_cpus: u32,
    /// By the feature's name.
    pub(super) features: BTreeMap<String, bool>,
    pub(super) sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    name: String,
    size: u64,
    checksum: u64,
}

/// An opened profile file.
#[derive(Debug)]
pub(super) struct Container {
    path: PathBuf,
    pub(super) header: Header,
    /// Where the first section begins.
    start: u64,
}

impl Container {
    /// Opens a profile file and reads its header.
    pub(super) fn open(path: &Path) -> Result<Container, String> {
        let at = |error: io::Error| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        let mut reader = BufReader::new(file.take(MAX_LINE));
        let (header, start) = read_header(&mut reader).map_err(|why| format!("{}: {why}", path.display()))?;
        let sections = header.sections.iter().try_fold(start, |end, section| end.checked_add(section.size));
        if sections != Some(size) {
            return Err(format!("{}: the kernel profile is cut off or has grown", path.display()));
        }
        Ok(Container { path: path.to_path_buf(), header, start })
    }

    /// Opens the file where a section begins and gives the section's size; `None` when there is no such section.
    pub(super) fn section(&self, name: &str) -> Result<Option<(File, u64)>, String> {
        let Some(at) = self.header.sections.iter().position(|section| section.name == name) else { return Ok(None) };
        let begin = self.header.sections[..at].iter().map(|section| section.size).fold(self.start, u64::saturating_add);
        let section = &self.header.sections[at];
        let read = |file: &mut File| -> io::Result<u64> {
            file.seek(SeekFrom::Start(begin))?;
            let sum = checksum_of(file, section.size)?;
            file.seek(SeekFrom::Start(begin))?;
            Ok(sum)
        };
        let mut file = File::open(&self.path).map_err(|error| self.says(&error.to_string()))?;
        match read(&mut file) {
            Ok(sum) if sum == section.checksum => Ok(Some((file, section.size))),
            Ok(_) => Err(self.says(&format!("the section `{name}` of the kernel profile is damaged"))),
            Err(error) => Err(self.says(&error.to_string())),
        }
    }

    /// A section's bytes as text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        let Some((file, size)) = self.section(name)? else { return Ok(None) };
        let mut text = String::new();
        file.take(size).read_to_string(&mut text).map_err(|error| self.says(&error.to_string()))?;
        Ok(Some(text))
    }

    /// A message with the file's name in front.
    pub(super) fn says(&self, what: &str) -> String {
        format!("{}: {what}", self.path.display())
    }
}

fn read_header(reader: &mut impl BufRead) -> Result<(Header, u64), String> {
    let mut start = 0;
    let mut line = |what: &str| -> Result<Vec<u8>, String> {
        let mut line = Vec::new();
        start += reader.read_until(b'\n', &mut line).map_err(|error| error.to_string())? as u64;
        line.pop().filter(|end| *end == b'\n').map(|_| line).ok_or_else(|| format!("no kernel profile ({what})"))
    };
    let first = line("its first line does not say so")?;
    let version = std::str::from_utf8(&first).ok().and_then(|first| first.strip_prefix(MAGIC));
    let version = version.ok_or("no kernel profile (its first line does not say so)")?.trim();
    if version.parse() != Ok(VERSION) {
        return Err(format!("the kernel profile has version {version}, this lt reads version {VERSION}"));
    }
    let header = line("its header is cut off")?;
    let header = serde_json::from_slice(&header).map_err(|error| format!("the kernel profile's header: {error}"))?;
    Ok((header, start))
}

/// Writes a profile. It replaces what was there only when it is complete.
pub(super) fn write(path: &Path, mut header: Header, sections: &[(&str, Vec<u8>)]) -> io::Result<()> {
    header.sections = sections
        .iter()
        .map(|(name, bytes)| {
            let checksum = checksum_of(&mut bytes.as_slice(), bytes.len() as u64)?;
            Ok(Section { name: name.to_string(), size: bytes.len() as u64, checksum })
        })
        .collect::<io::Result<_>>()?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}", std::process::id()));
    let unfinished = path.with_file_name(name);
    let written = write_all(&unfinished, &header, sections).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        // The first error is the one to tell; a leftover that cannot be removed adds nothing to it.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write_all(path: &Path, header: &Header, sections: &[(&str, Vec<u8>)]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    writeln!(file, "{MAGIC} {VERSION}\n{}", serde_json::to_string(header)?)?;
    sections.iter().try_for_each(|(_, bytes)| file.write_all(bytes))
}

/// FNV-1a with 64 bits over words of 8 bytes (little endian, the last one filled up with zeros).
fn checksum_of(reader: &mut impl Read, size: u64) -> io::Result<u64> {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    let mut buffer = vec![0; 256 * 1024];
    let mut left = size;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        reader.read_exact(&mut buffer[..want])?;
        for word in buffer[..want].chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            sum = (sum ^ u64::from_le_bytes(bytes)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        left -= want as u64;
    }
    Ok(sum)
}
