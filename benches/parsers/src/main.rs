//! JSON parsers on the whole way: records read from objects, then the 20 fields of `benches/host/fields20.txt`.
//!
//!     benches/host/gen.py --out DATA --files 200 --records 500
//!     cargo run --release --manifest-path benches/parsers/Cargo.toml -- DATA
//!
//! `DATA` is a folder of gzipped CloudTrail objects or JSON lines. Each parser is used as its makers advise for taking a few
//! members out of many small texts: a tree of the whole record, a type with the members wanted (serde), or one pass over the
//! members (sonic-rs). Its values are compared with ours, too; JSON that is printed anew from a tree may differ in escapes and
//! numbers, and `ct.info` is made in a simpler way than ours. All on one thread: `fields` is parsing and the fields, `whole way`
//! adds inflating, finding the records and a copy of each, the same for all. Least of five rounds.

mod fields;
#[path = "../../stages/measure.rs"]
mod measure;
mod nodes;

use std::borrow::Cow;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;

use fields::{FIELDS, Members, Values, values};
use libdeflater::Decompressor;
use measure::{find, this_thread};
use nodes::Typed;
use serde_json::value::RawValue;
use tfdrift_cloudtrail::ct::{self, Compat, CtField, CtValue, Piece};
use tfdrift_cloudtrail::{Head, Record};

const ROUNDS: usize = 5;
/// A round has so many, the same ones again if need be.
const LEAST_RECORDS: usize = 100_000;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("parsers: no DATA given; make some with benches/host/gen.py --out DATA");
        return ExitCode::from(2);
    };
    let mut objects = Vec::new();
    find(&folder, &mut objects);
    let mut records: Vec<Vec<u8>> = Vec::new();
    read(&objects, &mut |record| records.push(record.to_vec()));
    let mut copy = Vec::new();
    let reading = secs_per_million(records.len(), &mut || {
        read(&objects, &mut |record| {
            copy.clear();
            copy.extend_from_slice(record);
            black_box(&copy);
        });
    });
    println!(
        "{} records, {} bytes each; CPU seconds per million records, reading them {reading:.2}",
        records.len(),
        records.iter().map(Vec::len).sum::<usize>() / records.len().max(1)
    );
    println!("{:34} {:>8} {:>10} {:>8}   values unlike ours", "", "fields", "whole way", "to ours");
    let mut bench = Bench { records: &records, reading, ours: None };

    let mut head = Head::default();
    let ct_fields: Vec<_> = FIELDS.trim().split(',').filter_map(CtField::from_name).collect();
    bench.row("ours", &mut |record, sink| {
        if head.scan(record).is_ok() {
            let record = Record::with_head(record, &head);
            sink(&ct_fields.iter().map(|field| ours(&record, *field)).collect());
        }
    });
    bench.row("serde_json, a type", &mut |record, sink| {
        if let Ok(typed) = serde_json::from_slice::<Typed<'_>>(record) {
            sink(&values(&typed));
        }
    });
    bench.row("serde_json, a tree", &mut |record, sink| {
        if let Ok(tree) = serde_json::from_slice::<serde_json::Value>(record) {
            sink(&values(&&tree));
        }
    });
    bench.row("sonic-rs, one pass over members", &mut |record, sink| {
        let members: Result<Vec<_>, _> = sonic_rs::to_object_iter(record).collect();
        if let Ok(members) = members {
            sink(&values(&Members::new(members)));
        }
    });
    bench.row("sonic-rs, a tree", &mut |record, sink| {
        if let Ok(tree) = sonic_rs::from_slice::<sonic_rs::Value>(record) {
            sink(&values(&&tree));
        }
    });
    let (mut bytes, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    bench.row("simd-json, a tree", &mut |record, sink| {
        // it works in the text itself, which is Falco's
        bytes.clear();
        bytes.extend_from_slice(record);
        if let Ok(tree) = simd_json::borrowed::to_value_with_buffers(&mut bytes, &mut buffers) {
            sink(&values(&&tree));
        }
    });
    ExitCode::SUCCESS
}

