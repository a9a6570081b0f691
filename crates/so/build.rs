//! How both libraries are linked (crates/drop-in uses this file too): each shows `plugin_*` alone, and stays mapped once loaded.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    // dependencies export symbols of their own (crc_fast_*, for one), which must not meet those of other plugins
    let script = out.join("exports.map");
    std::fs::write(&script, "{ global: plugin_*; local: *; };\n")?;
    println!("cargo:rerun-if-changed=../so/build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={}", script.display());
    // rustc has a version script of its own that names them, and the linker takes both: this hides what is in archives,
    // which is every crate but this one
    println!("cargo:rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");
    // thread-local values with destructors keep a library mapped on some systems and not on others
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}
