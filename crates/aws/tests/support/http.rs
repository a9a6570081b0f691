//! A small HTTP/1.1 server on loopback whose answers are given by a closure.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// What a client sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Who calls, for those who do not mind.
#[allow(dead_code)]
pub const FALCO: &str = "arn:aws:sts::111122223333:assumed-role/falco/tfdrift";

/// What it gets.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    pub fn new(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.into() }
    }

    /// What STS answers to GetCallerIdentity: a role of account 111122223333.
    #[allow(dead_code)]
    pub fn identity(arn: &str) -> Response {
        let result = format!(
            "<GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AROA:tfdrift</UserId><Account>111122223333</Account>\
             </GetCallerIdentityResult>"
        );
        Response::new(200, &format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
    }

    pub fn with(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The server. Its thread ends with the test program.
pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (seen.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || {
                    let _ = serve(&stream, &stream, &log, answer.as_ref());
                });
            }
        });
        Server { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|r| format!("{} {}", r.method, r.path)).collect()
    }
}

/// Reads one request and answers it.
pub fn serve(
    input: impl Read,
    mut output: impl Write,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Response,
) -> std::io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = String::new();
    input.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) =
        (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length =
        headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let request = Request { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() };
    log.lock().unwrap().push(request.clone());
    let response = answer(&request);
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = if request.method == "HEAD" { "" } else { response.body.as_str() };
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    output.write_all(head.as_bytes())?;
    output.flush()
}

/// A port of loopback at which nothing listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
