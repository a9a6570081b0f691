//! A mapping file: TOML, one per AWS service.

use toml::{Table as Toml, Value};

use crate::{Assign, Confidence, Effect, Expr, ExprError, IdPart, Operation, SetLine, Target};

/// What is wrong in a mapping file.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Not TOML.
    #[error("{file}: not TOML: {error}")]
    Toml {
        /// The file.
        file: String,
        /// What the TOML reader says, with line and column.
        error: Box<toml::de::Error>,
    },
    /// Something in an operation's block.
    #[error("{file}:{line}: [[{operation}]]: {what}")]
    Block {
        /// The file.
        file: String,
        /// The line of the block's header.
        line: u32,
        /// The operation.
        operation: String,
        /// What is wrong and what would be right.
        what: String,
    },
    /// Something at the head of the file.
    #[error("{file}: {what}")]
    Head {
        /// The file.
        file: String,
        /// What is wrong and what would be right.
        what: String,
    },
}

const KEYS: &[&str] = &[
    "create", "update", "upsert", "delete", "tag", "touch", "change", "each", "when", "id", "set",
    "fallback", "mirror", "new", "severity", "global",
];

/// Reads a mapping file. `file` is its name for messages.
///
/// # Errors
/// The first thing that is wrong, with file and line.
pub fn parse_file(file: &str, text: &str, confidence: Confidence) -> Result<Vec<Operation>, MappingError> {
    let tree: Toml =
        text.parse().map_err(|e| MappingError::Toml { file: file.to_owned(), error: Box::new(e) })?;
    let head = |what: String| MappingError::Head { file: file.to_owned(), what };
    let sources = texts(tree.get("source")).filter(|s| !s.is_empty()).ok_or_else(|| {
        head(
            "`source` is missing: a list of eventSource values, e.g. source = [\"ec2.amazonaws.com\"]".into(),
        )
    })?;
    let ignore = match tree.get("ignore") {
        None => Vec::new(),
        some => texts(some).ok_or_else(|| head("`ignore` must be a list of texts".into()))?,
    };
    let global = match tree.get("region").map(|v| v.as_str()) {
        None => false,
        Some(Some("global")) => true,
        Some(_) => return Err(head("`region` can only be \"global\"".into())),
    };
    let mut out = Vec::new();
    for (name, value) in &tree {
        if matches!(name.as_str(), "source" | "ignore" | "region" | "service" | "alias") {
            continue;
        }
        let blocks = value.as_array().filter(|a| a.iter().all(Value::is_table)).ok_or_else(|| {
            head(format!("`{name}` is neither source, ignore, region, service, alias nor a [[{name}]] block"))
        })?;
        let mut targets = Vec::new();
        for (nth, block) in blocks.iter().enumerate() {
            let line = header_line(text, name, nth);
            let block_error =
                |what| MappingError::Block { file: file.to_owned(), line, operation: name.clone(), what };
            let table = block.as_table().ok_or_else(|| block_error("must be a table".to_owned()))?;
            targets.push(target(table, line, global).map_err(block_error)?);
        }
        for source in &sources {
            out.push(Operation {
                source: source.clone(),
                name: name.clone(),
                targets: targets.clone(),
                ignore: ignore.clone(),
                confidence,
                file: file.to_owned(),
                alias_of: None,
            });
        }
    }
    aliases(&tree, &mut out).map_err(head)?;
    Ok(out)
}

/// `[alias] Other = "Operation"`: another name of an operation, with the same targets.
fn aliases(tree: &Toml, out: &mut Vec<Operation>) -> Result<(), String> {
    let Some(table) = tree.get("alias") else { return Ok(()) };
    for (name, of) in table.as_table().ok_or("`alias` must be a table: Other = \"Operation\"")? {
        let of = of.as_str().ok_or_else(|| format!("alias {name}: must be the name of an operation"))?;
        let same: Vec<Operation> = out
            .iter()
            .filter(|o| o.name == of)
            .map(|o| Operation { name: name.clone(), alias_of: Some(of.to_owned()), ..o.clone() })
            .collect();
        if same.is_empty() {
            return Err(format!("alias {name}: there is no [[{of}]] in this file"));
        }
        out.extend(same);
    }
    Ok(())
}

