//! A versioned bucket in moto, whose objects are written at times that the test chooses, behind a proxy that may refuse.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use tfdrift_aws::aws_sdk_s3::Client;
use tfdrift_aws::aws_sdk_s3::primitives::ByteStream;
use tfdrift_aws::aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption, VersioningConfiguration};
use tfdrift_aws::{Aws, AwsConfig, Link};
use tfdrift_states::{Place, PlaceKind, StateConfig, StateStore};
use tfdrift_tfstate::{IndexPlan, Snapshot};

use crate::http::{Request, Response, Server};
use crate::moto::Moto;

/// Pages are so small that every longer list has several.
const PAGE: &str = "3";

/// One server for all tests, and whoever sets its clock holds it.
fn moto() -> Option<&'static (String, Mutex<Moto>)> {
    static MOTO: OnceLock<Option<(String, Mutex<Moto>)>> = OnceLock::new();
    let start = || match Moto::start_with(&[("MOTO_S3_DEFAULT_MAX_KEYS", PAGE)]) {
        Ok(moto) => Some((moto.url.clone(), Mutex::new(moto))),
        Err(why) => {
            println!("skipped: moto cannot be set up here: {why}");
            None
        }
    };
    MOTO.get_or_init(start).as_ref()
}

/// What the proxy answers instead of the server; none lets the call through.
type Refuse = Box<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

pub struct Bucket {
    pub name: String,
    pub proxy: Server,
    refuse: Arc<Mutex<Option<Refuse>>>,
    folder: tempfile::TempDir,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Bucket {
    /// A bucket of that name without versioning; none where moto cannot be had.
    pub fn plain(name: &str) -> Option<Bucket> {
        let (url, _) = moto()?;
        let refuse: Arc<Mutex<Option<Refuse>>> = Arc::default();
        let rule = refuse.clone();
        let proxy = Server::start(move |request| {
            let refused = rule.lock().unwrap().as_ref().and_then(|refuse| refuse(request));
            refused.unwrap_or_else(|| forward(url, request))
        });
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let aws = runtime.block_on(Aws::connect(&aws(folder.path(), url))).unwrap();
        let client = aws.s3_in("us-east-1");
        runtime.block_on(client.create_bucket().bucket(name).send()).unwrap();
        Some(Bucket { name: name.to_owned(), proxy, refuse, folder, client, runtime })
    }

    /// A bucket of that name with versioning.
    pub fn versioned(name: &str) -> Option<Bucket> {
        let bucket = Bucket::plain(name)?;
        bucket.switch_versioning_on();
        Some(bucket)
    }

    pub fn switch_versioning_on(&self) {
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let call = self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(on);
        self.runtime.block_on(call.send()).unwrap();
    }

    /// Writes an object at a time; gives its version.
    pub fn put(&self, time: &str, key: &str, text: &str) -> String {
        let call = self.client.put_object().bucket(&self.name).key(key);
        let call = call.body(ByteStream::from(text.as_bytes().to_vec()));
        let put = self.at(time, call.send()).unwrap();
        put.version_id().unwrap_or("null").to_owned()
    }

    /// Writes an object under a KMS key.
    pub fn put_encrypted(&self, key: &str, text: &str, kms_key: &str) {
        let call = self.client.put_object().bucket(&self.name).key(key);
        let call = call.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(kms_key);
        self.runtime.block_on(call.body(ByteStream::from(text.as_bytes().to_vec())).send()).unwrap();
    }

    /// Deletes an object at a time: its versions stay.
    pub fn delete(&self, time: &str, key: &str) {
        self.at(time, self.client.delete_object().bucket(&self.name).key(key).send()).unwrap();
    }

    /// Deletes one version, as a lifecycle rule does.
    pub fn expire(&self, key: &str, version: &str) {
        let call = self.client.delete_object().bucket(&self.name).key(key).version_id(version);
        self.runtime.block_on(call.send()).unwrap();
    }

    fn at<T>(&self, time: &str, call: impl Future<Output = T>) -> T {
        let mut moto = moto().unwrap().1.lock().unwrap();
        moto.clock(&format!("2026-11-02T{time}"));
        let done = self.runtime.block_on(call);
        moto.clock("");
        done
    }

    /// From now on the proxy refuses what `refuse` gives an answer for.
    pub fn refuse(&self, refuse: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) {
        *self.refuse.lock().unwrap() = Some(Box::new(refuse));
    }

    pub fn allow_all(&self) {
        *self.refuse.lock().unwrap() = None;
    }

    /// Calls since the last time, of those that hold `what`.
    pub fn calls(&self, what: &str) -> usize {
        let seen = std::mem::take(&mut *self.proxy.seen.lock().unwrap());
        seen.iter().filter(|r| format!("{} {}", r.method, r.path).contains(what)).count()
    }

    pub fn aws(&self) -> AwsConfig {
        aws(self.folder.path(), &self.proxy.url())
    }

    pub fn config(&self, target: Value) -> StateConfig {
        let place = Place::new(PlaceKind::S3, target);
        StateConfig { places: vec![place], aws: self.aws(), ..StateConfig::default() }
    }

    /// A store over `s3://BUCKET/PART`, loaded.
    pub fn store(&self, part: &str) -> StateStore {
        let store = new(self.config(json!(format!("s3://{}/{part}", self.name))));
        let status = store.load_now();
        assert_eq!(status.errors().collect::<Vec<_>>(), [""; 0]);
        store
    }
}

pub fn new(config: StateConfig) -> StateStore {
    StateStore::new(config, IndexPlan::new()).unwrap()
}

/// Access that depends on nothing of this machine.
fn aws(folder: &Path, url: &str) -> AwsConfig {
    let credentials = folder.join("credentials");
    std::fs::write(&credentials, "[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n")
        .unwrap();
    AwsConfig {
        chain: vec![Link::Profile],
        credentials: credentials.to_str().unwrap().to_owned(),
        config: folder.join("none").to_str().unwrap().to_owned(),
        region: "us-east-1".to_owned(),
        endpoint_url: url.to_owned(),
        path_style: true,
        ..AwsConfig::default()
    }
}

/// A state with one resource.
pub fn state(serial: u64, id: &str) -> String {
    json!({"version": 4, "serial": serial, "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": id}}]}]})
    .to_string()
}

/// Nanoseconds since the epoch of a time of that day.
pub fn ns(time: &str) -> u64 {
    let time: jiff::Timestamp = format!("2026-11-02T{time}Z").parse().unwrap();
    u64::try_from(time.as_nanosecond()).unwrap()
}

/// Serials of the states as of a time of that day, in their order.
pub fn serials(store: &StateStore, time: &str) -> Vec<u64> {
    serials_of(&store.snapshot_at(ns(time)).unwrap())
}

pub fn serials_of(snapshot: &Snapshot) -> Vec<u64> {
    snapshot.states().iter().map(|state| state.serial().unwrap()).collect()
}

/// What S3 answers when it refuses.
pub fn denied(message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    );
    Response::new(403, &body).with("content-type", "application/xml")
}

/// Asks the server behind the proxy.
fn forward(url: &str, request: &Request) -> Response {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.path);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n{}", request.body).as_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let status = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else { break };
        let name = name.to_ascii_lowercase();
        if !["connection", "content-length"].contains(&&*name) {
            headers.push((name, value.trim().to_owned()));
        }
    }
    let mut body = String::new();
    answer.read_to_string(&mut body).unwrap();
    Response { status, headers, body }
}
