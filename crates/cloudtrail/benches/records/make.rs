//! Records in the shapes and the mix of a busy account.

/// A small generator of numbers (xorshift), so that every run has the same records.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn hex(&mut self, digits: usize) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())[..digits].to_owned()
    }

    fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

const AGENTS: [&str; 6] = [
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.82-99.168.amzn2023.x86_64 exec-env/CloudShell exe/x86_64.amzn.2023 prompt/off command/ec2.describe-instances",
    "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#5.10.213-201.855.amzn2.x86_64 md/arch#x86_64 lang/python#3.12.2 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.75.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.3 os/linux lang/go#1.23.2",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36",
    "console.amazonaws.com",
    "aws-sdk-go-v2/1.26.1 os/linux lang/go#1.21.9 md/GOOS#linux md/GOARCH#amd64 api/s3#1.53.1",
];

/// `(source, operation, read-only, request, response)`; `@` stands for eight hexadecimal digits.
const CALLS: [(&str, &str, bool, &str, &str); 10] = [
    (
        "ec2",
        "DescribeInstances",
        true,
        r#"{"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"web-@"}]}}]}}"#,
        "null",
    ),
    (
        "s3",
        "GetObject",
        true,
        r#"{"bucketName":"logs-@","Host":"logs-@.s3.eu-west-1.amazonaws.com","key":"app/2026/11/02/part-@.parquet"}"#,
        "null",
    ),
    (
        "sts",
        "AssumeRole",
        true,
        r#"{"roleArn":"arn:aws:iam::111122223333:role/deploy-@","roleSessionName":"ci-@","durationSeconds":3600}"#,
        r#"{"credentials":{"accessKeyId":"ASIA@@","sessionToken":"IQoJb3JpZ2luX2VjE@@@@@@@@","expiration":"Nov 2, 2026, 8:30:22 PM"},"assumedRoleUser":{"assumedRoleId":"AROA@@:ci-@","arn":"arn:aws:sts::111122223333:assumed-role/deploy-@/ci-@"}}"#,
    ),
    (
        "kms",
        "Decrypt",
        true,
        r#"{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f-@"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        "null",
    ),
    ("iam", "GetRole", true, r#"{"roleName":"role-@"}"#, "null"),
    (
        "logs",
        "CreateLogStream",
        false,
        r#"{"logGroupName":"/aws/lambda/f-@","logStreamName":"2026/11/02/[$LATEST]@@"}"#,
        "null",
    ),
    (
        "ec2",
        "DescribeSecurityGroups",
        true,
        r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-@"}]},"filterSet":{}}"#,
        "null",
    ),
    ("dynamodb", "DescribeTable", true, r#"{"tableName":"orders-@"}"#, "null"),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        false,
        r#"{"groupId":"sg-@","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"opened \"for a moment\" \u2014 see ticket"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        r#"{"requestId":"@-@","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"111122223333","groupId":"sg-@","securityGroupRuleId":"sgr-@","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}]}}"#,
    ),
    (
        "s3",
        "PutBucketPolicy",
        false,
        r#"{"bucketName":"data-@","Host":"data-@.s3.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/r-@"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::data-@","arn:aws:s3:::data-@/*"]}]}}"#,
        "null",
    ),
];

/// So many records, nine in ten of them reading calls.
pub fn records(count: usize) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(0x5eed);
    (0..count).map(|_| record(&mut numbers).into_bytes()).collect()
}

fn record(numbers: &mut Numbers) -> String {
    let (source, name, read_only, request, response) = CALLS[match numbers.below(100) {
        0..8 => 8 + numbers.below(2),
        8..10 => 5,
        _ => [0, 1, 2, 3, 4, 6, 7][numbers.below(7)],
    }];
    let session = format!("person-{}@example.com", numbers.below(40));
    let role = format!("AWSReservedSSO_Developer_{}", numbers.hex(16));
    let identity = match numbers.below(10) {
        0..2 => r#"{"type":"IAMUser","principalId":"AIDA@@","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIA@@","userName":"alice"}"#.to_owned(),
        2 => r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#.to_owned(),
        _ => format!(r#"{{"type":"AssumedRole","principalId":"AROA@@:{session}","arn":"arn:aws:sts::111122223333:assumed-role/{role}/{session}","accountId":"111122223333","accessKeyId":"ASIA@@","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA@@","arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/{role}","accountId":"111122223333","userName":"{role}"}},"attributes":{{"creationDate":"2026-11-02T18:00:00Z","mfaAuthenticated":"false"}}}}}}"#),
    };
    let error = if numbers.below(20) == 0 {
        r#""errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this action","#
    } else {
        ""
    };
    let seconds = numbers.below(86_400);
    let time = format!("2026-11-02T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let agent = AGENTS[numbers.below(AGENTS.len())];
    let text = format!(
        r#"{{"eventVersion":"1.09","userIdentity":{identity},"eventTime":"{time}","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.{}","userAgent":"{agent}",{error}"requestParameters":{request},"responseElements":{response},"requestID":"{}","eventID":"{}","readOnly":{read_only},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}.eu-west-1.amazonaws.com"}}}}"#,
        numbers.below(256),
        numbers.uuid(),
        numbers.uuid(),
    );
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // The address of the person keeps its sign.
        let digits = if part.starts_with("example") { "@".to_owned() } else { numbers.hex(8) };
        out.push_str(&digits);
        out.push_str(part);
    }
    out
}
