//! Roles, keys and refusals of the newest states.

use serde_json::json;
use tfdrift_aws::AssumeRole;
use tfdrift_states::{Place, PlaceKind, StateConfig};

use crate::bucket::{Bucket, denied, new, serials_of, state};
use crate::said::warnings;

fn role(name: &str) -> AssumeRole {
    AssumeRole {
        role_arn: format!("arn:aws:iam::444455556666:role/{name}"),
        external_id: String::new(),
        session_name: "tfdrift".into(),
    }
}

/// Ten places of one object each.
fn ten(bucket: &Bucket) -> StateConfig {
    let mut config = bucket.config(json!(""));
    config.places.clear();
    for n in 0..10 {
        let key = format!("team-{n}/net.tfstate");
        bucket.put("10:00:00", &key, &state(n + 1, &format!("vpc-{n}")));
        let mut place = Place::new(PlaceKind::S3, json!(format!("s3://{}/{key}", bucket.name)));
        place.workspace = "default".into();
        config.places.push(place);
    }
    config
}

#[test]
fn roles_one_after_the_other_for_one_place() {
    let Some(bucket) = Bucket::plain("roles") else { return };
    bucket.put("10:00:00", "a.tfstate", &state(1, "vpc-a"));
    bucket.put("10:00:00", "b.tfstate", &state(2, "vpc-b"));
    let mut config = bucket.config(json!("s3://roles/a.tfstate"));
    let mut aws = bucket.aws();
    aws.assume_role = vec![role("jump"), role("states-reader")];
    config.places[0].aws = Some(aws);
    config.places.push(Place::new(
        PlaceKind::S3,
        json!({"bucket": "roles", "key": "b.tfstate", "assume_role": {"role_arn": "arn:aws:iam::777788889999:role/b"}}),
    ));
    let store = new(config);
    assert_eq!(store.load_now().errors().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(serials_of(&store.snapshot().unwrap()), [1, 2]);
    let seen = bucket.proxy.seen.lock().unwrap();
    let assumed =
        |name: &str| seen.iter().filter(|r| r.body.contains("AssumeRole") && r.body.contains(name)).count();
    assert_eq!((assumed("role%2Fjump"), assumed("role%2Fstates-reader"), assumed("role%2Fb")), (1, 1, 1));
}

#[test]
fn a_role_that_is_refused_is_named_with_what_it_needs() {
    let Some(bucket) = Bucket::plain("role-refused") else { return };
    bucket.put("10:00:00", "a.tfstate", &state(1, "vpc-a"));
    let mut config = bucket.config(json!("s3://role-refused/a.tfstate"));
    let mut aws = bucket.aws();
    aws.assume_role = vec![role("jump"), role("states-reader")];
    config.places[0].aws = Some(aws);
    bucket.refuse(|request| {
        let wanted = request.body.contains("Action=AssumeRole") && request.body.contains("states-reader");
        wanted.then(|| {
            denied(
                "User: arn:aws:sts::444455556666:assumed-role/jump/tfdrift is not authorized to perform: \
            sts:AssumeRole on resource: arn:aws:iam::444455556666:role/states-reader",
            )
        })
    });
    let store = new(config);
    let said = warnings(|| {
        store.load_now();
        store.load_now();
    });
    assert_eq!(said.len(), 1, "once: {said:#?}");
    let status = store.status();
    let error = status.places[0].error.as_ref().unwrap();
    assert!(error.contains("arn:aws:iam::444455556666:role/states-reader"), "{error}");
    let detail = status.places[0].detail.as_ref().unwrap();
    assert!(detail.contains("sts:AssumeRole"), "{detail}");
    assert!(detail.contains(r#""Resource": "arn:aws:iam::444455556666:role/states-reader""#), "{detail}");
    assert!(store.snapshot().is_none());
    bucket.allow_all();
    assert_eq!(store.load_now().errors().count(), 0);
    assert_eq!(serials_of(&store.snapshot().unwrap()), [1]);
}

#[test]
fn a_state_under_a_kms_key() {
    let Some(bucket) = Bucket::plain("kms") else { return };
    let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd";
    bucket.put_encrypted("a.tfstate", &state(1, "vpc-a"), key);
    bucket.put("10:00:00", "b.tfstate", &state(2, "vpc-b"));
    let store = bucket.store("");
    assert_eq!(serials_of(&store.snapshot().unwrap()), [1, 2]);

    let store = new(bucket.config(json!("s3://kms/")));
    bucket.refuse(move |request| {
        let message = format!("User: arn:aws:iam::123456789012:user/moto is not authorized to perform: kms:Decrypt on resource: \
            {key} because no identity-based policy allows the kms:Decrypt action");
        (request.method == "GET" && request.path.contains("a.tfstate")).then(|| denied(&message))
    });
    let said = warnings(|| {
        store.load_now();
        store.load_now();
    });
    assert_eq!(said.len(), 1, "once: {said:#?}");
    let status = store.status();
    let bad = status.places[0].states.iter().find(|s| s.error.is_some()).unwrap();
    assert!(
        bad.name == "s3://kms/a.tfstate" && bad.error.as_ref().unwrap().contains("kms:Decrypt"),
        "{bad:?}"
    );
    assert!(bad.detail.as_ref().unwrap().contains(&format!("\"Resource\": \"{key}\"")), "{bad:?}");
    assert_eq!(serials_of(&store.snapshot().unwrap()), [2], "the other one works");
    bucket.allow_all();
    assert_eq!(store.load_now().errors().count(), 0);
    assert_eq!(serials_of(&store.snapshot().unwrap()), [1, 2]);
}

#[test]
fn one_of_ten_places_is_forbidden() {
    let Some(bucket) = Bucket::plain("ten") else { return };
    let store = new(ten(&bucket));
    bucket.refuse(|request| request.path.contains("team-6").then(|| denied("Access Denied")));
    let said = warnings(|| {
        for _ in 0..3 {
            store.load_now();
        }
    });
    assert_eq!(said.len(), 1, "once: {said:#?}");
    let status = store.status();
    let bad: Vec<_> = status.places.iter().filter(|p| p.error.is_some()).collect();
    assert_eq!(bad.len(), 1);
    let error = bad[0].error.as_ref().unwrap();
    assert!(error.contains("s3://ten/team-6/net.tfstate") && error.contains("s3:GetObject"), "{error}");
    assert!(bad[0].detail.as_ref().unwrap().contains("arn:aws:s3:::ten/team-6/net.tfstate"), "{bad:?}");
    assert_eq!(serials_of(&store.snapshot().unwrap()), [1, 2, 3, 4, 5, 6, 8, 9, 10], "the nine work");
    bucket.allow_all();
    assert_eq!(store.load_now().errors().count(), 0);
    assert_eq!(store.snapshot().unwrap().states().len(), 10);

    // and once more: what was read stays
    bucket.refuse(|request| request.path.contains("team-6").then(|| denied("Access Denied")));
    assert_eq!(store.load_now().errors().count(), 1);
    assert_eq!(store.snapshot().unwrap().states().len(), 10);
}
