//! Local places: loading, polling, what happens when they break.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tfdrift_states::{Place, PlaceKind, StateConfig, StateStore, shared};
use tfdrift_tfstate::{IndexPlan, Snapshot};

fn state(serial: u64, lineage: &str, ids: &[&str]) -> String {
    let instances: Vec<_> =
        ids.iter().enumerate().map(|(n, id)| json!({"index_key": n, "attributes": {"id": id}})).collect();
    json!({"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "resources": [
        {"mode": "managed", "type": "aws_vpc", "name": "v", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": instances}
    ]})
    .to_string()
}

fn config(places: Vec<Place>) -> StateConfig {
    StateConfig { places, poll_interval_secs: 1, ..StateConfig::default() }
}

fn place(kind: PlaceKind, path: &Path) -> Place {
    Place::new(kind, path.to_str().unwrap())
}

fn store(places: Vec<Place>) -> Arc<StateStore> {
    Arc::new(StateStore::new(config(places), IndexPlan::new()).unwrap())
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.states().iter().map(|s| s.name()).collect()
}

/// Waits for what a background thread does; a test that waits in vain fails.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_of_several_fails_and_the_others_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.tfstate");
    let broken = dir.path().join("broken.tfstate");
    fs::write(&good, state(1, "a", &["vpc-1"])).unwrap();
    fs::write(&broken, "{\"version\":4,").unwrap();
    let missing = dir.path().join("missing.tfstate");
    let store = store([&good, &broken, &missing].map(|p| place(PlaceKind::File, p)).to_vec());
    let status = store.load_now();
    let errors: Vec<_> = status.errors().collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().any(|e| e.contains("missing.tfstate: no such file")), "{errors:?}");
    assert!(errors.iter().any(|e| e.contains("broken.tfstate: not valid JSON at line 1")), "{errors:?}");
    assert_eq!(names(&store.snapshot().unwrap()), [good.to_str().unwrap()]);
    assert_eq!((status.loaded(), status.resources()), (1, 1));
}

#[test]
fn nothing_loaded_is_no_snapshot() {
    let store = store(vec![Place::new(PlaceKind::File, "/nonexistent/x.tfstate")]);
    store.load_now();
    assert!(store.snapshot().is_none());
    assert!(store.wait_first(Duration::ZERO), "it was tried");
}

#[test]
fn folders_workspaces_gzip_and_patterns() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let write = |path: &str, text: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(state(1, "z", &["vpc-z"]).as_bytes()).unwrap();
    write("app/terraform.tfstate", state(1, "a", &["vpc-a"]).as_bytes());
    write("app/terraform.tfstate.d/dev/terraform.tfstate", state(1, "d", &["vpc-d"]).as_bytes());
    write("app/terraform.tfstate.backup", b"not read");
    write("app/.terraform/terraform.tfstate", b"{\"version\":3}");
    write("net/net.tfstate.gz", &gzip.finish().unwrap());
    std::os::unix::fs::symlink(root, root.join("net/loop")).unwrap();

    let mut named = place(PlaceKind::Dir, root);
    named.name = "all".to_owned();
    let store1 = store(vec![named]);
    assert!(store1.load_now().errors().next().is_none());
    let snapshot = store1.snapshot().unwrap();
    assert_eq!(
        names(&snapshot),
        [
            "all/app/terraform.tfstate",
            "all/app/terraform.tfstate.d/dev/terraform.tfstate",
            "all/net/net.tfstate.gz"
        ]
    );
    let workspaces: Vec<_> = snapshot.states().iter().map(|s| s.workspace()).collect();
    assert_eq!(workspaces, [Some("default"), Some("dev"), None]);
    assert!(snapshot.states().iter().all(|s| s.written_at_ns().is_some()));
    for id in ["vpc-a", "vpc-d", "vpc-z"] {
        assert_eq!(snapshot.find("aws_vpc", "id", id).count(), 1);
    }

    let mut only_dev = place(PlaceKind::Dir, root);
    only_dev.workspace = "dev".to_owned();
    let store2 = store(vec![only_dev]);
    store2.load_now();
    assert_eq!(store2.snapshot().unwrap().find_any("vpc-a").count(), 0);
    assert_eq!(store2.snapshot().unwrap().find_any("vpc-d").count(), 1);

    let store3 = store(vec![place(PlaceKind::File, &root.join("*/*.tfstate"))]);
    store3.load_now();
    assert_eq!(store3.snapshot().unwrap().states().len(), 1);
    let store4 = store(vec![place(PlaceKind::File, &root.join("*.nothing"))]);
    assert!(store4.load_now().errors().next().unwrap().contains("no file matches"));
}

