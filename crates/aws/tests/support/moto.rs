//! moto's server (tests/moto.sh of the workspace), one per test program.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running server; it ends when this is dropped.
pub struct Moto {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub url: String,
}

impl Moto {
    /// Starts one, or says why that cannot be done here: no Python, no packages.
    #[allow(dead_code)]
    pub fn start() -> Result<Moto, String> {
        Moto::start_with(&[])
    }

    /// The same with settings of moto's, as variables.
    #[allow(dead_code)]
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Moto, String> {
        // the workspace's folder, from its own package and from those in crates/
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let folders = [here.join("tests"), here.join("../../tests")];
        let tests = folders.into_iter().find(|folder| folder.join("moto.sh").exists()).ok_or("no moto.sh")?;
        let setup = Command::new(tests.join("moto.sh")).output().map_err(|e| format!("moto.sh: {e}"))?;
        if !setup.status.success() {
            return Err(String::from_utf8_lossy(&setup.stderr).trim().to_owned());
        }
        let python = String::from_utf8_lossy(&setup.stdout).trim().to_owned();
        let mut child = Command::new(python)
            .arg(tests.join("moto_server.py"))
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut output = BufReader::new(output);
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim());
        assert!(port.trim().parse::<u16>().is_ok(), "moto did not start: {port:?}");
        Ok(Moto { child, input, output, url })
    }

    /// Sets the time at which objects are written from now on: `2026-01-31T12:00:00`.
    #[allow(dead_code)]
    pub fn clock(&mut self, time: &str) {
        writeln!(self.input, "{time}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
