//! `drift:` of the configuration: whose changes are expected, and what is ignored.

use serde::{Deserialize, Serialize};
use tfdrift_cloudtrail::Via;
use tfdrift_tfstate::Configured;

use crate::equal;
use crate::explain::Trace;
use crate::finding::{ResourceFinding, hidden};

/// `drift:` as it stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DriftSettings {
    /// ARNs or names of the roles that Terraform runs as; `*` stands for anything. Empty: the user agent alone decides.
    pub roles: Vec<String>,
    /// Whether the shipped ignore rules hold (what autoscalers change).
    pub ignore_defaults: bool,
    /// Own ignore rules.
    pub ignore: Vec<IgnoreRule>,
}

impl Default for DriftSettings {
    fn default() -> Self {
        DriftSettings { roles: Vec::new(), ignore_defaults: true, ignore: Vec::new() }
    }
}

/// What is not to be reported. All that is given must fit; `*` stands for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IgnoreRule {
    /// Address (`module.*.aws_autoscaling_group.*`).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Top-level attribute, or a path into it for one tag (`tags.Backup`). Empty: the resource as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub attribute: String,
    /// `tf.actor`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// `eventName` without a version suffix.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// Last day (`2026-12-31`, UTC) on which it holds, by the event's own time.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// Why; shown by `tfdrift` and required.
    pub reason: String,
}

/// Why an ignore rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("drift.ignore[{index}]: {what}")]
pub struct IgnoreError {
    /// Its place in the list, counted from 0.
    pub index: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

/// [`DriftSettings`], checked.
#[derive(Debug, Clone, Default)]
pub struct DriftConfig {
    roles: Vec<String>,
    ignore: Vec<IgnoreRule>,
}

/// What autoscalers change all day: only where the change is theirs.
fn shipped() -> Vec<IgnoreRule> {
    let rule = |address: &str, attribute: &str, actor: &str| IgnoreRule {
        address: format!("*{address}.*"),
        attribute: attribute.into(),
        actor: actor.into(),
        reason: "shipped: changed by an autoscaler".into(),
        ..IgnoreRule::default()
    };
    let mut out = Vec::new();
    for actor in
        ["*autoscaling.amazonaws.com", "AutoScaling*", "AWSServiceRoleFor*AutoScaling*", "*autoscaling*"]
    {
        out.push(rule("aws_autoscaling_group", "desired_capacity", actor));
        out.push(rule("aws_ecs_service", "desired_count", actor));
        out.push(rule("aws_dynamodb_table", "read_capacity", actor));
        out.push(rule("aws_dynamodb_table", "write_capacity", actor));
        out.push(rule("aws_rds_cluster", "replicas", actor));
        out.push(rule(
            "aws_lambda_provisioned_concurrency_config",
            "provisioned_concurrent_executions",
            actor,
        ));
    }
    out
}

impl DriftSettings {
    /// Checks the rules.
    ///
    /// # Errors
    /// A rule without anything to match, without a reason, or with a date that is none.
    pub fn check(&self) -> Result<DriftConfig, IgnoreError> {
        for (index, rule) in self.ignore.iter().enumerate() {
            let error = |what: &str| Err(IgnoreError { index, what: what.to_owned() });
            if [&rule.address, &rule.attribute, &rule.actor, &rule.operation].iter().all(|s| s.is_empty()) {
                return error("nothing to match: give at least one of address, attribute, actor, operation");
            }
            if rule.reason.trim().is_empty() {
                return error("`reason` is missing: why is this not to be reported?");
            }
            if !rule.until.is_empty() && !is_date(&rule.until) {
                return error(&format!("until: `{}` is no day; write YYYY-MM-DD", rule.until));
            }
        }
        let mut ignore = self.ignore.clone();
        if self.ignore_defaults {
            ignore.extend(shipped());
        }
        Ok(DriftConfig { roles: self.roles.clone(), ignore })
    }

    /// Rules whose last day lies before `today` (`YYYY-MM-DD`): they hold no more and should go.
    pub fn expired(&self, today: &str) -> Vec<(usize, &IgnoreRule)> {
        self.ignore
            .iter()
            .enumerate()
            .filter(|(_, r)| !r.until.is_empty() && r.until.as_str() < today)
            .collect()
    }
}

fn is_date(s: &str) -> bool {
    s.len() == 10 && tfdrift_cloudtrail::time::parse_rfc3339_ns(&format!("{s}T00:00:00Z")).is_some()
}

impl DriftConfig {
    /// All rules that hold, shipped ones last.
    pub fn rules(&self) -> &[IgnoreRule] {
        &self.ignore
    }

    /// `tf.expected`: Terraform's or OpenTofu's user agent and, where roles are configured, one of them.
    pub fn is_expected(&self, via: Via, principal: Option<&str>) -> bool {
        if !matches!(via, Via::Terraform | Via::OpenTofu) {
            return false;
        }
        self.roles.is_empty()
            || principal.is_some_and(|arn| {
                let name = arn.rsplit('/').next().unwrap_or(arn);
                self.roles.iter().any(|r| glob(r, arn) || (!r.starts_with("arn:") && glob(r, name)))
            })
    }

