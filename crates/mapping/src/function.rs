//! The closed set of functions that a mapping expression may call.

use serde::{Deserialize, Serialize};

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $min:literal..=$max:literal),* $(,)?) => {
        /// A function of the mapping language. Their names, arguments and results are listed in `docs/mappings.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Function { $($(#[$doc])* $variant),* }

        impl Function {
            /// The function of that name, if there is one.
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
            /// Its name in a mapping file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
            /// The least and the greatest number of arguments it takes.
            pub fn arity(self) -> (usize, usize) {
                match self { $(Self::$variant => ($min, $max)),* }
            }
            /// Every name, for error texts.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

functions! {
    /// `or(a, b, …)`: the first that has a value.
    Or "or" 2..=9,
    /// `if(condition, then[, else])`.
    If "if" 2..=3,
    /// `eq(a, b)`: true if both have a value and mean the same.
    Eq "eq" 2..=2,
    /// `ne(a, b)`: true if both have a value and differ.
    Ne "ne" 2..=2,
    /// `has(x)`: whether `x` has a value (absent, null, "" and {} have none).
    Has "has" 1..=1,
    /// `not(x)`.
    Not "not" 1..=1,
    /// `all(a, b, …)`: whether all are true.
    All "all" 1..=9,
    /// `any(a, b, …)`: whether one is true.
    Any "any" 1..=9,
    /// `in(x, 'a', 'b', …)`: whether `x` is one of the texts, or of the elements of a list.
    In "in" 2..=24,
    /// `list(x)`: a list as it is, a single value as a list of one.
    List "list" 1..=1,
    /// `concat(a, b, …)`: lists one after the other; the absent ones are left out.
    Concat "concat" 1..=9,
    /// `flat(lists)`: the elements of a list of lists.
    Flat "flat" 1..=1,
    /// `first(list)`.
    First "first" 1..=1,
    /// `at(list, n)`.
    At "at" 2..=2,
    /// `pluck(list, path)`: the value at `path` in each element.
    Pluck "pluck" 2..=2,
    /// `map(list, expr)`: `expr` for each element, which is `@` in it.
    Map "map" 2..=2,
    /// `filter(list, condition)`: the elements for which it is true; the element is `@` in it.
    Filter "filter" 2..=2,
    /// `split(text, separator)`.
    Split "split" 2..=2,
    /// `join(list, separator)`.
    Join "join" 2..=2,
    /// `text(a, b, …)`: the texts one after the other; absent if one is.
    Text "text" 1..=12,
    /// `lower(text)`.
    Lower "lower" 1..=1,
    /// `upper(text)`.
    Upper "upper" 1..=1,
    /// `replace(text, from, to)`.
    Replace "replace" 3..=3,
    /// `after(text, mark)`: what follows the last `mark`; the whole text without one.
    After "after" 2..=2,
    /// `before(text, mark)`: what stands before the first `mark`; the whole text without one.
    Before "before" 2..=2,
    /// `enum(x, 'A=a', 'B=b', …)`: translates a value; one that is not listed stays as it is.
    Enum "enum" 2..=24,
    /// `num(x)`: as a number.
    Num "num" 1..=1,
    /// `bool(x)`: as a bool.
    Bool "bool" 1..=1,
    /// `add(a, b)`.
    Add "add" 2..=2,
    /// `mul(a, b)`.
    Mul "mul" 2..=2,
    /// `div(a, b)`.
    Div "div" 2..=2,
    /// `count(list)`.
    Count "count" 1..=1,
    /// `json(x)`: a JSON document, as text, in canonical form.
    Json "json" 1..=1,
    /// `parse(x)`: a JSON text as a tree.
    Parse "parse" 1..=1,
    /// `unbase64(x)`: the text behind base64.
    Unbase64 "unbase64" 1..=1,
    /// `sha1(x)`: hexadecimal.
    Sha1 "sha1" 1..=1,
    /// `arn_tail(x)`: the last part of an ARN (after `:` or `/`); anything else as it is.
    ArnTail "arn_tail" 1..=1,
    /// `arn_resource(x)`: an ARN without its first five parts; anything else as it is.
    ArnResource "arn_resource" 1..=1,
    /// `dns(x)`: a DNS name as Terraform writes it: no trailing dot, lower case, `\052` as `*`.
    Dns "dns" 1..=1,
    /// `tags(x)`: tags in any of AWS's forms as a map.
    Tags "tags" 1..=1,
    /// `keys(x)`: the keys of tags or of a map.
    Keys "keys" 1..=1,
    /// `kv(list, key)`: the value of that key in a list of key/value pairs or in a map.
    Kv "kv" 2..=2,
    /// `pairs(x)`: key/value pairs (`Name`, `Key`, `ParameterName` …) as a map.
    Pairs "pairs" 1..=3,
    /// `block(x[, {attr = expr, …}])`: a structure, or a list of them, as Terraform's block: attributes by name, the listed ones by
    /// expression with the element as `@`.
    Block "block" 1..=2,
    /// `merge(a, b, …)`: objects, later ones win.
    Merge "merge" 2..=4,
    /// `omit(map, keys)`: a map without these keys; `keys` is a text, a list, or tags.
    Omit "omit" 2..=2,
    /// `without(list, condition)`: the elements for which it is not true.
    Without "without" 2..=2,
    /// `update(list, condition, {attr = expr})`: the elements, those that meet the condition with those attributes replaced.
    Update "update" 3..=3,
    /// `patch(operations, '/path')`: the value that API Gateway's patch operations give to a path; null where they remove it.
    Patch "patch" 2..=2,
    /// `unknown()`: the attribute changes, to a value that the record does not show.
    Unknown "unknown" 0..=0,
    /// `secret(x)`: if `x` is there, the attribute changes to a value that is not to be shown.
    Secret "secret" 1..=1,
    /// `ref(type, attribute, value, wanted)`: attribute `wanted` of the resource in the states whose `attribute` is `value`.
    Ref "ref" 4..=4,
    /// `refs(type, attribute, value, wanted)`: the same of all such resources, as a list.
    Refs "refs" 4..=4,
    /// `sg_add(rules, permissions[, id])`: the `ingress` or `egress` of a security group with these permissions.
    SgAdd "sg_add" 2..=2,
    /// `sg_remove(rules, permissions)`.
    SgRemove "sg_remove" 2..=2,
    /// `sg_rules(permissions)`: one flat rule for each source of EC2's `IpPermissions`, in both of its forms.
    SgRules "sg_rules" 1..=1,
    /// `sg_rules_by_id(ids)`: the flat rules that the states know under these rule ids.
    SgRulesById "sg_rules_by_id" 1..=1,
    /// `port(x)`: a port that security groups write as -1 or leave out for "all".
    Protocol "protocol" 1..=1,
    /// `cidr(x)`: a CIDR block in canonical form.
    Cidr "cidr" 1..=1,
    /// `seconds(x)`: an ISO 8601 duration or a number of seconds as a number.
    Seconds "seconds" 1..=1,
}
