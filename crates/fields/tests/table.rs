//! The table against the code that computes the fields, and against the page that shows it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::path::Path;

use tfdrift_cloudtrail::ct::CtField;
use tfdrift_fields::{Arg, CT_FIELDS, FIELDS, Group, Kind, Property, TF_FIELDS, find, to_json, to_markdown};

#[test]
fn every_field_of_the_record_is_computed_and_no_other() {
    let listed: Vec<_> = CT_FIELDS.iter().map(|field| field.name).collect();
    let computed: Vec<_> = CtField::ALL.iter().map(|field| field.name()).collect();
    assert_eq!(listed, computed);
}

#[test]
fn the_go_plugins_fields_have_its_types() {
    let go: Vec<_> = FIELDS.iter().filter(|field| field.since == "0.17.1").collect();
    assert_eq!(go.len(), 73);
    let count = |kind| go.iter().filter(|field| field.kind == kind).count();
    assert_eq!((count(Kind::String), count(Kind::U64), count(Kind::StringList)), (66, 6, 1));
    assert_eq!(find("ec2.imageids").unwrap().arg, Arg::OptionalIndex);
    let marked = |mark| -> Vec<_> {
        go.iter().filter(|field| field.properties.contains(&mark)).map(|field| field.name).collect()
    };
    assert_eq!(marked(Property::Conversation), ["ct.user", "ct.srcip", "s3.uri", "s3.bucket"]);
    assert_eq!(marked(Property::Info), ["ct.info"]);
    let hidden = ["ct.time", "s3.bytes.in", "s3.bytes.out", "s3.cnt.get", "s3.cnt.put", "s3.cnt.other"];
    assert_eq!(marked(Property::Hidden), hidden);
}

#[test]
fn names_are_unique_and_in_their_group() {
    let mut seen = HashSet::new();
    for field in FIELDS {
        assert!(seen.insert(field.name), "{} stands twice", field.name);
        assert_eq!(field.name.starts_with("tf."), field.group == Group::Tf, "{}", field.name);
        assert!(!field.description.is_empty() && !field.absent.is_empty(), "{}", field.name);
    }
    assert_eq!(FIELDS.len(), CT_FIELDS.len() + TF_FIELDS.len());
    assert_eq!(TF_FIELDS.len(), 28);
}

#[test]
fn json_is_json() {
    let rows: Vec<serde_json::Value> = serde_json::from_str(&to_json(FIELDS)).unwrap();
    assert_eq!(rows.len(), FIELDS.len());
    assert_eq!(rows[0]["name"], "ct.id");
    let attr_old = rows.iter().find(|row| row["name"] == "tf.attr_old").unwrap();
    assert_eq!(attr_old["arg"]["required"], true);
}

#[test]
fn the_page_holds_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fields.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (_, after) = text.split_once("<!-- table: tfdrift fields --format md -->\n").unwrap();
    let (table, _) = after.split_once("<!-- end of table -->").unwrap();
    assert!(
        table == to_markdown(FIELDS),
        "docs/fields.md is not up to date: put the output of `tfdrift fields --format md` between its markers"
    );
}
