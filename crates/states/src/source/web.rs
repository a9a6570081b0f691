//! One HTTP client for the places that speak it plainly.

use std::time::Duration;

use reqwest::header::{ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Client, ClientBuilder, Request, Response};

use crate::error::PlaceError;

/// More than any state.
const MAX_BODY_BYTES: usize = 2 << 30;

/// Settings that every client has.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("tfdrift/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
}

/// Sends a request.
pub(crate) async fn send(client: &Client, request: Request, name: &str) -> Result<Response, PlaceError> {
    client.execute(request).await.map_err(|error| unreachable_server(name, error))
}

/// The body.
pub(crate) async fn body(mut response: Response, name: &str) -> Result<Vec<u8>, PlaceError> {
    let mut bytes = Vec::with_capacity(response.content_length().map_or(0, |n| n.min(1 << 28) as usize));
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_server(name, error))? {
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(PlaceError::remote(name, "the answer is larger than 2 GB; is it a state?"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The ETag of an answer.
pub(crate) fn etag(headers: &HeaderMap) -> Option<String> {
    headers.get(ETAG).and_then(|v| v.to_str().ok()).map(str::to_owned)
}

/// The time in `Last-Modified`, in nanoseconds since the epoch.
pub(crate) fn modified_ns(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(LAST_MODIFIED)?.to_str().ok()?;
    nanoseconds(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// Nanoseconds since the epoch.
pub(crate) fn nanoseconds(time: jiff::Timestamp) -> Option<u64> {
    u64::try_from(time.as_nanosecond()).ok()
}

/// The innermost cause: reqwest's own text only says that sending failed. Without the URL, which may hold a token.
fn unreachable_server(name: &str, error: reqwest::Error) -> PlaceError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    PlaceError::remote(
        name,
        format!("cannot be reached: {cause}; check address, network, proxy and certificates"),
    )
}
