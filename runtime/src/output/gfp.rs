//! Flags of the kernel's memory allocation by name, as `%gr` shows them. Their bits are those of Linux up to 6.9 and, from
//! there on, of a usual configuration.

use std::io::Write;

/// Names for several flags together, the longest first.
const TOGETHER: &[(u64, &str)] = &[
    (0x14_24ca, "GFP_HIGHUSER_MOVABLE"),
    (0x10_0cca, "GFP_HIGHUSER_MOVABLE"),
    (0x10_0cc2, "GFP_HIGHUSER"),
    (0x10_0cc0, "GFP_USER"),
    (0x40_0cc0, "GFP_KERNEL_ACCOUNT"),
    (0xcc0, "GFP_KERNEL"),
    (0xc40, "GFP_NOFS"),
    (0xc00, "GFP_NOIO"),
    (0x820, "GFP_ATOMIC"),
    (0x800, "GFP_NOWAIT"),
    (0x01, "GFP_DMA"),
    (0x04, "GFP_DMA32"),
];

/// Names of single flags.
const SINGLE: &[(u64, &str)] = &[
    (0x02, "__GFP_HIGHMEM"),
    (0x08, "__GFP_MOVABLE"),
    (0x10, "__GFP_RECLAIMABLE"),
    (0x20, "__GFP_HIGH"),
    (0x40, "__GFP_IO"),
    (0x80, "__GFP_FS"),
    (0x100, "__GFP_ZERO"),
    (0x400, "__GFP_DIRECT_RECLAIM"),
    (0x800, "__GFP_KSWAPD_RECLAIM"),
    (0x1000, "__GFP_WRITE"),
    (0x2000, "__GFP_NOWARN"),
    (0x4000, "__GFP_RETRY_MAYFAIL"),
    (0x8000, "__GFP_NOFAIL"),
    (0x1_0000, "__GFP_NORETRY"),
    (0x2_0000, "__GFP_MEMALLOC"),
    (0x4_0000, "__GFP_COMP"),
    (0x8_0000, "__GFP_NOMEMALLOC"),
    (0x10_0000, "__GFP_HARDWALL"),
    (0x20_0000, "__GFP_THISNODE"),
    (0x40_0000, "__GFP_ACCOUNT"),
    (0x80_0000, "__GFP_ZEROTAGS"),
];

/// Appends the names of the flags, with `|` between them; what has no name as a number.
pub fn write(flags: u64, out: &mut Vec<u8>) {
    let mut left = flags;
    let mut first = true;
    for (bits, name) in TOGETHER.iter().chain(SINGLE) {
        if left & bits == *bits {
            left &= !bits;
            out.extend_from_slice(if first { b"" } else { b"|" });
            out.extend_from_slice(name.as_bytes());
            first = false;
        }
    }
    // writing to a Vec cannot fail
    let _ = match (first, left) {
        (true, 0) => write!(out, "0"),
        (false, 0) => Ok(()),
        (_, left) => write!(out, "{}{left:#x}", if first { "" } else { "|" }),
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn flags_have_names() {
        let shown = |flags| {
            let mut out = Vec::new();
            super::write(flags, &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(shown(1), "GFP_DMA");
        assert_eq!(shown(0xcc0), "GFP_KERNEL");
        assert_eq!(shown(0xdc0), "GFP_KERNEL|__GFP_ZERO");
        assert_eq!((shown(0), shown(0x8000_0000)), ("0".into(), "0x80000000".into()));
    }
}