struct Bench<'d> {
    records: &'d [Vec<u8>],
    /// What reading takes.
    reading: f64,
    /// What our way takes as a whole, and its values.
    ours: Option<(f64, Vec<Vec<Option<String>>>)>,
}

/// Hands a record's values over.
type Parser<'p> = dyn FnMut(&[u8], &mut dyn FnMut(&Values<'_>)) + 'p;

impl Bench<'_> {
    fn row(&mut self, name: &str, parser: &mut Parser<'_>) {
        let mut all = Vec::new();
        for record in self.records {
            let mut own = Vec::new();
            parser(record, &mut |values| {
                own = values.iter().map(|v| v.as_deref().map(str::to_owned)).collect()
            });
            all.push(own);
        }
        let fields = secs_per_million(self.records.len(), &mut || {
            for record in self.records {
                parser(record, &mut |values| {
                    black_box(values);
                });
            }
        });
        let whole = fields + self.reading;
        let (ours, right) = self.ours.get_or_insert((whole, all.clone()));
        // all but the last, ct.info
        let unlike = |(a, b): (&Vec<Option<String>>, &Vec<Option<String>>)| {
            a.iter().zip(b).take(a.len().saturating_sub(1)).filter(|(a, b)| a != b).count()
        };
        let unlike: usize = right.iter().zip(&all).map(unlike).sum();
        let none = right.iter().zip(&all).filter(|(a, b)| a.len() != b.len()).count();
        println!(
            "{name:34} {fields:8.2} {whole:10.2} {:8.2}   {unlike}; {none} records not parsed",
            whole / *ours
        );
    }
}

/// An object as AWS writes it.
#[derive(serde::Deserialize)]
struct Object<'o> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'o RawValue>,
}

/// The records of an object as AWS writes it, or of one with a record a line.
fn records(plain: &[u8], each: &mut dyn FnMut(&[u8])) {
    if let Ok(object) = serde_json::from_slice::<Object<'_>>(plain) {
        return object.records.iter().for_each(|record| each(record.get().as_bytes()));
    }
    for record in serde_json::Deserializer::from_slice(plain).into_iter::<&RawValue>() {
        match record {
            Ok(record) => each(record.get().as_bytes()),
            Err(why) => eprintln!("parsers: the rest of an object was left out: {why}"),
        }
    }
}

/// Inflates objects and finds their records, the same way for all.
fn read(objects: &[Vec<u8>], each: &mut dyn FnMut(&[u8])) {
    let (mut inflater, mut plain) = (Decompressor::new(), Vec::new());
    for object in objects {
        // the last four bytes of gzip are the size of what was packed
        let size = object.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
        plain.resize(size, 0);
        match inflater.gzip_decompress(object, &mut plain) {
            Ok(_) => records(&plain, each),
            Err(why) => eprintln!("parsers: an object of {} bytes was left out: {why}", object.len()),
        }
    }
}

/// What the work takes for a million records.
fn secs_per_million(records: usize, work: &mut dyn FnMut()) -> f64 {
    // the clock goes in steps of some milliseconds
    let times = LEAST_RECORDS.div_ceil(records.max(1));
    let round = |_| {
        let before = this_thread();
        (0..times).for_each(|_| work());
        this_thread().saturating_sub(before)
    };
    let least = (0..ROUNDS).map(round).min().unwrap_or_default();
    least.as_secs_f64() * 1e6 / (times * records.max(1)) as f64
}

/// The value as the plugin finds it.
fn ours<'a>(record: &Record<'a>, field: CtField) -> Option<Cow<'a, str>> {
    let value = match ct::piece(record, field) {
        Piece::Absent => return None,
        // the plugin hands bytes over and is spared this check
        Piece::Text(text) => return std::str::from_utf8(text).ok().map(Cow::Borrowed),
        Piece::Unknown => ct::value(record, field, None, Compat::Normal)?,
    };
    match value {
        CtValue::Text(text) => Some(text),
        CtValue::Number(number) => Some(number.to_string().into()),
        CtValue::List(list) => Some(list.join(",").into()),
    }
}
