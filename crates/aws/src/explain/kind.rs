//! The kinds of failure that have a remedy of their own.

use super::Call;
use crate::failure::{Failure, Transport};
use serde::Serialize;

/// What kind of fault a failed call shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `s3:ListBucket` is missing.
    AccessDeniedList,
    /// `s3:GetObject` is missing.
    AccessDeniedGet,
    /// The object may be read, its KMS key may not be used.
    AccessDeniedDecrypt,
    /// Another call was refused.
    AccessDenied,
    /// The KMS key is disabled, pending deletion or gone.
    KmsKeyUnusable,
    /// There is no such bucket.
    NoSuchBucket,
    /// There is no such object.
    NoSuchKey,
    /// The bucket lives in another region.
    WrongRegion,
    /// AWS does not know the access key.
    InvalidAccessKeyId,
    /// The secret does not belong to the key.
    SignatureDoesNotMatch,
    /// The session has run out.
    ExpiredToken,
    /// The session token is not one.
    InvalidToken,
    /// The clock of this machine is off.
    ClockSkew,
    /// No region is set.
    NoRegion,
    /// No link of the chain gave credentials.
    NoCredentials,
    /// The host's name could not be resolved.
    Dns,
    /// Nothing listens there, or the connection broke.
    ConnectionRefused,
    /// No answer in time.
    Timeout,
    /// The server's certificate is not trusted.
    Tls,
    /// AWS asks to slow down.
    Throttled,
    /// The archive class must be restored first.
    Archived,
    /// A fault on the server's side.
    Server,
    /// Anything else.
    Other,
}

impl Kind {
    /// True where trying again without any change can help.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Kind::Throttled
                | Kind::Server
                | Kind::Timeout
                | Kind::Dns
                | Kind::ConnectionRefused
                | Kind::ClockSkew
        )
    }

    pub(super) fn of(failure: &Failure, call: Call) -> Kind {
        if failure.no_credentials.is_some() {
            return Kind::NoCredentials;
        }
        let message = failure.message.as_deref().unwrap_or_default();
        match failure.code.as_deref().unwrap_or_default() {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
                Kind::ExpiredToken
            }
            "InvalidToken" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
                match failure.code.as_deref() {
                    Some("InvalidToken") => Kind::InvalidToken,
                    _ => Kind::InvalidAccessKeyId,
                }
            }
            "InvalidAccessKeyId" => Kind::InvalidAccessKeyId,
            "SignatureDoesNotMatch"
                if message.contains("not yet current") || message.contains("Signature expired") =>
            {
                Kind::ClockSkew
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Kind::SignatureDoesNotMatch,
            "RequestTimeTooSkewed" => Kind::ClockSkew,
            "NoSuchBucket" => Kind::NoSuchBucket,
            "NoSuchKey" | "NoSuchVersion" => Kind::NoSuchKey,
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "Redirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => Kind::WrongRegion,
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException" => Kind::Throttled,
            "InvalidObjectState" => Kind::Archived,
            code if code.starts_with("KMS.") => Kind::KmsKeyUnusable,
            "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "AccountProblem" => {
                denied(message, call)
            }
            _ => Kind::without_code(failure, call),
        }
    }

    /// By status and connection: a refused `HEAD` has no body.
    fn without_code(failure: &Failure, call: Call) -> Kind {
        match (failure.status, &failure.transport) {
            (Some(301 | 307), _) => Kind::WrongRegion,
            (Some(403), _) => denied(failure.message.as_deref().unwrap_or_default(), call),
            (Some(404), _) if call == Call::HeadBucket => Kind::NoSuchBucket,
            (Some(404), _) => Kind::NoSuchKey,
            (Some(503 | 429), _) => Kind::Throttled,
            (Some(500..), _) => Kind::Server,
            (_, Some(Transport::Dns)) => Kind::Dns,
            (_, Some(Transport::Refused | Transport::Reset)) => Kind::ConnectionRefused,
            (_, Some(Transport::Timeout)) => Kind::Timeout,
            (_, Some(Transport::Tls(_))) => Kind::Tls,
            _ if failure.no_region => Kind::NoRegion,
            _ => Kind::Other,
        }
    }
}

fn denied(message: &str, call: Call) -> Kind {
    if message.contains("kms:Decrypt") || message.contains("KMS") || message.contains("ciphertext") {
        return Kind::AccessDeniedDecrypt;
    }
    match call {
        Call::ListObjects | Call::HeadBucket => Kind::AccessDeniedList,
        Call::GetObject | Call::GetVersion => Kind::AccessDeniedGet,
        _ => Kind::AccessDenied,
    }
}
