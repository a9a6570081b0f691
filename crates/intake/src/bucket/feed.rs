//! The worker's end of a bucket: objects in the order in which they were asked for, unless one keeps the others waiting.

use super::{Answer, Shared, Slot};
use crate::object::Object;
use crate::store::{StoreError, StoreErrorKind};
use crate::worker::{Fed, Feed};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// A feed of a bucket's objects.
pub struct BucketFeed {
    shared: Arc<Shared>,
    order: Receiver<Slot>,
    again: UnboundedSender<Arc<Object>>,
    /// Objects that others were let by.
    late: Vec<Slot>,
}

impl BucketFeed {
    /// A feed of the slots of `order`; what is to be fetched again goes to `again`.
    pub fn new(shared: Arc<Shared>, order: Receiver<Slot>, again: UnboundedSender<Arc<Object>>) -> Self {
        Self { shared, order, again, late: Vec::new() }
    }

    fn take_late(&mut self) -> Option<Fed> {
        for at in 0..self.late.len() {
            let Some(slot) = self.late.get(at) else { break };
            match slot.reply.try_recv() {
                Ok(answer) => return Some(fed(self.late.swap_remove(at).object, answer)),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Some(lost(self.late.swap_remove(at))),
            }
        }
        None
    }
}

impl Feed for BucketFeed {
    fn next(&mut self, wait: Duration) -> Fed {
        if let Some(fed) = self.take_late() {
            return fed;
        }
        let wait = if self.late.is_empty() { wait } else { wait.min(Duration::from_millis(5)) };
        let slot = match self.order.recv_timeout(wait) {
            Ok(slot) => slot,
            Err(RecvTimeoutError::Timeout) => {
                let through =
                    self.shared.listed_all.load(Acquire) && self.shared.outstanding.load(Acquire) == 0;
                return if through { Fed::End } else { Fed::Nothing };
            }
            Err(RecvTimeoutError::Disconnected) if self.late.is_empty() => return Fed::End,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(wait);
                return Fed::Nothing;
            }
        };
        match slot.reply.recv_timeout(self.shared.pace.patience) {
            Ok(answer) => fed(slot.object, answer),
            Err(RecvTimeoutError::Timeout) => {
                self.late.push(slot);
                Fed::Nothing
            }
            Err(RecvTimeoutError::Disconnected) => lost(slot),
        }
    }

    fn again(&mut self, object: &Arc<Object>) -> bool {
        object.attempt() < self.shared.object_retries && self.again.send(Arc::clone(object)).is_ok()
    }

    fn gives_up(&self) -> bool {
        self.shared.once
    }

    fn ended(&mut self, _object: &Arc<Object>) {
        self.shared.outstanding.fetch_sub(1, Release);
        self.shared.counters.objects_in_flight.set(self.shared.outstanding.load(Relaxed));
    }
}

fn fed(object: Arc<Object>, answer: Answer) -> Fed {
    match answer {
        Answer::Payload(payload) => Fed::Object(object, payload),
        Answer::Failed(error) => Fed::Failed(object, error),
        Answer::Waits => Fed::Nothing,
    }
}

/// The task that fetched it is gone: the runtime is being shut down, or the task had a fault of ours.
fn lost(slot: Slot) -> Fed {
    let message = "internal error while fetching it; please report";
    let error = StoreError::new(StoreErrorKind::Other, "GetObject", slot.object.to_string(), message);
    Fed::Failed(slot.object, error)
}
