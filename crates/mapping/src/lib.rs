//! The mapping format: TOML that says what an AWS operation does to Terraform types, checked and compiled
