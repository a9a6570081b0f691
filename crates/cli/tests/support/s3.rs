//! A small S3 on loopback, with the objects that a test puts there and the refusals that it asks for.

use super::http::{FALCO, Request, Response, Server};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const SECRET: &str = "hunter2SecretHunter2SecretHunter2Secret1";
pub const ACCOUNT: &str = "111122223333";

/// An answer of a rule; `None`: the bucket's own.
type Rule = dyn Fn(&Request) -> Option<Response> + Send + Sync;

/// The bucket. All names lead to it.
pub struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, (String, u64)>>>,
    pub server: Server,
    /// Holds what belongs to a test: credentials, configuration, checkpoints.
    pub folder: tempfile::TempDir,
}

impl Bucket {
    /// A bucket that answers everything.
    pub fn start() -> Bucket {
        Bucket::with(|_| None)
    }

    /// A bucket of which `rule` answers what it likes.
    pub fn with(rule: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Bucket {
        let objects: Arc<Mutex<BTreeMap<String, (String, u64)>>> = Arc::default();
        let (shared, rule): (_, Box<Rule>) = (Arc::clone(&objects), Box::new(rule));
        let server = Server::start(move |request| {
            rule(request).unwrap_or_else(|| answer(request, &shared.lock().unwrap()))
        });
        let folder = tempfile::tempdir().unwrap();
        let keys = format!("[test]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n");
        std::fs::write(folder.path().join("credentials"), keys).unwrap();
        std::fs::write(folder.path().join("config"), "").unwrap();
        Bucket { objects, server, folder }
    }

    /// Puts an object, written so many minutes ago.
    pub fn put(&self, key: &str, body: &str, minutes_ago: u64) {
        let at = now_secs() - minutes_ago * 60;
        self.objects.lock().unwrap().insert(key.to_owned(), (body.to_owned(), at));
    }

    /// A configuration for it: `aws:` that reaches nothing else, a checkpoint in the folder, and `more` sections.
    pub fn config(&self, more: &str) -> PathBuf {
        self.config_at(&self.server.url(), more)
    }

    /// As [`Self::config`], with another address.
    pub fn config_at(&self, url: &str, more: &str) -> PathBuf {
        let at = self.folder.path().display();
        let source = if more.contains("source:") {
            String::new()
        } else {
            format!("source: {{checkpoint_dir: {at}/checkpoint}}\n")
        };
        let yaml = format!(
            "aws:\n  profile: test\n  region: us-east-1\n  chain: [profile]\n  config: {at}/config\n  \
             credentials: {at}/credentials\n  endpoint_url: {url}\n  path_style: true\n{source}{more}"
        );
        let path = self.folder.path().join("tfdrift.yaml");
        std::fs::write(&path, yaml).unwrap();
        path
    }

    /// Runs `tfdrift`, and looks for secrets in what it says.
    pub fn run(&self, args: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
            .args(args)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap();
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(SECRET), "a secret was printed");
        output
    }

    /// A text without what differs from run to run.
    pub fn plain(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "FOLDER")
            .replace(&self.server.address.to_string(), "127.0.0.1:PORT")
    }
}

/// Compares with `tests/golden/NAME`; UPDATE_GOLDEN=1 writes it anew.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, text, "{} differs; UPDATE_GOLDEN=1 writes it anew", path.display());
}

/// `AccessDenied`, as S3 says it.
pub fn denied() -> Response {
    refused(403, "AccessDenied", "Access Denied")
}

/// A refusal, as S3 says it.
pub fn refused(status: u16, code: &str, message: &str) -> Response {
    Response::new(status, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// True for the list of a bucket, false for an object.
pub fn is_list(request: &Request) -> bool {
    request.method == "GET" && request.path.contains("list-type=2")
}

/// True for an object.
pub fn is_get(request: &Request) -> bool {
    request.method == "GET" && !is_list(request)
}

/// The key of a trail's object, and the same with what changes taken out.
pub fn key(kind: &str, region: &str, minutes_ago: u64) -> String {
    let lane = format!("AWSLogs/{ACCOUNT}/{kind}/{region}/");
    let start = tfdrift_intake::layout::before_minute(&lane, now_secs() / 60 - minutes_ago).unwrap();
    format!("{start}Z_abcdefghijklmnop.json.gz")
}

/// An object with one record that means nothing for Terraform.
pub fn object(id: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventVersion":"1.08","eventID":"{id}","eventTime":"2026-01-01T00:00:00Z","eventType":"AwsApiCall","eventSource":"ec2.amazonaws.com","eventName":"DescribeVpcs","awsRegion":"us-east-1","recipientAccountId":"{ACCOUNT}"}}]}}"#
    )
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn answer(request: &Request, objects: &BTreeMap<String, (String, u64)>) -> Response {
    if request.body.contains("GetCallerIdentity") {
        return Response::identity(FALCO);
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if request.method == "HEAD" {
        return Response::new(200, "").with("x-amz-bucket-region", "us-east-1");
    }
    if is_list(request) {
        return list(query, objects);
    }
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    match objects.get(&decoded(key)) {
        Some((body, _)) => Response::new(200, body),
        None => refused(404, "NoSuchKey", "The specified key does not exist."),
    }
}

fn list(query: &str, objects: &BTreeMap<String, (String, u64)>) -> Response {
    let get = |name: &str| {
        let found = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        decoded(found.unwrap_or_default())
    };
    let (prefix, after, by_folder) = (get("prefix"), get("start-after"), !get("delimiter").is_empty());
    let (mut body, mut folders) = (String::new(), std::collections::BTreeSet::new());
    for (key, (text, at)) in objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after) {
        match key[prefix.len()..].split_once('/') {
            Some((folder, _)) if by_folder => {
                folders.insert(format!("{prefix}{folder}/"));
            }
            _ => body.push_str(&format!(
                "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{at}&quot;</ETag><Size>{}</Size></Contents>",
                tfdrift_intake::layout::rfc3339(at * 1_000_000_000),
                text.len()
            )),
        }
    }
    for folder in folders {
        body.push_str(&format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"));
    }
    Response::new(
        200,
        &format!("<ListBucketResult><IsTruncated>false</IsTruncated>{body}</ListBucketResult>"),
    )
}

fn decoded(text: &str) -> String {
    text.replace("%2F", "/").replace("%3A", ":")
}
