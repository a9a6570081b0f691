//! The border to Falco: C entries of our own around those of the SDK, each of which stops a panic.
//!
//! A panic that leaves a plugin ends Falco (the SDK's entries are `C-unwind` without `catch_unwind`). Here every
//! entry has an answer for that case: a field without value, an error, a timeout, nothing.
//!
//! All unsafe code of the project stands here and in the files of this module: `catch` stops panics, `entry` has the
//! entries by capability, `export` gives them the names that Falco looks up, `inject` makes a test's panics. Elsewhere
//! the lint `unsafe_code` is an error.
#![allow(unsafe_code)]

mod catch;
pub mod entry;
mod export;
mod inject;

use std::ffi::CStr;

use falco_plugin::api::*;
use falco_plugin::extract::ExtractPlugin;
use falco_plugin::internals::{base, extract, source};
use falco_plugin::source::SourcePlugin;

use crate::plugin::Tf;

pub(crate) use catch::{Entry, guarded, install_hook, run, take_forced_error};
pub(crate) use inject::inject;
#[cfg(feature = "panic-injection")]
pub use inject::panic_at;

// SAFETY: both are exported, by `export_plugin!` in crates/so and crates/drop-in.
unsafe impl<const DROP_IN: bool> base::wrappers::BasePluginExported for Tf<DROP_IN> {}
// SAFETY: as above.
unsafe impl<const DROP_IN: bool> source::wrappers::SourcePluginExported for Tf<DROP_IN> {}
// SAFETY: as above.
unsafe impl<const DROP_IN: bool> extract::wrappers::ExtractPluginExported for Tf<DROP_IN> {}

/// A plugin with both capabilities.
pub trait Face: SourcePlugin + ExtractPlugin {}
impl<T: SourcePlugin + ExtractPlugin> Face for T {}

/// The argument of a field as the host gave it: `name[key]`.
///
/// Only for fields that the host passed to `extract_fields`: their key is null or a C string that outlives the call.
pub(crate) fn argument(field: &ss_plugin_extract_field) -> Option<&CStr> {
    if field.arg_present == 0 || field.arg_key.is_null() {
        return None;
    }
    // SAFETY: see above; the plugin API promises a C string.
    Some(unsafe { CStr::from_ptr(field.arg_key) })
}

/// The guarded entries as the table that `falco_plugin_runner` takes.
pub const fn plugin_api<T: Face>() -> plugin_api {
    let mut api = plugin_api {
        get_required_api_version: Some(entry::get_required_api_version),
        get_version: Some(entry::get_version::<T>),
        get_name: Some(entry::get_name::<T>),
        get_description: Some(entry::get_description::<T>),
        get_contact: Some(entry::get_contact::<T>),
        get_init_schema: Some(entry::get_init_schema),
        init: Some(entry::init::<T>),
        destroy: Some(entry::destroy::<T>),
        get_last_error: Some(entry::get_last_error::<T>),
        __bindgen_anon_1: plugin_api__bindgen_ty_1 {
            get_id: Some(entry::get_id::<T>),
            get_event_source: Some(entry::get_event_source::<T>),
            open: Some(entry::open::<T>),
            close: Some(entry::close::<T>),
            list_open_params: Some(entry::list_open_params::<T>),
            get_progress: Some(entry::get_progress::<T>),
            event_to_string: Some(entry::event_to_string::<T>),
            next_batch: Some(entry::next_batch::<T>),
        },
        __bindgen_anon_2: plugin_api__bindgen_ty_2 {
            get_extract_event_types: Some(entry::get_extract_event_types::<T>),
            get_extract_event_sources: Some(entry::get_extract_event_sources::<T>),
            get_fields: Some(entry::get_fields::<T>),
            extract_fields: Some(entry::extract_fields::<T>),
        },
        // SAFETY: tables of optional function pointers, for which all zeroes is `None`.
        ..unsafe { std::mem::zeroed() }
    };
    api.set_config = None;
    api.get_metrics = Some(entry::get_metrics::<T>);
    api
}
