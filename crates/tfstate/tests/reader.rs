//! Forms of states that no Terraform on this machine writes, and documents that are no states.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

use std::sync::Arc;

use serde_json::{Value, json};
use tfdrift_tfstate::{IndexPlan, Resource, Snapshot, State, StateError, StateMeta, read_state};

const AWS: &str = "provider[\"registry.terraform.io/hashicorp/aws\"]";

fn meta() -> StateMeta {
    StateMeta {
        account: Some("999900009999".into()),
        region: Some("eu-north-1".into()),
        ..StateMeta::named("s")
    }
}

fn try_read(text: &str) -> Result<State, StateError> {
    let mut plan = IndexPlan::new();
    plan.add("aws_instance", "ebs_block_device.volume_id");
    plan.add("aws_instance", "port");
    read_state(text.as_bytes(), meta(), &plan)
}

fn v4(resources: Value) -> Snapshot {
    let text = json!({"version": 4, "terraform_version": "1.12.0", "serial": 7, "lineage": "l", "resources": resources});
    Snapshot::new(vec![Arc::new(try_read(&text.to_string()).unwrap())])
}

fn aws(rtype: &str, instances: Value) -> Value {
    json!({"mode": "managed", "type": rtype, "name": "x", "provider": AWS, "instances": instances})
}

fn only(snapshot: &Snapshot) -> Resource<'_> {
    assert_eq!(snapshot.len(), 1);
    snapshot.resource(snapshot.resources().next().unwrap()).unwrap()
}

#[test]
fn account_and_region() {
    let of = |rtype: &str, attributes: Value, identity: Value| {
        let snapshot = v4(json!([aws(rtype, json!([{"attributes": attributes, "identity": identity}]))]));
        let r = only(&snapshot);
        (r.account().map(str::to_owned), r.region().map(str::to_owned))
    };
    let some = |a: &str, r: &str| (Some(a.to_owned()), Some(r.to_owned()));
    let arn = "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1";
    assert_eq!(of("aws_vpc", json!({"arn": arn}), json!(null)), some("111122223333", "us-east-1"));
    assert_eq!(
        of("aws_vpc", json!({"arn": arn, "region": "ap-south-1"}), json!(null)),
        some("111122223333", "ap-south-1")
    );
    let nulls = json!({"account_id": null, "region": null, "id": null});
    assert_eq!(of("aws_route", json!({"id": "r"}), nulls), some("999900009999", "eu-north-1"));
    let identity = json!({"account_id": "444455556666", "region": "us-west-2"});
    assert_eq!(of("aws_route", json!({"id": "r"}), identity), some("444455556666", "us-west-2"));
    assert_eq!(
        of("aws_s3_bucket", json!({"arn": "arn:aws:s3:::b"}), json!(null)),
        some("999900009999", "eu-north-1")
    );
    assert_eq!(
        of(
            "aws_lb_listener",
            json!({"id": "arn:aws:elasticloadbalancing:us-east-2:111122223333:listener/x"}),
            json!(null)
        ),
        some("111122223333", "us-east-2")
    );
    let role = of("aws_iam_role", json!({"arn": "arn:aws:iam::111122223333:role/r"}), json!(null));
    assert_eq!(role, (Some("111122223333".to_owned()), None), "global");
    assert_eq!(
        of("aws_iam_role_policy", json!({"id": "r:p"}), json!(null)),
        (Some("999900009999".to_owned()), None)
    );
}

#[test]
fn found_by_id_arn_and_planned_paths() {
    let attributes = json!({"id": "i-1", "arn": "arn:aws:ec2:us-east-1:111122223333:instance/i-1", "port": 8080, "name": "i-1",
        "ebs_block_device": [{"volume_id": "vol-1"}, {"volume_id": "vol-2"}], "other": "i-9"});
    let snapshot = v4(json!([aws("aws_instance", json!([{"attributes": attributes}]))]));
    let hits = |path: &str, value: &str| snapshot.find("aws_instance", path, value).count();
    assert_eq!(
        (hits("id", "i-1"), hits("ebs_block_device.volume_id", "vol-2"), hits("port", "8080")),
        (1, 1, 1)
    );
    assert_eq!(
        (hits("id", "i-2"), hits("other", "i-9"), hits("name", "i-1"), hits("arn", "i-1")),
        (0, 0, 0, 0)
    );
    assert_eq!(snapshot.find("aws_vpc", "id", "i-1").count(), 0);
    assert_eq!(snapshot.find_any("arn:aws:ec2:us-east-1:111122223333:instance/i-1").count(), 1);
    assert_eq!(only(&snapshot).id(), Some("i-1"));
}

