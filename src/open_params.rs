//! `open_params`: what is accepted is [`tfdrift_intake::Origin`]'s matter; here is what Falco shows of it.

use std::ffi::{CStr, CString};

use falco_plugin::source::{OpenParam, serialize_open_params};
use tfdrift_intake::{Origin, OriginError};

/// Reads the open parameters; none at all are refused like an empty text.
///
/// # Errors
/// With the accepted forms and, where there is one, a guess.
pub fn parse(params: Option<&str>) -> Result<Origin, OriginError> {
    Origin::parse(params.unwrap_or_default())
}

/// Suggestions for `falco --plugin-info`, as JSON in `storage`.
///
/// # Errors
/// None that can be seen: the suggestions are constants.
pub fn list(storage: &mut CString) -> Result<&CStr, falco_plugin::anyhow::Error> {
    serialize_open_params(
        &[
            OpenParam::Item {
                value: "s3://my-trail-bucket/prefix",
                desc: "a bucket that a trail writes to, from now on; ?since=12h starts earlier, ?once ends",
            },
            OpenParam::Item {
                value: "/var/log/cloudtrail",
                desc: "a folder with *.json, *.jsonl, *.ndjson, each also .gz; ?follow waits for more",
            },
            OpenParam::Item { value: "/tmp/trail.json.gz", desc: "one file" },
        ],
        storage,
    )
}
