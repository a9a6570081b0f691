//! Account and region of a resource.

/// Account in an ARN: 12 digits. Absent in S3's ARNs and in those of AWS's own things (`arn:aws:iam::aws:…`).
pub(crate) fn arn_account(arn: &str) -> Option<&str> {
    let account = arn_part(arn, 4)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// What an ARN says about the region.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ArnRegion<'a> {
    /// It names one.
    Named(&'a str),
    /// A global service: there is none.
    Global,
    /// It does not say (S3), or this is no ARN.
    Unknown,
}

/// The region in an ARN.
pub(crate) fn arn_region(arn: &str) -> ArnRegion<'_> {
    match (arn_part(arn, 2), arn_part(arn, 3)) {
        (Some("s3"), Some("")) | (None, _) | (_, None) => ArnRegion::Unknown,
        (_, Some("")) => ArnRegion::Global,
        (_, Some(region)) => ArnRegion::Named(region),
    }
}

fn arn_part(arn: &str, n: usize) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return None;
    }
    parts.nth(n - 1)
}

/// Types of services that have no region, for those whose resources have no ARN.
pub(crate) fn is_global(rtype: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "aws_iam_",
        "aws_cloudfront_",
        "aws_organizations_",
        "aws_globalaccelerator_",
        "aws_route53_",
        "aws_route53domains_",
        "aws_route53recovery",
        "aws_waf_",
        "aws_shield_",
        "aws_account_",
        "aws_budgets_",
        "aws_ce_",
        "aws_networkmanager_",
        "aws_ecrpublic_",
    ];
    const REGIONAL: &[&str] = &["aws_route53_resolver_", "aws_route53_profiles_"];
    PREFIXES.iter().any(|p| rtype.starts_with(p)) && !REGIONAL.iter().any(|p| rtype.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns() {
        let role = "arn:aws:iam::111122223333:role/x";
        assert_eq!((arn_account(role), arn_region(role)), (Some("111122223333"), ArnRegion::Global));
        let sg = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1";
        assert_eq!((arn_account(sg), arn_region(sg)), (Some("111122223333"), ArnRegion::Named("eu-west-1")));
        let bucket = "arn:aws-cn:s3:::b";
        assert_eq!((arn_account(bucket), arn_region(bucket)), (None, ArnRegion::Unknown));
        assert_eq!(arn_account("arn:aws:iam::aws:policy/AdministratorAccess"), None);
        assert_eq!(arn_region("vpc-1"), ArnRegion::Unknown);
        assert!(
            is_global("aws_iam_role_policy")
                && !is_global("aws_route53_resolver_rule")
                && !is_global("aws_vpc")
        );
    }
}
