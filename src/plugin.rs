//! The plugin's type: what Falco creates, and what it is called.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use falco_plugin::anyhow::{Error, anyhow};
use falco_plugin::base::Plugin;
use falco_plugin::tables::TablesInput;

use crate::config::{Config, flatten};
use crate::drift::Drift;
use crate::extract::Cache;
use crate::metrics::Shared;
use crate::{guard, logger, metrics};

/// The plugin. `DROP_IN` is the build that takes the place of the Go plugin: its name, its id, the same code.
pub struct Tf<const DROP_IN: bool> {
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    pub(crate) cache: Cache,
    pub(crate) drift: Drift,
    /// Holds the text that `extract_fields` returned last.
    pub(crate) held: Vec<u8>,
    /// Holds what `list_open_params` returned.
    pub(crate) suggestions: CString,
}

/// Our version as a C string.
const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"0.0.0",
};

impl<const DROP_IN: bool> Plugin for Tf<DROP_IN> {
    // rules files ask for the Go plugin by name, captures by id
    const NAME: &'static CStr = if DROP_IN { c"cloudtrail" } else { c"tfdrift" };
    const PLUGIN_VERSION: &'static CStr = if DROP_IN { c"0.17.100" } else { VERSION };
    const DESCRIPTION: &'static CStr = if DROP_IN {
        c"Reads AWS CloudTrail records and tells what they change in Terraform-managed resources (TFDrift in place of the cloudtrail plugin)"
    } else {
        c"Reads AWS CloudTrail records and tells who changed a Terraform-managed resource, and what"
    };
    const CONTACT: &'static CStr = c"https://github.com/tfdrift/tfdrift";
    type ConfigType = String;

    /// Reads the configuration and nothing else: Falco creates instances to list fields and to try a reload.
    fn new(_: Option<&TablesInput>, config: String) -> Result<Self, Error> {
        if let Some(why) = guard::take_forced_error() {
            return Err(anyhow!(why));
        }
        let config = Config::parse(&config).map_err(|e| anyhow!(e.flat()))?;
        logger::set_level(config.log_level);
        let shared = Arc::new(Shared::default());
        let drift = Drift::new(&config, &shared).map_err(|text| anyhow!(flatten(&text)))?;
        metrics::created(Arc::clone(&shared));
        let cache = Cache::new(config.compat);
        Ok(Self { config, shared, cache, drift, held: Vec::new(), suggestions: CString::default() })
    }
}
