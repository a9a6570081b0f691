#!/usr/bin/env python3
"""Writes the seed example: terraform.tfstate and the CloudTrail objects beside it. Always the same bytes of JSON.

  make.py           write everything anew
  make.py --check   exit 1 when a file here is not what this script makes

The state is the real one of tests/truth/seed-state (`main.tf`, applied), with the account id replaced; still 13 entries.
The records are of our own making, in the shapes in which AWS writes them (see tests/truth/README.md):

  09:00  Terraform applies everything                     nothing to report
  10:12  alice (console) opens tcp/22 to the world        delivered twice
  10:31  bob (CLI) suspends the versioning of the bucket
  11:05  carol (console, SSO) widens the role's policy
  11:20  the inventory script (boto3) tags the VPC
  13:40  bob deletes the default route                    in an object of two gzip members
  13:44  mallory may not open tcp/3389                     failed: nothing changed
  14:02  dave (CLI) creates a bucket that no state knows
  14:30  mallory attaches AdministratorAccess to the managed role
  15:10  alice closes tcp/22 again                        reverts 10:12
  09:05  (next day) bob enables the versioning again      reverts 10:31
sign-ins.jsonl is an export of single records, one a line: sign-ins and reads, nothing to report.
"""
import hashlib, json, os, struct, sys, uuid, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ACCOUNT, REGION, ORIGIN = "111122223333", "us-east-1", "595263720623"
STATE = open(os.path.join(HERE, "../../tests/truth/seed-state/terraform.tfstate")).read().replace(ORIGIN, ACCOUNT)
ATTRS = {f'{r["type"]}.{r["name"]}': r["instances"][0]["attributes"] for r in json.loads(STATE)["resources"]}
VPC, SUBNET, IGW = ATTRS["aws_vpc.main"]["id"], ATTRS["aws_subnet.public"]["id"], ATTRS["aws_internet_gateway.main"]["id"]
TABLE, ASSOCIATION = ATTRS["aws_route_table.public"]["id"], ATTRS["aws_route_table_association.public"]["id"]
GROUP, BUCKET = ATTRS["aws_security_group.web"]["id"], ATTRS["aws_s3_bucket.app_data"]["id"]
ROLE, PROFILE = ATTRS["aws_iam_role.ec2_role"]["name"], ATTRS["aws_iam_instance_profile.ec2_profile"]["name"]
POLICY = ATTRS["aws_iam_role_policy.cloudwatch_policy"]

TERRAFORM = ("APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0 "
             "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.23.8 md/GOOS#linux md/GOARCH#amd64")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
BOTO = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.5.0 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.69"
XMLNS = {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}


def h(*what):
    return hashlib.sha256("\n".join(map(str, what)).encode()).hexdigest()


def uid(*what):
    return str(uuid.UUID(h(*what)[:32], version=4))


def cli(command):
    return f"aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-41-generic exe/x86_64.ubuntu.22 prompt/off command/{command}"


def key_id(prefix, name):
    return prefix + h("key", name).upper()[:9] + "EXAMPLE"


def user(name, console, at):
    who = {"type": "IAMUser", "principalId": key_id("AIDA", name), "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT,
           "accessKeyId": key_id("ASIA" if console else "AKIA", name), "userName": name}
    if console:
        who["sessionContext"] = {"attributes": {"creationDate": at[:11] + "08:58:12Z", "mfaAuthenticated": "true"}}
    return who


def session(role, name, at, path="", mfa="false"):
    principal = key_id("AROA", role)
    return {"type": "AssumedRole", "principalId": f"{principal}:{name}", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}", "accountId": ACCOUNT,
            "accessKeyId": key_id("ASIA", role + name),
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": principal, "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{role}", "accountId": ACCOUNT, "userName": role},
                               "attributes": {"creationDate": at[:11] + "08:57:40Z", "mfaAuthenticated": mfa}}}


PEOPLE = {  # identity, source address, user agent, from the console?
    "terraform": (lambda at: session("terraform-ci", "github-actions", at), "198.51.100.20", TERRAFORM, False),
    "alice": (lambda at: user("alice", True, at), "203.0.113.7", BROWSER, True),
    "bob": (lambda at: user("bob", False, at), "203.0.113.52", None, False),
    "carol": (lambda at: session("AWSReservedSSO_AdministratorAccess_0a1b2c3d4e5f6789", "carol@example.com", at, "aws-reserved/sso.amazonaws.com/"), "203.0.113.67", "AWS Internal", True),
    "dave": (lambda at: user("dave", False, at), "203.0.113.90", None, False),
    "inventory": (lambda at: session("inventory", "nightly-inventory", at), "198.51.100.77", BOTO, False),
    "mallory": (lambda at: user("mallory", False, at), "192.0.2.66", None, False),
}


