//! Who asks for the past, and who answers: the thread of the store that loads, which has the connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{History, Present};

/// After an answer that did not come in time, nobody waits again for so long.
const IMPATIENT: Duration = Duration::from_secs(300);

/// A question: what stood at that time?
pub(crate) struct Request {
    present: Arc<Present>,
    time_ns: u64,
    done: SyncSender<()>,
    answered: Arc<AtomicBool>,
}

#[derive(Default)]
pub(super) struct Asker {
    requests: Option<UnboundedSender<Request>>,
    /// The question whose answer nobody waits for any more.
    late: Option<Arc<AtomicBool>>,
    impatient_until: Option<Instant>,
}

impl History {
    /// What comes to be asked from now on goes to whoever serves the requests.
    pub(crate) fn serve_from_now(&self) -> UnboundedReceiver<Request> {
        let (send, requests) = unbounded_channel();
        *self.asker() = Asker { requests: Some(send), ..Asker::default() };
        requests
    }

    /// Nobody serves requests from now on.
    pub(crate) fn serve_no_more(&self) {
        self.asker().requests = None;
    }

    /// Whether somebody serves requests.
    pub(crate) fn is_served(&self) -> bool {
        self.asker().requests.as_ref().is_some_and(|requests| !requests.is_closed())
    }

    /// Answers questions, one after the other, as long as there may be one.
    pub(crate) async fn serve(&self, mut requests: UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            self.fill(&request.present, request.time_ns).await;
            request.answered.store(true, Relaxed);
            // nobody waits any more: then the answer is for the next question
            let _ = request.done.send(());
        }
    }

    /// Asks for the snapshot of a time and waits for it, at most `wait`, and not at all for some minutes after that
    /// was not long enough. False if nobody serves requests.
    pub(crate) fn ask(&self, present: &Arc<Present>, time_ns: u64, wait: Duration) -> bool {
        let (done, answer) = sync_channel(1);
        let answered = Arc::new(AtomicBool::new(false));
        let request = Request { present: present.clone(), time_ns, done, answered: answered.clone() };
        let wait = {
            let mut asker = self.asker();
            if asker.late.as_ref().is_some_and(|late| !late.load(Relaxed)) {
                // one at a time: what is asked meanwhile would only queue up
                return true;
            }
            let Some(requests) = &asker.requests else { return false };
            if requests.send(request).is_err() {
                return false;
            }
            let patient = asker.impatient_until.is_none_or(|until| until <= Instant::now());
            if !patient {
                asker.late = Some(answered.clone());
            }
            if patient { wait } else { Duration::ZERO }
        };
        if answer.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            let mut asker = self.asker();
            asker.late = Some(answered);
            if !wait.is_zero() {
                asker.impatient_until = Some(Instant::now() + IMPATIENT);
                tracing::warn!(
                    "states: older versions not read after {wait:?}; events of the past are judged by the newest states until they are"
                );
            }
        }
        true
    }

    fn asker(&self) -> MutexGuard<'_, Asker> {
        self.asker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
