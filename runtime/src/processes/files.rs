//! The files that processes have mapped: opened while they can be, and only ever the very file that was mapped.

use super::Backing;
use super::maps_file::Line;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most files that are open at a time.
const MOST_OPEN: usize = 256;
/// File systems whose files have other device numbers in stat(2) than in memory maps.
const VIRTUAL_DEVICES: [i64; 2] = [libc::OVERLAYFS_SUPER_MAGIC, libc::BTRFS_SUPER_MAGIC];

/// Index of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(u32);

/// A file that is or was mapped.
#[derive(Debug)]
pub struct MappedFile {
    /// Its path as the process sees it.
    pub name: String,
    device: (u32, u32),
    inode: u64,
    handle: Option<File>,
    /// Whether it cannot be had by its path.
    lost: bool,
}

impl MappedFile {
    /// A path under which its content can be read; `None` when it is gone.
    pub fn path(&mut self) -> Option<PathBuf> {
        if self.handle.is_none() && !self.lost {
            self.handle = self.open_verified(Path::new(&self.name));
            self.lost = self.handle.is_none();
        }
        self.handle.as_ref().map(|file| PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
    }

    /// Opens a path if it leads to this very file.
    fn open_verified(&self, path: &Path) -> Option<File> {
        // opening a pipe or a device could wait or do something
        let kind = std::fs::metadata(path).ok()?;
        let file = kind.is_file().then(|| File::open(path).ok()).flatten()?;
        let found = file.metadata().ok()?;
        let device = (libc::major(found.dev()), libc::minor(found.dev()));
        let same = found.ino() == self.inode && (device == self.device || has_virtual_device(&file));
        same.then_some(file)
    }
}

fn has_virtual_device(file: &File) -> bool {
    // SAFETY: the structure is plain data, which the kernel fills.
    let kind = unsafe {
        let mut found: libc::statfs = std::mem::zeroed();
        if libc::fstatfs(file.as_raw_fd(), &raw mut found) == 0 { found.f_type } else { 0 }
    };
    VIRTUAL_DEVICES.contains(&kind)
}

/// All of them.
#[derive(Debug, Default)]
pub struct Files {
    list: Vec<MappedFile>,
    by_line: HashMap<(u32, u32, u64, String), FileId>,
    /// Those that are open, in the order of opening.
    open: VecDeque<FileId>,
}

impl Files {
    /// A file.
    pub fn get_mut(&mut self, id: FileId) -> Option<&mut MappedFile> {
        self.list.get_mut(id.0 as usize)
    }

    /// What a line of a memory map is about.
    pub fn backing(&mut self, line: &Line) -> Backing {
        match line.name.as_str() {
            "[vdso]" => Backing::Vdso,
            "" | "//anon" => Backing::Anonymous,
            name if line.inode == 0 => {
                // names that a process gives to its memory, and the heap, may be code that was made at run time
                if name.starts_with("[anon") || name == "[heap]" { Backing::Anonymous } else { Backing::Other }
            }
            _ => Backing::File(self.id(line)),
        }
    }

    fn id(&mut self, line: &Line) -> FileId {
        let key = (line.device.0, line.device.1, line.inode, line.name.clone());
        if let Some(known) = self.by_line.get(&key) {
            return *known;
        }
        let id = FileId(self.list.len() as u32);
        let (device, inode, name) = (line.device, line.inode, line.name.clone());
        self.list.push(MappedFile { name, device, inode, handle: None, lost: false });
        self.by_line.insert(key, id);
        id
    }

    /// Opens a file, through a process that has it mapped if there is one (which works for deleted files and in other
    /// mount namespaces too).
    pub fn open(&mut self, id: FileId, through: Option<(u32, &Line)>) {
        let Some(file) = self.list.get_mut(id.0 as usize).filter(|file| file.handle.is_none()) else { return };
        let by_process = through.and_then(|(process, line)| {
            let mapped = format!("/proc/{process}/map_files/{:x}-{:x}", line.start, line.end);
            let rooted = format!("/proc/{process}/root{}", file.name);
            file.open_verified(Path::new(&mapped)).or_else(|| file.open_verified(Path::new(&rooted)))
        });
        if let Some(handle) = by_process {
            (file.handle, file.lost) = (Some(handle), false);
        } else if file.path().is_none() {
            return;
        }
        self.open.push_back(id);
        if self.open.len() > MOST_OPEN
            && let Some(oldest) = self.open.pop_front().and_then(|oldest| self.get_mut(oldest))
        {
            // it is opened again by its path when it is needed
            oldest.handle = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_file_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        std::fs::write(&path, "one").expect("written");
        let found = std::fs::metadata(&path).expect("there");
        let device = (libc::major(found.dev()), libc::minor(found.dev()));
        let line = |inode| Line { start: 0, end: 1, offset: 0, device, inode, name: path.display().to_string() };
        let mut files = Files::default();
        let (same, other) = (files.id(&line(found.ino())), files.id(&line(found.ino() + 1)));
        assert_ne!(same, other);
        assert!(files.get_mut(same).and_then(MappedFile::path).is_some());
        assert!(files.get_mut(other).and_then(MappedFile::path).is_none());
        // what was opened stays readable
        std::fs::remove_file(&path).expect("removed");
        let kept = files.get_mut(same).and_then(MappedFile::path).expect("still open");
        assert_eq!(std::fs::read(kept).expect("read"), b"one");
    }
}
