//! Masking: what of a resource must not be shown.

mod digest;

use serde_json::Value;

use crate::compact::{names_in, readable};
use crate::sensitive::known_paths;
use crate::sensitive::names::{is_free, name_speaks};
use crate::sensitive::values::value_speaks;

pub use digest::{holds_secret_digest, same_secret};

/// What stands in place of a sensitive value.
pub const MASK: &str = "***";

/// What of one resource must not be shown. A path is sensitive when
/// - the state marks it (`sensitive_attributes`, `sensitive_values`),
/// - terraform-provider-aws declares it sensitive or write-only,
/// - a step of it is a name that speaks (`password`, `auth_token`, `DB_PASSWORD`; not `secret_arn`, `http_tokens`),
/// - `mask_names` says so.
///
/// Where people choose the names (tags, environment variables, documents), a name that only refers to a secret
/// (`TOKEN_PROVIDER`) speaks too, unless its value is a switch, a short number or an ARN.
///
/// An entry of `mask_names` is a name that any step of a path may have (`notes`, `my.note/x`), or a dotted path
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
        let any = Value::String("?".to_owned());
        self.paths().any(|known| meets(known, path)) || self.start(path, &any).inside
    }

    /// `value`, standing at `path`, with every sensitive leaf replaced by [`MASK`]. Objects and lists keep their shape and
    /// names; null stays null. Also masked: `value` beside a `name` or `key` that speaks (environment variables of ECS
    /// and CodeBuild); a private key; a URL with a password or token; `password=…` in a text; the same inside a text
    /// that is JSON.
    pub fn mask(&self, value: &Value, path: &str) -> Value {
        self.covered(value, path, self.start(path, value), Cover::Mask)
    }

    /// The attributes with a keyed hash in place of every sensitive scalar; `None` if there is none. `id` and `arn` stay:
    /// resources are found by them. So does a text that holds a JSON document, unless it is sensitive as a whole: it is
    /// compared by meaning and shown in parts.
    pub(crate) fn sealed(&self, attributes: &Value) -> Option<Value> {
        let mut sealed = self.covered(attributes, "", self.start("", attributes), Cover::Digest);
        for name in ["id", "arn"] {
            if let (Some(sealed), Some(kept)) = (sealed.get_mut(name), attributes.get(name)) {
                *sealed = kept.clone();
            }
        }
        (sealed != *attributes).then_some(sealed)
    }

    pub(crate) fn holds_sensitive(&self, attributes_json: &str, path: &str) -> bool {
        let Ok(attributes) = serde_json::from_str::<Value>(attributes_json) else { return true };
        lookup(&attributes, path).is_some_and(|at| self.mask(at, path) != *at)
    }

    fn paths(&self) -> impl Iterator<Item = &'a str> {
        self.marked.iter().map(|p| &**p).chain(known_paths(self.rtype).iter().copied())
    }

    /// Whether a list of paths or names has `path`, whose last step is `name`, or something above it.
    fn is_listed(&self, path: &str, name: &str) -> bool {
        self.paths().any(|known| starts_with(path, known))
            || self.names.iter().any(|pattern| glob(pattern, name) || self.names_path(pattern, path))
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

    /// What is known at a dotted path with `value` at its end.
    fn start(&self, path: &str, value: &Value) -> Here {
        let inside = self.paths().any(|known| starts_with("", known));
        let mut here = Here { inside, ..Here::default() };
        let container = Value::Object(serde_json::Map::new());
        let mut at = 0;
        for step in path.split('.') {
            let end = at + step.len();
            let value = if end == path.len() { value } else { &container };
            // A key may hold dots itself: the rest of the path may be one name.
            let rest = path.get(at..).unwrap_or_default();
            let whole = here.free && rest.contains('.');
            here.inside |= whole && (name_speaks(rest, true, value) || self.is_listed(path, rest));
            if !step.bytes().all(|b| b.is_ascii_digit()) {
                here = self.step(here, path.get(..end).unwrap_or_default(), step, value);
            }
            at = end + 1;
        }
        here
    }

    /// What is known one step further down, at `path`.
    fn step(&self, here: Here, path: &str, name: &str, value: &Value) -> Here {
        // `token.actions.githubusercontent.com:sub` is a key of IAM's conditions
        let condition_key = here.condition && name.contains(':');
        let speaks = !condition_key && name_speaks(name, here.free, value);
        Here {
            inside: here.inside || speaks || self.is_listed(path, name),
            free: here.free || is_free(name),
            condition: here.condition || (here.free && name == "Condition"),
        }
    }

    fn covered(&self, value: &Value, path: &str, here: Here, cover: Cover) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Object(map) => {
                let beside = ["name", "Name", "key", "Key"];
                let pair = beside.into_iter().find_map(|k| map.get(k).and_then(Value::as_str));
                let member = |(name, value): (&String, &Value)| {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let mut here = self.step(here, &below, name, value);
                    here.inside |= name.eq_ignore_ascii_case("value")
                        && pair.is_some_and(|name| name_speaks(name, true, value));
                    (cover.name(name), self.covered(value, &below, here, cover))
                };
                Value::Object(map.iter().map(member).collect())
            }
            Value::Array(list) => {
                Value::Array(list.iter().map(|v| self.covered(v, path, here, cover)).collect())
            }
            _ if here.inside => cover.of(value),
            Value::String(text) => self.covered_text(text, path, here, cover),
            other => other.clone(),
        }
    }

    fn covered_text(&self, text: &str, path: &str, here: Here, cover: Cover) -> Value {
        let unchanged = || Value::String(text.to_owned());
        let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if start.starts_with(['{', '[']) {
            let Some(document) = readable(start) else {
                // Not quite JSON: where a name in it speaks, all of it is kept back.
                let any = Value::String("?".to_owned());
                let speaks = names_in(start).any(|name| name_speaks(&name, true, &any));
                return if speaks || value_speaks(text) { cover.text(text) } else { unchanged() };
            };
            if matches!(cover, Cover::Digest) {
                return unchanged();
            }
            let masked = self.covered(&document, path, Here { free: true, ..here }, cover);
            // Unchanged text stays as it was written, unless a member that stands twice hides in it.
            return if masked == document && names_in(start).count() == members(&document) {
                unchanged()
            } else {
                Value::String(masked.to_string())
            };
        }
        if digest::in_text(text) || value_speaks(text) { cover.text(text) } else { unchanged() }
    }
}

