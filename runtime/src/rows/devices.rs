//! Disks by number.

use std::collections::HashMap;

/// Bits of the minor number in the kernel's own form of a device's number.
const MINOR_BITS: u32 = 20;

/// Names of disks, remembered.
#[derive(Debug, Default)]
pub struct Devices {
    names: HashMap<u64, Vec<u8>>,
}

impl Devices {
    /// The name of the disk or partition of this number (major << 20 | minor); both parts for one that there is not.
    pub fn name(&mut self, number: u64) -> &[u8] {
        self.names.entry(number).or_insert_with(|| {
            let (major, minor) = (number >> MINOR_BITS, number & ((1 << MINOR_BITS) - 1));
            let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}"));
            let name = link.ok().and_then(|path| path.file_name().map(|name| name.as_encoded_bytes().to_vec()));
            name.unwrap_or_else(|| format!("{major}:{minor}").into_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_have_names() {
        let mut devices = Devices::default();
        assert_eq!(devices.name((4000 << 20) | 7), b"4000:7");
        let Some(Ok(entry)) = std::fs::read_dir("/sys/class/block").ok().and_then(|mut all| all.next()) else { return };
        let number = std::fs::read_to_string(entry.path().join("dev")).unwrap_or_default();
        let (major, minor) = number.trim().split_once(':').expect("two numbers");
        let number = major.parse::<u64>().expect("a number") << 20 | minor.parse::<u64>().expect("a number");
        assert_eq!(devices.name(number), entry.file_name().as_encoded_bytes());
    }
}
