//! What the Go plugin 0.17.1 answered for 277 edge records, field by field, against ours.
//!
//! `parity/edge.golden-orderfree.jsonl`: one record a line, `in` the record, `string` the event text, `fields` the
//! values; an absent field is left out, and `{"error": …}` stands where extraction failed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tfdrift_cloudtrail::Record;
use tfdrift_cloudtrail::ct::{self, Compat, CtField, CtValue, Piece};

const GOLDEN: &str = include_str!("parity/edge.golden-orderfree.jsonl");
const ALLOWED: &str = include_str!("parity/allow.tsv");

/// Fields and arguments that the golden file knows.
fn asked() -> Vec<(CtField, Option<&'static str>)> {
    let ours = ["ct.accesskeyid", "ct.mfa", "ct.session.name", "ct.resources.arns"];
    let mut fields: Vec<_> =
        CtField::ALL.iter().filter(|f| !ours.contains(&f.name())).map(|f| (*f, None)).collect();
    fields.extend(["0", "1", "9"].map(|index| (CtField::Ec2ImageIds, Some(index))));
    fields
}

fn to_json(value: CtValue<'_>) -> Value {
    match value {
        CtValue::Text(text) => text.into(),
        CtValue::Number(number) => number.into(),
        CtValue::List(items) => items.into_iter().map(Value::from).collect(),
    }
}

/// As the plugin asks: the value as it stands in the record first.
fn answer<'a>(record: &Record<'a>, field: CtField, arg: Option<&str>, compat: Compat) -> Option<CtValue<'a>> {
    match (arg, ct::piece(record, field)) {
        (None, Piece::Absent) => None,
        (None, Piece::Text(text)) => Some(CtValue::Text(std::str::from_utf8(text).unwrap().into())),
        _ => ct::value(record, field, arg, compat),
    }
}

/// Ours in the form of the golden file: values by name, the event text as `<to_string>`.
fn answers(record: &[u8], compat: Compat) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    found.insert("<to_string>".into(), ct::event_text(record, compat).into());
    let parsed = Record::parse(record);
    for (field, arg) in asked() {
        let name = arg.map_or(field.name().into(), |arg| format!("{}[{arg}]", field.name()));
        match &parsed {
            Ok(record) => found.extend(answer(record, field, arg, compat).map(|v| (name, to_json(v)))),
            Err(_) => drop(found.insert(name, "error".into())),
        }
    }
    found
}

fn golden(line: &Value) -> BTreeMap<String, Value> {
    let fields = line["fields"].as_object().unwrap();
    let simple = |value: &Value| if value.is_object() { "error".into() } else { value.clone() };
    let mut found: BTreeMap<_, _> = fields.iter().map(|(name, v)| (name.clone(), simple(v))).collect();
    found.insert("<to_string>".into(), line["string"].clone());
    found
}

/// The pairs of field and record that may differ. A line is `MODE<tab>FIELD<tab>RECORDS<tab>REASON`: records are
/// numbers and ranges of lines of the golden file.
fn allowed_records(mode: &str) -> BTreeSet<(String, usize)> {
    let mut found = BTreeSet::new();
    for line in ALLOWED.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<_> = line.split('\t').collect();
        let [of_mode, field, records, _reason] = parts[..] else { panic!("not four columns: {line}") };
        if of_mode != mode && of_mode != "both" {
            continue;
        }
        for span in records.split(',') {
            let (from, to) = span.split_once('-').unwrap_or((span, span));
            let numbers = from.parse().unwrap()..=to.parse().unwrap();
            found.extend(numbers.map(|number| (field.to_owned(), number)));
        }
    }
    found
}

fn compare(mode: &str, compat: Compat) {
    let allowed = allowed_records(mode);
    let (mut wrong, mut differ) = (Vec::new(), BTreeSet::new());
    let mut records = 0;
    for (number, line) in GOLDEN.lines().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let want = golden(&line);
        let got = answers(line["in"].as_str().unwrap().as_bytes(), compat);
        let names: BTreeSet<_> = want.keys().chain(got.keys()).collect();
        for name in names {
            let (want, got) = (want.get(name), got.get(name));
            if want != got {
                differ.insert((name.clone(), number));
            }
            if want != got
                && !allowed.contains(&(name.clone(), number))
                && !allowed.contains(&("*".into(), number))
            {
                wrong.push(format!("record {number} {name}: Go {want:?}, ours {got:?}"));
            }
        }
        records += 1;
    }
    assert_eq!(records, 277);
    let unused: Vec<_> = allowed.into_iter().filter(|a| a.0 != "*" && !differ.contains(a)).collect();
    assert!(unused.is_empty(), "allowed, but equal: {unused:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn strict_mode_answers_as_the_go_plugin() {
    compare("strict", Compat::Strict);
}

#[test]
fn normal_mode_differs_only_as_listed() {
    compare("normal", Compat::Normal);
}
