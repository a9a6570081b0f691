//! Against moto, which speaks STS and S3 as AWS does: roles one after the other, a versioned bucket, its region.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::SECRET;
use support::moto::Moto;
use tfdrift_aws::{AssumeRole, Aws, AwsConfig, Link, RegionFrom, aws_sdk_s3};

fn config(url: &str, folder: &tempfile::TempDir) -> AwsConfig {
    let credentials = folder.path().join("credentials");
    std::fs::write(
        &credentials,
        format!("[test]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n"),
    )
    .unwrap();
    std::fs::write(folder.path().join("config"), "").unwrap();
    AwsConfig {
        profile: "test".into(),
        config: folder.path().join("config").to_str().unwrap().into(),
        credentials: credentials.to_str().unwrap().into(),
        chain: vec![Link::Profile].into(),
        endpoint_url: url.into(),
        path_style: true,
        ..AwsConfig::default()
    }
}

#[tokio::test]
async fn roles_identity_and_a_versioned_bucket() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => {
            println!("skipped: moto cannot be set up here: {why}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&moto.url, &folder);
    let aws = Aws::connect(&config).await.unwrap();
    assert_eq!(aws.identity().map(|i| i.account.as_str()), Some("123456789012"));

    use aws_sdk_s3::types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
    };
    let s3 = aws.s3_in("eu-west-1");
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("my-trail").create_bucket_configuration(place).send().await.unwrap();
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("my-trail").versioning_configuration(versions).send().await.unwrap();
    for body in ["one", "two"] {
        s3.put_object()
            .bucket("my-trail")
            .key("k")
            .body(aws_sdk_s3::primitives::ByteStream::from_static(body.as_bytes()))
            .send()
            .await
            .unwrap();
    }

    config.assume_role = ["first", "second"]
        .map(|name| AssumeRole {
            role_arn: format!("arn:aws:iam::444455556666:role/{name}"),
            external_id: "x".into(),
            session_name: "audit".into(),
        })
        .to_vec();
    let aws = Aws::connect(&config).await.unwrap();
    let arn = &aws.identity().unwrap().arn;
    assert_eq!(arn, "arn:aws:sts::444455556666:assumed-role/second/audit");
    assert_eq!(aws.region(), None);
    let bucket = aws.s3("my-trail").await.unwrap();
    assert_eq!((bucket.region.as_str(), bucket.region_from), ("eu-west-1", RegionFrom::Bucket));
    let listed = bucket.client.list_object_versions().bucket("my-trail").send().await.unwrap();
    assert_eq!(listed.versions().len(), 2);
    let body = bucket
        .client
        .get_object()
        .bucket("my-trail")
        .key("k")
        .send()
        .await
        .unwrap()
        .body
        .collect()
        .await
        .unwrap();
    assert_eq!(body.into_bytes().as_ref(), b"two");

    let missing = aws.s3("other-trail").await.unwrap_err();
    assert_eq!(missing.kind, tfdrift_aws::Kind::NoSuchBucket, "{missing}");
}
