//! Resource addresses, printed and parsed as Terraform does.

use std::fmt;

/// Address of a resource instance: `module.web["a"].aws_instance.db[0]`, `data.aws_ami.base`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Modules from the root inwards; empty in the root module.
    pub module: Vec<ModuleStep>,
    /// Managed resource or data source.
    pub mode: Mode,
    /// Type: `aws_instance`.
    pub rtype: String,
    /// Name: `db`.
    pub name: String,
    /// Instance key, with `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// One module call on the way to a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// Name of the call: `web`.
    pub name: String,
    /// Instance key, with `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// Key of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// Of `count`.
    Int(i64),
    /// Of `for_each`.
    Str(String),
}

/// Managed resource or data source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `resource "…"`.
    Managed,
    /// `data "…"`.
    Data,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a resource address at byte {at}: {problem}; expected the form `module.NAME[KEY].TYPE.NAME[KEY]`"
)]
pub struct AddressError {
    /// Byte where reading stopped.
    pub at: usize,
    /// What was found.
    pub problem: &'static str,
}

impl Address {
    /// Parses what Terraform prints.
    ///
    /// # Errors
    /// The text is not exactly one resource address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Ok(parse(text)?.0)
    }

    /// The module part of a printed address, without the dot after it; empty in the root module. Quicker than
    /// [`Address::parse`] only in that it copies nothing.
    pub(crate) fn module_of(text: &str) -> Option<&str> {
        let (_, end) = parse(text).ok()?;
        text.get(..end)
    }
}

/// The address, and where its module part ends.
fn parse(text: &str) -> Result<(Address, usize), AddressError> {
    let mut cursor = Cursor { text, at: 0 };
    let mut module = Vec::new();
    let mut module_end = 0;
    let mut mode = Mode::Managed;
    let mut word = cursor.name()?;
    while word == "module" {
        cursor.dot()?;
        let name = cursor.name()?.to_owned();
        let key = cursor.key()?;
        module.push(ModuleStep { name, key });
        module_end = cursor.at;
        cursor.dot()?;
        word = cursor.name()?;
    }
    if word == "data" {
        mode = Mode::Data;
        cursor.dot()?;
        word = cursor.name()?;
    }
    let rtype = word.to_owned();
    cursor.dot()?;
    let name = cursor.name()?.to_owned();
    let key = cursor.key()?;
    if cursor.at != text.len() {
        return Err(cursor.error("more text after the address"));
    }
    Ok((Address { module, mode, rtype, name, key }, module_end))
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, problem: &'static str) -> AddressError {
        AddressError { at: self.at, problem }
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn dot(&mut self) -> Result<(), AddressError> {
        if self.eat(".") { Ok(()) } else { Err(self.error("`.` missing")) }
    }

    fn name(&mut self) -> Result<&'t str, AddressError> {
        let rest = self.rest();
        let len = rest
            .find(|c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_whitespace() || c.is_control())
            .unwrap_or(rest.len());
        match rest.get(..len) {
            Some(name) if len > 0 => {
                self.at += len;
                Ok(name)
            }
            _ => Err(self.error("name missing")),
        }
    }

    fn key(&mut self) -> Result<Option<InstanceKey>, AddressError> {
        if !self.eat("[") {
            return Ok(None);
        }
        let key = if self.eat("\"") {
            InstanceKey::Str(self.quoted()?)
        } else {
            let rest = self.rest();
            let digits = rest.find(']').and_then(|len| rest.get(..len)).unwrap_or_default();
            let number = digits.parse().map_err(|_| self.error("neither a number nor a quoted key"))?;
            self.at += digits.len();
            InstanceKey::Int(number)
        };
        if self.eat("]") { Ok(Some(key)) } else { Err(self.error("`]` missing")) }
    }

    /// A quoted key after its opening quote.
    fn quoted(&mut self) -> Result<String, AddressError> {
        let mut key = String::new();
        loop {
            if self.eat("$${") {
                key.push_str("${");
                continue;
            }
            if self.eat("%%{") {
                key.push_str("%{");
                continue;
            }
            let Some(c) = self.rest().chars().next() else { return Err(self.error("`\"` missing")) };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(key),
                '\\' => key.push(self.escape()?),
                c => key.push(c),
            }
        }
    }

    /// One escape after its backslash.
    fn escape(&mut self) -> Result<char, AddressError> {
        for (code, c) in [("n", '\n'), ("r", '\r'), ("t", '\t'), ("\"", '"'), ("\\", '\\')] {
            if self.eat(code) {
                return Ok(c);
            }
        }
        let digits = if self.eat("u") {
            4
        } else if self.eat("U") {
            8
        } else {
            return Err(self.error("unknown escape"));
        };
        let hex = self.rest().get(..digits).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
        let c = hex.and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32);
        let c = c.ok_or_else(|| self.error("not a character"))?;
        self.at += digits;
        Ok(c)
    }
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
            f.write_str(".")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.rtype, self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "{key}"))
    }
}

