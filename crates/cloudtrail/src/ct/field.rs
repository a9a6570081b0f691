//! The fields' names, and where in a record each has its value.

use crate::Member;
use crate::Member::*;
use crate::head::Identity;

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plan {
    /// The text of a top-level member.
    Top(Member),
    /// The text of a member of a top-level member.
    Inner(Member, &'static str),
    /// The text of a member of `userIdentity`.
    Identity(Identity),
    /// The text of a member of `requestParameters`.
    Request(&'static str),
    /// The text of a member of `responseElements`.
    Response(&'static str),
    /// A member as compact JSON; with an argument, a part of it.
    Json(Member),
    /// A member that is a boolean.
    Bool(Member),
    /// Made from several members.
    Derived,
}

const fn top(member: Member) -> Plan {
    Plan::Top(member)
}

const fn request(key: &'static str) -> Plan {
    Plan::Request(key)
}

macro_rules! fields {
    ($($variant:ident $name:literal $plan:expr,)*) => {
        /// A field whose value is read from the record alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is described in the field table by its name")]
        pub enum CtField { $($variant,)* }

        impl CtField {
            /// All of them.
            pub const ALL: &'static [CtField] = &[$(CtField::$variant,)*];

            /// The name under which Falco knows the field.
            pub const fn name(self) -> &'static str {
                match self { $(CtField::$variant => $name,)* }
            }

            /// The field of that name.
            pub fn from_name(name: &str) -> Option<CtField> {
                match name { $($name => Some(CtField::$variant),)* _ => None }
            }

            /// In the order of the fields: to look a plan up is one load.
            const PLANS: &'static [Plan; [$($name,)*].len()] = &[$($plan,)*];

            #[inline]
            pub(super) const fn plan(self) -> Plan {
                Self::PLANS[self as usize]
            }
        }
    };
}

fields! {
    Id "ct.id" top(EventId),
    Error "ct.error" top(ErrorCode),
    ErrorMessage "ct.errormessage" top(Member::ErrorMessage),
    Time "ct.time" top(EventTime),
    Src "ct.src" top(EventSource),
    ShortSrc "ct.shortsrc" Plan::Derived,
    Name "ct.name" top(EventName),
    User "ct.user" Plan::Derived,
    OriginalUser "ct.originaluser" Plan::Derived,
    UserAccountId "ct.user.accountid" Plan::Derived,
    UserIdentityType "ct.user.identitytype" Plan::Identity(Identity::Type),
    UserPrincipalId "ct.user.principalid" Plan::Identity(Identity::PrincipalId),
    UserArn "ct.user.arn" Plan::Identity(Identity::Arn),
    Region "ct.region" top(AwsRegion),
    ResponseSubnetId "ct.response.subnetid" Plan::Response("subnetId"),
    ResponseReservationId "ct.response.reservationid" Plan::Response("reservationId"),
    Response "ct.response" Plan::Json(ResponseElements),
    RequestAvailabilityZone "ct.request.availabilityzone" request("availabilityZone"),
    RequestCluster "ct.request.cluster" request("cluster"),
    RequestFunctionName "ct.request.functionname" request("functionName"),
    RequestGroupName "ct.request.groupname" request("groupName"),
    RequestHost "ct.request.host" request("Host"),
    RequestName "ct.request.name" request("name"),
    RequestPolicy "ct.request.policy" request("policy"),
    RequestSerialNumber "ct.request.serialnumber" request("serialNumber"),
    RequestServiceName "ct.request.servicename" request("serviceName"),
    RequestSubnetId "ct.request.subnetid" request("subnetId"),
    RequestTaskDefinition "ct.request.taskdefinition" request("taskDefinition"),
    RequestUserName "ct.request.username" request("userName"),
    RequestDocumentName "ct.request.documentname" Plan::Derived,
    RequestReason "ct.request.reason" request("reason"),
    RequestTarget "ct.request.target" request("target"),
    Request "ct.request" Plan::Json(RequestParameters),
    SrcIp "ct.srcip" top(SourceIpAddress),
    UserAgent "ct.useragent" top(Member::UserAgent),
    Info "ct.info" Plan::Derived,
    ManagementEvent "ct.managementevent" Plan::Bool(Member::ManagementEvent),
    ReadOnly "ct.readonly" Plan::Bool(Member::ReadOnly),
    RequestId "ct.requestid" top(Member::RequestId),
    EventType "ct.eventtype" top(Member::EventType),
    ApiVersion "ct.apiversion" top(Member::ApiVersion),
    Resources "ct.resources" Plan::Derived,
    RecipientAccountId "ct.recipientaccountid" top(Member::RecipientAccountId),
    ServiceEventDetails "ct.serviceeventdetails" top(Member::ServiceEventDetails),
    SharedEventId "ct.sharedeventid" top(Member::SharedEventId),
    VpcEndpointId "ct.vpcendpointid" top(Member::VpcEndpointId),
    EventCategory "ct.eventcategory" top(Member::EventCategory),
    AddendumReason "ct.addendum.reason" Plan::Inner(Addendum, "reason"),
    AddendumUpdatedFields "ct.addendum.updatedfields" Plan::Inner(Addendum, "updatedFields"),
    AddendumOriginalRequestId "ct.addendum.originalrequestid" Plan::Inner(Addendum, "originalRequestID"),
    AddendumOriginalEventId "ct.addendum.originaleventid" Plan::Inner(Addendum, "originalEventID"),
    SessionCredentialFromConsole "ct.sessioncredentialfromconsole" Plan::Bool(Member::SessionCredentialFromConsole),
    EdgeDeviceDetails "ct.edgedevicedetails" top(Member::EdgeDeviceDetails),
    TlsVersion "ct.tlsdetails.tlsversion" Plan::Inner(TlsDetails, "tlsVersion"),
    TlsCipherSuite "ct.tlsdetails.ciphersuite" Plan::Inner(TlsDetails, "cipherSuite"),
    TlsClientProvidedHostHeader "ct.tlsdetails.clientprovidedhostheader" Plan::Inner(TlsDetails, "clientProvidedHostHeader"),
    AdditionalEventData "ct.additionaleventdata" Plan::Json(Member::AdditionalEventData),
    S3Uri "s3.uri" Plan::Derived,
    S3Bucket "s3.bucket" request("bucketName"),
    S3Key "s3.key" request("key"),
    S3Bytes "s3.bytes" Plan::Derived,
    S3BytesIn "s3.bytes.in" Plan::Derived,
    S3BytesOut "s3.bytes.out" Plan::Derived,
    S3CountGet "s3.cnt.get" Plan::Derived,
    S3CountPut "s3.cnt.put" Plan::Derived,
    S3CountOther "s3.cnt.other" Plan::Derived,
    Ec2Name "ec2.name" Plan::Derived,
    Ec2ImageId "ec2.imageid" Plan::Derived,
    Ec2ImageIds "ec2.imageids" Plan::Derived,
    EcrRepository "ecr.repository" request("repositoryName"),
    EcrImageTag "ecr.imagetag" request("imageTag"),
    IamRole "iam.role" request("roleName"),
    IamPolicy "iam.policy" request("policyName"),
    // Not in the Go plugin.
    AccessKeyId "ct.accesskeyid" Plan::Identity(Identity::AccessKeyId),
    Mfa "ct.mfa" Plan::Derived,
    SessionName "ct.session.name" Plan::Derived,
    ResourcesArns "ct.resources.arns" Plan::Derived,
}

#[cfg(test)]
mod tests {
    use super::CtField;

    #[test]
    fn every_name_finds_its_field() {
        assert_eq!(CtField::ALL.len(), 73 + 4);
        for &field in CtField::ALL {
            assert_eq!(CtField::from_name(field.name()), Some(field));
        }
    }
}
