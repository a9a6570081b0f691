//! Objects in every form, whole and broken, in memory and in pieces.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::value::RawValue;
use tfdrift_cloudtrail::split::{Limits, SplitErrorKind, Splitter, records, records_within};

/// Records as text, errors as `!KIND@OFFSET`.
fn in_memory(object: &[u8], limits: Limits) -> Vec<String> {
    records_within(object, limits)
        .map(|item| match item {
            Ok(record) => String::from_utf8_lossy(record).into_owned(),
            Err(error) => format!("!{}@{}", word(error.kind), error.offset),
        })
        .collect()
}

fn word(kind: SplitErrorKind) -> &'static str {
    match kind {
        SplitErrorKind::NotAnObject => "not-an-object",
        SplitErrorKind::Broken => "broken",
        SplitErrorKind::Truncated => "truncated",
        SplitErrorKind::TooLarge { .. } => "too-large",
        SplitErrorKind::GivenUp => "given-up",
    }
}

fn in_pieces(object: &[u8], piece: usize, limits: Limits) -> (Vec<String>, usize) {
    let mut splitter = Splitter::new(limits);
    let (mut found, mut most) = (Vec::new(), 0);
    let mut take = |splitter: &mut Splitter| {
        while let Some(item) = splitter.next_record() {
            found.push(match item {
                Ok(record) => String::from_utf8_lossy(record).into_owned(),
                Err(error) => format!("!{}@{}", word(error.kind), error.offset),
            });
        }
    };
    for piece in object.chunks(piece.max(1)) {
        splitter.push(piece);
        most = most.max(splitter.buffered_bytes());
        take(&mut splitter);
    }
    splitter.finish();
    take(&mut splitter);
    (found, most)
}

const A: &str = r#"{"eventVersion":"1.08","a":{"b":["}"]}}"#;
const B: &str = r#"{ "eventVersion" : "1.09", "s": "\"]}\\" }"#;

/// An object and what must be found in it, both in memory and in pieces of any size.
#[track_caller]
fn check(object: &str, want: &[&str]) {
    assert_eq!(in_memory(object.as_bytes(), Limits::default()), want, "{object}");
    for piece in [1, 2, 3, 7, 50, 1000] {
        assert_eq!(in_pieces(object.as_bytes(), piece, Limits::default()).0, want, "{object} by {piece}");
    }
}

