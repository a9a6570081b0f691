//! `tfdrift init` on folders as people have them: names behind references, secrets in backends, no trail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::process::Command;

/// What one run said and wrote.
struct Written {
    code: Option<i32>,
    said: String,
    /// tfdrift.yaml, falco.yaml and iam-policy.json, one after the other.
    files: [String; 3],
}

fn init(files: &[(&str, &str)], args: &[&str]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
        .arg("init")
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    let files = ["tfdrift.yaml", "falco.yaml", "iam-policy.json"]
        .map(|name| std::fs::read_to_string(folder.path().join("tfdrift").join(name)).unwrap_or_default());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    Written { code: output.status.code(), said, files }
}

impl Written {
    /// `open_params`, the condition on the prefix, and the resource of the objects.
    fn trail(&self) -> [String; 3] {
        let plugin: Value = serde_yaml_ng::from_str(&self.files[0]).unwrap();
        let policy: Value = serde_json::from_str(&self.files[2]).unwrap();
        let [list, read] = [0, 1].map(|n| policy["Statement"][n].clone());
        [
            &plugin["plugins"][0]["open_params"],
            &list["Condition"]["StringLike"]["s3:prefix"],
            &read["Resource"],
        ]
        .map(|value| value.as_str().unwrap().to_owned())
    }
}

#[test]
fn parameters_and_policy_agree_without_a_trail() {
    let written = init(&[("main.tf", "")], &[]);
    let expected =
        ["s3://YOUR-TRAIL-BUCKET/AWSLogs/", "AWSLogs/*", "arn:aws:s3:::YOUR-TRAIL-BUCKET/AWSLogs/*"];
    assert_eq!(written.trail(), expected, "{}", written.said);
    assert!(
        written.said.contains("trail: none found; give --trail s3://BUCKET[/PREFIX]"),
        "{}",
        written.said
    );
}

const BUCKET: &str = r#"
    variable "env" { default = "dev" }
    variable "prefix" {}
    locals { name = "acme-${var.env}-trail" }
    resource "aws_s3_bucket" "logs" { bucket = local.name }
"#;

#[test]
fn references_of_a_trail_are_followed() {
    for bucket in
        ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs.bucket", "local.name", "\"acme-${var.env}-trail\""]
    {
        let trail = format!(
            "resource \"aws_cloudtrail\" \"main\" {{\n  s3_bucket_name = {bucket}\n  s3_key_prefix = var.prefix\n  \
             is_organization_trail = true\n}}\n"
        );
        let written = init(
            &[
                ("bucket.tf", BUCKET),
                ("trail.tf", &trail),
                ("terraform.tfvars", "env = \"prod\"\nprefix = \"audit\"\n"),
            ],
            &[],
        );
        let expected = [
            "s3://acme-prod-trail/audit/AWSLogs/",
            "audit/AWSLogs/*",
            "arn:aws:s3:::acme-prod-trail/audit/AWSLogs/*",
        ];
        assert_eq!(written.trail(), expected, "{bucket}: {}", written.said);
        assert!(written.said.contains("the organisation's trail"), "{}", written.said);
    }
}

#[test]
fn what_is_not_known_is_named_with_the_flag_to_give() {
    for (trail, said) in [
        (
            "s3_bucket_name = module.logs.bucket",
            "s3_bucket_name of aws_cloudtrail.main in ./trail.tf is not known: module.logs.bucket is no literal here; give --trail s3://BUCKET[/PREFIX]",
        ),
        (
            "s3_bucket_name = aws_s3_bucket.logs.id\n  s3_key_prefix = var.prefix",
            "s3_key_prefix of aws_cloudtrail.main in ./trail.tf is not known: var.prefix is no literal here; give --trail s3://acme-dev-trail/PREFIX",
        ),
        (
            "s3_bucket_name = aws_s3_bucket.logs.id\n  kms_key_id = aws_kms_key.trail.arn",
            "kms_key_id of aws_cloudtrail.main in ./trail.tf is not known: aws_kms_key.trail.arn is no literal here; add kms:Decrypt",
        ),
    ] {
        let trail = format!("resource \"aws_cloudtrail\" \"main\" {{\n  {trail}\n}}\n");
        let written = init(&[("bucket.tf", BUCKET), ("trail.tf", &trail)], &[]);
        assert_eq!(written.code, Some(0), "{}", written.said);
        assert!(written.said.contains(said), "{}", written.said);
    }
}

