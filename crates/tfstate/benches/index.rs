//! Time and memory of a state of 100,000 instances: `cargo bench -p tfdrift-tfstate --bench index [-- INSTANCES]`.
//!
//! The state is written first, by a pass that keeps nothing, so that the peak is that of reading alone. Memory is
//! the kernel's count for the whole process (`VmRSS`, `VmHWM`), the bytes of the state included while they are held.

#![allow(clippy::unwrap_used, missing_docs)] // a bench stops at the first thing that is not as it should be

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::time::Instant;

use tfdrift_tfstate::{IndexPlan, Snapshot, StateMeta, read_state};

/// 21 resources of 21 types, written by Terraform; `@@` where an instance has its number.
const TEMPLATES: &str = include_str!("templates.json");

fn main() {
    // Cargo passes `--bench`.
    let instances: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(100_000);
    let path = std::env::temp_dir().join(format!("tfdrift-bench-{}.tfstate", std::process::id()));
    write_state(&path, instances);

    let before = memory("VmRSS:");
    let start = Instant::now();
    let bytes = std::fs::read(&path).unwrap();
    let read = start.elapsed();
    std::fs::remove_file(&path).unwrap();
    let mut plan = IndexPlan::new();
    for (rtype, attribute) in PLANNED {
        plan.add(rtype, attribute);
    }
    let (start, cpu) = (Instant::now(), cpu_secs());
    let state = read_state(&bytes, StateMeta::named("bench"), &plan).unwrap();
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let (indexed, cpu) = (start.elapsed(), cpu_secs() - cpu);
    let size = bytes.len();
    drop(bytes);
    let (resident, peak) = (memory("VmRSS:"), memory("VmHWM:"));

    println!("instances            {}", snapshot.len());
    println!("state                {:.0} MB", size as f64 / 1e6);
    println!("read from disk       {:.2} s", read.as_secs_f64());
    println!("parsed and indexed   {:.2} s ({cpu:.2} s of one core)", indexed.as_secs_f64());
    println!("resident             {:.0} MB ({:.0} MB before)", resident, before);
    println!("peak                 {peak:.0} MB");

    let ids: Vec<(String, String)> = snapshot
        .resources()
        .filter_map(|id| snapshot.resource(id))
        .map(|r| (r.rtype().to_owned(), r.id().unwrap().to_owned()))
        .collect();
    // A stride that visits all in an order the caches cannot guess.
    let order: Vec<usize> = (0..ids.len()).map(|i| i * 7919 % ids.len()).collect();
    let cpu = cpu_secs();
    let hits = order.iter().filter(|&&i| snapshot.find(&ids[i].0, "id", &ids[i].1).next().is_some()).count();
    let found = cpu_secs() - cpu;
    assert_eq!(hits, ids.len());
    let cpu = cpu_secs();
    let misses = order.iter().filter(|&&i| snapshot.find_any(&ids[i].0).next().is_none()).count();
    let missed = cpu_secs() - cpu;
    assert_eq!(misses, ids.len());
    println!("lookup that hits     {:.0} ns", found * 1e9 / ids.len() as f64);
    println!("lookup that misses   {:.0} ns", missed * 1e9 / ids.len() as f64);
}

const PLANNED: [(&str, &str); 8] = [
    ("aws_security_group", "name"),
    ("aws_iam_role", "name"),
    ("aws_lambda_function", "function_name"),
    ("aws_iam_role_policy_attachment", "role"),
    ("aws_security_group_rule", "security_group_id"),
    ("aws_instance", "root_block_device.volume_id"),
    ("aws_route53_record", "zone_id"),
    ("aws_eip", "allocation_id"),
];

fn write_state(path: &std::path::Path, instances: usize) {
    let templates: Vec<serde_json::Value> = serde_json::from_str(TEMPLATES).unwrap();
    let texts: Vec<String> = templates
        .iter()
        .map(|t| format!("    {}", serde_json::to_string_pretty(t).unwrap().replace('\n', "\n    ")))
        .collect();
    let mut out = BufWriter::new(File::create(path).unwrap());
    out.write_all(b"{\n  \"version\": 4,\n  \"serial\": 1,\n  \"lineage\": \"bench\",\n  \"resources\": [\n")
        .unwrap();
    for i in 0..instances {
        if i > 0 {
            out.write_all(b",\n").unwrap();
        }
        out.write_all(texts[i % texts.len()].replace("@@", &format!("{i:06}")).as_bytes()).unwrap();
    }
    out.write_all(b"\n  ]\n}\n").unwrap();
    out.flush().unwrap();
}

/// Seconds that this thread spent on a core: the machine may be busy with other things.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// A line of `/proc/self/status`, in MB.
fn memory(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|l| l.strip_prefix(line)).unwrap_or("0");
    value.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1000.0
}
