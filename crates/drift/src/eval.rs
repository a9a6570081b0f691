//! Evaluates the expressions of a mapping against one record.

use std::cell::RefCell;

use serde_json::{Map, Value};
use tfdrift_cloudtrail::Record;
use tfdrift_mapping::{Attribute, Expr, Function, Kind, Root};

use crate::view::View;
use crate::{coerce, equal, functions, params};

/// The record as expressions see it.
pub struct Scope<'r> {
    /// `requestParameters`, canonical.
    pub request: &'r Value,
    /// `responseElements`, canonical.
    pub response: &'r Value,
    /// The record.
    pub record: &'r Record<'r>,
    /// What `ref` looks into.
    pub view: &'r View<'r>,
}

/// Where evaluation is: the record, the element of `each` and its like, the resource found.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The record.
    pub scope: &'c Scope<'c>,
    /// The element that `@` means.
    pub item: Option<&'c Value>,
    /// The attributes that `^` means.
    pub resource: Option<&'c RefCell<Map<String, Value>>>,
}

impl<'c> Context<'c> {
    /// The same with another element as `@`.
    pub fn with_item<'d>(self, item: &'d Value) -> Context<'d>
    where
        'c: 'd,
    {
        Context { item: Some(item), ..self }
    }

    /// The value of an expression; `None` if it is absent. `target` is the attribute that takes the value.
    pub fn eval(&self, expr: &Expr, target: Option<&Attribute>) -> Option<Value> {
        match expr {
            Expr::Null => Some(Value::Null),
            Expr::Bool(b) => Some(Value::Bool(*b)),
            Expr::Int(n) => Some(Value::from(*n)),
            Expr::Text(s) => Some(Value::String(s.clone())),
            Expr::Path(root, path) => self.path(*root, path),
            Expr::Call(function, args) => self.call(*function, args, target),
            Expr::List(elements) => {
                let elements: Vec<Value> = elements.iter().filter_map(|e| self.eval(e, target)).collect();
                Some(Value::Array(elements))
            }
            Expr::Object(members) => Some(Value::Object(self.object(members, target))),
        }
    }

    /// The members of an object literal that have a value.
    pub fn object(&self, members: &[(String, Expr)], target: Option<&Attribute>) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, e) in members {
            if let Some(v) = self.eval(e, target.and_then(|t| t.member(name))) {
                out.insert(name.clone(), v);
            }
        }
        out
    }

    fn path(&self, root: Root, path: &[String]) -> Option<Value> {
        match root {
            Root::Request => params::get(self.scope.request, path).cloned(),
            Root::Response => params::get(self.scope.response, path).cloned(),
            Root::Item => params::get(self.item?, path).cloned(),
            Root::Resource => {
                let attributes = self.resource?.borrow();
                let (head, rest) = path.split_first()?;
                params::get(attributes.get(head)?, rest).cloned()
            }
            Root::Record => {
                let (head, rest) = path.split_first()?;
                let tree: Value = serde_json::from_str(self.scope.record.raw(head)?.get()).ok()?;
                params::get(&tree, rest).cloned()
            }
        }
    }

    /// Whether a condition holds.
    pub fn holds(&self, expr: &Expr) -> bool {
        match self.eval(expr, None) {
            Some(Value::Bool(b)) => b,
            Some(Value::String(s)) => s.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A value as text; `None` if it is absent or no scalar.
    pub fn text(&self, expr: &Expr) -> Option<String> {
        equal::text(&self.eval(expr, None)?)
    }

    fn has(&self, expr: &Expr) -> bool {
        self.eval(expr, None).is_some_and(|v| !equal::is_empty(&v))
    }

    fn call(&self, function: Function, args: &[Expr], target: Option<&Attribute>) -> Option<Value> {
        let first = args.first();
        let arg = |n: usize| args.get(n).and_then(|e| self.eval(e, None));
        let list = |n: usize| arg(n).map(coerce::as_list);
        match function {
            Function::Or => args.iter().find_map(|e| self.eval(e, target)),
            Function::If => {
                if self.holds(first?) {
                    self.eval(args.get(1)?, target)
                } else {
                    self.eval(args.get(2)?, target)
                }
            }
            Function::Has => Some(self.has(first?).into()),
            Function::Not => Some((!self.holds(first?)).into()),
            Function::All => Some(args.iter().all(|e| self.holds(e)).into()),
            Function::Any => Some(args.iter().any(|e| self.holds(e)).into()),
            Function::Map => {
                let each = args.get(1)?;
                Some(list(0)?.iter().filter_map(|item| self.with_item(item).eval(each, target)).collect())
            }
            Function::Filter | Function::Without => {
                let keep = function == Function::Filter;
                Some(
                    list(0)?
                        .into_iter()
                        .filter(|item| self.with_item(item).holds(args.get(1).unwrap_or(&Expr::Null)) == keep)
                        .collect(),
                )
            }
            Function::Update => {
                let Expr::Object(members) = args.get(2)? else { return None };
                let condition = args.get(1)?;
                let update = |mut item: Value| {
                    if self.with_item(&item).holds(condition) {
                        let new = self.with_item(&item.clone()).object(members, target);
                        if let Some(o) = item.as_object_mut() {
                            o.extend(new);
                        }
                    }
                    item
                };
                Some(list(0)?.into_iter().map(update).collect())
            }
            Function::Pluck => {
                let Expr::Path(_, path) = args.get(1)? else { return None };
                Some(list(0)?.iter().filter_map(|item| params::get(item, path).cloned()).collect())
            }
            Function::Concat => {
                let parts: Vec<Value> = args.iter().filter_map(|e| self.eval(e, target)).collect();
                if parts.is_empty() {
                    None
                } else {
                    Some(parts.into_iter().flat_map(coerce::as_list).collect())
                }
            }
            Function::List => Some(Value::Array(coerce::as_list(self.eval(first?, target)?))),
            Function::First => coerce::as_list(self.eval(first?, target)?).into_iter().next(),
            Function::Block => self.block(args, target),
            Function::Merge => {
                let mut out = Map::new();
                for e in args {
                    if let Some(Value::Object(o)) = self.eval(e, target) {
                        out.extend(o);
                    }
                }
                Some(Value::Object(out))
            }
            Function::Ref | Function::Refs => {
                let (rtype, attribute) = (self.text(first?)?, self.text(args.get(1)?)?);
                let wanted = self.text(args.get(3)?)?;
                let value = arg(2)?;
                let mut found = functions::references(self.scope.view, &rtype, &attribute, &value, &wanted);
                match function {
                    Function::Ref => found.next(),
                    _ => Some(found.collect()),
                }
            }
            Function::SgRulesById => functions::rules_by_id(self.scope.view, &list(0)?),
            Function::SgRules => {
                Some(Value::Array(functions::rules(&arg(0).unwrap_or(Value::Null), self.scope.request)))
            }
            Function::SgAdd | Function::SgRemove => {
                let permissions = arg(1).unwrap_or(Value::Null);
                let flat = functions::flat_or_permissions(permissions, self.scope.request)?;
                let rules = arg(0).unwrap_or(Value::Null);
                let own = self.path(Root::Resource, &["id".to_owned()]).and_then(|v| equal::text(&v));
                Some(match function {
                    Function::SgAdd => functions::add(rules, &flat, own.as_deref()),
                    _ => functions::remove(rules, &flat, own.as_deref()),
                })
            }
            Function::Unknown => Some(coerce::unknown()),
            Function::Secret => arg(0).map(|_| coerce::unknown()),
            _ => functions::plain(function, args.iter().map(|e| self.eval(e, None)).collect()),
        }
    }

    /// `block(x[, {…}])`: see [`Function::Block`].
    fn block(&self, args: &[Expr], target: Option<&Attribute>) -> Option<Value> {
        let value = self.eval(args.first()?, None)?;
        let value = coerce::items(&value).cloned().unwrap_or(value);
        let members: &[(String, Expr)] = match args.get(1) {
            Some(Expr::Object(members)) => members,
            _ => &[],
        };
        let kind = target.map(|t| &t.kind);
        let one = |item: &Value| {
            let mut out = match kind {
                Some(kind @ Kind::Block(..)) => coerce::by_names(kind, item),
                _ => Value::Object(Map::new()),
            };
            if let Some(o) = out.as_object_mut() {
                for (name, e) in members {
                    match self.with_item(item).eval(e, target.and_then(|t| t.member(name))) {
                        Some(v) => o.insert(name.clone(), v),
                        None => o.remove(name),
                    };
                }
            }
            out
        };
        Some(match &value {
            Value::Array(items) => items.iter().map(one).collect(),
            v if equal::is_empty(v) => Value::Array(Vec::new()),
            v => Value::Array(vec![one(v)]),
        })
    }
}
