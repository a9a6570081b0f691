//! The live snapshot of one configuration.

mod past;

pub use past::AsOf;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tfdrift_tfstate::{IndexPlan, Snapshot, State};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::config::StateConfig;
use crate::error::ConfigError;
use crate::history::{History, Present, Request};
use crate::loader::{Loader, View};
use crate::status::LoadStatus;
use crate::watch::Watch;

/// The states of one configuration: loaded, kept current, and handed out as [`Snapshot`]s.
///
/// Nothing is loaded before [`StateStore::open`] or [`StateStore::load_now`]. A snapshot, once there, never goes
/// away: what cannot be read any more stays as it was read last.
pub struct StateStore {
    inner: Arc<Inner>,
    leases: Mutex<Leases>,
}

struct Inner {
    config: StateConfig,
    /// The newest snapshot.
    present: ArcSwapOption<Present>,
    history: History,
    status: ArcSwap<LoadStatus>,
    /// Whether every place was tried once, with what wakes those who wait for it.
    first: (Mutex<bool>, Condvar),
    /// Locked by whoever loads, for as long as it loads.
    worker: Mutex<Worker>,
}

/// The loader and the runtime that its connections belong to.
struct Worker {
    loader: Loader,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Leases {
    count: usize,
    thread: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

/// Keeps the loading thread running. The last one of a store stops and joins it.
pub struct Lease {
    store: Arc<StateStore>,
}

impl StateStore {
    /// A store that has loaded nothing yet.
    ///
    /// # Errors
    /// A place whose settings can never work.
    pub fn new(config: StateConfig, plan: IndexPlan) -> Result<Self, ConfigError> {
        let history = History::new(config.history_cache_bytes, plan.clone());
        let loader = Loader::new(&config, plan)?;
        let first = (Mutex::new(config.places.is_empty()), Condvar::new());
        let inner = Inner {
            config,
            present: ArcSwapOption::empty(),
            history,
            status: ArcSwap::default(),
            first,
            worker: Mutex::new(Worker { loader, runtime: None }),
        };
        Ok(Self { inner: Arc::new(inner), leases: Mutex::default() })
    }

    /// The configuration.
    pub fn config(&self) -> &StateConfig {
        &self.inner.config
    }

    /// The newest snapshot. `None` until the first one is loaded, and with no places. Never waits.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.inner.present.load().as_ref().map(|present| present.snapshot.clone())
    }

    /// What is loaded and what is not.
    pub fn status(&self) -> Arc<LoadStatus> {
        self.inner.status.load_full()
    }

    /// Looks at every place now, in this thread, and says how it went. Waits for a round that is under way.
    ///
    /// # Panics
    /// Not within an async runtime: it blocks.
    pub fn load_now(&self) -> Arc<LoadStatus> {
        let mut worker = lock(&self.inner.worker);
        if let Some((loader, runtime)) = worker.ready() {
            runtime.block_on(self.inner.round(loader));
        }
        drop(worker);
        self.status()
    }

    /// Starts loading and polling in a thread of its own, unless it runs already, until the lease is dropped.
    pub fn open(self: &Arc<Self>) -> Lease {
        let mut leases = lock(&self.leases);
        leases.count += 1;
        if leases.thread.as_ref().is_none_or(|(thread, _)| thread.is_finished()) {
            let (stop, stopped) = watch::channel(false);
            let inner = self.inner.clone();
            let requests = inner.history.serve_from_now();
            let run = move || run(&inner, stopped, requests);
            match std::thread::Builder::new().name("tfdrift-states".to_owned()).spawn(run) {
                Ok(thread) => leases.thread = Some((thread, stop)),
                Err(error) => tracing::error!(%error, "no thread for loading states; they are not loaded"),
            }
        }
        Lease { store: self.clone() }
    }

    /// Waits until every place was tried once, at most `timeout`. Gives whether that is so; what could not be loaded
    /// is in [`StateStore::status`].
    pub fn wait_first(&self, timeout: Duration) -> bool {
        let (done, wake) = &self.inner.first;
        let waited = wake.wait_timeout_while(lock(done), timeout, |done| !*done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl std::fmt::Debug for StateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateStore").field("places", &self.inner.config.places).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = lock(&self.store.leases);
        leases.count = leases.count.saturating_sub(1);
        if leases.count > 0 {
            return;
        }
        if let Some((thread, stop)) = leases.thread.take() {
            let _ = stop.send(true);
            self.store.inner.history.serve_no_more();
            if thread.join().is_err() {
                tracing::error!("the thread that loads states had panicked; please report this");
            }
        }
    }
}

/// The thread: rounds until it is told to stop, which it is at any moment.
fn run(inner: &Inner, mut stopped: watch::Receiver<bool>, requests: UnboundedReceiver<Request>) {
    let mut worker = lock(&inner.worker);
    let Some((loader, runtime)) = worker.ready() else { return };
    let rounds = async {
        let mut watch = Watch::new();
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return,
                () = inner.round(loader) => {}
            }
            loader.watch(&mut watch);
            let Some(due) = loader.next_due() else { return };
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return,
                () = sleep_until(due) => {}
                () = watch.changed() => loader.hurry_local(),
            }
        }
    };
    runtime.block_on(async {
        tokio::select! {
            () = rounds => {}
            // ends when the lease goes, as the rounds do
            () = inner.history.serve(requests) => {}
        }
    });
}

impl Worker {
    /// The loader, with every place due, and the runtime.
    fn ready(&mut self) -> Option<(&mut Loader, &Runtime)> {
        self.runtime()?;
        self.loader.hurry();
        Some((&mut self.loader, self.runtime.as_ref()?))
    }

    fn runtime(&mut self) -> Option<&Runtime> {
        if self.runtime.is_none() {
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => self.runtime = Some(runtime),
                Err(error) => {
                    tracing::error!(%error, "no async runtime for loading states; they are not loaded")
                }
            }
        }
        self.runtime.as_ref()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The plain drop of a runtime waits, and panics when it is dropped within another.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    async fn round(&self, loader: &mut Loader) {
        let deadline = Instant::now() + Duration::from_secs(self.config.first_load_timeout_secs);
        loader.round(deadline, |view| self.publish(&view, deadline)).await;
        let (done, wake) = &self.first;
        *lock(done) = true;
        wake.notify_all();
    }

    /// Swaps the snapshot when a state is another one than before. The first one waits for all places, so that
    /// what stands in a slow one is not taken for unmanaged; but not beyond `deadline`.
    fn publish(&self, view: &View<'_>, deadline: Instant) {
        self.status.store(Arc::new(view.status()));
        let current = self.present.load();
        if current.is_none() && (!view.usable() || !(view.complete() || Instant::now() >= deadline)) {
            return;
        }
        let known = view.states();
        let states: Vec<Arc<State>> = known.iter().filter_map(|current| current.state.clone()).collect();
        let same = |snapshot: &Snapshot| {
            let old: &[Arc<State>] = snapshot.states();
            Arc::ptr_eq(snapshot.configuration(), view.configuration())
                && old.len() == states.len()
                && old.iter().zip(&states).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        let snapshot = match current.as_ref() {
            Some(present) if same(&present.snapshot) => present.snapshot.clone(),
            _ => Arc::new(Snapshot::new(states).with_configuration(view.configuration().clone())),
        };
        let present = Present::new(snapshot, known);
        self.history.follow(current.as_deref(), &present);
        self.present.store(Some(Arc::new(present)));
    }
}

/// A lock whose holder panicked is taken all the same: every change under it is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
