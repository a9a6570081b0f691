//! `tfdrift doctor` as a user runs it: the seed's mistake, local files, a bucket that is well, and buckets that are not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../aws/tests/support/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "../../aws/tests/support/moto.rs"]
mod moto;

use http::{FALCO, Request, Response, Server};
use moto::Moto;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;
use tfdrift_aws::aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat as Format};
use tfdrift_aws::{Aws, AwsConfig, Link};

const SECRET: &str = "hunter2SecretHunter2SecretHunter2Secret1";
const RECORD: &str =
    r#"{"Records":[{"eventVersion":"1.08","eventID":"e1","eventTime":"2026-01-01T00:00:00Z"}]}"#;

fn doctor(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
        .arg("doctor")
        .args(args)
        .current_dir(root)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let all =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!all.contains(SECRET), "a secret was printed: {all}");
    output
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Compares with `tests/golden/NAME.txt`; UPDATE_GOLDEN=1 writes it anew.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, text, "{} differs; UPDATE_GOLDEN=1 writes it anew", path.display());
}

/// A configuration that reaches a server on loopback and nothing of this machine.
struct Setup {
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Setup {
    fn new(url: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("credentials");
        std::fs::write(
            &keys,
            format!("[test]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n"),
        )
        .unwrap();
        std::fs::write(folder.path().join("config"), "").unwrap();
        let config = folder.path().join("tfdrift.yaml");
        let at = folder.path().display();
        let yaml = format!(
            "plugins:\n- name: tfdrift\n  open_params: s3://my-trail/AWSLogs/\n  init_config:\n    aws:\n      profile: test\n      \
             region: us-east-1\n      chain: [profile]\n      config: {at}/config\n      credentials: {at}/credentials\n      \
             endpoint_url: {url}\n      path_style: true\n    source: {{checkpoint_dir: {at}/checkpoint}}\n"
        );
        std::fs::write(&config, yaml).unwrap();
        Setup { folder, config }
    }

    fn doctor(&self, more: &[&str]) -> (Option<i32>, String) {
        let mut args = vec!["--config", self.config.to_str().unwrap()];
        args.extend(more);
        let output = doctor(&args);
        (output.status.code(), text(&output).replace(self.folder.path().to_str().unwrap(), "FOLDER"))
    }

    async fn aws(&self, url: &str) -> Aws {
        let file = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let config = AwsConfig {
            profile: "test".into(),
            region: "us-east-1".into(),
            chain: vec![Link::Profile].into(),
            config: file("config"),
            credentials: file("credentials"),
            endpoint_url: url.into(),
            path_style: true,
            ..AwsConfig::default()
        };
        Aws::connect(&config).await.unwrap()
    }
}

#[test]
fn the_seeds_own_mistake() {
    let output = doctor(&["--events", "s3Bucket=tfdrift-cloudtrail-595263720623-us-east-1"]);
    assert_eq!(output.status.code(), Some(1));
    golden("doctor_seed", &text(&output));
}

#[test]
fn nothing_to_look_at_is_said() {
    let output = doctor(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("next: give --events"), "{}", text(&output));
}

#[test]
fn local_files_and_a_state() {
    let output = doctor(&[
        "--events",
        "examples/seed/AWSLogs",
        "--state",
        "examples/seed/terraform.tfstate",
        "--json",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)), "{report}");
    let steps: Vec<&str> =
        report["steps"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["parse", "list", "newest", "get", "state"]);
}

#[test]
fn a_missing_state_and_a_folder_without_files() {
    let empty = tempfile::tempdir().unwrap();
    let output =
        doctor(&["--events", empty.path().to_str().unwrap(), "--state", "/nonexistent/terraform.tfstate"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("✘ list")
            && text.contains("✘ state")
            && text.contains("/nonexistent/terraform.tfstate"),
        "{text}"
    );
}

#[test]
fn no_credentials_at_all() {
    let output = doctor(&["--events", "s3://my-trail/AWSLogs/"]);
    assert_eq!(output.status.code(), Some(1));
    golden("doctor_no_credentials", &text(&output));
}

#[test]
fn a_wrong_key_of_the_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tfdrift.yaml");
    std::fs::write(&path, "aws: {profle: audit}\n").unwrap();
    let output = doctor(&["--config", path.to_str().unwrap()]);
    assert!(text(&output).contains("profile"), "{}", text(&output));
}

