//! Members of `userIdentity`, `requestParameters` and `responseElements`.

use super::Span;
use super::walk::Walk;
use crate::json::scan::label::{LOOK, Label};
use crate::json::scan::skip_value;
use crate::json::{Json, Key};

/// A member of `userIdentity`, or of its `sessionContext.sessionIssuer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Type,
    PrincipalId,
    Arn,
    AccountId,
    AccessKeyId,
    UserName,
    InvokedBy,
    SessionContext,
    IssuerArn,
    IssuerUserName,
}

/// In the order in which CloudTrail writes them.
const IDENTITY: [(&str, Identity); 8] = [
    ("type", Identity::Type),
    ("principalId", Identity::PrincipalId),
    ("arn", Identity::Arn),
    ("accountId", Identity::AccountId),
    ("accessKeyId", Identity::AccessKeyId),
    ("userName", Identity::UserName),
    ("sessionContext", Identity::SessionContext),
    ("invokedBy", Identity::InvokedBy),
];

const LABELS: [Label; IDENTITY.len()] = {
    let mut labels = [Label::new(""); IDENTITY.len()];
    let mut at = 0;
    while at < labels.len() {
        labels[at] = Label::new(IDENTITY[at].0);
        at += 1;
    }
    labels
};

/// The member whose key starts at `pos` if it is one of those after the last one found, and the position after its
/// colon.
#[inline(always)]
fn expected(bytes: &[u8], pos: usize, next: &mut usize) -> Option<(Identity, usize)> {
    let look = bytes.get(pos..)?.first_chunk::<LOOK>()?;
    for at in *next..(*next + 3).min(IDENTITY.len()) {
        let label = &LABELS[at];
        if label.starts(look) {
            *next = at + 1;
            return Some((IDENTITY[at].1, pos + label.len));
        }
    }
    None
}

/// The member called `key`, wherever it stands.
fn known(key: Key<'_>, next: &mut usize) -> Option<Identity> {
    let found = IDENTITY.iter().position(|(name, _)| key.is(name))?;
    *next = found + 1;
    IDENTITY.get(found).map(|(_, member)| *member)
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Identities([Span; 10]);

impl Identities {
    /// Notes the members of the object at `pos` down; the position after it. `None` if it is no object or broken.
    pub(super) fn scan(&mut self, bytes: &[u8], pos: usize) -> Option<usize> {
        if bytes.get(pos) != Some(&b'{') {
            return None;
        }
        let mut walk = Walk::nested(bytes, pos);
        let mut next = 0;
        while let Some(at) = walk.key_start().ok()? {
            let (found, start) = match expected(bytes, at, &mut next) {
                Some((member, after)) => (Some(member), walk.value(after)),
                None => {
                    let (key, start) = walk.key(at).ok()?;
                    (known(key, &mut next), start)
                }
            };
            let seen = found.is_some_and(|member| self.0[member as usize].end != 0);
            let inside = match found {
                Some(Identity::SessionContext) if !seen => self.session(bytes, start),
                _ => None,
            };
            let end = inside.or_else(|| skip_value(bytes, start))?;
            walk.go_on(end);
            if let Some(member) = found.filter(|_| !seen) {
                self.0[member as usize] = Span::new(start, end);
            }
        }
        Some(walk.end())
    }

    /// The same for `sessionContext`.
    fn session(&mut self, bytes: &[u8], pos: usize) -> Option<usize> {
        if bytes.get(pos) != Some(&b'{') {
            return None;
        }
        let mut walk = Walk::nested(bytes, pos);
        let mut seen = false;
        while let Some((key, start)) = walk.next().ok()? {
            let issuer = !seen && key.is("sessionIssuer");
            seen |= issuer;
            let inside = if issuer { self.issuer(bytes, start) } else { None };
            let end = inside.or_else(|| skip_value(bytes, start))?;
            walk.go_on(end);
        }
        Some(walk.end())
    }

    fn issuer(&mut self, bytes: &[u8], pos: usize) -> Option<usize> {
        if bytes.get(pos) != Some(&b'{') {
            return None;
        }
        let mut walk = Walk::nested(bytes, pos);
        while let Some((key, start)) = walk.next().ok()? {
            let end = walk.skip().ok()?;
            let member = if key.is("arn") {
                Identity::IssuerArn
            } else if key.is("userName") {
                Identity::IssuerUserName
            } else {
                continue;
            };
            let span = &mut self.0[member as usize];
            if span.end == 0 {
                *span = Span::new(start, end);
            }
        }
        Some(walk.end())
    }

    #[inline]
    pub(super) fn get<'a>(&self, bytes: &'a [u8], member: Identity) -> Option<Json<'a>> {
        self.0[member as usize].of(bytes)
    }
}

/// How many members are noted down; requests have seldom more.
const NOTED: usize = 16;

/// The members of an object of any kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Members {
    /// Key between the quotes, and value.
    noted: [(Span, Span); NOTED],
    count: usize,
    /// Whether those noted down are all there are.
    all: bool,
}

/// What [`Members::get`] knows.
pub(super) enum Lookup {
    /// The value.
    Found(Span),
    /// There is no such member.
    Missing,
    /// The object has to be asked.
    Unknown,
}

impl Members {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.all = false;
    }

    /// Notes the members of the object at `pos` down; the position after it. `None` if it is no object or broken.
    pub(super) fn scan(&mut self, bytes: &[u8], pos: usize) -> Option<usize> {
        if bytes.get(pos) != Some(&b'{') {
            return None;
        }
        self.all = true;
        let end = self.note(Walk::nested(bytes, pos), bytes);
        if end.is_none() {
            self.clear();
        }
        end
    }

    fn note(&mut self, mut walk: Walk<'_>, bytes: &[u8]) -> Option<usize> {
        while let Some((key, start)) = walk.next().ok()? {
            let end = walk.skip().ok()?;
            match self.noted.get_mut(self.count) {
                // A key with an escape in it has to be compared with care: the object is asked.
                Some(_) if key.is_escaped() => return None,
                Some(slot) => {
                    let key_start = start_of(key.bytes(), bytes);
                    *slot = (Span::new(key_start, key_start + key.bytes().len()), Span::new(start, end));
                    self.count += 1;
                }
                None => self.all = false,
            }
        }
        Some(walk.end())
    }

    #[inline]
    pub(super) fn get(&self, bytes: &[u8], key: &str) -> Lookup {
        for (noted, value) in self.noted.iter().take(self.count) {
            let noted = bytes.get(noted.start as usize..noted.end as usize).unwrap_or_default();
            if noted == key.as_bytes() {
                return Lookup::Found(*value);
            }
        }
        if self.all { Lookup::Missing } else { Lookup::Unknown }
    }
}

/// Where `part`, a piece of `bytes`, starts in it.
#[inline]
fn start_of(part: &[u8], bytes: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize)
}
