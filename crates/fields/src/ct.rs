//! Fields of the record: those of the Go plugin 0.17.1 with the same names and types, then ours.

use crate::Property::{Conversation, Hidden, Info};
use crate::{Arg, FieldDef, Group, Kind, Property};

/// The version of the Go plugin whose fields these are.
const GO: &str = "0.17.1";
const OURS: &str = "0.1.0";
/// When a plain member has no value.
const MEMBER: &str = "the record does not have it";
const OBJECT_CALL: &str = "no such call of S3, or the call moved nothing";

const fn text(name: &'static str, description: &'static str, absent: &'static str) -> FieldDef {
    const NONE: &[Property] = &[];
    FieldDef {
        name,
        kind: Kind::String,
        arg: Arg::None,
        description,
        absent,
        group: Group::Ct,
        properties: NONE,
        since: GO,
    }
}

const fn number(name: &'static str, description: &'static str, absent: &'static str) -> FieldDef {
    FieldDef { kind: Kind::U64, ..text(name, description, absent) }
}

impl FieldDef {
    const fn with(self, properties: &'static [Property]) -> FieldDef {
        FieldDef { properties, ..self }
    }

    const fn key(self) -> FieldDef {
        FieldDef { arg: Arg::OptionalKey, ..self }
    }

    const fn ours(self) -> FieldDef {
        FieldDef { since: OURS, ..self }
    }
}

