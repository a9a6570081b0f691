//! Starting the tasks of a bucket.

use super::fetch::{Fetcher, Queues};
use super::lister::{Lister, Window, filtered_keys, probe};
use super::{Shared, Slot, failing};
use crate::filter::Filter;
use crate::object::Object;
use crate::retry::Tries;
use crate::store::{Connect, ObjectStore, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Release;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// How long `on_open_error: fail` waits for the first answer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(60);
/// Objects that may wait for the fetcher.
const WAITING_OBJECTS: usize = 64;

/// Why a bucket was not opened.
#[derive(Debug)]
pub struct Refused {
    /// Cause first, one line.
    pub reason: String,
    /// The whole story; may be empty.
    pub story: String,
}

impl Refused {
    fn new(reason: impl Into<String>) -> Refused {
        Refused { reason: reason.into(), story: String::new() }
    }
}

/// What to read of which bucket, and how.
pub struct BucketSettings {
    /// Its name.
    pub bucket: String,
    /// What all keys begin with.
    pub prefix: String,
    /// End when all was read.
    pub once: bool,
    /// Which objects, by time.
    pub window: Window,
    /// The present before the past.
    pub newest_first: bool,
    /// Between two looks at a busy lane.
    pub poll: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// Bytes of bodies that may wait.
    pub room_bytes: u64,
    /// Refuse to open when the bucket cannot be read.
    pub fail_at_open: bool,
}

impl BucketSettings {
    /// Starts connecting, listing and fetching.
    ///
    /// # Errors
    /// With `fail_at_open`, when the bucket cannot be read; else when the configuration is wrong, as far as that is
    /// known at once.
    pub fn start(
        self,
        runtime: &tokio::runtime::Runtime,
        shared: Arc<Shared>,
        connect: Arc<dyn Connect>,
        filter: Filter,
        order: mpsc::Sender<Slot>,
        again: UnboundedReceiver<Arc<Object>>,
    ) -> Result<(), Refused> {
        let (opened, answer) = oneshot::channel();
        let wait = self.fail_at_open;
        runtime.spawn(self.run(shared, connect, filter, order, again, opened));
        if !wait {
            return Ok(());
        }
        let answer = runtime.block_on(async { tokio::time::timeout(OPEN_TIMEOUT, answer).await });
        match answer {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refused::new("the task that connects ended; please report")),
            Err(_) => Err(Refused::new(format!("no answer within {} s", OPEN_TIMEOUT.as_secs()))),
        }
    }

    async fn run(
        self,
        shared: Arc<Shared>,
        connect: Arc<dyn Connect>,
        filter: Filter,
        order: mpsc::Sender<Slot>,
        again: UnboundedReceiver<Arc<Object>>,
        opened: oneshot::Sender<Result<(), Refused>>,
    ) {
        let Some(store) = self.connected(&shared, connect.as_ref(), opened).await else { return };
        let (live, live_objects) = tokio::sync::mpsc::channel(WAITING_OBJECTS);
        let (backlog, backlog_objects) = tokio::sync::mpsc::channel(WAITING_OBJECTS);
        let (freed, freed_objects) = tokio::sync::mpsc::unbounded_channel();
        let home: Arc<str> = format!("s3://{}/", self.bucket).into();
        let fetcher = Fetcher::new(
            Arc::clone(&shared),
            Arc::clone(&store),
            order,
            self.concurrency,
            self.room_bytes,
            freed,
        );
        fetcher.restore(&home, &filter);
        tokio::spawn(Arc::clone(&fetcher).ask_again());
        let queues = Queues { live: live_objects, backlog: backlog_objects, again, freed: freed_objects };
        tokio::spawn(fetcher.run(queues));
        let lister = Lister {
            shared,
            home,
            store,
            prefix: self.prefix,
            filter,
            window: self.window,
            once: self.once,
            newest_first: self.newest_first,
            poll: self.poll,
            live,
            backlog,
            streams: BTreeMap::new(),
            known_since: None,
            refused: BTreeSet::new(),
            unseen_told: false,
            filtered: filtered_keys(),
        };
        lister.run().await;
    }

    /// A client, as soon as there is one. With `fail_at_open`: `None` when the first attempt fails.
    async fn connected(
        &self,
        shared: &Shared,
        connect: &dyn Connect,
        opened: oneshot::Sender<Result<(), Refused>>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let mut tries = Tries::default();
        let target = format!("s3://{}/{}", self.bucket, self.prefix);
        loop {
            let error = match connect.connect(&self.bucket).await {
                Ok(store) if !self.fail_at_open => {
                    shared.listing.works(&target);
                    return Some(store);
                }
                Ok(store) => {
                    let first = probe(store.as_ref(), &self.prefix)
                        .await
                        .map_err(|error| Refused { reason: error.to_string(), story: error.story });
                    let failed = first.is_err();
                    let _ = opened.send(first);
                    return (!failed).then_some(store);
                }
                Err(error) if self.fail_at_open => {
                    let _ = opened.send(Err(Refused { reason: error.message, story: error.story }));
                    return None;
                }
                Err(error) => error,
            };
            let at_least = error.retry_after.unwrap_or_default();
            let failed = StoreError {
                story: error.story,
                ..StoreError::new(error.kind, "connect", &target, error.message)
            };
            shared.listing.fails(failing(&failed, &target, &failed.message));
            tries.failed(failed.kind);
            shared.counters.retries.add(1);
            if shared.gives_up(failed.kind, &tries) {
                shared.counters.lanes_given_up.add(1);
                shared.give_up(target, &failed);
                shared.listed_all.store(true, Release);
                return None;
            }
            tokio::time::sleep(shared.pace.wait(tries.fails).max(at_least)).await;
        }
    }
}
