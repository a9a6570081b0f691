//! The S3 client, against a server in this process and against answers that no good server gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "support/server.rs"]
mod server;
mod support;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat as Format};
use server::{Scripted, Server, client, connect, http, refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};
use support::*;
use tfdrift_intake::s3::S3Store;
use tfdrift_intake::store::{GetRequest, ListRequest, StoreError, StoreErrorKind};
use tfdrift_intake::{Intake, IntakeConfig, ObjectStore, OnOpenError, Parts};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn put(folder: &std::path::Path, key: &str, bytes: Vec<u8>) {
    let path = folder.join("logs").join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn parts_of(address: std::net::SocketAddr) -> Parts {
    let mut pace = pace();
    pace.request = Duration::from_secs(5);
    Parts { connect: Some(connect(address)), clock: TestClock::at(NOON_SECS), pace }
}

#[test]
fn a_trail_in_a_bucket_is_read_and_followed() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut expected = Vec::new();
    for region in ["us-east-1", "eu-west-1", "ap-northeast-1"] {
        for n in 0..5 {
            let id = format!("{region}-{n}");
            put(folder.path(), &key("trail/", ACCOUNT, region, NOON_SECS + n * 60, &id), object_of(&id, 4));
            expected.extend(ids(&id, 4));
        }
    }
    let server = Server::start(folder.path());
    let config = config(state.path());
    let mut once = Intake::open(s3("trail/", "?once"), &config, parts_of(server.address)).unwrap();
    assert_eq!(sorted(drain(&mut once)), sorted(expected.clone()));
    let mut live =
        Intake::open(s3("trail/AWSLogs/", "?since=1h"), &config, parts_of(server.address)).unwrap();
    assert_eq!(sorted(take(&mut live, expected.len())), sorted(expected));
    put(folder.path(), &key("trail/", ACCOUNT, "eu-west-1", NOON_SECS + 600, "new"), object_of("new", 2));
    assert_eq!(take(&mut live, 2), ids("new", 2));
    assert_eq!(live.counters().values().duplicate, 0);
    live.next_batch(1, Duration::ZERO);
    live.close();
    let mut again = Intake::open(s3("trail/AWSLogs/", ""), &config, parts_of(server.address)).unwrap();
    assert_eq!(take_for(&mut again, Duration::from_millis(300)), Vec::<String>::new());
}

#[test]
fn listings_are_paged_and_keys_may_hold_anything() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..25 {
        put(folder.path(), &format!("a b/+&=ü{n:02}.json"), vec![b'x'; n]);
    }
    put(folder.path(), "other/x.json", vec![]);
    let server = Server::start(folder.path());
    let store = S3Store::new(client(server.address), "logs");
    let (runtime, mut keys, mut after) = (runtime(), Vec::new(), None);
    loop {
        let request =
            ListRequest { prefix: "a b/".into(), start_after: after, max_keys: 10, ..ListRequest::default() };
        let page = runtime.block_on(store.list(request)).unwrap();
        keys.extend(page.objects.iter().map(|o| (o.key.clone(), o.size_bytes)));
        assert!(page.objects.iter().all(|o| o.modified_ns > 0));
        if page.next.is_none() {
            break;
        }
        after = keys.last().map(|(key, _)| key.clone());
    }
    assert_eq!(keys, (0..25).map(|n| (format!("a b/+&=ü{n:02}.json"), n)).collect::<Vec<_>>());
    let folders = ListRequest { by_folder: true, max_keys: 10, ..ListRequest::default() };
    assert_eq!(runtime.block_on(store.list(folders)).unwrap().prefixes, ["a b/", "other/"]);
    let get = |key: &str, range| GetRequest { key: key.into(), range, etag: String::new(), cap_bytes: 1000 };
    let whole = runtime.block_on(store.get(get("a b/+&=ü20.json", None))).unwrap();
    assert_eq!(whole.bytes, [b'x'; 20]);
    let part = runtime.block_on(store.get(get("a b/+&=ü20.json", Some(5..12)))).unwrap();
    assert_eq!(part.bytes.len(), 7);
    let gone = runtime.block_on(store.get(get("none", None))).unwrap_err();
    assert_eq!(gone.kind, StoreErrorKind::NotFound);
    assert!(gone.to_string().contains("s3://logs/none"), "{gone}");
}

