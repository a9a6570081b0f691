//! SIGKILL at random points while records flow from an S3 server in this process to a host written in C that has
//! loaded the library, as Falco does: nothing is lost, and what comes again was in the host's hand when it was killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "host/support.rs"]
mod host;
#[path = "kill/lives.rs"]
mod lives;
#[path = "../crates/intake/tests/support/server.rs"]
mod server;
#[path = "kill/trail.rs"]
mod trail;

use std::time::{Duration, Instant};

use lives::{Killed, Life, Reader, Stop};
use trail::Trail;

/// `batch_records`: what Falco may have in hand.
const BATCH: usize = 32;

#[test]
fn two_hundred_kills_lose_nothing() {
    kill("tfdrift", 200, Trail { objects: 100, records: 500 });
}

#[test]
fn the_drop_in_library_loses_nothing() {
    kill("cloudtrail", 20, Trail { objects: 20, records: 250 });
}

fn kill(library: &str, kills: usize, trail: Trail) {
    let (bucket, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = trail.write(&bucket.path().join("logs"));
    let server = server::Server::start(bucket.path());
    let reader = Reader::new(library, server.address, state.path(), BATCH);
    let mut lives: Vec<Life> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    // How long a start takes on this machine, for kills within it.
    let mut start_up = Duration::from_millis(100);
    for n in 0..kills {
        let left = expected.len() - seen.len();
        let stop = if n % 5 == 4 {
            Stop::After(start_up.mul_f64(1.2 * random()))
        } else {
            // As many as leave some for the kills to come, wherever the machine's speed puts the kill itself.
            let share = 2.0 * random() * left as f64 / (kills - n) as f64;
            Stop::AtRecord(share as usize + 1, Duration::from_micros((1000.0 * random()) as u64))
        };
        // From full speed to one where most kills find the host between two batches.
        let pause_us = [0, 0, 300, 3000][n % 4];
        let started = Instant::now();
        let life = reader.live(pause_us, stop, left);
        if let Some(first) = life.first {
            start_up = first - started;
        }
        seen.extend(life.ids.iter().cloned());
        lives.push(life);
    }
    let last = reader.live(0, Stop::WhenAllCame, expected.len() - seen.len());
    assert!(last.ended_well, "the last run was asked to end and did: {}", reader.log());
    lives.push(last);
    let again = lives::check(&lives, &expected, BATCH);
    let after_end = reader.live(0, Stop::After(start_up * 3), 0);
    assert_eq!(after_end.ids, Vec::<String>::new(), "after an orderly end nothing comes again");
    let count = |killed: Killed| lives.iter().filter(|life| life.killed == killed).count();
    let (before, inside, after) =
        (count(Killed::BeforeTheFirst), count(Killed::WhileTheyFlow), count(Killed::AfterTheLast));
    println!(
        "{library}: {kills} kills: {before} before the life's first record, {inside} while records flowed, {after} after \
         the last; {again} of {} records came again, none was lost",
        expected.len(),
    );
    assert!(inside > kills / 2, "most kills must hit while records flow");
}

/// From 0 to 1.
fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64
}