#[test]
fn a_state_reached_twice_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terraform.tfstate");
    fs::write(&path, state(1, "a", &["vpc-1"])).unwrap();
    let store = store(vec![place(PlaceKind::File, &path), place(PlaceKind::Dir, dir.path())]);
    store.load_now();
    assert_eq!(store.snapshot().unwrap().find_any("vpc-1").count(), 1);
}

#[test]
fn reloading_one_touches_that_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: usize| dir.path().join(format!("s{n}.tfstate"));
    for n in 0..5 {
        fs::write(path(n), state(1, &format!("l{n}"), &[&format!("vpc-{n}")])).unwrap();
    }
    let store = store(vec![place(PlaceKind::Dir, dir.path())]);
    store.load_now();
    let before = store.snapshot().unwrap();
    fs::write(path(2), state(2, "l2", &["vpc-2", "vpc-2b"])).unwrap();
    let status = store.load_now();
    let after = store.snapshot().unwrap();
    for n in 0..5 {
        assert_eq!(Arc::ptr_eq(&before.states()[n], &after.states()[n]), n != 2, "state {n}");
    }
    assert_eq!((status.loads, after.find_any("vpc-2b").count()), (6, 1));
    store.load_now();
    assert!(Arc::ptr_eq(&after, &store.snapshot().unwrap()), "nothing changed: the same snapshot");
    fs::remove_file(path(4)).unwrap();
    store.load_now();
    assert_eq!(store.snapshot().unwrap().find_any("vpc-4").count(), 0, "gone from the folder");
}

#[test]
fn a_failed_reload_keeps_the_last_good_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfstate");
    fs::write(&path, state(5, "l", &["vpc-1"])).unwrap();
    let store = store(vec![place(PlaceKind::File, &path)]);
    store.load_now();
    let good = store.snapshot().unwrap();
    for broken in ["{\"version\":4,\"resou", "{\"version\":3}", ""] {
        fs::write(&path, broken).unwrap();
        let status = store.load_now();
        let of = status.states().next().unwrap();
        assert!(of.error.is_some() && of.loaded && of.serial == Some(5), "{of:?}");
        assert!(Arc::ptr_eq(&good, &store.snapshot().unwrap()));
    }
    fs::remove_file(&path).unwrap();
    let status = store.load_now();
    assert!(status.places[0].error.is_some());
    assert!(Arc::ptr_eq(&good, &store.snapshot().unwrap()), "the object vanished");

    fs::write(&path, state(3, "l", &["vpc-1"])).unwrap();
    let status = store.load_now();
    assert!(status.errors().next().is_none());
    assert!(status.states().next().unwrap().warnings[0].contains("serial went back from 5 to 3"));
    fs::write(&path, state(9, "other", &["vpc-1"])).unwrap();
    assert!(
        store.load_now().states().next().unwrap().warnings[0].contains("lineage changed from l to other")
    );
}

#[test]
fn polling_sees_changes_and_configmap_links() {
    let dir = tempfile::tempdir().unwrap();
    // As Kubernetes mounts a ConfigMap: NAME → ..data/NAME, ..data → ..1, swapped by renaming ..data.
    let (one, two) = (dir.path().join("..1"), dir.path().join("..2"));
    for (folder, id) in [(&one, "vpc-1"), (&two, "vpc-2")] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("a.tfstate"), state(1, "l", &[id])).unwrap();
    }
    let data = dir.path().join("..data");
    std::os::unix::fs::symlink("..1", &data).unwrap();
    std::os::unix::fs::symlink("..data/a.tfstate", dir.path().join("a.tfstate")).unwrap();

    for kind in [PlaceKind::Dir, PlaceKind::File] {
        let target =
            if kind == PlaceKind::Dir { dir.path().to_owned() } else { dir.path().join("a.tfstate") };
        let store = store(vec![place(kind, &target)]);
        let lease = store.open();
        assert!(store.wait_first(Duration::from_secs(60)));
        let has = |id: &str| store.snapshot().is_some_and(|s| s.find_any(id).count() == 1);
        assert!(has("vpc-1"));
        std::os::unix::fs::symlink("..2", dir.path().join("tmp")).unwrap();
        fs::rename(dir.path().join("tmp"), &data).unwrap();
        until("the link's new target", || has("vpc-2") && !has("vpc-1"));
        drop(lease);
        std::os::unix::fs::symlink("..1", dir.path().join("tmp")).unwrap();
        fs::rename(dir.path().join("tmp"), &data).unwrap();
    }
}

#[test]
fn an_empty_file_is_no_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfstate");
    fs::write(&path, "\n").unwrap();
    let store = store(vec![place(PlaceKind::File, &path)]);
    let status = store.load_now();
    let errors: Vec<_> = status.errors().collect();
    assert!(errors.iter().any(|e| e.to_string().contains("is empty")), "{errors:?}");
    assert!(store.snapshot().is_none());
    fs::write(&path, state(1, "l", &["vpc-1"])).unwrap();
    store.load_now();
    assert_eq!(store.snapshot().unwrap().len(), 1);
}

