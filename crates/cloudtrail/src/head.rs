//! The top-level members of a record as offsets: found in one pass, kept without borrowing the record.
//! So are the members of `userIdentity` and `requestParameters`, which most fields come from: passing over them costs
//! nearly as much as noting them down.

mod nested;
mod walk;

use crate::json::{Json, Key};
use crate::{RecordError, time};
pub(crate) use nested::Identity;
use nested::{Identities, Lookup, Members};
use walk::Walk;

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

impl Span {
    /// The positions fit: a record with more bytes is refused before.
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    #[inline]
    fn of<'a>(self, bytes: &'a [u8]) -> Option<Json<'a>> {
        if self.end == 0 {
            return None;
        }
        bytes.get(self.start as usize..self.end as usize).map(Json::trimmed)
    }
}

/// Where the known top-level members of one record stand: offsets only, so that it can be kept between calls
/// that lend the same bytes again (see [`crate::Record::with_head`]).
#[derive(Debug, Clone, Default)]
pub struct Head {
    spans: [Span; Member::COUNT],
    identity: Identities,
    request: Members,
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
        self.identity = Identities::default();
        self.request.clear();
        self.len = bytes.len();
        if u32::try_from(bytes.len()).is_err() {
            return Err(RecordError::TooLarge { bytes: bytes.len() });
        }
        let mut walk = Walk::start(bytes)?;
        let mut next = 0;
        while let Some((key, start)) = walk.next()? {
            let member = guess(key, &mut next);
            let inside = match member {
                Some(Member::UserIdentity) if self.spans[Member::UserIdentity as usize].end == 0 => {
                    self.identity.scan(bytes, start)
                }
                Some(Member::RequestParameters)
                    if self.spans[Member::RequestParameters as usize].end == 0 =>
                {
                    self.request.scan(bytes, start)
                }
                _ => None,
            };
            let end = match inside {
                Some(end) => {
                    walk.go_on(end);
                    end
                }
                None => walk.skip()?,
            };
            let Some(member) = member else { continue };
            let span = &mut self.spans[member as usize];
            if span.end == 0 {
                *span = Span::new(start, end);
            }
        }
        walk.finish()
    }

    /// A member of `userIdentity` or of its `sessionContext.sessionIssuer`.
    #[inline]
    pub(crate) fn identity<'a>(&self, bytes: &'a [u8], member: Identity) -> Option<Json<'a>> {
        if bytes.len() == self.len { self.identity.get(bytes, member) } else { None }
    }

    /// A member of `requestParameters`.
    #[inline]
    pub(crate) fn request<'a>(&self, bytes: &'a [u8], key: &str) -> Option<Json<'a>> {
        match self.request.get(bytes, key) {
            Lookup::Found(span) if bytes.len() == self.len => span.of(bytes),
            Lookup::Missing => None,
            _ => self.get(bytes, Member::RequestParameters)?.get(key),
        }
    }

    /// The value of `member` in `bytes`, which must be those that were scanned.
    #[inline]
    pub(crate) fn get<'a>(&self, bytes: &'a [u8], member: Member) -> Option<Json<'a>> {
        if bytes.len() == self.len { self.spans[member as usize].of(bytes) } else { None }
    }
}

/// The member called `key`. CloudTrail keeps an order, so that it is mostly one of those after the last one found.
#[inline]
fn guess(key: Key<'_>, next: &mut usize) -> Option<Member> {
    for at in *next..(*next + 4).min(Member::COUNT) {
        if Member::NAMES[at].as_bytes() == key.bytes() {
            *next = at + 1;
            return Some(Member::ALL[at]);
        }
    }
    let member = Member::from_key(&key.text())?;
    *next = member as usize + 1;
    Some(member)
}

/// `eventTime` of a record in nanoseconds since 1970, reading no further than needed.
///
/// # Errors
/// If the record is broken before its `eventTime`, has none, or has one that is not a time.
pub fn event_time_ns(record: &[u8]) -> Result<u64, RecordError> {
    let mut walk = Walk::start(record)?;
    while let Some((key, start)) = walk.next()? {
        let end = walk.skip()?;
        if key.is(Member::EventTime.name()) {
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