#[test]
fn escapes_in_ids() {
    let text = r#"{"version":4,"resources":[{"mode":"managed","type":"aws_iam_user","name":"x","provider":"provider.aws",
        "instances":[{"index_key":"a\"b","attributes":{"id":"a\u0026b","arn":""}}]}]}"#;
    let snapshot = Snapshot::new(vec![Arc::new(try_read(text).unwrap())]);
    assert_eq!(snapshot.find_any("a&b").count(), 1);
    let r = only(&snapshot);
    assert_eq!((r.id(), r.arn(), r.address()), (Some("a&b"), None, "aws_iam_user.x[\"a\\\"b\"]"));
    assert_eq!(snapshot.find_any("").count(), 0);
}

#[test]
fn several_instances_with_one_id_and_several_states() {
    let one = json!({"version": 4, "resources": [aws("aws_vpc", json!([{"index_key": 0, "attributes": {"id": "vpc-1"}}, {"index_key": 1, "attributes": {"id": "vpc-1"}}]))]});
    let two = json!({"version": 4, "resources": [aws("aws_vpc", json!([{"attributes": {"id": "vpc-2"}}, {"deposed": "0f", "attributes": {"id": "vpc-3"}}])),
        {"mode": "data", "type": "aws_vpc", "name": "d", "provider": AWS, "instances": [{"attributes": {"id": "vpc-1"}}]}]});
    let states = [one, two].map(|s| Arc::new(try_read(&s.to_string()).unwrap()));
    let snapshot = Snapshot::new(states.to_vec());
    let found = |value: &str| -> Vec<_> {
        snapshot.find("aws_vpc", "id", value).map(|id| snapshot.resource(id).unwrap().address()).collect()
    };
    assert_eq!(found("vpc-1"), ["aws_vpc.x[0]", "aws_vpc.x[1]"], "data sources are not found");
    assert_eq!(found("vpc-2"), ["aws_vpc.x"]);
    assert_eq!(found("vpc-3"), [""; 0], "deposed");
    assert_eq!((snapshot.len(), snapshot.states()[1].len(), snapshot.states()[1].managed_len()), (4, 2, 1));
}

#[test]
fn providers() {
    for (provider, source, alias) in [
        (
            "provider[\"registry.opentofu.org/hashicorp/aws\"].eu",
            "registry.opentofu.org/hashicorp/aws",
            Some("eu"),
        ),
        (
            "module.m.provider[\"registry.terraform.io/hashicorp/aws\"]",
            "registry.terraform.io/hashicorp/aws",
            None,
        ),
        ("provider.aws.west", "aws", Some("west")),
    ] {
        let resource = json!({"mode": "managed", "type": "aws_vpc", "name": "x", "module": "module.m", "provider": provider,
            "instances": [{"attributes": {"id": "vpc-1"}, "dependencies": ["module.m.aws_eip.e", "aws_x.y"]}]});
        let snapshot = v4(json!([resource]));
        assert_eq!(snapshot.find_any("vpc-1").count(), 1, "{provider}");
        let r = only(&snapshot);
        assert_eq!((r.provider(), r.provider_alias(), r.module()), (source, alias, Some("module.m")));
        assert_eq!(r.dependencies().collect::<Vec<_>>(), ["module.m.aws_eip.e", "aws_x.y"]);
    }
}

