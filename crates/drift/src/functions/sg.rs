//! Rules of security groups: EC2's permissions, flat rules, and the blocks in which Terraform keeps them.

use serde_json::{Map, Value, json};

use super::text::{cidr, protocol};
use crate::view::View;
use crate::{coerce, equal, params};

/// The types that own one rule each and know its id.
pub const RULE_TYPES: [&str; 3] =
    ["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule", "aws_security_group_rule"];

/// `(name of a flat rule, attribute of a Terraform block)` of the four kinds of source.
const SOURCES: [(&str, &str); 4] = [
    ("cidr_ipv4", "cidr_blocks"),
    ("cidr_ipv6", "ipv6_cidr_blocks"),
    ("prefix_list_id", "prefix_list_ids"),
    ("referenced_security_group_id", "security_groups"),
];

fn text(o: &Value, name: &str) -> Option<String> {
    params::member(o.as_object()?, name).and_then(equal::text).filter(|s| !s.is_empty())
}

fn items(o: &Value, names: &[&str]) -> Vec<Value> {
    let members = o.as_object();
    names
        .iter()
        .find_map(|n| members.and_then(|m| params::member(m, n)))
        .map(|v| coerce::as_list(v.clone()))
        .unwrap_or_default()
}

fn flat(permission: &Value, source: Option<(&str, String)>, description: Option<String>) -> Value {
    let mut rule = Map::new();
    let p = text(permission, "IpProtocol").map(|p| protocol(&p).to_owned()).unwrap_or_default();
    let all = p == "-1";
    rule.insert("ip_protocol".into(), p.into());
    for (name, member) in [("from_port", "FromPort"), ("to_port", "ToPort")] {
        // for "all protocols" EC2 knows no ports, whatever the call says
        let port = text(permission, member).and_then(|t| coerce::number(&t)).filter(|_| !all);
        rule.insert(name.into(), port.map_or(Value::Null, Value::Number));
    }
    if let Some((name, value)) = source {
        let value = if name.starts_with("cidr") { cidr(&value) } else { value };
        rule.insert(name.into(), value.into());
    }
    if let Some(d) = description {
        rule.insert("description".into(), d.into());
    }
    Value::Object(rule)
}

/// The one source of EC2's `SecurityGroupRule`, which names it beside the ports; `None` for a permission, which has lists of them.
fn own_source(rule: &Value) -> Option<(&'static str, String)> {
    let group = || {
        let info = params::member(rule.as_object()?, "ReferencedGroupInfo")?;
        text(info, "GroupId")
    };
    text(rule, "CidrIpv4")
        .map(|c| ("cidr_ipv4", c))
        .or_else(|| text(rule, "CidrIpv6").map(|c| ("cidr_ipv6", c)))
        .or_else(|| text(rule, "PrefixListId").map(|p| ("prefix_list_id", p)))
        .or_else(|| {
            text(rule, "ReferencedGroupId").or_else(group).map(|g| ("referenced_security_group_id", g))
        })
}