#[test]
fn a_list_that_is_denied() {
    let server = Server::start(|request: &Request| {
        if request.body.contains("GetCallerIdentity") {
            return Response::identity(FALCO);
        }
        match request.method.as_str() {
            "HEAD" => Response::new(403, "").with("x-amz-bucket-region", "eu-west-1"),
            _ => {
                Response::new(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
            }
        }
    });
    let (code, text) = Setup::new(&server.url()).doctor(&[]);
    assert_eq!(code, Some(1));
    golden("doctor_list_denied", &text);
}

/// A server whose clock is two hours ahead, and which refuses what is signed by another time.
#[test]
fn a_clock_that_is_off() {
    let server = Server::start(|request: &Request| {
        let now = DateTime::from_secs(DateTime::from(SystemTime::now()).secs() + 7200);
        let hour = now.fmt(Format::DateTime).unwrap().replace(['-', ':'], "")[..11].to_owned();
        let signed = request.header("x-amz-date").unwrap();
        let answer = match request.method.as_str() {
            "HEAD" => Response::new(403, ""),
            _ if signed[..11] != hour => Response::new(
                403,
                "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>",
            ),
            _ => Response::new(200, "<ListBucketResult></ListBucketResult>"),
        };
        answer.with("date", &now.fmt(Format::HttpDate).unwrap())
    });
    let (code, text) = Setup::new(&server.url()).doctor(&[]);
    assert_eq!(code, Some(1));
    let off = text.split("✘ clock        this machine is ").nth(1).unwrap_or_else(|| panic!("{text}"));
    let secs: u64 = off.split(' ').next().unwrap().parse().unwrap();
    assert!((7100..7300).contains(&secs) && off.contains(" s behind the server\n"), "{text}");
    assert!(text.contains("next: start time synchronisation (chrony, systemd-timesyncd)"), "{text}");
    assert!(text.contains("✔ list"), "the calls that follow are signed by the server's time: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bucket_that_is_well_and_one_level_too_deep() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => {
            println!("skipped: moto cannot be set up here: {why}");
            return;
        }
    };
    let setup = Setup::new(&moto.url);
    let s3 = setup.aws(&moto.url).await.s3_in("us-east-1");
    s3.create_bucket().bucket("my-trail").send().await.unwrap();
    let minute = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 60;
    for (account, region) in
        [("111122223333", "eu-west-1"), ("111122223333", "us-east-1"), ("444455556666", "eu-west-1")]
    {
        let lane = format!("AWSLogs/{account}/CloudTrail/{region}/");
        let start = tfdrift_intake::layout::before_minute(&lane, minute).unwrap();
        let key = format!("{start}Z_abcdefgh.json.gz");
        s3.put_object()
            .bucket("my-trail")
            .key(key)
            .body(ByteStream::from_static(RECORD.as_bytes()))
            .send()
            .await
            .unwrap();
    }
    let (code, text) = setup.doctor(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("✔ layout       CloudTrail's own: 2 accounts (111122223333, 444455556666) × 2 regions"),
        "{text}"
    );
    assert!(text.contains("✔ list         3 objects") && text.contains("1 records"), "{text}");

    let (code, text) = setup.doctor(&["--events", "s3://my-trail/audit/AWSLogs/"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("there is no object under s3://my-trail/audit/AWSLogs/"), "{text}");
    let (code, text) = setup.doctor(&["--events", "s3://my-trail/AWSLog/"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("next: set open_params to s3://my-trail/AWSLogs/"), "{text}");
    let (code, text) = setup.doctor(&["--events", "s3://other-trail"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("✘ region       bucket other-trail does not exist"), "{text}");
}
