//! Credentials that renew themselves.
//!
//! The SDK's own cache keeps a key without an end for fifteen minutes and its profile provider reads the files
//! once. Here a key is renewed before its end; keys without an end are looked up again once a minute, so that
//! a file rewritten by `aws sso login` or a rotated mount counts without a restart; and [`Refresh::forget`]
//! does so at once. While a renewal fails, a key that still holds stays in use.

use crate::chain::Chain;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;

/// Renewed this long before the end, or at a tenth of a short life.
const BEFORE_END: Duration = Duration::from_secs(300);
/// Age at which a key without an end is looked up again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Makes every provider of one configuration forget what it holds.
#[derive(Debug, Clone, Default)]
pub struct Refresh(Arc<AtomicU64>);

impl Refresh {
    /// The next call loads new credentials: to be used after `ExpiredToken` or `InvalidAccessKeyId`.
    pub fn forget(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn epoch(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where new credentials come from.
pub(crate) enum Loader {
    Chain(Arc<Chain>),
    Role(Box<AssumeRoleProvider>),
    #[cfg(test)]
    Test(tests::Scripted),
}

impl Loader {
    async fn load(&self) -> Result<Credentials, CredentialsError> {
        match self {
            Loader::Chain(chain) => chain.renew().await.map_err(CredentialsError::provider_error),
            Loader::Role(role) => role.provide_credentials().await,
            #[cfg(test)]
            Loader::Test(script) => script.load(),
        }
    }
}

struct Held {
    credentials: Credentials,
    since: Instant,
    renew_at: Option<SystemTime>,
    epoch: u64,
}

pub(crate) struct Caching {
    loader: Loader,
    held: Mutex<Option<Held>>,
    refresh: Refresh,
}

impl std::fmt::Debug for Caching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the loader: the SDK's profile provider prints the files it has read, secrets included.
        f.debug_struct("Caching").finish_non_exhaustive()
    }
}

impl Caching {
    /// `first` is what the first load gave, so that it need not be asked twice.
    pub(crate) fn new(loader: Loader, first: Option<Credentials>, refresh: &Refresh) -> Caching {
        let held = first.map(|credentials| Held::new(credentials, refresh.epoch()));
        Caching { loader, held: Mutex::new(held), refresh: refresh.clone() }
    }

    async fn get(&self) -> Result<Credentials, CredentialsError> {
        // One load at a time: the others wait for its result.
        let mut held = self.held.lock().await;
        let epoch = self.refresh.epoch();
        if let Some(held) = held.as_ref()
            && held.fresh(epoch)
        {
            return Ok(held.credentials.clone());
        }
        match self.loader.load().await {
            Ok(credentials) => {
                *held = Some(Held::new(credentials.clone(), epoch));
                Ok(credentials)
            }
            Err(error) => match held.as_mut() {
                Some(held) if held.epoch == epoch && held.usable() => {
                    let problem = crate::text::chain_text(&error);
                    tracing::warn!(problem, "credentials could not be renewed; the present ones still hold");
                    held.since = Instant::now();
                    held.renew_at = held.renew_at.map(|_| SystemTime::now() + Duration::from_secs(30));
                    Ok(held.credentials.clone())
                }
                _ => Err(error),
            },
        }
    }
}

impl Held {
    fn new(credentials: Credentials, epoch: u64) -> Held {
        let renew_at = credentials.expiry().map(|end| {
            let left = end.duration_since(SystemTime::now()).unwrap_or_default();
            end - BEFORE_END.min(left / 10)
        });
        Held { credentials, since: Instant::now(), renew_at, epoch }
    }

    fn fresh(&self, epoch: u64) -> bool {
        self.epoch == epoch
            && match self.renew_at {
                Some(at) => SystemTime::now() < at,
                None => self.since.elapsed() < LOOK_AGAIN,
            }
    }

    fn usable(&self) -> bool {
        self.credentials.expiry().is_none_or(|end| SystemTime::now() < end)
    }
}

impl ProvideCredentials for Caching {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::VecDeque;

    pub(crate) struct Scripted(std::sync::Mutex<VecDeque<Result<Credentials, String>>>);

    impl Scripted {
        pub(super) fn load(&self) -> Result<Credentials, CredentialsError> {
            let next = self.0.lock().unwrap().pop_front().expect("asked more often than expected");
            next.map_err(CredentialsError::provider_error)
        }
    }

    fn key(id: &str, lives: Option<Duration>) -> Credentials {
        Credentials::new(id, "hunter2", None, lives.map(|d| SystemTime::now() + d), "test")
    }

    fn caching(script: Vec<Result<Credentials, String>>) -> (Caching, Refresh) {
        let refresh = Refresh::default();
        let loader = Loader::Test(Scripted(std::sync::Mutex::new(script.into())));
        (Caching::new(loader, None, &refresh), refresh)
    }

    #[tokio::test]
    async fn a_key_is_kept_until_it_is_forgotten() {
        let hour = Some(Duration::from_secs(3600));
        let (caching, refresh) = caching(vec![Ok(key("a", hour)), Ok(key("b", hour))]);
        for _ in 0..3 {
            assert_eq!(caching.get().await.unwrap().access_key_id(), "a");
        }
        refresh.forget();
        assert_eq!(caching.get().await.unwrap().access_key_id(), "b");
    }

    #[tokio::test]
    async fn a_key_near_its_end_is_renewed_and_kept_while_renewal_fails() {
        let mut ending = key("a", Some(Duration::from_secs(3600)));
        *ending.expiry_mut() = Some(SystemTime::now() + Duration::from_secs(60));
        let (caching, _) = caching(vec![Err("STS is away".into())]);
        let mut held = Held::new(ending, 0);
        held.renew_at = Some(SystemTime::now());
        *caching.held.lock().await = Some(held);
        assert_eq!(caching.get().await.unwrap().access_key_id(), "a");
        assert_eq!(caching.get().await.unwrap().access_key_id(), "a", "asked again only after a while");
    }

    #[tokio::test]
    async fn a_forgotten_key_does_not_come_back_when_loading_fails() {
        let (caching, refresh) = caching(vec![Ok(key("a", None)), Err("gone".into())]);
        assert!(caching.get().await.is_ok());
        refresh.forget();
        assert!(caching.get().await.is_err());
    }

    #[tokio::test]
    async fn debug_shows_no_secret() {
        let (caching, _) = caching(vec![Ok(key("a", None))]);
        caching.get().await.unwrap();
        assert!(!format!("{caching:?}").contains("hunter2"));
    }
}
