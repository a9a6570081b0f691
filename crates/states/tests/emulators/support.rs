//! An emulator as a process, and what the tests of both share.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use tfdrift_states::{Place, PlaceKind, StateConfig, StateStore};
use tfdrift_tfstate::IndexPlan;

/// A running emulator; it ends when this is dropped, or when the test program ends however it does.
pub struct Emulator {
    child: Child,
    /// What it printed when it was ready.
    pub line: String,
}

impl Emulator {
    /// Starts the one that tests/emulators.sh knows by this name. `None` where it cannot be had here, which is said.
    pub fn start(name: &str) -> Option<Self> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/emulators.sh");
        let setup = Command::new(script).arg(name).output().unwrap();
        if !setup.status.success() {
            println!("skipped: {}", String::from_utf8_lossy(&setup.stderr).trim());
            return None;
        }
        let words = String::from_utf8(setup.stdout).unwrap();
        let mut words = words.lines();
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{name} did not start; what it says stands above");
        Some(Self { child, line })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs something asynchronous to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn put(store: &dyn ObjectStore, key: &str, bytes: impl Into<Vec<u8>>) {
    wait(store.put(&Path::from(key), bytes.into().into())).unwrap();
}

pub fn remove(store: &dyn ObjectStore, key: &str) {
    wait(store.delete(&Path::from(key))).unwrap();
}

pub fn state(serial: u64, id: &str) -> String {
    json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": id}}]}]})
    .to_string()
}

pub fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A store with one place.
pub fn store_of(kind: PlaceKind, target: Value, workspace: &str) -> Arc<StateStore> {
    let mut place = Place::new(kind, target);
    place.workspace = workspace.to_owned();
    let config = StateConfig { places: vec![place], ..StateConfig::default() };
    Arc::new(StateStore::new(config, IndexPlan::new()).unwrap())
}

/// The name and workspace of every state of a store that loads without an error.
pub fn loaded(store: &StateStore) -> Vec<(String, String)> {
    assert_eq!(store.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    let snapshot = store.snapshot().unwrap();
    let states = snapshot.states().iter();
    states.map(|s| (s.name().to_owned(), s.workspace().unwrap_or("-").to_owned())).collect()
}

/// Whether the snapshot has a resource of this id.
pub fn has(store: &StateStore, id: &str) -> bool {
    store.snapshot().unwrap().find_any(id).count() == 1
}