/// Backends as `terraform init` leaves them, each with `hunter2` as every secret, and what Falco is given instead.
const SECRETS: [(&str, &str, &str); 6] = [
    (
        "http",
        r#"{"address":"https://u:hunter2@h/x?private_token=hunter2","password":"hunter2"}"#,
        "TF_HTTP_PASSWORD",
    ),
    (
        "s3",
        r#"{"bucket":"b","key":"k","access_key":"hunter2","secret_key":"hunter2","token":"hunter2"}"#,
        "AWS_SECRET_ACCESS_KEY",
    ),
    (
        "gcs",
        r#"{"bucket":"b","credentials":"hunter2","encryption_key":"hunter2"}"#,
        "GOOGLE_BACKEND_CREDENTIALS",
    ),
    (
        "azurerm",
        r#"{"storage_account_name":"a","container_name":"c","key":"k","access_key":"hunter2","sas_token":"hunter2","client_secret":"hunter2"}"#,
        "ARM_SAS_TOKEN",
    ),
    ("remote", r#"{"organization":"acme","token":"hunter2","workspaces":[{"name":"prod"}]}"#, "TFE_TOKEN"),
    ("consul", r#"{"path":"p","access_token":"hunter2"}"#, "which the plugin cannot read"),
];

#[test]
fn no_secret_of_a_backend_is_written_or_said() {
    for (kind, config, instead) in SECRETS {
        let state = format!(r#"{{"version":3,"backend":{{"type":"{kind}","config":{config}}}}}"#);
        let block: serde_json::Map<String, Value> = serde_json::from_str(config).unwrap();
        let keys = block.iter().filter_map(|(key, value)| Some(format!("{key} = \"{}\"\n", value.as_str()?)));
        let hcl = format!("terraform {{\n  backend \"{kind}\" {{\n{}  }}\n}}\n", keys.collect::<String>());
        for files in [[(".terraform/terraform.tfstate", state.as_str())], [("main.tf", hcl.as_str())]] {
            let written = init(&files, &[]);
            assert_eq!(written.code, Some(0), "{}", written.said);
            assert!(!written.said.contains("hunter2"), "{}", written.said);
            assert!(!written.files.concat().contains("hunter2"), "{}", written.files[0]);
            assert!(written.said.contains(instead), "{kind}: {}", written.said);
        }
    }
}

#[test]
fn a_file_that_is_not_valid_hcl_is_named_and_not_shown() {
    let written = init(&[("main.tf", "variable \"password\" { default = \"hunter2 }\n")], &[]);
    assert!(written.said.contains("remark: ./main.tf was passed over: line 1"), "{}", written.said);
    assert!(!written.said.contains("hunter2"), "{}", written.said);
}

#[test]
fn a_configuration_that_is_there_names_the_trail() {
    let config = "plugins:\n- name: tfdrift\n  open_params: s3://from-config/audit/AWSLogs/?since=2h\n";
    let written = init(&[("falco.yaml", config)], &["--config", "falco.yaml"]);
    assert_eq!(written.trail()[0], "s3://from-config/audit/AWSLogs/", "{}", written.said);
    let written = init(&[("falco.yaml", config)], &["--config", "falco.yaml", "--trail", "s3://mine"]);
    assert_eq!(written.trail()[0], "s3://mine/AWSLogs/", "{}", written.said);
    let written = init(&[], &["--config", "nowhere.yaml"]);
    assert_eq!(written.code, Some(1));
    assert!(written.said.contains("nowhere.yaml: No such file"), "{}", written.said);
}
