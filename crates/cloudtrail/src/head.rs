//! The top-level members of a record as offsets: found in one pass, kept without borrowing the record.
//! So are the members of `userIdentity`, `requestParameters` and `responseElements`, which most fields come from: passing
//! over them costs nearly as much as noting them down.

mod nested;
mod walk;

use crate::json::scan::label::{LOOK, Label};
use crate::json::scan::survey::Survey;
use crate::json::scan::{has_escape_or_nul, skip_value};
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

            const LABELS: [Label; Member::COUNT] = [$(Label::new($name),)*];

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
    TlsDetails "tlsDetails",
    SessionCredentialFromConsole "sessionCredentialFromConsole",
    ServiceEventDetails "serviceEventDetails",
    EdgeDeviceDetails "edgeDeviceDetails",
    Addendum "addendum",
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
    response: Members,
    survey: Survey,
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
        self.response.clear();
        self.len = bytes.len();
        if u32::try_from(bytes.len()).is_err() {
            return Err(RecordError::TooLarge { bytes: bytes.len() });
        }
        self.survey = Survey::of(bytes);
        let mut walk = Walk::start(bytes)?;
        let mut next = 0;
        while let Some(pos) = walk.key_start()? {
            let (member, start) = match expected(bytes, pos, &mut next) {
                Some((member, after)) => (Some(member), walk.value(after)),
                None => {
                    let (key, start) = walk.key(pos)?;
                    (known(key, &mut next), start)
                }
            };
            let Some(member) = member else {
                walk.skip()?;
                continue;
            };
            let first = self.spans[member as usize].end == 0;
            let inside = match member {
                Member::UserIdentity if first => self.identity.scan(bytes, start),
                Member::RequestParameters if first => self.request.scan(bytes, start),
                Member::ResponseElements if first => self.response.scan(bytes, start),
                _ => skip_value(bytes, start),
            };
            let end = match inside {
                Some(end) => {
                    walk.go_on(end);
                    end
                }
                None => walk.skip()?,
            };
            if first {
                self.spans[member as usize] = Span::new(start, end);
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
        self.noted(&self.request, Member::RequestParameters, bytes, key)
    }

    /// A member of `responseElements`.
    #[inline]
    pub(crate) fn response<'a>(&self, bytes: &'a [u8], key: &str) -> Option<Json<'a>> {
        self.noted(&self.response, Member::ResponseElements, bytes, key)
    }

    #[inline]
    fn noted<'a>(&self, members: &Members, whole: Member, bytes: &'a [u8], key: &str) -> Option<Json<'a>> {
        match members.get(bytes, key) {
            Lookup::Found(span) if bytes.len() == self.len => span.of(bytes),
            Lookup::Missing => None,
            _ => self.get(bytes, whole)?.get(key),
        }
    }

    /// Whether all of the record is UTF-8 without a NUL.
    #[inline]
    pub(crate) fn is_sound(&self) -> bool {
        self.survey.sound
    }

    /// The bytes between the quotes of a string of this record, if they are its text as they stand: UTF-8 without
    /// escape and NUL.
    #[inline]
    pub(crate) fn plain<'a>(&self, value: Json<'a>) -> Option<&'a [u8]> {
        let raw = value.string_bytes()?;
        let plain = self.survey.sound && (!self.survey.backslash || !has_escape_or_nul(raw));
        plain.then_some(raw)
    }

    /// The value of `member` in `bytes`, which must be those that were scanned.
    #[inline]
    pub(crate) fn get<'a>(&self, bytes: &'a [u8], member: Member) -> Option<Json<'a>> {
        if bytes.len() == self.len { self.spans[member as usize].of(bytes) } else { None }
    }
}

/// The member whose key starts at `pos` if it is one of those after the last one found, and the position after its
/// colon. CloudTrail keeps an order, so that it mostly is.
#[inline(always)]
fn expected(bytes: &[u8], pos: usize, next: &mut usize) -> Option<(Member, usize)> {
    let look = bytes.get(pos..)?.first_chunk::<LOOK>()?;
    for at in *next..(*next + 4).min(Member::COUNT) {
        let label = &Member::LABELS[at];
        if label.starts(look) {
            *next = at + 1;
            return Some((Member::ALL[at], pos + label.len));
        }
    }
    None
}

/// The member called `key`, wherever it stands.
fn known(key: Key<'_>, next: &mut usize) -> Option<Member> {
    let member = Member::ALL.into_iter().find(|member| key.is(member.name()))?;
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
