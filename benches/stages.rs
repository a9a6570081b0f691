//! What a million records cost, stage by stage, in user CPU seconds.
//!
//!     benches/host/gen.py --out DATA --files 200 --records 500
//!     cargo bench --bench stages -- DATA [STATE]
//!
//! Each stage works on the same records, on one thread, and is run five times; the least time is printed, since all
//! that can disturb it only adds to it. `DATA` is a folder of CloudTrail objects, `STATE` a state file (the seed's
//! without one). Times are CPU times of this process from /proc, so that a busy machine counts little.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tfdrift_cloudtrail::ct::{self, Compat, CtField};
use tfdrift_cloudtrail::{Head, Record, event_time_ns};
use tfdrift_drift::{DriftSettings, Mappings, drift};
use tfdrift_intake::{Intake, IntakeConfig, Next, Origin, Parts};
use tfdrift_states::{Place, StateConfig, StateStore};

const ROUNDS: usize = 5;

fn main() {
    // cargo adds --bench
    let args: Vec<_> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let Some(data) = args.first().map(PathBuf::from) else {
        eprintln!("stages: no DATA given: nothing measured; make some with benches/host/gen.py --out DATA");
        return;
    };
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/seed/terraform.tfstate");
    let state = args.get(1).map_or(seed, String::as_str);

    let mut config = IntakeConfig::default();
    config.source.checkpoint_dir = PathBuf::new();
    let records = read(&data, &config);
    let bytes: usize = records.iter().map(Vec::len).sum();
    let per = bytes / records.len().max(1);
    println!(
        "{} records, {:.1} MB, {per} bytes each; user CPU seconds per million records",
        records.len(),
        mb(bytes)
    );

    let row_by = |clock: fn() -> Duration, name: &str, work: &mut dyn FnMut()| {
        let round = |_| {
            let before = clock();
            work();
            clock().saturating_sub(before)
        };
        let least = (0..ROUNDS).map(round).min().unwrap_or_default();
        println!("{name:44} {:8.3}", least.as_secs_f64() * 1e6 / records.len() as f64);
    };
    let row = |name: &str, work: &mut dyn FnMut()| row_by(this_thread, name, work);
    row_by(all_threads, "files to batches (all threads of the intake)", &mut || {
        black_box(read_only(&data, &config));
    });
    row("eventTime alone", &mut || {
        for record in &records {
            let _ = black_box(event_time_ns(record));
        }
    });
    let mut head = Head::default();
    row("head: all top-level members", &mut || {
        for record in &records {
            let _ = black_box(head.scan(record));
        }
    });
    for list in ["fields5.txt", "fields20.txt"] {
        let fields = fields(list);
        row(&format!("head and {} fields", fields.len()), &mut || {
            for bytes in &records {
                if head.scan(bytes).is_err() {
                    continue;
                }
                let record = Record::with_head(bytes, &head);
                for field in &fields {
                    black_box(ct::value(&record, *field, None, Compat::Normal));
                }
            }
        });
    }
    let Ok(place) = Place::parse(state) else { return };
    let config = StateConfig { places: vec![place], ..StateConfig::default() };
    let mappings = Mappings::builtin();
    let Ok(store) = StateStore::new(config, mappings.index_plan()) else { return };
    store.load_now();
    let (Some(snapshot), Ok(rules)) = (store.snapshot(), DriftSettings::default().check()) else {
        eprintln!("stages: {state} cannot be loaded");
        return;
    };
    row("head and drift", &mut || {
        for bytes in &records {
            if head.scan(bytes).is_ok() {
                black_box(drift(&Record::with_head(bytes, &head), &snapshot, mappings, &rules));
            }
        }
    });
}

fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// All records, copied.
fn read(data: &Path, config: &IntakeConfig) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    batches(data, config, |records| all.extend(records.iter().map(|r| r.bytes().to_vec())));
    all
}

fn read_only(data: &Path, config: &IntakeConfig) -> usize {
    let mut n = 0;
    batches(data, config, |records| n += records.len());
    n
}

fn batches(data: &Path, config: &IntakeConfig, mut each: impl FnMut(&[tfdrift_intake::RecordSlice])) {
    let origin = Origin::parse(&data.to_string_lossy()).unwrap_or_else(|e| stop(&e.to_string()));
    let mut intake = Intake::open(origin, config, Parts::default()).unwrap_or_else(|e| stop(&e.to_string()));
    loop {
        match intake.next_batch(512, Duration::from_millis(10)) {
            Next::Batch(records) => each(&records),
            Next::Idle => {}
            Next::End => break,
        }
    }
    intake.close();
}

#[allow(clippy::panic, reason = "a bench has nobody to give an error to")]
fn stop(why: &str) -> ! {
    panic!("{why}")
}

fn fields(list: &str) -> Vec<CtField> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/host").join(list);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().split(',').filter_map(CtField::from_name).collect()
}

/// CPU time of this thread, in nanoseconds.
fn this_thread() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|w| w.parse().ok()).unwrap_or(0))
}

/// CPU time of all threads, those that ended included, in hundredths of a second.
fn all_threads() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let words: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // fields 14 and 15 of proc(5); the word after the name is field 3
    let ticks = |n: usize| words.get(n).and_then(|w| w.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