    /// Takes out of a finding what a rule or the resource's own `ignore_changes` silences; how many things that were.
    pub fn ignore(
        &self,
        one: &mut ResourceFinding,
        configured: Option<&Configured>,
        actor: Option<&str>,
        operation: &str,
        event_time: Option<&str>,
        trace: &mut Trace,
    ) -> u32 {
        let mut count = 0;
        if one.kind.is_none() {
            return 0;
        }
        // What Terraform itself leaves to others.
        let left: Vec<IgnoreRule> = configured.map(ignore_changes).unwrap_or_default();
        for rule in self.ignore.iter().chain(&left) {
            let fits = |pattern: &str, value: &str| pattern.is_empty() || glob(pattern, value);
            let over = !rule.until.is_empty()
                && event_time.is_some_and(|t| t.get(..10).is_some_and(|d| d > rule.until.as_str()));
            if over
                || !fits(&rule.address, &one.address)
                || !fits(&rule.actor, actor.unwrap_or(""))
                || !fits(&rule.operation, operation)
            {
                continue;
            }
            if rule.attribute.is_empty() {
                one.ignored = Some(rule.reason.clone());
                one.attrs.clear();
                count += 1;
            } else {
                let before = one.attrs.len();
                one.attrs.retain(|name, change| !rule.silences(name, change));
                if one.attrs.len() < before {
                    count += (before - one.attrs.len()) as u32;
                    one.ignored = Some(rule.reason.clone());
                }
            }
            if one.ignored.is_some() && one.attrs.is_empty() {
                trace.say(|| format!("{}: ignored: {}", one.address, rule.reason));
                one.kind = None;
                one.severity = None;
                one.diff.clear();
                break;
            }
        }
        if count > 0 && one.kind.is_some() {
            let lines: Vec<String> = one
                .attrs
                .iter()
                .map(|(n, c)| crate::diff_text::attribute(n, &c.old, &c.new, c.certain))
                .collect();
            one.diff = lines.join("; ");
        }
        count
    }
}

/// `ignore_changes` of the resource's block, as rules.
fn ignore_changes(configured: &Configured) -> Vec<IgnoreRule> {
    let rule = |path: &String| IgnoreRule {
        attribute: path.clone(),
        reason: format!("ignore_changes at {}", configured.source),
        ..IgnoreRule::default()
    };
    configured.ignore_changes.iter().map(rule).collect()
}

impl IgnoreRule {
    /// Whether it silences the change of an attribute: by its name, or because everything that differs lies at the rule's path.
    fn silences(&self, name: &str, change: &crate::finding::AttributeChange) -> bool {
        if glob(&self.attribute, name) {
            return true;
        }
        let Some(key) = self.attribute.strip_prefix(name).and_then(|r| r.strip_prefix('.')) else {
            return false;
        };
        let (Some(old), Some(new)) = (change.old.as_object(), change.new.as_object()) else { return false };
        let hides = |k: &str| change.hidden.iter().any(|path| hidden::meets(path, &format!("{name}.{k}")));
        let differs = |k: &String| match (old.get(k), new.get(k)) {
            (Some(old), Some(new)) => !equal::same_value(old, new) || hides(k),
            _ => true,
        };
        old.keys().chain(new.keys()).filter(|k| differs(k)).all(|k| glob(key, k))
    }
}

/// `*` stands for any text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (p, t, hit) in [
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("*", "", true),
            ("abc", "abc", true),
            ("*b*", "abc", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob(p, t), hit, "{p} {t}");
        }
    }

    #[test]
    fn rules_are_checked() {
        let settings = |rule: IgnoreRule| DriftSettings { ignore: vec![rule], ..DriftSettings::default() };
        let error = |rule| settings(rule).check().unwrap_err().to_string();
        assert!(
            error(IgnoreRule { reason: "x".into(), ..IgnoreRule::default() }).contains("nothing to match")
        );
        assert!(
            error(IgnoreRule { address: "*".into(), ..IgnoreRule::default() })
                .contains("`reason` is missing")
        );
        let rule = IgnoreRule {
            address: "*".into(),
            reason: "x".into(),
            until: "tomorrow".into(),
            ..IgnoreRule::default()
        };
        assert!(error(rule.clone()).contains("write YYYY-MM-DD"));
        let rule = IgnoreRule { until: "2026-01-31".into(), ..rule };
        assert_eq!(settings(rule.clone()).expired("2026-02-01").len(), 1);
        assert!(settings(rule).expired("2026-01-31").is_empty());
    }

    #[test]
    fn a_forged_user_agent_is_not_enough_where_roles_are_known() {
        let config =
            DriftSettings { roles: vec!["ci-*".into()], ..DriftSettings::default() }.check().unwrap();
        assert!(config.is_expected(Via::Terraform, Some("arn:aws:iam::1:role/ci-deploy")));
        assert!(!config.is_expected(Via::Terraform, Some("arn:aws:iam::1:user/mallory")));
        assert!(!config.is_expected(Via::Console, Some("arn:aws:iam::1:role/ci-deploy")));
        assert!(DriftConfig::default().is_expected(Via::OpenTofu, None));
    }
}
