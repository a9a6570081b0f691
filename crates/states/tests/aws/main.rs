//! S3 places against moto, which has versions and roles as AWS has them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod bucket;
mod history;
#[path = "../../../aws/tests/support/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "../../../aws/tests/support/moto.rs"]
mod moto;
mod refused;
mod said;
