//! What AWS answers when it refuses, over real HTTP, and what is made of it: one golden file each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use support::http::{Request, Response, Server, closed_port, serve};
use support::{SECRET, golden};
use tfdrift_aws::{Asked, Aws, AwsConfig, Explanation, Kind, RegionFrom};

const ARN: &str = support::http::FALCO;

fn error(status: u16, code: &str, message: &str) -> Response {
    Response::new(
        status,
        &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    )
    .with("x-amz-request-id", "REQ1")
    .with("content-type", "application/xml")
}

/// Everything on one endpoint: STS knows us, S3 answers as `s3` says.
fn server(s3: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        if request.body.contains("Action=GetCallerIdentity") {
            return Response::identity(ARN);
        }
        if request.method == "HEAD" {
            return Response::new(200, "").with("x-amz-bucket-region", "eu-west-1");
        }
        s3(request)
    })
}

struct Files(tempfile::TempDir);

/// A configuration that depends on nothing of this machine.
fn config(endpoint_url: &str) -> (AwsConfig, Files) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = AwsConfig {
        profile: "test".into(),
        region: "eu-west-1".into(),
        config: write("config", String::new()),
        credentials: write(
            "credentials",
            format!("[test]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n"),
        ),
        chain: vec![tfdrift_aws::Link::Profile].into(),
        endpoint_url: endpoint_url.into(),
        path_style: true,
        ..AwsConfig::default()
    };
    (config, Files(folder))
}

async fn connect(server: &Server) -> (Aws, Files) {
    let (config, files) = config(&server.url());
    (Aws::connect(&config).await.unwrap(), files)
}

async fn list(answer: impl Fn() -> Response + Send + Sync + 'static) -> Explanation {
    let server = server(move |_| answer());
    let (aws, _files) = connect(&server).await;
    let client = aws.s3("my-trail").await.unwrap().client;
    let error = client.list_objects_v2().bucket("my-trail").prefix("AWSLogs/").send().await.unwrap_err();
    aws.explain(&error, &Asked::list("my-trail", "AWSLogs/"))
}

async fn get(answer: impl Fn() -> Response + Send + Sync + 'static) -> Explanation {
    let server = server(move |_| answer());
    let (aws, _files) = connect(&server).await;
    let client = aws.s3("my-trail").await.unwrap().client;
    let error = client.get_object().bucket("my-trail").key("AWSLogs/1/x.json.gz").send().await.unwrap_err();
    aws.explain(&error, &Asked::get("my-trail", "AWSLogs/1/x.json.gz", "AWSLogs/"))
}

fn check(name: &str, kind: Kind, explanation: &Explanation) {
    assert_eq!(explanation.kind, kind, "{explanation}");
    let short = explanation.short();
    assert!(short.len() < 255 && !short.contains('\n'), "{short}");
    golden::check(name, &format!("{explanation}\nshort: {short}"));
}

fn iam(because: &str) -> String {
    format!(
        "User: {ARN} is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::my-trail\" {because}"
    )
}

#[tokio::test]
async fn list_is_denied() {
    let plain = list(|| error(403, "AccessDenied", "Access Denied")).await;
    check("denied_list", Kind::AccessDeniedList, &plain);
    for (name, because) in [
        ("identity", "because no identity-based policy allows the s3:ListBucket action"),
        ("bucket", "because no resource-based policy allows the s3:ListBucket action"),
        ("scp", "with an explicit deny in a service control policy"),
        ("deny", "with an explicit deny in a resource-based policy"),
        ("vpce", "because no VPC endpoint policy allows the s3:ListBucket action"),
        ("boundary", "because no permissions boundary allows the s3:ListBucket action"),
    ] {
        let message = iam(because);
        let found = list(move || error(403, "AccessDenied", &message)).await;
        check(&format!("denied_list_{name}"), Kind::AccessDeniedList, &found);
    }
}

#[tokio::test]
async fn get_is_denied() {
    check("denied_get", Kind::AccessDeniedGet, &get(|| error(403, "AccessDenied", "Access Denied")).await);
}