/// EC2's `SecurityGroupRules`, or its `IpPermissions` in their full or in their older flat form (`cidrIp`, `fromPort` beside an empty
/// list), as one flat rule a source:
/// `{ip_protocol, from_port, to_port, cidr_ipv4 | cidr_ipv6 | prefix_list_id | referenced_security_group_id, description}`.
pub fn rules(permissions: &Value, request: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    let permissions = coerce::as_list(permissions.clone());
    if permissions.is_empty() {
        if text(request, "IpProtocol").is_some() {
            let source = match (
                text(request, "CidrIp"),
                text(request, "CidrIpv6"),
                text(request, "SourceSecurityGroupId").or_else(|| text(request, "SourceSecurityGroupName")),
            ) {
                (Some(c), ..) => Some(("cidr_ipv4", c)),
                (_, Some(c), _) => Some(("cidr_ipv6", c)),
                (.., Some(g)) => Some(("referenced_security_group_id", g)),
                _ => None,
            };
            out.push(flat(request, source, None));
        }
        return out;
    }
    for p in &permissions {
        // what ModifySecurityGroupRules takes: the rule's id, and the rule
        let p = p.as_object().and_then(|o| params::member(o, "SecurityGroupRule")).unwrap_or(p);
        if let Some(source) = own_source(p) {
            out.push(flat(p, Some(source), text(p, "Description")));
            continue;
        }
        for r in items(p, &["IpRanges"]) {
            out.push(flat(p, text(&r, "CidrIp").map(|c| ("cidr_ipv4", c)), text(&r, "Description")));
        }
        for r in items(p, &["Ipv6Ranges"]) {
            out.push(flat(p, text(&r, "CidrIpv6").map(|c| ("cidr_ipv6", c)), text(&r, "Description")));
        }
        for r in items(p, &["PrefixListIds"]) {
            out.push(flat(
                p,
                text(&r, "PrefixListId").map(|c| ("prefix_list_id", c)),
                text(&r, "Description"),
            ));
        }
        for r in items(p, &["Groups", "UserIdGroupPairs"]) {
            let group = text(&r, "GroupId").or_else(|| text(&r, "GroupName"));
            out.push(flat(p, group.map(|g| ("referenced_security_group_id", g)), text(&r, "Description")));
        }
    }
    out
}

/// Flat rules as they are; EC2's permissions turned into them. `None` if there is nothing that could be a rule.
pub fn flat_or_permissions(value: Value, request: &Value) -> Option<Vec<Value>> {
    if coerce::is_unknown(&value) {
        return None;
    }
    let is_flat = value.as_array().is_some_and(|a| a.iter().any(|v| v.get("ip_protocol").is_some()));
    let flat = if is_flat { coerce::as_list(value) } else { rules(&value, request) };
    (!flat.is_empty()).then_some(flat)
}

/// The flat rules that the states know under these rule ids; `None` if there is one that they do not know.
pub fn rules_by_id(view: &View<'_>, ids: &[Value]) -> Option<Value> {
    let mut out = Vec::new();
    for id in ids {
        let id = match id {
            Value::Object(_) => text(id, "SecurityGroupRuleId")?,
            v => equal::text(v)?,
        };
        let found =
            RULE_TYPES.iter().find_map(|t| view.snapshot().find(t, "security_group_rule_id", &id).next());
        let attributes = found.and_then(|f| Some(view.current(f, view.snapshot().resource(f)?)))?;
        out.extend(flat_of_resource(&attributes));
    }
    (!out.is_empty()).then_some(Value::Array(out))
}

fn flat_of_resource(a: &Map<String, Value>) -> Vec<Value> {
    let get = |n: &str| a.get(n).filter(|v| !equal::is_empty(v)).cloned();
    let mut base = Map::new();
    base.insert("ip_protocol".into(), get("ip_protocol").or_else(|| get("protocol")).unwrap_or(Value::Null));
    for port in ["from_port", "to_port"] {
        base.insert(port.into(), get(port).unwrap_or(Value::Null));
    }
    if let Some(d) = get("description") {
        base.insert("description".into(), d);
    }
    let mut out = Vec::new();
    let mut push = |name: &str, v: Value| {
        let mut rule = base.clone();
        rule.insert(name.into(), v);
        out.push(Value::Object(rule));
    };
    for (name, list) in SOURCES {
        if let Some(v) = get(name) {
            push(name, v);
        }
        for v in get(list).map(coerce::as_list).unwrap_or_default() {
            push(name, v);
        }
    }
    if let Some(v) = get("source_security_group_id") {
        push("referenced_security_group_id", v);
    }
    if get("self") == Some(Value::Bool(true))
        && let Some(v) = get("security_group_id")
    {
        push("referenced_security_group_id", v);
    }
    out
}

