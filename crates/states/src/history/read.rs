//! Finding and reading the version of a state that stood at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tfdrift_tfstate::{State, StateMeta, read_state};
use tokio::time::timeout;

use super::cache::bytes_of;
use super::failures::{RETRY, RETRY_SOON};
use super::timeline::{At, Span, Timeline};
use super::{Chosen, History};
use crate::error::PlaceError;
use crate::inflate::inflate;
use crate::loader::{Current, FETCH_TIMEOUT_SECS, LIST_TIMEOUT_SECS};
use crate::source::{Refusal, Version, Versions};

/// What goes by this name has no room of its own: it is put together of the states.
const INDEX: &str = "the index over all states";

/// Versions known of all states, at most: beyond that the lists are read anew when they are needed. About 30 MB.
const MAX_VERSIONS: usize = 200_000;
/// Pages of one state's list that are read for one question. No state has a million versions.
const MAX_PAGES: usize = 1000;

/// Where in the past.
enum Found {
    Version(Version),
    /// Older than this version, the oldest there is.
    BeforeOldest(Version),
    Nothing,
}

impl History {
    /// What stood for one state.
    pub(super) async fn choose(&self, current: &Current, time_ns: u64, room: &AtomicU64) -> Chosen {
        let newest_ns = current.written_at_ns();
        let as_now = |span, retry_at| Chosen { state: current.state.clone(), span, newest_ns, retry_at };
        let (Some(versions), Some(written)) = (&current.versions, newest_ns) else {
            return as_now(Span::ALWAYS, None);
        };
        if time_ns >= written {
            return as_now(Span { from_ns: written, until_ns: u64::MAX }, None);
        }
        match self.past(current, versions, time_ns, room).await {
            Ok(chosen) => Chosen { newest_ns: chosen.newest_ns.max(newest_ns), ..chosen },
            Err((retry_at, span)) => as_now(span.and(Span { from_ns: 0, until_ns: written }), Some(retry_at)),
        }
    }

    /// The version that stood, read. An error is noted already; it says when to try again, and what time that holds for.
    pub(super) async fn past(
        &self,
        current: &Current,
        versions: &Versions,
        time_ns: u64,
        room: &AtomicU64,
    ) -> Result<Chosen, (Instant, Span)> {
        let located = self.locate(current, versions, time_ns).await;
        let (found, span, newest_ns) = located.map_err(|retry_at| (retry_at, Span::ALWAYS))?;
        let read = async |version| {
            self.version(current, versions, version, room).await.map_err(|retry_at| (retry_at, span))
        };
        let state = match &found {
            Found::Nothing => None,
            Found::Version(version) => Some(read(version).await?),
            // Terraform counts its writes. A state whose oldest version is its first write did not exist before;
            // of any other, what came before was overwritten or has expired, and the oldest is next to it.
            Found::BeforeOldest(version) => {
                let oldest = read(version).await?;
                Some(oldest).filter(|state| state.serial().is_none_or(|serial| serial > 1))
            }
        };
        Ok(Chosen { state, span, newest_ns, retry_at: None })
    }

    /// Finds the version that stood, and reads the list of versions as far as that takes.
    async fn locate(
        &self,
        current: &Current,
        versions: &Versions,
        time_ns: u64,
    ) -> Result<(Found, Span, Option<u64>), Instant> {
        let place = versions.name();
        for _ in 0..MAX_PAGES {
            let after = {
                let mut known = self.known();
                let timeline = known.timelines.entry(current.key.clone()).or_default();
                let newest_ns = timeline.newest_ns();
                match timeline.at(time_ns, current.etag()) {
                    At::Version(version, span) => {
                        return Ok((Found::Version(version.clone()), span, newest_ns));
                    }
                    At::BeforeOldest(version, span) => {
                        return Ok((Found::BeforeOldest(version.clone()), span, newest_ns));
                    }
                    At::Deleted(span) => return Ok((Found::Nothing, span, newest_ns)),
                    At::Never => return Ok((Found::Nothing, Span::ALWAYS, newest_ns)),
                    At::Head => None,
                    At::Rest(after) => Some(after),
                }
            };
            if let Some(retry_at) = self.known().failures.blocked(&place, Instant::now()) {
                return Err(retry_at);
            }
            let page = timeout(
                Duration::from_secs(LIST_TIMEOUT_SECS),
                versions.page(&current.key, after.as_deref()),
            );
            let page = page.await.unwrap_or_else(|_| Err(late(&place, LIST_TIMEOUT_SECS, true)));
            self.known().calls.0 += 1;
            let page = page.map_err(|refusal| self.refused(current, &place, "", refusal))?;
            let mut known = self.known();
            known.failures.clear(&place);
            let others: usize = known.timelines.values().map(Timeline::len).sum();
            if others > MAX_VERSIONS {
                known.timelines.retain(|key, _| *key == current.key);
            }
            let timeline = known.timelines.entry(current.key.clone()).or_default();
            match after {
                None => timeline.head(page, current.etag()),
                Some(_) => timeline.extend(page),
            }
            if timeline.is_unversioned() && known.unversioned.insert(place.clone()) {
                tracing::info!(
                    place,
                    "keeps one version of a state: events older than that are judged by it; switch on the bucket's versioning"
                );
            }
        }
        let error = PlaceError::remote(
            &current.key,
            "older versions: the list never ends; the newest state is taken",
        );
        Err(self.known().failures.note(&place, error, Instant::now() + RETRY))
    }

