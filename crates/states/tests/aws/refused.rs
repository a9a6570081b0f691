//! What happens when AWS refuses.

use crate::bucket::{Bucket, denied, serials, state};

#[test]
fn the_list_of_versions_is_denied() {
    let Some(bucket) = Bucket::versioned("no-list") else { return };
    for n in 1..=3 {
        bucket.put(&format!("10:0{n}:00"), "a.tfstate", &state(n, "vpc-a"));
    }
    bucket.refuse(|request| request.path.contains("versions").then(|| denied("Access Denied")));
    let store = bucket.store("a.tfstate");
    bucket.calls("");
    for time in ["10:01:30", "10:02:30", "09:00:00"] {
        assert_eq!(serials(&store, time), [3], "judged by the newest");
    }
    assert_eq!(bucket.calls("versions"), 1, "not asked again for a while");
    let status = store.history();
    assert_eq!((status.failures, status.errors.len()), (1, 1), "{status:?}");
    let error = &status.errors[0];
    assert!(
        error.error.contains("s3://no-list/") && error.error.contains("s3:ListBucketVersions"),
        "{error:?}"
    );
    let detail = error.detail.as_ref().unwrap();
    assert!(detail.contains(r#""Action": "s3:ListBucketVersions""#), "{detail}");
    assert!(detail.contains(r#""Resource": "arn:aws:s3:::no-list""#), "{detail}");
}

#[test]
fn older_versions_are_denied() {
    let Some(bucket) = Bucket::versioned("no-get") else { return };
    for n in 1..=3 {
        bucket.put(&format!("10:0{n}:00"), "a.tfstate", &state(n, "vpc-a"));
    }
    bucket.refuse(|request| request.path.contains("versionId").then(|| denied("Access Denied")));
    let store = bucket.store("a.tfstate");
    assert_eq!((serials(&store, "10:01:30"), serials(&store, "10:02:30")), (vec![3], vec![3]));
    let status = store.history();
    assert_eq!((status.get_calls, status.errors.len()), (1, 1), "{status:?}");
    let detail = status.errors[0].detail.as_ref().unwrap();
    assert!(detail.contains(r#""Action": "s3:GetObjectVersion""#), "{detail}");
    assert!(detail.contains("arn:aws:s3:::no-get/"), "{detail}");
}

#[test]
fn one_version_cannot_be_decrypted_or_is_gone() {
    let Some(bucket) = Bucket::versioned("one-bad") else { return };
    let put = |n: u64| bucket.put(&format!("10:0{n}:00"), "a.tfstate", &state(n, "vpc-a"));
    let versions: Vec<String> = (1..=5).map(put).collect();
    let store = bucket.store("a.tfstate");
    assert_eq!(serials(&store, "10:01:30"), [1], "the list is read");
    bucket.expire("a.tfstate", &versions[2]);
    let locked = format!("versionId={}", versions[1]);
    bucket.refuse(move |request| {
        let message = "User: arn:aws:sts::111122223333:assumed-role/falco/tfdrift is not authorized to perform: kms:Decrypt on \
            resource: arn:aws:kms:eu-west-1:111122223333:key/old because no identity-based policy allows the kms:Decrypt action";
        request.path.contains(&locked).then(|| denied(message))
    });
    assert_eq!(serials(&store, "10:02:30"), [5], "the newest one stands in");
    assert_eq!(serials(&store, "10:03:30"), [5]);
    assert_eq!(serials(&store, "10:04:30"), [4], "the others are read as ever: {:?}", store.history());
    let errors = store.history().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
    let all = format!("{errors:?}");
    assert!(
        all.contains("kms:Decrypt") && all.contains("arn:aws:kms:eu-west-1:111122223333:key/old"),
        "{all}"
    );
    assert!(all.contains("does not exist (any more)") && all.contains("lifecycle"), "{all}");
}
