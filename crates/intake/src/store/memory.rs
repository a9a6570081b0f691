//! The twin of a bucket in memory, with faults on demand: for tests of everything that stands on [`ObjectStore`].

use super::{
    Body, BoxFuture, GetRequest, ListPage, ListRequest, ObjectMeta, ObjectStore, StoreError, StoreErrorKind,
};
use crate::clock::{Clock, SystemClock};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A fault at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503 SlowDown.
    SlowDown,
    /// The connection breaks in the middle of the body.
    Reset,
    /// The body is shorter than announced.
    Truncated,
    /// The body is longer than announced.
    WrongLength,
    /// 403.
    Denied,
    /// 403 by KMS.
    Decrypt,
    /// No answer at all.
    Stall,
    /// Expired credentials.
    Expired,
    /// A signature from another time: the clocks differ.
    ClockSkew,
    /// The body ends early, and nobody says so.
    CutOff,
    /// 200 with no byte.
    Empty,
}

/// Which calls fail.
type Rule = Box<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// A call, for rules and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A listing, with its prefix.
    List(String),
    /// A fetch, with its key and how often it was fetched before.
    Get(String, u32),
}

/// A bucket in memory.
pub struct MemoryStore {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    /// Time that each call takes.
    latency: Duration,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Arc<[u8]>, u64)>,
    rule: Option<Rule>,
    /// Faults for the next calls, before any rule.
    queue: VecDeque<Fault>,
    lists: u64,
    gets: BTreeMap<String, u32>,
    prefixes: BTreeSet<String>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), Duration::ZERO)
    }
}

impl MemoryStore {
    /// An empty bucket; objects bear the time of `clock`, calls take `latency`.
    pub fn new(clock: Arc<dyn Clock>, latency: Duration) -> Self {
        Self { state: Mutex::default(), clock, latency }
    }

    /// Puts an object.
    pub fn put(&self, key: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        let modified = self.clock.now_ns();
        self.lock().objects.insert(key.into(), (bytes.into(), modified));
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.lock().objects.remove(key);
    }

    /// Decides for each call whether it fails.
    pub fn fail_by(&self, rule: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        self.lock().rule = Some(Box::new(rule));
    }

    /// Lets all calls through.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.rule = None;
        state.queue.clear();
    }

    /// Lets the next calls fail, one fault each.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().queue.extend(faults);
    }

    /// Calls so far: listings and fetches.
    pub fn calls(&self) -> (u64, u64) {
        let state = self.lock();
        (state.lists, state.gets.values().map(|n| u64::from(*n)).sum())
    }

    /// Prefixes that were listed.
    pub fn listed_prefixes(&self) -> BTreeSet<String> {
        self.lock().prefixes.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(state: &mut State, call: &Call) -> Option<Fault> {
        state.queue.pop_front().or_else(|| state.rule.as_ref().and_then(|rule| rule(call)))
    }

    fn list_now(&self, request: &ListRequest) -> Result<ListPage, (Option<Fault>, &'static str)> {
        let mut state = self.lock();
        state.lists += 1;
        state.prefixes.insert(request.prefix.clone());
        if let Some(fault) = Self::fault(&mut state, &Call::List(request.prefix.clone())) {
            return Err((Some(fault), "ListObjectsV2"));
        }
        let mut page = ListPage::default();
        let max = request.max_keys.clamp(1, 1000);
        let after = request.continuation.as_ref().or(request.start_after.as_ref());
        let mut last = String::new();
        for (key, (bytes, modified)) in state.objects.range(request.prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&request.prefix) else { break };
            let folded = rest.find('/').filter(|_| request.by_folder);
            let entry = match folded {
                Some(slash) => format!("{}{}", request.prefix, rest.get(..=slash).unwrap_or_default()),
                None => key.clone(),
            };
            let passed =
                after.is_some_and(|after| *key <= *after || (folded.is_some() && after.starts_with(&entry)));
            if passed || (folded.is_some() && entry == last) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == max {
                page.next = Some(last);
                break;
            }
            if folded.is_some() {
                page.prefixes.push(entry.clone());
            } else {
                let etag = format!("{:x}", crate::dedup::mark(bytes));
                page.objects.push(ObjectMeta {
                    key: key.clone(),
                    size_bytes: bytes.len() as u64,
                    etag,
                    modified_ns: *modified,
                });
            }
            last = entry;
        }
        Ok(page)
    }

    fn get_now(&self, request: &GetRequest) -> Result<Vec<u8>, Failure> {
        let mut state = self.lock();
        let count = state.gets.entry(request.key.clone()).or_default();
        let before = *count;
        *count += 1;
        let fault = Self::fault(&mut state, &Call::Get(request.key.clone(), before));
        match fault {
            Some(Fault::Empty) => return Ok(Vec::new()),
            None | Some(Fault::CutOff) => {}
            Some(fault) => return Err(Failure::Fault(fault)),
        }
        let Some((bytes, _)) = state.objects.get(&request.key) else { return Err(Failure::Missing) };
        if !request.etag.is_empty() && request.etag != format!("{:x}", crate::dedup::mark(bytes)) {
            return Err(Failure::Changed);
        }
        let range = request.range.clone().unwrap_or(0..bytes.len() as u64);
        let (start, end) = (range.start as usize, (range.end as usize).min(bytes.len()));
        let part = bytes.get(start..end).unwrap_or_default();
        let part =
            if fault == Some(Fault::CutOff) { part.get(..part.len() / 2).unwrap_or_default() } else { part };
        if part.len() as u64 > request.cap_bytes {
            return Err(Failure::TooLarge);
        }
        Ok(part.to_vec())
    }
}

