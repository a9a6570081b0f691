//! `gcs` against fake-gcs-server, which asks for no credentials: what a refusal looks like is in tests/web.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tfdrift_states::PlaceKind::{Auto, Gcs};

use crate::support::{Emulator, gzipped, has, loaded, state, store_of, wait};

/// A server with an empty bucket `states`.
struct Server {
    _server: Emulator,
    url: String,
}

impl Server {
    fn start() -> Option<Self> {
        let server = Emulator::start("gcs")?;
        let url = format!("http://127.0.0.1:{}", server.line.trim());
        let server = Self { _server: server, url };
        let bucket = reqwest::Client::new().post(format!("{}/storage/v1/b", server.url));
        send(bucket.header("content-type", "application/json").body("{\"name\":\"states\"}"));
        Some(server)
    }

    /// By the JSON API: the emulator does not know how to write by the XML one.
    fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let name = key.replace('/', "%2F");
        let url = format!("{}/upload/storage/v1/b/states/o?uploadType=media&name={name}", self.url);
        send(reqwest::Client::new().post(url).body(bytes.into()));
    }

    fn remove(&self, key: &str) {
        let name = key.replace('/', "%2F");
        send(reqwest::Client::new().delete(format!("{}/storage/v1/b/states/o/{name}", self.url)));
    }

    /// The keys of a backend, as Terraform wants them.
    fn backend(&self, prefix: &str) -> Value {
        json!({"bucket": "states", "prefix": prefix, "access_token": "any",
            "storage_custom_endpoint": format!("{}/storage/v1/", self.url)})
    }
}

fn send(request: reqwest::RequestBuilder) {
    let answer = wait(request.send()).unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[test]
fn a_prefix_with_its_workspaces_is_fetched_by_generation() {
    let Some(server) = Server::start() else { return };
    for (key, id) in [
        ("net/default.tfstate", "vpc-default"),
        ("net/dev.tfstate", "vpc-dev"),
        ("net/deep/x.tfstate", "vpc-deep"),
    ] {
        server.put(key, state(1, id));
    }
    server.put("net/dev.tflock", "{}");
    let store = store_of(Gcs, server.backend("net"), "");
    let name = |rest: &str| format!("gs://states/net/{rest}.tfstate");
    let both = [(name("default"), "default".to_owned()), (name("dev"), "dev".to_owned())];
    assert_eq!(loaded(&store), both);
    assert!(store.snapshot().unwrap().states().iter().all(|s| s.written_at_ns().is_some()));
    assert_eq!(store.load_now().loads, 2, "nothing changed, nothing is fetched");
    server.put("net/dev.tfstate", state(2, "vpc-dev2"));
    assert_eq!(store.load_now().loads, 3, "the one that changed");
    assert!(has(&store, "vpc-dev2") && has(&store, "vpc-default"));
    let dev = store_of(Gcs, server.backend("/net/"), "dev");
    assert_eq!(loaded(&dev), [(name("dev"), "dev".to_owned())]);
    server.remove("net/dev.tfstate");
    assert_eq!(loaded(&store).len(), 1);
}

#[test]
fn many_states_zipped_ones_and_a_bucket_that_is_not_there() {
    let Some(server) = Server::start() else { return };
    for n in 0..40 {
        server.put(&format!("teams/{n:02}/x.tfstate"), state(1, &format!("vpc-{n}")));
    }
    server.put("teams/zipped.tfstate.gz", gzipped(&state(1, "vpc-zipped")));
    let one = store_of(Gcs, server.backend("teams/zipped.tfstate.gz"), "");
    assert_eq!(loaded(&one).len(), 1);
    assert!(has(&one, "vpc-zipped"));
    let missing = store_of(Gcs, server.backend("teams/none.tfstate"), "").load_now();
    assert!(missing.errors().next().unwrap().contains("teams/none.tfstate: no such object"), "{missing:?}");
    let mut elsewhere = server.backend("teams");
    elsewhere["bucket"] = json!("nowhere");
    let missing = store_of(Gcs, elsewhere, "").load_now();
    assert!(missing.errors().next().unwrap().contains("gs://nowhere/teams"), "{missing:?}");
    for n in 0..40 {
        let store = store_of(Gcs, server.backend(&format!("teams/{n:02}")), "");
        loaded(&store);
        assert!(has(&store, &format!("vpc-{n}")));
    }
}

/// What Terraform itself wrote, read by the backend that it noted.
#[test]
fn a_backend_that_terraform_wrote_to() {
    let Some(server) = Server::start() else { return };
    if let Err(error) = Command::new("terraform").arg("version").output() {
        println!("skipped: terraform: {error}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let configuration = format!(
        "terraform {{\n  backend \"gcs\" {{\n    bucket = \"states\"\n    prefix = \"app\"\n    access_token = \"any\"\n    \
         storage_custom_endpoint = \"{}/storage/v1/\"\n  }}\n}}\nresource \"terraform_data\" \"a\" {{ input = terraform.workspace }}\n",
        server.url
    );
    std::fs::write(folder.join("main.tf"), configuration).unwrap();
    terraform(folder, &["init"]);
    terraform(folder, &["apply", "-auto-approve"]);
    let auto = store_of(Auto, json!(folder.to_str().unwrap()), "");
    let name = |workspace: &str| format!("gs://states/app/{workspace}.tfstate");
    assert_eq!(loaded(&auto), [(name("default"), "default".to_owned())]);
    terraform(folder, &["workspace", "new", "dev"]);
    terraform(folder, &["apply", "-auto-approve"]);
    assert_eq!(loaded(&auto), [(name("dev"), "dev".to_owned())], "auto follows the selected workspace");
    let both = store_of(Gcs, server.backend("app"), "");
    assert_eq!(loaded(&both), [(name("default"), "default".to_owned()), (name("dev"), "dev".to_owned())]);
    assert!(both.snapshot().unwrap().states().iter().all(|s| s.len() == 1));
}

fn terraform(folder: &Path, arguments: &[&str]) {
    let done = Command::new("terraform")
        .args(arguments)
        .args(if arguments[0] == "workspace" { &["-no-color"][..] } else { &["-no-color", "-input=false"] })
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env("HOME", folder)
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "terraform {arguments:?}: {}{}", said(&done.stdout), said(&done.stderr));
}
