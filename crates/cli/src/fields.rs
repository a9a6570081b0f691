//! `tfdrift fields`: every field that a rule can use.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::Failure;

/// The form of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown.
    Md,
    /// JSON.
    Json,
}

/// List every field of the plugin: name, type, argument, meaning.
#[derive(Debug, Args)]
pub struct FieldsArgs {
    /// The form of the table.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
}

/// Runs it.
///
/// # Errors
/// Never; the others do.
pub fn run(args: &FieldsArgs) -> Result<ExitCode, Failure> {
    match args.format {
        Format::Md => print!("{}", tfdrift_fields::to_markdown(tfdrift_fields::FIELDS)),
        Format::Json => println!("{}", tfdrift_fields::to_json(tfdrift_fields::FIELDS)),
    }
    Ok(ExitCode::SUCCESS)
}