enum Failure {
    Fault(Fault),
    Missing,
    Changed,
    TooLarge,
}

fn error(call: &'static str, key: &str, fault: Fault) -> StoreError {
    let (kind, message) = match fault {
        Fault::SlowDown => (StoreErrorKind::Throttled, "503 SlowDown"),
        Fault::Reset => (StoreErrorKind::Transient, "connection reset in the middle of the body"),
        Fault::Truncated => (StoreErrorKind::Transient, "the body is shorter than announced"),
        Fault::WrongLength => (StoreErrorKind::Transient, "the body is longer than announced"),
        Fault::Denied => (StoreErrorKind::Denied, "AccessDenied"),
        Fault::Decrypt => (StoreErrorKind::Decrypt, "AccessDenied: not authorized to perform kms:Decrypt"),
        Fault::Expired => (StoreErrorKind::Credentials, "ExpiredToken"),
        Fault::ClockSkew => (StoreErrorKind::Credentials, "RequestTimeTooSkewed"),
        Fault::Stall | Fault::CutOff | Fault::Empty => (StoreErrorKind::Other, "unexpected"),
    };
    StoreError::new(kind, call, format!("memory://{key}"), message)
}

impl ObjectStore for MemoryStore {
    fn list<'a>(&'a self, request: ListRequest) -> BoxFuture<'a, Result<ListPage, StoreError>> {
        Box::pin(async move {
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            match self.list_now(&request) {
                Ok(page) => Ok(page),
                Err((Some(Fault::Stall), _)) => std::future::pending().await,
                Err((fault, call)) => Err(error(call, &request.prefix, fault.unwrap_or(Fault::Denied))),
            }
        })
    }

    fn get<'a>(&'a self, request: GetRequest) -> BoxFuture<'a, Result<Body, StoreError>> {
        Box::pin(async move {
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            let target = format!("memory://{}", request.key);
            let other = |kind, message| StoreError::new(kind, "GetObject", target.clone(), message);
            match self.get_now(&request) {
                Ok(bytes) => Ok(Body { bytes }),
                Err(Failure::Fault(Fault::Stall)) => std::future::pending().await,
                Err(Failure::Fault(fault)) => Err(error("GetObject", &request.key, fault)),
                Err(Failure::Missing) => Err(other(StoreErrorKind::NotFound, "NoSuchKey")),
                Err(Failure::Changed) => Err(other(StoreErrorKind::Changed, "PreconditionFailed")),
                Err(Failure::TooLarge) => Err(other(StoreErrorKind::TooLarge, "over the cap")),
            }
        })
    }

    fn name(&self) -> &str {
        "memory:/"
    }
}
