//! A trail in a folder that an S3 server shows as a bucket.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

const ACCOUNT: &str = "111122223333";
const REGIONS: [&str; 5] = ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-south-1"];

/// How much of it.
pub struct Trail {
    pub objects: u64,
    pub records: u64,
}

impl Trail {
    /// Writes the objects below `bucket`, all of them about two days old and before and after a midnight, and gives
    /// each record by its `eventID`.
    pub fn write(&self, bucket: &Path) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let midnight = (now / 86_400 - 1) * 86_400;
        for object in 0..self.objects {
            let region = REGIONS[(object % 5) as usize];
            let at =
                jiff::Timestamp::from_second((midnight + object * 300 - self.objects * 150) as i64).unwrap();
            let mut records = Vec::new();
            for n in 0..self.records {
                let id = format!("{object:08x}-{n:04x}-4000-8000-{:012x}", object * n);
                let record = record(&id, &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), region, n);
                records.push(record.clone());
                all.insert(id, record);
            }
            let path = bucket.join(format!(
                "AWSLogs/{ACCOUNT}/CloudTrail/{region}/{}/{ACCOUNT}_CloudTrail_{region}_{}_{object:016x}.json.gz",
                at.strftime("%Y/%m/%d"),
                at.strftime("%Y%m%dT%H%MZ"),
            ));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut gzip = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::fast());
            gzip.write_all(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()).unwrap();
            gzip.finish().unwrap();
        }
        all
    }
}

fn record(id: &str, time: &str, region: &str, n: u64) -> String {
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:session-{n}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session-{n}","accountId":"{ACCOUNT}","accessKeyId":"ASIAEXAMPLE{n:09}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::{ACCOUNT}:role/deploy","accountId":"{ACCOUNT}","userName":"deploy"}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"false"}}}}}},"eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"{region}","sourceIPAddress":"203.0.113.{}","userAgent":"aws-cli/2.15.0","requestParameters":{{"groupId":"sg-{n:017x}","ipPermissions":{{"items":[{{"ipProtocol":"tcp","fromPort":{n},"toPort":{n},"ipRanges":{{"items":[{{"cidrIp":"10.0.0.0/8","description":"a \"quoted\" é"}}]}}}}]}}}},"responseElements":{{"requestId":"{id}","_return":true}},"requestID":"{id}","eventID":"{id}","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management"}}"#,
        n % 250
    )
}
