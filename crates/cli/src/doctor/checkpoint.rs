//! The step of `source.checkpoint_dir`: without it, the plugin does not start.

use super::report::Step;
use std::path::Path;
use tfdrift_intake::Origin;
use tfdrift_intake::checkpoint::{CheckpointError, Folder, Usable};

/// Tries what the plugin does at open, and leaves everything as it was.
pub fn step(dir: &Path, origin: &Origin) -> Step {
    let at = dir.display();
    match Folder::probe(dir, origin) {
        Ok(Usable::New) => Step::good("checkpoint", format!("none yet in {at}; it can be written there")),
        Ok(Usable::GoesOn { written_at }) => {
            Step::good("checkpoint", format!("in {at}, written {written_at}: reading goes on from there"))
                .detail("`since` has no effect beside it")
        }
        Ok(Usable::Damaged) => {
            Step::note("checkpoint", format!("the one in {at} is damaged")).detail(
                "reading goes on from the time it was written; what was read after that may come a second time",
            )
        }
        Ok(Usable::InUse) => {
            Step::note("checkpoint", format!("the one in {at} is in use by another process")).detail(
                "that is a Falco which reads this now; a second one needs another source.checkpoint_dir",
            )
        }
        Err(CheckpointError::Io { path, source }) => {
            Step::bad("checkpoint", format!("cannot use {path}: {source}"))
                .detail("the plugin does not start without it")
                .next(
                    "give source.checkpoint_dir a folder that the user who runs Falco may write, and run doctor as that user",
                )
        }
        Err(error) => {
            let text = error.to_string();
            let (what, next) = text.split_once(": ").unwrap_or((&text, ""));
            let step = Step::bad("checkpoint", what).detail("the plugin does not start with it");
            if next.is_empty() { step } else { step.next(next) }
        }
    }
}
