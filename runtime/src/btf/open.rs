//! Opening BTF with btf-rs's mmap backend. The default backend would parse everything first: 100 ms and 40 MiB for vmlinux.

use btf_rs::{Backend, Btf};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::{Path, PathBuf};

/// Bytes of the header's fields that are read here.
const HEADER: usize = 24;

/// Opens a file under /sys/kernel/btf. Kernels before 6.16 cannot map it: then a copy in memory is mapped.
pub(super) fn system_file(path: &Path) -> Result<Btf, String> {
    let at = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("{} is not there: the kernel was built without CONFIG_DEBUG_INFO_BTF", path.display())
        }
        _ => format!("{}: {error}", path.display()),
    };
    let mut file = File::open(path).map_err(at)?;
    let size = file.metadata().map_err(at)?.len();
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(at)?;
    check_header(&header, size).map_err(|why| format!("{}: {why}", path.display()))?;
    if let Ok(btf) = Btf::from_file_with_backend(path, Backend::Mmap) {
        return Ok(btf);
    }
    let mut file = File::open(path).map_err(at)?;
    copied(&mut file, size).map_err(|why| format!("{}: {why}", path.display()))
}

/// Copies `size` bytes of `file`, from where it stands, into memory that nobody else can change, and maps that.
pub(super) fn copied(file: &mut File, size: u64) -> Result<Btf, String> {
    let mut copy = anonymous_file().map_err(|error| format!("no memory for the BTF: {error}"))?;
    let mut buffer = vec![0; 256 * 1024];
    let mut left = size;
    let mut header = Vec::new();
    while left > 0 {
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = file.read(&mut buffer[..want]).map_err(|error| error.to_string())?;
        if got == 0 {
            return Err(format!("the BTF ends {left} bytes too early"));
        }
        if header.len() < HEADER {
            header.extend_from_slice(&buffer[..got.min(HEADER)]);
        }
        copy.write_all(&buffer[..got]).map_err(|error| format!("no memory for the BTF: {error}"))?;
        left -= got as u64;
    }
    check_header(&header, size)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd()));
    match Btf::from_file_with_backend(&path, Backend::Mmap) {
        Err(_) if !path.exists() => parsed(&mut copy),
        opened => opened.map_err(|error| format!("malformed BTF: {error}")),
    }
}

/// Without /proc nothing can be mapped by name: all is parsed, which takes longer.
fn parsed(copy: &mut File) -> Result<Btf, String> {
    let mut bytes = Vec::new();
    let read = copy.rewind().and_then(|()| copy.read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    Btf::from_bytes(&bytes).map_err(|error| format!("malformed BTF: {error}"))
}

/// A file in memory without a name.
fn anonymous_file() -> std::io::Result<File> {
    // SAFETY: the name is a NUL-terminated string, and the descriptor that comes back is owned by nobody else.
    unsafe {
        let fd = libc::memfd_create(c"lt-btf".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 { Err(std::io::Error::last_os_error()) } else { Ok(File::from_raw_fd(fd)) }
    }
}

/// Demands that both sections lie inside the file: btf-rs takes the header's word for it and would panic.
fn check_header(header: &[u8], size: u64) -> Result<(), String> {
    let word = |at: usize| {
        header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes).map(u64::from)
    };
    let field = |at| word(at).ok_or_else(|| "malformed BTF: shorter than its header".to_string());
    let magic = field(0)? as u16;
    if magic != 0xeb9f {
        return Err(format!("malformed BTF: it begins with {magic:#06x} instead of 0xeb9f"));
    }
    let header_size = field(4)?;
    let ends = [header_size + field(8)? + field(12)?, header_size + field(16)? + field(20)?];
    if header_size < HEADER as u64 || size > u64::from(u32::MAX) || ends.iter().any(|end| *end > size) {
        return Err("malformed BTF: a section lies outside of the file".to_string());
    }
    Ok(())
}

/// Opens a module's BTF on top of vmlinux. btf-rs has no mmap backend for these; they are small.
pub(super) fn module_bytes(bytes: &[u8], base: &Btf) -> Option<Btf> {
    check_header(bytes.get(..HEADER)?, bytes.len() as u64).ok()?;
    Btf::from_split_bytes(bytes, base).ok()
}
