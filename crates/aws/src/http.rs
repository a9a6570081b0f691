//! HTTP clients: certificate authorities, proxy, and a second client without a proxy for metadata services.

use crate::config::AwsConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A CA bundle or proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The bundle could not be read.
    #[error("aws.ca_bundle: cannot read {}: {problem}", path.display())]
    Unreadable {
        /// The configured path.
        path: PathBuf,
        /// The system's message.
        problem: String,
    },
    /// The bundle holds no usable certificate.
    #[error("aws.ca_bundle: {} holds no usable certificate: {problem}; give a PEM file of CERTIFICATE blocks", path.display())]
    NotPem {
        /// The configured path.
        path: PathBuf,
        /// The parser's message.
        problem: String,
    },
    /// The proxy's URL could not be parsed.
    #[error("aws.proxy_url: {problem}")]
    Proxy {
        /// The parser's message, without the URL.
        problem: String,
    },
    /// The SDK refused the TLS settings.
    #[error("TLS could not be set up: {problem}")]
    Tls {
        /// The SDK's message.
        problem: String,
    },
}

/// The two clients of a configuration.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// For AWS itself: proxy and CA bundle apply.
    pub outbound: SharedHttpClient,
    /// For addresses on this machine (metadata service, container endpoint): never through a proxy.
    pub local: SharedHttpClient,
}

impl Http {
    pub(crate) fn new(config: &AwsConfig) -> Result<Http, HttpError> {
        let bundle = if config.ca_bundle.is_empty() {
            std::env::var("AWS_CA_BUNDLE").unwrap_or_default()
        } else {
            config.ca_bundle.clone()
        };
        let roots =
            if bundle.is_empty() { system_or_built_in_roots() } else { bundle_roots(Path::new(&bundle))? };
        let tls = TlsContext::builder()
            .with_trust_store(roots)
            .build()
            .map_err(|e| HttpError::Tls { problem: e.to_string() })?;
        Ok(Http {
            outbound: client(tls.clone(), proxy(&config.proxy_url)?),
            local: client(tls, ProxyConfig::disabled()),
        })
    }
}

fn client(tls: TlsContext, proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls.clone()).build()
    })
}

/// Where a proxy is set, and its URL: `aws.proxy_url`, else the first variable that the SDK looks at.
pub(crate) fn proxy_in_use(url: &str) -> Option<(&'static str, String)> {
    if !url.is_empty() {
        return Some(("aws.proxy_url", url.to_owned()));
    }
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find_map(|name| Some((name, std::env::var(name).ok().filter(|url| !url.is_empty())?)))
}

fn proxy(url: &str) -> Result<ProxyConfig, HttpError> {
    if url.is_empty() {
        return Ok(ProxyConfig::from_env());
    }
    let excluded =
        ["NO_PROXY", "no_proxy"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    // The user and password of the URL are understood by the SDK's matcher; its error may quote the URL.
    let config = ProxyConfig::all(url).map_err(|_| HttpError::Proxy {
        problem: format!("{} is not a URL", crate::text::without_userinfo(url)),
    })?;
    Ok(if excluded.is_empty() { config } else { config.no_proxy(excluded) })
}

/// The system's certificate authorities; Mozilla's, built in, where the system has none (bare images).
fn system_or_built_in_roots() -> TrustStore {
    static SYSTEM_HAS_ROOTS: LazyLock<bool> = LazyLock::new(|| {
        let found = rustls_native_certs::load_native_certs();
        let usable = found.certs.iter().any(|cert| webpki::anchor_from_trusted_cert(cert).is_ok());
        if !usable {
            tracing::info!(
                "this system has no certificate authorities; the built-in ones of Mozilla are used"
            );
        }
        usable
    });
    if *SYSTEM_HAS_ROOTS {
        return TrustStore::empty().with_native_roots(true);
    }
    let mut pem = String::new();
    for cert in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        pem.push_str(&aws_smithy_types::base64::encode(cert));
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    TrustStore::empty().with_pem_certificate(pem)
}

/// Reads and checks a bundle: the SDK panics on a certificate that it cannot parse.
fn bundle_roots(path: &Path) -> Result<TrustStore, HttpError> {
    let bytes = std::fs::read(path)
        .map_err(|e| HttpError::Unreadable { path: path.to_path_buf(), problem: e.to_string() })?;
    let not_pem = |problem: String| HttpError::NotPem { path: path.to_path_buf(), problem };
    let mut kept = String::new();
    let mut refused = None;
    for cert in CertificateDer::pem_slice_iter(&bytes) {
        let cert = cert.map_err(|e| not_pem(e.to_string()))?;
        match webpki::anchor_from_trusted_cert(&cert) {
            Ok(_) => {
                kept.push_str("-----BEGIN CERTIFICATE-----\n");
                kept.push_str(&aws_smithy_types::base64::encode(&cert));
                kept.push_str("\n-----END CERTIFICATE-----\n");
            }
            Err(problem) => refused = Some(problem.to_string()),
        }
    }
    if kept.is_empty() {
        return Err(not_pem(refused.unwrap_or_else(|| "no CERTIFICATE block".to_owned())));
    }
    Ok(TrustStore::empty().with_pem_certificate(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_an_error_and_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "hello").unwrap();
        assert!(matches!(bundle_roots(&path), Err(HttpError::NotPem { .. })));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(matches!(bundle_roots(&path), Err(HttpError::NotPem { .. })));
        assert!(matches!(bundle_roots(&folder.path().join("none")), Err(HttpError::Unreadable { .. })));
    }

    #[test]
    fn the_built_in_roots_are_usable() {
        assert!(
            webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .all(|c| webpki::anchor_from_trusted_cert(c).is_ok())
        );
    }

    #[test]
    fn a_bad_proxy_does_not_show_its_password() {
        let shown = proxy("http://me:hunter2@ bad").unwrap_err().to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
