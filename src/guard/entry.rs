//! The entries themselves, generic over the plugin.
#![allow(clippy::missing_safety_doc, missing_docs, reason = "the plugin API of Falco says what each takes")]

mod base;
mod extract;
mod source;

pub use base::*;
pub use extract::*;
pub use source::*;

use falco_plugin::api::{ss_plugin_rc_SS_PLUGIN_FAILURE, ss_plugin_rc_SS_PLUGIN_SUCCESS};

const OK: i32 = ss_plugin_rc_SS_PLUGIN_SUCCESS;
const FAILURE: i32 = ss_plugin_rc_SS_PLUGIN_FAILURE;