#[test]
fn every_form_of_object() {
    check(&format!(r#"{{"Records":[{A},{B}]}}"#), &[A, B]);
    check(&format!(" {{ \"Records\" : [ {A} ,\n {B} ] }} \n"), &[A, B]);
    check(&format!(r#"{{"meta":{{"x":[1,{{}}]}},"n":1,"Records":[{A}],"after":{{"y":["]"]}}}}"#), &[A]);
    check(&format!(r#"{{"Rec\u006frds":[{A}]}}"#), &[A]);
    check(&format!("[{A},{B}]"), &[A, B]);
    check(&format!("{A}\n{B}\n"), &[A, B]);
    check(&format!("{A}\r\n\r\n{B}"), &[A, B]);
    check(A, &[A]);
    check(&format!("\u{feff}{{\"Records\":[{A}]}}"), &[A]);
    check(&format!(r#"{{"Records":[{A}]}}{{"Records":[{B}]}}"#), &[A, B]);
    check(r#"{"Records":[]}"#, &[]);
    check("[]", &[]);
    check("", &[]);
    check(" \n", &[]);
    let bridge =
        format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{A},"x":1}}"#);
    check(&bridge, &[A]);
    let other = r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"a":1}}"#;
    check(other, &[other]);
}

#[test]
fn broken_records_cost_only_themselves() {
    for broken in [
        r#"{"eventVersion":"1.08","a":{"b":1}"#,
        r#"{"eventVersion":"1.08","a":{"b":[1}}"#,
        r#"{"eventVersion":"1.08"#,
        r#"{"eventVersion":"1.08","a":"b}"#,
        r#"{"eventVersion":"1.08"}}"#,
    ] {
        let object = format!(r#"{{"Records":[{A},{broken},{B},{A}]}}"#);
        let found = in_memory(object.as_bytes(), Limits::default());
        assert_eq!(found.first().unwrap(), A, "{broken}");
        assert_eq!(found[found.len() - 2..], [B, A], "{broken}: {found:?}");
        let errors: Vec<_> = found.iter().filter(|item| item.starts_with('!')).collect();
        assert!(errors.len() <= 1, "{broken}: {errors:?}");
        for piece in [1, 5, 64, 1000] {
            assert_eq!(
                in_pieces(object.as_bytes(), piece, Limits::default()).0,
                found,
                "{broken} by {piece}"
            );
        }
        let lines = format!("{A}\n{broken}\n{B}\n{A}\n");
        let found = in_memory(lines.as_bytes(), Limits::default());
        assert_eq!(found[found.len() - 2..], [B, A], "lines {broken}: {found:?}");
    }
    check(
        &format!(r#"{{"Records":[{A},null,5,"x",[{A}],{B}]}}"#),
        &[A, "!not-an-object@52", "!not-an-object@57", "!not-an-object@59", "!not-an-object@63", B],
    );
    check("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", &["!not-an-object@0"]);
    check(&format!("null\n{A}\n"), &["!not-an-object@0", A]);
}

#[test]
fn what_is_cut_off_is_said_at_the_end() {
    let object = format!(r#"{{"Records":[{A},{B},{A}]}}"#);
    for cut in 13..object.len() {
        let found = in_memory(&object.as_bytes()[..cut], Limits::default());
        let whole = found.iter().filter(|item| !item.starts_with('!')).count();
        assert!(found.last().unwrap().starts_with("!truncated"), "cut at {cut}: {found:?}");
        assert_eq!(whole + 1, found.len(), "cut at {cut}: {found:?}");
        assert_eq!(in_pieces(&object.as_bytes()[..cut], 9, Limits::default()).0, found, "cut at {cut}");
    }
}

#[test]
fn large_records_are_passed_over_and_little_is_held() {
    let limits = Limits { max_record_bytes: 2_000, max_broken: 10 };
    let large = format!(r#"{{"eventVersion":"1.08","x":"{}"}}"#, "y".repeat(50_000));
    let object = format!(r#"{{"Records":[{A},{large},{B}]}}"#);
    let want = [A.to_owned(), "!too-large@52".to_owned(), B.to_owned()];
    assert_eq!(in_memory(object.as_bytes(), limits), want);
    let (found, most) = in_pieces(object.as_bytes(), 512, limits);
    assert_eq!(found, want);
    assert!(most <= 2_000 + 2 * 512, "{most} bytes were held");
    // One that is just small enough.
    let fits = format!(r#"{{"eventVersion":"1.08","x":"{}"}}"#, "y".repeat(2_000 - 30));
    assert_eq!(fits.len(), 2_000);
    assert_eq!(in_memory(format!("[{fits},{A}]").as_bytes(), limits), [fits.as_str(), A]);
}

#[test]
fn too_much_that_is_broken_ends_the_object() {
    let limits = Limits { max_broken: 3, ..Limits::default() };
    let found = in_memory(format!("[{A}{}]", ",1".repeat(10)).as_bytes(), limits);
    assert_eq!(found.len(), 1 + 4);
    assert!(found.last().unwrap().starts_with("!given-up"), "{found:?}");
}

/// JSON values with everything that may confuse a splitter.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        r#"[a-z\[\]{}:, é😀]{0,80}"#.prop_map(|text| format!("\"{text}\"")),
        Just(r#""\\\"]}\u00e9\\""#.to_owned()),
    ];
    let leaf = prop_oneof![text, "-?[1-9][0-9]{0,20}", Just("null".to_owned()), Just("true".to_owned())];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let list =
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(" , ")));
        let object = prop::collection::vec((r#"[a-z]{1,9}"#, inner), 0..5).prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![list, object]
    })
}

fn record() -> impl Strategy<Value = String> {
    json().prop_map(|value| format!(r#"{{"eventVersion":"1.08","requestParameters":{value}}}"#))
}

proptest! {
    #[test]
    fn whole_objects_give_serde_jsons_records(items in prop::collection::vec(record(), 0..12), piece in 1usize..300) {
        #[derive(serde::Deserialize)]
        struct Object<'a> {
            #[serde(rename = "Records", borrow)]
            records: Vec<&'a RawValue>,
        }
        let object = format!(r#"{{"x":[{{}}],"Records":[{}]}}"#, items.join(",\n "));
        let theirs: Object<'_> = serde_json::from_str(&object).unwrap();
        let theirs: Vec<_> = theirs.records.iter().map(|record| record.get()).collect();
        prop_assert_eq!(&in_memory(object.as_bytes(), Limits::default()), &theirs);
        prop_assert_eq!(&in_pieces(object.as_bytes(), piece, Limits::default()).0, &theirs);
    }

    #[test]
    fn damage_never_panics_and_pieces_make_no_records_up(
        items in prop::collection::vec(record(), 1..6),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        piece in 1usize..100,
    ) {
        let mut object = format!(r#"{{"Records":[{}]}}"#, items.join(",")).into_bytes();
        for (at, byte) in damage {
            let at = at.index(object.len());
            object[at] = byte;
        }
        for item in records(&object).flatten() {
            prop_assert_eq!(item.first(), Some(&b'{'));
        }
        let limits = Limits { max_record_bytes: 200, max_broken: 3 };
        let held = in_pieces(&object, piece, limits).1;
        prop_assert!(held <= 200 + 2 * piece + 128, "{} bytes were held", held);
    }
}
