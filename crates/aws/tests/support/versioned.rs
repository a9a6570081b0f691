//! A versioned bucket of states in moto, for those who look at the past. Beside `moto.rs`, as `mod moto`.

use crate::moto::Moto;
use serde_json::{Value, json};
use tfdrift_aws::aws_sdk_s3::Client;
use tfdrift_aws::aws_sdk_s3::primitives::ByteStream;
use tfdrift_aws::aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use tfdrift_aws::{Aws, AwsConfig};

/// The bucket `states`, and a folder for credentials and whatever else the test writes.
pub struct Versioned {
    pub folder: tempfile::TempDir,
    moto: Moto,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Versioned {
    /// None where moto cannot be had, which is said.
    pub fn new() -> Option<Versioned> {
        let moto =
            Moto::start().inspect_err(|why| println!("skipped: moto cannot be set up here: {why}")).ok()?;
        let folder = tempfile::tempdir().unwrap();
        let keys = "[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n";
        std::fs::write(folder.path().join("credentials"), keys).unwrap();
        let aws: AwsConfig = serde_json::from_value(settings(&folder, &moto.url)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(Aws::connect(&aws)).unwrap().s3_in("us-east-1");
        runtime.block_on(client.create_bucket().bucket("states").send()).unwrap();
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let versioning = client.put_bucket_versioning().bucket("states").versioning_configuration(on);
        runtime.block_on(versioning.send()).unwrap();
        Some(Versioned { folder, moto, client, runtime })
    }

    /// Writes `net.tfstate` at a time of 2 November 2026: `19:30:00`.
    pub fn put(&mut self, time: &str, text: String) {
        self.moto.clock(&format!("2026-11-02T{time}"));
        let body = ByteStream::from(text.into_bytes());
        let put = self.client.put_object().bucket("states").key("net.tfstate").body(body);
        self.runtime.block_on(put.send()).unwrap();
    }

    /// The section `aws` of a configuration that reads it.
    pub fn aws(&self) -> Value {
        settings(&self.folder, &self.moto.url)
    }
}

fn settings(folder: &tempfile::TempDir, url: &str) -> Value {
    let at = folder.path();
    json!({"region": "us-east-1", "chain": ["profile"], "config": at.join("none"), "credentials": at.join("credentials"),
        "endpoint_url": url, "path_style": true})
}
