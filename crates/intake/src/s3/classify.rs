//! What to do about an answer of S3 that is no success.
//! Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use crate::store::{StoreError, StoreErrorKind};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// An SDK's error, with what to do about it and its cause first.
pub fn error<E>(call: &'static str, target: String, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let (kind, message) = match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or_default();
            let text = service.err().message().unwrap_or_default();
            let kind = answer(call, status, code, text);
            let message = match (code, text) {
                ("", "") => format!("HTTP status {status}"),
                ("", text) => text.to_owned(),
                (code, "") => code.to_owned(),
                (code, text) => format!("{code}: {text}"),
            };
            (kind, message)
        }
        SdkError::TimeoutError(_) => (StoreErrorKind::Transient, cause_first(error)),
        _ => {
            let message = cause_first(error);
            (no_answer(status, &message), message)
        }
    };
    StoreError::new(kind, call, target, message)
}

fn answer(call: &str, status: u16, code: &str, text: &str) -> StoreErrorKind {
    let kms = code.starts_with("KMS.") || text.contains("kms:") || text.contains("KMS");
    match code {
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequests" => {
            StoreErrorKind::Throttled
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "TokenRefreshRequired"
        | "InvalidToken"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "RequestTimeTooSkewed"
        | "RequestExpired" => StoreErrorKind::Credentials,
        "NoSuchBucket"
        | "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => StoreErrorKind::NoBucket,
        "NoSuchKey" | "NoSuchVersion" => StoreErrorKind::NotFound,
        "PreconditionFailed" => StoreErrorKind::Changed,
        "RequestTimeout" | "InternalError" | "ServiceUnavailable" => StoreErrorKind::Transient,
        _ if kms => StoreErrorKind::Decrypt,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "InvalidObjectState" => {
            StoreErrorKind::Denied
        }
        _ => match status {
            429 | 503 => StoreErrorKind::Throttled,
            403 => StoreErrorKind::Denied,
            404 if call == "GetObject" => StoreErrorKind::NotFound,
            404 | 301 => StoreErrorKind::NoBucket,
            412 => StoreErrorKind::Changed,
            408 | 500..=599 => StoreErrorKind::Transient,
            _ => StoreErrorKind::Other,
        },
    }
}

/// No answer that could be read: the network, or nothing to sign the request with.
fn no_answer(status: u16, message: &str) -> StoreErrorKind {
    let lower = message.to_ascii_lowercase();
    if lower.contains("credential") || lower.contains("identity") {
        return StoreErrorKind::Credentials;
    }
    match status {
        429 | 503 => StoreErrorKind::Throttled,
        403 => StoreErrorKind::Denied,
        _ => StoreErrorKind::Transient,
    }
}

/// The innermost cause, then what it led to, in one line.
pub fn cause_first(error: &(dyn Error + 'static)) -> String {
    let mut chain = vec![error.to_string()];
    let mut source = error.source();
    while let Some(inner) = source {
        chain.push(inner.to_string());
        source = inner.source();
    }
    chain.dedup();
    let cause = chain.pop().unwrap_or_default();
    let led_to: Vec<String> = chain.into_iter().filter(|text| !text.contains(&cause)).collect();
    let text = if led_to.is_empty() { cause } else { format!("{cause} ({})", led_to.join(": ")) };
    text.replace(['\n', '\0'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use StoreErrorKind::*;

    #[test]
    fn every_answer_has_its_remedy() {
        for (call, status, code, text, kind) in [
            ("GetObject", 503, "SlowDown", "", Throttled),
            ("GetObject", 503, "", "", Throttled),
            ("GetObject", 500, "InternalError", "", Transient),
            ("GetObject", 400, "ExpiredToken", "", Credentials),
            ("ListObjectsV2", 403, "InvalidAccessKeyId", "", Credentials),
            ("ListObjectsV2", 403, "RequestTimeTooSkewed", "", Credentials),
            ("GetObject", 403, "AccessDenied", "not authorized to perform: s3:GetObject", Denied),
            ("GetObject", 403, "AccessDenied", "not authorized to perform: kms:Decrypt", Decrypt),
            ("GetObject", 400, "KMS.DisabledException", "", Decrypt),
            ("GetObject", 404, "NoSuchKey", "", NotFound),
            ("GetObject", 404, "", "", NotFound),
            ("ListObjectsV2", 404, "NoSuchBucket", "", NoBucket),
            ("ListObjectsV2", 301, "PermanentRedirect", "", NoBucket),
            ("GetObject", 412, "PreconditionFailed", "", Changed),
            ("GetObject", 416, "InvalidRange", "", Other),
        ] {
            assert_eq!(answer(call, status, code, text), kind, "{code} {text}");
        }
        assert_eq!(no_answer(0, "no providers in chain provided credentials"), Credentials);
        assert_eq!(no_answer(0, "dns error"), Transient);
    }

    #[test]
    fn the_cause_comes_first() {
        #[derive(Debug, thiserror::Error)]
        #[error("dispatch failure")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("connection refused"));
        assert_eq!(cause_first(&error), "connection refused (dispatch failure)");
    }
}