#[tokio::test]
async fn decrypt_is_denied() {
    let message = format!(
        "User: {ARN} is not authorized to perform: kms:Decrypt on resource: \
        arn:aws:kms:eu-west-1:444455556666:key/1234abcd because no identity-based policy allows the kms:Decrypt action"
    );
    let named = get(move || error(403, "AccessDenied", &message)).await;
    check("denied_decrypt", Kind::AccessDeniedDecrypt, &named);
    let message = format!(
        "User: {ARN} is not authorized to perform: kms:Decrypt on the resource associated with this \
        ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a \
        resource-based policy explicitly denies access"
    );
    let unnamed = get(move || error(403, "AccessDenied", &message)).await;
    check("denied_decrypt_unnamed", Kind::AccessDeniedDecrypt, &unnamed);
    let disabled =
        get(|| error(400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:1:key/x is disabled.")).await;
    check("kms_disabled", Kind::KmsKeyUnusable, &disabled);
}

#[tokio::test]
async fn keys_that_aws_refuses() {
    let cases = [
        (
            "invalid_access_key_id",
            Kind::InvalidAccessKeyId,
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        (
            "signature_does_not_match",
            Kind::SignatureDoesNotMatch,
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
        ("expired_token", Kind::ExpiredToken, 400, "ExpiredToken", "The provided token has expired."),
        (
            "invalid_token",
            Kind::InvalidToken,
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.",
        ),
        ("no_such_key", Kind::NoSuchKey, 404, "NoSuchKey", "The specified key does not exist."),
        (
            "archived",
            Kind::Archived,
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
        ),
    ];
    for (name, kind, status, code, message) in cases {
        check(name, kind, &get(move || error(status, code, message)).await);
    }
}

#[tokio::test]
async fn a_refused_key_is_looked_up_again() {
    let server = server(|request| match request.header("authorization") {
        Some(auth) if auth.contains("AKIANEW") => Response::new(200, "<ListBucketResult></ListBucketResult>"),
        _ => error(400, "ExpiredToken", "The provided token has expired."),
    });
    let (aws, files) = connect(&server).await;
    let client = aws.s3("my-trail").await.unwrap().client;
    let call = || client.list_objects_v2().bucket("my-trail").send();
    let refused = call().await.unwrap_err();
    let credentials = files.0.path().join("credentials");
    std::fs::write(
        credentials,
        format!("[test]\naws_access_key_id = AKIANEW\naws_secret_access_key = {SECRET}\n"),
    )
    .unwrap();
    assert_eq!(aws.explain(&refused, &Asked::list("my-trail", "")).kind, Kind::ExpiredToken);
    call().await.expect("the rewritten file must count without a new client");
}

#[tokio::test]
async fn the_clock_is_off() {
    let skewed = list(|| {
        Response::new(
            403,
            "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and \
            the current time is too large.</Message><RequestTime>20261124T010000Z</RequestTime>\
            <ServerTime>2026-11-24T06:00:00Z</ServerTime></Error>",
        )
    })
    .await;
    check("clock_skew", Kind::ClockSkew, &skewed);
}

#[tokio::test]
async fn the_region_is_found_from_the_bucket() {
    let head = |status: u16, region: Option<&'static str>, body: &'static str| {
        Server::start(move |request| {
            if request.body.contains("GetCallerIdentity") {
                return Response::new(403, "");
            }
            let response = Response::new(status, body);
            match region {
                Some(region) => response.with("x-amz-bucket-region", region),
                None => response,
            }
        })
    };
    // By header: answered, moved, refused.
    for status in [200, 301, 403, 400] {
        let server = head(status, Some("ap-south-1"), "");
        let (aws, _files) = connect(&server).await;
        let bucket = aws.s3("my-trail").await.unwrap();
        assert_eq!(
            (bucket.region.as_str(), bucket.region_from),
            ("ap-south-1", RegionFrom::Bucket),
            "{status}"
        );
    }
    // By the body of a refused list.
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region \
        'eu-west-1' is wrong; expecting 'ap-south-1'</Message><Region>ap-south-1</Region></Error>";
    let server = head(400, None, body);
    let (aws, _files) = connect(&server).await;
    assert_eq!(aws.s3("my-trail").await.unwrap().region, "ap-south-1");
    let body = "<Error><Code>PermanentRedirect</Code><Message>m</Message><Endpoint>my-trail.s3.ap-south-1.amazonaws.com</Endpoint></Error>";
    let server = head(301, None, body);
    let (aws, _files) = connect(&server).await;
    assert_eq!(aws.s3("my-trail").await.unwrap().region, "ap-south-1");
    // Not at all: a server that is not AWS.
    let server = head(200, None, "");
    let (aws, _files) = connect(&server).await;
    let bucket = aws.s3("my-trail").await.unwrap();
    assert_eq!((bucket.region.as_str(), bucket.region_from), ("eu-west-1", RegionFrom::Configuration));
}

#[tokio::test]
async fn a_call_in_the_wrong_region() {
    let redirect = list(|| {
        Response::new(301, "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be \
            addressed using the specified endpoint.</Message><Endpoint>my-trail.s3.us-west-2.amazonaws.com</Endpoint></Error>")
    })
    .await;
    check("wrong_region_301", Kind::WrongRegion, &redirect);
    let malformed = list(|| {
        error(
            400,
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region 'us-east-1' is wrong; \
            expecting 'eu-central-1'",
        )
    })
    .await;
    check("wrong_region_400", Kind::WrongRegion, &malformed);
}

#[tokio::test]
async fn no_such_bucket() {
    let server = Server::start(|request| match request.method.as_str() {
        "POST" => Response::new(403, ""),
        _ => error(404, "NoSuchBucket", "The specified bucket does not exist"),
    });
    let (aws, _files) = connect(&server).await;
    check("no_such_bucket", Kind::NoSuchBucket, &aws.s3("my-trail").await.unwrap_err());
}

#[tokio::test]
async fn aws_asks_to_slow_down() {
    check(
        "throttled",
        Kind::Throttled,
        &list(|| error(503, "SlowDown", "Please reduce your request rate.")).await,
    );
}

#[tokio::test]
async fn nothing_listens() {
    let (config, _files) = config(&format!("http://127.0.0.1:{}", closed_port()));
    let aws = Aws::connect(&config).await.unwrap();
    assert!(aws.identity().is_none());
    check("connection_refused", Kind::ConnectionRefused, &aws.s3("my-trail").await.unwrap_err());
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut config, _files) = config("http://s3.example.com");
    config.proxy_url = format!("http://me:hunter2@{nobody}");
    let aws = Aws::connect(&config).await.unwrap();
    let told = aws.s3("my-trail").await.unwrap_err().to_string();
    assert!(told.starts_with(&format!("nothing answers at the proxy ***@{nobody} ")), "{told}");
    assert!(told.contains("check aws.proxy_url") && told.contains("s3.example.com"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_host_that_does_not_exist() {
    // A label of more than 63 letters is refused by the resolver itself: no question leaves this machine.
    let (config, _files) = config(&format!("http://{}.invalid", "x".repeat(64)));
    let aws = Aws::connect(&config).await.unwrap();
    check("dns", Kind::Dns, &aws.s3("my-trail").await.unwrap_err());
}

#[tokio::test]
async fn no_region_at_all() {
    let sdk = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .credentials_provider(aws_sdk_s3::config::Credentials::new("AKIATEST", SECRET, None, None, "test"))
        .build();
    let client = aws_sdk_s3::Client::from_conf(sdk);
    let error = client.list_objects_v2().bucket("my-trail").send().await.unwrap_err();
    let failure = tfdrift_aws::Failure::of(&error);
    check("no_region", Kind::NoRegion, &Explanation::of(&failure, &Asked::list("my-trail", ""), None));
}

/// A server with a certificate of its own authority; gives its URL and the PEM file's text.
fn tls_server() -> (String, String) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let (pem, cert) = (certified.cert.pem(), certified.cert.der().clone());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let tls = Arc::new(tls);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = rustls::ServerConnection::new(tls.clone()).unwrap();
            std::thread::spawn(move || {
                let stream = std::cell::RefCell::new(rustls::StreamOwned::new(session, stream));
                let log = std::sync::Mutex::new(Vec::new());
                let answer = |_: &Request| Response::new(200, "<ListBucketResult></ListBucketResult>");
                let _ = serve(Shared(&stream), Shared(&stream), &log, &answer);
                stream.borrow_mut().conn.send_close_notify();
                let _ = std::io::Write::flush(&mut *stream.borrow_mut());
            });
        }
    });
    (url, pem)
}

/// One stream for reading and writing.
struct Shared<'a, S>(&'a std::cell::RefCell<S>);

impl<S: std::io::Read> std::io::Read for Shared<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl<S: std::io::Write> std::io::Write for Shared<'_, S> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(buffer)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_a_bundle_makes_it_known() {
    let (url, pem) = tls_server();
    let (mut config, files) = config(&url);
    let aws = Aws::connect(&config).await.unwrap();
    check("tls_unknown_issuer", Kind::Tls, &aws.s3("my-trail").await.unwrap_err());
    let bundle = files.0.path().join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    config.ca_bundle = bundle.to_str().unwrap().to_owned();
    let aws = Aws::connect(&config).await.unwrap();
    let bucket = aws.s3("my-trail").await.unwrap();
    bucket.client.list_objects_v2().bucket("my-trail").send().await.unwrap();
}

#[tokio::test]
async fn a_proxy_carries_the_calls() {
    // The proxy sees the whole URL of a plain HTTP call; the host behind it does not exist.
    let proxy = server(|_| Response::new(200, "<ListBucketResult></ListBucketResult>"));
    let (mut config, _files) = config("http://storage.invalid");
    config.proxy_url = proxy.url();
    let aws = Aws::connect(&config).await.unwrap();
    let bucket = aws.s3("my-trail").await.unwrap();
    bucket.client.list_objects_v2().bucket("my-trail").send().await.unwrap();
    let seen = proxy.paths();
    assert!(seen.iter().any(|path| path.contains("http://storage.invalid/my-trail")), "{seen:?}");
}

#[tokio::test]
async fn a_timeout_is_explained() {
    let failure = tfdrift_aws::Failure {
        transport: Some(tfdrift_aws::Transport::Timeout),
        text: "HTTP read timeout occurred after 30s".into(),
        ..Default::default()
    };
    let asked =
        Asked { endpoint: "my-trail.s3.eu-west-1.amazonaws.com".into(), ..Asked::list("my-trail", "") };
    check("timeout", Kind::Timeout, &Explanation::of(&failure, &asked, None));
}
