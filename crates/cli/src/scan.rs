//! `tfdrift scan`: records against states, without Falco.

mod report;
mod table;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{Assessment, DriftConfig, Kind, Mappings, Net, assess};
use tfdrift_intake::Pace;
use tfdrift_states::{AsOf, StateStore};
use tfdrift_tfstate::Snapshot;

use crate::settings::Settings;
use crate::style::Style;
use crate::{Failure, records};
pub use report::Report;
pub use table::{lines, summary};

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

/// Compare CloudTrail records with Terraform states.
///
/// Exit status: 0 no drift, 2 drift, 1 error. An object, record, state or resource of a state that cannot be read is an error too, unless
/// there is drift in the others: what was not read is not free of drift.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A place with Terraform states: a file, a folder, a pattern, s3://BUCKET/KEY, …; repeatable.
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<String>,
    /// Where the records are: a file, a folder, s3://BUCKET/PREFIX?once; repeatable.
    #[arg(long = "events", value_name = "PARAMS")]
    events: Vec<String>,
    /// A plugin configuration: falco.yaml, a file of config.d, or init_config alone.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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
/// If no state or no record can be read.
pub fn run(args: &ScanArgs) -> Result<ExitCode, Failure> {
    let settings = Settings::read(args.config.as_deref(), &args.states, &args.events)?;
    let (mappings, rules) = (settings.mappings()?, settings.rules()?);
    let (store, snapshot) = settings.states(&mappings)?;
    if settings.events.is_empty() {
        let what = "give --events PARAMS, or --config FILE with open_params".to_owned();
        return Err(Failure::Events { params: "(none)".into(), what });
    }
    let mut scan = Scan::new(&snapshot, &mappings, &rules, args.explain).with_past(&store);
    for params in &settings.events {
        let read = records::each(params, &settings.config, Pace::default(), &mut |bytes| {
            let before = scan.report.findings.len();
            scan.record(bytes);
            if args.format == Format::Jsonl {
                scan.report.findings.iter().skip(before).for_each(report::line);
            }
        });
        match read {
            Ok(read) => scan.report.counters.add(&read),
            // Findings are printed as far as they go.
            Err(failure) if scan.report.records > 0 || settings.events.len() > 1 => {
                eprintln!("error: {failure}");
                scan.report.counters.unread_events += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    let status = store.status();
    scan.report.counters.unread_states = (status.places.iter().filter(|p| p.error.is_some()).count()
        + status.states().filter(|s| s.error.is_some()).count())
        as u64;
    scan.report.counters.unread_resources = status.states().map(|s| s.left_out as u64).sum();
    let report = scan.finish();
    match args.format {
        Format::Json => report.print_json(),
        Format::Jsonl => {}
        Format::Table => table::print(&report, Style::of_stdout()),
    }
    match (report.drifted(), report.counters.unread()) {
        (false, None) => Ok(ExitCode::SUCCESS),
        (false, Some(what)) => Err(Failure::Unread { what }),
        (true, unread) => {
            if let Some(what) = unread {
                eprintln!("warning: not read, for the reasons above: {what}; there may be more drift");
            }
            Ok(ExitCode::from(2))
        }
    }
}

/// A scan under way: findings as they come, the net result at the end.
pub struct Scan<'s> {
    /// The states now: what the net result is about.
    snapshot: &'s Snapshot,
    past: Option<&'s StateStore>,
    mappings: &'s Mappings,
    rules: &'s DriftConfig,
    explain: bool,
    /// What there is so far.
    pub report: Report,
    seen: HashSet<String>,
    /// Time and bytes of the records that count for the net result.
    kept: Vec<(u64, Vec<u8>)>,
}

impl<'s> Scan<'s> {
    /// Nothing read yet.
    pub fn new(
        snapshot: &'s Snapshot,
        mappings: &'s Mappings,
        rules: &'s DriftConfig,
        explain: bool,
    ) -> Scan<'s> {
        Scan {
            snapshot,
            past: None,
            mappings,
            rules,
            explain,
            report: Report::default(),
            seen: HashSet::new(),
            kept: Vec::new(),
        }
    }

    /// Judges each record by the states as of its time, where they are known. The net result stays one about the
    /// states now.
    pub fn with_past(self, store: &'s StateStore) -> Scan<'s> {
        Scan { past: Some(store), ..self }
    }

    /// What a record means by the states as of its time, and whether those are the states now; none where they are as good.
    fn assess_then(&self, record: &Record<'_>) -> Option<(Assessment, bool)> {
        let (store, time) = (self.past?, record.time_ns().ok()?);
        if record.read_only() == Some(true) {
            return None;
        }
        let is_now = |snapshot: &Arc<Snapshot>| std::ptr::eq(&**snapshot, self.snapshot);
        let judge = |snapshot: &Arc<Snapshot>, as_of| {
            let mut assessment = assess(record, snapshot, self.mappings, self.rules, self.explain);
            let states = match as_of {
                AsOf::Then if is_now(snapshot) => return assessment,
                AsOf::Then => "as they stood at that time",
                AsOf::Settled => "as they were written soon after: before, they did not hold it",
            };
            assessment.steps.insert(0, format!("judged by the states {states}"));
            assessment
        };
        let managed = |assessment: &Assessment| assessment.finding.as_ref().map(|finding| finding.managed);
        let (snapshot, assessment) = store.judged_at(time, judge, managed)?;
        Some((assessment, is_now(&snapshot)))
    }

    /// The next record.
    pub fn record(&mut self, bytes: &[u8]) {
        let Ok(record) = Record::parse(bytes) else {
            self.report.counters.malformed += 1;
            return;
        };
        if let Some(id) = record.event_id()
            && !self.seen.insert(id.into_owned())
        {
            self.report.counters.duplicate += 1;
            return;
        }
        self.report.records += 1;
        // The net result is about the states now, and so is what counts for it.
        let now = |explain| assess(&record, self.snapshot, self.mappings, self.rules, explain);
        let assessment = match self.assess_then(&record) {
            Some((assessment, true)) => assessment,
            Some((then, false)) => Assessment { counts: now(false).counts, ..then },
            None => now(self.explain),
        };
        if assessment.counts {
            self.kept.push((record.time_ns().unwrap_or(0), bytes.to_vec()));
        }
        if self.explain {
            table::explain(&record, &assessment.steps);
        }
        self.report.findings.extend(assessment.finding);
    }

    /// The answer.
    pub fn finish(mut self) -> Report {
        self.kept.sort_by_key(|k| k.0);
        let mut net = Net::new(self.snapshot, self.mappings, self.rules);
        for (_, bytes) in &self.kept {
            if let Ok(record) = Record::parse(bytes) {
                net.add(&record);
            }
        }
        self.report.drifts = net.drifts();
        self.report
    }
}

impl Report {
    /// Whether anything drifted, if only for a while.
    pub fn drifted(&self) -> bool {
        self.findings.iter().any(|f| f.drift)
            || self.drifts.iter().any(|d| matches!(d.kind, Kind::Modified | Kind::Deleted))
    }
}
