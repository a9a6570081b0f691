//! The `tfdrift` command: scan, demo, doctor and friends, without Falco.

mod checkpoint;
mod demo;
mod doctor;
mod fields;
mod ignores;
mod init;
mod mappings;
mod records;
mod scan;
mod settings;
mod style;

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
    Demo(demo::DemoArgs),
    Scan(scan::ScanArgs),
    Doctor(doctor::DoctorArgs),
    Init(init::InitArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Fields(fields::FieldsArgs),
    Mappings(mappings::MappingsArgs),
    Ignores(ignores::IgnoresArgs),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration or an argument cannot be used.
    #[error("{0}")]
    Config(String),
    /// A state cannot be read.
    #[error("state {place}: {what}")]
    State {
        /// Which.
        place: String,
        /// Why.
        what: String,
    },
    /// None of the states can be read. The store has said of each why not.
    #[error("no state could be read; the reason of each stands above")]
    NoState,
    /// A source of records cannot be read.
    #[error("events {params}: {what}")]
    Events {
        /// Which.
        params: String,
        /// Why.
        what: String,
    },
    /// Something could not be read, and there is no drift in the rest. The reader has said of each why not.
    #[error("not read, for the reasons above: {what}; this says nothing about drift there")]
    Unread {
        /// How much of what.
        what: String,
    },
}

fn main() -> ExitCode {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_closed_pipe(info.payload()) {
            before(info);
        }
    }));
    match std::panic::catch_unwind(run) {
        Ok(code) => code,
        // `tfdrift fields | head`: nobody reads on, which is no failure of ours
        Err(payload) if is_closed_pipe(&*payload) => ExitCode::from(141),
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

/// Whether a panic is `println!` finding nobody at the other end.
fn is_closed_pipe(payload: &(dyn std::any::Any + Send)) -> bool {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    text.is_some_and(|t| t.starts_with("failed printing to stdout") && t.contains("Broken pipe"))
}

fn run() -> ExitCode {
    // What cannot be read is named on standard error, with its reason; the rest goes on.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_max_level(tracing::Level::WARN)
        .with_target(false)
        .without_time()
        .init();
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Doctor(args) => Ok(doctor::run(&args)),
        Command::Init(args) => Ok(init::run(&args)),
        Command::Checkpoint(args) => checkpoint::run(&args),
        Command::Fields(args) => fields::run(&args),
        Command::Mappings(args) => mappings::run(&args),
        Command::Ignores(args) => ignores::run(&args),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}
