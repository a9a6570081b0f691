//! CODEOWNERS, of GitHub's and GitLab's form: the last line whose pattern matches a file names its owners.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// The owners of one repository.
#[derive(Debug, Default)]
pub(super) struct Owners {
    root: PathBuf,
    /// Patterns relative to the root, and owners.
    lines: Vec<(Vec<Pattern>, String)>,
}

impl Owners {
    /// The file of the repository that `folder` lies in: from there upwards, to the first `.git`. Empty without one.
    pub(super) fn find(folder: &Path) -> Self {
        let Ok(folder) = std::fs::canonicalize(folder) else { return Self::default() };
        for root in folder.ancestors() {
            for name in [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"] {
                if let Ok(text) = std::fs::read_to_string(root.join(name)) {
                    return Self { root: root.to_owned(), lines: text.lines().filter_map(line).collect() };
                }
            }
            if root.join(".git").exists() {
                break;
            }
        }
        Self::default()
    }

    /// Owners of a file, blanks between them. `None` where the last matching line names none.
    pub(super) fn of(&self, file: &Path) -> Option<String> {
        let file = std::fs::canonicalize(file).ok()?;
        let path = file.strip_prefix(&self.root).ok()?;
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let matches = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches_path_with(path, options));
        let (_, owners) = self.lines.iter().rev().find(|(patterns, _)| matches(patterns))?;
        Some(owners.clone()).filter(|owners| !owners.is_empty())
    }
}

fn line(line: &str) -> Option<(Vec<Pattern>, String)> {
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    // GitLab's sections: `[Section]`.
    let pattern = words.next().filter(|word| !word.starts_with(['[', '^']))?;
    let owners: Vec<&str> = words.collect();
    // As in .gitignore: a slash within anchors the pattern to the root; a folder stands for all below it.
    let anchored = pattern.trim_end_matches('/').contains('/');
    let bare = pattern.trim_start_matches('/').trim_end_matches('/');
    let head = if anchored { bare.to_owned() } else { format!("**/{bare}") };
    let mut texts = vec![format!("{head}/**/*")];
    if !pattern.ends_with('/') {
        texts.push(head);
    }
    let patterns = texts.iter().filter_map(|text| Pattern::new(text).ok()).collect();
    Some((patterns, owners.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(lines: &str, path: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "").unwrap();
        std::fs::write(dir.path().join("CODEOWNERS"), lines).unwrap();
        Owners::find(file.parent().unwrap()).of(&file)
    }

    #[test]
    fn the_last_match_wins() {
        let lines = "* @all\n*.tf @tf\n/infra/ @infra\ninfra/net/*.tf @net\nsecret\n";
        for (path, expected) in [
            ("a.txt", Some("@all")),
            ("x/y/z.tf", Some("@tf")),
            ("infra/deep/er/z.tf", Some("@infra")),
            ("infra/net/z.tf", Some("@net")),
            ("infra/net/deep/z.tf", Some("@infra")),
            ("infra/secret/z.tf", None),
        ] {
            assert_eq!(owner(lines, path).as_deref(), expected, "{path}");
        }
    }
}
