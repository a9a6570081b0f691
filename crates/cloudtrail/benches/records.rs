//! CPU time per million records for each stage of reading a record.
//!
//! `cargo bench -p tfdrift-cloudtrail` makes its own records, in the shapes and the mix of a busy account (10 % changes);
//! `cargo bench -p tfdrift-cloudtrail -- FILE.jsonl` reads them from a file, one a line. Single-threaded; the time is
//! that of the thread on the CPU (`/proc/thread-self/schedstat`), so that a busy machine does not matter much.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a program for the developer")]

use std::hint::black_box;
use std::time::Duration;

use tfdrift_cloudtrail::ct::{self, Compat, CtField};
use tfdrift_cloudtrail::{Head, Record, event_time_ns};

#[path = "records/make.rs"]
mod make;

/// Fields of a short rule set, and of a long one with its outputs: those of the project's comparison with the Go plugin.
const FIVE: &str = include_str!("../../../benches/host/fields5.txt");
const TWENTY: &str = include_str!("../../../benches/host/fields20.txt");

fn main() {
    let file = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let records: Vec<Vec<u8>> = match file {
        Some(path) => {
            let text = std::fs::read(path).unwrap();
            text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
        }
        None => make::records(20_000),
    };
    let bytes: usize = records.iter().map(Vec::len).sum();
    println!("{} records, {} bytes each", records.len(), bytes / records.len());

    let stage = |name: &str, run: &mut dyn FnMut()| report(name, records.len(), bytes, run);
    stage("event time only", &mut || {
        for record in &records {
            let _ = black_box(event_time_ns(record));
        }
    });
    let mut head = Head::default();
    stage("head: all top-level members", &mut || {
        for record in &records {
            let _ = black_box(head.scan(record));
        }
    });
    for (name, fields) in [("head + 5 fields", FIVE), ("head + 20 fields", TWENTY)] {
        let fields: Vec<CtField> = fields.trim().split(',').filter_map(CtField::from_name).collect();
        stage(name, &mut || {
            for record in &records {
                if head.scan(record).is_ok() {
                    // As libsinsp asks: field by field, the record lent anew each time.
                    for &field in &fields {
                        black_box(ct::value(&Record::with_head(record, &head), field, None, Compat::Normal));
                    }
                }
            }
        });
    }
    if std::env::args().any(|arg| arg == "--each") {
        for field in CtField::ALL {
            stage(field.name(), &mut || {
                for record in &records {
                    if head.scan(record).is_ok() {
                        let record = Record::with_head(record, &head);
                        for _ in 0..8 {
                            black_box(ct::value(black_box(&record), *field, None, Compat::Normal));
                        }
                    }
                }
            });
        }
    }
    stage("actor and tool", &mut || {
        for record in &records {
            if let Ok(record) = Record::parse(record) {
                black_box((record.actor(), record.via()));
            }
        }
    });
    stage("serde_json: validate only", &mut || {
        for record in &records {
            let _ = black_box(serde_json::from_slice::<serde::de::IgnoredAny>(record));
        }
    });
    stage("serde_json: typed head of 10", &mut || {
        for record in &records {
            let _ = black_box(serde_json::from_slice::<TypedHead<'_>>(record));
        }
    });
}

/// What a typed reader costs, for comparison.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct TypedHead<'a> {
    #[serde(borrow)]
    event_time: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    event_source: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    event_name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    aws_region: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    error_code: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    recipient_account_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    user_identity: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    request_parameters: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    response_elements: Option<&'a serde_json::value::RawValue>,
}

/// Repeats a stage until it has taken a second of CPU. The clock advances in steps of milliseconds, hence the mean.
fn report(name: &str, records: usize, bytes: usize, run: &mut dyn FnMut()) {
    let started = cpu_time();
    let mut passes = 0;
    let taken = loop {
        run();
        passes += 1;
        let taken = cpu_time().saturating_sub(started);
        if taken > Duration::from_secs(1) {
            break taken.as_secs_f64() / f64::from(passes);
        }
    };
    let per_million = taken / records as f64 * 1e6;
    println!("{name:32} {per_million:6.3} s per million records  {:5.2} GB/s", bytes as f64 / taken / 1e9);
}

fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}
