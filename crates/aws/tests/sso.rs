//! Profiles with an SSO session, against a portal on loopback: the good way, the renewal of a login, and refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use support::child::{Outcome, resolve};
use support::http::{Request, Response, Server};
use support::{SECRET, golden};

/// What the portal takes for the login of the test.
const LOGIN: &str = "login-hunter2SecretHunter2SecretHunter2Secret1";
const RENEWED: &str = "renewed-hunter2SecretHunter2SecretHunter2Secret1";

/// SHA-1 of the session's name, "corp": so the CLI and the SDKs name the file.
const CACHED: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// The portal and the OIDC service behind it, as AWS documents them.
/// <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html>
/// <https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html>
fn sso(valid: &'static str) -> Server {
    let refuse = |status, code: &str, message: &str| {
        Response::new(status, &json!({"message": message}).to_string()).with("x-amzn-errortype", code)
    };
    Server::start(move |request: &Request| {
        if request.method == "POST" && request.path == "/" {
            return Response::new(400, "no STS here");
        }
        if request.method == "POST" && request.path == "/token" {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let [grant, token] =
                ["grantType", "refreshToken"].map(|key| body[key].as_str().unwrap().to_owned());
            return match (grant.as_str(), token.as_str()) {
                ("refresh_token", "refresh-1") => Response::new(
                    200,
                    &json!({"accessToken": RENEWED, "expiresIn": 28_800, "refreshToken": "refresh-2", "tokenType": "Bearer"})
                        .to_string(),
                ),
                _ => refuse(400, "InvalidGrantException", "Invalid refresh token provided"),
            };
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        assert_eq!((request.method.as_str(), path), ("GET", "/federation/credentials"));
        if request.header("x-amz-sso_bearer_token") != Some(valid) {
            return refuse(401, "UnauthorizedException", "Session token not found or invalid");
        }
        if !query.contains("role_name=audit") || !query.contains("account_id=111122223333") {
            return refuse(403, "ForbiddenException", "No access");
        }
        let key = json!({"accessKeyId": "ASIASSO", "secretAccessKey": SECRET, "sessionToken": SECRET, "expiration": 4_102_444_800_000_u64});
        Response::new(200, &json!({"roleCredentials": key}).to_string())
    })
}

/// A home with one profile and the cached login.
struct Home(tempfile::TempDir);

impl Home {
    fn new(more: &str, login: &str, expires: &str) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(home.cached().parent().unwrap()).unwrap();
        let config = format!(
            "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = audit\n{more}\n\
             [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n"
        );
        std::fs::write(home.0.path().join(".aws/config"), config).unwrap();
        let token = json!({
            "startUrl": "https://corp.awsapps.com/start", "region": "eu-west-1", "accessToken": login, "expiresAt": expires,
            "clientId": "client", "clientSecret": SECRET, "registrationExpiresAt": "2099-01-01T00:00:00Z",
            "refreshToken": "refresh-1",
        });
        std::fs::write(home.cached(), token.to_string()).unwrap();
        home
    }

    fn cached(&self) -> PathBuf {
        self.0.path().join(".aws/sso/cache").join(CACHED)
    }

    fn resolve(&self, test: &str, sso: &Server, endpoints: &[&str]) -> Outcome {
        let url = sso.url();
        let mut vars = vec![("HOME", self.0.path().to_str().unwrap()), ("AWS_ENDPOINT_URL_STS", &url)];
        vars.extend(endpoints.iter().map(|name| (*name, url.as_str())));
        resolve(test, json!({"chain": ["profile"]}), &vars)
    }
}

const BOTH: [&str; 2] = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"];

#[test]
fn a_login_gives_the_role() {
    let home = Home::new("", LOGIN, "2099-01-01T00:00:00Z");
    let sso = sso(LOGIN);
    let out = home.resolve("a_login_gives_the_role", &sso, &BOTH);
    assert_eq!((out.link.as_deref(), out.key_id.as_deref()), (Some("profile"), Some("ASIASSO")), "{out:?}");
    assert!(out.session_token);
    assert!(!sso.paths().iter().any(|path| path.contains("/token")), "a login that holds is not renewed");
}

#[test]
fn the_endpoint_may_stand_in_the_profile() {
    let sso = sso(LOGIN);
    let services = format!("services = here\n[services here]\nsso =\n  endpoint_url = {}\n", sso.url());
    let home = Home::new(&services, LOGIN, "2099-01-01T00:00:00Z");
    let out = home.resolve("the_endpoint_may_stand_in_the_profile", &sso, &[]);
    assert_eq!(out.key_id.as_deref(), Some("ASIASSO"), "{out:?}");
}

#[test]
fn a_login_that_has_run_out_is_renewed_and_kept() {
    let home = Home::new("", LOGIN, "2024-05-06T07:08:09Z");
    let sso = sso(RENEWED);
    let out = home.resolve("a_login_that_has_run_out_is_renewed_and_kept", &sso, &BOTH);
    assert_eq!(out.key_id.as_deref(), Some("ASIASSO"), "{out:?}");
    let kept: Value = serde_json::from_slice(&std::fs::read(home.cached()).unwrap()).unwrap();
    assert_eq!(
        (kept["accessToken"].as_str(), kept["refreshToken"].as_str()),
        (Some(RENEWED), Some("refresh-2"))
    );
}

#[test]
fn a_login_that_cannot_be_renewed() {
    let home = Home::new("", LOGIN, "2024-05-06T07:08:09Z");
    let cached = std::fs::read_to_string(home.cached()).unwrap().replace("refresh-1", "refresh-0");
    std::fs::write(home.cached(), cached).unwrap();
    let out = home.resolve("a_login_that_cannot_be_renewed", &sso(RENEWED), &BOTH);
    golden::check("sso_not_renewed", &out.story);
}

#[test]
fn a_login_that_the_portal_has_ended() {
    let home = Home::new("", LOGIN, "2099-01-01T00:00:00Z");
    let out = home.resolve("a_login_that_the_portal_has_ended", &sso(RENEWED), &BOTH);
    golden::check("sso_unauthorized", &out.story);
}

#[test]
fn a_role_that_is_not_assigned() {
    let home = Home::new("", LOGIN, "2099-01-01T00:00:00Z");
    let config = home.0.path().join(".aws/config");
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap().replace("= audit", "= admin")).unwrap();
    let out = home.resolve("a_role_that_is_not_assigned", &sso(LOGIN), &BOTH);
    golden::check("sso_forbidden", &out.story);
}
