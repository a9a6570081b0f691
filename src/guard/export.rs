//! The names that Falco looks up in a library.

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