fn header_line(text: &str, operation: &str, nth: usize) -> u32 {
    let header = format!("[[{operation}]]");
    let hits = text.lines().enumerate().filter(|(_, l)| l.trim_start().starts_with(&header));
    hits.map(|(i, _)| i as u32 + 1).nth(nth).unwrap_or(1)
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(s) => Some(vec![s.clone()]),
        Value::Array(a) => a.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn target(block: &Toml, line: u32, global: bool) -> Result<Target, String> {
    if let Some(unknown) = block.keys().find(|k| !KEYS.contains(&k.as_str())) {
        return Err(format!("unknown key `{unknown}`; there are {}", KEYS.join(", ")));
    }
    let mut effects = Effect::ALL.iter().filter(|e| block.contains_key(e.key()));
    let (Some(&effect), None) = (effects.next(), effects.next()) else {
        return Err(
            "exactly one of create, update, upsert, delete, tag, touch must say what happens to which type"
                .into(),
        );
    };
    let types = texts(block.get(effect.key()))
        .filter(|t| !t.is_empty())
        .ok_or_else(|| format!("`{}` must be a type or a list of types", effect.key()))?;
    let expr = |key: &str| match block.get(key) {
        None => Ok(None),
        Some(Value::String(s)) => Expr::parse(s).map(Some).map_err(|e| format!("`{key}`: {e}")),
        Some(_) => Err(format!("`{key}` must be a text with an expression")),
    };
    let flag = |key: &str| match block.get(key) {
        None => Ok(false),
        Some(Value::Boolean(b)) => Ok(*b),
        Some(_) => Err(format!("`{key}` must be true or false")),
    };
    let word = |key: &str, allowed: &[&str]| match block.get(key) {
        None => Ok(None),
        Some(Value::String(s)) if allowed.contains(&s.as_str()) => Ok(Some(s.clone())),
        Some(_) => Err(format!("`{key}` must be one of {}", allowed.join(", "))),
    };
    let lines = |key: &str| match block.get(key) {
        None => Ok(Vec::new()),
        some => texts(some).ok_or_else(|| format!("`{key}` must be a list of texts")),
    };
    let ids = lines("id")?.iter().map(|l| identity(l)).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Err("`id` is missing: by which attributes is the resource found?".into());
    }
    let sets = lines("set")?.iter().map(|l| set_line(l)).collect::<Result<Vec<_>, _>>()?;
    Ok(Target {
        effect,
        change: word("change", &["create", "update", "delete", "tag", "attach", "detach", "action"])?,
        types,
        each: expr("each")?,
        when: expr("when")?,
        ids,
        sets,
        fallback: flag("fallback")?,
        mirror: flag("mirror")?,
        new: expr("new")?,
        severity: word("severity", &["critical", "high", "medium", "low"])?,
        global: global || flag("global")?,
        line,
    })
}

/// Splits at commas that stand in no bracket and no text.
fn split_top(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0i32, false);
    for (i, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(text.get(start..i).unwrap_or(""));
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(start..).unwrap_or(""));
    out
}

fn identity(line: &str) -> Result<Vec<IdPart>, String> {
    split_top(line)
        .into_iter()
        .map(|part| {
            let (attribute, value) = part.split_once('=').ok_or_else(|| {
                format!("id `{line}`: each part must be `attribute = expression`, `{part}` is not")
            })?;
            let value = Expr::parse(value).map_err(|e| format!("id `{line}`: {e}"))?;
            Ok(IdPart { attribute: attribute.trim().to_owned(), value })
        })
        .collect()
}

fn set_line(line: &str) -> Result<SetLine, String> {
    let error = |e: ExprError| format!("set `{line}`: {e}");
    let at = line
        .find('=')
        .ok_or_else(|| format!("set `{line}`: must be `attribute = expression` (or +=, -=, |=)"))?;
    let (left, right) = (line.get(..at).unwrap_or(""), line.get(at + 1..).unwrap_or(""));
    let (path, assign) = match left.trim_end().as_bytes().last() {
        Some(b'+') => (left.trim_end().trim_end_matches('+'), Assign::Add),
        Some(b'-') => (left.trim_end().trim_end_matches('-'), Assign::Remove),
        Some(b'|') => (left.trim_end().trim_end_matches('|'), Assign::Merge),
        _ => (left, Assign::Replace),
    };
    let (right, by) = match right.rsplit_once(" by ") {
        Some((r, keys)) if !keys.contains(['(', ')', '\'']) => {
            (r, keys.split(',').map(|k| k.trim().to_owned()).collect())
        }
        _ => (right, Vec::new()),
    };
    let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(format!("set `{line}`: the attribute before the `=` is missing"));
    }
    Ok(SetLine { path, assign, value: Expr::parse(right).map_err(error)?, by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Root;

    fn one(text: &str) -> Result<Operation, MappingError> {
        parse_file("x.toml", text, Confidence::Core).map(|mut v| v.remove(0))
    }

    #[test]
    fn reads_a_block() {
        let op = one("service = \"s\"\nsource = [\"s.amazonaws.com\"]\n\n[[PutX]]\nupsert = \"aws_x\"\nid = [\"id = A, name = lower(B)\"]\nset = [\"tags |= tags(T)\", \"rule += block(R) by name\"]\nmirror = true\n").unwrap();
        let t = &op.targets[0];
        assert_eq!((t.effect, t.line, t.mirror, t.ids[0].len()), (Effect::Upsert, 4, true, 2));
        assert_eq!(t.sets[0].assign, Assign::Merge);
        assert_eq!(t.sets[1].by, ["name"]);
        assert_eq!(t.ids[0][0].value, Expr::Path(Root::Request, vec!["A".into()]));
    }

    #[test]
    fn names_file_line_and_remedy() {
        let e = |block: &str| one(&format!("source = \"s\"\n[[X]]\n{block}")).unwrap_err().to_string();
        assert_eq!(
            e("updat = \"aws_x\"\n"),
            format!("x.toml:2: [[X]]: unknown key `updat`; there are {}", KEYS.join(", "))
        );
        assert!(e("update = \"aws_x\"\n").contains("`id` is missing"));
        assert!(e("update = \"aws_x\"\nid = [\"id\"]\n").contains("each part must be"));
        assert!(e("update = \"aws_x\"\nid = [\"id = foo(A)\"]\n").contains("no function `foo`"));
        assert!(one("[[X]]\n").unwrap_err().to_string().contains("`source` is missing"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            let _ = parse_file("x", &text, Confidence::Core);
            let _ = set_line(&text);
            let _ = identity(&text);
        }
    }
}
