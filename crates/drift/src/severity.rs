//! How bad a finding is: a small table of types, attributes and values.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::policy;

/// `tf.severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Configuration differs.
    Medium,
    /// Security, availability or data are weaker than Terraform says.
    High,
    /// Open to the world, full rights, data or the audit trail gone.
    Critical,
}

impl Severity {
    /// As the field's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// From a mapping's `severity`.
    pub fn parse(text: Option<&str>) -> Option<Severity> {
        match text? {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => None,
        }
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

use Severity::{Critical, High, Low, Medium};

/// What a deletion means, by the beginning of the type. The first line that fits counts; what is not listed is high.
const DELETED: &[(&str, Severity)] = &[
    ("aws_cloudtrail", Critical),
    ("aws_kms_key", Critical),
    ("aws_kms_external_key", Critical),
    ("aws_kms_replica_key", Critical),
    ("aws_db_instance", Critical),
    ("aws_rds_cluster", Critical),
    ("aws_dynamodb_table", Critical),
    ("aws_efs_file_system", Critical),
    ("aws_s3_bucket_public_access_block", Critical),
    ("aws_guardduty_detector", Critical),
    ("aws_flow_log", High),
    ("aws_s3_bucket_metric", Low),
    ("aws_cloudwatch_dashboard", Low),
    ("aws_cloudwatch_log_stream", Low),
];

/// What a changed attribute means: type (beginning; "" for all), attribute (beginning), what must hold for the new value.
const MODIFIED: &[(&str, &str, When, Severity)] = &[
    ("", "ingress", When::OpenToWorld, Critical),
    ("aws_vpc_security_group_ingress_rule", "cidr_ipv", When::OpenToWorld, Critical),
    ("aws_security_group_rule", "", When::OpenToWorld, Critical),
    ("aws_network_acl", "", When::OpenToWorld, High),
    ("aws_default_security_group", "ingress", When::OpenToWorld, Critical),
    ("", "managed_policy_arns", When::Admin, Critical),
    ("", "policy", When::OpenPolicy, Critical),
    ("", "inline_policy", When::OpenPolicy, Critical),
    ("", "assume_role_policy", When::OpenPolicy, Critical),
    ("", "access_policy", When::OpenPolicy, Critical),
    ("", "access_policies", When::OpenPolicy, Critical),
    ("", "publicly_accessible", When::True, Critical),
    ("aws_s3_bucket_public_access_block", "", When::False, Critical),
    ("aws_s3_account_public_access_block", "", When::False, Critical),
    ("", "enable_logging", When::False, Critical),
    ("aws_cloudtrail", "", When::Any, High),
    ("", "deletion_protection", When::False, High),
    ("", "enable_deletion_protection", When::False, High),
    ("", "disable_api_termination", When::False, High),
    ("", "storage_encrypted", When::False, High),
    ("", "encrypted", When::False, High),
    ("", "enable_key_rotation", When::False, High),
    ("", "point_in_time_recovery", When::Any, High),
    ("", "server_side_encryption", When::Any, High),
    ("aws_s3_bucket_server_side_encryption_configuration", "", When::Any, High),
    ("", "versioning", When::Any, High),
    ("", "kms_key_id", When::Any, High),
    ("", "kms_master_key_id", When::Any, High),
    ("", "acl", When::Any, High),
    ("", "grant", When::Any, High),
    ("", "logging", When::Any, High),
    ("aws_s3_bucket_logging", "", When::Any, High),
    ("aws_flow_log", "", When::Any, High),
    ("aws_lb", "access_logs", When::Any, High),
    ("", "assume_role_policy", When::Any, High),
    ("", "inline_policy", When::Any, High),
    ("", "managed_policy_arns", When::Any, High),
    ("", "permissions_boundary", When::Any, High),
    ("aws_iam_", "policy", When::Any, High),
    ("aws_s3_bucket_policy", "policy", When::Any, High),
    ("aws_kms_key", "policy", When::Any, High),
    ("aws_kms_key", "is_enabled", When::Any, High),
    ("aws_iam_", "", When::Any, High),
    ("", "ingress", When::Any, High),
    ("aws_security_group_rule", "", When::Any, High),
    ("aws_vpc_security_group_", "", When::Any, High),
    ("", "egress", When::Any, Medium),
    ("", "backup_retention_period", When::Any, High),
    ("", "image_tag_mutability", When::Any, Medium),
    ("aws_autoscaling_group", "desired_capacity", When::Any, Low),
    ("aws_ecs_service", "desired_count", When::Any, Low),
    ("", "attachment_count", When::Any, Low),
    ("", "tags", When::Any, Low),
    ("", "description", When::Any, Low),
    ("", "comment", When::Any, Low),
    ("", "display_name", When::Any, Low),
    ("", "instance_state", When::Any, Low),
    ("", "status", When::Any, Low),
];

/// What is made outside Terraform: by the beginning of the type; what is not listed is medium.
const UNMANAGED: &[(&str, Severity)] = &[
    ("aws_iam_access_key", High),
    ("aws_iam_user", High),
    ("aws_iam_role", High),
    ("aws_iam_openid_connect_provider", High),
    ("aws_iam_saml_provider", High),
    ("aws_cloudwatch_log_stream", Low),
    ("aws_db_snapshot", Low),
    ("aws_ebs_snapshot", Low),
];

/// A condition on the new value.
#[derive(Clone, Copy)]
enum When {
    Any,
    True,
    False,
    OpenToWorld,
    OpenPolicy,
    Admin,
}

impl When {
    fn holds(self, old: &Value, new: &Value) -> bool {
        match self {
            When::Any => true,
            When::True => *new == Value::Bool(true),
            When::False => crate::equal::is_zero(new),
            When::OpenToWorld => count(new, &is_world) > count(old, &is_world),
            When::OpenPolicy => opens(new) && !opens(old),
            When::Admin => count(new, &is_admin) > count(old, &is_admin),
        }
    }
}

/// The severity of a deleted resource.
pub fn of_deleted(rtype: &str) -> Severity {
    DELETED.iter().find(|(t, _)| rtype.starts_with(t)).map_or(High, |d| d.1)
}

/// The severity of a changed attribute. The first line of the table that fits counts; what is not listed is medium.
pub fn of_attribute(rtype: &str, attribute: &str, old: &Value, new: &Value) -> Severity {
    MODIFIED
        .iter()
        .find(|(t, a, when, _)| rtype.starts_with(t) && attribute.starts_with(a) && when.holds(old, new))
        .map_or(Medium, |m| m.3)
}

/// The severity of a resource made outside Terraform.
pub fn of_unmanaged(rtype: &str) -> Severity {
    UNMANAGED.iter().find(|(t, _)| rtype.starts_with(t)).map_or(Medium, |u| u.1)
}

fn count(v: &Value, is: &dyn Fn(&str) -> bool) -> usize {
    match v {
        Value::String(s) => usize::from(is(s)),
        Value::Array(a) => a.iter().map(|x| count(x, is)).sum(),
        Value::Object(o) => o.values().map(|x| count(x, is)).sum(),
        _ => 0,
    }
}

fn is_world(s: &str) -> bool {
    s == "0.0.0.0/0" || s == "::/0"
}

/// AWS's policies that give everything or let their holder take it.
pub fn is_admin(s: &str) -> bool {
    ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"]
        .iter()
        .any(|p| s.ends_with(&format!("policy/{p}")))
}

/// Whether a policy, or one of several (inline policies), allows everything or everybody.
fn opens(v: &Value) -> bool {
    match v {
        Value::String(s) => policy::document(&Value::String(s.clone())).is_some_and(|d| opens(&d)),
        Value::Array(a) => a.iter().any(opens),
        Value::Object(o) => match o.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().any(open_statement),
            Some(one) => open_statement(one),
            None => o.values().any(opens),
        },
        _ => false,
    }
}

fn open_statement(s: &Value) -> bool {
    let star = |v: Option<&Value>| v.is_some_and(|v| count(v, &|s| s == "*" || s == "*:*") > 0);
    let everybody = s.get("Principal").is_some_and(|p| count(p, &|s| s == "*") > 0);
    s.get("Effect").and_then(Value::as_str) == Some("Allow")
        && ((everybody && s.get("Condition").is_none()) || (star(s.get("Action")) && star(s.get("Resource"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_world_is_critical_and_only_if_it_is_new() {
        let open = json!([{"cidr_blocks":["0.0.0.0/0"]}]);
        assert_eq!(of_attribute("aws_security_group", "ingress", &json!([]), &open), Critical);
        assert_eq!(of_attribute("aws_security_group", "ingress", &open, &open), High);
        assert_eq!(
            of_attribute(
                "aws_security_group",
                "ingress",
                &json!([]),
                &json!([{"cidr_blocks":["10.0.0.0/8"]}])
            ),
            High
        );
    }

    #[test]
    fn policies() {
        let admin = json!("{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}");
        assert_eq!(of_attribute("aws_iam_role_policy", "policy", &json!("{}"), &admin), Critical);
        let everybody = json!({"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"b"}}).to_string();
        assert_eq!(of_attribute("aws_s3_bucket_policy", "policy", &json!(null), &json!(everybody)), Critical);
        assert_eq!(of_attribute("aws_vpc", "tags", &json!({}), &json!({"a":"b"})), Low);
        assert_eq!(of_deleted("aws_cloudtrail"), Critical);
        assert_eq!(of_deleted("aws_instance"), High);
    }
}
