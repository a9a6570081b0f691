//! The compact schema of the Terraform AWS provider (`mappings/schema/aws.json`, written by `mappings/schema/make.py`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the elements of a block stand in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nesting {
    /// A list: order counts.
    List,
    /// A set: order does not count.
    Set,
    /// One object.
    Single,
    /// A map of objects.
    Map,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A bool.
    Bool,
    /// Anything.
    Any,
    /// A list of these.
    List(Box<Kind>),
    /// A set of these.
    Set(Box<Kind>),
    /// A map of these.
    Map(Box<Kind>),
    /// Objects with attributes of their own, sorted by name.
    Block(Nesting, Vec<(String, Attribute)>),
}

/// An attribute: what it holds, and who sets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// What it holds.
    pub kind: Kind,
    /// The provider sets it where the configuration does not (`computed`, also `optional` + `computed`).
    pub computed: bool,
    /// The provider calls it sensitive.
    pub sensitive: bool,
}

impl Attribute {
    /// The attribute of that name inside a block.
    pub fn member(&self, name: &str) -> Option<&Attribute> {
        match &self.kind {
            Kind::Block(_, members) => find(members, name),
            _ => None,
        }
    }
}

/// The attribute of that name in a sorted list.
pub(crate) fn find<'a>(members: &'a [(String, Attribute)], name: &str) -> Option<&'a Attribute> {
    members.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok().and_then(|i| members.get(i)).map(|(_, a)| a)
}

/// Why the compact schema cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON.
    #[error("the schema is not JSON: {0}; make it anew with mappings/schema/make.py")]
    Json(#[from] serde_json::Error),
    /// A kind that this version does not know.
    #[error("{rtype}.{attribute}: unknown kind {kind}; make the schema anew with mappings/schema/make.py")]
    Kind {
        /// The Terraform type.
        rtype: String,
        /// The attribute.
        attribute: String,
        /// What stands there.
        kind: String,
    },
}

/// All resource types of the provider.
#[derive(Debug, Default)]
pub struct Schema {
    types: BTreeMap<String, Vec<(String, Attribute)>>,
}

impl Schema {
    /// Reads `mappings/schema/aws.json`.
    ///
    /// # Errors
    /// If it is not such a file.
    pub fn parse(text: &str) -> Result<Schema, SchemaError> {
        let tree: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(text)?;
        let mut types = BTreeMap::new();
        for (rtype, attributes) in tree {
            types.insert(rtype.clone(), members(&rtype, attributes.iter())?);
        }
        Ok(Schema { types })
    }

    /// The attributes of a type, sorted by name.
    pub fn attributes(&self, rtype: &str) -> Option<&[(String, Attribute)]> {
        self.types.get(rtype).map(Vec::as_slice)
    }

    /// The attribute at a dotted path; numbers in it (`versioning.0.enabled`) are skipped.
    pub fn attribute(&self, rtype: &str, path: &[String]) -> Option<&Attribute> {
        attribute_at(self.attributes(rtype)?, path)
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }
}

/// The attribute at `path`; elements of a map, and of blocks' lists by number, are skipped.
pub fn attribute_at<'a>(members: &'a [(String, Attribute)], path: &[String]) -> Option<&'a Attribute> {
    let (head, mut rest) = path.split_first()?;
    let mut here = find(members, head)?;
    while let Some((segment, more)) = rest.split_first() {
        rest = more;
        match &here.kind {
            _ if segment.bytes().all(|b| b.is_ascii_digit()) => {}
            Kind::Block(_, inner) => here = find(inner, segment)?,
            Kind::Map(_) | Kind::Any if rest.is_empty() => {}
            _ => return None,
        }
    }
    Some(here)
}

fn members<'v>(
    rtype: &str,
    attributes: impl Iterator<Item = (&'v String, &'v Value)>,
) -> Result<Vec<(String, Attribute)>, SchemaError> {
    let mut out = Vec::new();
    for (name, value) in attributes {
        if name != "*" {
            out.push((name.clone(), attribute(rtype, name, value)?));
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

fn attribute(rtype: &str, name: &str, value: &Value) -> Result<Attribute, SchemaError> {
    let unknown =
        || SchemaError::Kind { rtype: rtype.into(), attribute: name.into(), kind: value.to_string() };
    let (text, inner) = match value {
        Value::String(s) => (s.as_str(), None),
        Value::Object(o) => (o.get("*").and_then(Value::as_str).ok_or_else(unknown)?, Some(o)),
        _ => return Err(unknown()),
    };
    let (kind, flags) = text.split_once('/').unwrap_or((text, ""));
    let simple = |c: &str| match c {
        "s" => Some(Kind::Text),
        "n" => Some(Kind::Number),
        "b" => Some(Kind::Bool),
        "d" => Some(Kind::Any),
        _ => None,
    };
    let kind = match inner {
        Some(o) => {
            let nesting = match kind {
                "l" => Nesting::List,
                "t" => Nesting::Set,
                "1" => Nesting::Single,
                "m" => Nesting::Map,
                _ => return Err(unknown()),
            };
            Kind::Block(nesting, members(rtype, o.iter())?)
        }
        None if kind.len() == 1 => simple(kind).ok_or_else(unknown)?,
        None => {
            let element = kind.get(1..).and_then(simple).map(Box::new).ok_or_else(unknown)?;
            match kind.as_bytes().first() {
                Some(b'l') => Kind::List(element),
                Some(b't') => Kind::Set(element),
                Some(b'm') => Kind::Map(element),
                _ => return Err(unknown()),
            }
        }
    };
    Ok(Attribute { kind, computed: flags.contains(['c', 'o']), sensitive: flags.contains('x') })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kinds_flags_and_blocks() {
        let s = Schema::parse(
            r#"{"aws_x":{"a":"s/o","l":"tn","b":{"*":"l","c":"b","d":{"*":"t/c","e":"ms/x"}}}}"#,
        )
        .unwrap();
        let at =
            |p: &str| s.attribute("aws_x", &p.split('.').map(str::to_owned).collect::<Vec<_>>()).cloned();
        assert_eq!(at("a").unwrap().kind, Kind::Text);
        assert!(at("a").unwrap().computed);
        assert_eq!(at("l").unwrap().kind, Kind::Set(Box::new(Kind::Number)));
        assert_eq!(at("b.0.c").unwrap().kind, Kind::Bool);
        assert!(at("b.0.d.0.e").unwrap().sensitive);
        assert_eq!(at("b.0.nope"), None);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let e = Schema::parse(r#"{"aws_x":{"a":"q"}}"#).unwrap_err();
        assert!(e.to_string().starts_with("aws_x.a: unknown kind"), "{e}");
    }
}
