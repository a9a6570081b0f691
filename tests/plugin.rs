//! The plugin in falco_plugin_runner, a host in pure Rust: life, events, fields, drift, bad input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "plugin/support.rs"]
mod support;

use falco_plugin_runner::ExtractedField;
use support::*;

#[test]
fn each_record_is_one_event_with_its_own_bytes_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = record("e1", "DescribeInstances", r#""readOnly":true"#);
    let second = record("e2", "RunInstances", r#""readOnly":false, "odd" : [ 1,2 ]"#);
    write_gz(&folder.path().join("a.json.gz"), &format!("{{\"Records\":[{first},\n{second}]}}"));
    write(&folder.path().join("b.jsonl"), &format!("{}\n", record("e3", "StopInstances", r#""x":1"#)));

    let mut host = Host::open(Build::TfDrift, &config(&folder), folder.path());
    let events = host.events();
    assert_eq!(events.iter().map(|e| e.payload.as_str()).take(2).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].time_ns, 1_793_647_822_000_000_000);
}

#[test]
fn fields_have_their_values_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let line = record(
        "e1",
        "RunInstances",
        r#""readOnly":false,"errorCode":null,"requestParameters":{"imageId":"ami-1"}"#,
    );
    write(&folder.path().join("a.jsonl"), &line);
    let mut host = Host::open(Build::TfDrift, &config(&folder), folder.path());
    let event = host.next().unwrap();
    assert_eq!(host.text(&event, "ct.name").as_deref(), Some("RunInstances"));
    assert_eq!(host.text(&event, "ct.id").as_deref(), Some("e1"));
    assert_eq!(host.text(&event, "ct.user").as_deref(), Some("alice"));
    assert_eq!(host.text(&event, "ct.request[imageId]").as_deref(), Some("ami-1"));
    assert_eq!(host.text(&event, "tf.actor").as_deref(), Some("alice"));
    assert_eq!(host.text(&event, "tf.via").as_deref(), Some("unknown"));
    for absent in [
        "ct.error",
        "ct.errormessage",
        "s3.bytes",
        "ct.resources.arns",
        "tf.managed",
        "tf.drift",
        "tf.expected",
    ] {
        assert_eq!(host.field(&event, absent), ExtractedField::None, "{absent}");
    }
    assert_eq!(
        host.text(&event, "evt.plugininfo").as_deref(),
        Some("us-east-1 alice ec2 RunInstances alice via 203.0.113.7 → RunInstances")
    );
}

#[test]
fn ranges_point_at_the_value_in_the_event() {
    let folder = tempfile::tempdir().unwrap();
    let line = record("e1", "RunInstances", r#""requestParameters":{"imageId":"ami-1"}"#);
    write(&folder.path().join("a.jsonl"), &line);
    let mut host = Host::open(Build::TfDrift, &config(&folder), folder.path());
    let event = host.next().unwrap();
    for (field, bytes) in [("ct.name", "\"RunInstances\""), ("ct.request", r#"{"imageId":"ami-1"}"#)] {
        let (_, range) = host.field_with_range(&event, field);
        assert_eq!(line.get(range.start - 38..range.end - 38), Some(bytes), "{field}");
    }
    // made of several parts: no place of its own
    assert_eq!(host.field_with_range(&event, "ct.info").1, 0..0);
}

#[test]
fn a_security_group_opened_by_hand_is_drift() {
    let folder = tempfile::tempdir().unwrap();
    let state = seed("terraform.tfstate");
    let config = format!(
        r#"{{"source":{{"checkpoint_dir":""}},"state":{{"places":[{{"file":"{state}"}}]}},"drift":{{"ignore_defaults":true}}}}"#
    );
    let group = security_group(&state);
    let open = |id: &str, extra: &str| {
        let request = format!(
            r#""readOnly":false,{extra}"requestParameters":{{"groupId":"{group}","ipPermissions":{{"items":[{{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{{}},"ipRanges":{{"items":[{{"cidrIp":"0.0.0.0/0"}}]}},"ipv6Ranges":{{}},"prefixListIds":{{}}}}]}}}},"responseElements":{{"_return":true}}"#
        );
        record(id, "AuthorizeSecurityGroupIngress", &request)
    };
    let lines = [
        open("opened", ""),
        open("failed", r#""errorCode":"Client.UnauthorizedOperation","#),
        record(
            "elsewhere",
            "AuthorizeSecurityGroupIngress",
            r#""readOnly":false,"requestParameters":{"groupId":"sg-0"}"#,
        ),
        record("read", "DescribeSecurityGroups", r#""readOnly":true"#),
    ];
    write(&folder.path().join("a.jsonl"), &lines.join("\n"));

    let mut host = Host::open(Build::TfDrift, &config, folder.path());
    let event = host.next().unwrap();
    assert_eq!(host.field(&event, "tf.managed"), ExtractedField::Bool(true));
    assert_eq!(host.field(&event, "tf.drift"), ExtractedField::Bool(true));
    assert_eq!(host.text(&event, "tf.kind").as_deref(), Some("modified"));
    assert_eq!(host.text(&event, "tf.type").as_deref(), Some("aws_security_group"));
    assert!(host.text(&event, "tf.address").unwrap().starts_with("aws_security_group."));
    assert_eq!(host.text(&event, "tf.id").as_deref(), Some(group.as_str()));
    assert_eq!(host.text(&event, "tf.severity").as_deref(), Some("critical"));
    assert_eq!(host.text(&event, "tf.confidence").as_deref(), Some("core"));
    // a list; the runner shows one of a single item as that item
    assert_eq!(host.text(&event, "tf.attrs").as_deref(), Some("ingress"));
    let diff = host.text(&event, "tf.attr_diff").unwrap();
    assert!(diff.contains("+ tcp/22 from 0.0.0.0/0"), "{diff}");
    assert_eq!(host.text(&event, "tf.attr_diff[ingress]").unwrap(), diff);
    assert!(host.text(&event, "tf.attr_new[ingress]").unwrap().contains("0.0.0.0/0"));
    assert_eq!(host.field(&event, "tf.attr_new[egress]"), ExtractedField::None);
    assert!(host.text(&event, "tf.attr_diff_json").unwrap().contains(r#""certain":true"#));
    assert!(matches!(host.field(&event, "tf.serial"), ExtractedField::U64(n) if n > 0));

    let event = host.next().unwrap();
    assert_eq!(
        host.field(&event, "tf.managed"),
        ExtractedField::Bool(true),
        "a failed call on a managed resource"
    );
    assert_eq!(host.field(&event, "tf.drift"), ExtractedField::Bool(false));
    assert_eq!(host.field(&event, "tf.kind"), ExtractedField::None);

    for _ in 0..2 {
        let event = host.next().unwrap();
        assert_eq!(host.field(&event, "tf.managed"), ExtractedField::Bool(false));
        assert_eq!(host.field(&event, "tf.address"), ExtractedField::None);
        assert_eq!(host.field(&event, "tf.expected"), ExtractedField::Bool(false));
    }
    assert_eq!(host.metric("drift_found"), 1);
    assert_eq!(host.metric("drift_evaluated"), 4);
    assert_eq!(host.metric("states_loaded"), 1);
    assert_eq!(host.metric("panics"), 0);
}

#[test]
fn what_cannot_be_read_is_counted_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let good = record("e1", "RunInstances", r#""x":1"#);
    let timeless = r#"{"eventID":"e0","eventType":"AwsApiCall"}"#;
    write(&folder.path().join("a.json"), &format!(r#"{{"Records":[{timeless},{{"broken,{good}]}}"#));
    write(&folder.path().join("b.json.gz"), "not gzip at all");
    write(&folder.path().join("c.jsonl"), &record("e2", "StopInstances", r#""x":1"#));

    let mut host = Host::open(Build::TfDrift, &config(&folder), folder.path());
    let names: Vec<_> = std::iter::from_fn(|| {
        let event = host.next()?;
        host.text(&event, "ct.name")
    })
    .collect();
    assert!(names.contains(&"StopInstances".to_owned()), "{names:?}");
    assert!(host.metric("records_malformed") >= 1);
    assert_eq!(host.metric("objects_malformed"), 1);
}

#[test]
fn a_wrong_configuration_is_refused_with_the_right_key() {
    for (config, wanted) in [
        (r#"{"souce":{}}"#, "unknown key \"souce\" in init_config: did you mean source?"),
        (r#"{"compat":"lax"}"#, "compat is \"lax\", but takes normal or strict"),
        (r#"{"mappings":"/nowhere"}"#, "`mappings` must be a folder"),
        ("nonsense", "init_config is not JSON"),
    ] {
        let error = Host::refused(Build::TfDrift, config);
        assert!(error.contains(wanted), "{config}: {error}");
        assert!(!error.contains('\n') && error.len() < 400, "{error}");
    }
    // null and nothing at all are a configuration too
    for config in ["", "null", "{}"] {
        Host::accepted(Build::TfDrift, config);
    }
}

#[test]
fn open_parameters_of_no_known_form_are_refused_with_a_guess() {
    for (params, wanted) in [
        ("s3Bucket=trail", "did you mean s3://trail"),
        ("S3://trail", "did you mean s3://trail"),
        ("", "s3://BUCKET"),
        ("/nowhere/at/all", "/nowhere/at/all"),
    ] {
        let error = Host::not_opened(Build::TfDrift, params);
        assert!(error.contains(wanted), "{params}: {error}");
    }
}

#[test]
fn a_folder_with_an_equals_sign_in_its_name_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("s3Bucket=trail");
    std::fs::create_dir(&odd).unwrap();
    write(&odd.join("a.jsonl"), &record("e1", "RunInstances", r#""x":1"#));
    let mut host = Host::open(Build::TfDrift, &config(&folder), &odd);
    assert_eq!(host.events().len(), 1);
}

#[test]
fn the_drop_in_is_the_go_plugin_to_falco() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.jsonl"), &record("e1", "RunInstances", r#""x":1"#));
    for (build, name, id) in [(Build::TfDrift, "tfdrift", 1_952_867_442), (Build::DropIn, "cloudtrail", 2)] {
        let (got_name, version, got_id) = identity(build);
        assert_eq!((got_name.as_str(), got_id), (name, id));
        assert!(build != Build::DropIn || version.starts_with("0.17."), "{version}");
        let mut host = Host::open(build, &config(&folder), folder.path());
        assert_eq!(host.events()[0].plugin_id, id);
    }
}

#[test]
fn strict_repeats_what_the_go_plugin_does() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.jsonl"), &record("e1", "RunInstances", r#""errorCode":null"#));
    let strict = r#"{"compat":"strict","source":{"checkpoint_dir":""}}"#;
    let mut host = Host::open(Build::DropIn, strict, folder.path());
    let event = host.next().unwrap();
    assert_eq!(host.text(&event, "ct.error").as_deref(), Some(""));
}
