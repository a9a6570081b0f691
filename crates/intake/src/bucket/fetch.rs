//! Fetching objects: several at once, in order, within a budget of bytes, again and again where it fails.

use super::{Shared, Slot};
use crate::object::{Object, Payload};
use crate::store::{GetRequest, ObjectStore, StoreError, StoreErrorKind};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bigger objects are fetched in blocks of this size.
const BLOCK_BYTES: u64 = 8 << 20;
/// What an object costs beside its bytes.
const OVERHEAD_BYTES: u64 = 4 << 10;
const KIB: u64 = 1 << 10;

/// Fetches what lister and worker ask for.
pub struct Fetcher {
    shared: Arc<Shared>,
    store: Arc<dyn ObjectStore>,
    order: mpsc::Sender<Slot>,
    /// Requests at once.
    requests: Arc<Semaphore>,
    /// KiB that may wait for the worker.
    room: Arc<Semaphore>,
    room_kib: u32,
    block_bytes: u64,
}

/// Where objects to fetch come from.
pub struct Queues {
    /// New ones; they come first.
    pub live: Receiver<Arc<Object>>,
    /// Older ones.
    pub backlog: Receiver<Arc<Object>>,
    /// Those that could not be read to their end.
    pub again: UnboundedReceiver<Arc<Object>>,
}

impl Fetcher {
    /// A fetcher for at most `concurrency` requests at once and `room_bytes` of bodies.
    pub fn new(
        shared: Arc<Shared>,
        store: Arc<dyn ObjectStore>,
        order: mpsc::Sender<Slot>,
        concurrency: usize,
        room_bytes: u64,
    ) -> Arc<Self> {
        let room_kib = u32::try_from((room_bytes / KIB).clamp(16, u64::from(u32::MAX))).unwrap_or(u32::MAX);
        let requests = Arc::new(Semaphore::new(concurrency.clamp(1, 1024)));
        let room = Arc::new(Semaphore::new(room_kib as usize));
        let block_bytes = BLOCK_BYTES.min(u64::from(room_kib) * KIB / 3);
        Arc::new(Self { shared, store, order, requests, room, room_kib, block_bytes })
    }

    /// Works until nobody can ask any more.
    pub async fn run(self: Arc<Self>, mut queues: Queues) {
        loop {
            let object = tokio::select! {
                biased;
                Some(object) = queues.again.recv() => {
                    tokio::spawn(Arc::clone(&self).later(object));
                    continue;
                }
                Some(object) = queues.live.recv() => object,
                Some(object) = queues.backlog.recv() => object,
                else => return,
            };
            // Taken here and not in the task, so that the first object asked for is the first to get room.
            let Some(room) = self.room_for(&object).await else { return };
            let Some(request) = self.request().await else { return };
            let (send, reply) = mpsc::sync_channel(1);
            if self.order.send(Slot { object: Arc::clone(&object), reply }).is_err() {
                return;
            }
            tokio::spawn(Arc::clone(&self).fetch(object, send, Some((room, request))));
        }
    }

    /// Fetches an object that could not be read to its end, after a wait.
    async fn later(self: Arc<Self>, object: Arc<Object>) {
        tokio::time::sleep(self.shared.pace.wait(1)).await;
        let (send, reply) = mpsc::sync_channel(1);
        if self.order.send(Slot { object: Arc::clone(&object), reply }).is_ok() {
            self.fetch(object, send, None).await;
        }
    }

