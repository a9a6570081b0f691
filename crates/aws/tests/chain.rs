//! Each link of the chain against real files, real HTTP answers and a clean environment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::child::resolve;
use support::http::{FALCO, Response, Server, closed_port};
use support::{SECRET, golden};

/// Metadata at a port where nothing listens: no test may wait for the real address.
fn no_imds() -> String {
    format!("http://127.0.0.1:{}", closed_port())
}

/// STS on loopback: one identity for everybody, and credentials for every role but `refused`.
fn sts() -> Server {
    Server::start(|request| {
        let body = &request.body;
        if body.contains("Action=GetCallerIdentity") {
            return Response::identity(FALCO);
        }
        if body.contains("refused") {
            return Response::new(
                403,
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: \
                arn:aws:sts::111122223333:assumed-role/falco/tfdrift is not authorized to perform: sts:AssumeRole on \
                resource: arn:aws:iam::444455556666:role/refused</Message></Error></ErrorResponse>",
            );
        }
        if body.contains("Action=AssumeRoleWithWebIdentity") || body.contains("Action=AssumeRole") {
            let action =
                if body.contains("WebIdentity") { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
            let id = if body.contains("hop2") { "ASIAHOP2" } else { "ASIAHOP1" };
            return Response::new(
                200,
                &format!(
                    "<{action}Response><{action}Result><Credentials>\
                <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
                <SessionToken>{SECRET}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                <AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/x/y</Arn><AssumedRoleId>A:y</AssumedRoleId>\
                </AssumedRoleUser></{action}Result></{action}Response>"
                ),
            );
        }
        Response::new(
            400,
            "<ErrorResponse><Error><Code>InvalidAction</Code><Message>unknown</Message></Error></ErrorResponse>",
        )
    })
}

struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str, credentials: &str) -> Home {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        for (name, text) in [("config", config), ("credentials", credentials)] {
            if !text.is_empty() {
                std::fs::write(home.path().join(".aws").join(name), text).unwrap();
            }
        }
        Home(home)
    }
    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
    fn hide(&self, text: &str) -> String {
        text.replace(self.path(), "/home/falco")
    }
}

fn keys() -> String {
    format!("aws_access_key_id = AKIAFILE\naws_secret_access_key = {SECRET}\n")
}

#[test]
fn nothing_is_set_up() {
    let home = Home::new("", "");
    let imds = no_imds();
    let out = resolve(
        "nothing_is_set_up",
        json!({}),
        &[("HOME", home.path()), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds)],
    );
    golden::check("chain_nothing", &home.hide(&out.story));
    golden::check("chain_nothing_short", &home.hide(&out.short));
    assert!(out.short.len() < 255);
}

#[test]
fn the_environment_gives_keys() {
    let sts = sts();
    let out = resolve(
        "the_environment_gives_keys",
        json!({}),
        &[
            ("AWS_ACCESS_KEY_ID", "AKIAENV"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", SECRET),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
        ],
    );
    assert_eq!(out.link.as_deref(), Some("environment"), "{out:?}");
    assert_eq!((out.key_id.as_deref(), out.session_token), (Some("AKIAENV"), true));
    assert_eq!(out.arn.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/falco/tfdrift"));
    assert_eq!(out.region.as_deref(), Some("eu-central-1"));
}

#[test]
fn a_half_set_key_is_named_and_the_next_link_answers() {
    let home = Home::new("[default]\nregion = eu-west-3\n", &format!("[default]\n{}", keys()));
    let sts = sts();
    let out = resolve(
        "a_half_set_key_is_named_and_the_next_link_answers",
        json!({}),
        &[("HOME", home.path()), ("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_ENDPOINT_URL_STS", &sts.url())],
    );
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("profile"), Some("AKIAFILE")), "{out:?}");
    assert_eq!(out.tried, ["environment: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"]);
    assert_eq!(out.region.as_deref(), Some("eu-west-3"));
}

#[test]
fn files_named_by_the_configuration_and_a_pinned_link() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mounted-credentials");
    std::fs::write(&file, format!("[audit]\n{}", keys())).unwrap();
    let sts = sts();
    let config =
        json!({"credentials": file, "profile": "audit", "chain": ["profile"], "endpoint_url": sts.url()});
    // Keys in the environment must not win: the chain leaves them out.
    let out = resolve(
        "files_named_by_the_configuration_and_a_pinned_link",
        config,
        &[("HOME", "/nonexistent"), ("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", SECRET)],
    );
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("profile"), Some("AKIAFILE")), "{out:?}");
}

#[test]
fn a_missing_profile() {
    let home = Home::new("[profile audit]\nregion=eu-west-1\n", &format!("[default]\n{}", keys()));
    let out = resolve(
        "a_missing_profile",
        json!({"chain": ["profile"]}),
        &[("HOME", home.path()), ("AWS_PROFILE", "prod")],
    );
    golden::check("chain_profile_missing", &home.hide(&out.story));
}

