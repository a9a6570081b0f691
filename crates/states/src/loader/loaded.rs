//! One state: fetched, read, and kept through failures.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tfdrift_tfstate::{State, StateMeta, read_state};
use tokio::time::sleep;

use super::Shared;
use crate::error::PlaceError;
use crate::fetch::{Item, epoch_ns};
use crate::inflate::inflate;
use crate::place::Place;
use crate::source::Source;
use crate::status::StateStatus;

/// A local file is looked at so often, so far apart, before it is taken for empty or cut off.
const LOOKS: u32 = 6;
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// One state.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) workspace: Option<String>,
    pub(super) state: Option<Arc<State>>,
    pub(super) version: Option<String>,
    digest: Option<u64>,
    loaded_at_ns: Option<u64>,
    warnings: Vec<String>,
    /// The last failure, and the version that failed.
    pub(super) error: Option<(PlaceError, Option<String>)>,
}

/// What a fetch came to.
pub(super) enum Outcome {
    Unchanged(Option<String>),
    Read { state: Box<State>, version: Option<String>, digest: u64 },
}

/// What is known of an item before it is fetched.
#[derive(Default)]
pub(super) struct Known {
    version: Option<String>,
    digest: Option<u64>,
    /// Whether it has resources.
    filled: bool,
}

/// Fetches and reads one item, unless it is what is known already.
///
/// Terraform writes a local state in place: for a moment it is empty, then it is cut off. Such a file is looked at
/// again before that is believed.
pub(super) async fn load(
    source: &Source,
    item: &Item,
    meta: StateMeta,
    known: Known,
    shared: &Shared,
) -> Result<Outcome, PlaceError> {
    // a pipe gives its bytes once
    let in_place = source.is_local() && std::fs::metadata(&item.key).is_ok_and(|m| m.is_file());
    let looks = if in_place { LOOKS } else { 1 };
    whole(looks, || look(source, item, meta.clone(), &known, shared)).await
}

/// The first answer that is not of a state half written, or the last of so many.
async fn whole<T, F>(looks: u32, mut look: impl FnMut() -> F) -> Result<T, PlaceError>
where
    F: Future<Output = Result<T, PlaceError>>,
{
    for _ in 1..looks {
        match look().await {
            Err(error) if error.may_be_half_written() => sleep(LOOK_AGAIN).await,
            answer => return answer,
        }
    }
    look().await
}

async fn look(
    source: &Source,
    item: &Item,
    mut meta: StateMeta,
    known: &Known,
    shared: &Shared,
) -> Result<Outcome, PlaceError> {
    let Some(fetched) = source.fetch(item, known.version.as_deref()).await? else {
        return Ok(Outcome::Unchanged(None));
    };
    let mut hasher = DefaultHasher::new();
    fetched.bytes.hash(&mut hasher);
    let digest = hasher.finish();
    if known.digest == Some(digest) {
        return Ok(Outcome::Unchanged(fetched.version));
    }
    if fetched.bytes.iter().all(u8::is_ascii_whitespace) {
        let name = meta.name;
        return Err(if known.filled { PlaceError::Emptied { name } } else { PlaceError::Empty { name } });
    }
    meta.written_at_ns = fetched.written_at_ns.or(item.written_at_ns);
    let text = inflate(&fetched.bytes, &meta.name)?;
    let state = read_state(&text, meta, &shared.plan)?;
    Ok(Outcome::Read { state: Box::new(state), version: fetched.version, digest })
}

/// What the place says about a state.
pub(super) fn meta(place: &Place, item: &Item, single: bool, shared: &Shared) -> StateMeta {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let name = match (place.name.is_empty(), single) {
        (true, _) => item.name.clone(),
        (false, single) if single || item.part.is_empty() => place.name.clone(),
        (false, _) => format!("{}/{}", place.name, item.part),
    };
    StateMeta {
        name,
        account: given(&place.account),
        region: given(&place.region),
        workspace: item.workspace.clone().or_else(|| given(&place.workspace)),
        written_at_ns: item.written_at_ns,
        mask_names: shared.mask_names.clone(),
    }
}

