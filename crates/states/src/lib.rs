//! The places where Terraform states live, and the registry of live snapshots
