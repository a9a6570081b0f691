//! `tfdrift ignores`: what is not reported, and why.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

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
    let expired = settings.config.drift.expired(&today());
    for (index, rule) in &expired {
        println!("drift.ignore[{index}] ended on {}: take it out ({})", rule.until, rule.reason);
    }
    Ok(if expired.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Today's date in UTC, `YYYY-MM-DD`.
fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    // days since 0000-03-01, in eras of 400 years (Howard Hinnant's civil_from_days)
    let z = i64::try_from(days).unwrap_or(0) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", doy - (153 * mp + 2) / 5 + 1)
}
