//! One store per configuration and process.
//!
//! Falco makes plugin instances it never uses (`--list`, dry runs of a reload) and, on a reload, a new one before the
//! old one goes: with the same configuration they share one store, and the states are not loaded twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tfdrift_tfstate::IndexPlan;

use crate::config::StateConfig;
use crate::error::ConfigError;
use crate::store::StateStore;

type Stores = HashMap<(u64, u64), Weak<StateStore>>;

static STORES: Mutex<Option<Stores>> = Mutex::new(None);

/// The store for this configuration and plan: the one that is in use, or a new one. It lives as long as somebody
/// holds it.
///
/// # Errors
/// A place whose settings can never work.
pub fn shared(config: &StateConfig, plan: &IndexPlan) -> Result<Arc<StateStore>, ConfigError> {
    let text = serde_json::to_string(config).map_err(|e| ConfigError::new("places", e.to_string()))?;
    // Hashed twice: the text may hold passwords, which need not stay in memory once more.
    let hash = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, &text, format!("{plan:?}")).hash(&mut hasher);
        hasher.finish()
    };
    let key = (hash(0), hash(1));
    let mut guard = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let stores = guard.get_or_insert_default();
    if let Some(store) = stores.get(&key).and_then(Weak::upgrade) {
        return Ok(store);
    }
    stores.retain(|_, store| store.strong_count() > 0);
    let store = Arc::new(StateStore::new(config.clone(), plan.clone())?);
    stores.insert(key, Arc::downgrade(&store));
    Ok(store)
}