#[test]
fn sensitive_paths_of_a_state_file() {
    let instance = json!({"attributes": {"id": "a", "tags": {"a.b": "s"}, "list": ["x"], "plain": "p"}, "sensitive_attributes": [
        [{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "a.b", "type": "string"}}],
        [{"type": "get_attr", "value": "list"}, {"type": "index", "value": {"value": 0, "type": "number"}}]]});
    let snapshot = v4(json!([aws("aws_vpc", json!([instance]))]));
    let r = only(&snapshot);
    for path in ["tags", "tags.a.b", "list", "list.0"] {
        assert!(r.is_sensitive(path), "{path}");
    }
    assert!(!r.is_sensitive("plain") && !r.is_sensitive("tags.c"));
    assert_eq!(r.mask(&json!({"a.b": "s", "c": "d"}), "tags"), json!({"a.b": "***", "c": "d"}));
    let unreadable = json!({"attributes": {"id": "a"}, "sensitive_attributes": "?"});
    assert!(only(&v4(json!([aws("aws_vpc", json!([unreadable]))]))).is_sensitive("id"));
}

#[test]
fn empty_documents() {
    for text in [
        "",
        " \n",
        "{\"version\":4}",
        "{\"version\":4,\"resources\":[]}",
        "{\"version\":4,\"resources\":null}",
        "{\"format_version\":\"1.0\"}",
    ] {
        assert!(try_read(text).unwrap().is_empty(), "{text}");
    }
    let state = try_read("{\"format_version\":\"1.0\",\"terraform_version\":\"1.11.4\"}").unwrap();
    assert_eq!((state.serial(), state.lineage(), state.terraform_version()), (None, None, Some("1.11.4")));
}

#[test]
fn utf16_and_marks() {
    let text = "{\"version\":4,\"serial\":3}";
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_state(&utf16, meta(), &IndexPlan::new()).unwrap().serial(), Some(3));
    assert_eq!(try_read(&format!("\u{feff}{text}")).unwrap().serial(), Some(3));
}

