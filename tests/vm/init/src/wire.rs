//! What the host and the guest say to each other over the port. The host's side of the harness includes this file too.
//!
//! A frame is one byte of kind, four bytes of body length (little endian), and the body. Bodies of [`HELLO`], [`JOB`]
//! and [`EXIT`] are records: `key=value`, each ended by a NUL byte, in order, keys may repeat. Bodies of [`STDOUT`] and
//! [`STDERR`] are the bytes themselves.

/// Name of the virtio-serial port.
pub const PORT: &str = "lt-agent";
/// Where the initramfs keeps the boot's settings: records `module` (path, in load order), `overlay` (directory) and
/// `modules` (the host's directory with all modules of this kernel).
pub const CONFIG: &str = "/config";

/// Guest to host, once: `release`, `uptime_ms`.
pub const HELLO: u8 = b'H';
/// Host to guest: `arg` (repeated), `env` (repeated, `NAME=value`), `cwd`, `timeout_ms`.
pub const JOB: u8 = b'J';
/// Guest to host: a piece of the job's standard output.
pub const STDOUT: u8 = b'O';
/// Guest to host: a piece of the job's standard error.
pub const STDERR: u8 = b'E';
/// Guest to host, last frame of a job: `status` (128 + signal when killed), `timed_out` (0 or 1), `elapsed_ms`.
pub const EXIT: u8 = b'X';

const HEADER: usize = 5;

/// One frame, ready to be written.
pub fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.push(kind);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// Cuts a stream of bytes into frames.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame: its kind and body.
    pub fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let length: [u8; 4] = self.buffer.get(1..HEADER)?.try_into().ok()?;
        let end = HEADER + u32::from_le_bytes(length) as usize;
        let body = self.buffer.get(HEADER..end)?.to_vec();
        let kind = self.buffer[0];
        self.buffer.drain(..end);
        Some((kind, body))
    }
}

/// Records to a body. Neither keys nor values may hold a NUL byte.
pub fn encode<'a>(records: impl IntoIterator<Item = (&'a str, String)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in records {
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
        out.push(0);
    }
    out
}

/// A body to records; what is not a record is left out.
pub fn decode(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    text.split('\0').filter_map(|r| r.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}