def record(at, who, service, name, request, response=None, error=None, command=None, read_only=False, **more):
    identity, address, agent, console = PEOPLE[who]
    request_id = uid("request", at, name, who, json.dumps(request))
    ec2 = service == "ec2"
    if ec2 and not read_only and not error:
        response = {"requestId": request_id, **(response or {"_return": True})}
    out = {"eventVersion": "1.09" if not ec2 else "1.10", "userIdentity": identity(at), "eventTime": at, "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": REGION,
           "sourceIPAddress": address, "userAgent": agent or cli(command)}
    if error:
        out["errorCode"], out["errorMessage"] = error
    out["requestParameters"], out["responseElements"] = request, response
    if service == "s3":
        out["additionalEventData"] = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0, "AuthenticationMethod": "AuthHeader",
                                      "x-amz-id-2": h("id-2", request_id), "bytesTransferredOut": 0}
    out.update({"requestID": request_id, "eventID": uid("event", at, name, who, json.dumps(request)), "readOnly": read_only})
    if service == "s3":
        out["resources"] = [{"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::" + request["bucketName"]}]
    out.update({"eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management"})
    if console:
        out["sessionCredentialFromConsole"] = "true"
    else:
        host = "iam.amazonaws.com" if service == "iam" else request["Host"] if service == "s3" else f"{service}.{REGION}.amazonaws.com"
        out["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}
    out.update(more)
    return out


def items(*elements):
    return {"items": list(elements)} if elements else {}


def tags(kind, name):
    return {"tagSpecificationSet": items({"resourceType": kind, "tags": [{"key": "Name", "value": name}]})}


def permission(protocol, port=None, cidr="0.0.0.0/0", note=None):
    ports = {} if port is None else {"fromPort": port, "toPort": port}
    return {"ipProtocol": protocol, **ports, "groups": {}, "ipRanges": items({"cidrIp": cidr, **({"description": note} if note else {})}), "ipv6Ranges": {}, "prefixListIds": {}}


def rules(egress, *permissions):
    return {"_return": True, "securityGroupRuleSet": items(*(
        {"groupOwnerId": ACCOUNT, "groupId": GROUP, "securityGroupRuleId": "sgr-" + h(GROUP, egress, json.dumps(p))[:17], "isEgress": egress, "ipProtocol": p["ipProtocol"],
         "fromPort": p.get("fromPort", -1), "toPort": p.get("toPort", -1), "cidrIpv4": p["ipRanges"]["items"][0]["cidrIp"],
         **({"description": p["ipRanges"]["items"][0]["description"]} if "description" in p["ipRanges"]["items"][0] else {})} for p in permissions))}


def bucket(name, sub=None, **body):
    return {"bucketName": name, "Host": f"{name}.s3.{REGION}.amazonaws.com", **({sub: ""} if sub else {}), **{k: {**XMLNS, **v} for k, v in body.items()}}


def encryption(algorithm):
    return {"ServerSideEncryptionConfiguration": {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}}}


