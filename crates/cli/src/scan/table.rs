//! Findings for people.

use tfdrift_cloudtrail::Record;

use super::report::Report;

/// Prints the findings and the net result.
pub fn print(report: &Report) {
    for f in &report.findings {
        println!("{f:?}");
    }
    println!("{} records", report.records);
}

/// Prints the steps of one record.
pub fn explain(record: &Record<'_>, steps: &[String]) {
    if steps.is_empty() {
        return;
    }
    eprintln!(
        "{} {} {}",
        record.event_time().unwrap_or_default(),
        record.event_name().unwrap_or_default(),
        record.event_id().unwrap_or_default()
    );
    for step in steps {
        eprintln!("  {step}");
    }
}
