//! Any text as the address of a resource.
#![no_main]

#[path = "../../crates/tfstate/tests/support/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|text: &str| exercise::address(text));