def apply():
    """What terraform-provider-aws calls for main.tf, reads left out but for a few."""
    seconds = iter(range(4, 4000, 3))
    out = []

    def call(service, name, request, response=None, **more):
        t = next(seconds)
        out.append(record(f"2026-11-03T09:{t // 60:02d}:{t % 60:02d}Z", "terraform", service, name, request, response, **more))

    state_bucket = "tfdrift-test-state"
    call("s3", "GetBucketVersioning", bucket(state_bucket, "versioning"), read_only=True)
    call("ec2", "CreateVpc", {"cidrBlock": "10.0.0.0/16", "instanceTenancy": "default", "amazonProvidedIpv6CidrBlock": False, **tags("vpc", "tfdrift-test-vpc")},
         {"vpc": {"vpcId": VPC, "ownerId": ACCOUNT, "state": "pending", "cidrBlock": "10.0.0.0/16", "instanceTenancy": "default", "isDefault": False, "dhcpOptionsId": "dopt-" + h("dopt")[:17],
                  "cidrBlockAssociationSet": items({"cidrBlock": "10.0.0.0/16", "associationId": "vpc-cidr-assoc-" + h("assoc")[:17], "cidrBlockState": {"state": "associated"}}),
                  "ipv6CidrBlockAssociationSet": {}, "tagSet": items({"key": "Name", "value": "tfdrift-test-vpc"})}})
    call("iam", "CreateRole", {"roleName": ROLE, "path": "/", "assumeRolePolicyDocument": ATTRS["aws_iam_role.ec2_role"]["assume_role_policy"], "maxSessionDuration": 3600,
                               "tags": [{"key": "Name", "value": ROLE}]},
         {"role": {"path": "/", "roleName": ROLE, "roleId": ATTRS["aws_iam_role.ec2_role"]["unique_id"], "arn": ATTRS["aws_iam_role.ec2_role"]["arn"], "createDate": "Nov 3, 2026 9:00:10 AM",
                   "tags": [{"key": "Name", "value": ROLE}]}})
    call("s3", "CreateBucket", {"bucketName": BUCKET, "Host": f"{BUCKET}.s3.{REGION}.amazonaws.com"})
    call("ec2", "DescribeVpcs", {"vpcSet": items({"vpcId": VPC}), "filterSet": {}}, read_only=True)
    call("ec2", "ModifyVpcAttribute", {"vpcId": VPC, "enableDnsHostnames": {"value": True}})
    call("iam", "CreateInstanceProfile", {"instanceProfileName": PROFILE, "path": "/"},
         {"instanceProfile": {"path": "/", "instanceProfileName": PROFILE, "instanceProfileId": "AIPA" + h(PROFILE).upper()[:9] + "EXAMPLE",
                              "arn": ATTRS["aws_iam_instance_profile.ec2_profile"]["arn"], "createDate": "Nov 3, 2026 9:00:22 AM", "roles": []}})
    call("iam", "AddRoleToInstanceProfile", {"instanceProfileName": PROFILE, "roleName": ROLE})
    call("iam", "PutRolePolicy", {"roleName": ROLE, "policyName": POLICY["name"], "policyDocument": POLICY["policy"]})
    call("s3", "PutBucketTagging", bucket(BUCKET, "tagging", Tagging={"TagSet": {"Tag": {"Key": "Name", "Value": "tfdrift-test-app-data"}}}))
    call("s3", "PutBucketVersioning", bucket(BUCKET, "versioning", VersioningConfiguration={"Status": "Enabled"}))
    call("s3", "PutBucketEncryption", bucket(BUCKET, "encryption", **encryption("AES256")))
    call("ec2", "CreateSubnet", {"vpcId": VPC, "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a", **tags("subnet", "tfdrift-test-public")},
         {"subnet": {"subnetId": SUBNET, "subnetArn": ATTRS["aws_subnet.public"]["arn"], "state": "available", "ownerId": ACCOUNT, "vpcId": VPC, "cidrBlock": "10.0.1.0/24",
                     "ipv6CidrBlockAssociationSet": {}, "availableIpAddressCount": 251, "availabilityZone": "us-east-1a", "availabilityZoneId": "use1-az6", "defaultForAz": False,
                     "mapPublicIpOnLaunch": False, "assignIpv6AddressOnCreation": False, "tagSet": items({"key": "Name", "value": "tfdrift-test-public"})}})
    call("ec2", "ModifySubnetAttribute", {"subnetId": SUBNET, "mapPublicIpOnLaunch": {"value": True}})
    call("ec2", "CreateInternetGateway", tags("internet-gateway", "tfdrift-test-igw"),
         {"internetGateway": {"internetGatewayId": IGW, "ownerId": ACCOUNT, "attachmentSet": {}, "tagSet": items({"key": "Name", "value": "tfdrift-test-igw"})}})
    call("ec2", "AttachInternetGateway", {"internetGatewayId": IGW, "vpcId": VPC})
    call("ec2", "CreateSecurityGroup", {"groupName": "tfdrift-test-web-sg", "groupDescription": "web servers", "vpcId": VPC, **tags("security-group", "tfdrift-test-web-sg")},
         {"_return": True, "groupId": GROUP, "tagSet": items({"key": "Name", "value": "tfdrift-test-web-sg"}), "securityGroupArn": ATTRS["aws_security_group.web"]["arn"]})
    call("ec2", "RevokeSecurityGroupEgress", {"groupId": GROUP, "ipPermissions": items(permission("-1"))})
    web = [permission("tcp", 80, note="HTTP"), permission("tcp", 443, note="HTTPS")]
    call("ec2", "AuthorizeSecurityGroupIngress", {"groupId": GROUP, "ipPermissions": items(*web)}, rules(False, *web))
    call("ec2", "AuthorizeSecurityGroupEgress", {"groupId": GROUP, "ipPermissions": items(permission("-1"))}, rules(True, permission("-1")))
    call("ec2", "CreateRouteTable", {"vpcId": VPC, **tags("route-table", "tfdrift-test-public-rt")},
         {"routeTable": {"routeTableId": TABLE, "vpcId": VPC, "ownerId": ACCOUNT, "routeSet": items({"destinationCidrBlock": "10.0.0.0/16", "gatewayId": "local", "state": "active", "origin": "CreateRouteTable"}),
                         "associationSet": {}, "propagatingVgwSet": {}, "tagSet": items({"key": "Name", "value": "tfdrift-test-public-rt"})}})
    call("ec2", "CreateRoute", {"routeTableId": TABLE, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": IGW})
    call("ec2", "AssociateRouteTable", {"routeTableId": TABLE, "subnetId": SUBNET}, {"associationId": ASSOCIATION, "associationState": {"state": "associated"}})
    call("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": items({"groupId": GROUP}), "filterSet": {}}, read_only=True)
    return out


def by_hand():
    """The changes outside Terraform, by the minute in which they happen."""
    ssh = permission("tcp", 22)
    widened = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*", "s3:*"], "Resource": "*"}]})
    shadow = f"tfdrift-test-scratch-{ACCOUNT}"
    admin = {"roleName": ROLE, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    return {
        "ssh": record("2026-11-03T10:12:41Z", "alice", "ec2", "AuthorizeSecurityGroupIngress", {"groupId": GROUP, "ipPermissions": items(ssh)}, rules(False, ssh)),
        "suspend": record("2026-11-03T10:31:08Z", "bob", "s3", "PutBucketVersioning", bucket(BUCKET, "versioning", VersioningConfiguration={"Status": "Suspended"}), command="s3api.put-bucket-versioning"),
        "widen": record("2026-11-03T11:05:55Z", "carol", "iam", "PutRolePolicy", {"roleName": ROLE, "policyName": POLICY["name"], "policyDocument": widened}),
        "tag": record("2026-11-03T11:20:19Z", "inventory", "ec2", "CreateTags", {"resourcesSet": items({"resourceId": VPC}), "tagSet": items({"key": "Owner", "value": "platform"})}),
        "route": record("2026-11-03T13:40:37Z", "bob", "ec2", "DeleteRoute", {"routeTableId": TABLE, "destinationCidrBlock": "0.0.0.0/0"}, command="ec2.delete-route"),
        "denied": record("2026-11-03T13:44:02Z", "mallory", "ec2", "AuthorizeSecurityGroupIngress", {"groupId": GROUP, "ipPermissions": items(permission("tcp", 3389))}, command="ec2.authorize-security-group-ingress",
                         error=("Client.UnauthorizedOperation", f"You are not authorized to perform this operation. User: arn:aws:iam::{ACCOUNT}:user/mallory is not authorized to perform: ec2:AuthorizeSecurityGroupIngress "
                                f"on resource: {ATTRS['aws_security_group.web']['arn']} because no identity-based policy allows the ec2:AuthorizeSecurityGroupIngress action")),
        "shadow": record("2026-11-03T14:02:26Z", "dave", "s3", "CreateBucket", {"bucketName": shadow, "Host": f"{shadow}.s3.{REGION}.amazonaws.com", "x-amz-object-ownership": "BucketOwnerEnforced"}, command="s3api.create-bucket"),
        "admin": record("2026-11-03T14:30:11Z", "mallory", "iam", "AttachRolePolicy", admin, command="iam.attach-role-policy"),
        "close": record("2026-11-03T15:10:48Z", "alice", "ec2", "RevokeSecurityGroupIngress", {"groupId": GROUP, "ipPermissions": items(ssh)}),
        "resume": record("2026-11-04T09:05:13Z", "bob", "s3", "PutBucketVersioning", bucket(BUCKET, "versioning", VersioningConfiguration={"Status": "Enabled"}), command="s3api.put-bucket-versioning"),
    }


def sign_ins():
    """Records as an export gives them, one a line: a console sign-in and what alice looked at."""
    identity = PEOPLE["alice"][0]("2026-11-03T08:58:12Z")
    for gone in ("sessionContext", "accessKeyId"):
        identity.pop(gone)
    login = {"eventVersion": "1.09", "userIdentity": identity, "eventTime": "2026-11-03T08:58:12Z", "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": REGION,
             "sourceIPAddress": "203.0.113.7", "userAgent": BROWSER, "requestParameters": None, "responseElements": {"ConsoleLogin": "Success"},
             "additionalEventData": {"LoginTo": f"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_{REGION}", "MobileVersion": "No", "MFAIdentifier": f"arn:aws:iam::{ACCOUNT}:mfa/alice", "MFAUsed": "Yes"},
             "eventID": uid("event", "login"), "readOnly": False, "eventType": "AwsConsoleSignIn", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
             "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{REGION}.signin.aws.amazon.com"}}
    return [login,
            record("2026-11-03T10:11:02Z", "alice", "ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": items({"groupId": GROUP}), "filterSet": {}}, read_only=True),
            record("2026-11-03T10:11:03Z", "alice", "s3", "GetBucketVersioning", bucket(BUCKET, "versioning"), read_only=True)]


