//! The `tfdrift` command: scan, demo, doctor and friends, without Falco.

mod checkpoint;
mod doctor;
mod records;
mod scan;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Who changed a Terraform-managed AWS resource, and what.
#[derive(Debug, Parser)]
#[command(name = "tfdrift", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scan(scan::ScanArgs),
    Doctor(doctor::DoctorArgs),
    Checkpoint(checkpoint::CheckpointArgs),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A state cannot be read.
    #[error("state {place}: {what}")]
    State {
        /// Which.
        place: String,
        /// Why.
        what: String,
    },
    /// A source of records cannot be read.
    #[error("events {params}: {what}")]
    Events {
        /// Which.
        params: String,
        /// Why.
        what: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Doctor(args) => Ok(doctor::run(&args)),
        Command::Checkpoint(args) => Ok(checkpoint::run(&args)),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}
