//! Every operation of `mappings/core`, on a record in AWS's own form: `tests/operations/<file>.json`, described in `docs/mappings.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, Mappings, drift};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    state: Vec<Resource>,
    record: Map<String, Value>,
    expect: BTreeMap<String, Expect>,
    #[serde(default)]
    unmanaged: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    #[serde(rename = "type")]
    rtype: String,
    #[serde(default = "x")]
    name: String,
    module: Option<String>,
    index_key: Option<Value>,
    mode: Option<String>,
    attributes: Value,
    #[serde(default)]
    sensitive_attributes: Value,
}

fn x() -> String {
    "x".to_owned()
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expect {
    kind: String,
    #[serde(default)]
    attrs: BTreeMap<String, Value>,
    #[serde(default)]
    mirror: bool,
}

const ACCOUNT: &str = "111122223333";

fn state(resources: &[Resource]) -> String {
    let resources: Vec<Value> = resources
        .iter()
        .map(|r| {
            let mut instance = json!({"schema_version": 0, "attributes": r.attributes, "sensitive_attributes": r.sensitive_attributes});
            if let Some(key) = &r.index_key {
                instance["index_key"] = key.clone();
            }
            let mut out = json!({"mode": r.mode.as_deref().unwrap_or("managed"), "type": r.rtype, "name": r.name,
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [instance]});
            if let Some(module) = &r.module {
                out["module"] = module.clone().into();
            }
            out
        })
        .collect();
    json!({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {}, "resources": resources}).to_string()
}

fn record(source: &str, over: &Map<String, Value>) -> String {
    let mut record = json!({
        "eventVersion": "1.09", "eventTime": "2026-11-02T19:30:22Z", "eventSource": source, "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "AWS Internal", "eventID": "e1", "requestID": "r1", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "userName": "alice", "arn": format!("arn:aws:iam::{ACCOUNT}:user/alice"), "accountId": ACCOUNT},
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
        "sessionCredentialFromConsole": "true", "responseElements": null,
    });
    for (k, v) in over {
        record[k] = v.clone();
    }
    record.to_string()
}

fn run(source: &str, case: &Case) -> Result<(), String> {
    let mappings = Mappings::builtin();
    let meta = StateMeta {
        account: Some(ACCOUNT.into()),
        region: Some("us-east-1".into()),
        ..StateMeta::named("s")
    };
    let state =
        read_state(state(&case.state).as_bytes(), meta, &mappings.index_plan()).map_err(|e| e.to_string())?;
    let snapshot = Snapshot::new(vec![std::sync::Arc::new(state)]);
    let text = record(source, &case.record);
    let record = Record::parse(text.as_bytes()).map_err(|e| e.to_string())?;
    let finding = drift(&record, &snapshot, mappings, &DriftConfig::default());

    let got: BTreeMap<String, Expect> = finding
        .iter()
        .flat_map(|f| &f.resources)
        .filter_map(|r| {
            let attrs = r
                .attrs
                .iter()
                .map(|(n, c)| (n.clone(), if c.certain { c.new.clone() } else { "?".into() }))
                .collect();
            let kind = r.kind?.as_str().to_owned();
            Some((r.address.clone(), Expect { kind, attrs, mirror: r.mirror }))
        })
        .collect();
    if !same(&case.expect, &got) {
        return Err(format!("expected {}\n     got {}", show(&case.expect), show(&got)));
    }
    let created: Vec<(String, String)> =
        finding.iter().flat_map(|f| &f.created).map(|c| (c.rtype.clone(), c.id.clone())).collect();
    if created != case.unmanaged {
        return Err(format!("expected unmanaged {:?}, got {created:?}", case.unmanaged));
    }
    Ok(())
}

/// Values as Terraform would compare them, less strict about members of blocks that are at zero.
fn norm(v: &Value) -> Value {
    match v {
        Value::Object(o) => {
            let members: BTreeMap<&String, Value> =
                o.iter().map(|(k, v)| (k, norm(v))).filter(|(_, v)| !zero(v)).collect();
            json!(members)
        }
        Value::Array(a) => {
            let mut list: Vec<Value> = a.iter().map(norm).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::String(s) if s.starts_with(['{', '[']) => {
            serde_json::from_str::<Value>(s).map_or_else(|_| v.clone(), |d| norm(&d))
        }
        v => v.clone(),
    }
}

fn zero(v: &Value) -> bool {
    v.is_null()
        || *v == json!("")
        || *v == json!(0)
        || *v == json!(false)
        || *v == json!([])
        || *v == json!({})
}

fn same(a: &BTreeMap<String, Expect>, b: &BTreeMap<String, Expect>) -> bool {
    let key = |m: &BTreeMap<String, Expect>| {
        m.iter()
            .map(|(k, e)| {
                let attrs: BTreeMap<String, Value> = e
                    .attrs
                    .iter()
                    .map(|(n, v)| (n.clone(), if zero(v) { Value::Null } else { norm(v) }))
                    .collect();
                (k.clone(), e.kind.clone(), e.mirror, attrs)
            })
            .collect::<Vec<_>>()
    };
    key(a) == key(b)
}

fn show(m: &BTreeMap<String, Expect>) -> String {
    let lines: Vec<String> = m
        .iter()
        .map(|(k, e)| format!("{k}: {}{} {}", e.kind, if e.mirror { " mirror" } else { "" }, json!(e.attrs)))
        .collect();
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") }
}

fn files() -> Vec<(String, Vec<Case>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operations");
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        out.push((stem, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))));
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// The first `source` of each core file.
fn sources() -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for op in Mappings::builtin().operations() {
        if let Some(stem) = op.file.strip_prefix("mappings/core/").and_then(|f| f.strip_suffix(".toml")) {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let first = std::fs::read_to_string(folder.join(&op.file)).unwrap();
            let line = first.lines().find(|l| l.starts_with("source")).unwrap().to_owned();
            let source = line.split('"').nth(1).unwrap().to_owned();
            out.insert(stem.to_owned(), source);
        }
    }
    out
}

#[test]
fn every_case_holds() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let sources = sources();
    let (mut cases, mut failed) = (0, Vec::new());
    for (stem, list) in files().iter().filter(|f| only.is_empty() || f.0 == only) {
        let source = sources.get(stem).unwrap_or_else(|| panic!("mappings/core/{stem}.toml is missing"));
        for case in list {
            cases += 1;
            if let Err(e) = run(source, case) {
                failed.push(format!("{stem}: {}: {e}", case.case));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {cases} cases fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_core_operation_has_a_case() {
    let mut tested: BTreeSet<(String, String)> = BTreeSet::new();
    for (stem, list) in files() {
        for case in list {
            let name = case.record.get("eventName").and_then(Value::as_str).unwrap_or_default();
            let text = json!({ "eventName": name }).to_string();
            let operation = Record::parse(text.as_bytes()).unwrap().operation().unwrap().into_owned();
            tested.insert((stem.clone(), operation.to_ascii_lowercase()));
        }
    }
    let missing: Vec<String> = Mappings::builtin()
        .operations()
        .into_iter()
        .filter(|o| o.alias_of.is_none())
        .filter_map(|o| {
            let stem = o.file.strip_prefix("mappings/core/")?.strip_suffix(".toml")?;
            (!tested.contains(&(stem.to_owned(), o.name.to_ascii_lowercase())))
                .then(|| format!("{stem}: {}", o.name))
        })
        .collect();
    assert!(missing.is_empty(), "no case for {}", missing.join(", "));
}