/// As with `aws --profile`: a key in the environment must not take the place of the profile that is meant.
#[test]
fn a_profile_that_the_configuration_names_is_meant() {
    let home = Home::new("", &format!("[default]\n{}", keys()));
    let sts = sts();
    let url = sts.url();
    let vars = [
        ("HOME", home.path()),
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let name = "a_profile_that_the_configuration_names_is_meant";
    // The child takes its configuration from the variables: every call below is its own case.
    let out = resolve(name, json!({"profile": "nope"}), &vars);
    golden::check("chain_profile_named", &home.hide(&out.story));
    let out = resolve(name, json!({"profile": "default"}), &vars);
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("profile"), Some("AKIAFILE")), "{out:?}");
    let out = resolve(name, json!({"profile": "nope", "chain": ["profile", "environment"]}), &vars);
    assert_eq!(
        (out.link.as_deref(), out.key_id.as_deref()),
        (Some("environment"), Some("AKIAENV")),
        "{out:?}"
    );
    assert!(out.tried[0].starts_with("profile: profile \"nope\" (aws.profile) is not in "), "{out:?}");
}

#[test]
fn credentials_are_not_mounted() {
    let out = resolve(
        "credentials_are_not_mounted",
        json!({"chain": ["profile"], "profile": "audit"}),
        &[
            ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/.aws/credentials"),
            ("AWS_CONFIG_FILE", "/nonexistent/.aws/config"),
        ],
    );
    golden::check("chain_not_mounted", &out.story);
}

#[test]
fn a_credential_process() {
    let answer = format!(r#"{{"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"{SECRET}"}}"#);
    let home = Home::new("", "");
    let script = home.0.path().join("give.sh");
    std::fs::write(&script, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    std::fs::write(
        home.0.path().join(".aws/config"),
        format!("[default]\ncredential_process = /bin/sh {}\n", script.display()),
    )
    .unwrap();
    let sts = sts();
    let vars = [("HOME", home.path()), ("AWS_ENDPOINT_URL_STS", &sts.url())];
    let out = resolve("a_credential_process", json!({"chain": ["profile"]}), &vars);
    assert_eq!(out.key_id.as_deref(), Some("AKIAPROC"), "{out:?}");
}

#[test]
fn a_credential_process_that_fails_is_not_quoted() {
    let home = Home::new("", "");
    let script = home.0.path().join("give.sh");
    std::fs::write(&script, format!("#!/bin/sh\necho 'token {SECRET}' >&2; exit 3\n")).unwrap();
    std::fs::write(
        home.0.path().join(".aws/config"),
        format!("[default]\ncredential_process = /bin/sh {}\n", script.display()),
    )
    .unwrap();
    let out = resolve(
        "a_credential_process_that_fails_is_not_quoted",
        json!({"chain": ["profile"]}),
        &[("HOME", home.path())],
    );
    golden::check("chain_process_fails", &home.hide(&out.story));
}

#[test]
fn a_profile_with_source_profile_and_role() {
    let config = "[profile base]\n[profile audit]\nrole_arn = arn:aws:iam::444455556666:role/hop1\nsource_profile = base\n";
    let home = Home::new(config, &format!("[base]\n{}", keys()));
    let sts = sts();
    let vars = [("HOME", home.path()), ("AWS_ENDPOINT_URL_STS", &sts.url()), ("AWS_PROFILE", "audit")];
    let out = resolve("a_profile_with_source_profile_and_role", json!({}), &vars);
    assert_eq!(out.key_id.as_deref(), Some("ASIAHOP1"), "{out:?}");
}

#[test]
fn an_sso_login_has_run_out() {
    let config = "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = audit\n\
                  [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n";
    let home = Home::new(config, "");
    let cache = home.0.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    // The SDK names the file after SHA-1 of the session's name, "corp".
    let token = format!(
        r#"{{"startUrl":"https://corp.awsapps.com/start","region":"eu-west-1","accessToken":"{SECRET}","expiresAt":"2024-05-06T07:08:09Z"}}"#
    );
    std::fs::write(cache.join("token.json"), token).unwrap();
    let out = resolve("an_sso_login_has_run_out", json!({"chain": ["profile"]}), &[("HOME", home.path())]);
    golden::check("chain_sso_expired", &home.hide(&out.story));
}

#[test]
fn a_web_identity_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "opaque").unwrap();
    let sts = sts();
    let out = resolve(
        "a_web_identity_token",
        json!({}),
        &[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/irsa"),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
        ],
    );
    assert_eq!(
        (out.link.as_deref(), out.key_id.as_deref()),
        (Some("web_identity"), Some("ASIAHOP1")),
        "{out:?}"
    );
}

#[test]
fn a_web_identity_that_sts_refuses_and_one_that_expired() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let path = token.to_str().unwrap();
    let sts = sts();
    std::fs::write(&token, "opaque").unwrap();
    let name = "a_web_identity_that_sts_refuses_and_one_that_expired";
    let vars = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/refused"),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
    ];
    let out = resolve(name, json!({"chain": ["web_identity"]}), &vars);
    golden::check("chain_web_identity_refused", &out.story);
    // {"exp":1700000000}
    std::fs::write(&token, "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.").unwrap();
    let out = resolve(name, json!({"chain": ["web_identity"]}), &vars);
    golden::check("chain_web_identity_expired", &out.story.replace(path, "/var/run/secrets/token"));
}

