//! `azurerm` against Azurite.

use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use serde_json::{Value, json};
use tfdrift_states::PlaceKind::Azurerm;

use crate::support::{Emulator, gzipped, has, loaded, put, remove, state, store_of};

/// A server, what it said of itself, and a client that may write.
struct Azurite {
    _server: Emulator,
    said: Value,
    url: String,
    client: MicrosoftAzure,
}

impl Azurite {
    fn start() -> Option<Self> {
        let server = Emulator::start("azurite")?;
        let said: Value = serde_json::from_str(&server.line).unwrap();
        let (account, key) = (said["account"].as_str().unwrap(), said["key"].as_str().unwrap());
        let url = format!("http://127.0.0.1:{}/{account}", said["port"]);
        let client = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_access_key(key)
            .with_container_name("states")
            .with_endpoint(url.clone())
            .with_allow_http(true)
            .build()
            .unwrap();
        Some(Self { _server: server, said, url, client })
    }

    /// The keys of a backend, with the account's key.
    fn backend(&self, key: &str) -> Value {
        json!({"storage_account_name": self.said["account"], "container_name": "states", "key": key,
            "access_key": self.said["key"], "blob_endpoint": self.url, "resource_group_name": "rg", "use_azuread_auth": false})
    }

    /// The same with a SAS token in place of the key.
    fn with_sas(&self, key: &str, which: &str) -> Value {
        let mut target = self.backend(key);
        target["access_key"] = Value::Null;
        target["sas_token"] = self.said[which].clone();
        target
    }
}

#[test]
fn a_key_with_its_workspaces() {
    let Some(azurite) = Azurite::start() else { return };
    for (key, id) in [
        ("net/prod.tfstate", "vpc-default"),
        ("net/prod.tfstateenv:dev", "vpc-dev"),
        ("net/other.tfstate", "vpc-o"),
    ] {
        put(&azurite.client, key, state(1, id));
    }
    let all = store_of(Azurerm, azurite.backend("net/prod.tfstate"), "");
    let name = |rest: &str| format!("azurerm://devstoreaccount1/states/net/prod.tfstate{rest}");
    assert_eq!(loaded(&all), [(name(""), "default".into()), (name("env:dev"), "dev".into())]);
    assert!(all.snapshot().unwrap().states().iter().all(|s| s.written_at_ns().is_some()));
    let dev = store_of(Azurerm, azurite.backend("net/prod.tfstate"), "dev");
    assert_eq!(loaded(&dev), [(name("env:dev"), "dev".into())]);
    assert!(has(&dev, "vpc-dev"));
}

#[test]
fn a_prefix_of_many_states_is_fetched_by_etag() {
    let Some(azurite) = Azurite::start() else { return };
    for n in 0..40 {
        put(&azurite.client, &format!("teams/{n:02}/x.tfstate"), state(1, &format!("vpc-{n}")));
    }
    put(&azurite.client, "teams/zipped.tfstate.gz", gzipped(&state(1, "vpc-zipped")));
    put(&azurite.client, "teams/readme.txt", "no state");
    put(&azurite.client, "elsewhere.tfstate", state(1, "vpc-elsewhere"));
    let store = store_of(Azurerm, azurite.backend("teams/"), "");
    assert_eq!(loaded(&store).len(), 41);
    assert!(has(&store, "vpc-39") && has(&store, "vpc-zipped") && !has(&store, "vpc-elsewhere"));
    assert_eq!(store.load_now().loads, 41, "nothing changed, nothing is fetched");
    let before = store.snapshot().unwrap();
    put(&azurite.client, "teams/07/x.tfstate", state(2, "vpc-7b"));
    assert_eq!(store.load_now().loads, 42, "the one that changed");
    assert!(has(&store, "vpc-7b") && !has(&store, "vpc-7"));
    let after = store.snapshot().unwrap();
    let shared = before.states().iter().zip(after.states()).filter(|(a, b)| std::sync::Arc::ptr_eq(a, b));
    assert_eq!(shared.count(), 40);
    remove(&azurite.client, "teams/07/x.tfstate");
    assert_eq!(loaded(&store).len(), 40);
}

#[test]
fn keys_and_tokens_that_work_and_that_do_not() {
    let Some(azurite) = Azurite::start() else { return };
    put(&azurite.client, "a.tfstate", state(1, "vpc-a"));
    let error =
        |target: Value| store_of(Azurerm, target, "").load_now().errors().next().unwrap_or("none").to_owned();

    assert_eq!(loaded(&store_of(Azurerm, azurite.with_sas("a.tfstate", "sas"), "")).len(), 1);
    let missing = error(azurite.backend("b.tfstate"));
    assert!(missing.contains("states/b.tfstate: no such object"), "{missing}");
    let mut elsewhere = azurite.backend("a.tfstate");
    elsewhere["container_name"] = json!("nowhere");
    assert!(error(elsewhere.clone()).contains("no such bucket, container or object"), "{}", error(elsewhere));
    let mut wrong = azurite.backend("a.tfstate");
    wrong["access_key"] = json!("c2VjcmV0LWtleQ==");
    for target in
        [wrong, azurite.with_sas("a.tfstate", "expired_sas"), azurite.with_sas("a.tfstate", "read_only_sas")]
    {
        let error = error(target);
        assert!(error.contains("refused; ") && error.contains("Storage Blob Data Reader"), "{error}");
        assert!(!error.contains("sig=") && !error.contains("c2VjcmV0"), "{error}");
    }
}

#[test]
fn what_was_read_stays_when_the_server_goes() {
    let Some(azurite) = Azurite::start() else { return };
    put(&azurite.client, "a.tfstate", state(1, "vpc-a"));
    let store = store_of(Azurerm, azurite.backend("a.tfstate"), "");
    loaded(&store);
    put(&azurite.client, "a.tfstate", "{\"version\": 4, \"resou");
    let status = store.load_now();
    assert!(status.errors().next().unwrap().contains("a.tfstate"), "{status:?}");
    assert!(has(&store, "vpc-a"), "a broken state does not replace a good one");
    put(&azurite.client, "a.tfstate", state(2, "vpc-a2"));
    loaded(&store);
    assert!(has(&store, "vpc-a2"));
    remove(&azurite.client, "a.tfstate");
    assert!(store.load_now().errors().next().unwrap().contains("no such object"));
    assert!(has(&store, "vpc-a2"));
}
