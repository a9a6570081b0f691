//! The places `azurerm` and `gcs`, against the emulators of both clouds: Azurite and fake-gcs-server, started on the
//! loopback (tests/emulators.sh of the workspace). Where they cannot be had, each test says "skipped" and why.

#![allow(clippy::unwrap_used)] // helpers of tests; clippy knows only the test functions themselves

mod azurite;
mod gcs;
mod support;
