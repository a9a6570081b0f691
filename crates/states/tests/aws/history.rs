//! The states as of a time, by object versions.

use std::sync::Arc;

use serde_json::json;
use tfdrift_states::AsOf;

use crate::bucket::{Bucket, new, ns, serials, serials_of, state};

#[test]
fn each_event_has_the_states_of_its_time() {
    let Some(bucket) = Bucket::versioned("as-of") else { return };
    for (time, serial) in [("10:00:00", 1), ("11:00:00", 2), ("11:30:00", 3), ("12:00:00", 4)] {
        bucket.put(time, "net.tfstate", &state(serial, &format!("vpc-{serial}")));
    }
    bucket.put("08:00:00", "old.tfstate", &state(7, "vpc-old"));
    let store = bucket.store("");
    assert_eq!(bucket.calls("versions"), 0, "nobody asked");

    assert_eq!(serials(&store, "12:00:00"), [4, 7]);
    assert_eq!(serials(&store, "23:00:00"), [4, 7]);
    assert_eq!(bucket.calls(""), 0, "the newest states are at hand");
    let newest = store.snapshot().unwrap();
    assert!(Arc::ptr_eq(&newest, &store.snapshot_at(ns("12:00:00")).unwrap()));

    assert_eq!(serials(&store, "11:59:59"), [3, 7]);
    assert_eq!(bucket.calls("versions"), 1, "one page of one state: the other one was not written since");
    assert_eq!(serials(&store, "11:30:00"), [3, 7], "a version of the same second stood");
    assert_eq!(serials(&store, "11:29:59"), [2, 7]);
    assert_eq!(serials(&store, "10:00:00"), [1, 7]);
    assert_eq!(serials(&store, "09:59:59"), [7], "before its first write it did not exist");
    assert_eq!(serials(&store, "07:00:00"), [7], "serial 7 was not the first write: it is the nearest");
    let status = store.history();
    assert_eq!((status.get_calls, status.states, status.failures), (3, 3, 0), "{status:?}");

    bucket.calls("");
    for time in ["11:59:59", "10:30:00", "09:00:00", "11:15:00", "11:45:00", "10:00:00"] {
        store.snapshot_at(ns(time)).unwrap();
    }
    assert_eq!(bucket.calls(""), 0, "nothing is read twice");
    let (a, b) = (store.snapshot_at(ns("11:00:00")).unwrap(), store.snapshot_at(ns("11:29:59")).unwrap());
    assert!(Arc::ptr_eq(&a, &b), "nor put together twice");

    // the newest write counts for tf.reconciled, the state in hand for everything else
    let id = a.find_any("vpc-2").next().unwrap();
    assert_eq!(a.resource(id).unwrap().state().written_at_ns(), Some(ns("11:00:00")));
    assert_eq!(a.last_written_ns(id), Some(ns("12:00:00")));
    let old = a.find_any("vpc-old").next().unwrap();
    assert_eq!(a.last_written_ns(old), Some(ns("08:00:00")));
    assert!(Arc::ptr_eq(&a.states()[1], &newest.states()[1]), "the other state is shared");
}

