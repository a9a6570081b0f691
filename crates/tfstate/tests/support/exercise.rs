//! What must hold for any bytes at all. The property tests call it on stable, the fuzz targets (fuzz/) on nightly.

use std::sync::Arc;

use tfdrift_tfstate::{Address, IndexPlan, Snapshot, StateMeta, read_state};

/// Reads bytes as a state, and looks at everything that was read. Must not panic, and must not take for ever.
#[allow(dead_code, reason = "each fuzz target calls one of the two")]
pub fn state(bytes: &[u8]) {
    let mut plan = IndexPlan::new();
    plan.add("terraform_data", "input.value");
    plan.add("aws_vpc", "tags.Name");
    let Ok(state) = read_state(bytes, StateMeta::named("s"), &plan) else { return };
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    for id in snapshot.resources() {
        let r = snapshot.resource(id).expect("an id of this snapshot");
        let attributes =
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(r.attributes_json());
        assert!(attributes.is_ok(), "what the reader takes can be read: {:?}", attributes.err());
        let _ = (r.address(), r.module(), r.id(), r.arn(), r.account(), r.region(), r.dependencies().count());
        let _ = (r.is_sensitive("input"), r.is_sensitive("input.password"));
        if r.is_managed()
            && r.is_aws()
            && let Some(id) = r.id()
        {
            assert!(snapshot.find(r.rtype(), "id", id).next().is_some(), "what is there is found");
        }
    }
}

/// Reads text as an address: what is printed is what was read.
#[allow(dead_code, reason = "each fuzz target calls one of the two")]
pub fn address(text: &str) {
    if let Ok(address) = Address::parse(text) {
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(&address));
    }
}
