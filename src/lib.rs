//! The Falco face of TFDrift.
pub mod config;
