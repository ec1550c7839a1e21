//! Artifacts as bytes, one behind the other: what is compiled on one machine and loaded on another.
//!
//! Each is the length of its manifest (u32, little endian), the manifest as JSON, the length of its object, the object.

use crate::error::RunError;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::manifest::{Artifact, Manifest};

/// The artifact as bytes; several in a row are a bundle.
///
/// Errors: it is larger than lengths can say.
pub fn pack(artifact: &Artifact) -> Result<Vec<u8>, Diagnostic> {
    let manifest = serde_json::to_vec(&artifact.manifest).map_err(|error| broken(&error.to_string()))?;
    let mut bytes = Vec::with_capacity(manifest.len() + artifact.elf.len() + 8);
    for part in [&manifest, &artifact.elf] {
        let length = u32::try_from(part.len()).map_err(|_| broken("it is too large"))?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// The artifacts of a bundle, in order; ends behind the first that is damaged.
pub fn unpack(bytes: &[u8]) -> impl Iterator<Item = Result<Artifact, Diagnostic>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let artifact = next(&mut rest);
        if artifact.is_none() {
            rest = &[];
        }
        Some(artifact.ok_or_else(|| broken("it is damaged")))
    })
}

fn next(rest: &mut &[u8]) -> Option<Artifact> {
    let manifest: Manifest = serde_json::from_slice(part(rest)?).ok()?;
    Some(Artifact { elf: part(rest)?.to_vec(), manifest })
}

fn part<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(part)
}

fn broken(why: &str) -> Diagnostic {
    RunError::Inconsistent(format!("an artifact cannot be packed or unpacked: {why}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_bundles_end_with_an_error() {
        let found: Vec<_> = unpack(&[9, 0, 0, 0, b'{']).collect();
        assert!(matches!(found.as_slice(), [Err(_)]));
        assert_eq!(unpack(&[]).count(), 0);
    }
}
