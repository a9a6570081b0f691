//! What became of every record and every object. Atomics only: Falco reads metrics on another thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters of one intake. Every record ends in exactly one of `emitted`, `duplicate`, `filtered`,
        /// `malformed_record`, `too_large`, `failed_record`; every object in one of `objects_read`, `malformed_object`,
        /// `not_found`, `object_too_large`, `object_given_up`, and in none as long as it is tried again.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: Count),* }

        /// The counters at one moment.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        pub struct CounterValues { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            /// The counters as they are now.
            pub fn values(&self) -> CounterValues {
                CounterValues { $($name: self.$name.get()),* }
            }

            /// Name and value of each, for metrics.
            pub fn each(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get())),*]
            }
        }
    };
}

counters! {
    /// Records handed out and taken: counted when the next batch is asked for.
    emitted,
    /// Records left out because their `eventID` was handed out before.
    duplicate,
    /// Records left out by account, region or type (CloudTrail Insights).
    filtered,
    /// Records that are not JSON, or without a usable `eventTime`; kept in quarantine.
    malformed_record,
    /// Records over `max_record_bytes`; kept in quarantine.
    too_large,
    /// Records that could not be passed on to Falco, by a bug of ours; kept in quarantine.
    failed_record,
    /// Objects that are not what CloudTrail writes (no gzip, cut off, wrong checksum, no JSON); quarantined.
    malformed_object,
    /// Objects that were listed and gone when they were fetched.
    not_found,
    /// Objects over `max_object_bytes` or `max_inflated_bytes`; quarantined.
    object_too_large,
    /// Objects given up by what ends by itself (`?once`, a file or folder without `?follow`): refused, or nobody
    /// answered. What follows never gives one up.
    object_given_up,
    /// Accounts and regions, and folders of them, that `?once` gave up listing.
    lanes_given_up,
    /// Objects that wait now for a permission (AccessDenied, no right to decrypt, a file that may not be read), or for
    /// others that do.
    objects_waiting,
    /// Objects found so far that are wanted.
    objects_known,
    /// Objects that are through: read to their end, given up, or gone.
    objects_done,
    /// Of these, objects that were read to their end, also those that hold no record.
    objects_read,
    /// Objects left out by their key: another account, region or time, digests, Insights, no log's name. Each once,
    /// as long as a bucket shows no more than 262,144 of them.
    objects_filtered,
    /// Folders below the one given that may not be listed now: what is in them is not read.
    folders_refused,
    /// Objects being fetched or split now.
    objects_in_flight,
    /// Bytes of objects as stored.
    fetched_bytes,
    /// Bytes of objects after inflating.
    inflated_bytes,
    /// Event ids and quarantine entries that could not be written below `checkpoint_dir` for so long that memory no
    /// longer held them; after a restart second deliveries of those records are not left out.
    unwritten,
    /// Requests tried again.
    retries,
    /// ListObjectsV2 calls.
    list_calls,
    /// GetObject calls.
    get_calls,
    /// `eventTime` to hand-out of the newest batch, in milliseconds.
    lag_millis,
    /// Of that, until the object was in the bucket: AWS's share, in milliseconds.
    lag_aws_millis,
    /// Of that, from the object in the bucket to hand-out: ours, in milliseconds.
    lag_own_millis,
}

impl Counters {
    /// Notes how old a record is at hand-out, and where the time went. All in nanoseconds since 1970.
    pub(crate) fn note_lag(&self, event_ns: u64, object_ns: u64, now_ns: u64) {
        let millis = |from: u64, to: u64| to.saturating_sub(from) / 1_000_000;
        self.lag_millis.set(millis(event_ns, now_ns));
        if object_ns > 0 {
            self.lag_aws_millis.set(millis(event_ns, object_ns));
            self.lag_own_millis.set(millis(object_ns, now_ns));
        }
    }
}

/// A number that many threads may count up.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }
    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }
}