    async fn room_for(&self, object: &Object) -> Option<OwnedSemaphorePermit> {
        let bytes = object.size_bytes.min(2 * self.block_bytes) + OVERHEAD_BYTES;
        let kib = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX).min(self.room_kib);
        Arc::clone(&self.room).acquire_many_owned(kib).await.ok()
    }

    async fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).acquire_owned().await.ok()
    }

    async fn fetch(
        self: Arc<Self>,
        object: Arc<Object>,
        reply: mpsc::SyncSender<Result<Payload, StoreError>>,
        mut permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) {
        if object.size_bytes > self.shared.max_object_bytes {
            let message = format!("{} bytes are more than max_object_bytes", object.size_bytes);
            let error = self.error(&object, StoreErrorKind::TooLarge, message);
            let _ = reply.send(Err(error));
            return;
        }
        if object.size_bytes > self.block_bytes {
            self.stream(object, reply, permits).await;
            return;
        }
        let mut fails = 0;
        loop {
            let (room, request) = match permits.take() {
                Some(permits) => permits,
                None => {
                    let (Some(room), Some(request)) = (self.room_for(&object).await, self.request().await)
                    else {
                        return;
                    };
                    (room, request)
                }
            };
            let result = self.get(&object, None).await;
            drop(request);
            match result {
                Ok(bytes) => {
                    let _ = reply.send(Ok(Payload::Whole(bytes, Some(Box::new(room)))));
                    return;
                }
                Err(error) => {
                    drop(room);
                    fails += 1;
                    if !self.wait_after(&object, &error, fails).await {
                        let _ = reply.send(Err(error));
                        return;
                    }
                }
            }
        }
    }

    /// Waits until the next attempt is due. False: no further attempt.
    async fn wait_after(&self, object: &Object, error: &StoreError, fails: u32) -> bool {
        if error.kind.passes() {
            self.shared.fetching.fails(&format!("{:?}", error.kind), &error.to_string(), &error.story);
        } else {
            let hopeless = matches!(error.kind, StoreErrorKind::NotFound | StoreErrorKind::TooLarge);
            if hopeless || object.attempt() >= self.shared.object_retries {
                return false;
            }
            tracing::info!(object = %object, "cannot fetch it, trying again: {}", error.message);
        }
        self.shared.counters.retries.add(1);
        tokio::time::sleep(self.shared.pace.wait(fails)).await;
        true
    }

    async fn get(&self, object: &Object, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>, StoreError> {
        self.shared.counters.get_calls.add(1);
        let expected = range.as_ref().map_or(object.size_bytes, |range| range.end - range.start);
        let request = GetRequest {
            key: object.key(),
            range,
            etag: String::new(),
            cap_bytes: expected.max(self.block_bytes),
        };
        let answer = tokio::time::timeout(self.shared.pace.request, self.store.get(request)).await;
        let body = match answer {
            Ok(body) => body?,
            Err(_) => {
                let message = format!("no whole answer within {:?}", self.shared.pace.request);
                return Err(self.error(object, StoreErrorKind::Transient, message));
            }
        };
        let got = body.bytes.len() as u64;
        if got != expected {
            // Nobody else noticed: a server that says 200 and sends less, or another object by now.
            let message = format!("got {got} bytes where {expected} were listed");
            return Err(self.error(object, StoreErrorKind::Changed, message));
        }
        self.shared.counters.fetched_bytes.add(got);
        self.shared.fetching.works();
        Ok(body.bytes)
    }

    /// An object too big to hold: its blocks go to the worker one after the other.
    async fn stream(
        &self,
        object: Arc<Object>,
        reply: mpsc::SyncSender<Result<Payload, StoreError>>,
        mut permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) {
        let (send, blocks) = tokio::sync::mpsc::channel(1);
        let mut reply = Some((reply, blocks));
        let room = match permits.take() {
            Some((room, _request)) => Some(room),
            None => self.room_for(&object).await,
        };
        let (mut at, mut fails) = (0, 0);
        while at < object.size_bytes {
            let range = at..object.size_bytes.min(at + self.block_bytes);
            let Some(request) = self.request().await else { return };
            let result = self.get(&object, Some(range.clone())).await;
            drop(request);
            match result {
                Ok(bytes) => {
                    (at, fails) = (range.end, 0);
                    // Told with the first block only: until then others may go first.
                    if let Some((reply, blocks)) = reply.take() {
                        let blocks = Blocks { blocks, current: io::Cursor::new(Vec::new()) };
                        let _ = reply.send(Ok(Payload::Stream(Box::new(blocks))));
                    }
                    if send.send(Ok(bytes)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    fails += 1;
                    if self.wait_after(&object, &error, fails).await {
                        continue;
                    }
                    match reply.take() {
                        Some((reply, _)) => drop(reply.send(Err(error))),
                        None => drop(send.send(Err(io::Error::other(error))).await),
                    }
                    return;
                }
            }
        }
        drop(room);
    }

    fn error(&self, object: &Object, kind: StoreErrorKind, message: String) -> StoreError {
        StoreError::new(kind, "GetObject", object.to_string(), message)
    }
}

/// Blocks as one stream. Read on the worker's thread.
struct Blocks {
    blocks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

impl Read for Blocks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.current.read(buf)?;
            if got > 0 || buf.is_empty() {
                return Ok(got);
            }
            match self.blocks.blocking_recv() {
                Some(block) => self.current = io::Cursor::new(block?),
                None => return Ok(0),
            }
        }
    }
}
