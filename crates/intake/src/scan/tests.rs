use super::*;
use proptest::prelude::*;

/// What a scan over pieces of `step` bytes finds: records as text, broken ones as their reason.
fn scan(object: &[u8], step: usize, max: usize) -> (Vec<String>, Vec<&'static str>) {
    let (mut records, mut broken) = (Vec::new(), Vec::new());
    let mut scanner = Scanner::new(max);
    let mut buf = Vec::new();
    let mut rest = object;
    loop {
        match scanner.next(&buf, rest.is_empty()) {
            Found::Record(range, head) => {
                let text = String::from_utf8(buf[range].to_vec()).unwrap();
                assert_eq!(head.event_id.of(&buf), id_of(&text).as_bytes());
                records.push(text);
            }
            Found::Broken { why, .. } => broken.push(why),
            Found::TooLarge { .. } => broken.push("too large"),
            Found::More { from } => {
                buf.drain(..from);
                let (now, later) = rest.split_at(step.min(rest.len()));
                buf.extend_from_slice(now);
                rest = later;
            }
            Found::End => return (records, broken),
        }
    }
}

fn id_of(record: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(record).unwrap();
    value["eventID"].as_str().unwrap_or_default().to_owned()
}

fn record(id: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2026-11-02T19:30:22Z","r":{{"s":"a\"}}{{","l":[1,{{}},[],"]"]}},"eventID":"{id}"}}"#
    )
}

fn all_steps(object: &str, records: &[String], broken: usize) {
    for step in [1, 2, 3, 7, 64, 4096, object.len().max(1)] {
        let (found, errors) = scan(object.as_bytes(), step, 1 << 20);
        assert_eq!(found, records, "step {step} of {object}");
        assert_eq!(errors.len(), broken, "step {step} of {object}: {errors:?}");
    }
}

