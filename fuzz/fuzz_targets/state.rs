//! Any bytes as a Terraform state.
#![no_main]

#[path = "../../crates/tfstate/tests/support/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::state(bytes));
