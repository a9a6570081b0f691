//! Places reached by HTTP, against servers on the loopback. `http` needs no more than that; for HCP Terraform
//! these are protocol tests, and for Google Cloud Storage and Azure those of what their emulators (tests/emulators) do not do:
//! the server answers as their documentation says.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

mod server;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use server::{Answer, serve};
use tfdrift_states::{Place, PlaceKind, StateConfig, StateStore};
use tfdrift_tfstate::IndexPlan;

fn state(serial: u64, id: &str) -> String {
    json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": id}}]}]})
    .to_string()
}

fn store_of(place: Place) -> Arc<StateStore> {
    let config = StateConfig { places: vec![place], ..StateConfig::default() };
    Arc::new(StateStore::new(config, IndexPlan::new()).unwrap())
}

fn store(kind: PlaceKind, target: impl Into<Value>) -> Arc<StateStore> {
    store_of(Place::new(kind, target))
}

fn names(store: &StateStore) -> Vec<String> {
    store.snapshot().unwrap().states().iter().map(|s| s.name().to_owned()).collect()
}

fn first_error(store: &StateStore) -> String {
    store.load_now().errors().next().unwrap_or("no error").to_owned()
}

#[test]
fn http_with_password_and_etag() {
    let current = Arc::new(Mutex::new((state(1, "vpc-1"), "\"1\"")));
    let served = current.clone();
    let (address, seen) = serve(move |request| {
        // alice:hunter2
        if request.headers.get("authorization").map(String::as_str) != Some("Basic YWxpY2U6aHVudGVyMg==") {
            return Answer::new(401, "");
        }
        let (text, etag) = served.lock().unwrap().clone();
        if request.headers.get("if-none-match").map(String::as_str) == Some(etag) {
            return Answer::new(304, "");
        }
        Answer::new(200, text).with("ETag", etag).with("Last-Modified", "Mon, 02 Nov 2026 19:30:22 GMT")
    });
    let url = format!("http://{address}/api/v4/projects/1/terraform/state/prod");
    let target = json!({"address": url, "username": "alice", "password": "hunter2", "lock_address": "x", "retry_max": 2});
    let store1 = store(PlaceKind::Http, target);
    assert_eq!(store1.load_now().errors().count(), 0);
    assert_eq!(names(&store1), [url.as_str()]);
    let one = store1.snapshot().unwrap();
    assert_eq!(one.states()[0].written_at_ns(), Some(1_793_647_822_000_000_000));
    assert_eq!(store1.load_now().loads, 1, "304: nothing new");
    assert!(seen.lock().unwrap()[1].headers.contains_key("if-none-match"));
    *current.lock().unwrap() = (state(2, "vpc-2"), "\"2\"");
    store1.load_now();
    assert_eq!(store1.snapshot().unwrap().find_any("vpc-2").count(), 1);

    let store2 = store(PlaceKind::Http, format!("http://alice:hunter2@{address}/x?token=secret"));
    assert_eq!(store2.load_now().errors().count(), 0);
    assert_eq!(names(&store2), [format!("http://{address}/x")], "neither password nor query");
    let error = first_error(&store(PlaceKind::Http, format!("http://alice:wrong@{address}/x")));
    assert!(error.contains("refused (401)") && !error.contains("wrong"), "{error}");
}

#[test]
fn http_that_fails_keeps_what_was_there() {
    let status = Arc::new(Mutex::new(200));
    let served = status.clone();
    let (address, _) = serve(move |_| {
        let status = *served.lock().unwrap();
        Answer::new(status, if status == 200 { state(1, "vpc-1") } else { "oops".to_owned() })
    });
    let store1 = store(PlaceKind::Http, format!("http://{address}/s"));
    store1.load_now();
    for (code, part) in [(404, "no state there (404)"), (204, "no state there yet"), (500, "answered 500")] {
        *status.lock().unwrap() = code;
        let error = first_error(&store1);
        assert!(error.contains(part), "{error}");
        assert_eq!(store1.snapshot().unwrap().find_any("vpc-1").count(), 1);
    }
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = first_error(&store(PlaceKind::Http, format!("http://{free}/s")));
    assert!(error.contains("cannot be reached"), "{error}");
}