#[test]
fn refusals_say_what_to_do() {
    for (text, part) in [
        (r#"{"version":3,"modules":[{"resources":{}}]}"#, "apply -refresh-only"),
        (r#"{"modules":[],"version":1}"#, "version 1"),
        (r#"{"version":5,"resources":{"new":"shape"}}"#, "newer"),
        (
            r#"{"serial":1,"lineage":"l","meta":{},"encrypted_data":"AA==","encryption_version":"v0"}"#,
            "tofu show -json",
        ),
        (r#"{"format_version":"2.0","values":{}}"#, "format 2.0"),
        (r#"{"Records":[]}"#, "CloudTrail"),
        ("{}", "neither"),
        ("[1]", "expected an object"),
        ("PK\u{3}\u{4}zip", "saved plan"),
        ("hello", "line 1, column 1"),
        (r#"{"version":4,"resources":[{"mode":"managed","#, "ends too early"),
        (
            r#"{"version":4,"resources":[{"mode":"managed","type":"a","name":"b","instances":[{"attributes":[1]}]}]}"#,
            "not an object",
        ),
        (
            r#"{"version":4,"resources":[{"mode":"managed","type":"a","name":"b","instances":[{"index_key":1.5}]}]}"#,
            "index_key",
        ),
        (r#"{"version":4,"resources":[{"mode":"managed"}]}"#, "missing field"),
    ] {
        let error = try_read(text).unwrap_err().to_string();
        assert!(error.starts_with("s: ") && error.contains(part), "{text}\n{error}");
    }
}

#[test]
fn a_mode_of_the_future_is_left_out() {
    let other = json!({"mode": "other", "type": "a", "name": "b", "instances": [{}, {}]});
    let snapshot = v4(json!([other, aws("aws_vpc", json!([{"attributes": {"id": "a"}}]))]));
    assert_eq!((snapshot.len(), snapshot.states()[0].warnings().len()), (1, 1));
}

#[test]
fn errors_hold_no_values() {
    for text in [r#"{"version":4,"serial":"hunter2"}"#, r#"{"version":4,"resources":"hunter2"}"#] {
        let error = try_read(text).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.position().is_some());
    }
    let resource = r#"{"version":4,"resources":[{"mode":{"x":"hunter2"},"type":"a","provider":"hunter2"}]}"#;
    assert_eq!(try_read(resource).unwrap_err().to_string(), "s: a.?: expected a string");
}

#[test]
fn hostile_documents() {
    let deep = "[".repeat(1_000_000);
    for text in [
        deep.clone(),
        format!("{{\"version\":4,\"x\":{deep}"),
        format!(
            "{{\"format_version\":\"1.0\",\"values\":{{\"root_module\":{}",
            "{\"child_modules\":[".repeat(500_000)
        ),
        format!("{{\"version\":4,\"resources\":{}", "[".repeat(1_000_000)),
    ] {
        assert!(try_read(&text).is_err());
    }
    let twice = v4(json!([
        aws("aws_vpc", json!([{"attributes": {"id": "a"}}])),
        aws("aws_vpc", json!([{"attributes": {"id": "b"}}]))
    ]));
    assert_eq!(twice.len(), 2, "nothing is lost");
    assert_eq!(twice.states()[0].warnings(), ["aws_vpc.x: stands in the state more than once"]);
}

#[test]
fn debug_shows_no_attributes() {
    let snapshot = v4(json!([aws("aws_vpc", json!([{"attributes": {"id": "hunter2"}}]))]));
    assert!(!format!("{snapshot:?} {:?}", only(&snapshot)).contains("hunter2"));
}

#[test]
fn a_resource_without_a_place_stands_where_its_provider_s_others_do() {
    let read = |accounts: [&str; 2]| {
        let sg = |account: &str| json!({"attributes": {"id": format!("sg-{account}"), "arn": format!("arn:aws:ec2:us-east-1:{account}:security-group/sg-1")}});
        let resources = json!([
            aws("aws_security_group", json!([sg(accounts[0]), sg(accounts[1])])),
            aws("aws_iam_role_policy", json!([{"attributes": {"id": "app:p"}}])),
            aws("aws_sns_topic_policy", json!([{"attributes": {"id": "p"}}])),
        ]);
        let text = json!({"version": 4, "terraform_version": "1.12.0", "serial": 7, "lineage": "l", "resources": resources});
        let state =
            read_state(text.to_string().as_bytes(), StateMeta::named("s"), &IndexPlan::new()).unwrap();
        let snapshot = Snapshot::new(vec![Arc::new(state)]);
        let place = |rtype: &str| {
            let r = snapshot
                .resources()
                .filter_map(|id| snapshot.resource(id))
                .find(|r| r.rtype() == rtype)
                .unwrap();
            (r.account().map(str::to_owned), r.region().map(str::to_owned))
        };
        (place("aws_iam_role_policy"), place("aws_sns_topic_policy"))
    };
    let here = Some("111122223333".to_owned());
    let region = Some("us-east-1".to_owned());
    // IAM has no region, whatever the others have
    assert_eq!(read(["111122223333", "111122223333"]), ((here.clone(), None), (here, region.clone())));
    // Two accounts behind one provider: nothing can be said of the account
    assert_eq!(read(["111122223333", "444455556666"]), ((None, None), (None, region)));
}

/// A state with `resource` as it stands before a good one, `aws_vpc.good`.
fn beside_a_good_one(resource: &str) -> Snapshot {
    let text = format!(
        r#"{{"version":4,"resources":[{resource},{{"mode":"managed","type":"aws_vpc","name":"good","provider":"provider.aws",
        "instances":[{{"attributes":{{"id":"vpc-good"}}}}]}}]}}"#
    );
    Snapshot::new(vec![Arc::new(try_read(&text).unwrap())])
}

#[test]
fn what_no_value_can_hold_hides_nothing_else() {
    let long = "9".repeat(100_000);
    for (odd, readable) in [
        ("1e999", json!("1e999")),
        ("-1e999999", json!("-1e999999")),
        (&long, json!(long)),
        (r#""\ud800""#, json!("\u{fffd}")),
        (r#"{"\ud800":"x","a":[1e999,"\ud83d"]}"#, json!({"\u{fffd}": "x", "a": ["1e999", "\u{fffd}"]})),
    ] {
        let resource = format!(
            r#"{{"mode":"managed","type":"aws_vpc","name":"x","provider":"provider.aws","instances":[{{"attributes":{{"id":"vpc-1","odd":{odd},"after":"b"}}}}]}}"#
        );
        let snapshot = beside_a_good_one(&resource);
        let found = snapshot.find("aws_vpc", "id", "vpc-1").next().unwrap();
        let attributes: Value =
            serde_json::from_str(snapshot.resource(found).unwrap().attributes_json()).unwrap();
        assert_eq!(attributes, json!({"id": "vpc-1", "odd": readable, "after": "b"}));
        assert!(snapshot.states()[0].warnings().is_empty());
    }
}

#[test]
fn one_odd_resource_loses_only_itself() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let head = r#""mode":"managed","type":"aws_vpc","name":"x","provider":"provider.aws""#;
    for (resource, warning) in [
        (
            format!(r#"{{{head},"instances":[{{"attributes":[]}}]}}"#),
            "aws_vpc.x: left out: `attributes` is not an object",
        ),
        (
            format!(r#"{{{head},"instances":[{{"attributes":{{"a":{deep}}}}}]}}"#),
            "aws_vpc.x: left out: attributes nest deeper",
        ),
        (format!(r#"{{{head},"name":"y","instances":[]}}"#), "aws_vpc.y: left out: duplicate field `name`"),
        (
            format!(r#"{{{head},"instances":[{{"status":"","status":""}}]}}"#),
            "aws_vpc.x: left out: duplicate field",
        ),
        (
            format!(r#"{{{head},"instances":[{{"index_key":true}}]}}"#),
            "aws_vpc.x: left out: `index_key` is neither",
        ),
        (
            format!(r#"{{{head},"instances":[{{"index_key":3,"dependencies":5}}]}}"#),
            "aws_vpc.x[3]: left out: expected a sequence",
        ),
        (r#"{"mode":"managed","type":"\ud800","name":"x","instances":[]}"#.into(), "\u{fffd}.x: left out: "),
        (
            r#"{"mode":"managed","type":{"x":"hunter2"},"name":"x"}"#.into(),
            "?.x: left out: expected a string",
        ),
        (r#"{"mode":"managed"}"#.into(), "resource 1 of the list: left out: missing field"),
        ("5".into(), "resource 1 of the list: left out: expected an object"),
    ] {
        let snapshot = beside_a_good_one(&resource);
        assert_eq!(only(&snapshot).address(), "aws_vpc.good");
        let [told] = snapshot.states()[0].warnings() else { panic!("{:?}", snapshot.states()[0].warnings()) };
        assert!(told.starts_with(warning) && !told.contains("hunter2"), "{told}");
    }
    // The instances beside it stay.
    let resource = format!(
        r#"{{{head},"instances":[{{"index_key":0,"attributes":{{}}}},{{"index_key":1,"attributes":5,"status":5}}]}}"#
    );
    assert_eq!(beside_a_good_one(&resource).len(), 2);
}

#[test]
fn one_odd_resource_of_show_json_loses_only_itself() {
    let good = r#"{"address":"aws_vpc.good","mode":"managed","type":"aws_vpc","name":"good","values":{}}"#;
    for (odd, warning) in [
        (
            r#"{"address":"aws_vpc.x","mode":"managed","type":5,"name":"x"}"#,
            "aws_vpc.x: left out: expected a string",
        ),
        (
            r#"{"address":"aws_vpc.x","mode":"managed","type":"aws_vpc","name":"x","values":[]}"#,
            "aws_vpc.x: left out: `attributes`",
        ),
        (
            r#"{"address":"?","mode":"managed","type":"aws_vpc","name":"x","values":{}}"#,
            "?: left out: `address`",
        ),
    ] {
        let text = format!(
            r#"{{"format_version":"1.0","values":{{"root_module":{{"resources":[{odd},{good}]}}}}}}"#
        );
        let state = try_read(&text).unwrap();
        assert_eq!((state.len(), state.warnings().len()), (1, 1));
        assert!(state.warnings()[0].starts_with(warning), "{:?}", state.warnings());
    }
}

#[test]
fn warnings_are_bounded_and_nothing_but_odd_ones_is_an_error() {
    let odd: Vec<_> = (0..30).map(|n| json!({"mode": "managed", "type": "a", "name": n})).collect();
    let mut some = odd.clone();
    some.push(aws("aws_vpc", json!([{"attributes": {}}])));
    let snapshot = v4(json!(some));
    let warnings = snapshot.states()[0].warnings();
    assert_eq!((warnings.len(), &*warnings[20]), (21, "10 more resources are left out"));
    let text = json!({"version": 4, "resources": odd}).to_string();
    assert_eq!(try_read(&text).unwrap_err().to_string(), "s: a.?: expected a string");
}

#[test]
fn keys_of_count_may_be_floats() {
    let resource = aws("aws_vpc", json!([{"index_key": 1.0, "attributes": {}}]));
    assert_eq!(only(&v4(json!([resource]))).address(), "aws_vpc.x[1]");
}

#[test]
fn other_encodings_are_named() {
    let text = "{\"version\":4}";
    let wide = |unit: fn(u16) -> Vec<u8>| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    for (bytes, name) in [
        (wide(|u| u.to_le_bytes().to_vec()), "UTF-16LE"),
        (wide(|u| u.to_be_bytes().to_vec()), "UTF-16BE"),
        (wide(|u| u32::from(u).to_le_bytes().to_vec()), "UTF-32LE"),
        (wide(|u| u32::from(u).to_be_bytes().to_vec()), "UTF-32BE"),
        ([b"\xff\xfe\0\0".to_vec(), wide(|u| u32::from(u).to_le_bytes().to_vec())].concat(), "UTF-32LE"),
    ] {
        let error = read_state(&bytes, meta(), &IndexPlan::new()).unwrap_err().to_string();
        assert!(error.contains(&format!("iconv -f {name} -t UTF-8")), "{error}");
    }
}

#[test]
fn sensitive_scalars_are_not_kept() {
    let instance = json!({"attributes": {"id": "i-hunter2", "arn": null, "engine": "mysql", "password": "hunter2", "port": 3306,
        "marked": "hunter2", "url": "postgres://u:hunter2@h/d", "tags": {"api.key": "hunter2", "A": "b"}, "note": "hunter2"},
        "sensitive_attributes": [[{"type": "get_attr", "value": "marked"}], [{"type": "get_attr", "value": "id"}]]});
    let text = json!({"version": 4, "resources": [aws("aws_db_instance", json!([instance]))]}).to_string();
    let meta = StateMeta { mask_names: vec!["note".into()], ..meta() };
    let state = read_state(text.as_bytes(), meta, &IndexPlan::new()).unwrap();
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let r = only(&snapshot);
    let kept = r.attributes_json().matches("hunter2").count();
    assert_eq!(kept, 1, "the id alone: {}", r.attributes_json());
    let attributes: Value = serde_json::from_str(r.attributes_json()).unwrap();
    assert_eq!(
        (&attributes["engine"], &attributes["port"], &attributes["tags"]["A"]),
        (&json!("mysql"), &json!(3306), &json!("b"))
    );
    let same = |path: &str, value: &str| {
        tfdrift_tfstate::same_secret(attributes.pointer(path).unwrap(), &json!(value))
    };
    for path in ["/password", "/marked", "/tags/api.key", "/note"] {
        assert_eq!((same(path, "hunter2"), same(path, "hunter3")), (Some(true), Some(false)), "{path}");
    }
    // It is still found by its id, and what is shown of it shows nothing.
    assert_eq!(snapshot.find("aws_db_instance", "id", "i-hunter2").count(), 1);
    assert_eq!((r.id(), &*r.shown("i-hunter2", "id")), (Some("i-hunter2"), "***"));
    let shown = r.mask(&attributes, "");
    assert_eq!(shown["url"], json!("***"));
    assert!(!shown.to_string().contains("secret:"), "{shown}");
}
