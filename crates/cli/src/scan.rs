//! `tfdrift scan`: records against states, without Falco.

mod report;
mod table;

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, Finding, Kind, Mappings, Net, assess};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

use crate::{Failure, records};
use report::{Counters, Report};

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One document: counters, findings, net result.
    Json,
    /// The findings, one a line.
    Jsonl,
}

/// Compare CloudTrail records with Terraform states. Exit status: 0 no drift, 2 drift, 1 error.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A Terraform state (`terraform.tfstate`, or `terraform show -json`); repeatable.
    #[arg(long = "state", value_name = "STATE", required = true)]
    states: Vec<String>,
    /// Where the records are: a file, a folder, `s3://bucket/prefix?once`; repeatable.
    #[arg(long = "events", value_name = "PARAMS", required = true)]
    events: Vec<String>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Say step by step for each record why it is or is not drift.
    #[arg(long)]
    explain: bool,
}

/// Runs it.
///
/// # Errors
/// If a state or a source of records cannot be read.
pub fn run(args: &ScanArgs) -> Result<ExitCode, Failure> {
    let mappings = Mappings::builtin();
    let config = DriftConfig::default();
    let snapshot = snapshot(&args.states, mappings)?;
    let mut counters = Counters::default();
    let mut seen = HashSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    let mut kept: Vec<(u64, Vec<u8>)> = Vec::new();
    for params in &args.events {
        records::each(params, &mut |bytes| {
            let Ok(record) = Record::parse(bytes) else {
                counters.malformed += 1;
                return;
            };
            counters.records += 1;
            if let Some(id) = record.event_id()
                && !seen.insert(id.into_owned())
            {
                counters.duplicate += 1;
                return;
            }
            let assessment = assess(&record, &snapshot, mappings, &config, args.explain);
            if assessment.counts {
                kept.push((record.time_ns().unwrap_or(0), bytes.to_vec()));
            }
            if args.explain {
                table::explain(&record, &assessment.steps);
            }
            if let Some(finding) = assessment.finding {
                if args.format == Format::Jsonl {
                    report::line(&finding);
                }
                findings.push(finding);
            }
        }, &mut counters_malformed(&mut 0))?;
    }
    kept.sort_by_key(|k| k.0);
    let mut net = Net::new(&snapshot, mappings, &config);
    for (_, bytes) in &kept {
        if let Ok(record) = Record::parse(bytes) {
            net.add(&record);
        }
    }
    let drifts = net.drifts();
    let drifted = drifts.iter().any(|d| matches!(d.kind, Kind::Modified | Kind::Deleted)) || findings.iter().any(|f| f.drift);
    let report = Report { records: counters.records, counters, findings, drifts };
    match args.format {
        Format::Json => report.print_json(),
        Format::Jsonl => {}
        Format::Table => table::print(&report),
    }
    Ok(if drifted { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn counters_malformed(_: &mut u64) -> impl FnMut(String) + use<> {
    |line| eprintln!("{line}")
}

/// The states named on the command line, indexed.
pub fn snapshot(states: &[String], mappings: &Mappings) -> Result<Snapshot, Failure> {
    let plan = mappings.index_plan();
    let mut out = Vec::new();
    for path in states {
        let bytes = std::fs::read(path).map_err(|e| Failure::State { place: path.clone(), what: e.to_string() })?;
        let state = read_state(&bytes, StateMeta::named(path.as_str()), &plan)
            .map_err(|e| Failure::State { place: path.clone(), what: e.to_string() })?;
        out.push(Arc::new(state));
    }
    Ok(Snapshot::new(out))
}
