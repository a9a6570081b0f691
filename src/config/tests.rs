use serde_json::json;

use tfdrift_aws::{AwsConfig, Link};
use tfdrift_drift::DriftSettings;
use tfdrift_intake::{OnOpenError, Order, SourceConfig};
use tfdrift_states::{PlaceKind, StateConfig};

use super::*;

fn error(config: Value) -> String {
    Config::from_value(&config).unwrap_err().flat()
}

#[test]
fn defaults_are_those_of_the_design() {
    let c = Config::parse("").unwrap();
    assert_eq!(c.compat, Compat::Normal);
    assert_eq!(c.log_level, LogLevel::Info);
    assert_eq!((c.s3_download_concurrency, c.sqs_delete, c.use_s3_sns, c.use_async), (32, true, false, true));
    assert_eq!(*c.aws.chain, Link::ALL);
    assert!(!c.aws.chain.is_chosen());
    let chosen = |aws: Value| Config::from_value(&json!({ "aws": aws })).unwrap().aws.chain.is_chosen();
    assert!(!chosen(json!({"profile": "p"})), "a profile that is named alone is the only link");
    assert!(chosen(json!({"profile": "p", "chain": Link::ALL})));
    // those who use a section have the same defaults: the two must not drift apart
    assert_eq!((c.aws.clone(), c.source.clone()), (AwsConfig::default(), SourceConfig::default()));
    assert_eq!((c.state.clone(), c.drift.clone()), (StateConfig::default(), DriftSettings::default()));
    let s = &c.source;
    assert_eq!((s.since.as_str(), s.order, s.on_open_error), ("now", Order::OldestFirst, OnOpenError::Retry));
    assert_eq!((s.poll_interval_secs, s.late_window_secs, s.visibility_timeout_secs), (30, 3600, 300));
    assert_eq!((s.dedup_entries, s.batch_records, s.object_retries), (1_000_000, 512, 5));
    assert_eq!((s.max_buffer_bytes, s.max_object_bytes), (67_108_864, 268_435_456));
    assert_eq!((s.max_inflated_bytes, s.max_record_bytes), (2_147_483_648, 1_048_576));
    assert_eq!(s.checkpoint_dir.as_os_str(), "/var/lib/tfdrift");
    assert_eq!((c.state.poll_interval_secs, c.state.first_load_timeout_secs), (60, 30));
    assert_eq!(c.state.history_cache_bytes, 128 << 20);
    assert!(c.state.places.is_empty() && c.drift.ignore_defaults && c.drift.roles.is_empty());
}

#[test]
fn nothing_null_and_a_string_are_accepted() {
    for text in ["", "  ", "null", "{}", r#""""#, r#""{}""#, r#"{"aws":null,"source":{"since":null}}"#] {
        assert_eq!(Config::parse(text).unwrap(), Config::from_value(&Value::Null).unwrap(), "{text}");
    }
    let inner = r#""{\"compat\":\"strict\"}""#;
    assert_eq!(Config::parse(inner).unwrap().compat, Compat::Strict);
    assert!(Config::parse("notjson").unwrap_err().flat().starts_with("init_config is not JSON: "));
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    assert_eq!(
        error(json!({"s3DownloadConcurency": 3})),
        r#"unknown key "s3DownloadConcurency" in init_config: did you mean s3DownloadConcurrency?"#
    );
    assert_eq!(
        error(json!({"source": {"pollIntervalSecs": 3}})),
        r#"unknown key "pollIntervalSecs" in source: did you mean source.poll_interval_secs?"#
    );
    assert_eq!(
        error(json!({"assume_role": []})),
        r#"unknown key "assume_role" in init_config: it belongs at aws.assume_role"#
    );
    assert!(error(json!({"drift": {"xyz": 1}})).ends_with("it takes roles, ignore_defaults, ignore"));
    assert_eq!(
        error(json!({"state": {"places": [{"flie": "x"}]}})),
        r#"unknown key "flie" in state.places[0]: did you mean state.places[0].file?"#
    );
}

#[test]
fn wrong_values_name_the_allowed_ones() {
    assert_eq!(
        error(json!({"source": {"order": "newestfirst"}})),
        r#"source.order is "newestfirst", but takes oldest_first or newest_first (did you mean newest_first?)"#
    );
    assert_eq!(
        error(json!({"s3DownloadConcurrency": 0})),
        "s3DownloadConcurrency is 0, but takes a whole number from 1 to 1024"
    );
    assert!(error(json!({"sqsDelete": "maybe"})).contains("takes true or false"));
    assert!(error(json!({"source": {"since": "yesterday"}})).contains("now, a time ago"));
    assert!(error(json!({"source": {"accounts": ["123"]}})).starts_with("source.accounts[0] is \"123\""));
    assert!(error(json!({"s3Interval": "1h-2h"})).contains("the start before the end"));
    assert!(error(json!({"aws": {"assume_role": [{"external_id": "x"}]}})).contains("has no role_arn"));
    assert!(error(json!({"state": {"places": [{"name": "x"}]}})).contains("needs one of file, dir"));
    assert!(error(json!({"state": {"places": [{"file": "a", "dir": "b"}]}})).contains("both file and dir"));
    let rule = |rule: Value| error(json!({"drift": {"ignore": [rule]}}));
    assert!(rule(json!({"address": "*"})).contains("drift.ignore[0] has no reason"));
    assert!(rule(json!({"reason": "x"})).starts_with("drift.ignore[0]: nothing to match"));
    assert!(rule(json!({"reason": "x", "until": "soon"})).contains("takes a day like 2026-01-31"));
    assert!(error(json!([1])).contains("takes a map of settings"));
}

