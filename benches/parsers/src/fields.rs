//! Twenty fields of a record, for whatever a parser makes of it.

use std::borrow::Cow;

use super::nodes::{Node, Part, Raw};

/// Their names, with commas between, in the order of [`values`].
pub const FIELDS: &str = include_str!("../../host/fields20.txt");

pub type Values<'a> = Vec<Option<Cow<'a, str>>>;

/// A record as a parser sees it.
pub trait Source<'a> {
    type Node: Node<'a>;
    /// The top-level member of that name.
    fn member(&self, name: &str) -> Option<Self::Node>;
}

/// Members in the order of the record, as one pass finds them.
pub struct Members<K, V>(Vec<(K, V)>);

impl<K, V> Members<K, V> {
    pub fn new(members: Vec<(K, V)>) -> Self {
        Members(members)
    }
}

impl<'a, K: AsRef<str>, V: Raw<'a>> Source<'a> for Members<K, V> {
    type Node = Part<'a, V>;
    fn member(&self, name: &str) -> Option<Self::Node> {
        self.0.iter().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value.clone().into())
    }
}

pub fn values<'a, S: Source<'a>>(record: &S) -> Values<'a> {
    let member = |name| record.member(name);
    let text = |name| member(name).and_then(|value| value.text());
    let json = |name| member(name).map(|value| value.json());
    let identity = member("userIdentity");
    let who = |name| identity.as_ref()?.get(name)?.text();
    let request = member("requestParameters");
    let asked = |name| request.as_ref()?.get(name)?.text();
    let source = text("eventSource");
    let short =
        source.as_deref().map(|source| source.strip_suffix(".amazonaws.com").unwrap_or(source).to_owned());
    let kind = who("type");
    let issuer = || identity.as_ref()?.get("sessionContext")?.get("sessionIssuer")?.get("userName")?.text();
    let user = match kind.as_deref() {
        Some("Root" | "IAMUser") => who("userName"),
        Some("AWSService") => who("invokedBy"),
        Some("AssumedRole") => issuer().or(Some("AssumedRole".into())),
        Some("AWSAccount") => Some("AWSAccount".into()),
        Some("FederatedUser") => Some("FederatedUser".into()),
        _ => None,
    };
    let read_only = member("readOnly").and_then(|value| value.truth());
    let items = member("responseElements").and_then(|r| r.get("instancesSet")?.get("items"));
    let images: Vec<_> = match items {
        Some(items) => items.items().iter().filter_map(|item| item.get("imageId")?.text()).collect(),
        None => asked("imageId").into_iter().collect(),
    };
    let mut values = vec![
        text("eventID"),
        text("errorCode"),
        source,
        short.map(Cow::Owned),
        text("eventName"),
        user,
        who("accountId").or_else(|| text("recipientAccountId")),
        kind,
        who("arn"),
        text("awsRegion"),
        json("requestParameters"),
        json("responseElements"),
        text("sourceIPAddress"),
        text("userAgent"),
        read_only.map(|set| if set { "true" } else { "false" }.into()),
        asked("name"),
        asked("bucketName"),
        (!images.is_empty()).then(|| images.join(",").into()),
        asked("roleName"),
    ];
    let info = info(&values, read_only, asked("key"));
    values.push(info.map(Cow::Owned));
    values
}

/// `ct.info` without what only some calls of S3 have.
fn info(values: &Values<'_>, read_only: Option<bool>, key: Option<Cow<'_, str>>) -> Option<String> {
    let [.., error] = values.get(..2)? else { return None };
    let (name, user, address) = (values[4].as_ref()?, values[5].as_ref()?, values[12].as_ref()?);
    let mut out = String::with_capacity(96);
    out.push_str(user);
    if user != address {
        out.push_str(" via ");
        out.push_str(address);
    }
    out.push(' ');
    if error.is_some() {
        out.push('!');
    }
    out.push_str(if read_only == Some(false) { "→ " } else { "← " });
    out.push_str(name);
    match (&values[16], key) {
        (Some(bucket), Some(key)) => out.extend([" URI=s3://", bucket, "/", &key]),
        (Some(bucket), None) => out.extend([" Bucket=", bucket]),
        _ => {}
    }
    Some(out)
}
