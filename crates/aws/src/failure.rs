//! An SDK error read once into plain parts: the SDK's own types differ for every call.

use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::fmt;

/// What went wrong below HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// The host's name could not be resolved.
    Dns,
    /// Nothing listens at that address.
    Refused,
    /// The connection broke.
    Reset,
    /// No answer in time.
    Timeout,
    /// The certificate or the handshake was refused; with rustls's reason.
    Tls(String),
    /// Another fault of the connection.
    Other(String),
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Dns => f.write_str("host name not found"),
            Transport::Refused => f.write_str("connection refused"),
            Transport::Reset => f.write_str("connection reset"),
            Transport::Timeout => f.write_str("timed out"),
            Transport::Tls(reason) => write!(f, "TLS: {reason}"),
            Transport::Other(reason) => f.write_str(reason),
        }
    }
}

/// The parts of a failed call that an explanation needs. Absent parts are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// AWS's error code, `AccessDenied`.
    pub code: Option<String>,
    /// AWS's message.
    pub message: Option<String>,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The bucket's region as the answer names it (`x-amz-bucket-region`, `<Region>`, `<Endpoint>`).
    pub region: Option<String>,
    /// Our time as the server understood it, for clock skew.
    pub request_time: Option<String>,
    /// The server's time.
    pub server_time: Option<String>,
    /// `x-amz-request-id`, for AWS's support.
    pub request_id: Option<String>,
    /// The fault, when there was no answer.
    pub transport: Option<Transport>,
    /// No region was set.
    pub no_region: bool,
    /// The credential provider gave nothing; with its story.
    pub no_credentials: Option<String>,
    /// The SDK's whole chain of messages in one line.
    pub text: String,
}

impl Failure {
    /// Reads a failed call.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut failure = Failure::of_error(error);
        // `of_error` knows only errors of STS; here the type is at hand.
        failure.code = error.code().map(str::to_owned).or(failure.code);
        failure.message = error.message().map(str::to_owned).or(failure.message);
        if let Some(response) = error.raw_response() {
            failure.read_response(response);
        }
        failure
    }

    /// Reads any error whose sources may hold one of the SDK's.
    pub fn of_error(error: &(dyn Error + 'static)) -> Failure {
        let text = crate::text::chain_text(error);
        let mut failure = Failure { transport: transport(error, &text), ..Failure::default() };
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(story) = error.downcast_ref::<crate::chain::ChainError>() {
                failure.no_credentials = Some(story.to_string());
                failure.transport = None;
            }
            if let Some(meta) = metadata(error) {
                failure.code = meta.code().map(str::to_owned).or(failure.code);
                failure.message = meta.message().map(str::to_owned).or(failure.message);
            }
            next = error.source();
        }
        let lower = text.to_ascii_lowercase();
        failure.no_region = lower.contains("missing region")
            || lower.contains("region must be set")
            || lower.contains("region was not a valid dns name");
        failure.text = text;
        failure
    }

    fn read_response(&mut self, response: &HttpResponse) {
        self.status = Some(response.status().as_u16());
        let header = |name: &str| response.headers().get(name).map(str::to_owned);
        self.request_id = header("x-amz-request-id").or_else(|| header("x-amzn-requestid"));
        self.server_time = header("date");
        self.region = header("x-amz-bucket-region");
        let Some(body) = response.body().bytes().and_then(|b| std::str::from_utf8(b).ok()) else { return };
        self.code = self.code.take().or_else(|| tag(body, "Code"));
        self.message = self.message.take().or_else(|| tag(body, "Message"));
        self.region = self
            .region
            .take()
            .or_else(|| tag(body, "Region"))
            .or_else(|| tag(body, "Endpoint").and_then(|e| region_of_endpoint(&e)))
            // AuthorizationHeaderMalformed: "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
            .or_else(|| quoted_after(self.message.as_deref().unwrap_or_default(), "expecting "));
        self.request_time = tag(body, "RequestTime");
        self.server_time = tag(body, "ServerTime").or_else(|| self.server_time.take());
    }
}

