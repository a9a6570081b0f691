//! `tfdrift demo`: the bundled example, replayed. No AWS, no Falco, no file.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use flate2::read::MultiGzDecoder;
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, DriftSettings, Mappings};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

use crate::Failure;
use crate::scan::{Scan, lines, summary};
use crate::style::Style;

#[allow(missing_docs)]
mod seed {
    include!(concat!(env!("OUT_DIR"), "/seed.rs"));
}

/// Replay the bundled example: a real state of 12 managed resources, and a day of CloudTrail against it.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Do not wait between the records.
    #[arg(long)]
    fast: bool,
}

/// About how long the replay takes.
const REPLAY: Duration = Duration::from_secs(20);

/// `source.max_record_bytes`, as it is by default.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// Runs it.
///
/// # Errors
/// If the bundled example cannot be read, which a test excludes.
pub fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let style = Style::of_stdout();
    let mappings = Mappings::builtin();
    let rules: DriftConfig = DriftSettings::default().check().map_err(|e| Failure::Config(e.to_string()))?;
    let state =
        read_state(seed::STATE, StateMeta::named("examples/seed/terraform.tfstate"), &mappings.index_plan())
            .map_err(|e| Failure::State { place: "examples/seed".into(), what: e.to_string() })?;
    let resources = state.managed_len();
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let records = records()?;

    println!("{}", style.bold("TFDrift demo: who changed what Terraform manages, as CloudTrail tells it."));
    println!(
        "{resources} managed resources in the state, {} records in {} objects. Lines come as Falco would alert.\n",
        records.len(),
        seed::OBJECTS.len()
    );
    let pause =
        if args.fast { Duration::ZERO } else { REPLAY / u32::try_from(records.len().max(1)).unwrap_or(1) };
    let mut scan = Scan::new(&snapshot, mappings, &rules, false);
    for record in &records {
        let before = scan.report.findings.len();
        scan.record(record);
        for finding in scan.report.findings.iter().skip(before).filter(|f| !f.expected) {
            lines(finding, style).iter().for_each(|line| println!("{line}"));
        }
        std::thread::sleep(pause);
    }
    println!();
    let report = scan.finish();
    summary(&report, style);
    println!("\nWhat to try next:");
    for (command, what) in [
        ("tfdrift scan --state terraform.tfstate --events s3://BUCKET?once", "your own state and trail"),
        (
            "tfdrift doctor --events s3://BUCKET --state s3://BUCKET/KEY",
            "can everything be read? if not, why",
        ),
        ("tfdrift init", "write Falco's configuration and the smallest IAM policy"),
        ("tfdrift mappings AuthorizeSecurityGroupIngress", "what an operation means for Terraform"),
    ] {
        println!("  {command:<66} {}", style.dim(what));
    }
    Ok(ExitCode::SUCCESS)
}

/// All records of the example, in order of time.
fn records() -> Result<Vec<Vec<u8>>, Failure> {
    let mut out = Vec::new();
    for (name, bytes) in seed::OBJECTS {
        let failure = |what: String| Failure::Events { params: format!("examples/seed/{name}"), what };
        let plain = if name.ends_with(".gz") {
            std::io::read_to_string(MultiGzDecoder::new(*bytes))
                .map_err(|e| failure(e.to_string()))?
                .into_bytes()
        } else {
            bytes.to_vec()
        };
        for record in tfdrift_intake::records(&plain, MAX_RECORD_BYTES) {
            out.push(record.map_err(|e| failure(e.to_string()))?.to_vec());
        }
    }
    out.sort_by_cached_key(|bytes| Record::parse(bytes).ok().and_then(|r| r.time_ns().ok()));
    Ok(out)
}