#[test]
fn while_somebody_applies_the_state_before_is_at_hand() {
    let Some(bucket) = Bucket::versioned("applies") else { return };
    bucket.put("10:00:00", "a.tfstate", &state(1, "vpc-a"));
    bucket.put("10:00:00", "b.tfstate", &state(1, "vpc-b"));
    let store = bucket.store("");
    bucket.put("11:00:00", "a.tfstate", &state(2, "vpc-a"));
    store.load_now();
    bucket.put("11:00:20", "a.tfstate", &state(3, "vpc-a"));
    bucket.put("11:00:40", "a.tfstate", &state(4, "vpc-a"));
    store.load_now();
    bucket.calls("");
    assert_eq!(serials(&store, "10:59:00"), [1, 1]);
    assert_eq!(serials(&store, "11:00:05"), [2, 1]);
    assert_eq!(bucket.calls("versionId"), 0, "both were read as the newest already");
    assert_eq!(serials(&store, "11:00:30"), [3, 1]);
    assert_eq!(bucket.calls("versionId"), 1, "between two looks: has to be fetched");
    assert_eq!(serials(&store, "11:20:00"), [4, 1]);

    // an event on what Terraform made and had not written yet
    let then = store.snapshot_at(ns("10:59:00")).unwrap();
    let settled = store.snapshot_settled(ns("10:59:00"), &then).unwrap();
    assert_eq!(serials_of(&settled), [4, 1]);
    // It counts only for what the states of the time do not know, and only where it is about something managed.
    let judged = |found: [Option<bool>; 2]| {
        let mut asked = Vec::new();
        let judge = |_: &_, as_of| {
            asked.push(as_of);
            found[asked.len() - 1]
        };
        let (snapshot, _) = store.judged_at(ns("10:59:00"), judge, |found| *found).unwrap();
        (serials_of(&snapshot), asked)
    };
    assert_eq!(judged([None, Some(true)]), (vec![4, 1], vec![AsOf::Then, AsOf::Settled]));
    assert_eq!(judged([None, Some(false)]), (vec![1, 1], vec![AsOf::Then, AsOf::Settled]));
    assert_eq!(judged([None, None]).0, [1, 1]);
    assert_eq!(judged([Some(false), Some(true)]), (vec![1, 1], vec![AsOf::Then]));
    let newest = store.snapshot().unwrap();
    assert!(store.snapshot_settled(ns("11:20:00"), &newest).is_none(), "nothing was written after");
}

#[test]
fn a_state_that_was_deleted_and_made_anew() {
    let Some(bucket) = Bucket::versioned("made-anew") else { return };
    bucket.put("10:00:00", "a.tfstate", &state(1, "vpc-a"));
    bucket.put("10:10:00", "a.tfstate", &state(2, "vpc-a"));
    bucket.delete("11:00:00", "a.tfstate");
    bucket.put("12:00:00", "a.tfstate", &state(1, "vpc-b"));
    bucket.put("12:30:00", "a.tfstate", &state(2, "vpc-b"));
    let store = bucket.store("");
    assert_eq!(serials(&store, "11:30:00"), [0; 0]);
    assert_eq!(serials(&store, "10:59:59"), [2]);
    let then = store.snapshot_at(ns("12:10:00")).unwrap();
    assert_eq!((serials_of(&then), then.find_any("vpc-b").count()), (vec![1], 1));
}

#[test]
fn a_state_that_goes_while_we_watch_is_still_known_for_before() {
    let Some(bucket) = Bucket::versioned("goes") else { return };
    bucket.put("10:00:00", "a.tfstate", &state(3, "vpc-a"));
    bucket.put("10:00:00", "b.tfstate", &state(5, "vpc-b"));
    let store = bucket.store("");
    bucket.delete("11:00:00", "a.tfstate");
    store.load_now();
    assert_eq!(serials_of(&store.snapshot().unwrap()), [5]);
    assert_eq!(serials(&store, "10:59:59"), [3, 5]);
    assert_eq!(serials(&store, "11:00:00"), [5]);
    bucket.put("12:00:00", "a.tfstate", &state(1, "vpc-c"));
    store.load_now();
    assert_eq!(serials(&store, "10:30:00"), [3, 5]);
    assert_eq!(serials(&store, "11:30:00"), [5]);
    assert_eq!(serials(&store, "12:00:00"), [1, 5]);
}

#[test]
fn versioning_that_was_switched_on_late() {
    let Some(bucket) = Bucket::plain("late") else { return };
    assert_eq!(bucket.put("10:00:00", "a.tfstate", &state(5, "vpc-a")), "null");
    let store = bucket.store("a.tfstate");
    assert_eq!(serials(&store, "09:00:00"), [5], "what came before was overwritten: this is the nearest");
    let status = store.history();
    assert_eq!((status.unversioned.len(), status.get_calls), (1, 0), "{status:?}");
    bucket.switch_versioning_on();
    bucket.put("11:00:00", "a.tfstate", &state(6, "vpc-b"));
    store.load_now();
    assert_eq!(serials(&store, "10:30:00"), [5]);
    assert_eq!(serials(&store, "09:00:00"), [5]);
    assert_eq!(serials(&store, "11:00:00"), [6]);
    assert_eq!(store.history().errors, []);
}