#[test]
fn a_container_endpoint_with_its_token_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "pod-token").unwrap();
    let server = Server::start(|request| match request.header("authorization") {
        Some("pod-token") => Response::new(
            200,
            &format!(
                r#"{{"AccessKeyId":"ASIAPOD","SecretAccessKey":"{SECRET}","Token":"{SECRET}","Expiration":"2099-01-01T00:00:00Z"}}"#
            ),
        ),
        _ => Response::new(401, "no"),
    });
    let sts = sts();
    let url = format!("{}/v1/credentials", server.url());
    let vars = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
        // A proxy that does not exist must not be asked for an address of this machine.
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let name = "a_container_endpoint_with_its_token_file";
    let out = resolve(name, json!({"chain": ["container"]}), &vars);
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("container"), Some("ASIAPOD")), "{out:?}");
    std::fs::write(&token, "wrong").unwrap();
    let out = resolve(name, json!({"chain": ["container"]}), &vars);
    golden::check("chain_container_refused", &out.story);
}

#[test]
fn the_metadata_service_in_its_second_version() {
    let server = Server::start(|request| match (request.method.as_str(), request.path.as_str()) {
        ("PUT", "/latest/api/token") => {
            Response::new(200, "imds-token").with("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        }
        _ if request.header("x-aws-ec2-metadata-token") != Some("imds-token") => {
            Response::new(401, "no token")
        }
        ("GET", "/latest/meta-data/iam/security-credentials/") => Response::new(200, "falco"),
        ("GET", "/latest/meta-data/iam/security-credentials/falco") => Response::new(
            200,
            &format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAIMDS","SecretAccessKey":"{SECRET}","Token":"{SECRET}","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}}"#
            ),
        ),
        ("GET", "/latest/meta-data/placement/region") => Response::new(200, "ap-south-1"),
        _ => Response::new(404, ""),
    });
    let sts = sts();
    let vars = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url()), ("AWS_ENDPOINT_URL_STS", sts.url())];
    let vars: Vec<(&str, &str)> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let out = resolve("the_metadata_service_in_its_second_version", json!({}), &vars);
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("imds"), Some("ASIAIMDS")), "{out:?}");
    assert_eq!(out.region.as_deref(), Some("ap-south-1"), "the instance's region");
}

#[test]
fn an_instance_without_a_role() {
    let server = Server::start(|request| match request.method.as_str() {
        "PUT" => Response::new(200, "t").with("x-aws-ec2-metadata-token-ttl-seconds", "21600"),
        _ => Response::new(404, "<html>hunter</html>"),
    });
    let out = resolve(
        "an_instance_without_a_role",
        json!({"chain": ["imds"]}),
        &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &server.url())],
    );
    golden::check("chain_no_instance_role", &out.story);
}

#[test]
fn roles_are_assumed_one_after_the_other() {
    let sts = sts();
    let config = json!({"assume_role": [
        {"role_arn": "arn:aws:iam::444455556666:role/hop1"},
        {"role_arn": "arn:aws:iam::777788889999:role/hop2", "external_id": "x-42", "session_name": "audit"}]});
    let url = sts.url();
    let vars = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let out = resolve("roles_are_assumed_one_after_the_other", config, &vars);
    assert_eq!(out.key_id.as_deref(), Some("ASIAHOP2"), "{out:?}");
    assert_eq!(out.roles, ["arn:aws:iam::444455556666:role/hop1", "arn:aws:iam::777788889999:role/hop2"]);
    let seen = sts.seen.lock().unwrap();
    let second = seen.iter().find(|r| r.body.contains("hop2")).unwrap();
    assert!(
        second.body.contains("ExternalId=x-42") && second.body.contains("RoleSessionName=audit"),
        "{}",
        second.body
    );
    assert!(
        second.header("authorization").unwrap().contains("Credential=ASIAHOP1/"),
        "signed with the first role"
    );
}

#[test]
fn a_role_that_refuses() {
    let sts = sts();
    let config = json!({"assume_role": [{"role_arn": "arn:aws:iam::444455556666:role/refused", "external_id": "x-42"}]});
    let url = sts.url();
    let vars = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let out = resolve("a_role_that_refuses", config, &vars);
    golden::check("chain_role_refused", &out.story);
    assert!(
        out.short.len() < 255 && out.short.starts_with("role arn:aws:iam::444455556666:role/refused refused"),
        "{}",
        out.short
    );
}

#[test]
fn a_wrong_configuration_is_fatal() {
    let out = resolve("a_wrong_configuration_is_fatal", json!({"ca_bundle": "/nonexistent/ca.pem"}), &[]);
    golden::check("config_ca_bundle", &out.story);
}
