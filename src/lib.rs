//! TFDrift as a Falco plugin, as a safe Rust library.