/// Whether a Terraform block speaks of the same protocol and ports as a flat rule.
fn same_ports(block: &Value, rule: &Value) -> bool {
    let p = |v: &Value, n: &str| {
        v.get(n).and_then(equal::text).map(|t| protocol(&t).to_owned()).unwrap_or_default()
    };
    let (a, b) = (p(block, "protocol"), p(rule, "ip_protocol"));
    let port = |v: &Value, n: &str| v.get(n).and_then(equal::text).unwrap_or_else(|| "0".into());
    a == b && (a == "-1" || ["from_port", "to_port"].iter().all(|n| port(block, n) == port(rule, n)))
}

fn source(rule: &Value) -> Option<(&'static str, &Value)> {
    SOURCES.iter().find_map(|(name, list)| rule.get(*name).filter(|v| !v.is_null()).map(|v| (*list, v)))
}

fn holds(block: &Value, rule: &Value, own_group: Option<&str>) -> bool {
    let Some((list, v)) = source(rule) else { return false };
    let listed =
        block.get(list).and_then(Value::as_array).is_some_and(|a| a.iter().any(|x| same_source(x, v)));
    same_ports(block, rule)
        && (listed || (is_self(rule, own_group) && block.get("self") == Some(&Value::Bool(true))))
}

fn same_source(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(x), Some(y)) => {
            equal::same_value(a, b)
                || cidr(x) == cidr(y)
                || (x.rsplit('/').next() == y.rsplit('/').next() && x.contains("sg-"))
        }
        _ => a == b,
    }
}

fn is_self(rule: &Value, own_group: Option<&str>) -> bool {
    let group = rule.get("referenced_security_group_id").and_then(Value::as_str);
    group.is_some() && group == own_group
}

fn block(rule: &Value, own_group: Option<&str>) -> Value {
    let all = rule.get("ip_protocol").and_then(Value::as_str) == Some("-1");
    let port = |n: &str| rule.get(n).filter(|v| v.is_number() && !all).cloned().unwrap_or_else(|| 0.into());
    let mut b = json!({
        "cidr_blocks": [], "description": rule.get("description").cloned().unwrap_or_else(|| "".into()),
        "from_port": port("from_port"), "ipv6_cidr_blocks": [], "prefix_list_ids": [],
        "protocol": rule.get("ip_protocol").cloned().unwrap_or(Value::Null), "security_groups": [], "self": false,
        "to_port": port("to_port"),
    });
    if let Some(o) = b.as_object_mut() {
        if is_self(rule, own_group) {
            o.insert("self".into(), Value::Bool(true));
        } else if let Some((list, v)) = source(rule) {
            o.insert(list.into(), Value::Array(vec![v.clone()]));
        }
    }
    b
}

/// The blocks with these rules in them. A rule that is there already changes nothing; a new one gets a block of its own, together with
/// the others of this call that have the same ports and description (so the provider reads them). `own` is the group's own id: a rule
/// that names it is `self`.
pub fn add(blocks: Value, flat: &[Value], own: Option<&str>) -> Value {
    let mut out = coerce::as_list(blocks);
    let before = out.len();
    for rule in flat.iter().filter(|r| source(r).is_some()) {
        if out.iter().any(|b| holds(b, rule, own)) {
            continue;
        }
        let new = block(rule, own);
        let together = out
            .iter_mut()
            .skip(before)
            .find(|b| same_ports(b, rule) && b.get("description") == new.get("description"));
        match together {
            Some(b) => join(b, &new),
            None => out.push(new),
        }
    }
    Value::Array(out)
}

fn join(into: &mut Value, from: &Value) {
    let Some(o) = into.as_object_mut() else { return };
    for (_, list) in SOURCES {
        let more = from.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(Value::Array(a)) = o.get_mut(list) {
            a.extend(more);
        }
    }
    if from.get("self") == Some(&Value::Bool(true)) {
        o.insert("self".into(), Value::Bool(true));
    }
}

