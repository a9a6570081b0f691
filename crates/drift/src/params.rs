//! Reads CloudTrail's `requestParameters` and `responseElements`: one view for all the ways in which AWS writes them.
//!
//! Keys are compared without case and punctuation; EC2's `{"items":[…]}`, `{"item":x}`, `{"tag":1,"content":x}` and
//! `{"<Operation>Request":{…}}` are taken off; a name in the plural also finds the singular and EC2's `…Set`. So a mapping writes API
//! member names once.

use serde_json::{Map, Value};

/// The tree with its wrappers taken off. `ignore` names members that are dropped where they hold an empty text (flags of S3's URLs).
pub fn canonical(tree: Value, operation: &str, ignore: &[String]) -> Value {
    let Value::Object(mut members) = tree else { return Value::Null };
    members.retain(|k, v| !(v.as_str() == Some("") && ignore.iter().any(|i| i == k)));
    for suffix in ["Request", "Response", "Result"] {
        if let Some(inner) = members.remove(&format!("{operation}{suffix}")) {
            let Value::Object(mut inner) = unwrap(inner) else { return Value::Null };
            // S3 Control names the access point beside the document; what stands beside an answer (requestId) is AWS's own
            if suffix == "Request" {
                for (k, v) in members {
                    inner.entry(k).or_insert_with(|| unwrap(v));
                }
            }
            return Value::Object(inner);
        }
    }
    // a few envelopes are named otherwise: DeleteTransitGatewayVpcAttachment writes `DelTGwVpcAttachReq`
    if members.len() == 1
        && let Some((name, inner @ Value::Object(_))) = members.iter().next()
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && (name.ends_with("Request") || name.ends_with("Req"))
    {
        return unwrap(inner.clone());
    }
    // API Gateway wraps the body beside the path's members: {"restApiId":…,"updateRestApiInput":{…}}
    let input =
        members.keys().find(|k| fold(k).strip_suffix("input") == Some(fold(operation).as_str())).cloned();
    if let Some(Value::Object(body)) = input.and_then(|k| members.remove(&k)) {
        for (k, v) in body {
            members.entry(k).or_insert(v);
        }
    }
    unwrap(Value::Object(members))
}

