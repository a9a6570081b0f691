//! Both libraries, as Falco loads them, in a host written in C (`benches/host/falcohost.c`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "host/support.rs"]
mod support;

use std::collections::HashSet;

use serde_json::{Value, json};
use support::*;

/// What `falco --plugin-info` and `falco --list` show.
#[test]
fn what_falco_sees_is_the_golden_file() {
    let path = root().join("tests/host/plugin-info.json");
    let mut shown = json!({});
    for library in LIBRARIES {
        let mut info = host(library, &["--info"]).json();
        // one table for both: told once
        let (fields, schema) = (info["fields"].take(), info["schema"].take());
        info.as_object_mut().unwrap().retain(|k, _| k != "fields" && k != "schema");
        shown[library] = info;
        for (key, value) in [("fields", fields), ("schema", schema)] {
            if shown[key].is_null() {
                shown[key] = value;
            } else {
                assert!(shown[key] == value, "the two libraries differ in {key}");
            }
        }
    }
    let shown = serde_json::to_string_pretty(&shown).unwrap() + "\n";
    if std::env::var_os("TFDRIFT_BLESS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == shown, "{} is not what the libraries say: TFDRIFT_BLESS=1", path.display());
}

/// The Go plugin's answers to the 277 edge records.
fn golden() -> Vec<Value> {
    let path = root().join("crates/cloudtrail/tests/parity/edge.golden-orderfree.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// A library's answers to the same, in a mode.
fn answers(library: &str, compat: &str, fields: &[String]) -> Vec<Value> {
    let edge = root().join("benches/host/edge.jsonl");
    let config = json!({"compat": compat}).to_string();
    let args = ["--config", &config, "--events", edge.to_str().unwrap(), "--print", "--string"];
    let fields = fields.join(",");
    let rest = ["--no-meta", "--quiet", "--summary", "/dev/null", "--fields", &fields];
    host(library, &[&args[..], &rest[..]].concat()).lines()
}

/// What of each record and field both have.
fn pairs<'a>(
    golden: &'a [Value],
    ours: &'a [Value],
    fields: &'a [String],
) -> impl Iterator<Item = (usize, &'a str, [Option<&'a Value>; 2])> {
    assert_eq!(ours.len(), golden.len());
    golden.iter().zip(ours).enumerate().flat_map(move |(n, (theirs, ours))| {
        let fields = fields.iter().map(String::as_str).chain(["string"]);
        fields.map(move |field| {
            let of = |answer: &'a Value| match field {
                "string" => answer.get("string"),
                _ => answer["fields"].get(field),
            };
            (n, field, [of(theirs), of(ours)])
        })
    })
}

/// Every field of the 277 edge records has the Go plugin's value in `compat: strict`, but for what is listed.
#[test]
fn strict_answers_like_the_go_plugin() {
    let allowed: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("tests/host/deliberate.json")).unwrap())
            .unwrap();
    let (golden, fields) = (golden(), go_fields());
    for library in LIBRARIES {
        let ours = answers(library, "strict", &fields);
        let (mut equal, mut unused) = (0, allowed.as_object().unwrap().clone());
        for (n, field, [a, b]) in pairs(&golden, &ours, &fields) {
            if a == b {
                equal += 1;
                continue;
            }
            let keys = [format!("{n}"), format!("{n}.{field}")];
            for key in &keys {
                unused.remove(key);
            }
            let listed = keys.iter().any(|k| allowed.get(k).is_some());
            assert!(listed, "record {n}, {field}: the Go plugin has {a:?}, we have {b:?}");
        }
        assert!(equal > 20_000, "{equal} values compared");
        assert!(unused.is_empty(), "no difference any more, take them off the list: {unused:?}");
    }
}

/// The differences of `compat: normal` that are meant: field and record, `*` for every field.
fn allowed_in_normal_mode() -> HashSet<(String, usize)> {
    let path = root().join("crates/cloudtrail/tests/parity/allow.tsv");
    let mut out = HashSet::new();
    for line in std::fs::read_to_string(path).unwrap().lines().filter(|l| !l.starts_with('#')) {
        let [mode, field, records, _reason] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        if mode == "strict" {
            continue;
        }
        let field = if field == "<to_string>" { "string" } else { field };
        for span in records.split(',') {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            let records = first.parse::<usize>().unwrap()..=last.parse::<usize>().unwrap();
            out.extend(records.map(|n| (field.to_owned(), n)));
        }
    }
    out
}

