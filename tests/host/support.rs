//! Runs the C host with one of the libraries.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The libraries' names.
pub const LIBRARIES: [&str; 2] = ["tfdrift", "cloudtrail"];

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a library is: in `TFDRIFT_SO_DIR`, or beside the test in the target folder.
pub fn path(library: &str) -> PathBuf {
    let folder = match std::env::var_os("TFDRIFT_SO_DIR") {
        Some(folder) => PathBuf::from(folder),
        // target/PROFILE/deps/host-…
        None => std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned(),
    };
    let path = folder.join(format!("lib{library}.so"));
    assert!(
        path.is_file(),
        "{} is not there: run `cargo build --release` first, or set TFDRIFT_SO_DIR to the folder that has it",
        path.display()
    );
    path
}

/// The C host, compiled once.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        // several test binaries may do this at once: each its own file, then an atomic rename
        let (done, new) =
            (folder.join("falcohost"), folder.join(format!("falcohost.{}", std::process::id())));
        let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let status = Command::new(&cc)
            .args(["-O1", "-g", "-o"])
            .arg(&new)
            .arg(root().join("benches/host/falcohost.c"))
            .args(["-ldl", "-lpthread"])
            .status()
            .unwrap_or_else(|e| panic!("the C compiler {cc} does not run: {e}; set CC"));
        assert!(status.success(), "falcohost.c does not compile");
        std::fs::rename(new, &done).unwrap();
        done
    })
}

/// What the host printed.
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

/// Runs the host with a library.
pub fn host(library: &str, args: &[&str]) -> Output {
    host_with(library, args, &[])
}

/// Runs the host with a library and an environment.
pub fn host_with(library: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    let out = Command::new(program())
        .arg("--plugin")
        .arg(path(library))
        .args(args)
        .envs(env.iter().copied())
        .output()
        .unwrap();
    Output {
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        code: out.status.code(),
    }
}

impl Output {
    /// The one document printed, of a run that went well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// The summary of a run that the plugin failed.
    pub fn failed(&self) -> Value {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// One document a line.
    pub fn lines(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }
}

/// The fields of the Go plugin, and one of them with an index.
pub fn go_fields() -> Vec<String> {
    let info = host("cloudtrail", &["--info"]).json();
    let fields = info["fields"].as_array().unwrap();
    let names = fields.iter().take(73).map(|f| f["name"].as_str().unwrap().to_owned());
    names.chain(["ec2.imageids[0]", "ec2.imageids[1]", "ec2.imageids[9]"].map(String::from)).collect()
}
