//! CPU seconds per 100,000 records of 1.28 KB, 500 an object: where the time of `next_batch` goes.
//!
//!     cargo bench -p tfdrift-intake            objects of its own making
//!     cargo bench -p tfdrift-intake -- FOLDER  any folder of *.json.gz
//!     cargo bench -p tfdrift-intake -- --read FOLDER_OR_FILE   that alone, with the most memory it took
//!     cargo bench -p tfdrift-intake -- --bucket FOLDER         the same from a bucket that takes 30 ms an answer
//!
//! `inflate`, `split` (with the records' heads), `dedup` and `copy` (what the SDK does with a batch) are measured alone;
//! `next_batch` is the whole way from files, over both threads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::resource::{UsageWho, getrusage};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tfdrift_intake::bench::{Inflater, count_records, is_new};
use tfdrift_intake::store::{Connected, memory::MemoryStore};
use tfdrift_intake::{Intake, IntakeConfig, Next, Origin, Parts, SystemClock};

const OBJECTS: usize = 200;
const RECORDS: usize = 500;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [mode, path] if mode == "--read" => return read_alone(Path::new(path)),
        [mode, path] if mode == "--bucket" => return read_bucket(Path::new(path)),
        _ => {}
    }
    let folder = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let made = tempfile::tempdir().unwrap();
    let folder = match folder {
        Some(folder) => PathBuf::from(folder),
        None => {
            make(made.path());
            made.path().to_path_buf()
        }
    };
    let mut files = Vec::new();
    find(&folder, &mut files);
    files.sort();
    let packed: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let plain: Vec<Vec<u8>> = packed.iter().map(|bytes| Inflater::default().inflate(bytes)).collect();
    let records: usize = plain.iter().map(|bytes| count_records(bytes)).sum();
    let bytes: usize = plain.iter().map(Vec::len).sum();
    println!(
        "{} objects, {records} records, {:.1} MB, {:.1} MB gzipped; CPU s per 100,000 records, least of {ROUNDS}",
        files.len(),
        bytes as f64 / 1e6,
        packed.iter().map(Vec::len).sum::<usize>() as f64 / 1e6
    );
    let per = 100_000.0 / records.max(1) as f64;
    let report = |name: &str, run: &mut dyn FnMut()| {
        let (mut cpu, mut wall) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            let (before, start) = (cpu_secs(), Instant::now());
            run();
            cpu = cpu.min(cpu_secs() - before);
            wall = wall.min(start.elapsed().as_secs_f64());
        }
        println!("{name:<12} {:.3} CPU s  {:.3} s", cpu * per, wall * per);
    };
    let mut inflater = Inflater::default();
    report("inflate", &mut || {
        for bytes in &packed {
            std::hint::black_box(inflater.inflate(bytes));
        }
    });
    report("split", &mut || {
        for bytes in &plain {
            std::hint::black_box(count_records(bytes));
        }
    });
    report("dedup", &mut || {
        std::hint::black_box(is_new(&plain));
    });
    let mut copied = Vec::with_capacity(1 << 20);
    report("copy", &mut || {
        for bytes in &plain {
            for piece in bytes.chunks(1_285) {
                copied.extend_from_slice(piece);
                if copied.len() > 600_000 {
                    std::hint::black_box(&copied);
                    copied.clear();
                }
            }
        }
    });
    report("next_batch", &mut || {
        let (seen, duplicates) = read(open(&folder));
        assert_eq!(seen + duplicates, records as u64);
    });
}

fn open(path: &Path) -> Intake {
    let origin = Origin::parse(path.to_str().unwrap()).unwrap();
    Intake::open(origin, &IntakeConfig::default(), Parts::default()).unwrap()
}

/// Records and duplicates.
fn read(mut intake: Intake) -> (u64, u64) {
    let mut seen = 0;
    loop {
        match intake.next_batch(512, Duration::from_millis(10)) {
            Next::Batch(batch) => seen += batch.iter().map(|r| u64::from(!r.bytes().is_empty())).sum::<u64>(),
            Next::Idle => {}
            Next::End => return (seen, intake.counters().values().duplicate),
        }
    }
}

fn read_alone(path: &Path) {
    let start = Instant::now();
    let (seen, _) = read(open(path));
    println!(
        "{seen} records, {:.3} CPU s, {:.3} s, at most {} MB resident",
        cpu_secs(),
        start.elapsed().as_secs_f64(),
        peak_mb()
    );
}

/// The objects of a folder, as a bucket of which each answer takes 30 ms.
fn read_bucket(folder: &Path) {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock), Duration::from_millis(30)));
    let mut files = Vec::new();
    find(folder, &mut files);
    for file in files {
        let key = file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        store.put(key, std::fs::read(file).unwrap());
    }
    let before = (cpu_secs(), peak_mb());
    let origin = Origin::parse("s3://logs?once").unwrap();
    let parts = Parts::default().with_connect(Arc::new(Connected(store)));
    let start = Instant::now();
    let (seen, _) = read(Intake::open(origin, &IntakeConfig::default(), parts).unwrap());
    let wall = start.elapsed().as_secs_f64();
    println!(
        "{seen} records, {:.3} CPU s, {wall:.3} s, {:.0} records/s, at most {} MB resident ({} MB of them the bucket)",
        cpu_secs() - before.0,
        seen as f64 / wall,
        peak_mb(),
        before.1
    );
}

/// The most memory that was resident, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

/// User and system time of the process.
fn cpu_secs() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|t| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6)
        .sum()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.to_str().is_some_and(|name| name.ends_with(".json.gz")) {
            files.push(path);
        }
    }
}

/// Records as EC2 writes them, 1.28 KB each.
fn make(folder: &Path) {
    let mut state = 7u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    for object in 0..OBJECTS {
        let records: Vec<String> = (0..RECORDS)
            .map(|_| {
                let (a, b, c) = (random(), random(), random());
                format!(
                    r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROA{a:016X}:alice","arn":"arn:aws:sts::111122223333:assumed-role/admin/alice","accountId":"111122223333","accessKeyId":"ASIA{b:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{a:016X}","arn":"arn:aws:iam::111122223333:role/admin","accountId":"111122223333","userName":"admin"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2026-11-02T19:00:00Z","mfaAuthenticated":"true"}}}}}},"eventTime":"2026-11-02T19:{:02}:{:02}Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.{}","userAgent":"aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1018-aws exe/x86_64.ubuntu.22 prompt/off command/ec2.describe-instances","requestParameters":{{"maxResults":1000,"instancesSet":{{"items":[{{"instanceId":"i-{c:017x}"}}]}},"filterSet":{{"items":[{{"name":"tag:env","valueSet":{{"items":[{{"value":"prod"}}]}}}}]}}}},"responseElements":null,"requestID":"{a:08x}-0000-4000-8000-{b:012x}","eventID":"{b:08x}-0000-4000-8000-{c:012x}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"ec2.us-east-1.amazonaws.com"}}}}"#,
                    a % 60,
                    b % 60,
                    c % 250,
                )
            })
            .collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()).unwrap();
        std::fs::write(folder.join(format!("{object:04}.json.gz")), encoder.finish().unwrap()).unwrap();
    }
}
