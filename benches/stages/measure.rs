//! CPU times from /proc, and the files to measure with: for the benches of the stages and of the parsers.

use std::path::Path;
use std::time::Duration;

/// CPU time of this thread, in nanoseconds.
pub fn this_thread() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|w| w.parse().ok()).unwrap_or(0))
}

/// CPU time of all threads, those that ended included, in hundredths of a second.
#[allow(dead_code, reason = "the parsers' bench has one thread")]
pub fn all_threads() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let words: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // fields 14 and 15 of proc(5); the word after the name is field 3
    let ticks = |n: usize| words.get(n).and_then(|w| w.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// The gzipped files of a folder.
pub fn find(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            found.extend(std::fs::read(path));
        }
    }
}
