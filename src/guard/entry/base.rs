//! What every plugin has: who it is, its life, its last error, its metrics.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use falco_plugin::api::*;
use falco_plugin::internals::base;

use super::{FAILURE, OK};
use crate::guard::catch::with_forced_error;
use crate::guard::{Entry, Face, guarded, run};
use crate::{config, logger, metrics};

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
    guarded(Entry::GetDescription, T::DESCRIPTION.as_ptr(), || base::wrappers::plugin_get_description::<T>())
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
        with_forced_error(why, || run(Entry::Retry, || call(&mut status))).unwrap_or(std::ptr::null_mut())
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
