//! The reader never panics; what is printed is what is parsed. (The bodies of the fuzz targets, run on stable.)

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests; clippy knows only the test functions themselves

#[path = "support/exercise.rs"]
mod exercise;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tfdrift_tfstate::{Address, IndexPlan, InstanceKey, Mode, ModuleStep, Snapshot, StateMeta, read_state};

const SEEDS: [&[u8]; 4] = [
    include_bytes!("data/keys.tfstate"),
    include_bytes!("data/keys.show.json"),
    include_bytes!("data/keys.plan.json"),
    include_bytes!("../../../fuzz/seeds/state/aws.tfstate"),
];

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_-]{0,8}".prop_filter("words of the grammar", |n| n != "module" && n != "data")
}

fn key() -> impl Strategy<Value = Option<InstanceKey>> {
    prop_oneof![
        Just(None),
        any::<i64>().prop_map(|n| Some(InstanceKey::Int(n))),
        any::<String>().prop_map(|s| Some(InstanceKey::Str(s))),
        "[\\$%{}\"\\\\\\[\\].a]{0,12}".prop_map(|s| Some(InstanceKey::Str(s))),
    ]
}

fn address() -> impl Strategy<Value = Address> {
    let module =
        prop::collection::vec((name(), key()).prop_map(|(name, key)| ModuleStep { name, key }), 0..4);
    (module, any::<bool>(), name(), name(), key()).prop_map(|(module, data, rtype, name, key)| Address {
        module,
        mode: if data { Mode::Data } else { Mode::Managed },
        rtype,
        name,
        key,
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|m| json!(m)),
        ]
    })
}

/// JSON as a hostile hand writes it: any escapes, any numbers, names that stand twice.
fn text_of_json() -> impl Strategy<Value = String> {
    let string = prop::collection::vec(
        prop_oneof![
            "[a-z=@:/.{\\[ ]{0,4}",
            (0u16..=0xffff).prop_map(|unit| format!("\\u{unit:04x}")),
            (0xd800u16..=0xdfff).prop_map(|unit| format!("\\u{unit:04X}")),
            Just("\\\\".to_owned()),
            Just("\\\"".to_owned()),
            Just("password".to_owned()),
        ],
        0..6,
    )
    .prop_map(|parts| format!("\"{}\"", parts.concat()));
    let number = "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?";
    let leaf = prop_oneof![string.clone(), number, Just("null".to_owned()), Just("true".to_owned())];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let member = (string.clone(), inner.clone()).prop_map(|(name, value)| format!("{name} : {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|list| format!("[ {} ]", list.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|list| format!("{{{}\n}}", list.join(" ,"))),
        ]
    })
}

proptest! {
    /// One attribute that no value can hold hides none of the others.
    #[test]
    fn accepted_attributes_can_be_read(odd in text_of_json(), marked in any::<bool>()) {
        let marks = if marked { r#"[[{"type":"get_attr","value":"odd"}]]"# } else { "[]" };
        let text = format!(r#"{{"version":4,"resources":[{{"mode":"managed","type":"aws_x","name":"n","provider":"provider.aws",
            "instances":[{{"attributes":{{"id":"i","odd":{odd},"last":"l"}},"sensitive_attributes":{marks}}}]}}]}}"#);
        let state = read_state(text.as_bytes(), StateMeta::named("s"), &IndexPlan::new()).unwrap();
        let snapshot = Snapshot::new(vec![Arc::new(state)]);
        let found = snapshot.find("aws_x", "id", "i").next().unwrap();
        let resource = snapshot.resource(found).unwrap();
        let attributes: serde_json::Map<String, Value> = serde_json::from_str(resource.attributes_json()).unwrap();
        prop_assert_eq!(&attributes["last"], "l");
        prop_assert_eq!(attributes.len(), 3);
        let _ = resource.mask(&json!(attributes), "");
    }

    #[test]
    fn address_printed_is_address_parsed(address in address()) {
        prop_assert_eq!(Address::parse(&address.to_string()).unwrap(), address);
    }

    #[test]
    fn any_text_as_address(text in any::<String>()) {
        exercise::address(&text);
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise::state(&bytes);
    }

    #[test]
    fn mutated_states(seed in 0usize..4, cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6)) {
        let mut bytes = SEEDS[seed].to_vec();
        for (at, byte, how) in cuts {
            let at = at.index(bytes.len().max(1));
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        exercise::state(&bytes);
    }

    #[test]
    fn truncated_states(seed in 0usize..4, at in any::<prop::sample::Index>()) {
        let bytes = SEEDS[seed];
        let cut = &bytes[..at.index(bytes.len())];
        let read = read_state(cut, StateMeta::named("s"), &IndexPlan::new());
        let whole = cut.is_empty() || cut.trim_ascii_end().len() == bytes.trim_ascii_end().len();
        prop_assert!(read.is_err() || whole);
    }

    /// Compacting keeps the value, and what is indexed is found.
    #[test]
    fn attributes_survive(values in prop::collection::btree_map(any::<String>(), value(), 0..6), id in "[^\0]{1,20}") {
        let mut attributes = json!(values);
        attributes["id"] = json!(id);
        let document = json!({"version": 4, "resources": [{"mode": "managed", "type": "aws_x", "name": "n", "provider": "provider.aws",
            "instances": [{"attributes": attributes}]}]});
        let text = serde_json::to_vec_pretty(&document).unwrap();
        let state = read_state(&text, StateMeta::named("s"), &IndexPlan::new()).unwrap();
        let snapshot = Snapshot::new(vec![Arc::new(state)]);
        let found = snapshot.find("aws_x", "id", &id).next().unwrap();
        let r = snapshot.resource(found).unwrap();
        prop_assert_eq!(r.id(), Some(&*id));
        prop_assert_eq!(serde_json::from_str::<Value>(r.attributes_json()).unwrap(), attributes);
    }
}