fn metadata<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a aws_smithy_types::error::ErrorMetadata> {
    if let Some(e) = error.downcast_ref::<AssumeRoleError>() {
        return Some(e.meta());
    }
    if let Some(e) = error.downcast_ref::<AssumeRoleWithWebIdentityError>() {
        return Some(e.meta());
    }
    if let Some(e) = error.downcast_ref::<GetCallerIdentityError>() {
        return Some(e.meta());
    }
    error.downcast_ref::<aws_smithy_types::error::ErrorMetadata>()
}

fn transport(error: &(dyn Error + 'static), text: &str) -> Option<Transport> {
    let mut kind = None;
    let mut next = Some(error);
    while let Some(error) = next {
        kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
        next = error.source();
    }
    let lower = text.to_ascii_lowercase();
    let tls = [
        "invalid peer certificate",
        "certificate",
        "handshake",
        "tls",
        "invalidcontenttype",
        "corrupt message",
    ];
    if lower.contains("dns error") || lower.contains("lookup address") || lower.contains("no record found") {
        Some(Transport::Dns)
    } else if lower.contains("connection refused") || kind == Some(std::io::ErrorKind::ConnectionRefused) {
        Some(Transport::Refused)
    } else if lower.contains("timeout")
        || lower.contains("timed out")
        || kind == Some(std::io::ErrorKind::TimedOut)
    {
        Some(Transport::Timeout)
    } else if lower.contains("peer certificate")
        || (kind.is_some() && tls.iter().any(|word| lower.contains(word)))
    {
        Some(Transport::Tls(
            text.rsplit(": ").take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(": "),
        ))
    } else if lower.contains("connection reset") || kind == Some(std::io::ErrorKind::ConnectionReset) {
        Some(Transport::Reset)
    } else if lower.contains("client error (connect)")
        || lower.contains("connection closed")
        || kind.is_some()
    {
        Some(Transport::Other(text.to_owned()))
    } else {
        None
    }
}

/// The text of the first `<name>…</name>`: S3's error bodies are flat.
fn tag(body: &str, name: &str) -> Option<String> {
    let rest = body.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0.to_owned()).filter(|text| !text.is_empty())
}

/// `bucket.s3.eu-west-1.amazonaws.com` or `bucket.s3-eu-west-1.amazonaws.com` → `eu-west-1`.
fn region_of_endpoint(endpoint: &str) -> Option<String> {
    let host = endpoint.strip_suffix(".amazonaws.com")?;
    let last = host.rsplit('.').next()?;
    let region = last.strip_prefix("s3-").unwrap_or(last);
    (region.matches('-').count() >= 2).then(|| region.to_owned())
}

fn quoted_after(message: &str, mark: &str) -> Option<String> {
    let rest = message.split_once(mark)?.1.trim_start_matches('\'');
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
    Some(rest.get(..end)?.to_owned()).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_in_answers() {
        assert_eq!(region_of_endpoint("b.s3.eu-west-1.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region_of_endpoint("b.s3-eu-west-1.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region_of_endpoint("b.s3.amazonaws.com"), None);
        let message =
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
        assert_eq!(quoted_after(message, "expecting ").as_deref(), Some("eu-west-1"));
        assert_eq!(tag("<Error><Code>NoSuchKey</Code></Error>", "Code").as_deref(), Some("NoSuchKey"));
    }

    #[test]
    fn faults_of_the_connection_by_kind() {
        let io = |kind| std::io::Error::new(kind, "x");
        let of = |e: std::io::Error| Failure::of_error(&e).transport;
        assert_eq!(of(io(std::io::ErrorKind::ConnectionRefused)), Some(Transport::Refused));
        assert_eq!(of(io(std::io::ErrorKind::TimedOut)), Some(Transport::Timeout));
        assert_eq!(
            of(std::io::Error::other("dns error: failed to lookup address information")),
            Some(Transport::Dns)
        );
        let tls = of(std::io::Error::other("invalid peer certificate: UnknownIssuer"));
        assert_eq!(tls, Some(Transport::Tls("invalid peer certificate: UnknownIssuer".into())));
    }
}
