//! The border to Falco: C entries of our own around those of the SDK, each of which stops a panic.
//!
//! A panic that leaves a plugin ends Falco (the SDK's entries are `C-unwind` without `catch_unwind`). Here every
//! entry has an answer for that case: a field without value, an error, a timeout, nothing. This file holds all
//! unsafe code of the project.
#![allow(unsafe_code)]

mod catch;
mod inject;

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

use falco_plugin::FailureReason;
use falco_plugin::api::*;
use falco_plugin::extract::ExtractPlugin;
use falco_plugin::internals::{base, extract, source};
use falco_plugin::source::SourcePlugin;

use crate::plugin::Tf;
use crate::{config, logger, metrics};

pub(crate) use catch::{Entry, guarded, install_hook, run, take_forced_error};
pub(crate) use inject::inject;
#[cfg(feature = "panic-injection")]
pub use inject::panic_at;

const OK: i32 = ss_plugin_rc_SS_PLUGIN_SUCCESS;
const FAILURE: i32 = ss_plugin_rc_SS_PLUGIN_FAILURE;

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

/// The entries themselves, generic over the plugin.
#[allow(clippy::missing_safety_doc, missing_docs, reason = "the plugin API of Falco says what each takes")]
pub mod entry {
    use super::*;

    pub extern "C-unwind" fn get_required_api_version() -> *const c_char {
        guarded(Entry::GetRequiredApiVersion, c"3.0.0".as_ptr(), || {
            const MAJOR: usize = PLUGIN_API_VERSION_MAJOR as usize;
            const MINOR: usize = PLUGIN_API_VERSION_MINOR as usize;
            base::wrappers::plugin_get_required_api_version::<MAJOR, MINOR, 0>()
        })
    }

    pub extern "C-unwind" fn get_version<T: Face>() -> *const c_char {
        guarded(Entry::GetVersion, T::PLUGIN_VERSION.as_ptr(), || base::wrappers::plugin_get_version::<T>())
    }

    pub extern "C-unwind" fn get_name<T: Face>() -> *const c_char {
        guarded(Entry::GetName, T::NAME.as_ptr(), || base::wrappers::plugin_get_name::<T>())
    }

    pub extern "C-unwind" fn get_description<T: Face>() -> *const c_char {
        guarded(Entry::GetDescription, T::DESCRIPTION.as_ptr(), || {
            base::wrappers::plugin_get_description::<T>()
        })
    }

    pub extern "C-unwind" fn get_contact<T: Face>() -> *const c_char {
        guarded(Entry::GetContact, T::CONTACT.as_ptr(), || base::wrappers::plugin_get_contact::<T>())
    }

    /// Our own schema: the SDK makes one only for types that it may parse itself.
    pub unsafe extern "C-unwind" fn get_init_schema(kind: *mut ss_plugin_schema_type) -> *const c_char {
        static SCHEMA: OnceLock<CString> = OnceLock::new();
        guarded(Entry::GetInitSchema, std::ptr::null(), || {
            let schema = SCHEMA.get_or_init(|| CString::new(config::schema()).unwrap_or_default());
            // SAFETY: the host passes null or a valid pointer.
            if let Some(kind) = unsafe { kind.as_mut() } {
                *kind = ss_plugin_schema_type_SS_PLUGIN_SCHEMA_JSON;
            }
            schema.as_ptr()
        })
    }

    pub unsafe extern "C-unwind" fn init<T: Face>(
        input: *const ss_plugin_init_input,
        rc: *mut ss_plugin_rc,
    ) -> *mut ss_plugin_t {
        let mut status = FAILURE;
        let call = |status: &mut i32| {
            // SAFETY: the host passes null or a valid pointer.
            let mut input = unsafe { input.as_ref() }.copied();
            if let Some(input) = &mut input
                && input.config.is_null()
            {
                input.config = c"".as_ptr();
            }
            let pointer = input.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            // SAFETY: null or our copy, alive during the call; the status is ours.
            unsafe { base::wrappers::plugin_init::<T>(pointer, status) }
        };
        // first of all, so that a panic is told with its place
        guarded(Entry::Retry, (), logger::install);
        let first = run(Entry::Init, || call(&mut status));
        // libsinsp takes the message from a plugin: the SDK makes one that holds nothing but the message
        let plugin = first.unwrap_or_else(|why| {
            status = FAILURE;
            catch::with_forced_error(why, || run(Entry::Retry, || call(&mut status)))
                .unwrap_or(std::ptr::null_mut())
        });
        let created = metrics::take_created();
        if status == OK
            && let Some(created) = created
        {
            metrics::attach(plugin as usize, created);
        }
        // SAFETY: the host passes null or a valid pointer.
        if let Some(rc) = unsafe { rc.as_mut() } {
            *rc = status;
        }
        plugin
    }