fn unwrap(value: Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(unwrap).collect()),
        Value::Object(mut members) => {
            if members.len() == 1
                && let Some(Value::Array(_)) = members.get("items")
                && let Some(Value::Array(items)) = members.remove("items")
            {
                return Value::Array(items.into_iter().map(unwrap).collect());
            }
            // the answers of EC2's younger calls: {"flowLogIdSet":{"item":"fl-1"}}, one element without a list around it
            if members.len() == 1
                && let Some(item) = members.remove("item")
            {
                return match unwrap(item) {
                    list @ Value::Array(_) => list,
                    one => Value::Array(vec![one]),
                };
            }
            if members.contains_key("content")
                && members.keys().all(|k| k == "content" || k == "tag")
                && let Some(content) = members.remove("content")
            {
                return unwrap(content);
            }
            members.retain(|k, v| {
                let position = k == "tag" && v.is_number();
                !(position || k.starts_with("xmlns") || k == "xsi:schemaLocation")
            });
            Value::Object(members.into_iter().map(|(k, v)| (k, unwrap(v))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A key without case and punctuation.
pub fn fold(key: &str) -> String {
    key.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase() as char).collect()
}

fn same_folded(key: &str, folded: &str) -> bool {
    let mut f = folded.bytes();
    for b in key.bytes().filter(u8::is_ascii_alphanumeric) {
        if f.next() != Some(b.to_ascii_lowercase()) {
            return false;
        }
    }
    f.next().is_none()
}

/// The member of an object by API name: the same word first, then singular, plural, and EC2's `…Set`.
pub fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    if let Some(v) = object.get(name) {
        return Some(v);
    }
    let folded = fold(name);
    if let Some((_, v)) = object.iter().find(|(k, _)| same_folded(k, &folded)) {
        return Some(v);
    }
    let single = folded
        .strip_suffix("ies")
        .map(|s| format!("{s}y"))
        .or_else(|| folded.strip_suffix('s').map(str::to_owned));
    let single = single.as_deref().unwrap_or(&folded);
    // Addresses, Statuses
    let shorter = folded.strip_suffix("es").unwrap_or(&folded);
    let is = |k: &str| k == folded || k == single || k == shorter;
    object
        .iter()
        .find(|(k, _)| {
            let k = fold(k);
            is(&k)
                || k.strip_suffix("set").is_some_and(is)
                || k.strip_suffix('s') == Some(folded.as_str())
                || (folded.ends_with('y') && k.strip_suffix("ies") == folded.strip_suffix('y'))
        })
        .map(|(_, v)| v)
}

/// The value at a path; a list on the way stands for its first element. `null` is absent.
pub fn get<'v>(tree: &'v Value, path: &[String]) -> Option<&'v Value> {
    let mut here = tree;
    for segment in path {
        if let Value::Array(list) = here {
            match segment.parse::<usize>() {
                Ok(n) => {
                    here = list.get(n)?;
                    continue;
                }
                Err(_) => here = list.first()?,
            }
        }
        here = member(here.as_object()?, segment)?;
    }
    (!here.is_null()).then_some(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(tree: &Value, path: &str) -> Option<Value> {
        get(tree, &path.split('.').map(str::to_owned).collect::<Vec<_>>()).cloned()
    }

    #[test]
    fn one_spelling_finds_every_rendering() {
        let old = canonical(json!({"groupSet":{"items":[{"groupId":"sg-1"}]},"tagSet":{}}), "X", &[]);
        assert_eq!(at(&old, "Groups.GroupId"), Some(json!("sg-1")));
        let addresses =
            canonical(json!({"privateIpAddress":{"items":["10.0.0.9"]},"natGatewayAddressSet":{}}), "X", &[]);
        assert_eq!(at(&addresses, "PrivateIpAddresses"), Some(json!(["10.0.0.9"])));
        assert_eq!(at(&addresses, "NatGatewayAddresses"), Some(json!({})));
        let young = canonical(
            json!({"ModifyVolumeRequest":{"VolumeId":"vol-1","Tag":[{"tag":1,"content":"a"}],"Size":{"content":5,"tag":2}}}),
            "ModifyVolume",
            &[],
        );
        assert_eq!(at(&young, "VolumeId"), Some(json!("vol-1")));
        assert_eq!(at(&young, "Tags"), Some(json!(["a"])));
        assert_eq!(at(&young, "Size"), Some(json!(5)));
        let answer =
            canonical(json!({"XResponse":{"flowLogIdSet":{"item":"fl-1"},"unsuccessful":""}}), "X", &[]);
        assert_eq!(at(&answer, "FlowLogIds"), Some(json!(["fl-1"])));
        let other =
            canonical(json!({"DelTGwVpcAttachReq":{"TransitGatewayAttachmentId":"tgw-attach-1"}}), "X", &[]);
        assert_eq!(at(&other, "TransitGatewayAttachmentId"), Some(json!("tgw-attach-1")));
        let rds = canonical(json!({"dBInstanceIdentifier":"db","tTL":3,"x":null}), "X", &[]);
        assert_eq!(at(&rds, "DBInstanceIdentifier"), Some(json!("db")));
        assert_eq!(at(&rds, "TTL"), Some(json!(3)));
        assert_eq!(at(&rds, "X"), None);
    }

    #[test]
    fn api_gateway_s_body_stands_beside_its_path() {
        let tree = json!({"restApiId":"a","updateRestApiInput":{"patchOperations":[{"op":"replace"}]},"template":false});
        let v1 = canonical(tree, "UpdateRestApi", &[]);
        assert_eq!(at(&v1, "PatchOperations.op"), Some(json!("replace")));
        assert_eq!(at(&v1, "RestApiId"), Some(json!("a")));
    }

    #[test]
    fn flags_of_s3_urls_do_not_hide_documents() {
        let s3 = canonical(
            json!({"bucketName":"b","policy":"","bucketPolicy":{"Version":"2012-10-17"},"versioning":"","VersioningConfiguration":{"xmlns":"u","Status":"Enabled"}}),
            "PutBucketVersioning",
            &["policy".into(), "versioning".into()],
        );
        assert_eq!(at(&s3, "Policy"), None);
        assert_eq!(at(&s3, "VersioningConfiguration"), Some(json!({"Status":"Enabled"})));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(key in "\\PC{0,12}", other in "\\PC{0,12}") {
            let tree = canonical(json!({ key.clone(): {"items": [other]} }), "X", &[]);
            let _ = at(&tree, &key);
        }
    }
}
