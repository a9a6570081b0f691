//! S3 in this process: `s3s-fs` over a folder, and a server that answers what a test tells it to.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tfdrift_intake::s3::S3Connect;
use tfdrift_intake::{Connect, ConnectError};

pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "not-a-secret-of-anybody";

/// A server over `folder`, whose sub-folders are buckets; it lives as long as what is returned.
pub struct Server {
    pub address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let files = s3s_fs::FileSystem::new(folder).unwrap();
        let mut service = s3s::service::S3ServiceBuilder::new(files);
        service.set_auth(s3s::auth::SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, _runtime: runtime }
    }
}

/// A client for a server on this machine.
pub fn client(address: SocketAddr) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(KEY, SECRET, None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

pub fn connect(address: SocketAddr) -> Arc<dyn Connect> {
    Arc::new(S3Connect(
        move |_bucket: String| -> tfdrift_intake::store::BoxFuture<'static, Result<Client, ConnectError>> {
            Box::pin(async move { Ok(client(address)) })
        },
    ))
}

/// A server that answers each request with what `answer` says, byte by byte, and then closes the connection.
pub struct Scripted {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `answer`: from the request's first line and headers to the whole answer; `None`: never.
    pub fn start(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &seen, answer.as_ref()));
            }
        });
        Self { address, requests }
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Option<Vec<u8>>) {
    let mut request = Vec::new();
    let mut buf = [0; 4096];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buf) {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&buf[..n]),
        }
    }
    let head = String::from_utf8_lossy(&request);
    seen.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
    match answer(&head) {
        Some(bytes) => drop(stream.write_all(&bytes)),
        None => std::thread::sleep(std::time::Duration::from_secs(30)),
    }
}

/// A whole answer.
pub fn http(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Type: application/xml\r\nConnection: close\r\nETag: \"x\"\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// An error as S3 writes it.
pub fn refusal(status: &str, code: &str, message: &str) -> Vec<u8> {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    http(status, body.len(), body.as_bytes())
}
