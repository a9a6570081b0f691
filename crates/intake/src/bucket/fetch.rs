//! Fetching objects: several at once, in order, within a budget of bytes, again and again where it fails.

use super::{Answer, Shared, Slot, failing};
use crate::filter::Filter;
use crate::layout;
use crate::object::{Object, Payload};
use crate::retry::Tries;
use crate::store::{GetRequest, ObjectStore, StoreError, StoreErrorKind};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender};
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
    /// Accounts and regions of which an object was given up.
    given_up: Mutex<BTreeSet<Arc<str>>>,
    /// Objects that wait no more.
    freed: UnboundedSender<Arc<Object>>,
}

/// Where objects to fetch come from.
pub struct Queues {
    /// New ones; they come first.
    pub live: Receiver<Arc<Object>>,
    /// Older ones.
    pub backlog: Receiver<Arc<Object>>,
    /// Those that could not be read to their end.
    pub again: UnboundedReceiver<Arc<Object>>,
    /// Those that waited for a permission.
    pub freed: UnboundedReceiver<Arc<Object>>,
}

impl Fetcher {
    /// A fetcher for at most `concurrency` requests at once and `room_bytes` of bodies.
    pub fn new(
        shared: Arc<Shared>,
        store: Arc<dyn ObjectStore>,
        order: mpsc::Sender<Slot>,
        concurrency: usize,
        room_bytes: u64,
        freed: UnboundedSender<Arc<Object>>,
    ) -> Arc<Self> {
        let room_kib = u32::try_from((room_bytes / KIB).clamp(16, u64::from(u32::MAX))).unwrap_or(u32::MAX);
        let requests = Arc::new(Semaphore::new(concurrency.clamp(1, 1024)));
        let room = Arc::new(Semaphore::new(room_kib as usize));
        let block_bytes = BLOCK_BYTES.min(u64::from(room_kib) * KIB / 3);
        let given_up = Mutex::default();
        Arc::new(Self { shared, store, order, requests, room, room_kib, block_bytes, given_up, freed })
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
                Some(object) = queues.freed.recv() => object,
                Some(object) = queues.live.recv() => object,
                Some(object) = queues.backlog.recv() => object,
                else => return,
            };
            if !object.was_refused() && !object.was_held() && self.shared.waiting.takes(&object) {
                object.set_held();
                self.waits(&object);
                continue;
            }
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

    /// Takes in the objects that waited for a permission when the checkpoint was written.
    pub fn restore(&self, home: &Arc<str>, filter: &Filter) {
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let mut objects = Vec::new();
        for (lane, book) in ledger.lanes_mut() {
            for (name, of) in &book.state().waiting {
                let mut object = Object::new(home, lane, name.clone());
                let key = object.key();
                let parts = layout::parse(&key);
                if !filter.key(parts.as_ref()) {
                    continue;
                }
                (object.size_bytes, object.stamp, object.modified_ns) =
                    (of.size_bytes, of.stamp, of.modified_ns);
                object.filter_records = parts.is_none();
                object.set_resume(book.resume(name, of.stamp));
                objects.push(Arc::new(object));
            }
        }
        drop(ledger);
        self.shared.counters.objects_known.add(objects.len() as u64);
        objects.iter().for_each(|object| self.shared.waiting.refused(object, &self.shared.pace));
        self.gauges();
    }

