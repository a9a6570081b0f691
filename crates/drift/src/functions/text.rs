//! Functions of a text.

use serde_json::Value;
use sha1::{Digest, Sha1};
use tfdrift_mapping::Function;

use crate::{coerce, equal};

/// `function(x[, a[, b]])`; `None` for a function that is none of a text.
pub fn plain(function: Function, x: &str, a: Option<String>, b: Option<String>) -> Option<Value> {
    let out = match function {
        Function::Lower => x.to_lowercase(),
        Function::Upper => x.to_uppercase(),
        Function::Replace => x.replace(&a?, &b?),
        Function::After => x.rsplit_once(a?.as_str()).map_or(x, |(_, t)| t).to_owned(),
        Function::Before => x.split_once(a?.as_str()).map_or(x, |(t, _)| t).to_owned(),
        Function::Unbase64 => {
            let bytes = data_encoding::BASE64_MIME_PERMISSIVE.decode(x.as_bytes()).ok()?;
            String::from_utf8(bytes).ok()?
        }
        Function::Sha1 => data_encoding::HEXLOWER.encode(&Sha1::digest(x.as_bytes())),
        Function::ArnTail if x.starts_with("arn:") || x.contains('/') => equal::tail(x).to_owned(),
        Function::ArnTail => x.to_owned(),
        Function::ArnResource if x.starts_with("arn:") => x.splitn(6, ':').nth(5).unwrap_or(x).to_owned(),
        Function::ArnResource => x.to_owned(),
        Function::Dns => x.trim_end_matches('.').replace("\\052", "*").to_ascii_lowercase(),
        Function::Protocol => protocol(x).to_owned(),
        Function::Cidr => cidr(x),
        Function::Seconds => {
            return seconds(x).and_then(|s| coerce::number(&s.to_string())).map(Value::Number);
        }
        _ => return None,
    };
    Some(Value::String(out))
}

/// Whether two paths of API Gateway's patch operations name the same thing.
///
/// They are JSON pointers, in which `~1` stands for a slash within a name, but callers write both: the settings of
/// one method come as `/~1orders/GET/…` from the console and as `/orders/GET/…` from Terraform.
pub fn same_pointer(a: &str, b: &str) -> bool {
    let plain = |pointer: &str| {
        let plain = pointer.replace("~1", "/").replace("~0", "~");
        plain.trim_start_matches('/').to_ascii_lowercase()
    };
    a.eq_ignore_ascii_case(b) || plain(a) == plain(b)
}

/// A protocol's number or name as the provider writes it in a security group: the name where it knows one, `-1` for all.
pub fn protocol(x: &str) -> &str {
    match x {
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        "all" | "ALL" => "-1",
        "TCP" => "tcp",
        "UDP" => "udp",
        "ICMP" => "icmp",
        other => other,
    }
}

/// The network of a CIDR block: host bits cleared, IPv6 in its short form. What is no CIDR block stays as it is.
pub fn cidr(x: &str) -> String {
    let parsed = || {
        let (address, bits) = x.split_once('/')?;
        let (address, bits) = (address.parse::<std::net::IpAddr>().ok()?, bits.parse::<u32>().ok()?);
        Some(match address {
            std::net::IpAddr::V4(a) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                format!("{}/{bits}", std::net::Ipv4Addr::from(u32::from(a) & mask))
            }
            std::net::IpAddr::V6(a) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                format!("{}/{bits}", std::net::Ipv6Addr::from(u128::from(a) & mask))
            }
            _ => return None,
        })
    };
    parsed().unwrap_or_else(|| x.to_owned())
}

/// ISO 8601 duration (`PT5M`, `P1DT2H`) or a plain number, in seconds.
pub fn seconds(x: &str) -> Option<f64> {
    if let Ok(n) = x.parse() {
        return Some(n);
    }
    let mut rest = x.strip_prefix('P')?;
    let (mut total, mut time) = (0.0, false);
    while !rest.is_empty() {
        if let Some(r) = rest.strip_prefix('T') {
            (rest, time) = (r, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let n: f64 = rest.get(..end)?.parse().ok()?;
        total += n * match (rest.as_bytes().get(end)?, time) {
            (b'W', false) => 604_800.0,
            (b'D', false) => 86_400.0,
            (b'H', true) => 3_600.0,
            (b'M', true) => 60.0,
            (b'S', true) => 1.0,
            _ => return None,
        };
        rest = rest.get(end + 1..)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_with_and_without_escapes_are_the_same() {
        assert!(same_pointer("/~1orders~1{id}/GET/logging/loglevel", "/orders/{id}/GET/logging/logLevel"));
        assert!(same_pointer("/a~0b", "/a~b"));
        assert!(!same_pointer("/~1orders/GET/metrics/enabled", "/*/*/metrics/enabled"));
        assert!(!same_pointer("/~1orders/GET/metrics/enabled", "/orders/POST/metrics/enabled"));
    }

    #[test]
    fn networks_durations_and_names() {
        assert_eq!(cidr("10.1.2.3/8"), "10.0.0.0/8");
        assert_eq!(cidr("0.0.0.0/0"), "0.0.0.0/0");
        assert_eq!(cidr("2001:DB8::1/32"), "2001:db8::/32");
        assert_eq!(cidr("::/0"), "::/0");
        assert_eq!(cidr("pl-1"), "pl-1");
        assert_eq!(seconds("PT1H30M"), Some(5400.0));
        assert_eq!(seconds("P1D"), Some(86_400.0));
        assert_eq!(seconds("45"), Some(45.0));
        assert_eq!(seconds("P1X"), None);
        assert_eq!(
            plain(Function::Dns, "WWW.\\052.example.com.", None, None),
            Some("www.*.example.com".into())
        );
        assert_eq!(plain(Function::ArnTail, "arn:aws:iam::1:role/a/b", None, None), Some("b".into()));
    }
}
