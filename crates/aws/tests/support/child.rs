//! The chain reads the process's environment, and a test must not change its own (other tests run beside it):
//! so each case runs in a child, this same program with exactly the variables of the case.

use std::process::Command;
use tfdrift_aws::{Aws, AwsConfig};

const CONFIG: &str = "TFDRIFT_TEST_CONFIG";
const MARK: &str = "@@outcome@@";

/// What the child found.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    pub link: Option<String>,
    pub key_id: Option<String>,
    pub session_token: bool,
    pub account: Option<String>,
    pub arn: Option<String>,
    pub region: Option<String>,
    pub roles: Vec<String>,
    /// The whole story of a failure.
    pub story: String,
    pub short: String,
    pub tried: Vec<String>,
}

/// Runs the case in a child. `test` is the name of the calling test function: the child runs just that one,
/// and in it `resolve` does the work and ends the process.
pub fn resolve(test: &str, config: serde_json::Value, vars: &[(&str, &str)]) -> Outcome {
    if let Ok(config) = std::env::var(CONFIG) {
        run(&config);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env_clear()
        .env(CONFIG, config.to_string())
        .envs(vars.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let all = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    if let Some(at) = all.find(super::SECRET) {
        let around: String = all.chars().skip(at.saturating_sub(300)).take(400).collect();
        panic!("a secret was printed by {test}: …{around}…");
    }
    let json = stdout.split(MARK).nth(1).unwrap_or_else(|| panic!("the child of {test} said: {all}"));
    serde_json::from_str(json).unwrap()
}

fn run(config: &str) -> ! {
    use aws_credential_types::provider::ProvideCredentials;
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    let config: AwsConfig = serde_json::from_str(config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        match Aws::connect(&config).await {
            Ok(aws) => {
                // Everything that has a Debug is printed, so that the parent can look for the secret.
                println!("{aws:?}\n{:?}\n{:?}", aws.resolved(), aws.sdk_config());
                let key = aws.resolved().credentials.provide_credentials().await.unwrap();
                println!("{key:?}");
                Outcome {
                    link: Some(aws.link().to_string()),
                    key_id: Some(key.access_key_id().to_owned()),
                    session_token: key.session_token().is_some(),
                    account: aws.identity().map(|i| i.account.clone()),
                    arn: aws.identity().map(|i| i.arn.clone()),
                    region: aws.region().map(str::to_owned),
                    roles: aws.resolved().roles.clone(),
                    story: String::new(),
                    short: String::new(),
                    tried: aws.resolved().tried.iter().map(|t| format!("{}: {}", t.link, t.why)).collect(),
                }
            }
            Err(error) => {
                println!("{error:?}");
                Outcome {
                    link: None,
                    key_id: None,
                    session_token: false,
                    account: None,
                    arn: None,
                    region: None,
                    roles: Vec::new(),
                    story: error.to_string(),
                    short: error.short(),
                    tried: Vec::new(),
                }
            }
        }
    });
    println!("{MARK}{}{MARK}", serde_json::to_string(&outcome).unwrap());
    #[allow(clippy::disallowed_methods, reason = "the child of a test ends here")]
    std::process::exit(0)
}
