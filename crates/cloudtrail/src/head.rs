//! The top-level members of a record as offsets: found in one pass, kept without borrowing the record.

use crate::json::scan::{skip_value, skip_ws, string_end};
use crate::json::{Json, key_is, key_text};
use crate::{RecordError, time};

macro_rules! members {
    ($($variant:ident $name:literal,)*) => {
        /// A top-level member of a record that this crate knows by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is the member of that name")]
        pub enum Member { $($variant,)* }

        impl Member {
            const COUNT: usize = [$($name,)*].len();

            /// The member's name as CloudTrail writes it.
            pub fn name(self) -> &'static str {
                match self { $(Member::$variant => $name,)* }
            }

            /// All of them, in the order in which CloudTrail writes them.
            const ALL: [Member; Member::COUNT] = [$(Member::$variant,)*];

            const NAMES: [&str; Member::COUNT] = [$($name,)*];

            pub(crate) fn from_key(key: &str) -> Option<Member> {
                match key { $($name => Some(Member::$variant),)* _ => None }
            }
        }
    };
}

members! {
    EventVersion "eventVersion",
    UserIdentity "userIdentity",
    EventTime "eventTime",
    EventSource "eventSource",
    EventName "eventName",
    AwsRegion "awsRegion",
    SourceIpAddress "sourceIPAddress",
    UserAgent "userAgent",
    ErrorCode "errorCode",
    ErrorMessage "errorMessage",
    RequestParameters "requestParameters",
    ResponseElements "responseElements",
    AdditionalEventData "additionalEventData",
    RequestId "requestID",
    EventId "eventID",
    ReadOnly "readOnly",
    Resources "resources",
    EventType "eventType",
    ApiVersion "apiVersion",
    ManagementEvent "managementEvent",
    RecipientAccountId "recipientAccountId",
    SharedEventId "sharedEventID",
    VpcEndpointId "vpcEndpointId",
    EventCategory "eventCategory",
    ServiceEventDetails "serviceEventDetails",
    EdgeDeviceDetails "edgeDeviceDetails",
    Addendum "addendum",
    SessionCredentialFromConsole "sessionCredentialFromConsole",
    TlsDetails "tlsDetails",
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    /// 0 means: the member is absent (no value can end there).
    end: u32,
}

/// Where the known top-level members of one record stand: offsets only, so that it can be kept between calls
/// that lend the same bytes again (see [`crate::Record::with_head`]).
#[derive(Debug, Clone, Default)]
pub struct Head {
    spans: [Span; Member::COUNT],
    /// Length of the record scanned, to notice when the head is used with other bytes.
    len: usize,
}

impl Head {
    /// Scans `bytes`, forgetting what was known before.
    ///
    /// # Errors
    /// If the bytes are not one JSON object that is whole at its top level. Nested values are only checked for
    /// balance; what is broken in there is absent when it is asked for.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.spans = [Span::default(); Member::COUNT];
        self.len = bytes.len();
        if u32::try_from(bytes.len()).is_err() {
            return Err(RecordError::TooLarge { bytes: bytes.len() });
        }
        let mut walk = Walk::start(bytes)?;
        let mut next = 0;
        while let Some((key, start, end)) = walk.next()? {
            let Some(member) = guess(key, &mut next) else { continue };
            let span = &mut self.spans[member as usize];
            if span.end == 0 {
                *span = Span { start: start as u32, end: end as u32 };
            }
        }
        Ok(())
    }

    /// The value of `member` in `bytes`, which must be those that were scanned.
    #[inline]
    pub(crate) fn get<'a>(&self, bytes: &'a [u8], member: Member) -> Option<Json<'a>> {
        let span = self.spans[member as usize];
        if span.end == 0 || bytes.len() != self.len {
            return None;
        }
        bytes.get(span.start as usize..span.end as usize).map(Json::trimmed)
    }
}

/// The member called `key`. CloudTrail keeps an order, so that it is mostly one of those after the last one found.
#[inline]
fn guess(key: &[u8], next: &mut usize) -> Option<Member> {
    for at in *next..(*next + 4).min(Member::COUNT) {
        if Member::NAMES[at].as_bytes() == key {
            *next = at + 1;
            return Some(Member::ALL[at]);
        }
    }
    let member = Member::from_key(&key_text(key))?;
    *next = member as usize + 1;
    Some(member)
}

/// `eventTime` of a record in nanoseconds since 1970, reading no further than needed.
///
/// # Errors
/// If the record is broken before its `eventTime`, has none, or has one that is not a time.
pub fn event_time_ns(record: &[u8]) -> Result<u64, RecordError> {
    let mut walk = Walk::start(record)?;
    while let Some((key, start, end)) = walk.next()? {
        if key_is(key, Member::EventTime.name()) {
            let text = record.get(start..end).map(Json::trimmed).and_then(Json::text);
            return parse_time(text.as_deref());
        }
    }
    Err(RecordError::NoEventTime)
}

pub(crate) fn parse_time(text: Option<&str>) -> Result<u64, RecordError> {
    let text = text.ok_or(RecordError::NoEventTime)?;
    time::parse_rfc3339_ns(text)
        .ok_or_else(|| RecordError::BadEventTime { text: text.chars().take(64).collect() })
}

/// A member: its key between the quotes, start and end of its value.
type Found<'a> = (&'a [u8], usize, usize);

/// Walks the members of an object and says where it is broken.
struct Walk<'a> {
    bytes: &'a [u8],
    pos: usize,
    first: bool,
}

impl<'a> Walk<'a> {
    fn start(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let pos = skip_ws(bytes, 0);
        match bytes.get(pos) {
            Some(b'{') => Ok(Walk { bytes, pos: pos + 1, first: true }),
            _ => Err(RecordError::NotAnObject { offset: pos }),
        }
    }

    /// The next member; `None` after a well-formed end of the object.
    #[inline]
    fn next(&mut self) -> Result<Option<Found<'a>>, RecordError> {
        let broken = |offset, what| Err(RecordError::Broken { offset, what });
        let mut pos = skip_ws(self.bytes, self.pos);
        match self.bytes.get(pos) {
            Some(b'}') => {
                let end = skip_ws(self.bytes, pos + 1);
                return if end == self.bytes.len() { Ok(None) } else { broken(end, "expected the end") };
            }
            Some(b',') if !self.first => pos = skip_ws(self.bytes, pos + 1),
            Some(_) if self.first => self.first = false,
            _ => return broken(pos, "expected , or }"),
        }
        if self.bytes.get(pos) != Some(&b'"') {
            return broken(pos, "expected a key in quotes");
        }
        let Some(key_end) = string_end(self.bytes, pos + 1) else {
            return broken(pos, "the key has no end");
        };
        let key = &self.bytes[pos + 1..key_end];
        let colon = skip_ws(self.bytes, key_end + 1);
        if self.bytes.get(colon) != Some(&b':') {
            return broken(colon, "expected : after the key");
        }
        let start = skip_ws(self.bytes, colon + 1);
        let Some(end) = skip_value(self.bytes, start) else {
            return broken(start, "expected a value, whole");
        };
        self.pos = end;
        Ok(Some((key, start, end)))
    }
}