/// The fields that are read from the record alone.
pub const CT_FIELDS: &[FieldDef] = &[
    text("ct.id", "`eventID`: the record's own id.", MEMBER),
    text("ct.error", "`errorCode`: why the call failed, such as `AccessDenied`.", "the call succeeded"),
    text("ct.errormessage", "`errorMessage`: what AWS said about the failure.", "the call succeeded"),
    text("ct.time", "`eventTime` as it stands in the record.", MEMBER).with(&[Hidden]),
    text("ct.src", "`eventSource`: the service called, such as `s3.amazonaws.com`.", MEMBER),
    text("ct.shortsrc", "`eventSource` without `.amazonaws.com`.", MEMBER),
    text("ct.name", "`eventName`: the operation, such as `PutBucketPolicy`.", MEMBER),
    text(
        "ct.user",
        "The user: `userIdentity.userName` for root and IAM users, the role's name for an assumed role, `invokedBy` for a service, else the word for the kind of account.",
        "the identity names nobody in this way: root without an alias, federated web and SAML users, Identity Center; see `tf.actor`",
    )
    .with(&[Conversation]),
    text(
        "ct.originaluser",
        "For an assumed role the name of the session, else `userIdentity.userName`.",
        "the identity has none",
    ),
    text("ct.user.accountid", "`userIdentity.accountId`, else `recipientAccountId`.", "neither is there"),
    text("ct.user.identitytype", "`userIdentity.type`, such as `IAMUser`, `AssumedRole`, `Root`.", MEMBER),
    text("ct.user.principalid", "`userIdentity.principalId`.", MEMBER),
    text("ct.user.arn", "`userIdentity.arn`.", MEMBER),
    text("ct.region", "`awsRegion`: where the call went.", MEMBER),
    text("ct.response.subnetid", "`responseElements.subnetId`.", MEMBER),
    text("ct.response.reservationid", "`responseElements.reservationId`.", MEMBER),
    text(
        "ct.response",
        "`responseElements` as compact JSON; with a key the part at that path: a JSON pointer (`/instancesSet/items/0/instanceId`) or keys and indices with dots.",
        "the record does not have it; with a key also where that part is null",
    )
    .key(),
    text("ct.request.availabilityzone", "`requestParameters.availabilityZone`.", MEMBER),
    text("ct.request.cluster", "`requestParameters.cluster`.", MEMBER),
    text("ct.request.functionname", "`requestParameters.functionName`.", MEMBER),
    text("ct.request.groupname", "`requestParameters.groupName`.", MEMBER),
    text("ct.request.host", "`requestParameters.Host`.", MEMBER),
    text("ct.request.name", "`requestParameters.name`.", MEMBER),
    text("ct.request.policy", "`requestParameters.policy`.", MEMBER),
    text("ct.request.serialnumber", "`requestParameters.serialNumber`.", MEMBER),
    text("ct.request.servicename", "`requestParameters.serviceName`.", MEMBER),
    text("ct.request.subnetid", "`requestParameters.subnetId`.", MEMBER),
    text("ct.request.taskdefinition", "`requestParameters.taskDefinition`.", MEMBER),
    text("ct.request.username", "`requestParameters.userName`.", MEMBER),
    text("ct.request.documentname", "`requestParameters.documentName`.", MEMBER),
    text("ct.request.reason", "`requestParameters.reason`.", MEMBER),
    text("ct.request.target", "`requestParameters.target`.", MEMBER),
    text(
        "ct.request",
        "`requestParameters` as compact JSON; with a key the part at that path: `ct.request[bucketName]`, `ct.request[ipPermissions.items.0.ipProtocol]`, or a JSON pointer.",
        "the record does not have it; with a key also where that part is null",
    )
    .key(),
    text("ct.srcip", "`sourceIPAddress`: the caller's address, or a service's name.", MEMBER).with(&[Conversation]),
    text("ct.useragent", "`userAgent`: the caller's program.", MEMBER),
    text(
        "ct.info",
        "A summary: who, from where, `→` for a change or `←` for a reading call (`!` before it if it failed), the operation, and the S3 object or host.",
        "never",
    )
    .with(&[Info]),
    text("ct.managementevent", "`managementEvent`: `true` or `false`.", MEMBER),
    text("ct.readonly", "`readOnly`: `true` or `false`.", MEMBER),
    text("ct.requestid", "`requestID`.", MEMBER),
    text("ct.eventtype", "`eventType`, such as `AwsApiCall`, `AwsConsoleSignIn`, `AwsServiceEvent`.", MEMBER),
    text("ct.apiversion", "`apiVersion`.", MEMBER),
    text("ct.resources", "The items of `resources` as JSON, with commas between.", "there is no list, or it is empty"),
    text("ct.recipientaccountid", "`recipientAccountId`: the account whose trail this is.", MEMBER),
    text("ct.serviceeventdetails", "`serviceEventDetails` as JSON.", MEMBER),
    text("ct.sharedeventid", "`sharedEventID`: the same call in the trails of several accounts.", MEMBER),
    text("ct.vpcendpointid", "`vpcEndpointId`.", MEMBER),
    text("ct.eventcategory", "`eventCategory`, such as `Management` or `Data`.", MEMBER),
    text("ct.addendum.reason", "`addendum.reason`: why a record was delivered late or again.", MEMBER),
    text("ct.addendum.updatedfields", "`addendum.updatedFields`.", MEMBER),
    text("ct.addendum.originalrequestid", "`addendum.originalRequestID`.", MEMBER),
    text("ct.addendum.originaleventid", "`addendum.originalEventID`.", MEMBER),
    text(
        "ct.sessioncredentialfromconsole",
        "`sessionCredentialFromConsole`: `true` if the credentials come from a console session.",
        MEMBER,
    ),
    text("ct.edgedevicedetails", "`edgeDeviceDetails` as JSON.", MEMBER),
    text("ct.tlsdetails.tlsversion", "`tlsDetails.tlsVersion`.", MEMBER),
    text("ct.tlsdetails.ciphersuite", "`tlsDetails.cipherSuite`.", MEMBER),
    text("ct.tlsdetails.clientprovidedhostheader", "`tlsDetails.clientProvidedHostHeader`.", MEMBER),
    text(
        "ct.additionaleventdata",
        "`additionalEventData` as compact JSON; with a key the part at that path.",
        "the record does not have it; with a key also where that part is null",
    )
    .key(),
    text("s3.uri", "`s3://BUCKET/KEY` of the object.", "the request does not name both").with(&[Conversation]),
    text("s3.bucket", "`requestParameters.bucketName`.", MEMBER).with(&[Conversation]),
    text("s3.key", "`requestParameters.key`.", MEMBER),
    number("s3.bytes", "Bytes moved in both directions.", OBJECT_CALL),
    number("s3.bytes.in", "Bytes moved to S3.", OBJECT_CALL).with(&[Hidden]),
    number("s3.bytes.out", "Bytes moved from S3.", OBJECT_CALL).with(&[Hidden]),
    number("s3.cnt.get", "1 for `GetObject`.", "any other call").with(&[Hidden]),
    number("s3.cnt.put", "1 for `PutObject`.", "any other call").with(&[Hidden]),
    number("s3.cnt.other", "1 for every call but those two, of any service.", "`GetObject` and `PutObject`")
        .with(&[Hidden]),
    text("ec2.name", "The tag `Name` that the request gives to instances.", "no such tag is given"),
    text("ec2.imageid", "The first of `ec2.imageids`.", "there is none"),
    FieldDef {
        kind: Kind::StringList,
        arg: Arg::OptionalIndex,
        ..text(
            "ec2.imageids",
            "The images of the instances in the response, else the one that the request names; with an index only that one.",
            "there is none",
        )
    },
    text("ecr.repository", "`requestParameters.repositoryName`.", MEMBER),
    text("ecr.imagetag", "`requestParameters.imageTag`.", MEMBER),
    text("iam.role", "`requestParameters.roleName`.", MEMBER),
    text("iam.policy", "`requestParameters.policyName`.", MEMBER),
    text("ct.accesskeyid", "`userIdentity.accessKeyId`: the key that signed the call.", MEMBER).ours(),
    text(
        "ct.mfa",
        "`true` or `false`: for a console sign-in `additionalEventData.MFAUsed`, else whether the session was opened with a second factor.",
        "the record does not say: long-lived keys, services",
    )
    .ours(),
    text(
        "ct.session.name",
        "The name of the role session: the last part of the assumed role's ARN. For SSO it is the person.",
        "no role was assumed",
    )
    .ours(),
    FieldDef {
        kind: Kind::StringList,
        ..text("ct.resources.arns", "`ARN` of every item of `resources`.", "there is none").ours()
    },
];
