//! A panic at every entry of the plugin, in falco_plugin_runner: the host lives on, and what is lost is what the
//! panic was about. `tests/panics.sh` runs this, and does the same in the hosts written in C and C++.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "plugin/support.rs"]
mod support;

use falco_plugin_runner::ExtractedField;
use serde_json::json;
use std::path::Path;
use support::*;
use tfdrift_intake::Checkpoint;
use tfdrift_intake::quarantine::Reason;
use tfdrift_plugin::guard::panic_at;

/// One test: what is to panic is known to the whole process.
#[test]
fn the_host_lives_on_after_a_panic_at_any_entry() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<_> = (0..5).map(|n| record(&format!("e{n}"), "RunInstances", r#""x":1"#)).collect();
    write(&folder.path().join("a.jsonl"), &lines.join("\n"));
    let config = config(&folder);
    let open = || Host::open(Build::TfDrift, &config, folder.path());
    let ids = |host: &mut Host| -> Vec<String> {
        std::iter::from_fn(|| {
            let event = host.next()?;
            Some(host.text(&event, "ct.id").unwrap_or_default())
        })
        .collect()
    };
    let all = ["e0", "e1", "e2", "e3", "e4"];

    panic_at("init:1");
    let error = Host::refused(Build::TfDrift, "{}");
    assert!(error.contains("a bug of tfdrift: panic in init at src/guard/inject.rs"), "{error}");
    assert!(error.contains("injected"), "{error}");

    panic_at("open:1");
    let error = Host::not_opened(Build::TfDrift, folder.path().to_str().unwrap());
    assert!(error.contains("panic in open"), "{error}");

    panic_at("next_batch:1,next_batch:2");
    assert_eq!(ids(&mut open()), all, "a panic before anything was taken loses nothing");

    panic_at("batch:2");
    let mut host = open();
    assert_eq!(
        ids(&mut host),
        ["e0", "e2", "e3", "e4"],
        "the record that panics is left out, the others come"
    );
    assert!(host.metric("panics") > 0);

    what_panics_is_kept(&folder.path().join("a.jsonl"), &lines);

    for entry in ["extract_fields", "field"] {
        panic_at(entry);
        let mut host = open();
        let event = host.next().unwrap();
        assert_eq!(host.field(&event, "ct.id"), ExtractedField::None);
        assert_eq!(host.field(&event, "ec2.imageids"), ExtractedField::None);
        panic_at("");
        assert_eq!(host.text(&event, "ct.id").as_deref(), Some("e0"), "and after it the value is there");
        host.stop();
    }

    panic_at("event_to_string");
    let mut host = open();
    let event = host.next().unwrap();
    assert_eq!(host.field(&event, "evt.plugininfo"), ExtractedField::None);
    assert_eq!(host.text(&event, "ct.id").as_deref(), Some("e0"));

    panic_at("get_metrics:1");
    let mut host = open();
    assert!(host.has_no_metrics());
    assert!(host.metric("panics") > 0);

    for entry in
        ["close", "destroy", "get_last_error", "get_extract_event_types", "get_extract_event_sources"]
    {
        panic_at(entry);
        let mut host = open();
        assert_eq!(ids(&mut host), all, "{entry}");
        host.stop();
    }
    for entry in ["get_name", "get_version", "get_id"] {
        panic_at(entry);
        assert_eq!(identity(Build::DropIn).2, 2, "{entry}");
        assert_eq!(identity(Build::DropIn).0, "cloudtrail", "{entry}");
    }
    panic_at("");
}

/// The record that panics ends in quarantine, where `tfdrift checkpoint` shows it, and in one counter.
fn what_panics_is_kept(file: &Path, lines: &[String]) {
    let state = tempfile::tempdir().unwrap();
    let config = json!({"source": {"checkpoint_dir": state.path()}}).to_string();
    let open = || Host::open(Build::TfDrift, &config, Path::new(&format!("{}?follow", file.display())));
    panic_at("batch:2");
    let mut host = open();
    let seen: Vec<String> = (0..4)
        .map(|_| {
            let event = host.next().unwrap();
            host.text(&event, "ct.id").unwrap()
        })
        .collect();
    assert_eq!(seen, ["e0", "e2", "e3", "e4"]);
    // the question for the next batch says that this one was taken
    host.ask();
    let counted = ["records_emitted", "records_failed", "records_malformed", "records_duplicate"];
    assert_eq!(counted.map(|name| host.metric(name)), [4, 1, 0, 0]);
    host.stop();
    let found = Checkpoint::inspect(state.path(), 0).unwrap();
    let [entry] = &found[0].quarantine[..] else { panic!("{found:?}") };
    assert_eq!(entry.reason, Reason::FailedRecord);
    assert_eq!(
        (entry.object.as_str(), entry.offset_bytes),
        (file.to_str().unwrap(), Some(lines[0].len() as u64 + 1))
    );
    assert_eq!(entry.record.as_deref(), Some(lines[1].as_str()));
    assert!(entry.why.contains("panic in batch at src/guard/inject.rs"), "{}", entry.why);

    panic_at("");
    let mut host = open();
    host.ask();
    assert_eq!(host.metric("records_emitted"), 0, "neither it nor the others come again");
    host.stop();
}
