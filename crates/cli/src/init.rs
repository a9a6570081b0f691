//! `tfdrift init`: looks at a Terraform folder and writes what Falco needs: the plugin's configuration, a whole
//! falco.yaml, and the smallest IAM policy.

mod backend;
mod files;
mod findings;
mod folder;
mod iam;
mod resolve;
mod trail;

use crate::doctor::read_file;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the plugin's configuration, a falco.yaml and the smallest IAM policy for a Terraform folder.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder with Terraform's configuration, best after `terraform init`.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub dir: PathBuf,
    /// The trail's bucket, s3://BUCKET[/PREFIX]. Without it, an `aws_cloudtrail` in a local state or in the
    /// configuration is taken.
    #[arg(long, value_name = "S3-URL")]
    pub trail: Option<String>,
    /// A plugin configuration that is there already; its open_params name the trail, where --trail does not.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to write.
    #[arg(long, value_name = "FOLDER", default_value = "tfdrift")]
    pub out: PathBuf,
    /// Overwrite what is there.
    #[arg(long)]
    pub force: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder cannot be read.
    #[error("{folder}: {problem}; give Terraform's folder with --dir")]
    Folder {
        /// The folder.
        folder: String,
        /// The system's message.
        problem: String,
    },
    /// `--config` cannot be read.
    #[error("--config {problem}")]
    Config {
        /// The file and what is wrong with it.
        problem: String,
    },
    /// `--trail` is no bucket.
    #[error("trail {text}: {problem}")]
    Trail {
        /// What was given.
        text: String,
        /// Why that is none.
        problem: String,
    },
    /// A file is there already.
    #[error("{path} exists already: nothing was written; give --force to overwrite, or another --out")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file cannot be written.
    #[error("{path}: {problem}")]
    Write {
        /// The file.
        path: String,
        /// The system's message.
        problem: String,
    },
}