fn get_from(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Result<Vec<u8>, StoreError> {
    let server = Scripted::start(answer);
    let store = S3Store::new(client(server.address), "logs");
    let request = GetRequest { key: "k".into(), range: None, etag: String::new(), cap_bytes: 100 };
    runtime().block_on(store.get(request)).map(|body| body.bytes)
}

#[test]
fn bodies_that_are_not_whole_are_noticed() {
    assert_eq!(get_from(|_| Some(http("200 OK", 5, b"hello"))).unwrap(), b"hello");
    for (length, body) in [(50, b"hello".as_slice()), (5, b"".as_slice())] {
        let error = get_from(move |_| Some(http("200 OK", length, body))).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Transient, "{error}");
    }
    let error = get_from(|_| Some(http("200 OK", 200, &[b'x'; 200]))).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::TooLarge);
    assert_eq!(
        get_from(|_| Some(http("200 OK", 0, b""))).unwrap(),
        b"",
        "an empty object, answered with 200"
    );
    let error = get_from(|_| Some(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel".to_vec()))
        .unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Transient, "{error}");
    let error = get_from(|_| Some(Vec::new())).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Transient, "closed without an answer: {error}");
}

#[test]
fn refusals_are_told_apart() {
    for (status, code, message, kind) in [
        ("503 Slow Down", "SlowDown", "Please reduce your request rate.", StoreErrorKind::Throttled),
        ("500 Internal Server Error", "InternalError", "try again", StoreErrorKind::Transient),
        ("403 Forbidden", "AccessDenied", "not authorized to perform: s3:GetObject", StoreErrorKind::Denied),
        (
            "403 Forbidden",
            "AccessDenied",
            "not authorized to perform: kms:Decrypt on this",
            StoreErrorKind::Decrypt,
        ),
        ("403 Forbidden", "RequestTimeTooSkewed", "The difference is too large", StoreErrorKind::Credentials),
        ("400 Bad Request", "ExpiredToken", "The provided token has expired.", StoreErrorKind::Credentials),
        ("403 Forbidden", "InvalidAccessKeyId", "does not exist in our records", StoreErrorKind::Credentials),
        ("404 Not Found", "NoSuchKey", "The specified key does not exist.", StoreErrorKind::NotFound),
        ("404 Not Found", "NoSuchBucket", "The specified bucket does not exist", StoreErrorKind::NoBucket),
        ("416 Range", "InvalidRange", "not satisfiable", StoreErrorKind::Other),
    ] {
        let error = get_from(move |_| Some(refusal(status, code, message))).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let text = error.to_string();
        assert!(text.contains("s3://logs/k") && text.contains(code) && text.contains(message), "{text}");
    }
}

#[test]
fn a_server_that_is_not_there_is_waited_for_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config: IntakeConfig = config(dir.path());
    let mut intake = Intake::open(s3("", "?once"), &config, parts_of(nobody)).unwrap();
    assert_eq!(take_for(&mut intake, Duration::from_millis(200)), Vec::<String>::new());
    assert!(intake.counters().values().retries > 0);
    config.source.on_open_error = OnOpenError::Fail;
    let Err(error) = Intake::open(s3("", "?once"), &config, parts_of(nobody)) else { panic!("opened") };
    assert!(error.to_string().starts_with("cannot read s3://logs: "), "{error}");
    assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
}

/// A trail of one object behind a server whose clock is so many seconds ahead. As S3 does, it refuses what is signed
/// more than 15 minutes off; `dated`: its answers tell its time.
fn skewed(ahead_secs: &Arc<AtomicI64>, dated: bool) -> (Scripted, Arc<AtomicUsize>) {
    let (ahead_secs, refused) = (Arc::clone(ahead_secs), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&refused);
    let body = object_of("skewed", 3);
    let list = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x/a.json.gz</Key><Size>{}</Size><ETag>\"x\"</ETag><LastModified>2026-11-02T19:30:00.000Z</LastModified></Contents></ListBucketResult>",
        body.len()
    );
    let server = Scripted::start(move |head| {
        let signed = head.lines().find_map(|line| line.strip_prefix("x-amz-date: ")).unwrap();
        let now = DateTime::from_secs(DateTime::from(SystemTime::now()).secs() + ahead_secs.load(SeqCst));
        let (day, time) = signed.split_at(9);
        let at = |text: &str, from| text[from..from + 2].parse::<i64>().unwrap();
        let midnight = format!("{}-{}-{}T00:00:00Z", &day[..4], &day[4..6], &day[6..8]);
        let midnight = DateTime::from_str(&midnight, Format::DateTime).unwrap().secs();
        let signed = midnight + at(time, 0) * 3600 + at(time, 2) * 60 + at(time, 4);
        let mut answer = if (signed - now.secs()).abs() > 900 {
            count.fetch_add(1, SeqCst);
            refusal("403 Forbidden", "RequestTimeTooSkewed", "The difference is too large.")
        } else if head.contains("list-type=2") {
            http("200 OK", list.len(), list.as_bytes())
        } else {
            http("200 OK", body.len(), &body)
        };
        if dated {
            let date = format!("\r\nDate: {}", now.fmt(Format::HttpDate).unwrap());
            let end = answer.iter().position(|b| *b == b'\r').unwrap();
            answer.splice(end..end, date.into_bytes());
        }
        Some(answer)
    });
    (server, refused)
}