/// What is known of the place where a value stands.
#[derive(Debug, Clone, Copy, Default)]
struct Here {
    /// In something sensitive.
    inside: bool,
    /// In something whose names people chose.
    free: bool,
    /// In a condition of an IAM policy.
    condition: bool,
}

/// What takes the place of a sensitive scalar.
#[derive(Debug, Clone, Copy)]
enum Cover {
    /// [`MASK`]: for output.
    Mask,
    /// A keyed hash: for the index.
    Digest,
}

impl Cover {
    fn of(self, value: &Value) -> Value {
        match self {
            Cover::Mask => Value::String(MASK.to_owned()),
            Cover::Digest => digest::digest(value),
        }
    }

    /// A member's name: what came from a sensitive value is no name to show.
    fn name(self, name: &str) -> String {
        match self {
            Cover::Mask if digest::in_text(name) => MASK.to_owned(),
            _ => name.to_owned(),
        }
    }

    fn text(self, text: &str) -> Value {
        self.of(&Value::String(text.to_owned()))
    }
}

/// The value at a dotted path. A key may hold dots itself.
fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(path).or_else(|| {
            path.match_indices('.').find_map(|(at, _)| {
                let (name, rest) = (path.get(..at)?, path.get(at + 1..)?);
                lookup(map.get(name)?, rest)
            })
        }),
        Value::Array(list) => {
            let (index, rest) = path.split_once('.').map_or((path, None), |(i, rest)| (i, Some(rest)));
            let element = list.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(element), |rest| lookup(element, rest))
        }
        _ => None,
    }
}

/// Number of members of all objects in a document.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len() + map.values().map(members).sum::<usize>(),
        Value::Array(list) => list.iter().map(members).sum(),
        _ => 0,
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
    fn text_that_is_nearly_json() {
        let masker = Masker::new("aws_x", &[]);
        let shown = |text: &str| masker.mask(&json!(text), "document");
        assert_eq!(shown(" {\"password\":\"hunter2\"}"), json!("{\"password\":\"***\"}"));
        assert_eq!(
            shown("\n[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]"),
            json!("[{\"name\":\"DB_PASSWORD\",\"value\":\"***\"}]")
        );
        assert_eq!(
            shown("{\"a\":1e999,\"password\":\"hunter2\"}"),
            json!("{\"a\":\"1e999\",\"password\":\"***\"}")
        );
        assert_eq!(shown("{\"password\":\"hunter2\""), json!("***"), "cut off");
        assert_eq!(
            shown("{\"password\":\"hunter2\",\"password\":null}"),
            json!("{\"password\":null}"),
            "twice"
        );
        assert_eq!(shown(" {\"a\": 1e999}"), json!(" {\"a\": 1e999}"), "untouched text stays as written");
        assert_eq!(shown("{a: b"), json!("{a: b"));
    }

    #[test]
    fn a_digest_is_shown_nowhere_in_a_text_or_a_name() {
        let masker = Masker::new("aws_x", &[]);
        let digest = digest::digest(&json!("hunter2"));
        let sealed = digest.as_str().unwrap();
        let document = json!({"a": {"b": sealed}}).to_string();
        for shown in [json!(sealed), json!(format!("x-{sealed}")), json!(format!("x-{document}"))] {
            assert_eq!(masker.mask(&shown, "name"), json!("***"), "{shown}");
        }
        assert_eq!(masker.mask(&json!(document), "name"), json!("{\"a\":{\"b\":\"***\"}}"));
        assert_eq!(masker.mask(&json!({sealed: "1", "b": "2"}), "tags"), json!({"***": "***", "b": "2"}));
    }

    #[test]
    fn conditions_of_policies_stay_readable() {
        let masker = Masker::new("aws_iam_role", &[]);
        let policy = json!(
            "{\"Statement\":[{\"Condition\":{\"StringLike\":{\"token.actions.githubusercontent.com:sub\":\"repo:acme/*\"}}}]}"
        );
        assert_eq!(masker.mask(&policy, "assume_role_policy"), policy);
    }

    #[test]
    fn keys_with_dots() {
        let names = vec!["my.note/x".to_owned()];
        let masker = Masker::new("aws_x", &names);
        let tags = json!({"my.note/x": "hunter2", "api.key": "hunter2", "a.b": "c"});
        assert_eq!(masker.mask(&tags, "tags"), json!({"my.note/x": "***", "api.key": "***", "a.b": "c"}));
        assert!(masker.is_sensitive("tags.my.note/x") && masker.is_sensitive("tags.api.key"));
        assert!(!masker.is_sensitive("tags.a.b"));
        assert!(masker.holds_sensitive("{\"tags\":{\"api.key\":\"hunter2\"}}", "tags.api.key"));
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
