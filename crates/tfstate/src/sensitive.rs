//! What is sensitive though the state does not say so: the provider's own list, and names that speak.

pub(crate) mod names;
pub(crate) mod values;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// TYPE PATH…, one type a line.
const KNOWN: &str = include_str!("sensitive_attributes.txt");

/// Paths that the provider declares sensitive or write-only in `rtype`. Whether Terraform writes all of them to
/// `sensitive_attributes` was never settled, and it does not before 0.14.
pub(crate) fn known_paths(rtype: &str) -> &'static [&'static str] {
    static PATHS: OnceLock<FxHashMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(' ')).map(|(t, p)| (t, p.split(' ').collect())).collect()
    });
    paths.get(rtype).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_list_is_read() {
        assert!(known_paths("aws_iam_access_key").contains(&"secret"));
        assert!(known_paths("aws_db_instance").contains(&"password"));
        assert!(known_paths("aws_alb_listener").contains(&"default_action.authenticate_oidc.client_secret"));
        assert!(known_paths("aws_vpc").is_empty());
    }
}