    /// Asks again, slowly, for what waits for a permission.
    pub async fn ask_again(self: Arc<Self>) {
        loop {
            let changed = self.shared.waiting.changed.notified();
            match self.shared.waiting.next(&self.shared.pace) {
                Ok(object) => self.free(object),
                Err(None) => changed.await,
                Err(Some(at)) => tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => {}
                    () = changed => {}
                },
            }
        }
    }

    fn free(&self, object: Arc<Object>) {
        self.shared.outstanding.fetch_add(1, Release);
        self.gauges();
        let _ = self.freed.send(object);
    }

    /// Puts down that an object waits.
    fn waits(&self, object: &Object) {
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.wait(object);
        drop(ledger);
        self.shared.outstanding.fetch_sub(1, Release);
        self.gauges();
    }

    fn gauges(&self) {
        let (counters, waiting) = (&self.shared.counters, self.shared.waiting.len());
        counters.objects_waiting.set(waiting as u64);
        counters.objects_in_flight.set(self.shared.outstanding.load(Relaxed));
    }

    fn refused(&self, object: &Arc<Object>, error: &StoreError) {
        self.shared.fetching.fails(failing(error, &object.lane, &error.to_string()));
        self.shared.counters.retries.add(1);
        // First the book: from the moment it is with those that wait it may be asked for.
        self.waits(object);
        self.shared.waiting.refused(object, &self.shared.pace);
        self.gauges();
    }

    /// Lets those go that waited with it.
    fn decided(&self, object: &Object, worked: bool) {
        let waiting = &self.shared.waiting;
        let freed = if worked { waiting.worked(object) } else { waiting.ended(object) };
        freed.objects.into_iter().for_each(|object| self.free(object));
        if freed.over {
            self.shared.fetching.works(&object.lane);
        }
    }

    /// Says that an object cannot be had.
    fn failed(&self, object: &Object, error: StoreError) -> Answer {
        self.ended(object);
        Answer::Failed(error)
    }

    fn ended(&self, object: &Object) {
        self.shared.fetching.gone(&object.key());
        self.decided(object, false);
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
        reply: mpsc::SyncSender<Answer>,
        mut permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) {
        if object.size_bytes > self.shared.max_object_bytes {
            let message = format!("{} bytes are more than max_object_bytes", object.size_bytes);
            let error = self.error(&object, StoreErrorKind::TooLarge, message);
            let _ = reply.send(self.failed(&object, error));
            return;
        }
        if object.size_bytes > self.block_bytes {
            self.stream(object, reply, permits).await;
            return;
        }
        let mut tries = Tries::default();
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
                    let _ = reply.send(Answer::Payload(Payload::Whole(bytes, Some(Box::new(room)))));
                    return;
                }
                Err(error) if error.kind.waits() && !self.shared.once => {
                    drop(room);
                    self.refused(&object, &error);
                    let _ = reply.send(Answer::Waits);
                    return;
                }
                Err(error) => {
                    drop(room);
                    if !self.wait_after(&object, &error, &mut tries).await {
                        let _ = reply.send(self.failed(&object, error));
                        return;
                    }
                }
            }
        }
    }

    /// Waits until the next attempt is due. False: no further attempt. What then becomes of the object is the worker's to
    /// note, once.
    async fn wait_after(&self, object: &Object, error: &StoreError, tries: &mut Tries) -> bool {
        tries.failed(error.kind);
        if error.kind.passes() || error.kind.waits() {
            let key = object.key();
            let place = if error.kind.waits() { &*object.lane } else { &key };
            self.shared.fetching.fails(failing(error, place, &error.to_string()));
            let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
            let at_once = error.kind.waits() && given_up.contains(&object.lane);
            if at_once || self.shared.gives_up(error.kind, tries) {
                given_up.insert(Arc::clone(&object.lane));
                return false;
            }
        } else {
            let hopeless = matches!(error.kind, StoreErrorKind::NotFound | StoreErrorKind::TooLarge);
            if hopeless || object.attempt() >= self.shared.object_retries {
                return false;
            }
            tracing::info!(object = %object, "cannot fetch it, trying again: {}", error.message);
        }
        self.shared.counters.retries.add(1);
        tokio::time::sleep(self.shared.pace.wait(tries.fails)).await;
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
        self.shared.worked();
        self.shared.fetching.works(&object.key());
        self.decided(object, true);
        Ok(body.bytes)
    }

    /// An object too big to hold: its blocks go to the worker one after the other.
    async fn stream(
        &self,
        object: Arc<Object>,
        reply: mpsc::SyncSender<Answer>,
        mut permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) {
        let (send, blocks) = tokio::sync::mpsc::channel(1);
        let mut reply = Some((reply, blocks));
        let room = match permits.take() {
            Some((room, _request)) => Some(room),
            None => self.room_for(&object).await,
        };
        let (mut at, mut tries) = (0, Tries::default());
        while at < object.size_bytes {
            let range = at..object.size_bytes.min(at + self.block_bytes);
            let Some(request) = self.request().await else { return };
            let result = self.get(&object, Some(range.clone())).await;
            drop(request);
            match result {
                Ok(bytes) => {
                    (at, tries) = (range.end, Tries::default());
                    // Told with the first block only: until then others may go first.
                    if let Some((reply, blocks)) = reply.take() {
                        let blocks = Blocks { blocks, current: io::Cursor::new(Vec::new()) };
                        let _ = reply.send(Answer::Payload(Payload::Stream(Box::new(blocks))));
                    }
                    if send.send(Ok(bytes)).await.is_err() {
                        return;
                    }
                }
                Err(error) if error.kind.waits() && !self.shared.once => {
                    match reply.take() {
                        Some((reply, _)) => {
                            self.refused(&object, &error);
                            drop(reply.send(Answer::Waits));
                        }
                        // Fetched again from its beginning, and refused there.
                        None => drop(send.send(Err(io::Error::other(error))).await),
                    }
                    return;
                }
                Err(error) => {
                    if self.wait_after(&object, &error, &mut tries).await {
                        continue;
                    }
                    match reply.take() {
                        Some((reply, _)) => drop(reply.send(self.failed(&object, error))),
                        None => {
                            self.ended(&object);
                            drop(send.send(Err(io::Error::other(error))).await);
                        }
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
