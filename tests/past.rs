//! An event of the past, judged by the state of its time: the plugin against a versioned bucket in moto.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "../crates/aws/tests/support/moto.rs"]
mod moto;
#[path = "plugin/support.rs"]
mod support;

use falco_plugin_runner::ExtractedField;
use moto::Moto;
use support::*;
use tfdrift_aws::aws_sdk_s3::primitives::ByteStream;
use tfdrift_aws::aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use tfdrift_aws::{Aws, AwsConfig, Link};

fn state(serial: u64, env: &str) -> String {
    serde_json::json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc",
        "name": "v", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"attributes": {"id": "vpc-1", "tags": {"Env": env}, "tags_all": {"Env": env}}}]}]})
    .to_string()
}

#[test]
fn the_state_of_its_time_judges_an_event() {
    let mut moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => {
            println!("skipped: moto cannot be set up here: {why}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    write(
        &folder.path().join("credentials"),
        "[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n",
    );
    let aws = AwsConfig {
        region: "us-east-1".into(),
        chain: vec![Link::Profile],
        config: format!("{at}/none"),
        credentials: format!("{at}/credentials"),
        endpoint_url: moto.url.clone(),
        path_style: true,
        ..AwsConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let s3 = runtime.block_on(Aws::connect(&aws)).unwrap().s3_in("us-east-1");
    runtime.block_on(s3.create_bucket().bucket("states").send()).unwrap();
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    runtime
        .block_on(s3.put_bucket_versioning().bucket("states").versioning_configuration(on).send())
        .unwrap();
    // The records are of 19:30:22. What the first one does is in the configuration half an hour later.
    for (time, serial, env) in [("18:00:00", 3, "prod"), ("20:00:00", 4, "dev")] {
        moto.clock(&format!("2026-11-02T{time}"));
        let body = ByteStream::from(state(serial, env).into_bytes());
        runtime.block_on(s3.put_object().bucket("states").key("net.tfstate").body(body).send()).unwrap();
    }
    let tag = |id: &str, env: &str| {
        let members = format!(
            r#""readOnly":false,"requestParameters":{{"resourcesSet":{{"items":[{{"resourceId":"vpc-1"}}]}},"tagSet":{{"items":[{{"key":"Env","value":"{env}"}}]}}}},"responseElements":{{"_return":true}}"#
        );
        record(id, "CreateTags", &members)
    };
    let events = folder.path().join("events.jsonl");
    write(&events, &format!("{}\n{}\n", tag("e1", "dev"), tag("e2", "prod")));
    let config = serde_json::json!({"source": {"checkpoint_dir": ""}, "state": {"places": [{"s3": "s3://states/net.tfstate"}]},
        "aws": {"region": "us-east-1", "chain": ["profile"], "config": aws.config, "credentials": aws.credentials,
            "endpoint_url": moto.url, "path_style": true}});
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
