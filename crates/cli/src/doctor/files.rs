//! The steps of a folder or file.

use super::newest::now_secs;
use super::object::decode;
use super::report::{Report, Step, age};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tfdrift_intake::layout;
use tfdrift_intake::survey::Wanted;

/// A folder deeper than this is a loop or a mistake.
const MAX_DEPTH: usize = 24;

/// Lists, finds the newest and reads it.
pub fn examine(path: &Path, wanted: &Wanted, report: &mut Report) {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    let mut problems = Vec::new();
    walk(path, 0, path.is_file(), &mut found, &mut problems);
    for problem in &problems {
        report.add(Step::bad("list", problem.clone()).next("let the user that runs Falco read it"));
    }
    let all = found.len();
    // As the reader does it: by the name below the folder.
    found.retain(|(_, file)| {
        let name = file.strip_prefix(path).unwrap_or(file).to_string_lossy();
        name.is_empty() || wanted.key(&name)
    });
    if all > 0 && found.is_empty() {
        report.add(
            Step::bad("list", format!("none of {all} files under {} would be read", path.display()))
                .detail("they are digests or Insights, or left out by s3AccountList, source.accounts or source.regions")
                .next("set those to accounts and regions that are there, or leave them empty for all"),
        );
        return;
    }
    found.sort();
    let Some((modified_secs, newest)) = found.last() else {
        report.add(
            Step::bad(
                "list",
                format!("no *.json, *.jsonl or *.ndjson (each also .gz) under {}", path.display()),
            )
            .next("point open_params at the folder with CloudTrail's files"),
        );
        return;
    };
    report
        .add(Step::good("list", format!("{} file{}", found.len(), if found.len() == 1 { "" } else { "s" })));
    // Files lie for ever: their age is no fault.
    let name = newest.display().to_string();
    report
        .add(Step::good("newest", format!("{} old: {name}", age(now_secs().saturating_sub(*modified_secs)))));
    report.add(match std::fs::read(newest) {
        Ok(bytes) => decode(&name, &bytes),
        Err(error) => {
            Step::bad("get", format!("{name}: {error}")).next("let the user that runs Falco read it")
        }
    });
}

fn walk(
    path: &Path,
    depth: usize,
    any_name: bool,
    found: &mut Vec<(u64, PathBuf)>,
    problems: &mut Vec<String>,
) {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => return problems.push(format!("{}: {error}", path.display())),
    };
    if meta.is_file() {
        let fits = any_name || path.file_name().and_then(|n| n.to_str()).is_some_and(layout::is_log_name);
        let modified = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        if fits {
            found.push((modified.map_or(0, |d| d.as_secs()), path.to_path_buf()));
        }
        return;
    }
    if depth > MAX_DEPTH {
        return problems.push(format!("{}: deeper than {MAX_DEPTH} folders", path.display()));
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries.flatten() {
                walk(&entry.path(), depth + 1, false, found, problems);
            }
        }
        Err(error) => problems.push(format!("{}: {error}", path.display())),
    }
}
