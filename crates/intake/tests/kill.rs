//! SIGKILL at random points while records flow from an S3 server in this process to a reader in another: nothing is
//! lost, and what comes again was in the reader's hand when it was killed. Runs by itself, since it starts itself anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;
use tfdrift_intake::{Intake, Next, Parts};

const KILLS: usize = 200;
const OBJECTS: u64 = 100;
const RECORDS: usize = 500;
const BATCH: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, address, state, out] = &arguments[..]
        && flag == "--reader"
    {
        return reader(address, Path::new(state), Path::new(out));
    }
    if arguments.iter().any(|a| a == "--list") {
        return println!("sigkill: test");
    }
    // As cargo's own tests do: a name that does not fit is not run.
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    if !filters.is_empty() && !filters.iter().any(|f| "sigkill".contains(f.as_str())) {
        return println!("\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out\n");
    }
    sigkill();
    println!(
        "test sigkill ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
}

/// The other process: writes down each batch before it asks for the next.
fn reader(address: &str, state: &Path, out: &Path) {
    let address = address.parse().unwrap();
    let parts = Parts {
        connect: Some(server::connect(address)),
        clock: TestClock::at(NOON_SECS + 86_400),
        pace: pace(),
    };
    let mut intake = Intake::open(s3("AWSLogs/", "?since=30d"), &config(state), parts).unwrap();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(out).unwrap();
    file.write_all(b"life\n").unwrap();
    loop {
        match intake.next_batch(BATCH, Duration::from_millis(10)) {
            Next::Batch(batch) => {
                let ids: Vec<String> = batch.iter().map(|r| id_of(r.bytes())).collect();
                file.write_all(format!("{}\n", ids.join(" ")).as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(8));
            }
            Next::Idle => {
                let values = intake.counters().values();
                if values.objects_known == OBJECTS && values.objects_done == OBJECTS {
                    file.write_all(b"end\n").unwrap();
                }
            }
            Next::End => return,
        }
    }
}

fn sigkill() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut expected = BTreeSet::new();
    for n in 0..OBJECTS {
        let path = folder.path().join("logs").join(key(
            "",
            ACCOUNT,
            "us-east-1",
            NOON_SECS + n * 60,
            &n.to_string(),
        ));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, object_of(&format!("{n}"), RECORDS)).unwrap();
        expected.extend(ids(&format!("{n}"), RECORDS));
    }
    let server = server::Server::start(folder.path());
    let out = state.path().join("out");
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg("--reader")
            .arg(server.address.to_string())
            .arg(state.path().join("checkpoint"))
            .arg(&out);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let length = || std::fs::metadata(&out).map_or(0, |meta| meta.len());
    for n in 0..KILLS {
        let before = length();
        let mut child = start();
        let wait = RandomState::new().hash_one(n) % 100;
        // One in five is killed while it starts, the others while records flow.
        let started = Instant::now();
        while n % 5 != 0 && length() < before + 20 && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut last = start();
    let started = Instant::now();
    let everything = |text: &str| {
        let life = text.rsplit("life\n").next().unwrap_or_default().to_owned();
        let given: BTreeSet<&str> = text.split_whitespace().filter(|w| w.contains('-')).collect();
        given.len() >= expected.len() || life.contains("end\n")
    };
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let text = std::fs::read_to_string(&out).unwrap();
        if everything(&text) || started.elapsed() > Duration::from_secs(120) {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    last.kill().unwrap();
    last.wait().unwrap();
    check(&std::fs::read_to_string(&out).unwrap(), &expected);
}

fn check(text: &str, expected: &BTreeSet<String>) {
    let lives: Vec<Vec<Vec<&str>>> = text
        .split("life\n")
        .skip(1)
        .map(|life| {
            // A kill may cut the line that is being written: the batch was in hand, its last id may be half of one.
            let whole = life.rfind('\n').map_or("", |end| &life[..=end]);
            let lines = whole.lines().filter(|line| *line != "end" && !line.is_empty());
            lines.map(|line| line.split(' ').collect()).collect()
        })
        .collect();
    let given: BTreeSet<String> = lives.iter().flatten().flatten().map(|id| (*id).to_owned()).collect();
    assert_eq!(given.len(), expected.len(), "nothing is lost");
    assert_eq!(&given, expected);
    let (mut seen, mut again, mut worked) = (BTreeMap::new(), 0, 0);
    for (life, batches) in lives.iter().enumerate() {
        worked += usize::from(!batches.is_empty());
        for (at, batch) in batches.iter().enumerate() {
            for id in batch {
                let Some((before, in_batch)) = seen.insert(*id, (life, at)) else { continue };
                again += 1;
                assert!(before < life, "{id} came twice in life {life}");
                assert_eq!(in_batch, lives[before].len() - 1, "{id} came again and was not in hand");
            }
        }
    }
    println!(
        "{KILLS} kills, {worked} of {} lives handed records out, {again} of {} came again",
        lives.len(),
        given.len()
    );
    assert!(worked > KILLS / 20, "the kills must hit while records flow: {worked}");
}
