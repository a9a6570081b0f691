//! An event of the past, judged by the state of its time: the plugin against a versioned bucket in moto.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "../crates/aws/tests/support/moto.rs"]
mod moto;
#[path = "plugin/support.rs"]
mod support;
#[path = "../crates/aws/tests/support/versioned.rs"]
mod versioned;

use falco_plugin_runner::ExtractedField;
use support::*;
use versioned::Versioned;

fn state(serial: u64, env: &str) -> String {
    serde_json::json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc",
        "name": "v", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"attributes": {"id": "vpc-1", "tags": {"Env": env}, "tags_all": {"Env": env}}}]}]})
    .to_string()
}

#[test]
fn the_state_of_its_time_judges_an_event() {
    let Some(mut bucket) = Versioned::new() else { return };
    // The records are of 19:30:22. What the first one does is in the configuration half an hour later.
    bucket.put("18:00:00", state(3, "prod"));
    bucket.put("20:00:00", state(4, "dev"));
    let tag = |id: &str, env: &str| {
        let members = format!(
            r#""readOnly":false,"requestParameters":{{"resourcesSet":{{"items":[{{"resourceId":"vpc-1"}}]}},"tagSet":{{"items":[{{"key":"Env","value":"{env}"}}]}}}},"responseElements":{{"_return":true}}"#
        );
        record(id, "CreateTags", &members)
    };
    let events = bucket.folder.path().join("events.jsonl");
    write(&events, &format!("{}\n{}\n", tag("e1", "dev"), tag("e2", "prod")));
    let config = serde_json::json!({"source": {"checkpoint_dir": ""}, "state": {"places": [{"s3": "s3://states/net.tfstate"}]},
        "aws": bucket.aws()});
    let mut host = Host::open(Build::TfDrift, &config.to_string(), &events);

    let first = host.next().unwrap();
    assert_eq!(host.field(&first, "tf.drift"), ExtractedField::Bool(true));
    assert_eq!(host.text(&first, "tf.attr_diff[tags.Env]").as_deref(), Some(r#"tags.Env: "prod" -> "dev""#));
    assert_eq!(
        host.field(&first, "tf.reconciled"),
        ExtractedField::Bool(true),
        "it was written after the event"
    );
    assert_eq!(host.field(&first, "tf.serial"), ExtractedField::U64(3), "of the state used");
    let second = host.next().unwrap();
    assert_eq!(host.field(&second, "tf.drift"), ExtractedField::Bool(false), "as it was then");
    assert_eq!(host.metric("states_history_loads"), 1);
    assert_eq!(host.metric("states_history_failures"), 0);
    host.stop();
}
