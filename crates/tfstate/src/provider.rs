//! Provider addresses, in the forms that states of different ages write.

/// The source address inside a provider reference: `provider["registry.terraform.io/hashicorp/aws"].eu` and
/// `module.m.provider["…"]` (Terraform ≥ 0.13), `provider.aws.eu` (0.12), `registry.terraform.io/hashicorp/aws`
/// and `aws` (`show -json`). Legacy names come back as they are, without alias.
pub(crate) fn source(reference: &str) -> &str {
    if let Some((_, rest)) = reference.split_once("provider[\"") {
        return rest.split_once('"').map_or(rest, |(source, _)| source);
    }
    if reference.contains('/') {
        return reference;
    }
    let legacy = match reference.strip_prefix("provider.") {
        Some(rest) => rest,
        None => reference.split_once(".provider.").map_or(reference, |(_, rest)| rest),
    };
    legacy.split('.').next().unwrap_or(legacy)
}

/// The alias of a provider reference, if it has one.
pub(crate) fn alias(reference: &str) -> Option<&str> {
    let rest = match reference.split_once("provider[\"") {
        Some((_, rest)) => rest.split_once("\"]")?.1,
        None => {
            let legacy = reference
                .strip_prefix("provider.")
                .or_else(|| reference.split_once(".provider.").map(|(_, rest)| rest))?;
            legacy.split_once('.').map_or("", |(name, _)| legacy.get(name.len()..).unwrap_or_default())
        }
    };
    let alias = rest.strip_prefix('.')?;
    (!alias.is_empty()).then_some(alias)
}

/// Whether a source address is HashiCorp's AWS provider, from any registry.
pub(crate) fn is_aws(source: &str) -> bool {
    source == "aws" || source.ends_with("/hashicorp/aws") || source.ends_with("/-/aws")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (reference, expected, expected_alias) in [
            (
                "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "registry.terraform.io/hashicorp/aws",
                None,
            ),
            (
                "provider[\"registry.opentofu.org/hashicorp/aws\"].eu",
                "registry.opentofu.org/hashicorp/aws",
                Some("eu"),
            ),
            (
                "module.a[\"x\"].provider[\"registry.terraform.io/hashicorp/aws\"]",
                "registry.terraform.io/hashicorp/aws",
                None,
            ),
            ("provider.aws", "aws", None),
            ("provider.aws.eu", "aws", Some("eu")),
            ("module.m.provider.aws", "aws", None),
            ("registry.terraform.io/hashicorp/aws", "registry.terraform.io/hashicorp/aws", None),
            ("aws", "aws", None),
        ] {
            assert_eq!(source(reference), expected, "{reference}");
            assert_eq!(alias(reference), expected_alias, "{reference}");
            assert!(is_aws(source(reference)), "{reference}");
        }
        assert!(!is_aws(source("provider[\"registry.terraform.io/hashicorp/awscc\"]")));
        assert!(!is_aws(source("provider[\"terraform.io/builtin/terraform\"]")));
    }
}
