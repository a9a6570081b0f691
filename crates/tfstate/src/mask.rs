//! Masking: what of a resource must not be shown.

use serde_json::Value;

use crate::index::keyed_hash;
use crate::sensitive::{known_paths, name_speaks, value_speaks};

/// What stands in place of a sensitive value.
pub const MASK: &str = "***";

/// What of one resource must not be shown. A path is sensitive when
/// - the state marks it (`sensitive_attributes`, `sensitive_values`),
/// - terraform-provider-aws declares it sensitive or write-only,
/// - a step of it is a name that speaks (`password`, `auth_token`, `DB_PASSWORD`; not `secret_arn`, `http_tokens`),
/// - `mask_names` says so.
///
/// An entry of `mask_names` is a name that any step of a path may have (`notes`), or a dotted path
/// (`environment.variables.DSN`), with or without the type before it (`aws_lambda_function.environment`). `*` stands
/// for any text within a name; case does not count. Everything below a masked path is masked.
///
/// Paths are dotted. Steps that are numbers do not count: what is sensitive in one element of a list is so in all.
#[derive(Debug, Clone, Copy)]
pub struct Masker<'a> {
    rtype: &'a str,
    marked: &'a [Box<str>],
    names: &'a [String],
}

impl<'a> Masker<'a> {
    /// For a resource that stands in no state, such as one just created outside Terraform.
    pub fn new(rtype: &'a str, mask_names: &'a [String]) -> Self {
        Self { rtype, marked: &[], names: mask_names }
    }

    pub(crate) fn of_resource(rtype: &'a str, marked: &'a [Box<str>], names: &'a [String]) -> Self {
        Self { rtype, marked, names }
    }

    /// Whether `path` is sensitive, or lies inside or above a path that is known to be. A name that speaks further
    /// down is not known from the path alone: see [`Resource::is_sensitive`](crate::Resource::is_sensitive).
    pub fn is_sensitive(&self, path: &str) -> bool {
        self.paths().any(|known| meets(known, path)) || self.is_inside(path)
    }

    /// `value`, standing at `path`, with every sensitive leaf replaced by [`MASK`]. Objects and lists keep their shape and
    /// names; null stays null. Also masked: `value` beside a `name` or `key` that speaks (environment variables of ECS
    /// and CodeBuild); a private key; a URL with a password; the same inside a text that is JSON.
    pub fn mask(&self, value: &Value, path: &str) -> Value {
        self.masked(value, path, self.is_inside(path))
    }

    pub(crate) fn holds_sensitive(&self, attributes_json: &str, path: &str) -> bool {
        let Ok(attributes) = serde_json::from_str::<Value>(attributes_json) else { return true };
        let mut at = &attributes;
        for step in path.split('.') {
            let next = match at {
                Value::Object(map) => map.get(step),
                Value::Array(list) => step.parse::<usize>().ok().and_then(|i| list.get(i)),
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return false,
            }
        }
        self.mask(at, path) != *at
    }

    fn paths(&self) -> impl Iterator<Item = &'a str> {
        self.marked.iter().map(|p| &**p).chain(known_paths(self.rtype).iter().copied())
    }

    /// Whether `path` is sensitive itself or lies inside something that is.
    fn is_inside(&self, path: &str) -> bool {
        self.paths().any(|known| starts_with(path, known))
            || steps(path).any(name_speaks)
            || self.names.iter().any(|name| self.names_path(name, path))
    }

    fn names_path(&self, name: &str, path: &str) -> bool {
        if !name.contains('.') {
            return steps(path).any(|step| glob(name, step));
        }
        let under = |pattern: &str| {
            let mut rest = steps(path);
            steps(pattern).all(|p| rest.next().is_some_and(|step| glob(p, step)))
        };
        let (first, after_type) = name.split_once('.').unwrap_or((name, ""));
        under(name) || (glob(first, self.rtype) && under(after_type))
    }

    fn masked(&self, value: &Value, path: &str, inside: bool) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Object(map) => {
                let speaks = |k: &str| map.get(k).and_then(Value::as_str).is_some_and(name_speaks);
                let pair = ["name", "Name", "key", "Key"].into_iter().any(speaks);
                let member = |(name, value): (&String, &Value)| {
                    let below = format!("{path}.{name}");
                    let inside =
                        inside || self.is_inside(&below) || (pair && name.eq_ignore_ascii_case("value"));
                    (name.clone(), self.masked(value, &below, inside))
                };
                Value::Object(map.iter().map(member).collect())
            }
            Value::Array(list) => Value::Array(list.iter().map(|v| self.masked(v, path, inside)).collect()),
            _ if inside => Value::String(MASK.to_owned()),
            Value::String(text) => Value::String(self.masked_text(text, path)),
            other => other.clone(),
        }
    }

    fn masked_text(&self, text: &str, path: &str) -> String {
        if text.starts_with(['{', '['])
            && let Ok(document) = serde_json::from_str::<Value>(text)
        {
            let masked = self.masked(&document, path, false);
            // Unchanged text stays as it was written.
            return if masked == document { text.to_owned() } else { masked.to_string() };
        }
        if value_speaks(text) { MASK.to_owned() } else { text.to_owned() }
    }
}