/// An organisation with the workspaces `net` (2 versions, one after the other), `app` and `new` (no state).
fn hcp(version: Arc<Mutex<&'static str>>) -> (String, Arc<Mutex<Vec<server::Request>>>) {
    let own = Arc::new(Mutex::new(String::new()));
    let host = own.clone();
    let (address, seen) = serve(move |request| {
        let host = host.lock().unwrap().clone();
        if request.headers.get("authorization").map(String::as_str) != Some("Bearer t0ken") {
            return Answer::new(401, "{\"errors\":[]}");
        }
        let workspace = |name: &str, version: Option<&str>| {
            let data = version.map(|id| json!({"id": id, "type": "state-versions"}));
            json!({"id": format!("ws-{name}"), "type": "workspaces", "attributes": {"name": name},
                "relationships": {"current-state-version": {"data": data}}})
        };
        let net = *version.lock().unwrap();
        let answer = match request.target.split('?').next().unwrap() {
            "/api/v2/organizations/acme/workspaces" => {
                if request.target.contains("search%5Btags%5D=prod") {
                    json!({"data": [workspace("net", Some(net))]})
                } else {
                    json!({"data": [workspace("net", Some(net)), workspace("app", Some("sv-app")), workspace("new", None)]})
                }
            }
            "/api/v2/organizations/acme/workspaces/net" => json!({"data": workspace("net", Some(net))}),
            "/api/v2/organizations/acme/workspaces/new" => json!({"data": workspace("new", None)}),
            path if path.starts_with("/api/v2/state-versions/") => {
                let id = path.rsplit('/').next().unwrap();
                json!({"data": {"id": id, "attributes": {"created-at": "2026-11-02T19:30:22.000Z", "serial": 3,
                    "hosted-state-download-url": format!("http://{host}/download/{id}")}}})
            }
            path if path.starts_with("/download/") => {
                return Answer::new(200, state(3, &format!("vpc-{}", path.rsplit('/').next().unwrap())));
            }
            _ => return Answer::new(404, "{}"),
        };
        Answer::new(200, answer.to_string()).with("content-type", "application/vnd.api+json")
    });
    *own.lock().unwrap() = address.clone();
    (address, seen)
}

#[test]
fn hcp_one_workspace_all_and_by_tag() {
    let version = Arc::new(Mutex::new("sv-1"));
    let (address, seen) = hcp(version.clone());
    let target = |workspaces: Value| json!({"hostname": format!("http://{address}"), "organization": "acme", "token": "t0ken", "workspaces": workspaces});
    let one = store(PlaceKind::Hcp, target(json!({"name": "net"})));
    assert_eq!(one.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(names(&one), ["hcp://127.0.0.1/acme/net"]);
    let snapshot = one.snapshot().unwrap();
    assert_eq!((snapshot.states()[0].workspace(), snapshot.find_any("vpc-sv-1").count()), (Some("net"), 1));
    assert_eq!(snapshot.states()[0].written_at_ns(), Some(1_793_647_822_000_000_000));
    let asked = seen.lock().unwrap().len();
    one.load_now();
    assert_eq!(seen.lock().unwrap().len(), asked + 1, "an unchanged version is not fetched");
    *version.lock().unwrap() = "sv-2";
    one.load_now();
    assert_eq!(one.snapshot().unwrap().find_any("vpc-sv-2").count(), 1);

    let all = store(PlaceKind::Hcp, target(Value::Null));
    all.load_now();
    assert_eq!(names(&all), ["hcp://127.0.0.1/acme/app", "hcp://127.0.0.1/acme/net"]);
    let tagged = store(PlaceKind::Hcp, target(json!({"tags": ["prod"]})));
    tagged.load_now();
    assert_eq!(names(&tagged), ["hcp://127.0.0.1/acme/net"]);
}

#[test]
fn hcp_refusals() {
    let (address, _) = hcp(Arc::new(Mutex::new("sv-1")));
    let error = |workspace: &str, token: &str| {
        first_error(&store(
            PlaceKind::Hcp,
            json!({"hostname": format!("http://{address}"), "organization": "acme", "token": token,
            "workspaces": {"name": workspace}}),
        ))
    };
    assert!(error("net", "wrong").contains("terraform login"), "{}", error("net", "wrong"));
    assert!(error("none", "t0ken").contains("404"));
    assert!(error("new", "t0ken").contains("no state yet"));
    let refused = StateStore::new(
        StateConfig {
            places: vec![Place::new(
                PlaceKind::Hcp,
                json!({"hostname": "http://tfe.example.com", "organization": "a"}),
            )],
            ..StateConfig::default()
        },
        IndexPlan::new(),
    );
    assert!(refused.unwrap_err().to_string().contains("https"), "a token in clear");
}

/// A part of a URL without percent signs.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap() as char);
        out.push_str(&part[2..]);
    }
    out
}

/// Objects by key, as the XML API of GCS gives them.
fn gcs() -> String {
    let keys = ["net/default.tfstate", "net/dev.tfstate", "net/dev.tflock", "net/deep/x.tfstate"];
    serve(move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if path == "/bucket" || path == "/bucket/" {
            let prefix = query.split('&').find_map(|p| p.strip_prefix("prefix=")).map(decoded).unwrap_or_default();
            let contents: String = keys
                .iter()
                .filter(|k| k.starts_with(&prefix))
                .map(|k| format!("<Contents><Key>{k}</Key><LastModified>2026-11-02T19:30:22.000Z</LastModified><ETag>\"e-{k}\"</ETag><Size>10</Size></Contents>"))
                .collect();
            return Answer::new(200, format!("<?xml version='1.0'?><ListBucketResult><Name>bucket</Name>{contents}</ListBucketResult>"));
        }
        let key = decoded(path.trim_start_matches("/bucket/"));
        if keys.contains(&&*key) {
            return Answer::new(200, state(1, &format!("vpc-{}", key.replace('/', "-"))))
                .with("ETag", format!("\"e-{key}\""))
                .with("Last-Modified", "Mon, 02 Nov 2026 19:30:22 GMT");
        }
        Answer::new(404, "")
    })
    .0
}