/// With the brackets, quoted as Terraform's `toHCLQuotedString` (internal/addrs/instance_key.go) does.
impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let key = match self {
            Self::Int(n) => return write!(f, "[{n}]"),
            Self::Str(key) => key,
        };
        f.write_str("[\"")?;
        let mut chars = key.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '$' | '%' if chars.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                c if is_print(c) => f.write_char(c)?,
                c if u32::from(c) < 0x10000 => write!(f, "\\u{:04x}", u32::from(c))?,
                c => write!(f, "\\U{:08x}", u32::from(c))?,
            }
        }
        f.write_str("\"]")
    }
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII blank. Rust's `escape_debug`
/// escapes the same (and a combining mark at the start of a text, hence the letter before it).
fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut buffer = [b'a', 0, 0, 0, 0];
    let Some(tail) = buffer.get_mut(1..) else { return true };
    let len = 1 + c.encode_utf8(tail).len();
    let text = buffer.get(..len).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default();
    text.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let a = Address::parse("module.web[\"a.b\\\"]\"].module.db[3].data.aws_ami.base[0]").unwrap();
        assert_eq!(a.module[0].key, Some(InstanceKey::Str("a.b\"]".into())));
        assert_eq!(a.module[1], ModuleStep { name: "db".into(), key: Some(InstanceKey::Int(3)) });
        assert_eq!((a.mode, &*a.rtype, &*a.name), (Mode::Data, "aws_ami", "base"));
        assert_eq!(a.key, Some(InstanceKey::Int(0)));
        assert_eq!(Address::module_of("module.a[\"x.y\"].aws_vpc.b"), Some("module.a[\"x.y\"]"));
        assert_eq!(Address::module_of("aws_vpc.b"), Some(""));
    }

    #[test]
    fn quoting_is_terraforms() {
        let show = |s: &str| InstanceKey::Str(s.into()).to_string();
        assert_eq!(show("a\"b\\c"), "[\"a\\\"b\\\\c\"]");
        assert_eq!(show("${x} %{y} $$ %"), "[\"$${x} %%{y} $$ %\"]");
        assert_eq!(show("é\u{a0}\u{1f600}\u{e000}\u{1}"), "[\"é\\u00a0\u{1f600}\\ue000\\u0001\"]");
        assert_eq!(show("\u{301}"), "[\"\u{301}\"]");
    }

    #[test]
    fn refused_with_position() {
        for bad in [
            "",
            "aws_vpc",
            "aws_vpc.",
            "aws_vpc.a[",
            "aws_vpc.a[x]",
            "aws_vpc.a[\"x]",
            "module.a",
            "a.b.c",
            "a.b[0]x",
            "a.b[\"\\q\"]",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Address::parse("a.b[0]x").unwrap_err().at, 6);
    }
}
