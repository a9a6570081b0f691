//! What a Falco event carries: the bytes of one CloudTrail record.

use std::io::Write;

use falco_plugin::event::fields::{FromBytes, FromBytesError, ToBytes};
use falco_plugin::event::{EventSource, PluginEvent, events::Event};

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
