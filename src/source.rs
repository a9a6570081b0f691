//! The source: one Falco event per record.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::time::Duration;

use falco_plugin::FailureReason;
use falco_plugin::anyhow::{Error, anyhow};
use falco_plugin::event::events::{Event, EventMetadata};
use falco_plugin::source::{
    EventBatch, EventInput, PluginEvent, ProgressInfo, SourcePlugin, SourcePluginInstance,
};
use tfdrift_cloudtrail::ct;
use tfdrift_intake::{AwsConnect, Intake, Next, Parts, RecordSlice};

use crate::config::flatten;
use crate::drift::Hold;
use crate::guard::{self, Entry};
use crate::open_params;
use crate::payload::{Payload, RecordEvent};
use crate::plugin::Tf;

/// Falco asks that a call takes no more than a few milliseconds.
const WAIT: Duration = Duration::from_millis(10);
/// Bytes of records handed over at once, at most, unless a single one is larger.
const MAX_BATCH_BYTES: usize = 4 << 20;

thread_local!(static FOR_TESTS: Cell<Option<String>> = const { Cell::new(None) });

/// What the next `open` on this thread reads if it is given no parameters at all: `falco_plugin_runner` gives none.
#[doc(hidden)]
pub fn open_next(params: &str) {
    FOR_TESTS.set(Some(params.into()));
}

/// An open source.
pub struct Reader<const DROP_IN: bool> {
    /// None once closed.
    intake: Option<Intake>,
    /// Records that the intake gave and that are not handed over yet. It is asked again only when these are gone:
    /// the next question tells it that all were taken.
    left: VecDeque<RecordSlice>,
    batch_records: usize,
    /// Why events wait, while they do.
    hold: Option<Hold>,
    progress: CString,
}

impl<const DROP_IN: bool> SourcePlugin for Tf<DROP_IN> {
    type Instance = Reader<DROP_IN>;
    type Event<'a> = RecordEvent<'a>;
    const EVENT_SOURCE: &'static CStr = c"aws_cloudtrail";
    const PLUGIN_ID: u32 = if DROP_IN { 2 } else { 0x7466_6472 };

    fn list_open_params(&mut self) -> Result<&CStr, Error> {
        open_params::list(&mut self.suggestions)
    }

    fn open(&mut self, params: Option<&str>) -> Result<Reader<DROP_IN>, Error> {
        if let Some(why) = guard::take_forced_error() {
            return Err(anyhow!(why));
        }
        self.cache.forget();
        let refuse = |text: String| {
            tracing::error!("{text}");
            anyhow!(flatten(&text))
        };
        let for_tests = params.is_none().then(|| FOR_TESTS.take()).flatten();
        let origin =
            open_params::parse(params.or(for_tests.as_deref())).map_err(|e| refuse(e.to_string()))?;
        tracing::info!("opening {origin}");
        let parts = Parts::default().with_connect(AwsConnect::new(self.config.aws.clone()));
        let intake = Intake::open(origin, &self.config.intake(), parts).map_err(|e| {
            let refused = refuse(e.to_string());
            e.story().lines().for_each(|line| tracing::error!("  {line}"));
            refused
        })?;
        self.shared.intake.store(Some(intake.counters()));
        self.drift.start();
        Ok(Reader {
            intake: Some(intake),
            left: VecDeque::new(),
            batch_records: self.config.source.batch_records,
            hold: self.drift.hold(),
            progress: CString::default(),
        })
    }

    fn close(&mut self, reader: &mut Reader<DROP_IN>) {
        self.cache.forget();
        reader.left.clear();
        if let Some(intake) = reader.intake.take() {
            intake.close();
            tracing::info!("closed");
        }
        self.drift.stop();
    }

    fn event_to_string(&mut self, event: &EventInput<RecordEvent<'_>>) -> Result<CString, Error> {
        let event = event.event()?;
        let text = ct::event_text(event.params.event_data.0, self.cache.compat());
        Ok(CString::new(text)?)
    }
}

impl<const DROP_IN: bool> SourcePluginInstance for Reader<DROP_IN> {
    type Plugin = Tf<DROP_IN>;

    fn next_batch(&mut self, plugin: &mut Tf<DROP_IN>, batch: &mut EventBatch<'_>) -> Result<(), Error> {
        // the memory of the events before is about to be used again
        plugin.cache.forget();
        if let Some(hold) = &self.hold {
            if !hold.is_over(WAIT) {
                return Err(timeout());
            }
            self.hold = None;
        }
        if self.left.is_empty() {
            let Some(intake) = &mut self.intake else { return Err(eof()) };
            match intake.next_batch(self.batch_records, WAIT) {
                Next::Batch(records) => self.left = records.into(),
                Next::Idle => return Err(timeout()),
                Next::End => return Err(eof()),
            }
        }
        match self.fill(batch) {
            // an empty batch without an error ends Falco
            0 => Err(timeout()),
            _ => Ok(()),
        }
    }

    fn get_progress(&mut self) -> ProgressInfo<'_> {
        let Some(intake) = &self.intake else { return ProgressInfo { value: 100.0, detail: None } };
        let (share, text) = intake.progress();
        self.progress = CString::new(text).unwrap_or_default();
        ProgressInfo { value: share * 100.0, detail: Some(&self.progress) }
    }
}

impl<const DROP_IN: bool> Reader<DROP_IN> {
    /// Adds records to the batch and says how many. A panic costs the record it came from, which goes to quarantine,
    /// and no other.
    fn fill(&mut self, batch: &mut EventBatch<'_>) -> usize {
        let mut added = 0;
        let mut bytes = 0;
        batch.reserve(self.left.len());
        while bytes < MAX_BATCH_BYTES
            && let Some(record) = self.left.pop_front()
        {
            let done = guard::run(Entry::Batch, || batch.add(event::<DROP_IN>(&record)));
            let why = match done {
                Ok(Ok(())) => {
                    added += 1;
                    bytes += record.bytes().len();
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic,
            };
            if let Some(intake) = &mut self.intake {
                intake.set_aside(&record, &why);
            }
        }
        added
    }
}

fn event<const DROP_IN: bool>(record: &RecordSlice) -> RecordEvent<'_> {
    Event {
        metadata: EventMetadata { ts: record.time_ns(), tid: -1 },
        params: PluginEvent {
            plugin_id: <Tf<DROP_IN> as SourcePlugin>::PLUGIN_ID,
            event_data: Payload(record.bytes()),
        },
    }
}

fn timeout() -> Error {
    Error::new(FailureReason::Timeout)
}

fn eof() -> Error {
    Error::new(FailureReason::Eof)
}