/// So it is in `compat: normal`, the default, but for what allow.tsv lists; where the Go plugin fails, we have no value.
#[test]
fn normal_answers_like_the_go_plugin_but_for_what_is_meant() {
    let (golden, fields, allowed) = (golden(), go_fields(), allowed_in_normal_mode());
    for library in LIBRARIES {
        let ours = answers(library, "normal", &fields);
        let (mut equal, mut meant) = (0, 0);
        for (n, field, [a, b]) in pairs(&golden, &ours, &fields) {
            let both_fail = a.is_some_and(Value::is_object) && b.is_none_or(Value::is_object);
            if a == b || both_fail {
                equal += 1;
                continue;
            }
            let listed = allowed.contains(&(field.to_owned(), n)) || allowed.contains(&("*".to_owned(), n));
            assert!(listed, "record {n}, {field}: the Go plugin has {a:?}, we have {b:?}");
            meant += 1;
        }
        assert!(equal > 20_000 && meant > 0, "{equal} values compared, {meant} differ as listed");
    }
}

#[test]
fn a_folder_is_read_to_its_end_by_both_with_the_same_answers() {
    let seed = root().join("examples/seed/AWSLogs");
    let state = root().join("examples/seed/terraform.tfstate");
    let config =
        json!({"source": {"checkpoint_dir": ""}, "state": {"places": [{"file": state}]}}).to_string();
    let run = |library: &str| {
        let args =
            ["--config", &config, "--open", seed.to_str().unwrap(), "--bench", "--hash", "--fields", "all"];
        host(library, &args).json()
    };
    let [one, two] = LIBRARIES.map(run);
    for key in ["end", "events", "payload_set_hash", "payload_order_hash", "values_hash", "extract_errors"] {
        assert_eq!(one[key], two[key], "{key}");
    }
    assert_eq!((&one["end"], &one["extract_errors"]), (&json!("eof"), &json!(0)));
    assert!(one["metrics"]["drift_found"].as_u64().unwrap() > 5, "{}", one["metrics"]);
    assert_eq!(one["metrics"]["panics"], json!(0));
    // libsinsp asks that a call takes a few milliseconds: a generous bound, not a measurement
    assert!(one["max_next_batch_s"].as_f64().unwrap() < 5.0);
}

#[test]
fn records_of_a_replay_get_their_tf_fields_without_an_open_source() {
    let state = root().join("examples/seed/terraform.tfstate");
    let config = json!({"state": {"places": [{"file": state}]}}).to_string();
    let events = root().join("examples/seed/sign-ins.jsonl");
    let args = [
        "--config",
        &config,
        "--events",
        events.to_str().unwrap(),
        "--bench",
        "--fields",
        "tf.managed,ct.id",
    ];
    let summary = host(LIBRARIES[0], &args).json();
    // every event has both: the first one waited for the states
    assert_eq!(summary["values"].as_u64(), summary["events"].as_u64().map(|n| 2 * n));
    assert!(summary["events"].as_u64().unwrap() > 0);
}

#[test]
fn refusals_are_one_line_that_falco_can_show() {
    for (args, phase, wanted) in [
        (["--config", r#"{"souce":1}"#, "--open", "x"], "init", "did you mean source?"),
        (["--config", "{}", "--open", "s3Bucket=trail"], "open", "did you mean s3://trail?"),
        (["--config", "{}", "--open", "/nowhere"], "open", "/nowhere"),
        (
            ["--config", r#"{"aws":{"ca_bundle":"/nowhere.pem"}}"#, "--open", "s3://trail"],
            "open",
            "aws.ca_bundle: cannot read /nowhere.pem",
        ),
        (["--config", r#"{"aws":{"proxy_url":"http://"}}"#, "--open", "s3://trail"], "open", "aws.proxy_url"),
    ] {
        let out = host(LIBRARIES[0], &[&args[..], &["--bench"]].concat()).failed();
        assert_eq!(out["phase"], json!(phase));
        let error = out["error"].as_str().unwrap();
        assert!(error.contains(wanted) && error.len() < 255 && !error.contains('\n'), "{error}");
    }
}

#[test]
fn the_log_is_in_falcos_form() {
    let out = host(LIBRARIES[0], &["--open", "s3Bucket=trail", "--bench"]);
    let line = out.stderr.lines().find(|l| l.contains("did you mean")).expect("no log line");
    let (time, text) = line.split_once(": [error] tfdrift: cannot open").expect(line);
    assert_eq!(time.split_whitespace().count(), 5, "{time}");
    assert!(text.contains("s3://trail"));
}

#[test]
fn the_libraries_show_nothing_but_the_plugin_api() {
    for library in LIBRARIES {
        let out = std::process::Command::new("nm").args(["-D", "--defined-only"]).arg(path(library)).output();
        let Ok(out) = out else {
            eprintln!("skipped: no nm here");
            return;
        };
        let names = String::from_utf8(out.stdout).unwrap();
        let names: Vec<_> = names.lines().filter_map(|l| l.split_whitespace().last()).collect();
        assert!(names.len() > 20);
        assert!(names.iter().all(|n| n.starts_with("plugin_")), "{names:?}");
    }
}
