//! S3 places, against s3s: a real S3 server in this process.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tfdrift_aws::AwsConfig;
use tfdrift_states::{Place, PlaceKind, StateConfig, StateStore};
use tfdrift_tfstate::IndexPlan;

/// A server over a folder: its buckets are the folders in it.
struct Server {
    dir: tempfile::TempDir,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut builder = s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(dir.path()).unwrap());
        builder.set_auth(s3s::auth::SimpleAuth::from_single("test", "test"));
        let service = builder.build();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { dir, url, _runtime: runtime }
    }

    fn put(&self, bucket: &str, key: &str, text: &str) {
        let path = self.dir.path().join(bucket).join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn remove(&self, bucket: &str, key: &str) {
        std::fs::remove_file(self.dir.path().join(bucket).join(key)).unwrap();
    }

    fn store(&self, target: serde_json::Value, workspace: &str) -> Arc<StateStore> {
        self.named(target, workspace, "")
    }

    fn named(&self, target: serde_json::Value, workspace: &str, name: &str) -> Arc<StateStore> {
        let credentials = self.dir.path().join("credentials");
        std::fs::write(&credentials, "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
            .unwrap();
        let aws = AwsConfig {
            chain: vec![tfdrift_aws::Link::Profile].into(),
            credentials: credentials.to_str().unwrap().to_owned(),
            config: self.dir.path().join("none").to_str().unwrap().to_owned(),
            region: "us-east-1".to_owned(),
            endpoint_url: self.url.clone(),
            path_style: true,
            ..AwsConfig::default()
        };
        let mut place = Place::new(PlaceKind::S3, target);
        place.workspace = workspace.to_owned();
        place.name = name.to_owned();
        let config = StateConfig { places: vec![place], aws, ..StateConfig::default() };
        Arc::new(StateStore::new(config, IndexPlan::new()).unwrap())
    }
}

fn state(serial: u64, id: &str) -> String {
    json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": id}}]}]})
    .to_string()
}

fn names(store: &StateStore) -> Vec<String> {
    store.snapshot().unwrap().states().iter().map(|s| s.name().to_owned()).collect()
}

#[test]
fn a_backends_key_with_its_workspaces() {
    let server = Server::start();
    server.put("states", "net/terraform.tfstate", &state(1, "vpc-default"));
    server.put("states", "env:/dev/net/terraform.tfstate", &state(1, "vpc-dev"));
    server.put("states", "env:/dev/other/terraform.tfstate", &state(1, "vpc-other"));
    server.put("states", "net/terraform.tfstate.tflock", "{}");
    let target = json!({"bucket": "states", "key": "net/terraform.tfstate", "region": "us-east-1", "dynamodb_table": "locks"});

    let all = server.store(target.clone(), "");
    let status = all.load_now();
    assert_eq!(status.errors().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(
        names(&all),
        ["s3://states/env:/dev/net/terraform.tfstate", "s3://states/net/terraform.tfstate"]
    );
    let snapshot = all.snapshot().unwrap();
    let workspaces: Vec<_> = snapshot.states().iter().map(|s| s.workspace()).collect();
    assert_eq!(workspaces, [Some("dev"), Some("default")]);
    assert!(snapshot.states().iter().all(|s| s.written_at_ns().is_some()));

    let named = server.named(target.clone(), "", "net");
    named.load_now();
    assert_eq!(names(&named), ["net/dev", "net"]);

    for (workspace, id) in [("dev", "vpc-dev"), ("default", "vpc-default")] {
        let one = server.store(target.clone(), workspace);
        assert_eq!(one.load_now().errors().count(), 0);
        let snapshot = one.snapshot().unwrap();
        assert_eq!((snapshot.len(), snapshot.find_any(id).count()), (1, 1));
    }
}

#[test]
fn prefixes_and_patterns() {
    let server = Server::start();
    for key in ["a/terraform.tfstate", "b/c/net.tfstate", "b/odd-name"] {
        server.put("states", key, &state(1, key));
    }
    server.put("states", "a/terraform.tfstate.tflock", "{}");
    server.put("states", "a/readme.txt", "no state");
    let store = server.store(json!("s3://states/"), "");
    assert_eq!(store.load_now().errors().count(), 0);
    assert_eq!(names(&store), ["s3://states/a/terraform.tfstate", "s3://states/b/c/net.tfstate"]);
    let store = server.store(json!({"bucket": "states", "prefix": "b/"}), "");
    store.load_now();
    assert_eq!(names(&store), ["s3://states/b/c/net.tfstate"]);
    let store = server.store(json!("s3://states/*/odd-*"), "");
    store.load_now();
    assert_eq!(names(&store), ["s3://states/b/odd-name"]);
}

#[test]
fn only_what_changed_is_fetched_and_nothing_good_is_lost() {
    let server = Server::start();
    server.put("states", "a.tfstate", &state(1, "vpc-a"));
    server.put("states", "b.tfstate", &state(1, "vpc-b"));
    let store = server.store(json!("s3://states/"), "");
    store.load_now();
    let before = store.snapshot().unwrap();
    server.put("states", "b.tfstate", &state(2, "vpc-b2"));
    let status = store.load_now();
    let after = store.snapshot().unwrap();
    assert!(Arc::ptr_eq(&before.states()[0], &after.states()[0]));
    assert_eq!((status.loads, after.find_any("vpc-b2").count()), (3, 1));

    let one = server.store(json!("s3://states/a.tfstate"), "default");
    one.load_now();
    server.remove("states", "a.tfstate");
    let status = one.load_now();
    assert!(status.errors().next().unwrap().contains("s3://states/a.tfstate"), "{status:?}");
    assert_eq!(one.snapshot().unwrap().find_any("vpc-a").count(), 1, "the last good one stays");
}

#[test]
fn a_missing_bucket_says_what_to_do() {
    let server = Server::start();
    let store = server.store(json!("s3://nowhere/a.tfstate"), "");
    let status = store.load_now();
    let error = status.errors().next().unwrap();
    assert!(error.contains("s3://nowhere/"), "{error}");
    assert!(store.snapshot().is_none());
    assert!(status.places[0].detail.is_some());
}