    /// One version, read: the newest one, one that is kept, or fetched.
    async fn version(
        &self,
        current: &Current,
        versions: &Versions,
        version: &Version,
        room: &AtomicU64,
    ) -> Result<Arc<State>, Instant> {
        let etag = version.etag.as_deref().unwrap_or(&version.id);
        if let Some(state) = current.state.as_ref().filter(|_| current.etag() == Some(etag)) {
            return Ok(state.clone());
        }
        let place = versions.name();
        let of = format!("{}@{}", current.key, version.id);
        {
            let mut known = self.known();
            let (now, failures) = (Instant::now(), &known.failures);
            if let Some(retry_at) = failures.blocked(&of, now).or_else(|| failures.blocked(&place, now)) {
                return Err(retry_at);
            }
            if let Some(state) = known.cache.state(&current.key, etag) {
                drop(known);
                return if take(room, bytes_of(&state)) { Ok(state) } else { Err(self.too_large(&of)) };
            }
        }
        let fetch =
            timeout(Duration::from_secs(FETCH_TIMEOUT_SECS), versions.fetch(&current.key, &version.id));
        let bytes = fetch.await.unwrap_or_else(|_| Err(late(&current.key, FETCH_TIMEOUT_SECS, false)));
        self.known().calls.1 += 1;
        let bytes = bytes.map_err(|refusal| self.refused(current, &place, &of, refusal))?;
        let meta = StateMeta {
            written_at_ns: Some(version.written_at_ns),
            ..current.meta().cloned().unwrap_or_default()
        };
        let read = || -> Result<State, PlaceError> {
            let text = inflate(&bytes, &meta.name)?;
            Ok(read_state(&text, meta.clone(), &self.plan)?)
        };
        let state =
            Arc::new(read().map_err(|error| self.known().failures.note(&of, error, Instant::now() + RETRY))?);
        tracing::debug!(state = %current.key, version = %version.id, serial = state.serial(), "older version read");
        if !take(room, bytes_of(&state)) {
            return Err(self.too_large(&of));
        }
        let mut known = self.known();
        known.failures.clear(&of);
        known.cache.keep_state(&current.key, etag, &state);
        Ok(state)
    }

    fn refused(&self, current: &Current, place: &str, of: &str, refusal: Refusal) -> Instant {
        let mut known = self.known();
        if refusal.gone {
            known.timelines.remove(&current.key);
        }
        let of = if refusal.of_place || of.is_empty() { place } else { of };
        let wait = if refusal.transient { RETRY_SOON } else { RETRY };
        known.failures.note(of, refusal.error, Instant::now() + wait)
    }

    /// Takes the bytes of the index over all states of a time. `Err` has when to try again.
    pub(super) fn room_for_index(&self, room: &AtomicU64, bytes: u64) -> Result<(), Instant> {
        if !take(room, bytes) {
            return Err(self.too_large(INDEX));
        }
        self.known().failures.clear(INDEX);
        Ok(())
    }

    fn too_large(&self, of: &str) -> Instant {
        let mut known = self.known();
        let error = PlaceError::remote(
            of,
            format!(
                "older versions: no room for it within state.history_cache_bytes ({}); raise it",
                known.cache.limit_bytes()
            ),
        );
        known.failures.note(of, error, Instant::now() + RETRY)
    }
}

/// Takes bytes of what is left, if there are as many.
fn take(room: &AtomicU64, bytes: u64) -> bool {
    room.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

fn late(name: &str, secs: u64, of_place: bool) -> Refusal {
    let error = PlaceError::Timeout { name: name.to_owned(), secs };
    Refusal { error, of_place, transient: true, gone: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfdrift_tfstate::IndexPlan;

    #[test]
    fn an_index_that_found_no_room_is_forgotten_once_one_does() {
        let history = History::new(100, IndexPlan::new());
        assert!(history.room_for_index(&AtomicU64::new(10), 11).is_err());
        let errors = history.status().errors;
        assert!(
            matches!(&*errors, [one] if one.error.contains("state.history_cache_bytes (100)")),
            "{errors:?}"
        );
        let room = AtomicU64::new(11);
        assert!(history.room_for_index(&room, 11).is_ok());
        assert_eq!((history.status().errors, room.into_inner()), (Vec::new(), 0));
    }
}
