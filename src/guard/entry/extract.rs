//! What extraction has: the fields, and their values.

use std::ffi::c_char;

use falco_plugin::api::*;
use falco_plugin::internals::extract;

use super::OK;
use crate::guard::{Entry, Face, guarded, run};

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
