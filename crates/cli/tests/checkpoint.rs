//! `tfdrift checkpoint`: which folder, and what is said when it is none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};
use tfdrift_intake::{Origin, checkpoint::Folder};

fn checkpoint(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tfdrift")).arg("checkpoint").args(args).env_clear().output().unwrap()
}

fn refused(args: &[&str], what: &str) {
    let output = checkpoint(args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(what) && !said.contains("may write"), "{said}");
}

#[test]
fn the_folder_of_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tfdrift.yaml");
    std::fs::write(&config, format!("source: {{checkpoint_dir: {}/cp}}\n", folder.path().display())).unwrap();
    let config = config.to_str().unwrap();
    refused(&["--config", config], "there is no such folder");
    drop(Folder::open(&folder.path().join("cp"), &Origin::parse("s3://logs").unwrap()).unwrap());
    let output = checkpoint(&["--config", config]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("/cp/s3---logs"), "{said}");
    // A folder that is given counts more.
    let output = checkpoint(&["--config", config, folder.path().to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("no checkpoint in"));
}

#[test]
fn what_is_wrong_for_somebody_who_reads() {
    refused(&["/nonexistent/folder"], "there is no such folder");
    let file = tempfile::NamedTempFile::new().unwrap();
    refused(&[file.path().to_str().unwrap()], "it is no folder");
    refused(&["--config", "/nonexistent/falco.yaml"], "No such file");
}
