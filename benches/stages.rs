//! What a million records cost, stage by stage, in CPU seconds.
//!
//!     benches/host/gen.py --out DATA --files 200 --records 500
//!     cargo bench --bench stages -- DATA [STATE]
//!
//! Each stage works on the same records, on one thread, and is run five times; the least time is printed, since all
//! that can disturb it only adds to it. `DATA` is a folder of gzipped CloudTrail objects, `STATE` a state file (the
//! seed's without one). Times are CPU times of this process from /proc, so that a busy machine counts little.
//!
//! First the ways of a record to Falco: `inflate`, `split` (find the records and the members that reading needs),
//! `dedup` (split, and look the ids up), `copy` (into the batch); then all of them together with files and threads. After
//! that what a field costs: `head` (all top-level members), and with fields; then drift.

#[path = "stages/measure.rs"]
mod measure;
#[path = "stages/records.rs"]
mod records;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use measure::{all_threads, find, this_thread};
use records::{Data, fields};
use tfdrift_cloudtrail::ct::{self, Compat, CtField, Piece};
use tfdrift_cloudtrail::{Head, Record, event_time_ns};
use tfdrift_drift::{DriftSettings, Mappings, drift};
use tfdrift_intake::bench::{Inflater, count_records, is_new};
use tfdrift_states::{Place, StateConfig, StateStore};

fn main() {
    // cargo adds --bench
    let args: Vec<_> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let Some(folder) = args.first().map(PathBuf::from) else {
        eprintln!("stages: no DATA given: nothing measured; make some with benches/host/gen.py --out DATA");
        return;
    };
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/seed/terraform.tfstate");
    let state = args.get(1).map_or(seed, String::as_str);
    let data = Data::of(&folder);
    println!(
        "{} records, {:.1} MB, {} bytes each; CPU seconds per million records",
        data.records.len(),
        data.bytes() as f64 / 1e6,
        data.bytes() / data.records.len().max(1)
    );
    reading(&data, &folder);
    answering(&data);
    judging(&data, state);
}

fn row(data: &Data, name: &str, work: &mut dyn FnMut()) {
    println!("{name:44} {:8.3}", data.secs_per_million(this_thread, work));
}

/// From files to batches.
fn reading(data: &Data, folder: &Path) {
    let mut packed = Vec::new();
    find(folder, &mut packed);
    let mut inflater = Inflater::default();
    let plain: Vec<_> = packed.iter().map(|bytes| inflater.inflate(bytes)).collect();
    row(data, "inflate", &mut || {
        for bytes in &packed {
            black_box(inflater.inflate(bytes));
        }
    });
    row(data, "split", &mut || {
        for bytes in &plain {
            black_box(count_records(bytes));
        }
    });
    row(data, "dedup (with split)", &mut || {
        black_box(is_new(&plain));
    });
    // as much as a batch holds, so that it stays in the cache as there
    let mut batch = Vec::with_capacity(1 << 20);
    row(data, "copy", &mut || {
        for (n, record) in data.records.iter().enumerate() {
            if n % 512 == 0 {
                black_box(&batch);
                batch.clear();
            }
            batch.extend_from_slice(record);
        }
    });
    let all = data.secs_per_million(all_threads, &mut || {
        black_box(data.read());
    });
    println!("{:44} {all:8.3}", "files to batches (all threads of the intake)");
}

/// From records to values.
fn answering(data: &Data) {
    row(data, "eventTime alone", &mut || {
        for record in &data.records {
            let _ = black_box(event_time_ns(record));
        }
    });
    let mut head = Head::default();
    row(data, "head: all top-level members", &mut || {
        for record in &data.records {
            let _ = black_box(head.scan(record));
        }
    });
    for list in ["fields5.txt", "fields20.txt"] {
        let fields = fields(list);
        row(data, &format!("head and {} fields", fields.len()), &mut || {
            for bytes in &data.records {
                if head.scan(bytes).is_ok() {
                    let record = Record::with_head(bytes, &head);
                    fields.iter().for_each(|field| answer(&record, *field));
                }
            }
        });
    }
}

/// As the plugin does.
#[inline]
fn answer(record: &Record<'_>, field: CtField) {
    match ct::piece(record, field) {
        Piece::Unknown => drop(black_box(ct::value(record, field, None, Compat::Normal))),
        known => drop(black_box(known)),
    }
}

/// From records to drift.
fn judging(data: &Data, state: &str) {
    let Ok(place) = Place::parse(state) else { return };
    let config = StateConfig { places: vec![place], ..StateConfig::default() };
    let mappings = Mappings::builtin();
    let Ok(store) = StateStore::new(config, mappings.index_plan()) else { return };
    store.load_now();
    let (Some(snapshot), Ok(rules)) = (store.snapshot(), DriftSettings::default().check()) else {
        eprintln!("stages: {state} cannot be loaded");
        return;
    };
    let mut head = Head::default();
    row(data, "head and drift", &mut || {
        for bytes in &data.records {
            if head.scan(bytes).is_ok() {
                black_box(drift(&Record::with_head(bytes, &head), &snapshot, mappings, &rules));
            }
        }
    });
}