    pub unsafe extern "C-unwind" fn destroy<T: Face>(plugin: *mut ss_plugin_t) {
        guarded(Entry::Destroy, (), || {
            if !plugin.is_null() {
                metrics::detach(plugin as usize);
                // SAFETY: not null, and from `init`.
                unsafe { base::wrappers::plugin_destroy::<T>(plugin) }
            }
        });
    }

    pub unsafe extern "C-unwind" fn get_last_error<T: Face>(plugin: *mut ss_plugin_t) -> *const c_char {
        let none = c"a panic, see the log".as_ptr();
        // SAFETY: null or from `init`.
        guarded(Entry::GetLastError, none, || unsafe { base::wrappers::plugin_get_last_error::<T>(plugin) })
    }

    /// Not through the SDK, which would write to what `next_batch` holds: Falco calls this on another thread.
    pub unsafe extern "C-unwind" fn get_metrics<T: Face>(
        plugin: *mut ss_plugin_t,
        count: *mut u32,
    ) -> *mut ss_plugin_metric {
        thread_local!(static LIST: RefCell<Vec<ss_plugin_metric>> = const { RefCell::new(Vec::new()) });
        // not null even then: hosts make a list of it without looking
        let none = (std::ptr::NonNull::dangling().as_ptr(), 0);
        let (list, n) = guarded(Entry::GetMetrics, none, || {
            LIST.with_borrow_mut(|list| {
                list.clear();
                metrics::collect(plugin as usize, |name, monotonic, value| {
                    list.push(ss_plugin_metric {
                        name: name.as_ptr(),
                        type_: match monotonic {
                            true => ss_plugin_metric_type_SS_PLUGIN_METRIC_TYPE_MONOTONIC,
                            false => ss_plugin_metric_type_SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC,
                        },
                        value: ss_plugin_metric_value { u64_: value },
                        value_type: ss_plugin_metric_value_type_SS_PLUGIN_METRIC_VALUE_TYPE_U64,
                    });
                });
                (list.as_mut_ptr(), u32::try_from(list.len()).unwrap_or(0))
            })
        });
        // SAFETY: the host passes null or a valid pointer.
        if let Some(count) = unsafe { count.as_mut() } {
            *count = n;
        }
        list
    }

    pub extern "C-unwind" fn get_id<T: Face>() -> u32 {
        guarded(Entry::GetId, T::PLUGIN_ID, || source::wrappers::plugin_get_id::<T>())
    }

    pub extern "C-unwind" fn get_event_source<T: Face>() -> *const c_char {
        let name = T::EVENT_SOURCE.as_ptr();
        guarded(Entry::GetEventSource, name, || source::wrappers::plugin_get_event_source::<T>())
    }

    pub unsafe extern "C-unwind" fn list_open_params<T: Face>(
        plugin: *mut ss_plugin_t,
        rc: *mut i32,
    ) -> *const c_char {
        let mut status = FAILURE;
        let list = guarded(Entry::ListOpenParams, std::ptr::null(), || {
            // SAFETY: null or from `init`; the status is ours.
            unsafe { source::wrappers::plugin_list_open_params::<T>(plugin, &mut status) }
        });
        // SAFETY: the host passes null or a valid pointer.
        if let Some(rc) = unsafe { rc.as_mut() } {
            *rc = status;
        }
        list
    }

    pub unsafe extern "C-unwind" fn open<T: Face>(
        plugin: *mut ss_plugin_t,
        params: *const c_char,
        rc: *mut ss_plugin_rc,
    ) -> *mut ss_instance_t {
        let mut status = FAILURE;
        let call = |status: &mut i32| {
            // SAFETY: null or from `init`; null or a C string; the status is ours.
            unsafe { source::wrappers::plugin_open::<T>(plugin, params, status) }
        };
        let instance = run(Entry::Open, || call(&mut status)).unwrap_or_else(|why| {
            // again, only to leave the message where the host looks for it
            let none = catch::with_forced_error(why, || run(Entry::Retry, || call(&mut status)));
            status = FAILURE;
            none.unwrap_or(std::ptr::null_mut())
        });
        // SAFETY: the host passes null or a valid pointer.
        if let Some(rc) = unsafe { rc.as_mut() } {
            *rc = status;
        }
        instance
    }