#[test]
fn places_keep_what_a_backend_block_says() {
    let c = Config::from_value(&json!({"state": {"places": [
        {"file": "/a/terraform.tfstate", "account": 111122223333_u64},
        {"s3": {"bucket": "b", "key": "k", "dynamodb_table": "t"}, "name": "net", "aws": {"profile": "p"}},
    ]}}));
    let places = c.unwrap().state.places;
    let kinds: Vec<_> = places.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [PlaceKind::File, PlaceKind::S3]);
    let [file, s3] = places.try_into().unwrap();
    assert_eq!(file.aws, None);
    assert_eq!((file.target, file.account.as_str()), (json!("/a/terraform.tfstate"), "111122223333"));
    assert_eq!((s3.name.as_str(), s3.aws.unwrap().profile.as_str()), ("net", "p"));
    assert_eq!(s3.target["dynamodb_table"], json!("t"));
}

#[test]
fn numbers_and_bools_of_the_environment_are_texts() {
    let c = Config::from_value(&json!({"s3DownloadConcurrency": "8", "sqsDelete": "false"})).unwrap();
    assert_eq!((c.s3_download_concurrency, c.sqs_delete), (8, false));
}

#[test]
fn every_message_fits_into_falcos_buffer() {
    let long = "k".repeat(4000);
    for config in [json!({ &long: 1 }), json!({"log_level": long}), json!({"aws": {"chain": [long]}})] {
        let text = error(config);
        assert!(text.len() < 255, "{} bytes: {text}", text.len());
    }
    assert_eq!(flatten("a\nb\0c"), "a b c");
    assert!(flatten(&"ä".repeat(400)).len() < 255);
}

#[test]
fn schema_describes_every_key_and_refuses_none() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let order = &schema["properties"]["source"]["properties"]["order"];
    assert_eq!(order["default"], json!("oldest_first"));
    assert!(order["description"].as_str().unwrap().contains("oldest_first, newest_first"));
    let text = schema.to_string();
    for word in ["\"enum\"", "additionalProperties", "\"required\"", "\"type\""] {
        assert!(!text.contains(word), "{word}");
    }
}

/// Falco makes 32-bit ints, doubles and bools of what looks like them, quoted or not (`tests/real-host/falco-config.hpp`).
#[test]
fn numbers_as_falco_hands_them_over() {
    let config = Config::from_value(&json!({
        "source": {"accounts": [111122223333.0, 12345678901.0], "max_inflated_bytes": 3_000_000_000.0},
    }))
    .unwrap();
    assert_eq!(config.source.accounts, ["111122223333", "012345678901"]);
    assert_eq!(config.source.max_inflated_bytes, 3_000_000_000);
    assert!(
        error(json!({"source": {"poll_interval_secs": 1.5}})).starts_with("source.poll_interval_secs is 1.5")
    );
}

#[test]
fn configuration_page() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    if std::env::var_os("TFDRIFT_BLESS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == markdown(), "docs/configuration.md is not what the table says: run with TFDRIFT_BLESS=1");
}

mod any_json {
    use proptest::prelude::*;

    use super::*;

    /// JSON with the table's own names in it, so that checks deep inside are reached too.
    fn value() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec![
            "aws",
            "source",
            "state",
            "drift",
            "places",
            "file",
            "s3",
            "ignore",
            "assume_role",
            "role_arn",
            "since",
            "order",
            "accounts",
            "chain",
            "log_level",
            "s3Interval",
            "s3AccountList",
            "until",
            "reason",
            "mask_names",
        ]);
        let name = prop_oneof![4 => names.prop_map(String::from), 1 => any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[0-9]{12}|[0-9]{1,3}[smhdw](-[0-9]{1,3}[smhdw])?|2026-0[1-9]-[0-3][0-9]".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn is_accepted_or_refused_in_one_short_line(value in value()) {
            if let Err(error) = Config::from_value(&value) {
                let text = error.flat();
                prop_assert!(!text.is_empty() && text.len() < 255 && !text.contains(['\n', '\0']), "{text}");
            }
        }

        #[test]
        fn text_of_any_kind_is_read_without_a_panic(text in any::<String>()) {
            let _ = Config::parse(&text);
        }
    }
}
