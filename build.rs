//! How the executable is linked: what makes LLVM's many static constructors and relocations cheap at start-up.

use std::path::Path;

/// Symbols in the order in which a run touches them; without the file the order is the archives'.
const HOT_SYMBOLS: &str = "codegen/hot-symbols.txt";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Elsewhere the default linker is not lld, which these options are for.
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("x86_64") {
        return;
    }
    // Without PIE there are no relative relocations to apply; rustc asks for PIE, the last word wins.
    link("-no-pie");
    // Equal functions of LLVM's templates become one.
    link("-Wl,--icf=all");
    link("-Wl,-z,keep-text-section-prefix");
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let symbols = Path::new(&directory).join(HOT_SYMBOLS);
    if symbols.exists() {
        println!("cargo:rerun-if-changed={HOT_SYMBOLS}");
        link(&format!("-Wl,--symbol-ordering-file={}", symbols.display()));
        // Names that a later compiler no longer makes are harmless.
        link("-Wl,--no-warn-symbol-ordering");
    }
}

fn link(argument: &str) {
    println!("cargo:rustc-link-arg-bins={argument}");
}
