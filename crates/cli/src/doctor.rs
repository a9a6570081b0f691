//! `tfdrift doctor`: the way of the data, one step after the other, each ✔ or ✘ with cause and remedy.

mod bucket;
mod checkpoint;
mod files;
mod newest;
mod object;
mod report;
mod settings;
mod states;
mod trail;

use clap::Args;
pub use report::age;
use report::{Report, Step};
use settings::Settings;
pub use settings::read_file;
use std::path::PathBuf;
use std::process::ExitCode;
use tfdrift_intake::survey::Wanted;
use tfdrift_intake::{Clock, Origin, SystemClock};

/// The steps of a bucket, in order. The rest is said to be untried when one fails that it needs.
const BUCKET_STEPS: [&str; 9] =
    ["credentials", "identity", "region", "clock", "list", "layout", "newest", "get", "decrypt"];

/// Look at every step from the open parameters to a record, and say what is wrong and what to do.
/// Exit status: 0 all well, 1 not.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Where CloudTrail lies, as in `open_params`: s3://BUCKET[/PREFIX], a file, a folder.
    #[arg(long, value_name = "PARAMS")]
    pub events: Vec<String>,
    /// Where a Terraform state lies: a file, a folder, s3://BUCKET/KEY, …
    #[arg(long, value_name = "PLACE")]
    pub state: Vec<String>,
    /// Configuration: `falco.yaml`, a file of `config.d`, or the `init_config` alone, as YAML or JSON.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON document instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command: exit code 0 when all is well, 1 when anything is not.
pub fn run(args: &DoctorArgs) -> ExitCode {
    let mut report = Report::default();
    match Settings::read(args) {
        Ok(settings) => examine(&settings, &mut report),
        Err(step) => report.add(*step),
    }
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    if report.well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn examine(settings: &Settings, report: &mut Report) {
    for events in &settings.events {
        examine_events(events, settings, report);
    }
    if settings.events.is_empty() && settings.config.state.places.is_empty() {
        report.add(
            Step::bad("parse", "nothing to look at")
                .next("give --events s3://BUCKET, --state PLACE, or --config FILE with open_params"),
        );
    }
    if !settings.config.state.places.is_empty() {
        states::examine(&settings.config.state, report);
    }
}

fn examine_events(events: &str, settings: &Settings, report: &mut Report) {
    let origin = match Origin::parse(events) {
        Ok(origin) => origin,
        Err(error) => {
            report.add(Step::parse_error(&error));
            report.untried(
                &["credentials", "identity", "region", "list", "get"],
                "the parameters name no source",
            );
            return;
        }
    };
    let wanted = match Wanted::of(&origin, &settings.config.intake(), SystemClock.now_ns()) {
        Ok(wanted) => wanted,
        Err(error) => {
            report.add(Step::bad("config", error.to_string()).next("mend that key of init_config"));
            report.untried(
                &["credentials", "identity", "region", "list", "get"],
                "the plugin would not start with that",
            );
            return;
        }
    };
    let ends = if wanted.ends() { "reads what is there and ends" } else { "never ends" };
    report.add(Step::good("parse", format!("{origin}: {}, {ends}", kind(&origin))));
    // What ends keeps no checkpoint; and without a configuration nobody has said where one is to lie.
    if settings.has_file && !wanted.ends() {
        report.add(checkpoint::step(&settings.config.source.checkpoint_dir, &origin));
    }
    match &origin {
        Origin::S3 { bucket, prefix, .. } => bucket::examine(bucket, prefix, &wanted, settings, report),
        Origin::Files { path, .. } => files::examine(path, &wanted, report),
    }
}

fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::S3 { .. } => "an S3 bucket",
        Origin::Files { path, .. } if path.is_dir() => "a folder",
        Origin::Files { .. } => "a file",
    }
}

/// A runtime for the calls to AWS, on this thread.
fn runtime() -> Result<tokio::runtime::Runtime, Box<Step>> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Box::new(Step::bad("credentials", format!("no async runtime: {e}"))))
}