#[test]
fn gcs_backend_and_prefix() {
    let address = gcs();
    let credentials = json!({"gcs_base_url": format!("http://{address}"), "disable_oauth": true, "client_email": "",
        "private_key": "", "private_key_id": ""});
    let target = json!({"bucket": "bucket", "prefix": "net", "credentials": credentials.to_string(),
        "storage_custom_endpoint": format!("http://{address}")});
    let backend = store(PlaceKind::Gcs, target.clone());
    assert_eq!(backend.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(names(&backend), ["gs://bucket/net/default.tfstate", "gs://bucket/net/dev.tfstate"]);
    let snapshot = backend.snapshot().unwrap();
    let workspaces: Vec<_> = snapshot.states().iter().map(|s| s.workspace()).collect();
    assert_eq!(workspaces, [Some("default"), Some("dev")]);
    assert_eq!(snapshot.states()[0].written_at_ns(), Some(1_793_647_822_000_000_000));
    assert_eq!(backend.load_now().loads, 2, "unchanged");
    let mut place = Place::new(PlaceKind::Gcs, target);
    place.workspace = "dev".to_owned();
    let dev = store_of(place);
    dev.load_now();
    assert_eq!(names(&dev), ["gs://bucket/net/dev.tfstate"]);
}

/// Blobs by name, as the Blob service gives them.
fn azure() -> String {
    let keys = ["net/prod.tfstate", "net/prod.tfstateenv:dev", "net/other.tfstate"];
    serve(move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if !request.headers.contains_key("authorization") {
            return Answer::new(403, "");
        }
        if query.contains("comp=list") {
            let blobs: String = keys
                .iter()
                .map(|k| format!("<Blob><Name>{k}</Name><Properties><Last-Modified>Mon, 02 Nov 2026 19:30:22 GMT</Last-Modified><Content-Length>10</Content-Length><Content-Type>application/json</Content-Type><Etag>\"e-{k}\"</Etag></Properties></Blob>"))
                .collect();
            return Answer::new(200, format!("<?xml version='1.0'?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"));
        }
        let key = decoded(path.trim_start_matches("/acct/states/"));
        if keys.contains(&&*key) {
            return Answer::new(200, state(1, &format!("vpc-{}", key.replace(['/', ':'], "-"))))
                .with("ETag", format!("\"e-{key}\""))
                .with("Last-Modified", "Mon, 02 Nov 2026 19:30:22 GMT");
        }
        Answer::new(404, "")
    })
    .0
}

#[test]
fn azurerm_key_with_its_workspaces() {
    let address = azure();
    let target = json!({"storage_account_name": "acct", "container_name": "states", "key": "net/prod.tfstate",
        "access_key": "c2VjcmV0", "blob_endpoint": format!("http://{address}/acct"), "resource_group_name": "rg"});
    let backend = store(PlaceKind::Azurerm, target.clone());
    assert_eq!(backend.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    let snapshot = backend.snapshot().unwrap();
    let workspaces: Vec<_> = snapshot.states().iter().map(|s| s.workspace()).collect();
    assert_eq!(workspaces, [Some("default"), Some("dev")]);
    assert_eq!(names(&backend)[0], "azurerm://acct/states/net/prod.tfstate");
    let mut missing = target;
    missing["key"] = json!("net/none.tfstate");
    assert!(first_error(&store(PlaceKind::Azurerm, missing)).contains("no such object"));
}

#[test]
fn auto_follows_the_backend_that_init_noted() {
    let (address, _) = serve(|_| Answer::new(200, state(1, "vpc-http")));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let auto = store(PlaceKind::Auto, folder.to_str().unwrap());
    assert!(first_error(&auto).contains("terraform init"));
    write("terraform.tfstate", &state(1, "vpc-local"));
    write("terraform.tfstate.d/dev/terraform.tfstate", &state(1, "vpc-dev"));
    auto.load_now();
    let has = |id: &str| auto.snapshot().unwrap().find_any(id).count() == 1;
    assert!(has("vpc-local") && !has("vpc-dev"));
    write(".terraform/environment", "dev");
    auto.load_now();
    assert!(has("vpc-dev") && !has("vpc-local"));
    let noted = json!({"version": 3, "terraform_version": "1.11.4", "backend": {"type": "http", "hash": 1,
        "config": {"address": format!("http://{address}/s"), "lock_address": null, "password": null, "retry_max": null}}});
    write(".terraform/terraform.tfstate", &noted.to_string());
    assert_eq!(auto.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    assert!(has("vpc-http"));
    write(".terraform/terraform.tfstate", &noted.to_string().replace("\"http\"", "\"consul\""));
    assert!(first_error(&auto).contains("terraform state pull"));
}
