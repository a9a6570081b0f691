//! Reads the records that `--events` names, to their end.

use std::time::Duration;

use tfdrift_intake::counters::CounterValues;
use tfdrift_intake::s3::AwsConnect;
use tfdrift_intake::{Intake, Next, Origin, Parts};
use tfdrift_plugin::config::Config;

use crate::Failure;

const BATCH_RECORDS: usize = 512;
const WAIT: Duration = Duration::from_millis(200);

/// Calls `each` for every record's bytes, in the order in which they are read; says what became of the others.
///
/// # Errors
/// If the source cannot be opened, or never ends.
pub fn each(params: &str, config: &Config, each: &mut dyn FnMut(&[u8])) -> Result<CounterValues, Failure> {
    let failure = |what: String| Failure::Events { params: params.to_owned(), what };
    let origin = Origin::parse(params).map_err(|e| failure(e.to_string()))?;
    if !origin.ends() {
        return Err(failure("never ends: add ?once (and ?follow does not go with a scan)".into()));
    }
    // What a scan read is not what Falco was given: it remembers in a folder of its own, which goes with it.
    let scratch = std::env::temp_dir().join(format!("tfdrift-scan-{}", std::process::id()));
    let mut settings = config.intake();
    settings.source.checkpoint_dir.clone_from(&scratch);
    let parts = Parts::default().with_connect(AwsConnect::new(config.aws.clone()));
    let opened = Intake::open(origin, &settings, parts).map_err(|e| failure(e.to_string()));
    let counters = opened.map(|mut intake| {
        loop {
            match intake.next_batch(BATCH_RECORDS, WAIT) {
                Next::Batch(records) => records.iter().for_each(|r| each(r.bytes())),
                Next::Idle => {}
                Next::End => break,
            }
        }
        let counters = intake.counters().values();
        intake.close();
        counters
    });
    let _ = std::fs::remove_dir_all(scratch);
    counters
}
