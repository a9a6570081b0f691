//! Helpers of the tests: a scripted HTTP server on loopback, golden files, a clean child process, moto.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod child;
pub mod golden;
pub mod http;
pub mod moto;

/// Stands for every secret in these tests; no output may hold it.
pub const SECRET: &str = "hunter2SecretHunter2SecretHunter2Secret1";