/// Runs the command: exit code 0 when all files are written, 1 otherwise.
pub fn run(args: &InitArgs) -> ExitCode {
    match write(args) {
        Ok(said) => {
            print!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tfdrift init: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Looks, writes, and gives the text for the user.
fn write(args: &InitArgs) -> Result<String, InitError> {
    let mut findings = folder::look(&args.dir)?;
    let configured = match &args.config {
        Some(path) => read_file(path).map_err(|step| InitError::Config { problem: step.what })?.1,
        None => None,
    };
    if let Some(trail) = args.trail.as_ref().or(configured.as_ref()) {
        let kms_key = findings.trail.take().and_then(|found| found.kms_key);
        findings.trail = Some(trail::of_argument(trail, kms_key)?);
        findings.unresolved = None;
    }
    let written = files::write(&args.out, args.force, &findings)?;
    Ok(findings.said(&written, &args.out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::Path;

    fn write_all(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn init(files: &[(&str, &str)], trail: Option<&str>) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path(), files);
        let args = InitArgs {
            dir: folder.path().into(),
            trail: trail.map(str::to_owned),
            config: None,
            out: folder.path().join("out"),
            force: false,
        };
        let said = write(&args).unwrap();
        (folder, said)
    }

    fn read(folder: &tempfile::TempDir, name: &str) -> String {
        std::fs::read_to_string(folder.path().join("out").join(name)).unwrap()
    }

    const BACKEND: &str = r#"
        terraform {
          required_version = ">= 1.5" # a comment
          backend "s3" {
            bucket     = "states"
            key        = "prod/terraform.tfstate"
            region     = "eu-west-1"
            kms_key_id = "arn:aws:kms:eu-west-1:111122223333:key/s"
          }
        }
        provider "aws" {
          region = "eu-west-1"
          assume_role { role_arn = "arn:aws:iam::111122223333:role/terraform" }
        }
        provider "aws" {
          alias  = "us"
          region = "us-east-1"
        }
        resource "aws_cloudtrail" "main" {
          name           = "main"
          s3_bucket_name = "my-trail"
          s3_key_prefix  = "audit"
          kms_key_id     = "arn:aws:kms:eu-west-1:111122223333:key/t"
        }
    "#;

    #[test]
    fn a_backend_block_and_a_trail_in_the_configuration() {
        let (folder, said) = init(&[("main.tf", BACKEND)], None);
        let plugin: Value = serde_yaml_ng::from_str(&read(&folder, "tfdrift.yaml")).unwrap();
        let plugin = &plugin["plugins"][0];
        assert_eq!(plugin["open_params"], "s3://my-trail/audit/AWSLogs/");
        assert_eq!(plugin["init_config"]["state"]["places"][0]["s3"]["key"], "prod/terraform.tfstate");
        assert_eq!(plugin["init_config"]["drift"]["roles"][0], "arn:aws:iam::111122223333:role/terraform");
        assert!(said.contains("eu-west-1, us-east-1"), "{said}");
        let policy: Value = serde_json::from_str(&read(&folder, "iam-policy.json")).unwrap();
        assert_eq!(
            policy,
            serde_json::json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "ListTrail", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::my-trail",
                 "Condition": {"StringLike": {"s3:prefix": "audit/AWSLogs/*"}}},
                {"Sid": "ReadTrail", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-trail/audit/AWSLogs/*"},
                {"Sid": "ListStates", "Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": "arn:aws:s3:::states",
                 "Condition": {"StringLike": {"s3:prefix": ["env:/*", "prod/terraform.tfstate*"]}}},
                {"Sid": "ReadStates", "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                 "Resource": ["arn:aws:s3:::states/prod/terraform.tfstate", "arn:aws:s3:::states/env:/*/prod/terraform.tfstate"]},
                {"Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt",
                 "Resource": ["arn:aws:kms:eu-west-1:111122223333:key/s", "arn:aws:kms:eu-west-1:111122223333:key/t"]}
            ]})
        );
    }

    #[test]
    fn what_terraform_init_wrote_wins_over_a_partial_block() {
        let initialised = r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"real","key":"k","region":"eu-west-1",
            "workspace_key_prefix":"ws","access_key":"AKIA","secret_key":"hunter2"}}}"#;
        let (folder, _) = init(
            &[
                ("main.tf", "terraform {\n  backend \"s3\" {}\n}\n"),
                (".terraform/terraform.tfstate", initialised),
            ],
            Some("s3://my-trail"),
        );
        let plugin = read(&folder, "tfdrift.yaml");
        assert!(plugin.contains("bucket: real") && plugin.contains("workspace_key_prefix: ws"), "{plugin}");
        assert!(
            !plugin.contains("hunter2") && !plugin.contains("AKIA"),
            "keys of the backend must not be copied"
        );
        assert!(read(&folder, "iam-policy.json").contains("arn:aws:s3:::real/ws/*/k"));
    }

    #[test]
    fn a_local_state_names_the_trail() {
        let state = r#"{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":{},"resources":[
            {"mode":"managed","type":"aws_cloudtrail","name":"org","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
             "instances":[{"schema_version":0,"attributes":{"id":"org","s3_bucket_name":"org-trail","s3_key_prefix":"",
             "kms_key_id":"","is_organization_trail":true}}]}]}"#;
        let (folder, said) = init(&[("terraform.tfstate", state)], None);
        let plugin: Value = serde_yaml_ng::from_str(&read(&folder, "tfdrift.yaml")).unwrap();
        assert_eq!(plugin["plugins"][0]["open_params"], "s3://org-trail/AWSLogs/");
        assert!(
            plugin["plugins"][0]["init_config"]["state"]["places"][0]["file"]
                .as_str()
                .unwrap()
                .ends_with("terraform.tfstate")
        );
        assert!(said.contains("organisation"), "{said}");
        // A local state needs no permission.
        assert!(!read(&folder, "iam-policy.json").contains("ReadStates"));
    }

    #[test]
    fn the_whole_falco_yaml_is_the_shipped_one_with_our_plugin() {
        let (folder, _) = init(&[("main.tf", BACKEND)], None);
        let falco: Value = serde_yaml_ng::from_str(&read(&folder, "falco.yaml")).unwrap();
        let plugin: Value = serde_yaml_ng::from_str(&read(&folder, "tfdrift.yaml")).unwrap();
        assert_eq!(falco["plugins"], plugin["plugins"]);
        assert_eq!(falco["engine"]["kind"], "nodriver");
        let config = tfdrift_plugin::config::Config::from_value(&falco["plugins"][0]["init_config"]).unwrap();
        assert_eq!(config.state.places.len(), 1);
    }

    #[test]
    fn nothing_is_overwritten_without_force() {
        let (folder, _) = init(&[("main.tf", BACKEND)], None);
        let mut args = InitArgs {
            dir: folder.path().into(),
            trail: None,
            config: None,
            out: folder.path().join("out"),
            force: false,
        };
        std::fs::remove_file(folder.path().join("out/falco.yaml")).unwrap();
        assert!(matches!(write(&args), Err(InitError::Exists { .. })));
        assert!(!folder.path().join("out/falco.yaml").exists(), "not even the missing file is written");
        args.force = true;
        write(&args).unwrap();
    }

    #[test]
    fn a_trail_that_is_no_bucket_is_refused() {
        assert!(
            trail::of_argument("s3Bucket=x", None).unwrap_err().to_string().contains("did you mean s3://x")
        );
        assert!(trail::of_argument("/tmp", None).unwrap_err().to_string().contains("s3://BUCKET"));
    }
}
