//! The record itself.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::head::{Identity, parse_time};
use crate::json::{Json, Kind};
use crate::{Head, Member, RecordError, Via, actor, operation, via};

/// One CloudTrail record: its bytes and where its top-level members stand.
#[derive(Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    head: HeadRef<'a>,
}

#[derive(Debug)]
enum HeadRef<'a> {
    Owned(Box<Head>),
    Borrowed(&'a Head),
}

impl<'a> Record<'a> {
    /// Scans a record for its top-level members.
    ///
    /// # Errors
    /// As [`Head::scan`].
    pub fn parse(bytes: &'a [u8]) -> Result<Record<'a>, RecordError> {
        let mut head = Box::<Head>::default();
        head.scan(bytes)?;
        Ok(Record { bytes, head: HeadRef::Owned(head) })
    }

    /// The record of `bytes` that `head` was scanned from before: costs nothing. With other bytes every member
    /// is absent or wrong, never a panic.
    #[inline]
    pub fn with_head(bytes: &'a [u8], head: &'a Head) -> Record<'a> {
        Record { bytes, head: HeadRef::Borrowed(head) }
    }

    /// The bytes of the record as AWS wrote them.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// A known top-level member, the first of duplicates; `None` if it is missing.
    #[inline]
    pub fn member(&self, member: Member) -> Option<Json<'a>> {
        self.head().get(self.bytes, member)
    }

    /// A member of `userIdentity`.
    #[inline]
    pub(crate) fn identity(&self, member: Identity) -> Option<Json<'a>> {
        self.head().identity(self.bytes, member)
    }

    /// A member of `requestParameters`.
    #[inline]
    pub(crate) fn request(&self, key: &str) -> Option<Json<'a>> {
        self.head().request(self.bytes, key)
    }

    /// A member of `responseElements`.
    #[inline]
    pub(crate) fn response(&self, key: &str) -> Option<Json<'a>> {
        self.head().response(self.bytes, key)
    }

    #[inline]
    pub(crate) fn head(&self) -> &Head {
        match &self.head {
            HeadRef::Owned(head) => head,
            HeadRef::Borrowed(head) => head,
        }
    }

    /// Any top-level member by name, the first of duplicates; `None` if it is missing.
    pub fn get(&self, member: &str) -> Option<Json<'a>> {
        match Member::from_key(member) {
            Some(known) => self.member(known),
            None => Json::new(self.bytes).get(member),
        }
    }

    /// Any top-level member as serde_json's raw value; `None` if it is missing or is not valid JSON.
    pub fn raw(&self, member: &str) -> Option<&'a RawValue> {
        raw(self.get(member)?)
    }

    /// `eventTime` in nanoseconds since 1970.
    ///
    /// # Errors
    /// If it is missing, not a string or not a time.
    pub fn time_ns(&self) -> Result<u64, RecordError> {
        parse_time(self.event_time().as_deref())
    }

    /// `readOnly`: a JSON boolean, or the text `true` or `false`; `None` otherwise.
    pub fn read_only(&self) -> Option<bool> {
        boolean(self.member(Member::ReadOnly)?)
    }

    /// `eventName` without a version suffix: `UpdateFunctionConfiguration20150331v2` is
    /// `UpdateFunctionConfiguration`.
    pub fn operation(&self) -> Option<Cow<'a, str>> {
        self.event_name().map(operation::strip_version)
    }

    /// The account whose trail this is: `recipientAccountId`, else `userIdentity.accountId`.
    pub fn account_id(&self) -> Option<Cow<'a, str>> {
        self.recipient_account_id().or_else(|| self.member(Member::UserIdentity)?.get("accountId")?.text())
    }

    /// The tool with which the call was made, told from user agent and identity.
    pub fn via(&self) -> Via {
        via::via(self)
    }

    /// The person or machine behind the call: the name of an SSO or role session, an IAM user, `root`, a service.
    pub fn actor(&self) -> Option<String> {
        actor::actor(self)
    }

    /// The ARN under which rights were given: that of the role for a session, else `userIdentity.arn`.
    pub fn principal_arn(&self) -> Option<String> {
        actor::principal_arn(self)
    }
}

macro_rules! texts {
    ($($method:ident $member:ident,)*) => {
        /// The text of one member each: `None` if it is absent or not a string.
        #[allow(missing_docs, reason = "each is the member of that name")]
        impl<'a> Record<'a> {
            $(pub fn $method(&self) -> Option<Cow<'a, str>> { self.member(Member::$member)?.text() })*
        }
    };
}

texts! {
    event_id EventId,
    event_time EventTime,
    event_source EventSource,
    event_name EventName,
    aws_region AwsRegion,
    recipient_account_id RecipientAccountId,
    error_code ErrorCode,
    error_message ErrorMessage,
    user_agent UserAgent,
    source_ip_address SourceIpAddress,
    event_type EventType,
}

macro_rules! raws {
    ($($method:ident $member:ident,)*) => {
        /// One member each as serde_json's raw value: `None` if it is absent or not valid JSON.
        #[allow(missing_docs, reason = "each is the member of that name")]
        impl<'a> Record<'a> {
            $(pub fn $method(&self) -> Option<&'a RawValue> { raw(self.member(Member::$member)?) })*
        }
    };
}

raws! {
    request_parameters RequestParameters,
    response_elements ResponseElements,
    user_identity UserIdentity,
    additional_event_data AdditionalEventData,
    resources Resources,
}

fn raw(value: Json<'_>) -> Option<&RawValue> {
    serde_json::from_slice(value.bytes()).ok()
}

/// A JSON boolean, or one written as a string, as AWS does for some members.
pub(crate) fn boolean(value: Json<'_>) -> Option<bool> {
    match value.kind() {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::String => match value.string_bytes()? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
