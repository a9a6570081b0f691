//! Findings for people.

use tfdrift_cloudtrail::Record;
use tfdrift_drift::{Finding, Kind, NetDrift, plain};

use super::report::Report;
use crate::style::Style;

/// Prints the findings and the net result.
pub fn print(report: &Report, style: Style) {
    for finding in report.findings.iter().filter(|f| !f.expected) {
        for line in lines(finding, style) {
            println!("{line}");
        }
    }
    if !report.findings.is_empty() {
        println!();
    }
    summary(report, style);
}

/// One line a resource: time, severity, address, what, who. What records and states say cannot end the line or reach the
/// terminal as anything but text.
pub fn lines(f: &Finding, style: Style) -> Vec<String> {
    let time = f.event_time.as_deref().map_or("-", |t| t.get(..19).unwrap_or(t)).replace('T', " ");
    let time = plain(&time);
    let who = format!("by {} ({})", plain(f.actor.as_deref().unwrap_or("somebody unknown")), f.via.as_str());
    let name = f.operation.split(':').next_back().unwrap_or("");
    let mut out = Vec::new();
    for r in &f.resources {
        let what = match (r.kind, &f.error) {
            (_, Some(error)) => format!("{name} failed with {error}: nothing changed"),
            (Some(Kind::Deleted), _) => "deleted".to_owned(),
            (Some(Kind::Touched), _) => format!("{name}: no attribute that Terraform sees"),
            (Some(_), _) => r.diff.clone(),
            (None, _) if r.ignored.is_some() => format!("ignored: {}", r.ignored.as_deref().unwrap_or("")),
            (None, _) => format!(
                "{}: as the state has it",
                if r.same.is_empty() { name.to_owned() } else { r.same.join(", ") }
            ),
        };
        let (what, address) = (plain(&what), plain(&r.address));
        let mirror = if r.mirror { " (shows the same)" } else { "" };
        let quiet = f.expected || f.error.is_some() || r.kind.is_none();
        let line = format!("{} {what}{mirror}  {who}", style.bold(&address));
        out.push(if quiet {
            let why = if f.expected { "  expected: Terraform itself" } else { "" };
            style.dim(&format!("{time}  {:<8}  {} {what}{mirror}  {who}{why}", "-", address))
        } else {
            format!("{}  {}  {line}", style.dim(&time), style.severity(r.severity))
        });
    }
    for c in &f.created {
        let line = format!("{} {} is in no state  {who}", style.bold(&c.rtype), plain(&c.id));
        out.push(format!("{}  {}  {line}", style.dim(&time), style.severity(f.severity)));
    }
    out
}

/// What is left in the end.
pub fn summary(report: &Report, style: Style) {
    let c = &report.counters;
    let expected = report.findings.iter().filter(|f| f.expected).count();
    let mut read =
        format!("{} records, {} that touch what Terraform manages", report.records, report.findings.len());
    if expected > 0 {
        read.push_str(&format!(" ({expected} by Terraform itself: silent)"));
    }
    for (n, what) in [
        (c.duplicate, "delivered twice"),
        (c.malformed, "not readable"),
        (c.refused, "refused or not to be had"),
        (c.not_found, "gone before they were read"),
    ] {
        if n > 0 {
            read.push_str(&format!(", {n} {what}"));
        }
    }
    println!("{read}.");
    let of = |kinds: &[Kind]| report.drifts.iter().filter(|d| kinds.contains(&d.kind)).collect::<Vec<_>>();
    let drifted = of(&[Kind::Modified, Kind::Deleted]);
    if drifted.is_empty() {
        let so_far = if c.unread().is_some() { "As far as could be read" } else { "In the end" };
        println!("{so_far} no resource differs from its state.");
    } else {
        println!("{}", style.bold(&format!("In the end {} differ from the state:", count(drifted.len()))));
        drifted.iter().for_each(|d| println!("  {}", net_line(d, style)));
    }
    for (kind, head) in [
        (Kind::Unmanaged, "Created outside Terraform:"),
        (Kind::Touched, "Touched, without a difference that Terraform sees:"),
    ] {
        let list = of(&[kind]);
        if !list.is_empty() {
            println!("{head}");
            list.iter().for_each(|d| println!("  {}", net_line(d, style)));
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 resource".to_owned() } else { format!("{n} resources") }
}

fn net_line(d: &NetDrift, style: Style) -> String {
    let name = match (&d.address, &d.rtype, &d.id) {
        (Some(address), ..) => address.clone(),
        (None, rtype, id) => format!("{} {}", rtype.as_deref().unwrap_or(""), id.as_deref().unwrap_or("")),
    };
    let what = match d.kind {
        Kind::Deleted => " deleted".to_owned(),
        Kind::Modified => format!(" {}", d.attrs.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        _ => String::new(),
    };
    format!("{}  {}{}", style.severity(Some(d.severity)), style.bold(&plain(&name)), plain(&what))
}

/// Prints the steps of one record.
pub fn explain(record: &Record<'_>, steps: &[String]) {
    println!(
        "{} {} {}",
        plain(&record.event_time().unwrap_or_default()),
        plain(&record.event_name().unwrap_or_default()),
        plain(&record.event_id().unwrap_or_default())
    );
    for step in steps {
        println!("    {}", plain(step));
    }
}
