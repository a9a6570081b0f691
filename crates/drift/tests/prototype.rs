//! The 42 cases of the prototype in which the mapping format was measured, with expectations in the form of this crate: the resources
//! that a record drifts (mirrors left out) and their attributes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftSettings, Kind, Mappings, drift};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

#[derive(Deserialize)]
struct File {
    state: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: String,
    record: Value,
    /// Address → attributes that differ; none for a deleted or merely touched one.
    expect: BTreeMap<String, Vec<String>>,
    drift: bool,
}

#[test]
fn the_prototype_s_cases_hold() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/prototype.json")).unwrap();
    let file: File = serde_json::from_str(&text).unwrap();
    let mappings = Mappings::builtin();
    let meta = StateMeta {
        account: Some("111122223333".into()),
        region: Some("us-east-1".into()),
        ..StateMeta::named("prod")
    };
    let state = read_state(file.state.to_string().as_bytes(), meta, &mappings.index_plan()).unwrap();
    let snapshot = Snapshot::new(vec![std::sync::Arc::new(state)]);
    // The prototype took a CI role for Terraform by itself; here Terraform is its user agent AND, where roles are known, one of them.
    let config = DriftSettings::default().check().unwrap();
    let mut failed = Vec::new();
    for case in &file.cases {
        let text = case.record.to_string();
        let record = Record::parse(text.as_bytes()).unwrap();
        let finding = drift(&record, &snapshot, mappings, &config);
        let got: BTreeMap<String, Vec<String>> = finding
            .iter()
            .flat_map(|f| &f.resources)
            .filter(|r| !r.mirror && (r.kind.is_some() || !r.same.is_empty()))
            .map(|r| (r.address.clone(), r.attrs.keys().cloned().collect()))
            .collect();
        let drifted = finding.as_ref().is_some_and(|f| f.drift);
        if got != case.expect || drifted != case.drift {
            failed.push(format!(
                "{}: expected {:?} drift {}\n     got {got:?} drift {drifted}",
                case.case, case.expect, case.drift
            ));
        }
        if let Some(f) = &finding {
            let shown = serde_json::to_string(f).unwrap();
            assert!(!shown.contains("hunter2"), "{}: a password is shown", case.case);
            assert!(f.resources.iter().all(|r| r.kind != Some(Kind::Unmanaged)));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), file.cases.len(), failed.join("\n"));
    assert_eq!(file.cases.len(), 42);
}
