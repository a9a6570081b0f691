//! `tfdrift checkpoint`: how far the reading of each source is, and what was left out.

use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tfdrift_intake::Checkpoint;

/// Show how far the reading of each source is, and what was left out.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// `source.checkpoint_dir`, or the folder of one source in it.
    #[arg(default_value = "/var/lib/tfdrift", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// JSON instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command: exit code 0, or 1 when the folder cannot be read.
pub fn run(args: &CheckpointArgs) -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    match Checkpoint::inspect(&args.folder, u64::try_from(now).unwrap_or(u64::MAX)) {
        Ok(found) if args.json => match serde_json::to_string(&found) {
            Ok(json) => {
                println!("{json}");
                ExitCode::SUCCESS
            }
            Err(error) => failed(&error.to_string()),
        },
        Ok(found) => {
            print!("{}", text(&found, &args.folder.display().to_string()));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(problem: &str) -> ExitCode {
    eprintln!("tfdrift checkpoint: {problem}");
    ExitCode::FAILURE
}

fn text(found: &[Checkpoint], folder: &str) -> String {
    if found.is_empty() {
        return format!("no checkpoint in {folder}\n");
    }
    let mut out = String::new();
    for checkpoint in found {
        let used = if checkpoint.in_use { ", in use" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}",
            if checkpoint.origin.is_empty() { "unknown source" } else { &checkpoint.origin }
        );
        let _ = writeln!(out, "  folder      {}{used}", checkpoint.folder);
        if !checkpoint.written_at.is_empty() {
            let _ = writeln!(out, "  written     {}", checkpoint.written_at);
        }
        let _ = writeln!(out, "  event ids   {}", checkpoint.event_ids);
        for lane in &checkpoint.lanes {
            let name = if lane.lane.is_empty() { "(all)" } else { &lane.lane };
            let _ = write!(out, "  {name}  {} done", lane.done);
            if let Some(before) = &lane.done_before {
                let _ = write!(out, ", all before {before}");
            }
            if let Some(secs) = lane.lag_secs {
                let _ = write!(out, ", {} behind", crate::doctor::age(secs));
            }
            let _ = writeln!(out);
            for (name, bytes) in &lane.open {
                let _ = writeln!(out, "    open: {name}, {bytes} bytes taken");
            }
        }
        let _ = writeln!(out, "  quarantine  {}", checkpoint.quarantine.len());
        for entry in &checkpoint.quarantine {
            if let Ok(json) = serde_json::to_string(entry) {
                let _ = writeln!(out, "    {json}");
            }
        }
    }
    out
}