    pub unsafe extern "C-unwind" fn close<T: Face>(plugin: *mut ss_plugin_t, instance: *mut ss_instance_t) {
        // SAFETY: null or from `init` and `open`.
        guarded(Entry::Close, (), || unsafe { source::wrappers::plugin_close::<T>(plugin, instance) });
    }

    pub unsafe extern "C-unwind" fn next_batch<T: Face>(
        plugin: *mut ss_plugin_t,
        instance: *mut ss_instance_t,
        count: *mut u32,
        events: *mut *mut *mut ss_plugin_event,
    ) -> ss_plugin_rc {
        let (mut n, mut list) = (0, std::ptr::null_mut());
        let timeout = ss_plugin_rc::from(FailureReason::Timeout);
        let status = guarded(Entry::NextBatch, timeout, || {
            // SAFETY: null or from `init` and `open`; the two results are ours.
            unsafe { source::wrappers::plugin_next_batch::<T>(plugin, instance, &mut n, &mut list) }
        });
        let (n, list) = if status == OK { (n, list) } else { (0, std::ptr::null_mut()) };
        // SAFETY: the host passes null or valid pointers.
        if let (Some(count), Some(events)) = unsafe { (count.as_mut(), events.as_mut()) } {
            (*count, *events) = (n, list);
        }
        status
    }

    pub unsafe extern "C-unwind" fn get_progress<T: Face>(
        plugin: *mut ss_plugin_t,
        instance: *mut ss_instance_t,
        percent: *mut u32,
    ) -> *const c_char {
        let mut share = 0;
        let text = guarded(Entry::GetProgress, std::ptr::null(), || {
            // SAFETY: null or from `init` and `open`; the share is ours.
            unsafe { source::wrappers::plugin_get_progress::<T>(plugin, instance, &mut share) }
        });
        // SAFETY: the host passes null or a valid pointer.
        if let Some(percent) = unsafe { percent.as_mut() } {
            *percent = share;
        }
        text
    }

    pub unsafe extern "C-unwind" fn event_to_string<T: Face>(
        plugin: *mut ss_plugin_t,
        event: *const ss_plugin_event_input,
    ) -> *const c_char {
        guarded(Entry::EventToString, std::ptr::null(), || {
            // SAFETY: null or from `init`; null or an event of the host's.
            unsafe { source::wrappers::plugin_event_to_string::<T>(plugin, event) }
        })
    }

    pub unsafe extern "C-unwind" fn get_extract_event_types<T: Face>(
        count: *mut u32,
        plugin: *mut ss_plugin_t,
    ) -> *mut u16 {
        let mut n = 0;
        let list = guarded(Entry::GetExtractEventTypes, std::ptr::null_mut(), || {
            // SAFETY: the number is ours; the SDK does not look at the plugin.
            unsafe { extract::wrappers::plugin_get_extract_event_types::<T>(&mut n, plugin) }
        });
        // SAFETY: the host passes null or a valid pointer.
        if let Some(count) = unsafe { count.as_mut() } {
            *count = n;
        }
        list
    }

    pub extern "C-unwind" fn get_extract_event_sources<T: Face>() -> *const c_char {
        guarded(Entry::GetExtractEventSources, c"[\"aws_cloudtrail\"]".as_ptr(), || {
            extract::wrappers::plugin_get_extract_event_sources::<T>()
        })
    }

    pub extern "C-unwind" fn get_fields<T: Face>() -> *const c_char {
        guarded(Entry::GetFields, c"[]".as_ptr(), || extract::wrappers::plugin_get_fields::<T>())
    }

    pub unsafe extern "C-unwind" fn extract_fields<T: Face>(
        plugin: *mut ss_plugin_t,
        event: *const ss_plugin_event_input,
        input: *const ss_plugin_field_extract_input,
    ) -> ss_plugin_rc {
        run(Entry::ExtractFields, || {
            // SAFETY: null or from `init`; null or the host's event and request.
            unsafe { extract::wrappers::plugin_extract_fields::<T>(plugin, event, input) }
        })
        .unwrap_or_else(|_| {
            // SAFETY: null or the host's request, whose fields are an array of the length given.
            unsafe { all_absent(input) };
            OK
        })
    }

