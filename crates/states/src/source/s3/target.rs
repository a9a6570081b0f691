//! What a place of kind `s3` names: a backend block or a URL.

use serde::Deserialize;
use tfdrift_aws::{AssumeRole, AwsConfig};

use crate::error::ConfigError;
use crate::place::Place;
use crate::source::backend::Keys;

/// Keys of the backend block that say where and how to read, and `prefix`, which is ours.
const USED: &[&str] = &[
    "bucket",
    "key",
    "prefix",
    "region",
    "workspace_key_prefix",
    "profile",
    "role_arn",
    "external_id",
    "session_name",
    "assume_role",
    "endpoint",
    "endpoints",
    "use_path_style",
    "force_path_style",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "custom_ca_bundle",
    "shared_config_files",
    "shared_credentials_files",
    "shared_credentials_file",
    "http_proxy",
    "https_proxy",
];

/// Keys that matter to writing, locking or checks of Terraform's own.
const ACCEPTED: &[&str] = &[
    "acl",
    "encrypt",
    "kms_key_id",
    "dynamodb_table",
    "dynamodb_endpoint",
    "use_lockfile",
    "max_retries",
    "retry_mode",
    "iam_endpoint",
    "sts_endpoint",
    "sts_region",
    "allowed_account_ids",
    "forbidden_account_ids",
    "no_proxy",
    "insecure",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "use_legacy_workflow",
    "assume_role_duration_seconds",
    "assume_role_policy",
    "assume_role_policy_arns",
    "assume_role_tags",
    "assume_role_transitive_tag_keys",
    "access_key",
    "secret_key",
    "token",
    "assume_role_with_web_identity",
    "sse_customer_key",
];

/// Of these, how Terraform logs in: TFDrift says by itself where its credentials come from.
const LOGIN: &[&str] = &["access_key", "secret_key", "token", "assume_role_with_web_identity"];

/// What of a bucket is read.
pub(super) enum What {
    /// The backend's key; the states of other workspaces lie at `PREFIX/WORKSPACE/KEY`.
    Key { key: String, workspace_key_prefix: String },
    /// All states below a prefix.
    Prefix(String),
    /// All objects whose key matches.
    Pattern(glob::Pattern),
}

#[derive(Deserialize, Default)]
struct Role {
    role_arn: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    session_name: Option<String>,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    #[serde(default)]
    s3: Option<String>,
}

impl What {
    /// The bucket of a place and what of it is read. What a backend block says about access goes to `aws`.
    pub(super) fn of(place: &Place, aws: &mut AwsConfig) -> Result<(String, What), ConfigError> {
        match Keys::of(place, USED, ACCEPTED)? {
            Some(keys) if !keys.set(&["sse_customer_key"]).is_empty() => Err(keys.wrong(
                "sse_customer_key",
                "states under a customer's own key are not read; give a file that `terraform state pull` wrote",
            )),
            Some(keys) => Self::from_keys(&keys, aws),
            None => Self::from_url(place.target.as_str().unwrap_or_default()),
        }
    }

    /// Keys of a place's block that say how Terraform logs in, and have no effect here; "" for none.
    pub(super) fn login_left_out(place: &Place) -> Result<String, ConfigError> {
        Ok(Keys::of(place, USED, ACCEPTED)?.map(|keys| keys.set(LOGIN)).unwrap_or_default())
    }

    /// The part of the bucket that is read: empty for all of it.
    pub(super) fn prefix(&self, workspace: &str) -> &str {
        match self {
            // Other workspaces lie elsewhere.
            Self::Key { key, .. } if workspace == "default" => key,
            Self::Key { .. } => "",
            Self::Prefix(prefix) => prefix,
            Self::Pattern(pattern) => pattern.as_str().split(['*', '?', '[']).next().unwrap_or_default(),
        }
    }

    fn from_keys(keys: &Keys<'_>, aws: &mut AwsConfig) -> Result<(String, What), ConfigError> {
        let bucket = keys.needed("bucket")?;
        let (key, prefix) = (keys.text("key")?, keys.text("prefix")?);
        let what = match (key.is_empty(), prefix.is_empty()) {
            (false, true) => {
                let workspaces = keys.text("workspace_key_prefix")?;
                let workspace_key_prefix = if workspaces.is_empty() { "env:".to_owned() } else { workspaces };
                What::Key { key: key.trim_start_matches('/').to_owned(), workspace_key_prefix }
            }
            (true, _) => What::Prefix(prefix),
            (false, false) => return Err(keys.wrong("prefix", "stands beside key; give one of them")),
        };
        // What the section `aws` says wins over the block.
        let fill = |own: &mut String, key: &str| -> Result<(), ConfigError> {
            if own.is_empty() {
                *own = keys.text(key)?;
            }
            Ok(())
        };
        fill(&mut aws.region, "region")?;
        fill(&mut aws.profile, "profile")?;
        fill(&mut aws.ca_bundle, "custom_ca_bundle")?;
        fill(&mut aws.proxy_url, "https_proxy")?;
        fill(&mut aws.proxy_url, "http_proxy")?;
        fill(&mut aws.endpoint_url, "endpoint")?;
        fill(&mut aws.credentials, "shared_credentials_file")?;
        let files = |key: &str| Ok(keys.value::<Vec<String>>(key)?.into_iter().next().unwrap_or_default());
        if aws.credentials.is_empty() {
            aws.credentials = files("shared_credentials_files")?;
        }
        if aws.config.is_empty() {
            aws.config = files("shared_config_files")?;
        }
        if aws.endpoint_url.is_empty() {
            aws.endpoint_url = keys.value::<Endpoints>("endpoints")?.s3.unwrap_or_default();
        }
        aws.path_style |= keys.flag("use_path_style")? || keys.flag("force_path_style")?;
        aws.fips |= keys.flag("use_fips_endpoint")?;
        aws.dual_stack |= keys.flag("use_dualstack_endpoint")?;
        let mut role = keys.value::<Role>("assume_role")?;
        if role.role_arn.is_empty() {
            role.role_arn = keys.text("role_arn")?;
            role.external_id = Some(keys.text("external_id")?);
            role.session_name = Some(keys.text("session_name")?);
        }
        if aws.assume_role.is_empty() && !role.role_arn.is_empty() {
            aws.assume_role.push(AssumeRole {
                role_arn: role.role_arn,
                external_id: role.external_id.unwrap_or_default(),
                session_name: role
                    .session_name
                    .filter(|n| !n.is_empty())
                    .unwrap_or_else(|| "tfdrift".to_owned()),
            });
        }
        Ok((bucket, what))
    }

