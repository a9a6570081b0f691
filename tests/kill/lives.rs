//! The host's lives: each starts anew over the same checkpoint and ends by SIGKILL.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::host;

/// Without a record for so long, a run that should have more is given up: the test then says what is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a life ends.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// So long after its start.
    After(Duration),
    /// So long after the host wrote that many records.
    AtRecord(usize, Duration),
    /// In good order (SIGTERM), some time after all that were left had come.
    WhenAllCame,
}

/// What a kill interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    BeforeTheFirst,
    WhileTheyFlow,
    AfterTheLast,
    /// It was not killed.
    Not,
}

/// What one life handed out.
#[derive(Debug)]
pub struct Life {
    /// `eventID`s, in order.
    pub ids: Vec<String>,
    /// Each line that the host wrote.
    lines: Vec<String>,
    /// When the first came.
    pub first: Option<Instant>,
    pub killed: Killed,
    /// The host's exit status was 0.
    pub ended_well: bool,
}

/// How to start the host.
pub struct Reader {
    library: String,
    config: String,
    log: PathBuf,
}

impl Reader {
    /// Of a server's bucket `logs`, with its checkpoint below `folder`.
    pub fn new(library: &str, address: SocketAddr, folder: &Path, batch_records: usize) -> Self {
        let config = json!({
            "aws": {"chain": ["environment"], "endpoint_url": format!("http://{address}"), "path_style": true},
            "source": {"checkpoint_dir": folder.join("checkpoint"), "batch_records": batch_records},
        });
        Self { library: library.into(), config: config.to_string(), log: folder.join("log") }
    }

    /// The end of the last life's log.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }

    /// One life; `left`: how many records have not come yet.
    pub fn live(&self, pause_us: u64, stop: Stop, left: usize) -> Life {
        // Each record with its payload: the pipe then holds few of them, so that a host that is not read from
        // waits, and does not run to the end before it is killed.
        let mut child = Command::new(host::program())
            .arg("--plugin")
            .arg(host::path(&self.library))
            .args(["--config", &self.config, "--open", "s3://logs/AWSLogs/?since=30d"])
            .args(["--print", "--raw", "--no-meta", "--flush", "--fields", "ct.id"])
            .args(["--poll-us", "200", "--pause-us", &pause_us.to_string()])
            .env_clear()
            .envs([
                ("AWS_ACCESS_KEY_ID", crate::server::KEY),
                ("AWS_SECRET_ACCESS_KEY", crate::server::SECRET),
            ])
            .env("AWS_REGION", "us-east-1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&self.log).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let mut out = BufReader::with_capacity(4096, child.stdout.take().unwrap());
        let (give, lines) = mpsc::sync_channel(0);
        let reading = std::thread::spawn(move || {
            let mut line = String::new();
            // A line that a kill cut off has no end: the host did not finish it, so the record is not counted.
            while out.read_line(&mut line).is_ok_and(|_| line.ends_with('\n')) {
                if give.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        let mut life =
            Life { ids: Vec::new(), lines: Vec::new(), first: None, killed: Killed::Not, ended_well: false };
        let mut last = Instant::now();
        loop {
            let wait = match stop {
                Stop::After(time) => time.saturating_sub(started.elapsed()),
                Stop::AtRecord(count, _) if life.lines.len() >= count.min(left) => break,
                Stop::AtRecord(..) => PATIENCE.saturating_sub(last.elapsed()),
                // What comes again would come now.
                Stop::WhenAllCame if life.lines.len() >= left => Duration::from_secs(2),
                Stop::WhenAllCame => PATIENCE.saturating_sub(last.elapsed()),
            };
            match lines.recv_timeout(wait) {
                Ok(line) => {
                    last = Instant::now();
                    life.first.get_or_insert(last);
                    life.lines.push(line);
                }
                Err(RecvTimeoutError::Timeout) if matches!(stop, Stop::AtRecord(..)) => {
                    let _ = child.kill();
                    panic!("{left} records are to come and none came for {PATIENCE:?}: {}", self.log())
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("the host ended by itself: {}", self.log()),
            }
        }
        if let Stop::WhenAllCame = stop {
            let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
            nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        } else {
            if let Stop::AtRecord(_, wait) = stop {
                let from = Instant::now();
                while from.elapsed() < wait {
                    std::hint::spin_loop();
                }
            }
            child.kill().unwrap();
        }
        // What the host had written before it was killed is still in the pipe.
        life.lines.extend(lines.iter());
        reading.join().unwrap();
        life.ended_well = child.wait().unwrap().success();
        life.ids = life.lines.iter().map(|line| id(&serde_json::from_str(line).unwrap())).collect();
        life.killed = match (stop, life.ids.len()) {
            (Stop::WhenAllCame, _) => Killed::Not,
            (_, 0) if left > 0 => Killed::BeforeTheFirst,
            (_, count) if count < left => Killed::WhileTheyFlow,
            _ => Killed::AfterTheLast,
        };
        life
    }
}

fn id(line: &Value) -> String {
    line["fields"]["ct.id"].as_str().unwrap().to_owned()
}

/// Fails unless every record came, unchanged, and what came again was in hand. Returns how many came again.
pub fn check(lives: &[Life], expected: &BTreeMap<String, String>, batch: usize) -> usize {
    let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut again = 0;
    for (number, life) in lives.iter().enumerate() {
        let mut from_life = BTreeMap::<usize, usize>::new();
        for (at, (id, line)) in life.ids.iter().zip(&life.lines).enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                line["payload"].as_str(),
                expected.get(id).map(String::as_str),
                "{id} is as it was written"
            );
            let Some((before, place)) = seen.insert(id, (number, at)) else { continue };
            again += 1;
            assert!(before < number, "{id} came twice in life {number}");
            *from_life.entry(before).or_default() += 1;
            let after_it = lives[before].ids.len() - place;
            assert!(
                after_it <= batch,
                "{id} came again, {after_it} records before the kill of life {before}"
            );
        }
        for (before, count) in from_life {
            assert!(count <= batch, "{count} records of life {before} came again in life {number}");
        }
    }
    let lost: Vec<_> = expected.keys().filter(|id| !seen.contains_key(id.as_str())).collect();
    assert!(
        lost.is_empty(),
        "{} of {} records are lost, such as {:?}",
        lost.len(),
        expected.len(),
        lost.first()
    );
    again
}
