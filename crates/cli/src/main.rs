//! The `tfdrift` command.

fn main() {}