#[test]
fn every_form_of_an_object() {
    let (a, b) = (record("a"), record("b"));
    let both = [a.clone(), b.clone()];
    all_steps(&format!(r#"{{"Records":[{a},{b}]}}"#), &both, 0);
    all_steps(&format!("\u{feff} {{ \"x\": [1], \"Records\" : [ {a} ,\n {b} ] , \"y\": {{}} }}\n"), &both, 0);
    all_steps(&format!("[{a},{b}]"), &both, 0);
    all_steps(&format!("{a}\n{b}\n"), &both, 0);
    all_steps(&format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}"), &both, 0);
    all_steps(&a, std::slice::from_ref(&a), 0);
    all_steps(r#"{"Records":[]}"#, &[], 0);
    all_steps("", &[], 0);
}

#[test]
fn one_broken_record_among_many() {
    let (a, b) = (record("a"), record("b"));
    let both = [a.clone(), b.clone()];
    for broken in [
        r#"{"eventVersion":"1.08","eventTime":}"#,
        r#"{"eventVersion":"1.08" "eventTime":"x"}"#,
        r#"{"eventVersion":"1.08","eventTime":"no end"#,
        r#"{"eventVersion":"1.08","a":[1,2}"#,
        r#"{"eventVersion":"1.08","a":tru}"#,
        "{eventVersion:1}",
        "17",
        r#""text""#,
        "nonsense",
    ] {
        all_steps(&format!(r#"{{"Records":[{a},{broken},{b}]}}"#), &both, 1);
    }
    all_steps(&format!("{a}\n{{\"eventVersion\":\n{b}\n"), &both, 1);
    all_steps(&format!("{a}\nnonsense\n{b}\n"), &both, 1);
}

#[test]
fn what_is_cut_off_is_told() {
    let a = record("a");
    all_steps(&format!(r#"{{"Records":[{a},{}"#, &record("b")[..40]), std::slice::from_ref(&a), 1);
    all_steps(&format!(r#"{{"Records":[{a}"#), std::slice::from_ref(&a), 1);
    all_steps("not json at all", &[], 1);
}

#[test]
fn what_is_cut_off_at_any_byte_is_told_once() {
    let (a, b) = (record("a"), record("b"));
    let object = format!(r#"{{"Records":[{a},{b},{a}]}}"#);
    let start = r#"{"Records":["#.len();
    let ends = [start + a.len(), start + a.len() + 1 + b.len(), start + 2 * (a.len() + 1) + b.len()];
    for cut in start..object.len() {
        let whole = ends.iter().filter(|end| cut >= **end).count();
        for step in [1, 50, object.len()] {
            let (found, errors) = scan(&object.as_bytes()[..cut], step, 1 << 20);
            assert_eq!((found.len(), errors.len()), (whole, 1), "cut at {cut}, step {step}: {errors:?}");
        }
    }
}

#[test]
fn odd_objects() {
    let (a, b) = (record("a"), record("b"));
    let both = [a.clone(), b.clone()];
    all_steps(
        &format!(r#"{{"meta":{{"x":[1,{{}}]}},"n":1,"Records":[{a},{b}],"after":{{"y":["]"]}}}}"#),
        &both,
        0,
    );
    all_steps(&format!("{a}\r\n\r\n{b}"), &both, 0);
    all_steps(&format!("null\n{a}\n{b}\n"), &both, 1);
    all_steps(&format!(r#"{{"Records":[{a},null,5,"x",[{a}],{b}]}}"#), &both, 4);
    all_steps("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", &[], 1);
    all_steps(" \n", &[], 0);
    all_steps("[]", &[], 0);
}

#[test]
fn a_record_over_the_limit_is_passed_by() {
    let (a, b) = (record("a"), record("b"));
    let big = format!(r#"{{"eventVersion":"1","text":"{}\"}}","eventID":"big"}}"#, "x".repeat(5_000));
    for object in [format!(r#"{{"Records":[{a},{big},{b}]}}"#), format!("{a}\n{big}\n{b}")] {
        for step in [1, 100, 4_000, 100_000] {
            let (found, broken) = scan(object.as_bytes(), step, 1_000);
            assert_eq!(found, [a.clone(), b.clone()], "step {step}");
            assert_eq!(broken, ["too large"], "step {step}");
        }
    }
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!(r#"{{"eventVersion":"1","a":{}{}}}"#, "[".repeat(300), "]".repeat(300));
    let a = record("a");
    all_steps(&format!(r#"{{"Records":[{deep},{a}]}}"#), std::slice::from_ref(&a), 1);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i16>().prop_map(|f| serde_json::json!(f64::from(f) / 8.0)),
        ".{0,24}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::hash_map("[a-zA-Z\"\\\\{}é]{0,9}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_writes_is_split_as_it_was(values in prop::collection::vec(json(), 0..6), step in 1usize..300, pretty: bool) {
        let records: Vec<serde_json::Value> = values.into_iter().enumerate()
            .map(|(i, v)| serde_json::json!({"eventVersion": "1.08", "x": v, "eventID": i.to_string()})).collect();
        let whole = serde_json::json!({"Records": records});
        let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap();
        let (found, broken) = scan(text.as_bytes(), step, 1 << 20);
        let found: Vec<serde_json::Value> = found.iter().map(|f| serde_json::from_str(f).unwrap()).collect();
        prop_assert_eq!(found, records);
        prop_assert!(broken.is_empty());
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'{'), Just(b'"'), Just(b'['), Just(b'}'), Just(b','), Just(b':')], 0..200), step in 1usize..50) {
        // Records that come out must be JSON, whatever goes in.
        let mut scanner = Scanner::new(64);
        let (mut buf, mut rest) = (Vec::new(), &bytes[..]);
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 2_000, "no end");
            match scanner.next(&buf, rest.is_empty()) {
                Found::More { from } => {
                    prop_assert!(!rest.is_empty());
                    buf.drain(..from);
                    let (now, later) = rest.split_at(step.min(rest.len()));
                    buf.extend_from_slice(now);
                    rest = later;
                }
                Found::End => break,
                _ => {}
            }
        }
    }
}