#[test]
fn a_server_that_tells_its_time_is_signed_for_by_that_time() {
    for ahead_secs in [7200, -7200] {
        let dir = tempfile::tempdir().unwrap();
        let (server, refused) = skewed(&Arc::new(AtomicI64::new(ahead_secs)), true);
        let mut intake =
            Intake::open(s3("x/", "?once"), &config(dir.path()), parts_of(server.address)).unwrap();
        assert_eq!(drain(&mut intake), ids("skewed", 3));
        assert_eq!(refused.load(SeqCst), 1, "the first refusal tells the time");
    }
}

#[test]
fn a_clock_that_is_off_is_waited_for_until_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let ahead_secs = Arc::new(AtomicI64::new(-1200));
    let (server, refused) = skewed(&ahead_secs, false);
    let store = S3Store::new(client(server.address), "logs");
    let error =
        runtime().block_on(store.list(ListRequest { max_keys: 1, ..Default::default() })).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Credentials);
    assert!(error.to_string().contains("RequestTimeTooSkewed"), "{error}");
    let mut intake = Intake::open(s3("x/", "?once"), &config(dir.path()), parts_of(server.address)).unwrap();
    while refused.load(SeqCst) < 5 {
        assert!(take_for(&mut intake, Duration::from_millis(10)).is_empty());
    }
    ahead_secs.store(0, SeqCst);
    assert_eq!(drain(&mut intake), ids("skewed", 3));
    assert_eq!(intake.counters().values().object_given_up, 0);
}

/// The Go plugin never returns from such a server.
#[test]
fn an_empty_object_answered_with_200_ends() {
    let dir = tempfile::tempdir().unwrap();
    let list = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>x/a.json.gz</Key><Size>0</Size><ETag>\"d\"</ETag><LastModified>2026-11-02T19:30:00.000Z</LastModified></Contents></ListBucketResult>";
    let server = Scripted::start(move |line| {
        Some(if line.contains("list-type=2") {
            http("200 OK", list.len(), list.as_bytes())
        } else {
            http("200 OK", 0, b"")
        })
    });
    let mut intake = Intake::open(s3("x/", "?once"), &config(dir.path()), parts_of(server.address)).unwrap();
    assert_eq!(drain(&mut intake), Vec::<String>::new());
    let values = intake.counters().values();
    assert_eq!((values.malformed_object, values.objects_done), (1, 1));
    assert!(server.requests.lock().unwrap().len() < 12, "{:?}", server.requests.lock().unwrap());
}

/// An object through the real client while the wire fails in every way: nothing is lost, nothing comes twice.
#[test]
fn a_wire_that_fails_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let body = object_of("w", 50);
    let list = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>x/a.json.gz</Key><Size>{}</Size><ETag>\"d\"</ETag><LastModified>2026-11-02T19:30:00.000Z</LastModified></Contents></ListBucketResult>",
        body.len()
    );
    let gets = std::sync::atomic::AtomicU32::new(0);
    let server = Scripted::start(move |line| {
        if line.contains("list-type=2") {
            return Some(http("200 OK", list.len(), list.as_bytes()));
        }
        match gets.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Some(refusal("503 Slow Down", "SlowDown", "Please reduce your request rate.")),
            // The connection ends in the middle of the body.
            1 => Some(http("200 OK", body.len(), &body[..body.len() / 2])),
            2 => Some(refusal("403 Forbidden", "AccessDenied", "not authorized to perform: s3:GetObject")),
            3 => None,
            4 => {
                Some(refusal("403 Forbidden", "AccessDenied", "not authorized to perform: kms:Decrypt on it"))
            }
            5 => Some(Vec::new()),
            _ => Some(http("200 OK", body.len(), &body)),
        }
    });
    let mut parts = parts_of(server.address);
    parts.pace.request = Duration::from_millis(500);
    let mut intake = Intake::open(s3("x/", "?since=1h"), &config(dir.path()), parts).unwrap();
    assert_eq!(take(&mut intake, 50), ids("w", 50));
    let values = intake.counters().values();
    assert_eq!((values.get_calls, values.retries, values.duplicate), (7, 6, 0), "{values:?}");
    assert_eq!((values.malformed_object, values.object_given_up, values.objects_waiting), (0, 0, 0));
}
