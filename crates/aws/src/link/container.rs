//! The credentials endpoint of a container: ECS tasks and EKS Pod Identity.

use super::{Settings, ask};
use crate::why::Why;
use aws_config::ecs::EcsCredentialsProvider;
use aws_credential_types::Credentials;
use std::time::Duration;
use tokio::sync::OnceCell;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const BOUND: Duration = Duration::from_secs(8);

#[derive(Default)]
pub(crate) struct Container {
    provider: OnceCell<EcsCredentialsProvider>,
}

impl Container {
    pub(super) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        let url = endpoint(settings)?;
        let provider = self
            .provider
            .get_or_init(|| async {
                EcsCredentialsProvider::builder()
                    .configure(&settings.provider_config(&settings.http.local))
                    .build()
            })
            .await;
        ask(provider, BOUND, &url)
            .await
            .map_err(|asked| asked.of_call(&format!("container credentials endpoint {url}"), &url))
    }
}

/// The URL that will be asked, after a look at what it needs.
fn endpoint(settings: &Settings) -> Result<String, Why> {
    let url = match (settings.var(RELATIVE), settings.var(FULL)) {
        (Some(path), _) => format!("http://169.254.170.2{path}"),
        (None, Some(url)) => url,
        (None, None) => return Err(Why::NotSet { vars: format!("{RELATIVE} and {FULL}") }),
    };
    if let Some(file) = settings.var(TOKEN_FILE) {
        let wrong =
            |problem: String| Why::TokenFile { path: file.clone().into(), from: TOKEN_FILE.into(), problem };
        let token = std::fs::read_to_string(&file).map_err(|e| wrong(e.to_string()))?;
        if token.trim().is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
    }
    Ok(crate::text::without_userinfo(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    #[test]
    fn the_token_file_of_pod_identity_is_looked_at_first() {
        let why = |vars: &[(&str, &str)]| endpoint(&settings_for_tests(AwsConfig::default(), vars));
        assert!(matches!(why(&[]), Err(Why::NotSet { .. })));
        assert_eq!(why(&[(RELATIVE, "/v2/credentials/x")]).unwrap(), "http://169.254.170.2/v2/credentials/x");
        let text = why(&[(FULL, "http://169.254.170.23/v1/credentials"), (TOKEN_FILE, "/nonexistent/token")])
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "token file /nonexistent/token: No such file or directory (os error 2) \
             (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)"
        );
    }
}