def gz(*members):
    """One gzip file; header without time or name, so the same everywhere."""
    out = b""
    for data in members:
        c = zlib.compressobj(9, zlib.DEFLATED, -15)
        out += b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + c.compress(data) + c.flush() + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return out


def gunzip(data):
    out, members = b"", 0
    while data:
        d = zlib.decompressobj(31)
        out += d.decompress(data)
        members, data = members + 1, d.unused_data
    return out, members


def files():
    hand = by_hand()
    reads = [record("2026-11-03T10:13:00Z", "inventory", "ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}, read_only=True)]
    objects = {  # delivered at, in which file: what is in it
        "2026-11-03 0905": apply(), "2026-11-03 1015": [hand["ssh"], *reads], "2026-11-03 1020": [hand["ssh"]],
        "2026-11-03 1035": [hand["suspend"]], "2026-11-03 1110": [hand["widen"]], "2026-11-03 1125": [hand["tag"]],
        "2026-11-03 1345": [hand["route"], hand["denied"]], "2026-11-03 1405": [hand["shadow"]], "2026-11-03 1435": [hand["admin"]],
        "2026-11-03 1515": [hand["close"]], "2026-11-04 0910": [hand["resume"]],
    }
    out = {"terraform.tfstate": STATE.encode(), "sign-ins.jsonl": b"".join(json.dumps(r, separators=(",", ":")).encode() + b"\n" for r in sign_ins())}
    for when, records in objects.items():
        day, minute = when.split()
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{day.replace('-', '')}T{minute}Z_{h('object', when)[:16]}.json.gz"
        data = json.dumps({"Records": records}, separators=(",", ":")).encode()
        half = len(data) // 2 if minute == "1345" else len(data)
        out[f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day.replace('-', '/')}/{name}"] = gz(*filter(None, (data[:half], data[half:])))
    return out


def main():
    made = files()
    there = {os.path.relpath(os.path.join(d, f), HERE) for d, _, fs in os.walk(os.path.join(HERE, "AWSLogs")) for f in fs}
    extra = sorted(there - set(made))
    if "--check" in sys.argv[1:]:
        bad = [f"{name}: not made by this script" for name in extra]
        for name, data in made.items():
            path = os.path.join(HERE, name)
            have = open(path, "rb").read() if os.path.exists(path) else b""
            # another zlib packs otherwise: what counts is what is inside, and in how many members
            same = gunzip(have) == gunzip(data) if name.endswith(".gz") and have else have == data
            if not same:
                bad.append(f"{name}: differs")
        print("\n".join(bad) or f"{len(made)} files are as made")
        sys.exit(1 if bad else 0)
    for name in extra:
        os.remove(os.path.join(HERE, name))
    for name, data in made.items():
        path = os.path.join(HERE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    print(f"{len(made)} files")


main()
