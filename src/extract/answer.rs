//! Putting values where Falco reads them.

use std::borrow::Cow;
use std::ffi::c_char;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use falco_plugin::api::{ss_plugin_bool, ss_plugin_extract_field};

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text; Falco sees it up to the first NUL.
    Text(Cow<'a, str>),
    /// A number.
    Number(u64),
    /// A truth value.
    Bool(bool),
    /// A list of texts.
    List(Vec<Cow<'a, str>>),
}

/// Leaves the field without a value.
pub(super) fn absent(field: &mut ss_plugin_extract_field) {
    field.res.u64_ = std::ptr::null_mut();
    field.res_len = 0;
}

/// Gives the field a text without NUL, which is kept in `held` until the next call.
#[inline(always)]
pub(super) fn put_text(field: &mut ss_plugin_extract_field, text: &[u8], held: &mut Vec<u8>, storage: &Bump) {
    held.clear();
    held.reserve(text.len() + 1);
    held.extend_from_slice(text);
    held.push(0);
    field.res_len = 1;
    let list: *mut *const c_char = storage.alloc(held.as_ptr().cast());
    field.res.str_ = list;
}

/// Gives the field its value; it lives in `storage` until the next call.
pub(super) fn put(field: &mut ss_plugin_extract_field, value: &Value<'_>, storage: &Bump) {
    field.res_len = 1;
    match value {
        Value::Text(text) => {
            let list: *mut *const c_char = storage.alloc(c_string(text, storage));
            field.res.str_ = list;
        }
        Value::Number(number) => field.res.u64_ = storage.alloc(*number),
        Value::Bool(truth) => {
            let truth: &mut ss_plugin_bool = storage.alloc(u32::from(*truth));
            field.res.boolean = truth;
        }
        Value::List(texts) => {
            let mut list = BumpVec::with_capacity_in(texts.len(), storage);
            list.extend(texts.iter().map(|t| c_string(t, storage)));
            field.res_len = list.len() as u64;
            field.res.str_ = list.into_bump_slice_mut().as_mut_ptr();
        }
    }
}

fn c_string(text: &str, storage: &Bump) -> *const c_char {
    let text = text.as_bytes();
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or(text);
    let mut bytes = BumpVec::with_capacity_in(text.len() + 1, storage);
    bytes.extend_from_slice_copy(text);
    bytes.push(0);
    bytes.into_bump_slice().as_ptr().cast()
}
