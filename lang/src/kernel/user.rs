//! What is known of a program or library that probes name.

use super::wildcard_match;

/// A program or library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFile {
    /// Where it was found: an absolute path.
    pub path: String,
    /// The path as the script has it; the whole of it when that is only a name or a pattern.
    pub shown: String,
    /// Its markers, by provider and name; one of them can be at several places.
    pub markers: Vec<Marker>,
    /// Its functions, sorted by name, each name once.
    pub functions: Vec<UserFunction>,
    /// The parts of it that hold code.
    pub segments: Vec<Segment>,
}

/// A function of a [`UserFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFunction {
    /// As the symbol table has it.
    pub name: String,
    /// Virtual address, as the file has it.
    pub address: u64,
    /// Bytes; 0 when the symbol table does not tell.
    pub size: u64,
}

/// A place of a marker that a [`UserFile`] was built with (SystemTap's `DTRACE_PROBE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Whose it is.
    pub provider: String,
    /// What it is called.
    pub name: String,
    /// Virtual address of the place, as the file has it.
    pub address: u64,
    /// Bytes from the start of the file to the number of those who watch; 0 for none.
    pub semaphore: u64,
    /// Where its arguments are, in the form that the compiler wrote: `8@%rax -4@-20(%rbp)`.
    pub arguments: String,
}

/// A part of a [`UserFile`] that holds code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Virtual address of its first byte.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    /// Where it begins in the file.
    pub offset: u64,
}

impl UserFile {
    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&UserFunction> {
        let at = self.functions.binary_search_by(|function| function.name.as_str().cmp(name)).ok()?;
        self.functions.get(at)
    }

    /// Functions whose names match, `*` and `?` wild.
    pub fn matching<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a UserFunction> {
        self.functions.iter().filter(move |function| wildcard_match(pattern, &function.name))
    }

    /// The function that an address lies in.
    pub fn function_at(&self, address: u64) -> Option<&UserFunction> {
        let inside =
            |function: &&UserFunction| address >= function.address && address - function.address < function.size.max(1);
        self.functions.iter().find(inside)
    }

    /// Where the code at a virtual address lies in the file.
    pub fn offset(&self, address: u64) -> Option<u64> {
        let inside = |segment: &&Segment| address >= segment.address && address - segment.address < segment.size;
        let segment = self.segments.iter().find(inside)?;
        Some(address - segment.address + segment.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_offsets() {
        let file = UserFile {
            path: "/bin/x".into(),
            shown: "x".into(),
            markers: Vec::new(),
            functions: vec![UserFunction { name: "f".into(), address: 0x1010, size: 8 }],
            segments: vec![Segment { address: 0x1000, size: 0x100, offset: 0x400 }],
        };
        assert_eq!(file.offset(0x1010), Some(0x410));
        assert_eq!(file.offset(0x1100), None);
        assert_eq!(file.function_at(0x1017).map(|function| function.name.as_str()), Some("f"));
        assert_eq!(file.function_at(0x1018), None);
        assert_eq!(file.matching("*").count(), 1);
        assert!(file.function("f").is_some() && file.function("g").is_none());
    }
}
