//! What a source has: its name, its parameters, and events.

use std::ffi::c_char;

use falco_plugin::FailureReason;
use falco_plugin::api::*;
use falco_plugin::internals::source;

use super::{FAILURE, OK};
use crate::guard::catch::with_forced_error;
use crate::guard::{Entry, Face, guarded, run};

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
        let none = with_forced_error(why, || run(Entry::Retry, || call(&mut status)));
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