#[test]
fn lists_of_several_pages_are_read_as_far_as_needed() {
    let Some(bucket) = Bucket::versioned("pages") else { return };
    for n in 1..=9 {
        bucket.put(&format!("10:0{n}:00"), "a.tfstate", &state(n, "vpc-a"));
        // Terraform's lock lies right behind it
        bucket.put(&format!("10:0{n}:00"), "a.tfstate.tflock", "{}");
        bucket.delete(&format!("10:0{n}:01"), "a.tfstate.tflock");
    }
    let store = bucket.store("a.tfstate");
    for (time, serial, pages) in
        [("10:08:30", 8, 1), ("10:05:30", 5, 1), ("10:03:30", 3, 1), ("10:00:30", 0, 1)]
    {
        bucket.calls("");
        let expected = if serial == 0 { vec![] } else { vec![serial] };
        assert_eq!(serials(&store, time), expected, "{time}");
        assert_eq!(bucket.calls("versions"), pages, "{time}");
    }
    // a new version: one page says all that is new
    bucket.put("10:10:00", "a.tfstate", &state(10, "vpc-a"));
    store.load_now();
    bucket.calls("");
    assert_eq!((serials(&store, "10:09:30"), serials(&store, "10:02:30")), (vec![9], vec![2]));
    assert_eq!(bucket.calls("versions"), 1);
    let many = store.history();
    assert_eq!((many.list_calls, many.failures), (5, 0), "{many:?}");
}

#[test]
fn memory_is_bounded() {
    let Some(bucket) = Bucket::versioned("bounded") else { return };
    for n in 1..=8 {
        bucket.put(&format!("10:0{n}:00"), "a.tfstate", &state(n, "vpc-a"));
    }
    let mut config = bucket.config(json!(format!("s3://{}/a.tfstate", bucket.name)));
    config.history_cache_bytes = 1 << 20;
    let one = {
        let store = new(config.clone());
        store.load_now();
        serials(&store, "10:01:00");
        store.history().bytes
    };
    config.history_cache_bytes = one * 2 + 100;
    let store = new(config.clone());
    store.load_now();
    for n in [1, 2, 3, 4, 5, 6, 7, 6, 7, 1] {
        assert_eq!(serials(&store, &format!("10:0{n}:30")), [n]);
        let status = store.history();
        assert!(status.bytes <= status.limit_bytes && status.states <= 2, "{status:?}");
    }
    assert_eq!(store.history().get_calls, 8, "7, once more 1; 6 and 7 were kept");

    config.history_cache_bytes = one - 1;
    let store = new(config.clone());
    store.load_now();
    assert_eq!(serials(&store, "10:01:30"), [8], "no room: the newest one stands in");
    let status = store.history();
    assert!(status.errors[0].error.contains("state.history_cache_bytes"), "{status:?}");
    assert_eq!((status.bytes, status.states), (0, 0));

    config.history_cache_bytes = 0;
    let store = new(config);
    store.load_now();
    bucket.calls("");
    assert_eq!((serials(&store, "10:01:30"), bucket.calls("")), (vec![8], 0), "switched off");
}

#[test]
fn an_open_store_answers_from_its_own_thread() {
    let Some(bucket) = Bucket::versioned("open") else { return };
    for (time, serial) in [("10:00:00", 1), ("11:00:00", 2), ("12:00:00", 3)] {
        bucket.put(time, "a.tfstate", &state(serial, "vpc-a"));
    }
    let store = Arc::new(new(bucket.config(json!(format!("s3://{}/a.tfstate", bucket.name)))));
    let lease = store.open();
    assert!(store.wait_first(std::time::Duration::from_secs(60)));
    assert_eq!(serials(&store, "10:30:00"), [1]);
    assert_eq!(store.history().missed, 0);
    drop(lease);
    assert_eq!(serials(&store, "11:30:00"), [2], "closed: whoever asks reads it");
    let lease = store.open();
    assert_eq!(serials(&store, "10:30:00"), [1]);
    drop(lease);

    // nobody wants to wait: the newest state, and the right one once it is there
    let mut config = bucket.config(json!(format!("s3://{}/a.tfstate", bucket.name)));
    config.first_load_timeout_secs = 0;
    let store = Arc::new(new(config));
    let _lease = store.open();
    assert!(store.wait_first(std::time::Duration::from_secs(60)));
    assert_eq!(serials(&store, "10:30:00"), [3]);
    assert_eq!(store.history().missed, 1);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while serials(&store, "10:30:00") != [1] {
        assert!(std::time::Instant::now() < deadline, "never read: {:?}", store.history());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
