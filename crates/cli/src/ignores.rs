//! `tfdrift ignores`: what is not reported, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::Failure;
use crate::settings::Settings;

/// List the ignore rules that hold: your own and the shipped ones, with their reasons; expired ones are named.
#[derive(Debug, Args)]
pub struct IgnoresArgs {
    /// A plugin configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs it: exit status 1 if a rule has expired.
///
/// # Errors
/// If the configuration cannot be used.
pub fn run(args: &IgnoresArgs) -> Result<ExitCode, Failure> {
    let settings = Settings::read(args.config.as_deref(), &[], &[])?;
    for rule in settings.rules()?.rules() {
        let parts: Vec<String> = [
            ("address", &rule.address),
            ("attribute", &rule.attribute),
            ("actor", &rule.actor),
            ("operation", &rule.operation),
            ("until", &rule.until),
        ]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
        println!("{}  # {}", parts.join(", "), rule.reason);
    }
    let expired = settings.config.drift.expired(&tfdrift_intake::layout::today());
    for (index, rule) in &expired {
        println!("drift.ignore[{index}] ended on {}: take it out ({})", rule.until, rule.reason);
    }
    Ok(if expired.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
