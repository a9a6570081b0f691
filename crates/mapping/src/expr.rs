//! Expressions: paths into a record, literals and function calls.

use serde::{Deserialize, Serialize};

use crate::Function;

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// `Name`: `requestParameters`.
    Request,
    /// `%Name`: `responseElements`.
    Response,
    /// `@Name`: the element that `each`, `map`, `filter` or `block` is at; `@` alone is the element itself.
    Item,
    /// `^name`: the attribute of the resource found, as it is before the change.
    Resource,
    /// `$name`: a member of the record itself (`$awsRegion`, `$recipientAccountId`, `$eventName`).
    Record,
}

/// An expression of a mapping: everything right of `=` in an `id` or a `set` line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// `null`: an explicit nothing, which clears an attribute (an absent path leaves it alone).
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `42`, `-1`.
    Int(i64),
    /// `'text'`.
    Text(String),
    /// `A.B.C` from a root; empty segments for the root itself.
    Path(Root, Vec<String>),
    /// `name(arguments)`.
    Call(Function, Vec<Expr>),
    /// `[a, b]`; absent elements are left out.
    List(Vec<Expr>),
    /// `{a = x, b = y}`; absent members are left out.
    Object(Vec<(String, Expr)>),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {at} of `{text}`")]
pub struct ExprError {
    /// What is wrong, and what would be right.
    pub what: String,
    /// The position, counted from 1.
    pub at: usize,
    /// The expression.
    pub text: String,
}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// If the text is not one, with the position.
    pub fn parse(text: &str) -> Result<Expr, ExprError> {
        let mut p = Parser { text, at: 0, depth: 0 };
        let e = p.expr()?;
        p.blanks();
        if p.at < text.len() { Err(p.error("nothing more was expected")) } else { Ok(e) }
    }

    /// Calls `f` for this expression and everything in it.
    pub fn walk<'e>(&'e self, f: &mut impl FnMut(&'e Expr)) {
        f(self);
        match self {
            Expr::Call(_, args) | Expr::List(args) => args.iter().for_each(|a| a.walk(f)),
            Expr::Object(members) => members.iter().for_each(|(_, a)| a.walk(f)),
            _ => {}
        }
    }
}

const MAX_DEPTH: usize = 32;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, what: impl Into<String>) -> ExprError {
        ExprError { what: what.into(), at: self.at + 1, text: self.text.to_owned() }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, c: char) -> bool {
        self.blanks();
        let hit = self.rest().starts_with(c);
        if hit {
            self.at += c.len_utf8();
        }
        hit
    }

    fn need(&mut self, c: char) -> Result<(), ExprError> {
        if self.eat(c) { Ok(()) } else { Err(self.error(format!("`{c}` was expected"))) }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '*')))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("").to_owned();
        self.at += end;
        word
    }

    fn expr(&mut self) -> Result<Expr, ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the expression is nested too deeply"));
        }
        self.blanks();
        let e = match self.rest().chars().next() {
            None => Err(self.error("an expression was expected")),
            Some('\'') => self.quoted().map(Expr::Text),
            Some('[') => self.list(),
            Some('{') => self.object(),
            Some(c @ ('%' | '@' | '^' | '$')) => {
                self.at += 1;
                let root = match c {
                    '%' => Root::Response,
                    '@' => Root::Item,
                    '^' => Root::Resource,
                    _ => Root::Record,
                };
                Ok(Expr::Path(root, segments(&self.word())))
            }
            Some(_) => self.word_or_call(),
        };
        self.depth -= 1;
        e
    }

    fn quoted(&mut self) -> Result<String, ExprError> {
        let rest = self.rest().get(1..).unwrap_or("");
        let Some(end) = rest.find('\'') else { return Err(self.error("the closing ' is missing")) };
        let text = rest.get(..end).unwrap_or("").to_owned();
        self.at += end + 2;
        Ok(text)
    }

    fn list(&mut self) -> Result<Expr, ExprError> {
        self.need('[')?;
        Ok(Expr::List(self.until(']')?))
    }

    fn until(&mut self, close: char) -> Result<Vec<Expr>, ExprError> {
        let mut out = Vec::new();
        if self.eat(close) {
            return Ok(out);
        }
        loop {
            out.push(self.expr()?);
            if self.eat(close) {
                return Ok(out);
            }
            self.need(',')?;
        }
    }

    fn object(&mut self) -> Result<Expr, ExprError> {
        self.need('{')?;
        let mut out = Vec::new();
        if self.eat('}') {
            return Ok(Expr::Object(out));
        }
        loop {
            self.blanks();
            let name = self.word();
            if name.is_empty() {
                return Err(self.error("an attribute's name was expected"));
            }
            self.need('=')?;
            out.push((name, self.expr()?));
            if self.eat('}') {
                return Ok(Expr::Object(out));
            }
            self.need(',')?;
        }
    }

    fn word_or_call(&mut self) -> Result<Expr, ExprError> {
        let start = self.at;
        let word = self.word();
        if word.is_empty() {
            return Err(self.error("a path, a 'text', a number or a function was expected"));
        }
        if self.rest().starts_with('(') {
            let Some(f) = Function::by_name(&word) else {
                self.at = start;
                return Err(self.error(format!(
                    "there is no function `{word}`; there are {}",
                    Function::NAMES.join(", ")
                )));
            };
            self.at += 1;
            let args = self.until(')')?;
            let (min, max) = f.arity();
            if args.len() < min || args.len() > max {
                self.at = start;
                return Err(
                    self.error(format!("`{word}` takes {min} to {max} arguments, not {}", args.len()))
                );
            }
            return Ok(Expr::Call(f, args));
        }
        Ok(match word.as_str() {
            "null" => Expr::Null,
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            _ => match word.parse() {
                Ok(n) => Expr::Int(n),
                Err(_) => Expr::Path(Root::Request, segments(&word)),
            },
        })
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('.').filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(root: Root, p: &str) -> Expr {
        Expr::Path(root, segments(p))
    }

    #[test]
    fn reads_paths_literals_and_calls() {
        assert_eq!(Expr::parse("A.B").unwrap(), path(Root::Request, "A.B"));
        assert_eq!(Expr::parse(" %A ").unwrap(), path(Root::Response, "A"));
        assert_eq!(Expr::parse("@").unwrap(), path(Root::Item, ""));
        assert_eq!(Expr::parse("^ingress").unwrap(), path(Root::Resource, "ingress"));
        assert_eq!(Expr::parse("-1").unwrap(), Expr::Int(-1));
        assert_eq!(
            Expr::parse("or(A, [ 'x', {b = true} ])").unwrap(),
            Expr::Call(
                Function::Or,
                vec![
                    path(Root::Request, "A"),
                    Expr::List(vec![
                        Expr::Text("x".into()),
                        Expr::Object(vec![("b".into(), Expr::Bool(true))])
                    ])
                ]
            )
        );
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let e = Expr::parse("nosuch(A)").unwrap_err();
        assert!(e.what.contains("no function `nosuch`") && e.what.contains("pluck"), "{e}");
        assert_eq!(Expr::parse("list(A").unwrap_err().at, 7);
        assert!(Expr::parse("eq(A)").unwrap_err().what.contains("2 to 2 arguments"));
        assert!(Expr::parse("A B").unwrap_err().what.contains("nothing more"));
        assert!(Expr::parse(&"list(".repeat(100)).unwrap_err().what.contains("nested too deeply"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = Expr::parse(&text);
        }
    }
}
