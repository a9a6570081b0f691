//! What `tfdrift doctor` says of each fault, to the letter: `tests/golden/doctor_*.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../aws/tests/support/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "support/s3.rs"]
#[allow(dead_code)]
mod s3;

use http::{Request, Response, closed_port};
use s3::{Bucket, denied, golden, is_get, is_list, key, object, refused};
use std::path::Path;

const TRAIL: &str = "s3://my-trail/AWSLogs/";

/// Runs it and compares what it says, without what differs from run to run, with `doctor_NAME.txt`.
fn says(name: &str, code: i32, bucket: &Bucket, config: &Path, args: &[&str]) {
    let mut all = vec!["doctor", "--config", config.to_str().unwrap()];
    all.extend(args);
    let output = bucket.run(&all);
    let text = without_times(&bucket.plain(&String::from_utf8(output.stdout).unwrap()));
    golden(&format!("doctor_{name}.txt"), &text);
    assert_eq!(output.status.code(), Some(code), "{text}");
}

/// Keys of today, ages and differences of clocks, with their numbers taken out.
fn without_times(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut line = line.to_owned();
        for (before, after) in
            [("this machine is ", " s "), ("✔ newest       ", " old: "), (", written ", " ago")]
        {
            if let Some((head, rest)) = line.split_once(before)
                && let Some((_, tail)) = rest.split_once(after)
            {
                line = format!("{head}{before}N{after}{tail}");
            }
        }
        for word in line.clone().split([' ', ':']).filter(|word| word.contains("Z_abcdefghijklmnop")) {
            if let Some(parts) = tfdrift_intake::layout::parse(word) {
                let short = format!("{}YYYY/MM/DD/NAME", parts.lane);
                line = line.replace(word, &short);
            }
        }
        line + "\n"
    });
    lines.collect()
}

