//! A host for the plugin's tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "events are read from where the host sees them")]

use std::ffi::{CStr, CString};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use falco_plugin_runner::{
    CapturingPluginRunner, Event, ExtractedField, MetricValue, PluginRunner, ScapStatus,
};
use tfdrift_plugin::api::plugin_api;
use tfdrift_plugin::{Tf, guard, source};

/// Which of the two plugins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Build {
    TfDrift,
    DropIn,
}

impl Build {
    fn api(self) -> &'static plugin_api {
        // the runner keeps it for as long as it lives
        Box::leak(Box::new(match self {
            Build::TfDrift => guard::plugin_api::<Tf<false>>(),
            Build::DropIn => guard::plugin_api::<Tf<true>>(),
        }))
    }
}

/// Name, version, id.
pub fn identity(build: Build) -> (String, String, u32) {
    let api = build.api();
    let text = |f: Option<unsafe extern "C-unwind" fn() -> *const std::ffi::c_char>| {
        // SAFETY: entries of the plugin API that give static C strings
        unsafe { CStr::from_ptr(f.unwrap()()) }.to_str().unwrap().to_owned()
    };
    // SAFETY: as above
    (text(api.get_name), text(api.get_version), unsafe { api.__bindgen_anon_1.get_id.unwrap()() })
}

/// A running plugin.
pub struct Host {
    runner: CapturingPluginRunner,
    build: Build,
}

/// What an event carries.
pub struct Seen {
    pub payload: String,
    pub time_ns: u64,
    pub plugin_id: u32,
}

impl Host {
    pub fn open(build: Build, config: &str, events: &Path) -> Self {
        let mut runner = PluginRunner::new();
        runner.register_plugin(build.api(), &CString::new(config).unwrap()).unwrap();
        source::open_next(events.to_str().unwrap());
        Host { runner: runner.start_capture().unwrap(), build }
    }

    /// The error with which `init` refuses a configuration.
    pub fn refused(build: Build, config: &str) -> String {
        let mut runner = PluginRunner::new();
        let result = runner.register_plugin(build.api(), &CString::new(config).unwrap());
        result.expect_err("the configuration was accepted").to_string()
    }

    pub fn accepted(build: Build, config: &str) {
        PluginRunner::new().register_plugin(build.api(), &CString::new(config).unwrap()).unwrap();
    }

    /// The error with which `open` refuses parameters.
    pub fn not_opened(build: Build, params: &str) -> String {
        let mut runner = PluginRunner::new();
        runner.register_plugin(build.api(), c"{}").unwrap();
        source::open_next(params);
        match runner.start_capture() {
            Ok(_) => panic!("{params:?} was opened"),
            Err(e) => e.to_string(),
        }
    }

    /// The next event; none at the end.
    #[allow(clippy::should_implement_trait, reason = "the runner is no iterator")]
    pub fn next(&mut self) -> Option<Event> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            match self.runner.next_event() {
                Ok(event) => return Some(event),
                Err(e) => match e.downcast_ref::<ScapStatus>() {
                    Some(ScapStatus::Eof) => return None,
                    Some(ScapStatus::Timeout) => assert!(Instant::now() < until, "no event for a minute"),
                    _ => panic!("next_batch failed: {e:#}"),
                },
            }
        }
    }

    /// One question for events where none is expected.
    pub fn ask(&mut self) {
        if let Ok(event) = self.runner.next_event() {
            panic!("an event came: {}", seen(&event).payload);
        }
    }

    /// All events to the end.
    pub fn events(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.next().map(|e| seen(&e))).collect()
    }

    pub fn field(&mut self, event: &Event, field: &str) -> ExtractedField {
        self.runner.extract_field(event, field).expect("no such field").expect("extraction failed")
    }

    pub fn field_with_range(&mut self, event: &Event, field: &str) -> (ExtractedField, Range<usize>) {
        self.runner.extract_field_with_range(event, field).expect("no such field").expect("extraction failed")
    }

    /// The value of a field of texts; none if it is absent.
    pub fn text(&mut self, event: &Event, field: &str) -> Option<String> {
        match self.field(event, field) {
            ExtractedField::None => None,
            ExtractedField::String(text) => Some(text.into_string().unwrap()),
            other => panic!("{field} is {other:?}"),
        }
    }

    pub fn metric(&mut self, name: &str) -> u64 {
        let prefix = if self.build == Build::DropIn { "cloudtrail" } else { "tfdrift" };
        let name = format!("{prefix}.{name}");
        let found = self.runner.get_metrics().into_iter().find(|m| m.name == name);
        match found.unwrap_or_else(|| panic!("no metric {name}")).value {
            MetricValue::U64(n) => n,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn has_no_metrics(&mut self) -> bool {
        self.runner.get_metrics().is_empty()
    }

    /// Ends the capture: close and destroy.
    pub fn stop(self) {
        self.runner.stop_capture().unwrap();
    }
}

fn seen(event: &Event) -> Seen {
    // SAFETY: the runner's events point to whole events until the next one is asked for
    let header = unsafe { std::slice::from_raw_parts(event.buf.cast::<u8>(), 38) };
    let word = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().unwrap());
    let len = word(16) as usize;
    // SAFETY: as above; the header says how long it is
    let bytes = unsafe { std::slice::from_raw_parts(event.buf.cast::<u8>(), len) };
    Seen {
        payload: String::from_utf8(bytes[38..].to_vec()).unwrap(),
        time_ns: u64::from_ne_bytes(header[..8].try_into().unwrap()),
        plugin_id: word(34),
    }
}

/// A record of `alice` at 2026-11-02T19:30:22Z on EC2, with further members.
pub fn record(id: &str, name: &str, members: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.09","userIdentity":{{"type":"IAMUser","userName":"alice","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333"}},"eventTime":"2026-11-02T19:30:22Z","eventSource":"ec2.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7","userAgent":"x","eventID":"{id}","eventType":"AwsApiCall","recipientAccountId":"111122223333",{members}}}"#
    )
}

/// A configuration that keeps no checkpoint outside the folder.
pub fn config(folder: &tempfile::TempDir) -> String {
    let _ = folder;
    r#"{"source":{"checkpoint_dir":""}}"#.into()
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

pub fn write_gz(path: &Path, text: &str) {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    std::fs::write(path, gz.finish().unwrap()).unwrap();
}

/// A file of the seed system.
pub fn seed(file: &str) -> String {
    format!("{}/examples/seed/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// The id of the security group in a state.
pub fn security_group(state: &str) -> String {
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let group = resources.iter().find(|r| r["type"] == "aws_security_group").unwrap();
    group["instances"][0]["attributes"]["id"].as_str().unwrap().to_owned()
}
