//! Generators of committed data.

fn main() {}
