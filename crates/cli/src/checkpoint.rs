//! `tfdrift checkpoint`: how far the reading of each source is, and what was left out.

use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tfdrift_intake::Checkpoint;

use crate::Failure;
use crate::settings::Settings;

/// Show how far the reading of each source is, and what was left out.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// `source.checkpoint_dir`, or the folder of one source in it. Without it, that of --config, or else
    /// /var/lib/tfdrift.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// A plugin configuration: falco.yaml, a file of config.d, or init_config alone.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// JSON instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command: exit code 0.
///
/// # Errors
/// If the configuration or the folder cannot be read.
pub fn run(args: &CheckpointArgs) -> Result<ExitCode, Failure> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => Settings::read(args.config.as_deref(), &[], &[])?.config.source.checkpoint_dir,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let found = Checkpoint::inspect(&folder, u64::try_from(now).unwrap_or(u64::MAX))
        .map_err(|e| Failure::Config(e.to_string()))?;
    if args.json {
        println!("{}", serde_json::to_string(&found).map_err(|e| Failure::Config(e.to_string()))?);
    } else {
        print!("{}", text(&found, &folder.display().to_string()));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(found: &[Checkpoint], folder: &str) -> String {
    if found.is_empty() {
        return format!(
            "no checkpoint in {folder}: no source has been opened with it as source.checkpoint_dir\n"
        );
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
