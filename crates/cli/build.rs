//! Packs `examples/seed` into the binary, so that `tfdrift demo` needs no file beside it.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fmt::Write, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let seed = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../examples/seed").canonicalize()?;
    println!("cargo::rerun-if-changed={}", seed.display());
    let mut objects = Vec::new();
    collect(&seed, &mut objects)?;
    objects.sort();
    let mut out = String::from("/// State and objects of `examples/seed`: (name below the folder, bytes).\n");
    writeln!(out, "pub const STATE: &[u8] = include_bytes!({:?});", seed.join("terraform.tfstate"))?;
    writeln!(out, "pub const OBJECTS: &[(&str, &[u8])] = &[")?;
    for object in &objects {
        writeln!(out, "    ({:?}, include_bytes!({object:?})),", object.strip_prefix(&seed)?)?;
    }
    writeln!(out, "];")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("seed.rs"), out)?;
    Ok(())
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            collect(&path, out)?;
        } else if [".json", ".jsonl", ".json.gz"].iter().any(|end| name.ends_with(end)) {
            out.push(path);
        }
    }
    Ok(())
}
