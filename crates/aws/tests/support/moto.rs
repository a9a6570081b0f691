//! moto's server (tests/moto.sh of the workspace), one per test program.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running server; it ends when this is dropped.
pub struct Moto {
    child: Child,
    pub url: String,
}

impl Moto {
    /// Starts one, or says why that cannot be done here: no Python, no packages.
    pub fn start() -> Result<Moto, String> {
        let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let setup = Command::new(tests.join("moto.sh")).output().map_err(|e| format!("moto.sh: {e}"))?;
        if !setup.status.success() {
            return Err(String::from_utf8_lossy(&setup.stderr).trim().to_owned());
        }
        let python = String::from_utf8_lossy(&setup.stdout).trim().to_owned();
        let mut child = Command::new(python)
            .arg(tests.join("moto_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim());
        assert!(port.trim().parse::<u16>().is_ok(), "moto did not start: {port:?}");
        Ok(Moto { child, url })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