    /// `s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/` (all states below), `s3://BUCKET/PAT*TERN`.
    fn from_url(url: &str) -> Result<(String, What), ConfigError> {
        let wrong = |problem: String| ConfigError::new("s3", problem);
        let rest = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong(format!("{url:?} is not s3://BUCKET/KEY; a prefix ends with /")));
        }
        let what = if key.contains(['*', '?', '[']) {
            What::Pattern(glob::Pattern::new(key).map_err(|e| wrong(format!("{key:?} is no pattern: {e}")))?)
        } else if key.is_empty() || key.ends_with('/') {
            What::Prefix(key.to_owned())
        } else {
            What::Key { key: key.to_owned(), workspace_key_prefix: "env:".to_owned() }
        };
        Ok((bucket.to_owned(), what))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::StateConfig;
    use crate::place::{Place, PlaceKind};
    use crate::source::s3::S3;
    use crate::source::s3::target::What;
    use serde_json::json;

    fn new(target: serde_json::Value) -> Result<S3, String> {
        S3::new(&Place::new(PlaceKind::S3, target), &StateConfig::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_backend_block_with_everything_terraform_knows() {
        let s3 = new(
            json!({"bucket": "b", "key": "/k", "region": "eu-west-1", "dynamodb_table": "locks", "encrypt": true,
            "use_lockfile": true, "kms_key_id": "x", "profile": "p", "endpoints": [{"s3": "http://127.0.0.1:1"}],
            "assume_role": {"role_arn": "arn:aws:iam::111122223333:role/r", "external_id": null}, "use_path_style": "true"}),
        );
        let s3 = s3.unwrap();
        assert!(
            matches!(&s3.what, What::Key { key, workspace_key_prefix } if key == "k" && workspace_key_prefix == "env:")
        );
        assert_eq!(
            (&*s3.aws.region, &*s3.aws.profile, &*s3.aws.endpoint_url),
            ("eu-west-1", "p", "http://127.0.0.1:1")
        );
        assert!(s3.aws.path_style && s3.aws.assume_role[0].session_name == "tfdrift");
    }

    #[test]
    fn how_terraform_logs_in_is_left_out_and_said() {
        let block = json!({"bucket": "b", "key": "k", "access_key": "AKIA", "secret_key": "s", "token": "",
            "assume_role_with_web_identity": [{"role_arn": "arn:aws:iam::111122223333:role/r"}],
            "assume_role_tags": {}, "assume_role_duration_seconds": 900});
        let s3 = new(block).unwrap();
        assert_eq!(s3.login_left_out, "access_key, secret_key, assume_role_with_web_identity");
        assert!(s3.aws.assume_role.is_empty());
    }

    #[test]
    fn a_key_of_a_later_terraform_is_no_mistake_where_terraform_wrote_it() {
        let mut place = Place::new(PlaceKind::S3, json!({"bucket": "b", "key": "k", "use_teleport": true}));
        assert!(S3::new(&place, &StateConfig::default()).is_err());
        place.noted_by_terraform = true;
        assert!(S3::new(&place, &StateConfig::default()).is_ok());
    }

    #[test]
    fn urls() {
        assert!(matches!(new(json!("s3://b/a/k")).unwrap().what, What::Key { key, .. } if key == "a/k"));
        assert!(matches!(new(json!("s3://b/a/")).unwrap().what, What::Prefix(p) if p == "a/"));
        assert!(matches!(new(json!("s3://b")).unwrap().what, What::Prefix(p) if p.is_empty()));
        assert!(matches!(new(json!("s3://b/*/x.tfstate")).unwrap().what, What::Pattern(_)));
        assert!(new(json!("bucket")).is_err());
    }

    #[test]
    fn refusals_name_the_key() {
        let error = |target| new(target).err().unwrap();
        assert!(error(json!({"key": "k"})).contains("s3.bucket: is missing"));
        assert!(error(json!({"bucket": "b", "kye": "k"})).contains("s3.kye"));
        let customer = error(json!({"bucket": "b", "key": "k", "sse_customer_key": "c2VjcmV0"}));
        assert!(customer.contains("terraform state pull") && !customer.contains("c2VjcmV0"), "{customer}");
        assert!(error(json!({"bucket": "b", "role_arn": "x"})).contains("role"));
    }
}
