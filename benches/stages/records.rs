//! Records to measure with, and clocks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tfdrift_cloudtrail::ct::CtField;
use tfdrift_intake::{Intake, IntakeConfig, Next, Origin, Parts, RecordSlice};

/// How often each piece of work is measured. The least time counts: all that can disturb it only adds to it.
const ROUNDS: usize = 5;

/// Records of a folder of CloudTrail objects, in memory.
pub struct Data {
    folder: PathBuf,
    config: IntakeConfig,
    pub records: Vec<Vec<u8>>,
}

impl Data {
    /// All records of the folder, copied.
    pub fn of(folder: &Path) -> Data {
        let mut config = IntakeConfig::default();
        config.source.checkpoint_dir = PathBuf::new();
        let mut data = Data { folder: folder.into(), config, records: Vec::new() };
        let mut all = Vec::new();
        data.batches(|records| all.extend(records.iter().map(|r| r.bytes().to_vec())));
        data.records = all;
        data
    }

    pub fn bytes(&self) -> usize {
        self.records.iter().map(Vec::len).sum()
    }

    /// Reads the folder again, and says how many records there are.
    pub fn read(&self) -> usize {
        let mut n = 0;
        self.batches(|records| n += records.len());
        n
    }

    fn batches(&self, mut each: impl FnMut(&[RecordSlice])) {
        let origin = Origin::parse(&self.folder.to_string_lossy()).unwrap_or_else(|e| stop(&e.to_string()));
        let mut intake =
            Intake::open(origin, &self.config, Parts::default()).unwrap_or_else(|e| stop(&e.to_string()));
        loop {
            match intake.next_batch(512, Duration::from_millis(10)) {
                Next::Batch(records) => each(&records),
                Next::Idle => {}
                Next::End => break,
            }
        }
        intake.close();
    }

    /// What the work takes for a million records, in seconds.
    pub fn secs_per_million(&self, clock: fn() -> Duration, work: &mut dyn FnMut()) -> f64 {
        let round = |_| {
            let before = clock();
            work();
            clock().saturating_sub(before)
        };
        let least = (0..ROUNDS).map(round).min().unwrap_or_default();
        least.as_secs_f64() * 1e6 / self.records.len().max(1) as f64
    }
}

#[allow(clippy::panic, reason = "a bench has nobody to give an error to")]
fn stop(why: &str) -> ! {
    panic!("{why}")
}

/// The fields named in a file of `benches/host`.
pub fn fields(list: &str) -> Vec<CtField> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/host").join(list);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().split(',').filter_map(CtField::from_name).collect()
}