    unsafe fn all_absent(input: *const ss_plugin_field_extract_input) {
        // SAFETY: see the caller.
        let Some(input) = (unsafe { input.as_ref() }) else { return };
        if input.fields.is_null() {
            return;
        }
        // SAFETY: see the caller.
        let fields = unsafe { std::slice::from_raw_parts_mut(input.fields, input.num_fields as usize) };
        for field in fields {
            field.res.u64_ = std::ptr::null_mut();
            field.res_len = 0;
        }
    }
}

/// Exports the guarded entries of a plugin type under the names that Falco looks up. Once in a cdylib.
#[macro_export]
macro_rules! export_plugin {
    ($ty:ty) => {
        $crate::export_plugin! { @entries
            fn plugin_get_required_api_version() -> *const std::ffi::c_char = get_required_api_version;
            fn plugin_get_version() -> *const std::ffi::c_char = get_version::<$ty>;
            fn plugin_get_name() -> *const std::ffi::c_char = get_name::<$ty>;
            fn plugin_get_description() -> *const std::ffi::c_char = get_description::<$ty>;
            fn plugin_get_contact() -> *const std::ffi::c_char = get_contact::<$ty>;
            fn plugin_get_init_schema(kind: *mut u32) -> *const std::ffi::c_char = get_init_schema;
            fn plugin_init(
                input: *const $crate::api::ss_plugin_init_input,
                rc: *mut i32,
            ) -> *mut $crate::api::ss_plugin_t = init::<$ty>;
            fn plugin_destroy(plugin: *mut $crate::api::ss_plugin_t) -> () = destroy::<$ty>;
            fn plugin_get_last_error(
                plugin: *mut $crate::api::ss_plugin_t,
            ) -> *const std::ffi::c_char = get_last_error::<$ty>;
            fn plugin_get_metrics(
                plugin: *mut $crate::api::ss_plugin_t,
                count: *mut u32,
            ) -> *mut $crate::api::ss_plugin_metric = get_metrics::<$ty>;
            fn plugin_get_id() -> u32 = get_id::<$ty>;
            fn plugin_get_event_source() -> *const std::ffi::c_char = get_event_source::<$ty>;
            fn plugin_list_open_params(
                plugin: *mut $crate::api::ss_plugin_t,
                rc: *mut i32,
            ) -> *const std::ffi::c_char = list_open_params::<$ty>;
            fn plugin_open(
                plugin: *mut $crate::api::ss_plugin_t,
                params: *const std::ffi::c_char,
                rc: *mut i32,
            ) -> *mut $crate::api::ss_instance_t = open::<$ty>;
            fn plugin_close(
                plugin: *mut $crate::api::ss_plugin_t,
                instance: *mut $crate::api::ss_instance_t,
            ) -> () = close::<$ty>;
            fn plugin_next_batch(
                plugin: *mut $crate::api::ss_plugin_t,
                instance: *mut $crate::api::ss_instance_t,
                count: *mut u32,
                events: *mut *mut *mut $crate::api::ss_plugin_event,
            ) -> i32 = next_batch::<$ty>;
            fn plugin_get_progress(
                plugin: *mut $crate::api::ss_plugin_t,
                instance: *mut $crate::api::ss_instance_t,
                percent: *mut u32,
            ) -> *const std::ffi::c_char = get_progress::<$ty>;
            fn plugin_event_to_string(
                plugin: *mut $crate::api::ss_plugin_t,
                event: *const $crate::api::ss_plugin_event_input,
            ) -> *const std::ffi::c_char = event_to_string::<$ty>;
            fn plugin_get_extract_event_types(
                count: *mut u32,
                plugin: *mut $crate::api::ss_plugin_t,
            ) -> *mut u16 = get_extract_event_types::<$ty>;
            fn plugin_get_extract_event_sources() -> *const std::ffi::c_char = get_extract_event_sources::<$ty>;
            fn plugin_get_fields() -> *const std::ffi::c_char = get_fields::<$ty>;
            fn plugin_extract_fields(
                plugin: *mut $crate::api::ss_plugin_t,
                event: *const $crate::api::ss_plugin_event_input,
                input: *const $crate::api::ss_plugin_field_extract_input,
            ) -> i32 = extract_fields::<$ty>;
        }
    };
    (@entries $(
        fn $name:ident($($arg:ident: $arg_ty:ty),* $(,)?) -> $ret:ty = $entry:ident $(::<$ty:ty>)?;
    )*) => {
        $(
            #[doc(hidden)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C-unwind" fn $name($($arg: $arg_ty),*) -> $ret {
                #[allow(unused_unsafe)]
                unsafe { $crate::guard::entry::$entry$(::<$ty>)?($($arg),*) }
            }
        )*
    };
}
