//! One object fetched, decrypted, inflated and split: what the plugin will do with all of them.

use super::bucket::Object;
use super::report::{Report, Step};
use std::io::Read;
use tfdrift_aws::{Asked, Aws, Bucket, Kind};
use tfdrift_cloudtrail::Record;

/// Larger ones are only begun.
const MAX_FETCH_BYTES: u64 = 32 << 20;
/// A bound for what one object may inflate to here.
const MAX_INFLATED_BYTES: u64 = 512 << 20;

/// `source.max_record_bytes`, as it is by default.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// Reports `get` and `decrypt`.
pub async fn examine(
    aws: &Aws,
    found: &Bucket,
    bucket: &str,
    prefix: &str,
    object: &Object,
    report: &mut Report,
) {
    let call = found.client.get_object().bucket(bucket).key(&object.key);
    let part = object.size_bytes > MAX_FETCH_BYTES;
    let call = if part { call.range("bytes=0-65535") } else { call };
    let mut answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let explanation = aws.explain(&error, &Asked::get(bucket, &object.key, prefix));
            let text = explanation.to_string();
            // KMS is asked only after S3 has allowed the get.
            if matches!(explanation.kind, Kind::AccessDeniedDecrypt | Kind::KmsKeyUnusable) {
                report.add(Step::good("get", "s3:GetObject is allowed"));
                report.add(Step::of_text("decrypt", &text));
            } else {
                report.add(Step::of_text("get", &text));
                report.untried(&["decrypt"], "the object could not be fetched");
            }
            return;
        }
    };
    let encryption = encryption(&answer);
    let mut body = Vec::new();
    loop {
        match answer.body.try_next().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) => break,
            Err(error) => {
                report.add(
                    Step::bad("get", format!("the body broke off after {} bytes: {error}", body.len()))
                        .next("try again; a proxy or firewall may cut long answers"),
                );
                report.untried(&["decrypt"], "the object could not be fetched");
                return;
            }
        }
    }
    report.add(match part {
        true => Step::good("get", format!("began to read {} ({} bytes)", object.key, object.size_bytes)),
        false => decode(&object.key, &body),
    });
    report.add(Step::good("decrypt", encryption));
}

fn encryption(answer: &tfdrift_aws::aws_sdk_s3::operation::get_object::GetObjectOutput) -> String {
    match (answer.server_side_encryption(), answer.ssekms_key_id()) {
        (_, Some(key)) => format!("SSE-KMS with {key}; kms:Decrypt is allowed"),
        (Some(other), None) => format!("{} (S3's own key): nothing to allow", other.as_str()),
        (None, None) => "not encrypted by S3".to_owned(),
    }
}

/// What the bytes of an object come to, as the step `get`.
pub fn decode(name: &str, bytes: &[u8]) -> Step {
    let mut inflated = Vec::new();
    let json: &[u8] = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(MAX_INFLATED_BYTES);
        match reader.read_to_end(&mut inflated) {
            Ok(_) => &inflated,
            Err(error) => {
                return Step::bad("get", format!("{name}: gzip is broken: {error}"))
                    .next("such an object goes into quarantine; the others are read");
            }
        }
    } else {
        bytes
    };
    let (mut good, mut broken) = (0usize, 0usize);
    for record in tfdrift_intake::records(json, MAX_RECORD_BYTES) {
        match record.map(Record::parse) {
            Ok(Ok(_)) => good += 1,
            _ => broken += 1,
        }
    }
    match (good, broken) {
        (0, _) => Step::bad("get", format!("{name}: no CloudTrail record in {} bytes", bytes.len()))
            .next("point open_params at CloudTrail's objects: {\"Records\":[…]}, *.json or *.json.gz"),
        (good, 0) => Step::good("get", format!("{name}: {} bytes, {good} records", bytes.len())),
        (good, broken) => {
            Step::good("get", format!("{name}: {good} records, {broken} broken ones passed over"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;
    use std::io::Write;

    const RECORD: &str = r#"{"eventVersion":"1.08","eventID":"e","eventTime":"2026-01-01T00:00:00Z"}"#;

    #[test]
    fn records_plain_and_inflated_are_counted() {
        let text = format!(r#"{{"Records":[{RECORD},{RECORD}]}}"#);
        assert!(decode("a.json", text.as_bytes()).what.ends_with("2 records"));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let bytes = gzip.finish().unwrap();
        assert!(decode("a.json.gz", &bytes).what.ends_with("2 records"));
        assert_eq!(decode("a.json.gz", &bytes[..20]).outcome, Outcome::Failed);
        assert_eq!(decode("a.json", b"hello").outcome, Outcome::Failed);
    }
}
