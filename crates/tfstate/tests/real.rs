//! States that Terraform wrote.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

use std::collections::BTreeSet;
use std::sync::Arc;

use tfdrift_tfstate::{Address, IndexPlan, Resource, Snapshot, State, StateMeta, read_state};

const STATE: &[u8] = include_bytes!("data/keys.tfstate");
const SHOW: &[u8] = include_bytes!("data/keys.show.json");
const PLAN: &[u8] = include_bytes!("data/keys.plan.json");

fn read(bytes: &[u8]) -> Snapshot {
    let state: State = read_state(bytes, StateMeta::named("keys"), &IndexPlan::new()).unwrap();
    assert!(state.warnings().is_empty(), "{:?}", state.warnings());
    Snapshot::new(vec![Arc::new(state)])
}

fn all(snapshot: &Snapshot) -> Vec<Resource<'_>> {
    snapshot.resources().map(|id| snapshot.resource(id).unwrap()).collect()
}

fn addresses(snapshot: &Snapshot) -> BTreeSet<String> {
    all(snapshot).iter().map(|r| r.address().to_owned()).collect()
}

#[test]
fn state_file_show_and_plan_agree() {
    let (state, show, plan) = (read(STATE), read(SHOW), read(PLAN));
    assert_eq!(state.len(), 25, "24 managed, 1 data source");
    assert_eq!(addresses(&state), addresses(&show));
    // A plan's prior state holds no data source that is read anew.
    assert!(addresses(&plan).is_subset(&addresses(&state)) && plan.len() >= 24);
    assert_eq!(state.states()[0].managed_len(), 24);
    for r in all(&state) {
        let other = all(&show).into_iter().find(|s| s.address() == r.address()).unwrap();
        assert_eq!(
            (r.rtype(), r.name(), r.module(), r.id()),
            (other.rtype(), other.name(), other.module(), other.id())
        );
        assert_eq!((r.is_tainted(), r.provider()), (other.is_tainted(), other.provider()), "{}", r.address());
        assert_eq!(r.is_sensitive("input"), other.is_sensitive("input"), "{}", r.address());
    }
}

/// `show -json` prints the addresses, the state file leaves it to the reader.
#[test]
fn addresses_are_what_terraform_prints() {
    let shown = addresses(&read(SHOW));
    for expected in [
        "terraform_data.each[\"quo\\\"te\"]",
        "terraform_data.each[\"$$${z}\"]",
        "terraform_data.each[\"%%{y}\"]",
        "terraform_data.each[\"nbsp\\u00a0\"]",
        "terraform_data.each[\"\"]",
        "module.m[\"q\\\"[0]\"].module.deep[1].terraform_data.leaf",
        "data.terraform_remote_state.none",
    ] {
        assert!(shown.contains(expected), "{expected}");
    }
    for text in &shown {
        assert_eq!(Address::parse(text).unwrap().to_string(), *text);
    }
}

#[test]
fn taint_and_marks() {
    let snapshot = read(STATE);
    let resources = all(&snapshot);
    let get = |address: &str| *resources.iter().find(|r| r.address() == address).unwrap();
    assert!(get("terraform_data.many[1]").is_tainted() && !get("terraform_data.many[0]").is_tainted());
    let hidden = get("terraform_data.hidden");
    assert!(hidden.is_sensitive("input") && !hidden.is_sensitive("id"));
    let attributes: serde_json::Value = serde_json::from_str(hidden.attributes_json()).unwrap();
    let shown = hidden.mask(&attributes["input"], "input").to_string();
    assert!(!shown.contains("hunter2") && shown.contains("\"open\""), "{shown}");
}

#[test]
fn other_providers_are_listed_and_not_found() {
    let snapshot = read(STATE);
    let one = all(&snapshot).into_iter().find(|r| r.address() == "terraform_data.one").unwrap();
    assert_eq!(one.provider(), "terraform.io/builtin/terraform");
    assert!(!one.is_aws());
    let id = one.id().unwrap();
    assert_eq!(snapshot.find_any(id).count() + snapshot.find("terraform_data", "id", id).count(), 0);
}
