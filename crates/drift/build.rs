//! Checks `mappings/core` and `mappings/generated` and compiles them into one table, which the crate embeds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

use tfdrift_mapping::{Confidence, Operation, Schema, Table, lint, operation_key, parse_file};

fn main() -> Result<(), Box<dyn Error>> {
    let mappings = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../mappings");
    println!("cargo::rerun-if-changed={}", mappings.display());
    let schema = Schema::parse(&fs::read_to_string(mappings.join("schema/aws.json"))?)?;

    // Core wins over generated, operation by operation.
    let mut operations: BTreeMap<String, Operation> = BTreeMap::new();
    for (folder, confidence) in [("generated", Confidence::Generated), ("core", Confidence::Core)] {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for file in toml_files(&mappings.join(folder))? {
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let label = format!("mappings/{folder}/{name}");
            for op in parse_file(&label, &fs::read_to_string(&file)?, confidence)? {
                let key = operation_key(&op.source, &op.name);
                if !seen.insert(key.clone()) {
                    return Err(format!("{label}: {key} stands in another file of this folder too").into());
                }
                operations.insert(key, op);
            }
        }
    }
    let operations: Vec<Operation> = operations.into_values().collect();
    let findings = lint(&operations, &schema, Some(&known_operations(&mappings)?));
    if !findings.is_empty() {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        return Err(format!("the mappings do not fit the provider's schema:\n{}", lines.join("\n")).into());
    }

    let named: BTreeSet<&String> =
        operations.iter().flat_map(|o| &o.targets).flat_map(|t| &t.types).collect();
    let types =
        named.into_iter().filter_map(|t| schema.attributes(t).map(|a| (t.clone(), a.to_vec()))).collect();
    let blob = postcard::to_stdvec(&Table { operations, types })?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("table.bin"), blob)?;
    Ok(())
}

/// `source:name` of every operation of AWS (`mappings/schema/operations.txt`). S3 Express has S3's under a source of its own.
fn known_operations(mappings: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut out = BTreeSet::new();
    for line in fs::read_to_string(mappings.join("schema/operations.txt"))?.lines() {
        let (source, names) = line.split_once(": ").ok_or("operations.txt: a line without `source: `")?;
        for name in names.split_whitespace() {
            out.insert(operation_key(source, name));
            if source == "s3.amazonaws.com" {
                out.insert(operation_key("s3express.amazonaws.com", name));
            }
        }
    }
    Ok(out)
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut out = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}
