//! AWS for TFDrift: an explicit chain of credential sources that says why each of them gave nothing, the
//! clients built on it, the region of a bucket, and what to do about every refusal.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let aws = tfdrift_aws::Aws::connect(&tfdrift_aws::AwsConfig::default()).await?;
//! println!("{} through {}", aws.identity().map_or("unknown", |i| i.arn.as_str()), aws.link());
//! let bucket = aws.s3("my-trail").await?;
//! if let Err(error) = bucket.client.list_objects_v2().bucket("my-trail").max_keys(1).send().await {
//!     eprintln!("{}", aws.explain(&error, &tfdrift_aws::Asked::list("my-trail", "AWSLogs/")));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! No secret ever reaches a `Debug`, a `Display` or a log line of this crate.

mod chain;
mod clients;
mod clock;
mod config;
mod explain;
mod failure;
mod http;
mod identity;
mod link;
mod provider;
mod text;
mod why;

pub use chain::{Chain, ChainError, Resolved, Tried};
pub use clients::{Aws, AwsError, Bucket, RegionFrom};
pub use config::{AssumeRole, AwsConfig, ConfigError, Link, Links};
pub use explain::{Asked, Call, Explanation, Kind, bucket_arn, object_arn};
pub use failure::{Failure, Transport};
pub use http::HttpError;
pub use identity::Identity;
pub use provider::Refresh;
pub use why::{FileState, Why};

/// The SDK crates behind this one, so that others name the same versions.
pub use {aws_sdk_s3, aws_sdk_sts, aws_smithy_runtime_api, aws_types};