/// The blocks without these rules; a block that loses its last source is gone.
pub fn remove(blocks: Value, flat: &[Value], own: Option<&str>) -> Value {
    let mut out = Vec::new();
    for mut b in coerce::as_list(blocks) {
        let mut touched = false;
        for rule in flat {
            if !same_ports(&b, rule) {
                continue;
            }
            let Some((list, v)) = source(rule) else { continue };
            let Some(o) = b.as_object_mut() else { continue };
            if is_self(rule, own) && o.get("self") == Some(&Value::Bool(true)) {
                o.insert("self".into(), Value::Bool(false));
                touched = true;
            }
            if let Some(Value::Array(a)) = o.get_mut(list) {
                let n = a.len();
                a.retain(|x| !same_source(x, v));
                touched |= a.len() < n;
            }
        }
        let empty = b.get("self") != Some(&Value::Bool(true))
            && SOURCES
                .iter()
                .all(|(_, list)| b.get(*list).and_then(Value::as_array).is_none_or(Vec::is_empty));
        if !(touched && empty) {
            out.push(b);
        }
    }
    Value::Array(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(port: u16, cidrs: &[&str]) -> Value {
        json!([{"ipProtocol":"6","fromPort":port,"toPort":port,"groups":{},"ipv6Ranges":{},"prefixListIds":{},
            "ipRanges": cidrs.iter().map(|c| json!({"cidrIp":c})).collect::<Vec<_>>()}])
    }

    #[test]
    fn adding_and_removing_are_each_other_s_reverse() {
        let start =
            add(json!([]), &rules(&permissions(443, &["10.0.0.0/8", "192.168.0.0/16"]), &Value::Null), None);
        assert_eq!(start.as_array().map(Vec::len), Some(1));
        let one = rules(&permissions(22, &["0.0.0.0/0"]), &Value::Null);
        let more = add(start.clone(), &one, None);
        assert_eq!(more.as_array().map(Vec::len), Some(2));
        assert_eq!(add(more.clone(), &one, None), more);
        assert_eq!(remove(more, &one, None), start);
        let less = remove(start, &rules(&permissions(443, &["10.1.2.3/8"]), &Value::Null), None);
        assert_eq!(less[0]["cidr_blocks"], json!(["192.168.0.0/16"]));
    }

    #[test]
    fn the_older_flat_form_is_read() {
        let request = json!({"groupId":"sg-1","ipPermissions":{},"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"198.51.100.7/32"});
        let r = rules(&json!({}), &request);
        assert_eq!(
            r,
            [json!({"ip_protocol":"tcp","from_port":22,"to_port":22,"cidr_ipv4":"198.51.100.7/32"})]
        );
    }

    #[test]
    fn rules_that_name_their_source_are_read() {
        let changed = json!([{"SecurityGroupRuleId":"sgr-1","SecurityGroupRule":{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"10.0.0.0/8"}}]);
        let revoked = json!([{"securityGroupRuleId":"sgr-1","groupId":"sg-1","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"10.0.0.0/8"}]);
        let want = [json!({"ip_protocol":"tcp","from_port":22,"to_port":22,"cidr_ipv4":"10.0.0.0/8"})];
        assert_eq!(rules(&changed, &Value::Null), want);
        assert_eq!(rules(&revoked, &Value::Null), want);
        let group =
            json!([{"ipProtocol":"-1","fromPort":-1,"toPort":-1,"referencedGroupInfo":{"groupId":"sg-2"}}]);
        assert_eq!(rules(&group, &Value::Null)[0]["referenced_security_group_id"], "sg-2");
    }

    #[test]
    fn all_protocols_have_no_ports() {
        let p = json!([{"ipProtocol":"-1","fromPort":-1,"toPort":-1,"ipRanges":[{"cidrIp":"0.0.0.0/0","description":"x"}]}]);
        let b = add(json!([]), &rules(&p, &Value::Null), None);
        assert_eq!(
            (&b[0]["from_port"], &b[0]["to_port"], &b[0]["description"]),
            (&json!(0), &json!(0), &json!("x"))
        );
    }
}
