//! Golden files: `tests/golden/NAME.txt`. UPDATE_GOLDEN=1 writes them anew.

use std::path::PathBuf;

/// Compares `text` with the golden file, after hiding secrets' absence is checked and ports are made equal.
pub fn check(name: &str, text: &str) {
    assert!(!text.contains(super::SECRET), "a secret in {name}: {text}");
    let text = format!("{}\n", plain(text).trim_end());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{}: {e}; UPDATE_GOLDEN=1 writes it. The text is now:\n{text}", path.display())
    });
    assert_eq!(golden, text, "{} differs; UPDATE_GOLDEN=1 writes it anew", path.display());
}

/// The port of a loopback address differs from run to run.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, after) = rest.split_at(at + "127.0.0.1:".len());
        out.push_str(before);
        out.push_str("PORT");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}