#[test]
fn readers_never_see_half() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfstate");
    let ids: Vec<String> = (0..500).map(|n| format!("vpc-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    fs::write(&path, state(1, "l", &ids)).unwrap();
    let store = store(vec![place(PlaceKind::File, &path)]);
    let lease = store.open();
    assert!(store.wait_first(Duration::from_secs(60)));
    for serial in 2..6 {
        // In place, as Terraform's local backend does: the loader may meet it empty or cut off.
        let text = state(serial, "l", &ids);
        let mut file = fs::File::create(&path).unwrap();
        for part in text.as_bytes().chunks(4096) {
            file.write_all(part).unwrap();
            file.flush().unwrap();
            let snapshot = store.snapshot().unwrap();
            assert_eq!(snapshot.len(), 500);
        }
        drop(file);
        until("the new serial", || store.snapshot().unwrap().states()[0].serial() == Some(serial));
    }
    drop(lease);
}

#[test]
fn the_last_lease_stops_the_thread() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfstate");
    fs::write(&path, state(1, "l", &["vpc-1"])).unwrap();
    let store = store(vec![place(PlaceKind::File, &path)]);
    let (first, second) = (store.open(), store.open());
    assert!(store.wait_first(Duration::from_secs(60)));
    drop(first);
    fs::write(&path, state(2, "l", &["vpc-2"])).unwrap();
    until("still polled", || store.snapshot().unwrap().find_any("vpc-2").count() == 1);
    drop(second);
    let rounds = store.status().rounds;
    fs::write(&path, state(3, "l", &["vpc-3"])).unwrap();
    assert_eq!(store.status().rounds, rounds);
    assert!(store.snapshot().is_some(), "the snapshot stays");
    let _again = store.open();
    until("polled again", || store.snapshot().unwrap().find_any("vpc-3").count() == 1);
}

#[test]
fn one_store_per_configuration() {
    let places = vec![Place::new(PlaceKind::File, "/nonexistent/registry.tfstate")];
    let one = shared(&config(places.clone()), &IndexPlan::new()).unwrap();
    let same = shared(&config(places.clone()), &IndexPlan::new()).unwrap();
    assert!(Arc::ptr_eq(&one, &same));
    let mut plan = IndexPlan::new();
    plan.add("aws_vpc", "name");
    assert!(!Arc::ptr_eq(&one, &shared(&config(places.clone()), &plan).unwrap()));
    drop((one, same));
    let mut other = config(places);
    other.mask_names.push("x".to_owned());
    assert!(shared(&other, &IndexPlan::new()).unwrap().snapshot().is_none());
}

#[test]
fn wrong_settings_are_told_at_once() {
    let error =
        |place: Place| StateStore::new(config(vec![place]), IndexPlan::new()).unwrap_err().to_string();
    assert!(
        error(Place::new(PlaceKind::File, json!({"path": "x"})))
            .starts_with("state.places[0].file: takes a path")
    );
    assert!(error(Place::new(PlaceKind::File, "a***b")).contains("is no pattern"));
    let parsed: Result<StateConfig, _> =
        serde_json::from_value(json!({"places": [], "pol_interval_secs": 1}));
    assert!(parsed.is_err());
}

#[test]
fn the_configuration_tells_where_a_resource_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terraform.tfstate");
    fs::write(&path, state(1, "l", &["vpc-1"])).unwrap();
    let main = dir.path().join("main.tf");
    fs::write(&main, "\nresource \"aws_vpc\" \"v\" {\n  lifecycle { ignore_changes = [tags] }\n}\n").unwrap();
    let mut config = config(vec![place(PlaceKind::File, &path)]);
    config.config.push(dir.path().to_str().unwrap().to_owned());
    let store = StateStore::new(config, IndexPlan::new()).unwrap();
    assert_eq!(store.load_now().configured, 1);
    let source = |snapshot: &Snapshot| {
        let resource = snapshot.resource(snapshot.find_any("vpc-1").next().unwrap()).unwrap();
        let configured = resource.configured().unwrap();
        assert_eq!(configured.ignore_changes, ["tags", "tags_all"]);
        configured.source.clone()
    };
    let before = store.snapshot().unwrap();
    assert_eq!(source(&before), format!("{}:2", main.display()));
    store.load_now();
    assert!(Arc::ptr_eq(&before, &store.snapshot().unwrap()), "nothing changed");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, format!("# more\n{text}")).unwrap();
    store.load_now();
    assert_eq!(source(&store.snapshot().unwrap()), format!("{}:3", main.display()));
    fs::write(&main, "resource {").unwrap();
    assert!(store.load_now().errors().next().unwrap().contains("main.tf: not valid HCL at line 1"));
}
