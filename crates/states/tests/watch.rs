//! Local states are read anew because their folders are watched: the poll comes once an hour, so only the watch can have
//! brought what is seen here.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tfdrift_states::{Lease, Place, PlaceKind, StateConfig, StateStore};
use tfdrift_tfstate::IndexPlan;

/// Much longer than anything here takes, much shorter than the poll.
const DEADLINE: Duration = Duration::from_secs(120);

fn state(id: &str) -> String {
    json!({"version": 4, "serial": 1, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": id}}]}]})
    .to_string()
}

/// A store that has looked once, has its watches, and has looked again.
fn watching(kind: PlaceKind, target: &Path) -> (Arc<StateStore>, Lease) {
    let config = StateConfig {
        places: vec![Place::new(kind, target.to_str().unwrap())],
        poll_interval_secs: 3600,
        ..StateConfig::default()
    };
    let store = Arc::new(StateStore::new(config, IndexPlan::new()).unwrap());
    let lease = store.open();
    until("the look after the watches are there", || store.status().rounds >= 2);
    (store, lease)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "not seen: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn sees(store: &StateStore, id: &str) {
    until(id, || store.snapshot().is_some_and(|s| s.find_any(id).count() == 1));
}

#[test]
fn a_file_written_in_place_replaced_removed_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terraform.tfstate");
    fs::write(&path, state("vpc-1")).unwrap();
    let (store, _lease) = watching(PlaceKind::File, &path);
    sees(&store, "vpc-1");
    fs::write(&path, state("vpc-2")).unwrap();
    sees(&store, "vpc-2");
    let new = dir.path().join("terraform.tfstate.new");
    fs::write(&new, state("vpc-3")).unwrap();
    fs::rename(&new, &path).unwrap();
    sees(&store, "vpc-3");
    fs::remove_file(&path).unwrap();
    until("the missing file", || store.status().errors().count() == 1);
    assert_eq!(store.snapshot().unwrap().find_any("vpc-3").count(), 1, "the last good one stays");
    fs::write(&path, state("vpc-4")).unwrap();
    sees(&store, "vpc-4");
    assert_eq!(store.status().errors().count(), 0);
}

#[test]
fn a_folder_that_appears_later_and_folders_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("not/yet");
    let (store, _lease) = watching(PlaceKind::Dir, &root);
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("a.tfstate"), state("vpc-a")).unwrap();
    sees(&store, "vpc-a");
    let deep = root.join("x/terraform.tfstate.d/dev");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("terraform.tfstate"), state("vpc-dev")).unwrap();
    sees(&store, "vpc-dev");
    fs::remove_dir_all(root.join("x")).unwrap();
    until("the removed folder", || store.snapshot().is_some_and(|s| s.find_any("vpc-dev").count() == 0));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("terraform.tfstate"), state("vpc-again")).unwrap();
    sees(&store, "vpc-again");
}

#[test]
fn a_pattern_through_folders() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("one")).unwrap();
    fs::write(dir.path().join("one/terraform.tfstate"), state("vpc-1")).unwrap();
    let (store, _lease) = watching(PlaceKind::File, &dir.path().join("*/terraform.tfstate"));
    sees(&store, "vpc-1");
    fs::create_dir(dir.path().join("two")).unwrap();
    fs::write(dir.path().join("two/terraform.tfstate"), state("vpc-2")).unwrap();
    sees(&store, "vpc-2");
    fs::write(dir.path().join("one/terraform.tfstate"), state("vpc-1b")).unwrap();
    sees(&store, "vpc-1b");
}

/// Kubernetes mounts a ConfigMap as links into `..data`, itself a link that is turned in one step.
#[test]
fn a_configmap_is_swapped() {
    let dir = tempfile::tempdir().unwrap();
    let version = |name: &str, id: &str| {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("prod.tfstate"), state(id)).unwrap();
        symlink(name, dir.path().join("..data_tmp")).unwrap();
        fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    };
    version("..2026_11_01", "vpc-1");
    symlink("..data/prod.tfstate", dir.path().join("prod.tfstate")).unwrap();
    let (file, _one) = watching(PlaceKind::File, &dir.path().join("prod.tfstate"));
    let (folder, _two) = watching(PlaceKind::Dir, dir.path());
    for store in [&file, &folder] {
        sees(store, "vpc-1");
    }
    version("..2026_11_02", "vpc-2");
    for store in [&file, &folder] {
        sees(store, "vpc-2");
    }
    fs::remove_dir_all(dir.path().join("..2026_11_01")).unwrap();
    version("..2026_11_03", "vpc-3");
    for store in [&file, &folder] {
        sees(store, "vpc-3");
    }
}

/// A link to a file elsewhere, which is written there.
#[test]
fn the_file_behind_a_link() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("real")).unwrap();
    fs::create_dir_all(dir.path().join("links")).unwrap();
    fs::write(dir.path().join("real/a.tfstate"), state("vpc-1")).unwrap();
    symlink("../real/a.tfstate", dir.path().join("links/a.tfstate")).unwrap();
    let (store, lease) = watching(PlaceKind::Dir, &dir.path().join("links"));
    sees(&store, "vpc-1");
    fs::write(dir.path().join("real/a.tfstate"), state("vpc-2")).unwrap();
    sees(&store, "vpc-2");
    drop(lease);
    // Opened again, it watches again.
    let lease = store.open();
    let rounds = store.status().rounds;
    until("the look after the watches are there", || store.status().rounds >= rounds + 2);
    fs::write(dir.path().join("real/a.tfstate"), state("vpc-3")).unwrap();
    sees(&store, "vpc-3");
    drop(lease);
}