impl Loaded {
    /// Whether a version that is listed needs no fetch.
    pub(super) fn is_current(&self, listed: Option<&str>) -> bool {
        let Some(listed) = listed else { return false };
        match &self.error {
            Some((error, version)) => error.is_of_content() && version.as_deref() == Some(listed),
            None => self.state.is_some() && self.version.as_deref() == Some(listed),
        }
    }

    pub(super) fn known(&self) -> Known {
        // After a failure the bytes are wanted whatever they are.
        let filled = self.state.as_ref().is_some_and(|state| !state.is_empty());
        match self.error {
            Some(_) => Known { filled, ..Known::default() },
            None => Known { version: self.version.clone(), digest: self.digest, filled },
        }
    }

    pub(super) fn settle(&mut self, version: Option<String>) {
        if self.error.take().is_some() {
            tracing::info!(state = %self.name, "state can be read again");
        }
        self.version = version;
    }

    pub(super) fn replace(&mut self, state: State, digest: u64) {
        let mut warnings = state.warnings().to_vec();
        if let Some(old) = &self.state {
            if let (Some(before), Some(now)) = (old.lineage(), state.lineage())
                && before != now
            {
                warnings
                    .push(format!("lineage changed from {before} to {now}: another state stands there now"));
            } else if let (Some(before), Some(now)) = (old.serial(), state.serial())
                && now < before
            {
                warnings
                    .push(format!("serial went back from {before} to {now}: an older state was put there"));
            }
        }
        for warning in &warnings {
            tracing::warn!(state = %self.name, warning, "state is odd");
        }
        tracing::info!(
            state = %self.name, serial = state.serial(), resources = state.len(),
            terraform = state.terraform_version(), "state loaded"
        );
        self.warnings = warnings;
        self.digest = Some(digest);
        self.loaded_at_ns = epoch_ns(SystemTime::now());
        self.state = Some(Arc::new(state));
    }

    pub(super) fn fail(&mut self, error: PlaceError, version: Option<String>) {
        if self.error.as_ref().is_none_or(|(before, _)| *before != error) {
            let kept = self.state.is_some();
            tracing::warn!(state = %self.name, %error, last_good_kept = kept, "state cannot be read");
            if let Some(detail) = error.detail() {
                tracing::info!("{detail}");
            }
        }
        self.error = Some((error, version));
    }

    pub(super) fn status(&self) -> StateStatus {
        let state = self.state.as_deref();
        StateStatus {
            name: self.name.clone(),
            workspace: state.and_then(State::workspace).map(str::to_owned).or_else(|| self.workspace.clone()),
            serial: state.and_then(State::serial),
            lineage: state.and_then(State::lineage).map(str::to_owned),
            terraform_version: state.and_then(State::terraform_version).map(str::to_owned),
            resources: state.map_or(0, State::len),
            managed: state.map_or(0, State::managed_len),
            left_out: state.map_or(0, State::left_out),
            loaded: state.is_some(),
            loaded_at_ns: self.loaded_at_ns,
            written_at_ns: state.and_then(State::written_at_ns),
            error: self.error.as_ref().map(|(error, _)| error.to_string()),
            detail: self.error.as_ref().and_then(|(error, _)| error.detail()).map(str::to_owned),
            warnings: self.warnings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfdrift_tfstate::IndexPlan;

    #[tokio::test]
    async fn a_state_half_written_is_looked_at_again_and_others_are_not() {
        let empty = || PlaceError::Empty { name: "a".to_owned() };
        let cut = || {
            PlaceError::State(
                read_state(b"{\"version\":4,", StateMeta::default(), &IndexPlan::new()).unwrap_err(),
            )
        };
        let mut answers = vec![Ok(1), Err(cut()), Err(empty())];
        assert_eq!(whole(6, || std::future::ready(answers.pop().unwrap())).await, Ok(1));

        let mut looks = 0;
        let never = whole::<(), _>(3, || {
            looks += 1;
            std::future::ready(Err(empty()))
        });
        assert_eq!((never.await, looks), (Err(empty()), 3));

        let broken = || {
            PlaceError::State(
                read_state(b"{\"version\":3}", StateMeta::default(), &IndexPlan::new()).unwrap_err(),
            )
        };
        let mut answers = vec![Ok(2), Err(broken())];
        assert_eq!(whole(6, || std::future::ready(answers.pop().unwrap())).await, Err(broken()));
    }
}