/// A trail that is well, in two regions.
fn trail(rule: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Bucket {
    let bucket = Bucket::with(rule);
    for region in ["eu-west-1", "us-east-1"] {
        bucket.put(&key("CloudTrail", region, 5), &object(region), 5);
    }
    bucket
}

#[test]
fn everything_is_well() {
    let bucket = trail(|_| None);
    says("well", 0, &bucket, &bucket.config(""), &["--events", TRAIL]);
    assert!(!bucket.folder.path().join("checkpoint").exists(), "the probe leaves nothing behind");
}

#[test]
fn settings_that_leave_everything_out() {
    let bucket = trail(|_| None);
    let config = bucket.config("s3AccountList: '999999999999'\n");
    says("layout_account", 1, &bucket, &config, &["--events", "s3://my-trail"]);
    let config = bucket.config(&source(&bucket, "regions: [sa-east-1]"));
    says("layout_region", 1, &bucket, &config, &["--events", "s3://my-trail"]);
}

#[test]
fn settings_that_leave_something_out() {
    let bucket = trail(|_| None);
    let config = bucket.config(&source(&bucket, "regions: [sa-east-1, eu-west-1]"));
    says("layout_some_region", 0, &bucket, &config, &["--events", "s3://my-trail"]);
}

fn source(bucket: &Bucket, more: &str) -> String {
    format!("source: {{checkpoint_dir: {}/checkpoint, {more}}}\n", bucket.folder.path().display())
}

#[test]
fn a_setting_that_open_refuses() {
    let bucket = trail(|_| None);
    says(
        "config_since",
        1,
        &bucket,
        &bucket.config(&source(&bucket, "since: yesterday")),
        &["--events", TRAIL],
    );
}

#[test]
fn a_prefix_that_ends_within_a_name() {
    let bucket = trail(|_| None);
    let prefix = format!("{TRAIL}{}/CloudTrail/us-", s3::ACCOUNT);
    says("layout_half_a_name", 0, &bucket, &bucket.config(""), &["--events", &prefix]);
    let prefix = format!("{TRAIL}{}/CloudTrail/sa-", s3::ACCOUNT);
    says("layout_no_such_name", 1, &bucket, &bucket.config(""), &["--events", &prefix]);
}

#[test]
fn a_prefix_below_a_region() {
    let bucket = trail(|_| None);
    let prefix = format!("{TRAIL}{}/CloudTrail/us-east-1/20", s3::ACCOUNT);
    says("layout_deep", 0, &bucket, &bucket.config(""), &["--events", &prefix]);
}

#[test]
fn digests_alone() {
    let bucket = Bucket::start();
    bucket.put(&key("CloudTrail-Digest", "us-east-1", 5), "{}", 5);
    says("layout_digests", 1, &bucket, &bucket.config(""), &["--events", "s3://my-trail"]);
}

#[test]
fn other_objects_and_an_empty_bucket() {
    let bucket = Bucket::start();
    says("layout_empty", 1, &bucket, &bucket.config(""), &["--events", "s3://my-trail"]);
    bucket.put("photos/cat.jpg", "x", 5);
    says("layout_other", 1, &bucket, &bucket.config(""), &["--events", "s3://my-trail"]);
    says("layout_nowhere", 1, &bucket, &bucket.config(""), &["--events", "s3://my-trail/AWSLogs/"]);
}

#[test]
fn a_folder_that_may_not_be_listed() {
    let bucket =
        Bucket::with(|request| (is_list(request) && request.path.contains("444455556666")).then(denied));
    bucket.put(&key("CloudTrail", "us-east-1", 5), &object("e1"), 5);
    let other = key("CloudTrail", "us-east-1", 5).replace(s3::ACCOUNT, "444455556666");
    bucket.put(&other, &object("e2"), 5);
    says("layout_folder_denied", 1, &bucket, &bucket.config(""), &["--events", "s3://my-trail"]);
}

#[test]
fn a_trail_that_stopped() {
    let bucket = Bucket::start();
    bucket.put(&key("CloudTrail", "us-east-1", 3 * 1440 + 5), &object("e1"), 3 * 1440);
    says("newest_stale", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
    let bucket = Bucket::start();
    bucket.put(&key("CloudTrail", "us-east-1", 100 * 1440 + 5), &object("e1"), 100 * 1440);
    says("newest_very_stale", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn a_get_that_is_refused() {
    let bucket = trail(|request| is_get(request).then(denied));
    says("get_denied", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn an_object_that_is_gone() {
    let gone = |request: &Request| {
        is_get(request).then(|| refused(404, "NoSuchKey", "The specified key does not exist."))
    };
    let bucket = trail(gone);
    says("get_gone", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn an_object_that_is_no_trails() {
    let bucket = trail(|request| is_get(request).then(|| Response::new(200, "this is no JSON")));
    says("get_not_cloudtrail", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn a_key_that_may_not_be_used() {
    let bucket = trail(|request| {
        is_get(request).then(|| {
            refused(
                403,
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/falco/tfdrift is not authorized to perform: kms:Decrypt on \
                 resource: arn:aws:kms:us-east-1:111122223333:key/1234 because no identity-based policy allows the kms:Decrypt action",
            )
        })
    });
    says("decrypt_denied", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn a_clock_that_is_off() {
    let bucket = trail(|request| {
        let old = "Tue, 01 Jan 2019 00:00:00 GMT";
        (request.method == "HEAD").then(|| Response::new(200, "").with("date", old))
    });
    says("clock", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn a_bucket_in_another_region() {
    let bucket = trail(|request| {
        match request.method.as_str() {
        "HEAD" => Some(Response::new(200, "")),
        _ => is_list(request).then(|| {
            refused(
                400,
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-3'",
            )
        }),
    }
    });
    says("wrong_region", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn no_such_bucket() {
    let bucket = trail(|request| {
        (request.method == "HEAD" || is_list(request))
            .then(|| refused(404, "NoSuchBucket", "The specified bucket does not exist"))
    });
    says("no_bucket", 1, &bucket, &bucket.config(""), &["--events", TRAIL]);
}

#[test]
fn nobody_answers() {
    let bucket = Bucket::start();
    let port = closed_port();
    let config = bucket.config("").to_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&config).unwrap();
    let url = bucket.server.url();
    // A proxy that is dead, and a name that nobody knows: `.invalid` is reserved for that (RFC 2606).
    let proxied =
        text.replace("  path_style", &format!("  proxy_url: http://127.0.0.1:{port}\n  path_style"));
    std::fs::write(&config, proxied).unwrap();
    let run = |config: &str| {
        let output = bucket.run(&["doctor", "--config", config, "--events", TRAIL]);
        assert_eq!(output.status.code(), Some(1));
        bucket.plain(&String::from_utf8(output.stdout).unwrap())
    };
    golden("doctor_proxy.txt", &run(&config).replace(&port.to_string(), "CLOSED"));
    std::fs::write(&config, text.replace(&url, "http://s3.no-such-host.invalid:9000")).unwrap();
    let mut said = run(&config);
    for words in ["Name or service not known", "Temporary failure in name resolution"] {
        said = said.replace(words, "NO SUCH NAME");
    }
    golden("doctor_dns.txt", &said);
}

#[test]
fn a_checkpoint_that_cannot_be_used() {
    let bucket = trail(|_| None);
    let file = bucket.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let config = bucket.config(&format!("source: {{checkpoint_dir: {}}}\n", file.display()));
    says("checkpoint_unusable", 1, &bucket, &config, &["--events", TRAIL]);
}

#[test]
fn a_checkpoint_that_is_there() {
    use tfdrift_intake::checkpoint::Folder;
    let bucket = trail(|_| None);
    let (config, dir) = (bucket.config(""), bucket.folder.path().join("checkpoint"));
    let folder = Folder::open(&dir, &tfdrift_intake::Origin::parse(TRAIL).unwrap()).unwrap();
    says("checkpoint_in_use", 0, &bucket, &config, &["--events", TRAIL]);
    let document = folder.path().join("checkpoint.json");
    drop(folder);
    std::fs::write(&document, r#"{"version": 99}"#).unwrap();
    says("checkpoint_version", 1, &bucket, &config, &["--events", TRAIL]);
    std::fs::write(&document, "{").unwrap();
    says("checkpoint_damaged", 0, &bucket, &config, &["--events", TRAIL]);
}

#[test]
fn states_that_cannot_be_read() {
    let bucket = Bucket::with(|request| request.path.contains("prod.tfstate").then(denied));
    let config = bucket.config("");
    let encrypted = r#"{"serial":1,"lineage":"l","meta":{"key_provider.pbkdf2.k":"e30="},"encrypted_data":"AAAA","encryption_version":"v0"}"#;
    for (name, content) in [
        ("missing", None),
        ("v3", Some(r#"{"version":3,"terraform_version":"0.11.14","serial":1,"lineage":"l","modules":[]}"#)),
        ("encrypted", Some(encrypted)),
        ("broken", Some("{\"version\": 4,\n  \"serial\": ")),
        ("no_state", Some("{\"Records\": []}")),
    ] {
        let path = bucket.folder.path().join(format!("{name}.tfstate"));
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let place = path.to_str().unwrap();
        says(&format!("state_{name}"), 1, &bucket, &config, &["--state", place]);
    }
    says("state_denied", 1, &bucket, &config, &["--state", "s3://states/prod.tfstate"]);
    says("state_gone", 1, &bucket, &config, &["--state", "s3://states/other.tfstate"]);
}
