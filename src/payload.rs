//! What a Falco event carries: the bytes of one CloudTrail record.

use std::io::Write;

use falco_plugin::event::events::{AnyEventPayload, Event, EventPayload, RawEvent};
use falco_plugin::event::fields::{FromBytes, FromBytesError, ToBytes};
use falco_plugin::event::{EventSource, PluginEvent};

/// The event source of every event, as the Go plugin has it.
pub const SOURCE: &str = "aws_cloudtrail";

/// The bytes of a record, unchanged. A type of its own, because it tells the SDK the event source to extract from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a>(pub &'a [u8]);

/// A Falco event with a record in it.
pub type RecordEvent<'a> = Event<PluginEvent<Payload<'a>>>;

impl EventSource for Payload<'_> {
    const SOURCE: Option<&'static str> = Some(SOURCE);
}

impl<'a> FromBytes<'a> for Payload<'a> {
    #[inline]
    fn from_bytes(buf: &mut &'a [u8]) -> Result<Self, FromBytesError> {
        Ok(Payload(std::mem::take(buf)))
    }
}

impl ToBytes for Payload<'_> {
    #[inline]
    fn binary_size(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn write<W: Write>(&self, mut writer: W) -> std::io::Result<()> {
        writer.write_all(self.0)
    }

    fn default_repr() -> impl ToBytes {
        Payload(b"")
    }
}

/// The record of an event, found without decoding the rest of it: what extraction needs, once for every field. An
/// event of another kind has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordBytes<'a>(pub Option<&'a [u8]>);

/// Where the record starts in an event: header, two lengths, the plugin's id.
pub const RECORD_OFFSET: usize = HEADER + LENGTHS + ID;
const HEADER: usize = 26;
const LENGTHS: usize = 4 + 4;
const ID: usize = 4;

impl<'a> RecordBytes<'a> {
    /// Events of plugins have two parameters: the plugin's id, and bytes.
    #[inline(always)]
    fn of(event: &RawEvent<'a>) -> Option<&'a [u8]> {
        let (id, rest) = event.payload.split_first_chunk()?;
        let (record, params) = rest.split_first_chunk()?;
        let is_ours = event.event_type == PluginEvent::<Payload<'_>>::ID && event.nparams == 2;
        if !is_ours || u32::from_ne_bytes(*id) != ID as u32 {
            return None;
        }
        params.get(ID..)?.get(..u32::from_ne_bytes(*record) as usize)
    }
}

impl<'a, 'b> From<&'b RawEvent<'a>> for RecordBytes<'a> {
    #[inline(always)]
    fn from(event: &'b RawEvent<'a>) -> Self {
        RecordBytes(Self::of(event))
    }
}

impl AnyEventPayload for RecordBytes<'_> {
    const SOURCES: &'static [Option<&'static str>] = RecordEvent::SOURCES;
    const EVENT_TYPES: &'static [u16] = RecordEvent::EVENT_TYPES;
}

#[cfg(test)]
mod tests {
    use falco_plugin::event::events::{EventMetadata, EventToBytes};

    use super::*;

    fn event(record: &[u8]) -> Vec<u8> {
        let metadata = EventMetadata { ts: 1, tid: -1 };
        let params = PluginEvent { plugin_id: 7, event_data: Payload(record) };
        let mut bytes = Vec::new();
        Event { metadata, params }.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_record_is_where_the_sdk_puts_it() {
        for record in [&b""[..], b"{}", &[b'x'; 70_000]] {
            let bytes = event(record);
            assert_eq!(RecordBytes::from(&RawEvent::from(&bytes).unwrap()).0, Some(record));
            assert_eq!(&bytes[RECORD_OFFSET..], record);
        }
    }

    #[test]
    fn what_is_no_event_of_ours_has_no_record() {
        let bytes = event(b"{}");
        let with = |change: fn(&mut RawEvent<'_>)| {
            let mut raw = RawEvent::from(&bytes).unwrap();
            change(&mut raw);
            RecordBytes::from(&raw).0
        };
        assert_eq!(with(|_| {}), Some(&b"{}"[..]));
        assert_eq!(with(|raw| raw.event_type = 1), None);
        assert_eq!(with(|raw| raw.nparams = 1), None);
        assert_eq!(with(|raw| raw.payload = &raw.payload[..raw.payload.len() - 1]), None);
        assert_eq!(with(|raw| raw.payload = &raw.payload[..7]), None);
        assert_eq!(with(|raw| raw.payload = &[5, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4, 5, b'{', b'}']), None);
    }
}