/// A keyed hash of a sensitive value: two are equal when the values are, within this process, and nothing else can
/// be learned from it. So "changed" stays known where the values must not be kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest(u64);

impl SecretDigest {
    /// Of a JSON value. Members of objects count in any order.
    pub fn of(value: &Value) -> Self {
        Self(keyed_hash(&canonical(value)))
    }
}

impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest")
    }
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> =
                map.iter().map(|(k, v)| format!("{}:{}", Value::String(k.clone()), canonical(v))).collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Paths that are `true` in the tree of `sensitive_values`.
pub(crate) fn marked_paths(tree: &str) -> Vec<Box<str>> {
    fn walk(value: &Value, path: &str, out: &mut Vec<Box<str>>) {
        match value {
            Value::Bool(true) => out.push(path.into()),
            Value::Object(map) => {
                for (name, value) in map {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(value, &below, out);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, path, out)),
            _ => {}
        }
    }
    if !tree.contains("true") {
        return Vec::new();
    }
    let mut out = Vec::new();
    match serde_json::from_str(tree) {
        Ok(tree) => walk(&tree, "", &mut out),
        // Unreadable: the whole resource. Better too much.
        Err(_) => out.push(Box::default()),
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Steps of a path that are names.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').filter(|step| !step.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `path` is `prefix` or lies inside it.
fn starts_with(path: &str, prefix: &str) -> bool {
    let mut path = steps(path);
    steps(prefix).all(|step| path.next() == Some(step))
}

/// Whether one path is the other or lies inside it.
fn meets(a: &str, b: &str) -> bool {
    steps(a).zip(steps(b)).all(|(a, b)| a == b)
}

/// `*` stands for any text. Case does not count.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn by_type_name_and_list() {
        let names =
            vec!["notes".to_owned(), "environment.variables.D*".to_owned(), "aws_vpc.cidr".to_owned()];
        let db = Masker::new("aws_db_instance", &names);
        assert!(db.is_sensitive("password") && db.is_sensitive("tags.Notes") && !db.is_sensitive("engine"));
        assert!(
            db.is_sensitive("environment.0.variables.DSN") && !db.is_sensitive("environment.0.variables.X")
        );
        assert!(!db.is_sensitive("cidr") && Masker::new("aws_vpc", &names).is_sensitive("cidr"));
        let listener = Masker::new("aws_alb_listener", &[]);
        assert!(listener.is_sensitive("default_action"), "above");
        assert!(listener.is_sensitive("default_action.0.authenticate_oidc.0.client_secret"));
        assert!(!listener.is_sensitive("default_action.0.type"));
    }

    #[test]
    fn leaves_only() {
        let masker = Masker::new("aws_lambda_function", &[]);
        let env =
            json!([{"variables": {"DB_PASSWORD": "x", "STAGE": "prod", "N": null, "URL": "amqp://u:p@h/v"}}]);
        let shown = json!([{"variables": {"DB_PASSWORD": "***", "STAGE": "prod", "N": null, "URL": "***"}}]);
        assert_eq!(masker.mask(&env, "environment"), shown);
        assert_eq!(
            masker.mask(&json!({"a": [1, {"b": true}]}), "password"),
            json!({"a": ["***", {"b": "***"}]})
        );
    }

    #[test]
    fn pairs_and_embedded_json() {
        let masker = Masker::new("aws_ecs_task_definition", &[]);
        let definitions = r#"[{"environment":[{"name":"API_KEY","value":"k"},{"name":"A","value":"b"}]}]"#;
        let shown = r#"[{"environment":[{"name":"API_KEY","value":"***"},{"name":"A","value":"b"}]}]"#;
        assert_eq!(masker.mask(&json!(definitions), "container_definitions"), json!(shown));
        let policy = json!("{ \"Version\": \"2012-10-17\" }");
        assert_eq!(masker.mask(&policy, "policy"), policy, "untouched text stays as written");
    }

    #[test]
    fn digests_say_equal_only() {
        assert_eq!(SecretDigest::of(&json!({"a": 1, "b": 2})), SecretDigest::of(&json!({"b": 2, "a": 1})));
        assert_ne!(SecretDigest::of(&json!("a")), SecretDigest::of(&json!("b")));
        assert_eq!(format!("{:?}", SecretDigest::of(&json!("a"))), "SecretDigest");
    }

    #[test]
    fn trees() {
        assert_eq!(
            marked_paths(r#"{"a":true,"l":[{"x":true},{}],"t":{},"b":false}"#),
            ["a".into(), "l.x".into()] as [Box<str>; 2]
        );
        assert_eq!(marked_paths("true"), [Box::default()] as [Box<str>; 1]);
    }

    #[test]
    fn globs() {
        assert!(glob("d*n", "DSN") && glob("*", "") && glob("a*b*c", "axxbxxc") && !glob("a*b*c", "axxc"));
        assert!(!glob("a*a", "a"), "the two ends may not overlap");
    }
}
