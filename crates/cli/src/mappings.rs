//! `tfdrift mappings`: what an operation does to Terraform; and a user's own mappings, checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tfdrift_drift::{Confidence, Mappings};

use crate::Failure;
use crate::settings::Settings;
use crate::style::Style;

/// Show what an AWS operation does to which Terraform types.
#[derive(Debug, Args)]
pub struct MappingsArgs {
    /// `eventName`, or `eventSource:eventName`; without it, how many operations there are for each service.
    event: Option<String>,
    /// Check a folder of own mappings against the format and the provider's schema.
    #[arg(long, value_name = "FOLDER", conflicts_with = "event")]
    lint: Option<PathBuf>,
    /// A plugin configuration, for own mappings in it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs it: exit status 1 if `--lint` finds something or there is no such operation.
///
/// # Errors
/// If a folder or file cannot be read.
pub fn run(args: &MappingsArgs) -> Result<ExitCode, Failure> {
    if let Some(folder) = &args.lint {
        return lint(folder);
    }
    let mappings = Settings::read(args.config.as_deref(), &[], &[])?.mappings()?;
    match &args.event {
        Some(event) => show(&mappings, event),
        None => Ok(list(&mappings)),
    }
}

fn lint(folder: &std::path::Path) -> Result<ExitCode, Failure> {
    let findings = Mappings::lint_folder(folder).map_err(|e| Failure::Config(e.to_string()))?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{}: nothing wrong", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn list(mappings: &Mappings) -> ExitCode {
    let mut services: BTreeMap<&str, usize> = BTreeMap::new();
    for op in mappings.operations() {
        *services.entry(op.source.as_str()).or_default() += 1;
    }
    for (service, operations) in &services {
        println!("{operations:5}  {service}");
    }
    println!("{:5}  in all", services.values().sum::<usize>());
    ExitCode::SUCCESS
}

fn show(mappings: &Mappings, event: &str) -> Result<ExitCode, Failure> {
    let style = Style::of_stdout();
    let (source, name) = event.split_once(':').map_or((None, event), |(s, n)| (Some(s), n));
    let record = serde_json::json!({ "eventName": name }).to_string();
    let name = tfdrift_cloudtrail::Record::parse(record.as_bytes())
        .ok()
        .and_then(|r| r.operation().map(|o| o.into_owned()))
        .unwrap_or_else(|| name.to_owned());
    let all = mappings.operations();
    let hits: Vec<_> = all
        .iter()
        .filter(|o| o.name.eq_ignore_ascii_case(&name) && source.is_none_or(|s| o.source.starts_with(s)))
        .collect();
    if hits.is_empty() {
        let near: Vec<&str> = all
            .iter()
            .map(|o| o.name.as_str())
            .filter(|n| n.to_ascii_lowercase().contains(&name.to_ascii_lowercase()))
            .take(8)
            .collect();
        let hint = if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) };
        let note = "of such records only ids and ARNs in the parameters are looked at";
        return Err(Failure::Config(format!("no mapping for {event}{hint} ({note})")));
    }
    for op in hits {
        let confidence = if op.confidence == Confidence::Core { "by hand, tested" } else { "generated" };
        println!(
            "{}  {}",
            style.bold(&format!("{}:{}", op.source, op.name)),
            style.dim(&format!("{} ({confidence})", op.file))
        );
        for t in &op.targets {
            let flags: Vec<&str> = [(t.mirror, "mirror"), (t.fallback, "fallback")]
                .iter()
                .filter(|f| f.0)
                .map(|f| f.1)
                .collect();
            let flags = if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(", ")) };
            println!("  {} {}{flags}", t.effect.key(), style.bold(&t.types.join(", ")));
            for (what, e) in [("each", &t.each), ("when", &t.when), ("new ", &t.new)] {
                if let Some(e) = e {
                    println!("    {what}  {e}");
                }
            }
            for id in &t.ids {
                println!("    id    {}", id.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            }
            for line in &t.sets {
                println!("    set   {line}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
